"""The land tiles, both vintages hang together, and deprivation is spread as in a deprived ICB."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import shapely

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.synthetic.deprivation import LSOAS_2019, LSOAS_2025, decile, ranks
from fuller_popheath.synthetic.place import Place, make_place
from fuller_popheath.synthetic.published import practice_lsoa_counts, practice_map
from fuller_popheath.synthetic.size import size_for

from .conftest import AS_OF, SEED

RANK = "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)"
DECILE = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
SCORE = "Index of Multiple Deprivation (IMD) Score"


def quintile_one_share(place: Place, people: pa.Table, vintage: str) -> tuple[float, dict[str, float]]:
    """Percent of registered people in national quintile 1: of the whole ICB, and of each PCN."""
    imd, ranked = (place.imd_2019, LSOAS_2019) if vintage == "2011" else (place.imd_2025, LSOAS_2025)
    is_core20 = {code: rank * 5 <= ranked for code, rank in zip(imd[f"LSOA code ({vintage})"].to_pylist(), imd[RANK].to_pylist(), strict=True)}
    pcn = dict(zip(*(practice_map(place, AS_OF)[name].to_pylist() for name in ("PRACTICE_CODE", "PCN_CODE")), strict=True))
    everyone: Counter[str] = Counter()
    core20: Counter[str] = Counter()
    for row in practice_lsoa_counts(place, people, AS_OF, vintage).to_pylist():
        code = pcn[row["PRACTICE_CODE"]]
        everyone[code] += row["NUMBER_OF_PATIENTS"]
        core20[code] += row["NUMBER_OF_PATIENTS"] * is_core20.get(row["LSOA_CODE"], False)
    shares = {code: 100 * core20[code] / everyone[code] for code in everyone if code != "U"}
    return 100 * core20.total() / everyone.total(), shares


@pytest.mark.parametrize("vintage", ["lsoa11", "lsoa21"])
@pytest.mark.parametrize(("seed", "people"), [(1, 240_000), (2, 240_000), (5, 700_000), (7, 1_000)])
def test_areas_tile_the_land(seed: int, people: int, vintage: str) -> None:
    areas = getattr(make_place(seed, AS_OF, people), vintage).geometry.to_numpy()
    outline = shapely.union_all(areas)
    assert shapely.is_valid(areas).all()
    assert shapely.coverage_is_valid(areas)
    assert outline.geom_type == "Polygon"
    assert not outline.interiors, "a hole in the outline is a gap between areas"
    assert shapely.area(areas).sum() == pytest.approx(outline.area, rel=1e-12), "more area than the outline is an overlap"


def test_both_vintages_cover_the_same_land_off_the_real_coast(place: Place) -> None:
    land11, land21 = (shapely.union_all(areas.geometry.to_numpy()) for areas in (place.lsoa11, place.lsoa21))
    assert land11.symmetric_difference(land21).area == pytest.approx(0, abs=1e-12)
    west, south, east, north = land21.bounds
    assert -5.2 < west < east < -3.2, "between Anglesey and the Lancashire coast"
    assert 53.45 < south < north < 54.2
    assert place.lsoa21.crs == place.lsoa11.crs == "EPSG:4326"


def test_size_decides_everything() -> None:
    place = make_place(3, AS_OF, 240_000)
    assert (len(place.organisations.pcns), sum(practice.has_list for practice in place.organisations.practices)) == (6, 24)
    assert len(place.lsoa11) == 150
    assert size_for(500).practices == 8
    with pytest.raises(SettingsWrong, match="at least 500"):
        size_for(499)
    with pytest.raises(SettingsWrong, match="at most 2,400,000"):
        size_for(2_400_001)


def test_a_whole_ics_has_different_names_and_codes_throughout() -> None:
    """1.8 million people: 180 practices, 45 PCNs and 1,125 LSOAs, every code of the length that the real ones have."""
    place = make_place(SEED, AS_OF, 1_800_000)
    who = place.organisations
    assert (len(who.practices), len(who.pcns), len(place.lsoa11)) == (181, 45, 1_125)
    for values in ([p.code for p in who.practices], [p.name for p in who.practices], [p.code for p in who.pcns], [p.name for p in who.pcns]):
        assert len(set(values)) == len(values)
    assert {len(code) for code in place.lsoa21.lsoa21_code} == {len(code) for code in place.lsoa11.lsoa11_code} == {9}
    assert {len(p.code) for p in who.practices} == {len(p.code) for p in who.pcns} == {6}
    assert len(set(place.lsoa21.lsoa21_name)) == len(place.lsoa21)


def test_changed_areas_share_exactly_the_ground_of_their_parents(place: Place) -> None:
    """Split children make up their parent, merged parents make up their child, and an irregular group only as a whole."""
    old = dict(zip(place.lsoa11.lsoa11_code, place.lsoa11.geometry, strict=True))
    new = dict(zip(place.lsoa21.lsoa21_code, place.lsoa21.geometry, strict=True))
    rows = place.lookup.to_pylist()
    change = Counter(row["CHGIND"] for row in rows)
    assert change["S"] >= 7 and change["M"] >= 4 and change["X"] >= 3
    for kind in "USMX":
        before = {row["LSOA11CD"] for row in rows if row["CHGIND"] == kind}
        after = {row["LSOA21CD"] for row in rows if row["CHGIND"] == kind}
        difference = shapely.union_all([old[code] for code in before]).symmetric_difference(shapely.union_all([new[code] for code in after]))
        assert difference.area == pytest.approx(0, abs=1e-12), kind
    children = Counter(row["LSOA11CD"] for row in rows if row["CHGIND"] == "S")
    assert set(children.values()) == {2, 3}
    assert set(Counter(row["LSOA21CD"] for row in rows if row["CHGIND"] == "M").values()) == {2}
    irregular = [row for row in rows if row["CHGIND"] == "X"]
    assert len({row["LSOA11CD"] for row in irregular}) < len(irregular) and len({row["LSOA21CD"] for row in irregular}) < len(irregular)
    for row in rows:
        assert (row["LSOA11CD"] == row["LSOA21CD"]) == (row["CHGIND"] == "U")


def test_every_code_of_either_edition_is_in_the_lookup(place: Place) -> None:
    assert set(place.imd_2019["LSOA code (2011)"].to_pylist()) == set(place.lookup["LSOA11CD"].to_pylist()) == set(place.lsoa11.lsoa11_code)
    codes21 = set(place.lookup["LSOA21CD"].to_pylist())
    assert set(place.imd_2025["LSOA code (2021)"].to_pylist()) == codes21 == set(place.lsoa21.lsoa21_code)
    assert set(place.lsoa21_population["LSOA21CD"].to_pylist()) == codes21
    assert len(set(place.lsoa21.lsoa21_name)) == len(codes21)


def test_no_code_is_a_real_one(place: Place) -> None:
    """The ONS had used E01 codes up to about E01035999 by 2021; PCN block U998 and practices Y9 were free in the ODS files of 2022 to 2026."""
    codes = set(place.lookup["LSOA11CD"].to_pylist()) | set(place.lookup["LSOA21CD"].to_pylist())
    assert all(code.startswith(("E01900", "E01950")) and len(code) == 9 for code in codes)
    assert all(pcn.code.startswith("U998") for pcn in place.organisations.pcns)
    assert len({practice.code for practice in place.organisations.practices}) == 25
    assert all(practice.code.startswith("Y9") for practice in place.organisations.practices)


@pytest.mark.parametrize(("edition", "ranked", "columns"), [("2019", 32_844, 57), ("2025", 33_755, 56)])
def test_file_7_keeps_the_published_rules(place: Place, edition: str, ranked: int, columns: int) -> None:
    """Numbers of LSOAs and of columns as in File 7 of each edition."""
    table = place.imd_2019 if edition == "2019" else place.imd_2025
    assert len(table.column_names) == len(set(table.column_names)) == columns
    rank = np.array(table[RANK].to_pylist())
    assert len(set(rank.tolist())) == len(rank)
    assert rank.min() >= 1 and rank.max() <= ranked
    assert table[DECILE].to_pylist() == [int(np.ceil(int(r) * 10 / ranked)) for r in rank]
    assert (np.diff(np.array(table[SCORE].to_pylist())[np.argsort(rank)]) <= 0).all(), "scores fall as ranks rise"
    for name in table.column_names:
        if "Decile" in name:
            values = set(table[name].to_pylist())
            assert values <= set(range(1, 11)) and len(values) > 5
    assert sum("1 is most deprived 10% of" in name for name in table.column_names) == 16


def test_one_heading_of_2025_is_cut_at_80_characters(place: Place) -> None:
    """As published in File 7: one sub-domain's decile heading ends in "10% of LSO"."""
    cut = [name for name in place.imd_2025.column_names if name.endswith("10% of LSO")]
    assert [len(name) for name in cut] == [80]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_core20_is_spread_as_in_a_deprived_icb(seed: int) -> None:
    """Lancashire and South Cumbria, July 2022: 30.6 % in quintile 1, PCNs from 0.0 to 76.3 % (as tests/place/test_england.py makes them)."""
    from fuller_popheath.synthetic.people import make_people

    place = make_place(seed, AS_OF)
    people = make_people(place, seed, AS_OF)
    for vintage in ("2011", "2021"):
        icb, pcns = quintile_one_share(place, people, vintage)
        assert 25 < icb < 36
        assert max(pcns.values()) >= 60
        assert min(pcns.values()) < 10


