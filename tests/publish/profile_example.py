"""The tables of profiles of the seven make-believe PCNs of conftest: the atlas's, and hand-written rows of what a profile tells besides."""

from __future__ import annotations

import importlib.util
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.cohorts.population_profile import age_band_names
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.place.deprivation_domains import DOMAINS

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night

_spec = importlib.util.spec_from_file_location("atlas_example_of_profiles", Path(__file__).with_name("atlas_example.py"))
assert _spec is not None
assert _spec.loader is not None
_atlas = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_atlas)

DAY = date(2022, 7, 1)
PCNS = tuple(f"U0000{number}" for number in range(1, 8))
AREAS = (*(("pcn", code) for code in PCNS), ("icb", "QA1"))
HIDDEN_PCN = "U00007"
HOSTILE_SITE = '<img src=x onerror="alert(1)">'


def _table(of: str, rows: list[dict[str, Any]], **same: Any) -> pa.Table:
    """Rows of a contract; of what is not said, required numbers are 0, required marks false, and everything else is empty."""
    import pyarrow as pa

    contract = load_contract(of)
    nothing = {c.name: {"integer": 0, "number": 0.0, "boolean": False}.get(c.logical_type) if c.required else None for c in contract.columns}
    full = [{**nothing, "as_of": DAY, **same, **row} for row in rows]
    made = pa.table({f.name: pa.array([row.get(f.name) for row in full], f.type) for f in contract.schema})
    return refuse_if_broken(conform(made, contract), contract)


def _whole(code: str) -> int:
    return 7000 if code == "QA1" else 1000


def population() -> pa.Table:
    """A tenth of people in 0-4, the rest evenly; 15 % with hypertension in U00001 where 10 % are expected; all of U00007 is hidden."""
    rows: list[dict[str, Any]] = []
    for kind, code in AREAS:
        whole, hidden = _whole(code), code == HIDDEN_PCN
        for topic in ("age_sex", "condition", "plus", "plus_not_recorded"):
            rows.append({"area_type": kind, "area_code": code, "topic": topic, "group": "all", "sex": "all", "age_band": "all"})
            rows[-1] |= {"people_count": whole, "percent": 100.0}
        for sex in ("female", "male"):
            for band in age_band_names():
                count = None if hidden else whole // (20 if band == "0-4" else 40)
                at = {"topic": "age_sex", "group": "all", "sex": sex, "age_band": band}
                rows.append({"area_type": kind, "area_code": code, **at, "people_count": count, "is_hidden": hidden})
        count = None if hidden else 150 if code == "U00001" else whole // 10
        expected = None if hidden or kind == "icb" else 100.0
        every: dict[str, Any] = {"area_type": kind, "area_code": code, "sex": "all", "age_band": "all", "is_hidden": hidden}
        percent = None if count is None else 100 * count / whole
        rows.append({**every, "topic": "condition", "group": "hypertension", "people_count": count, "percent": percent, "expected_count": expected})
        rows.append({**every, "topic": "plus", "group": "carer", "people_count": count, "percent": percent})
    return _table("products/population_profile", rows)


def use_of_care() -> dict[str, pa.Table]:
    """Activity, continuity gap and segments; U00007 is hidden."""
    activity, gap, segments = [], [], []
    for edition in ("2019", "2025"):
        for number, (kind, code) in enumerate(AREAS):
            for quintile in ("all", "1"):
                every: dict[str, Any] = {"area_type": kind, "area_code": code, "imd_edition": edition, "imd_quintile": quintile}
                every["is_hidden"] = code == HIDDEN_PCN
                is_told = not every["is_hidden"]
                seen = {"contacts_per_1000": 5000.0 + 100 * number, "urgent_percent": 30.0 + number, "urgent_lower": 28.0, "urgent_upper": 40.0}
                activity.append({**every, **(seen if is_told else {})})
                gap.append({**every, **({"high_need_count": 60, "received_known_count": 50, "low_received_count": 30} if is_told else {})})
            for segment, count in (("high", 40), ("some", 60), ("none", 900), ("all", 1000)):
                key = {"area_type": kind, "area_code": code, "imd_edition": edition, "imd_quintile": "all", "people_group": "all"}
                told = {"people_count": count, "percent": count / 10} if code != HIDDEN_PCN else {"is_hidden": True}
                segments.append({**key, "scheme": "continuity_need", "segment": segment, **told})
    names = ("products/activity_by_pcn", "products/continuity_gap_by_pcn", "products/segment_count")
    return {name: _table(name, rows) for name, rows in zip(names, (activity, gap, segments), strict=True)}


def beside() -> dict[str, pa.Table]:
    """Domains, staff, survey, sites, and what arrived."""
    area = {"imd_edition": "2025", "people_count": 1000, "most_deprived_count": 250, "percent": 25.0, "covered_percent": 100.0}
    domains = [{**area, "area_type": kind, "area_code": code, "domain": domain} for kind, code in AREAS for domain in DOMAINS]
    post = {"staff_group": "gp", "staff_role": "all", "source": "gp_workforce", "post_count": 1, "fte": 0.5, "lower": 10.0, "upper": 90.0}
    staff = [
        {
            **post,
            "area_type": kind,
            "area_code": code,
            "census": year,
            "is_newest": year == "2022",
            "fte_per_100k": 40.0 + number,
            "covered_percent": 80.0,
        }
        for number, (kind, code) in enumerate(AREAS)
        for year in ("2021", "2022")
    ]
    answers = {"A00001": (80.0, 300), "A00002": (40.0, 100), "A00003": (60.0, 100), "A00004": (None, None)}
    survey = [
        {"survey_year": 2022, "practice_code": code, "measure": "preferred_gp_seen", "favourable_percent": share, "answer_count": count}
        for code, (share, count) in answers.items()
    ]
    sites = [
        {"site_code": "S1", "site_name": HOSTILE_SITE, "site_kind": "library", "pcn_code": "U00001", "latitude": 54.05, "longitude": -2.75},
        {"site_code": "S2", "site_name": "=HALL", "site_kind": "community_centre", "pcn_code": "U00001", "postcode": "ZZ1 1AA", "free_room_count": 2},
    ]
    extract = {"contract_id": "inbound/practice_list", "rows_read": 1000, "rows_accepted": 999, "rows_quarantined": 1, "extract_date": DAY}
    sent = [{**extract, "practice_code": "A00001", "state": "new"}]
    sent += [{**extract, "practice_code": "A00002", "state": "stale", "extract_date": date(2022, 6, 1)}]
    made: dict[str, list[dict[str, Any]]] = {
        "products/deprivation_domains_by_area": domains,
        "products/workforce_by_pcn": staff,
        "reference/gp_patient_survey": survey,
        "reference/community_site": sites,
        "core/practice_extract": sent,
    }
    return {name: _table(name, rows) for name, rows in made.items()}


def tables(
    products: dict[str, pa.Table], registered_count: pa.Table, members: pa.Table, boundary: pa.Table, landing: pa.Table, night: Night
) -> dict[str, pa.Table]:
    """All of PROFILE_TABLES but the lookup."""
    made = dict(_atlas.tables(products, registered_count, members, boundary, night))
    assert registry.tables()
    return {**made, "products/population_profile": population(), **use_of_care(), **beside(), "core/landing_file": landing}
