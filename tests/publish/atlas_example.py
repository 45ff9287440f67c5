"""The tables of an atlas of the seven make-believe PCNs of conftest, hand-made counts through the real builders."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.contracts import conform, empty_table, load_contract, refuse_if_broken
from fuller_popheath.specs import as_it_left

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night

DAY, EARLIER = date(2022, 7, 1), date(2022, 6, 1)
INDICATORS = ("hypertension_on_target", "smoking_current", "smi_all_six_checks", "child_mmr_two_doses")
RANKS = {1: 100, 2: 6_000, 3: 9_000, 4: 15_000, 5: 21_000, 6: 27_000, 7: 32_000}
SHARED = (("E01000031", 6_700, 2, 0.4), ("E01000032", 6_800, 3, 0.6))
"""By IMD 2025 E01000003 rests on two LSOAs: 40 % of its people in quintile 1, 60 % in quintile 2."""
# of 1,000 people a quintile in the denominator, from the most deprived: hypertension treated to threshold, by PCN
TREATED = {
    "U00001": (500, 550, 600, 650, 700),
    "U00002": (600, 600, 600, 600, 600),
    "U00003": (700, 650, 600, 550, 500),
    "U00004": (400, 500, 600, 700, 800),
    "U00005": (550, 560, 570, 580, 590),
    "U00006": (300, 310, 320, 330, 340),
}
PRACTICES, LSOAS = tuple(f"A0000{i}" for i in range(1, 9)), tuple(f"E0100000{i}" for i in range(1, 8))
SMALL: list[dict[str, Any]] = [
    {
        "as_of": DAY,
        "area_type": level,
        "area_code": code,
        "quintile": "all",
        "numerator": None if code == codes[-1] else 20 * at,
        "denominator": None if code == codes[-1] else 200,
        "is_hidden": code == codes[-1],
    }
    for level, codes in (("practice", PRACTICES), ("lsoa", LSOAS))
    for at, code in enumerate(codes, start=1)
]


Counts = tuple[int | None, int | None]
HIDDEN: Counts = (None, None)


def _added(some: list[Counts]) -> Counts:
    return HIDDEN if HIDDEN in some else (sum(x or 0 for x, _ in some), sum(n or 0 for _, n in some))


def _table(of: str, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    contract = load_contract(of)
    return refuse_if_broken(conform(pa.Table.from_pylist(rows), contract), contract)


def deprivation() -> pa.Table:
    """core/area_deprivation of the seven LSOAs."""
    same = {"as_of": DAY, "share": 1.0, "derivation": "published", "change_code": "U", "imd_score": None}
    rows: list[dict[str, Any]] = []
    for edition, lsoas in (("2019", 32_844), ("2025", 33_755)):
        for i, rank in RANKS.items():
            if edition == "2019" or i != 3:
                own = {"lsoa_code": f"E0100000{i}", "part_lsoa_code": f"E0100000{i}", "imd_rank": float(rank), "imd_decile": -(-rank * 10 // lsoas)}
                rows.append({**same, **own, "imd_edition": edition})
    shared = {**same, "imd_edition": "2025", "lsoa_code": "E01000003", "derivation": "shared_equally", "change_code": "S"}
    rows += [
        {**shared, "part_lsoa_code": code, "imd_rank": float(rank), "imd_decile": decile, "share": share} for code, rank, decile, share in SHARED
    ]
    return _table("core/area_deprivation", [{**row, "imd_quintile": (row["imd_decile"] + 1) // 2} for row in rows])


def by_lsoa(registered_count: pa.Table, members: pa.Table, night: Night) -> pa.Table:
    """products/core20_by_lsoa as the night makes it."""
    given = {
        "core/registered_count": registered_count,
        "core/neighbourhood_practice": members,
        "core/area_deprivation": deprivation(),
        "reference/lsoa_2011_2021": empty_table(load_contract("reference/lsoa_2011_2021")),
    }
    contract = load_contract("products/core20_by_lsoa")
    return refuse_if_broken(registry.tables()[contract.id].build(given, night), contract)


def by_practice(products: dict[str, pa.Table], night: Night) -> pa.Table:
    """products/core20_by_practice as the night makes it."""
    contract = load_contract("products/core20_by_practice")
    given = {"core/practice_quintile": products["core/practice_quintile"], "core/neighbourhood_practice": products["core/neighbourhood_practice"]}
    return refuse_if_broken(registry.tables()[contract.id].build(given, night), contract)


def indicator_products(night: Night) -> dict[str, pa.Table]:
    """Values, the same a month earlier, and gaps from counts as they are shown; U00007 is hidden in every quintile, and quintile 5 of U00006.

    Of practices and small areas the last of each is hidden, and the others have 10, 20, 30 ... % of 200 people.
    """
    import pyarrow as pa

    rows = []
    for indicator in INDICATORS:
        for edition in ("2019", "2025"):
            counts: dict[tuple[str, str], list[Counts]] = {("pcn", code): [(x, 1000) for x in treated] for code, treated in TREATED.items()}
            whole: list[Counts] = [(sum(each), 1000 * len(TREATED)) for each in zip(*TREATED.values(), strict=True)]
            counts |= {("place", "00A"): whole, ("icb", "QA1"): whole, ("pcn", "U00007"): [HIDDEN] * 5}
            for (level, code), told in counts.items():
                five = [*told[:4], HIDDEN] if code == "U00006" else told
                shown = {str(at): each for at, each in enumerate(five, start=1)} | {"2-5": _added(five[1:]), "all": _added(five)}
                same = {"as_of": DAY, "imd_edition": edition, "area_type": level, "area_code": code, "indicator_id": indicator}
                same["age_group"] = registry.indicators()[indicator].age_group
                rows += [{**same, "quintile": q, "numerator": x, "denominator": n, "is_hidden": x is None} for q, (x, n) in shown.items()]
            told_of = {"indicator_id": indicator, "imd_edition": edition, "age_group": registry.indicators()[indicator].age_group}
            rows += [{**row, **told_of} for row in SMALL]
    counted = _table("core/indicator_shown", rows)
    made = {}
    for name in ("products/core20plus5_by_pcn", "products/inequality_by_area", "products/indicator_by_small_area"):
        spec, earlier = registry.tables()[name], {}
        for each in spec.earlier:
            first = spec.build({"core/indicator_shown": counted}, night)
            at = first.schema.get_field_index("as_of")
            earlier[as_it_left(each)] = first.set_column(at, first.schema.field(at), pa.array([EARLIER] * first.num_rows, pa.date32()))
        made[name] = refuse_if_broken(spec.build({"core/indicator_shown": counted, **earlier}, night), load_contract(name))
    return made


def tables(products: dict[str, pa.Table], registered_count: pa.Table, members: pa.Table, boundary: pa.Table, night: Night) -> dict[str, pa.Table]:
    """All of ATLAS_TABLES."""
    return {
        "products/core20_by_lsoa": by_lsoa(registered_count, members, night),
        "products/core20_by_practice": by_practice(products, night),
        **{f"products/core20_by_{level}": products[f"by_{level}"] for level in ("pcn", "place", "icb")},
        "core/registered_count": registered_count,
        "core/neighbourhood_practice": members,
        "reference/lsoa_boundary": boundary,
        **indicator_products(night),
    }