def test_most_of_quintile_one_stays_there() -> None:
    """England: 88.8 % of unchanged LSOAs in quintile 1 of 2019 are in it in 2025. Six places: one has 40 such areas."""
    stayed, all_of_them = 0, 0
    for seed in range(6):
        place = make_place(seed, AS_OF)
        rank19 = dict(zip(place.imd_2019["LSOA code (2011)"].to_pylist(), place.imd_2019[RANK].to_pylist(), strict=True))
        rank25 = dict(zip(place.imd_2025["LSOA code (2021)"].to_pylist(), place.imd_2025[RANK].to_pylist(), strict=True))
        core20 = [code for code, rank in rank19.items() if code in rank25 and rank <= 6_568]
        stayed += sum(rank25[code] <= 6_751 for code in core20)
        all_of_them += len(core20)
    assert 0.85 < stayed / all_of_them < 0.96


def test_ranks_are_different_even_where_scores_are_not() -> None:
    assert sorted(ranks(np.full(5, 9.0), 100).tolist()) == [96, 97, 98, 99, 100]
    assert sorted(ranks(np.full(5, -9.0), 100).tolist()) == [1, 2, 3, 4, 5]
    assert ranks(np.array([0.0, -3.0, 3.0]), 1_000).tolist() == [500, 2, 999]


