"""The best selection under floors: equal to trying every selection on small cases, ties by the draw, prices as differences of two optima."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from fuller_popheath.methods.selection import Infeasible, Selection, prices, relaxed, select

NAMES = ("core20", "plus", "under_18", "newly_surfaced")


@st.composite
def cases(draw: st.DrawFn, with_keep: bool = True) -> dict[str, Any]:
    """Up to nine people in up to four overlapping groups. Scores are sixteenths, so that sums are exact and ties abound."""
    people = draw(st.integers(1, 9))
    slots = draw(st.integers(0, 7))
    groups = {name: np.array(draw(st.lists(st.booleans(), min_size=people, max_size=people))) for name in NAMES}
    kept = draw(st.sets(st.integers(0, people - 1), max_size=min(slots, people, 3))) if with_keep else set()
    return {
        "score": np.array(draw(st.lists(st.integers(0, 24), min_size=people, max_size=people))) / 16,
        "slots": slots,
        "groups": groups,
        "minimum": {name: draw(st.integers(0, 4)) for name in NAMES},
        "keep": np.isin(np.arange(people), list(kept)),
        "draw": np.array(draw(st.permutations(range(people)))) / people,
    }


def every_selection(case: dict[str, Any]) -> list[np.ndarray]:
    people = len(case["score"])
    kept = set(np.flatnonzero(case["keep"]))
    found = [chosen for chosen in combinations(range(people), min(case["slots"], people)) if kept <= set(chosen)]
    return [np.isin(np.arange(people), chosen) for chosen in found]


def missed(case: dict[str, Any], chosen: np.ndarray) -> int:
    return sum(max(0, count - int((chosen & case["groups"][name]).sum())) for name, count in case["minimum"].items())


def value(case: dict[str, Any], chosen: np.ndarray) -> float:
    return float(case["score"][chosen].sum())


def selected(case: dict[str, Any]) -> Selection | None:
    try:
        return select(**case)
    except Infeasible:
        return None


@given(cases())
def test_no_selection_is_better_than_the_one_that_is_found(case: dict[str, Any]) -> None:
    allowed = [value(case, chosen) for chosen in every_selection(case) if not missed(case, chosen)]
    found = selected(case)
    assert (found is None) == (not allowed)
    if found is not None:
        assert found.value == max(allowed)
        assert found.value == value(case, found.chosen)
        assert found.chosen.sum() == min(case["slots"], len(case["score"]))
        assert found.chosen[case["keep"]].all()
        assert missed(case, found.chosen) == 0


@given(cases())
def test_floors_that_cannot_be_met_are_missed_by_as_few_as_can_be_and_then_at_the_highest_value(case: dict[str, Any]) -> None:
    fewest = min(missed(case, chosen) for chosen in every_selection(case))
    nearest = relaxed(**case)
    assert sum(case["minimum"].values()) - sum(nearest.values()) == fewest
    assert all(0 <= nearest[name] <= count for name, count in case["minimum"].items())
    best = max(value(case, chosen) for chosen in every_selection(case) if missed(case, chosen) == fewest)
    assert select(**{**case, "minimum": nearest}).value == best
    if fewest:
        with pytest.raises(Infeasible) as refusal:
            select(**case)
        assert refusal.value.shortfall == {name: count - nearest[name] for name, count in case["minimum"].items() if count}


@given(cases())
def test_of_equal_scores_nobody_with_a_lower_draw_is_left_out_unless_a_floor_asks_for_it(case: dict[str, Any]) -> None:
    case["minimum"] = relaxed(**case)
    chosen = select(**case).chosen
    for listed in np.flatnonzero(chosen & ~case["keep"]):
        for other in np.flatnonzero(~chosen):
            if case["score"][listed] == case["score"][other] and case["draw"][other] < case["draw"][listed]:
                exchanged = chosen.copy()
                exchanged[[listed, other]] = False, True
                assert missed(case, exchanged)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_people_decides_nothing(case: dict[str, Any], random: Any) -> None:
    case["minimum"] = relaxed(**case)
    order = list(range(len(case["score"])))
    random.shuffle(order)
    moved = {**case, **{name: case[name][order] for name in ("score", "keep", "draw")}}
    moved["groups"] = {name: mask[order] for name, mask in case["groups"].items()}
    before, after = select(**case), select(**moved)
    assert (before.chosen[order] == after.chosen).all()
    assert (before.by_score_alone[order] == after.by_score_alone).all()
    assert (before.value, before.threshold) == pytest.approx((after.value, after.threshold), nan_ok=True)


@given(cases())
def test_the_price_of_a_floor_is_the_difference_of_two_optimal_selections(case: dict[str, Any]) -> None:
    case["minimum"] = relaxed(**case)
    best = select(**case).value
    found = prices(**case)
    assert set(found) == set(case["minimum"])
    for name in case["minimum"]:
        others = {other: count for other, count in case["minimum"].items() if other != name}
        allowed = [value(case, chosen) for chosen in every_selection(case) if not missed({**case, "minimum": others}, chosen)]
        assert found[name] == max(allowed) - best
        assert found[name] >= 0


@given(cases(with_keep=False))
def test_without_floors_it_is_a_sort_by_score_and_then_by_draw(case: dict[str, Any]) -> None:
    found = select(**{**case, "minimum": {}})
    places = min(case["slots"], len(case["score"]))
    best = sorted(range(len(case["score"])), key=lambda at: (-case["score"][at], case["draw"][at]))[:places]
    assert set(np.flatnonzero(found.chosen)) == set(best)
    assert (found.by_score_alone == found.chosen).all()
    assert (math.isnan(found.threshold) and not places) or found.threshold == case["score"][best[-1]]


def test_two_floors_met_by_one_person_who_is_in_both_groups() -> None:
    # By hand: 9 + 8 without floors; one of a and one of b costs least with the person of 5 who is both (9 + 5), not with 6 and 4 (10).
    score = [9, 8, 6, 5, 4]
    a, b = [0, 0, 1, 1, 0], [0, 0, 0, 1, 1]
    found = select(score, 2, {"a": a, "b": b}, {"a": 1, "b": 1}, [False] * 5, [0.5] * 5)
    assert np.flatnonzero(found.chosen).tolist() == [0, 3]
    assert (found.value, found.threshold) == (14, 8)
    assert np.flatnonzero(found.by_score_alone).tolist() == [0, 1]
    # Without a: b alone costs 17 - 14 as well, since the same person is the best of b. Without b: 9 + 6.
    assert prices(score, 2, {"a": a, "b": b}, {"a": 1, "b": 1}, [False] * 5, [0.5] * 5) == {"a": 0, "b": 1}


def test_scores_that_differ_very_little_are_told_apart() -> None:
    # Two hundred people, pairs whose probabilities differ by a hundred millionth: the better one of each pair is in the group or out of it in turn.
    at = np.arange(200)
    score = 0.1 + (at // 2) / 1000 + np.where(at % 2 == 0, 1e-8, 0)
    group = at % 4 < 2
    found = select(score, 50, {"g": group}, {"g": 30}, np.zeros(200, bool), at / 200)
    in_group, others = np.sort(score[group])[::-1], np.sort(score[~group])[::-1]
    assert found.value == pytest.approx(in_group[:30].sum() + others[:20].sum(), abs=1e-12)


def one_variable_a_person(score: np.ndarray, slots: int, groups: dict[str, np.ndarray], minimum: dict[str, int]) -> float:
    """The same problem said in the plainest way, for HiGHS: a number of 0 or 1 for each person."""
    rows = np.array([np.ones(len(score)), *(groups[name] for name in minimum)])
    lower = [slots, *minimum.values()]
    constraints = LinearConstraint(rows, lower, [slots, *(np.inf for _ in minimum)])
    found = milp(-score, integrality=np.ones(len(score)), bounds=Bounds(0, 1), constraints=constraints, options={"mip_rel_gap": 0.0})
    return float(score[np.rint(found.x).astype(bool)].sum())


@pytest.mark.parametrize("seed", range(6))
def test_large_overlapping_floors_give_what_the_plain_programme_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people, slots = 1_500, 120
    score = rng.beta(1, 12, people)
    groups = {name: rng.random(people) < share for name, share in zip(NAMES, (0.3, 0.4, 0.2, 0.5), strict=True)}
    minimum = {"core20": 55, "plus": 62, "under_18": 41, "newly_surfaced": 80}
    found = select(score, slots, groups, minimum, np.zeros(people, bool), rng.random(people))
    assert found.chosen.sum() == slots
    assert all((found.chosen & groups[name]).sum() >= count for name, count in minimum.items())
    assert found.value == pytest.approx(one_variable_a_person(score, slots, groups, minimum), abs=1e-9)
    assert found.value < np.sort(score)[-slots:].sum()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"score": [0.5, float("nan")]}, "1 scores are not numbers"),
        ({"draw": [0.5]}, "scores are of 2 people"),
        ({"minimum": {"other": 1}}, "no group for other"),
        ({"keep": [True, True]}, "2 people are to be kept, and there are 1 places"),
    ],
)
def test_what_cannot_be_a_selection_is_refused(changed: dict[str, Any], message: str) -> None:
    case = {"score": [0.5, 0.4], "slots": 1, "groups": {}, "minimum": {}, "keep": [False, False], "draw": [0.1, 0.2], **changed}
    with pytest.raises(ValueError, match=message):
        select(**case)  # type: ignore[arg-type]
