"""core/segment, what is counted of it, and how people move."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from fuller_popheath import registry
from fuller_popheath.cohorts import segment
from fuller_popheath.cohorts.segment_counts import KEY, nested_lines, segment_positions
from fuller_popheath.cohorts.segment_movement import movement
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.site import Site
from fuller_popheath.specs import Group, Night, SegmentSpec

SEGMENT, OF_PRACTICE, COUNT = "core/segment", "core/segment_of_practice", "products/segment_count"
DAY = date(2026, 8, 1)


def letters(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in f"{number:05d}")


def test_everybody_is_in_one_segment_of_every_scheme_and_the_rule_is_said(make: Callable[..., Any]) -> None:
    people = [{"name": "a", "age_years": 84, "has_dementia": True, "risk": 0.6, "band": "very high"}, {"name": "b", "age_years": 6}]
    rows = make(people, SEGMENT)[SEGMENT].to_pylist()
    assert len(rows) == 2 * len(registry.segments())
    expected = {
        "bridges_to_health": "frailty_and_dementia",
        "children": "adult",
        "continuity_need": "high",
        "fuller_split": "continuity",
        "risk_tier": "tier_1",
    }
    # At least these: a further scheme is one more file.
    assert expected.items() <= {row["scheme"]: row["segment"] for row in rows if row["person_id"][0] == "a"}.items()
    expected = {
        "bridges_to_health": "generally_well",
        "children": "generally_well",
        "continuity_need": "none",
        "fuller_split": "same_day_and_episodic",
        "risk_tier": "not_scored",
    }
    # At least these: a further scheme is one more file.
    assert expected.items() <= {row["scheme"]: row["segment"] for row in rows if row["person_id"][0] == "b"}.items()
    assert {row["because"] for row in rows if row["person_id"][0] == "a"} >= {"dementia is recorded", "need for continuity is high"}


def scheme_of(*groups: str, assign: Callable[..., Any]) -> SegmentSpec:
    made = tuple(Group(name, name.title(), f"Is {name}.") for name in groups)
    return SegmentSpec("planted", "Planted", made, ("because",), {"core/person": ("age_years",)}, assign, "None.")


@pytest.mark.parametrize(
    ("positions", "rules", "said"),
    [
        ([0, 2, -1], [0, 0, 0], "puts 2 of 3 people in no group that it declares"),
        ([0, 1, 1], [0, 1, 0], "puts 1 of 3 people in no rule that it declares"),
        ([0, 1], [0, 0], "does not give each of 3 people the position of one group"),
        ([0.0, 1.0, 1.0], [0, 0, 0], "does not give each of 3 people the position of one group"),
    ],
)
def test_a_scheme_that_leaves_somebody_out_is_refused(inputs: Callable[..., Any], positions: Any, rules: Any, said: str) -> None:
    planted = scheme_of("young", "old", assign=lambda values, site: (np.array(positions), np.array(rules)))
    given = inputs([{"name": name} for name in "abc"])
    with pytest.raises(SettingsWrong, match=said):
        segment.build({"planted": planted}, given, Night(as_of=DAY, site=Site()))


def test_a_planted_scheme_reads_what_it_names_and_no_more(inputs: Callable[..., Any]) -> None:
    planted = scheme_of("young", "old", assign=lambda values, site: ((values["age_years"] >= 40).astype(int), np.zeros(2, int)))
    spec = segment.table_of({"planted": planted})
    assert (spec.inputs, dict(spec.columns)) == (("core/person",), {})
    given = inputs([{"name": "a", "age_years": 39}, {"name": "b", "age_years": 40}])
    made = spec.build({"core/person": given["core/person"]}, Night(as_of=DAY, site=Site()))
    assert refuse_if_broken(made, load_contract(SEGMENT))["segment"].to_pylist() == ["young", "old"]


def a_town() -> list[dict[str, Any]]:
    """120 people of two practices: 30 children, 60 adults of whom 20 smoke, 30 old of whom 10 have dementia; 12 unpaid carers; 15 never seen."""
    people = []
    for n in range(120):
        age = 9 if n < 30 else 45 if n < 90 else 80
        kind = {"smoking_status": "current"} if 30 <= n < 50 else {"has_dementia": True} if n >= 110 else {}
        place = {"practice_code": "A00001" if n % 2 else "A00002", "imd_2025_quintile": 1 + n % 3}
        plus = ("carer",) if 50 <= n < 62 else ()
        people.append({"name": letters(n), "age_years": age, "plus": plus, "contact_count_365": int(n % 8 > 0), **kind, **place})
    return people


PRACTICES = [{"practice_code": f"A0000{n}", "pcn_code": "U00001", "pcn_name": "NORTH", "icb_code": "QE1"} for n in (1, 2)]


@pytest.fixture(scope="module")
def town(make: Callable[..., Any]) -> dict[str, Any]:
    return make(a_town(), COUNT, OF_PRACTICE, practices=PRACTICES)


def test_practices_are_counted_exactly_and_everybody_is_there(town: dict[str, Any]) -> None:
    rows = town[OF_PRACTICE].to_pandas()
    assert rows.groupby(["practice_code", "scheme"])["people_count"].sum().unique().tolist() == [60]
    of_one = rows[(rows["practice_code"] == "A00001") & (rows["scheme"] == "children")].set_index("segment")["people_count"]
    assert of_one[of_one > 0].to_dict() == {"adult": 45, "generally_well": 15}
    assert len(rows) == 2 * sum(len(scheme.groups) for scheme in registry.segments().values())


def test_counts_by_area_quintile_and_group_as_they_may_leave(town: dict[str, Any]) -> None:
    rows = town[COUNT].to_pandas().set_index(list(KEY))["people_count"]
    icb = rows.xs(("icb", "QE1", "2025"), level=("area_type", "area_code", "imd_edition"))
    fuller = icb.xs(("all", "all", "fuller_split"), level=("imd_quintile", "people_group", "scheme"))
    assert fuller.to_dict() == {"continuity": 10, "prevention": 20, "same_day_and_episodic": 90, "all": 120}
    assert icb["all", "under_18", "bridges_to_health", "all"] == 30
    assert icb["all", "low_contact", "bridges_to_health", "all"] == 15
    assert [icb[str(q), "all", "bridges_to_health", "all"] for q in (1, 2, 3, 4, 5)] == [40, 40, 40, 0, 0]
    assert icb["all", "carer", "bridges_to_health", "all"] == 10  # 12, to the nearest 5


def test_no_group_of_people_vanishes_however_few_they_are(town: dict[str, Any]) -> None:
    rows = town[COUNT].to_pandas()
    groups = {"all", "under_18", "18_64", "65_plus", "low_contact", *Site().plus.groups}
    assert set(rows["people_group"]) == groups
    for _, of_area in rows.groupby(["area_type", "area_code"]):
        assert set(of_area["people_group"]) == groups
        assert set(of_area["scheme"]) == set(registry.segments())


def test_what_is_hidden_is_never_between_1_and_7_of_what_is_shown(town: dict[str, Any]) -> None:
    rows = town[COUNT].to_pandas()
    shown = rows["people_count"].dropna()
    assert (shown % 5 == 0).all() and rows["is_hidden"].eq(rows["people_count"].isna()).all()
    assert rows["is_hidden"].any()
    assert rows.loc[rows["is_hidden"], "percent"].isna().all()


def test_segments_of_one_scheme_that_make_one_of_another_are_found_in_the_people() -> None:
    names = {"need": ["high", "some", "none"], "fuller": ["continuity", "prevention", "same_day"], "children": ["adult", "well"]}
    need, fuller = np.array([0, 1, 2, 2, 2]), np.array([0, 0, 1, 2, 2])
    children, age = np.array([0, 0, 0, 0, 1]), np.array([1, 2, 1, 2, 0])
    lines = nested_lines({"need": need, "fuller": fuller, "children": children}, names, age)
    found = {tuple(sorted(line.parent_of.items())) for line in lines}
    assert ((("need", "high"), ("fuller", "continuity")), (("need", "some"), ("fuller", "continuity"))) in found
    assert ((("fuller", "prevention"), ("need", "none")), (("fuller", "same_day"), ("need", "none"))) in found
    adults = {("18_64", "need", "all"): ("all", "children", "adult"), ("65_plus", "need", "all"): ("all", "children", "adult")}
    assert any(adults.items() <= dict(line.parent_of).items() for line in lines)


def test_segments_of_a_scheme_as_it_was_are_refused(town: dict[str, Any]) -> None:
    import pyarrow as pa

    people, now = town["core/person"]["person_id"], town[SEGMENT]
    renamed = ["proactive" if name == "prevention" else name for name in now["segment"].to_pylist()]
    old = now.set_column(now.column_names.index("segment"), "segment", pa.array(renamed))
    with pytest.raises(ContractBroken, match="20 people in segments that fuller_split does not declare"):
        segment_positions(old, people, registry.segments())
    with pytest.raises(ContractBroken, match="not about the people of core/person in their order"):
        segment_positions(town[SEGMENT], people.slice(1), registry.segments())


def nights(before: list[str], today: list[str], first: int = 0) -> tuple[Any, Any]:
    """core/segment of two nights in one scheme; the people of tonight begin at `first`."""
    import pyarrow as pa

    def table(segments: list[str], start: int) -> Any:
        ids = [letters(start + n).ljust(12, "a") for n in range(len(segments))]
        return pa.table({"person_id": ids, "scheme": ["need"] * len(ids), "segment": segments})

    return table(before, 0), table(today, first)


def test_movement_between_two_nights_with_joiners_and_leavers() -> None:
    # 30 were high and 40 none; tonight the first 10 are gone, 12 of the rest fell to none, 20 came.
    before, today = nights(["high"] * 30 + ["none"] * 40, ["none"] * 12 + ["high"] * 8 + ["none"] * 40 + ["high"] * 20, 10)
    made = refuse_if_broken(movement(today, before, DAY, date(2026, 7, 31)), load_contract("products/segment_movement"))
    rows = {(row["from_segment"], row["to_segment"]): row["people_count"] for row in made.to_pylist()}
    assert rows == {
        ("all", "all"): 90,
        ("all", "high"): 30,
        ("all", "none"): 50,
        ("all", "not_registered_now"): 10,
        ("high", "all"): 30,
        ("high", "high"): 10,
        ("high", "none"): 10,
        ("high", "not_registered_now"): 10,
        ("none", "all"): 40,
        ("none", "high"): 0,
        ("none", "none"): 40,
        ("none", "not_registered_now"): 0,
        ("not_registered_before", "all"): 20,
        ("not_registered_before", "high"): 20,
        ("not_registered_before", "none"): 0,
    }


def test_three_who_moved_are_hidden_and_cannot_be_worked_out() -> None:
    before, today = nights(["high"] * 30 + ["none"] * 40, ["high"] * 27 + ["none"] * 43)
    rows = {(row["from_segment"], row["to_segment"]): row["people_count"] for row in movement(today, before, DAY, date(2026, 7, 31)).to_pylist()}
    assert rows["high", "none"] is None
    # Each shown number may be up to 2 above or below: at least four counts remain possible for the three.
    least, most = [rows["high", "all"] + side * 2 - (rows["high", "high"] - side * 2) for side in (-1, 1)]
    assert min(most, 7) - max(least, 1) + 1 >= 4


def test_of_a_handful_nothing_is_told_not_even_where_none_of_them_went() -> None:
    before, today = nights(["rare"] * 3 + ["none"] * 60, ["none"] * 63)
    rows = {(row["from_segment"], row["to_segment"]): row["people_count"] for row in movement(today, before, DAY, date(2026, 7, 31)).to_pylist()}
    assert {pair: count for pair, count in rows.items() if pair[0] == "rare"} == dict.fromkeys(
        [("rare", "none"), ("rare", "not_registered_now"), ("rare", "all")]
    )


def test_without_an_earlier_night_there_is_no_movement() -> None:
    before, today = nights(["high"], ["high"])
    assert movement(today, None, DAY, None).num_rows == 0
    assert movement(today, before.slice(0, 0), DAY, date(2026, 7, 31)).num_rows == 0
