"""A team's list: exactly its places, floors that cost what they say, quota, staying on, lots, and what is told when not everything can be had."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath.cohorts.capacity import TeamChoice, choose_team, draw, expected_admissions
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.site_lists import Lists

if TYPE_CHECKING:
    import pyarrow as pa

ISSUE = "list-2026-10-05"
TEAM = {
    "team_id": "NORTH",
    "slots_count": 4,
    "reserve_count": 0,
    "priority": "risk",
    "newly_surfaced_percent": 0.0,
    "core20_floor": 0.0,
    "plus_floor": 0.0,
    "under_18_floor": 0.0,
    "low_contact_floor": 0.0,
}
LISTS = Lists(stay_on_factor=1.25, margin_band=0)
PERSON = {
    "verdict": "eligible",
    "age_band": "18_64",
    "plus_groups": None,
    **dict.fromkeys(("is_core20", "is_plus", "is_under_18", "is_low_contact", "is_newly_surfaced"), False),
}


def people(*rows: dict[str, Any]) -> pa.Table:
    """Rows of core/list_candidate: `name` makes the id, `score` is the risk too unless another is given."""
    import pyarrow as pa

    contract = load_contract("core/list_candidate")
    full = [{**PERSON, "risk": row["score"], **row, "person_id": row["name"].ljust(12, "a")} for row in rows]
    return conform(pa.table({f.name: pa.array([row.get(f.name) for row in full], f.type) for f in contract.schema}), contract)


def chosen(candidates: pa.Table, last: tuple[str, ...] = (), lists: Lists = LISTS, **team: Any) -> TeamChoice:
    return choose_team(candidates, {**TEAM, **team}, {name.ljust(12, "a") for name in last}, ISSUE, lists)


def names(candidates: pa.Table, choice: TeamChoice) -> str:
    """Who is listed, in the order of the list."""
    listed = [(rank, person.rstrip("a") or "a") for person, rank in zip(candidates["person_id"].to_pylist(), choice.rank, strict=True) if rank]
    return "".join(name for _, name in sorted(listed))


def by_score(count: int, **of: dict[str, Any]) -> pa.Table:
    """People b, c, d ... with scores 0.9, 0.8 ...; `of` says more about some of them."""
    return people(*({"name": chr(98 + at), "score": (9 - at) / 10, **of.get(chr(98 + at), {})} for at in range(count)))


def test_the_best_by_score_fill_the_places_that_are_not_kept_free() -> None:
    ten = by_score(9)
    choice = chosen(ten, slots_count=5, reserve_count=2)
    assert names(ten, choice) == "bcd"
    assert (choice.places, choice.shortfall_count, choice.threshold) == (3, 0, 0.7)
    assert choice.rank_by_score.tolist() == list(range(1, 10))
    assert choice.value == pytest.approx(2.4)
    assert Counter(choice.decided_by) == {"score": 3, "": 6}
    assert [choice.rank_by_score[at] for at in choice.last_in] == [3, 2, 1]
    assert [choice.rank_by_score[at] for at in choice.first_out] == [4, 5, 6, 7, 8]


def test_fewer_people_than_places_are_all_listed_and_the_places_left_are_told() -> None:
    three = by_score(3, b={"is_core20": True})
    choice = chosen(three, core20_floor=3.0)
    assert names(three, choice) == "bcd"
    assert choice.shortfall_count == 1
    # Three times a third of three people is three; one is all there are.
    assert (choice.minimum, choice.unmet) == ({"core20": 3}, {"core20": 2})


def test_nobody_who_could_be_listed_is_an_empty_list() -> None:
    choice = chosen(people().slice(0, 0), core20_floor=1.0, newly_surfaced_percent=20.0)
    assert (len(choice.chosen), choice.shortfall_count, choice.value, choice.expected) == (0, 4, 0, None)
    assert np.isnan(choice.threshold)
    assert {row["group"]: row["eligible_percent"] for row in choice.groups}["core20"] is None


def test_no_places_is_an_empty_list() -> None:
    choice = chosen(by_score(3), slots_count=2, reserve_count=2, core20_floor=1.0)
    assert (choice.chosen.any(), choice.places, choice.shortfall_count) == (False, 0, 0)


def test_a_floor_is_a_share_of_the_list_in_shares_of_those_who_could_be() -> None:
    # Core20: 2 of 8, a quarter; 1.2 times a quarter of 4 places is 1.2 people: 2.
    eight = by_score(8, h={"is_core20": True}, i={"is_core20": True})
    choice = chosen(eight, core20_floor=1.2)
    assert names(eight, choice) == "bchi"
    assert choice.decided_by == ("score", "score", "", "", "", "", "floor", "floor")
    # Given up: d and e (0.7, 0.6) for h and i (0.3, 0.2), which is the difference of the two best lists.
    assert choice.prices == {"core20": pytest.approx(0.8)}
    row = next(row for row in choice.groups if row["group"] == "core20")
    assert row == {
        "group": "core20",
        "eligible_count": 2,
        "eligible_percent": 25.0,
        "listed_count": 2,
        "listed_percent": 50.0,
        "floor": 1.2,
        "minimum_count": 2,
        "value_given_up": pytest.approx(0.8),
        "admissions_given_up": pytest.approx(0.8),
        "shortfall_count": 0,
    }


def test_a_floor_of_exactly_a_person_asks_for_no_more() -> None:
    # 1.0 x 3/10 x 10 places is 3.0000000000000004 in floating point or 3: never 4.
    ten = people(*({"name": chr(98 + at), "score": (20 - at) / 20, "is_core20": at >= 7} for at in range(10)), *({"name": "zz", "score": 0.01},))
    assert chosen(ten.slice(0, 10), slots_count=10, core20_floor=1.0).minimum == {"core20": 3}


def test_a_quota_of_newly_surfaced_people() -> None:
    eight = by_score(8, f={"is_newly_surfaced": True}, i={"is_newly_surfaced": True})
    choice = chosen(eight, newly_surfaced_percent=25.0)
    assert names(eight, choice) == "bcdf"
    assert choice.decided_by[4] == "quota"
    assert choice.prices == {"newly_surfaced": pytest.approx(0.1)}


def test_a_floor_for_people_whom_nobody_has_seen_for_a_year_is_off_unless_asked() -> None:
    eight = by_score(8, h={"is_low_contact": True}, i={"is_low_contact": True})
    without = {name: value for name, value in TEAM.items() if name != "low_contact_floor"}
    assert names(eight, choose_team(eight, without, set(), ISSUE, LISTS)) == "bcde", "a team of a night before there was such a floor"
    choice = chosen(eight, low_contact_floor=1.0)
    assert names(eight, choice) == "bcdh"
    assert (choice.minimum, choice.prices) == ({"low_contact": 1}, {"low_contact": pytest.approx(0.3)})
    assert next(row["floor"] for row in choice.groups if row["group"] == "low_contact") == 1.0


def test_floors_that_cannot_all_be_met_are_missed_by_as_few_as_can_be_and_told() -> None:
    # Core20: 4 of 8, x 2 is 4 of 4 places; under 18: 1 of 8, x 2 is 1 of 4; nobody is both.
    eight = by_score(8, **{name: {"is_core20": True} for name in "fghi"}, e={"is_under_18": True, "age_band": "under_18"})
    choice = chosen(eight, core20_floor=2.0, under_18_floor=2.0)
    assert choice.minimum == {"core20": 4, "under_18": 1}
    assert sum(choice.unmet.values()) == 1
    # Of the two ways to miss one, the one with the higher value: the child has 0.6, the last of Core20 has 0.2.
    assert choice.unmet == {"core20": 1}
    assert names(eight, choice) == "efgh"
    assert {row["group"]: row["shortfall_count"] for row in choice.groups if row["shortfall_count"]} == {"core20": 1}


def test_whoever_stood_on_the_last_list_stays_while_near_enough() -> None:
    # Four places / 1.25: the first three by score go first. Four x 1.25: up to the fifth by score stays, the sixth does not.
    eight = by_score(8)
    assert names(eight, chosen(eight, last=("f",))) == "bcdf"
    assert chosen(eight, last=("f",)).decided_by[4] == "stay_on"
    assert names(eight, chosen(eight, last=("g",))) == "bcde"


def test_who_comes_well_within_the_places_goes_before_anybody_who_stays() -> None:
    eight = by_score(8)
    # Four who stood on the last list are within five places, and b is new.
    choice = chosen(eight, last=tuple("cdef"))
    assert names(eight, choice) == "bcde"
    # A newcomer at the last place waits; at the third, which is within 4 / 1.25, nobody stays in their way.
    assert names(eight, chosen(eight, last=tuple("bcdf"))) == "bcdf"
    assert names(eight, chosen(eight, last=tuple("bcef"))) == "bcde"


def test_of_more_people_to_stay_than_places_the_best_stay() -> None:
    eight = by_score(8)
    # Four places / 2: b and c go first, and two places are left for those who stay.
    assert names(eight, chosen(eight, last=tuple("defghi"), slots_count=4, lists=Lists(stay_on_factor=2))) == "bcde"


def test_a_floor_goes_before_staying_on() -> None:
    eight = by_score(8, i={"is_core20": True}, h={"is_core20": True})
    choice = chosen(eight, last=("b", "c", "d", "e"), core20_floor=2.0)
    # A quarter x 2 x 4 places: two. The two of the four who stood there with the lower scores make room.
    assert choice.unmet == {}
    assert names(eight, choice) == "bchi"


def test_as_many_stay_as_the_floors_allow_and_not_only_the_best() -> None:
    # One of eight is of Core20 and one a child: each twice over is one of four places.
    eight = by_score(8, h={"is_core20": True}, f={"is_under_18": True})
    choice = chosen(eight, last=("d", "e", "f"), core20_floor=2.0, under_18_floor=2.0, lists=Lists(stay_on_factor=2))
    assert choice.unmet == {}
    # b and c go first, and h has the place for Core20: of d, e and f not the best stays, but the one with whom every floor is met.
    assert names(eight, choice) == "bcfh"
    assert choice.decided_by[4] == "stay_on"


def test_a_floor_costs_what_the_whole_choice_without_it_would_be_worth_more() -> None:
    eight = by_score(8, d={"is_core20": True})
    about: dict[str, Any] = {"last": ("b", "e", "f"), "slots_count": 3, "lists": Lists(stay_on_factor=2)}
    with_floor, without = chosen(eight, core20_floor=2.0, **about), chosen(eight, **about)
    # Three places / 2: b goes first. Without the floor e and f stay (0.9 + 0.6 + 0.5); with it one of them makes room for d (0.9 + 0.7 + 0.6).
    assert (names(eight, without), names(eight, with_floor)) == ("bef", "bde")
    assert with_floor.prices == {"core20": pytest.approx(-0.2)}
    assert with_floor.admissions_given_up == {"core20": pytest.approx(-0.2)}


def test_where_no_risk_is_known_no_admissions_are_given_up() -> None:
    rows = [{"name": chr(98 + at), "score": (9 - at) / 10, "risk": None, "is_core20": at == 7} for at in range(8)]
    choice = chosen(people(*rows), core20_floor=2.0)
    assert choice.prices["core20"] == pytest.approx(0.4)
    assert choice.admissions_given_up == {}
    assert {row["group"]: row["admissions_given_up"] for row in choice.groups}["core20"] is None
    some = chosen(people(*({**row, "risk": 0.25 if row["name"] == "e" else None} for row in rows)), core20_floor=2.0)
    # Of the two lists only e, who makes room, has a known risk.
    assert some.admissions_given_up == {"core20": pytest.approx(0.25)}


def test_equal_scores_are_drawn_by_lot_that_can_be_drawn_again() -> None:
    same = people(*({"name": f"{letter}b", "score": 0.5} for letter in "bcdefghi"))
    choice = chosen(same)
    lots = {person: draw(ISSUE, person) for person in same["person_id"].to_pylist()}
    assert choice.draw.tolist() == list(lots.values())
    listed = {person for person, is_in in zip(lots, choice.chosen, strict=True) if is_in}
    assert listed == set(sorted(lots, key=lots.__getitem__)[:4])
    assert Counter(choice.decided_by) == {"draw": 4, "": 4}
    assert draw(ISSUE, "aaaaaaaaaaaa") != draw("list-2026-10-12", "aaaaaaaaaaaa")


def test_the_lot_is_made_from_sha_256() -> None:
    # sha256("list-2026-10-05|aaaaaaaaaaaa"), first 48 bits as a fraction; computed with sha256sum.
    assert draw(ISSUE, "aaaaaaaaaaaa") == int("1a64805c1aa3", 16) / 2**48


def test_at_the_margin_pairs_are_drawn_by_lot_where_the_site_wants_it() -> None:
    twenty = people(*({"name": chr(98 + at) + "q", "score": (20 - at) / 20, "is_core20": at % 2 == 0} for at in range(20)))
    off, on = chosen(twenty, slots_count=8, core20_floor=1.0), chosen(twenty, slots_count=8, core20_floor=1.0, lists=Lists(margin_band=3))
    assert not off.is_in_margin_band.any()
    assert on.is_in_margin_band.sum() == 6
    assert on.chosen.sum() == 8
    # Floors hold whatever the lot says, and nobody outside the band is touched by it.
    assert (on.chosen & np.array(twenty["is_core20"].to_pylist())).sum() == (off.chosen & np.array(twenty["is_core20"].to_pylist())).sum()
    assert (on.chosen == off.chosen)[~on.is_in_margin_band].all()
    band = np.flatnonzero(on.is_in_margin_band)
    assert all(on.decided_by[at] == ("draw" if on.chosen[at] else "") for at in band)
    assert np.isnan(on.lot).tolist() == (~on.is_in_margin_band).tolist()
    # Every second person is of Core20: the last three listed are paired with the first three who are not and are of the same kind.
    at_place = {int(place): at for at, place in enumerate(on.rank_by_score)}
    for inside, outside in ((8, 10), (7, 9), (6, 12)):
        pair = [at_place[inside], at_place[outside]]
        assert sorted(pair, key=lambda at: on.lot[at]) == sorted(pair, key=lambda at: not on.chosen[at])


def test_over_many_issues_the_lot_at_the_margin_is_fair() -> None:
    twenty = by_score(8)
    on = [choose_team(twenty, {**TEAM}, (), f"list-{day}", Lists(margin_band=2)) for day in range(400)]
    shares = np.mean([choice.chosen for choice in on], axis=0)
    assert shares[:2].tolist() == [1, 1]
    assert shares[6:].tolist() == [0, 0]
    # Four standard errors of a fair coin thrown 400 times.
    assert np.abs(shares[2:6] - 0.5).max() < 4 * 0.5 / 20


def test_expected_admissions_are_those_of_people_with_a_known_risk() -> None:
    told = expected_admissions(np.array([0.5, 0.25, np.nan]))
    assert told is not None
    assert (told.admissions, told.scored_count) == (0.75, 2)
    assert (told.lower, told.upper) == (0, 2)
    assert expected_admissions(np.array([np.nan])) is None


def test_every_group_is_counted_also_one_that_nobody_is_in() -> None:
    three = by_score(3, b={"plus_groups": "carer,homeless", "is_plus": True, "age_band": "65_plus"})
    choice = choose_team(three, {**TEAM}, (), ISSUE, LISTS, plus_groups=("carer", "veterans"))
    found = {row["group"]: (row["eligible_count"], row["listed_count"]) for row in choice.groups}
    assert found == {
        **dict.fromkeys(("core20", "under_18", "low_contact", "newly_surfaced", "veterans"), (0, 0)),
        "plus": (1, 1),
        "carer": (1, 1),
        "homeless": (1, 1),
        "65_plus": (1, 1),
        "18_64": (2, 2),
    }


FLAGS = ("is_core20", "is_plus", "is_under_18", "is_low_contact", "is_newly_surfaced")

FLOORS_OF_A_TEAM = ("core20_floor", "plus_floor", "under_18_floor", "low_contact_floor")


@st.composite
def teams(draw_: st.DrawFn) -> tuple[pa.Table, dict[str, Any], tuple[str, ...]]:
    count = draw_(st.integers(1, 9))
    rows = [{"name": chr(98 + at), "score": draw_(st.integers(0, 8)) / 8, **{flag: draw_(st.booleans()) for flag in FLAGS}} for at in range(count)]
    team = {
        **TEAM,
        "slots_count": draw_(st.integers(1, 6)),
        **{floor: draw_(st.sampled_from([0.0, 0.5, 1.0, 1.2, 2.0])) for floor in FLOORS_OF_A_TEAM},
        "newly_surfaced_percent": draw_(st.sampled_from([0.0, 25.0, 60.0])),
    }
    return people(*rows), team, tuple(draw_(st.sets(st.sampled_from([row["name"] for row in rows]), max_size=4)))


SETTINGS = {
    **{name: f"{name}_floor" for name in ("core20", "plus", "under_18", "low_contact")},
    "newly_surfaced": "newly_surfaced_percent",
}


@settings(deadline=None, derandomize=True, max_examples=40)
@given(teams())
def test_a_list_is_the_best_of_all_that_meet_the_floors(case: tuple[pa.Table, dict[str, Any], tuple[str, ...]]) -> None:
    candidates, team, _ = case
    choice = choose_team(candidates, team, (), ISSUE, LISTS)
    score = candidates["score"].to_numpy()
    members = {name: np.array(candidates[f"is_{name}"].to_pylist()) for name in SETTINGS}
    nearest = {name: count - choice.unmet.get(name, 0) for name, count in choice.minimum.items()}
    size = min(team["slots_count"], len(score))
    masks = [np.isin(np.arange(len(score)), some) for some in combinations(range(len(score)), size)]
    best = max(float(score[mask].sum()) for mask in masks if all((mask & members[name]).sum() >= count for name, count in nearest.items()))
    assert choice.chosen.sum() == size
    assert choice.value == best


@settings(deadline=None, derandomize=True, max_examples=40)
@given(teams(), st.sampled_from([1.0, 1.25, 2.0, 5.0]))
def test_what_a_floor_costs_is_the_difference_of_two_choices_also_where_people_stay_on(
    case: tuple[pa.Table, dict[str, Any], tuple[str, ...]], factor: float
) -> None:
    candidates, team, last = case
    on_last, lists = {name.ljust(12, "a") for name in last}, Lists(stay_on_factor=factor)
    choice = choose_team(candidates, team, on_last, ISSUE, lists)
    without = {name: choose_team(candidates, {**team, SETTINGS[name]: 0.0}, on_last, ISSUE, lists) for name in choice.minimum}
    assert choice.prices == {name: other.value - choice.value for name, other in without.items()}
    # The risk of everybody is known here, and is the score.
    assert choice.admissions_given_up == choice.prices


@settings(deadline=None, derandomize=True, max_examples=40)
@given(teams(), st.sampled_from([1.25, 2.0, 5.0]))
def test_as_many_stay_as_can_beside_those_who_go_first(case: tuple[pa.Table, dict[str, Any], tuple[str, ...]], factor: float) -> None:
    candidates, team, last = case
    on_last = {name.ljust(12, "a") for name in last}
    choice = choose_team(candidates, team, on_last, ISSUE, Lists(stay_on_factor=factor))
    plain = choose_team(candidates, team, (), ISSUE, LISTS)
    members = {name: np.array(candidates[f"is_{name}"].to_pylist()) for name in SETTINGS}
    nearest = {name: count - choice.unmet.get(name, 0) for name, count in choice.minimum.items()}
    assert choice.unmet == plain.unmet
    first = plain.chosen & (choice.rank_by_score <= choice.places / factor)
    assert (choice.chosen | ~first).all()
    stood = np.array([person in on_last for person in candidates["person_id"].to_pylist()], bool)
    may_stay = stood & (choice.rank_by_score <= choice.places * factor)
    size, everybody = int(choice.chosen.sum()), np.arange(len(stood))
    masks = [np.isin(everybody, some) for some in combinations(range(len(stood)), size)]
    masks = [mask for mask in masks if (mask | ~first).all() and all((mask & members[name]).sum() >= least for name, least in nearest.items())]
    assert (choice.chosen & may_stay).sum() == max((mask & may_stay).sum() for mask in masks)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(teams(), st.randoms(use_true_random=False))
def test_the_same_people_in_another_order_give_the_same_list(case: tuple[pa.Table, dict[str, Any], tuple[str, ...]], random: Any) -> None:
    candidates, team, last = case
    order = list(range(candidates.num_rows))
    random.shuffle(order)
    on_last = {name.ljust(12, "a") for name in last}
    before, after = (choose_team(table, team, on_last, ISSUE, LISTS) for table in (candidates, candidates.take(order)))
    assert before.rank[order].tolist() == after.rank.tolist()
    assert [before.decided_by[at] for at in order] == list(after.decided_by)
    assert (before.unmet, before.minimum) == (after.unmet, after.minimum)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(teams())
def test_every_listed_person_has_what_decided_and_nobody_else(case: tuple[pa.Table, dict[str, Any], tuple[str, ...]]) -> None:
    candidates, team, last = case
    choice = choose_team(candidates, team, {name.ljust(12, "a") for name in last}, ISSUE, LISTS)
    assert [bool(word) for word in choice.decided_by] == choice.chosen.tolist()
    listed = np.sort(choice.rank[choice.chosen])
    assert listed.tolist() == list(range(1, len(listed) + 1))
    for at in np.flatnonzero(choice.chosen & ~choice.by_score_alone):
        assert choice.decided_by[at] in ("stay_on", "floor", "quota")