def test_decile_at_the_edges() -> None:
    """6,568 and 6,751 are the last ranks of quintile 1."""
    assert decile(np.array([1, 3284, 3285, 6568, 6569, 32_844]), LSOAS_2019).tolist() == [1, 1, 2, 2, 3, 10]
    assert decile(np.array([6751, 6752, 33_755]), LSOAS_2025).tolist() == [2, 3, 10]


def test_memberships_hold_the_three_awkward_practices(place: Place) -> None:
    who = place.organisations
    moved = [member for member in who.memberships if member.practice == who.moved]
    assert [member.end for member in moved] == [moved[1].start, None]
    assert moved[0].pcn != moved[1].pcn
    assert date(2019, 7, 1) < moved[1].start < AS_OF
    assert who.unallocated not in {member.practice for member in who.memberships}
    dormant = [number for number, practice in enumerate(who.practices) if not practice.has_list]
    assert dormant == [24]
    assert dormant[0] in {member.practice for member in who.memberships}
    assert who.practices[1].name.endswith(","), "the name that only a reader with the right dialect survives"
    for number, practice in enumerate(who.practices):
        assert practice.pcn is None or who.pcns[practice.pcn].sub_icb == practice.sub_icb, number


def test_practice_codes_follow_the_contract(place: Place) -> None:
    pattern = next(column.pattern for column in load_contract("inbound/practice_list").columns if column.name == "practice_code")
    assert pattern is not None
    assert pc.all(pc.match_substring_regex(pa.array([practice.code for practice in place.organisations.practices]), pattern)).as_py()
