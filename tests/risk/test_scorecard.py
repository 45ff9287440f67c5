"""Scores of a year ago against what happened: in each group, with nothing shown that tells on a few people."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken, InputMissing
from fuller_popheath.risk.scorecard import Followed, followed_up, scorecard
from fuller_popheath.risk.subgroups import Groups, groups_of
from fuller_popheath.site import Monitoring

AS_OF, SCORED = date(2026, 8, 1), date(2025, 8, 1)
OUTCOME = "emergency_admission_12m"
PEOPLE = 12_000
Row = dict[str, Any]


def model_id(age_group: str) -> str:
    return f"{OUTCOME}.{age_group}.additive.2025-08-01.0123abcd0123abcd"


def scores(people: int = PEOPLE, seed: int = 2) -> pa.Table:
    rng = np.random.default_rng(seed)
    ages = rng.choice(["adult", "under_18"], people, p=[0.8, 0.2])
    return pa.table(
        {
            "person_id": [f"p{n}" for n in range(people)],
            "outcome": [OUTCOME] * people,
            "age_group": ages,
            "model_id": [model_id(age) for age in ages],
            "probability": rng.beta(2, 14, people),
        }
    )


def labels(of: pa.Table, **changes: Any) -> pa.Table:
    drawn = np.random.default_rng(3).random(of.num_rows) < of["probability"].to_numpy()
    columns = {
        "person_id": of["person_id"],
        "is_at_risk": [True] * of.num_rows,
        "has_outcome": drawn,
        "ended_by": np.where(drawn, "event", "horizon"),
    }
    return pa.table({**columns, **changes})


def groups(people: int = PEOPLE, **kinds: Any) -> Groups:
    rng = np.random.default_rng(4)
    given = {"sex": rng.choice(["female", "male"], people), "pcn": rng.choice([f"U0000{n}" for n in range(6)], people)}
    return groups_of({**given, **kinds}, {"carer": rng.random(people) < 0.2}, "2025")


SCORES = scores()
LABELS = labels(SCORES)


def made(followed: list[Followed], is_scored_then: bool = True) -> list[Row]:
    table = scorecard(followed, AS_OF, SCORED, is_scored_then, Monitoring())
    return refuse_if_broken(table, load_contract("products/risk_scorecard")).to_pylist()


def one(rows: list[Row], kind: str = "all", subgroup: str | None = None, age_group: str = "adult") -> Row:
    found = [row for row in rows if (row["subgroup_kind"], row["subgroup"], row["age_group"]) == (kind, subgroup or kind, age_group)]
    assert len(found) == 1
    return found[0]


def test_expected_and_observed_are_those_of_the_people_scored_and_children_have_their_own() -> None:
    rows = made(followed_up(SCORES, {OUTCOME: LABELS}, groups()))
    for age_group in ("adult", "under_18"):
        at = SCORES["age_group"].to_numpy() == age_group
        row = one(rows, age_group=age_group)
        assert row["expected_count"] == np.rint(SCORES["probability"].to_numpy()[at].sum())
        assert abs(row["observed_count"] - LABELS["has_outcome"].to_numpy()[at].sum()) <= 2
        assert row["model_id"] == model_id(age_group)
        assert row["calibration_slope_lower"] < 1 < row["calibration_slope_upper"]
    assert one(rows)["verdict"] == "green"
    assert one(rows, "sex", "female")["calibration_slope"] is None


def test_ratios_are_made_from_what_is_shown_and_everything_shown_is_rounded() -> None:
    rows = made(followed_up(SCORES, {OUTCOME: LABELS}, groups()))
    for row in rows:
        if not row["is_hidden"]:
            assert row["people_count"] % 5 == row["observed_count"] % 5 == 0
            assert row["observed_over_expected"] == pytest.approx(row["observed_count"] / row["expected_count"])


def test_the_interval_is_byars() -> None:
    # 90 observed of 100 expected: Byar's limits, worked by hand from Breslow and Day (1987), are 72.37 and 110.62 over 100.
    part = Followed(OUTCOME, "adult", model_id("adult"), np.full(1000, 0.1), np.arange(1000) < 90, groups_of({"sex": np.array(["male"] * 1000)}), 0)
    row = one(made([part]))
    assert (row["observed_over_expected"], row["lower"], row["upper"]) == pytest.approx((0.9, 0.7237, 1.1063), abs=1e-4)
    assert row["verdict"] == "amber"


def test_who_left_was_not_at_risk_or_has_no_label_is_lost_and_counted() -> None:
    ended = LABELS["ended_by"].to_numpy().copy()
    ended[:100] = "left"
    at_risk = np.ones(PEOPLE, bool)
    at_risk[100:150] = False
    some = labels(SCORES, ended_by=ended, is_at_risk=at_risk).slice(0, PEOPLE - 50)
    parts = followed_up(SCORES, {OUTCOME: some}, groups())
    assert sum(part.lost for part in parts) == 200
    assert sum(part.has_outcome.size for part in parts) == PEOPLE - 200
    assert all(part.groups.people == part.has_outcome.size for part in parts)


def test_who_objects_since_is_in_no_count_and_is_counted_as_lost() -> None:
    objecting = [f"p{n}" for n in range(0, PEOPLE, 3)]
    parts = followed_up(SCORES, {OUTCOME: LABELS}, groups(), pa.array([*objecting, "somebody never scored"]))
    assert sum(part.lost for part in parts) == len(objecting) == 4_000
    stayed = pa.array(np.flatnonzero(np.arange(PEOPLE) % 3))
    alone = followed_up(SCORES.take(stayed), {OUTCOME: LABELS}, groups().take(stayed.to_numpy()))
    assert made(parts) == made(alone)


@pytest.mark.parametrize("is_scored_then", [True, False])
def test_every_row_says_whether_the_scores_are_of_that_day_or_made_in_hindsight(is_scored_then: bool) -> None:
    rows = made(followed_up(SCORES, {OUTCOME: LABELS}, groups()), is_scored_then)
    assert {row["is_scored_then"] for row in rows} == {is_scored_then}


def test_death_without_the_outcome_is_followed_to_the_end() -> None:
    died = labels(SCORES, ended_by=["death"] * PEOPLE)
    assert sum(part.lost for part in followed_up(SCORES, {OUTCOME: died}, groups())) == 0


def test_the_order_of_scores_and_labels_does_not_matter() -> None:
    order = np.random.default_rng(5).permutation(PEOPLE)
    straight = made(followed_up(SCORES, {OUTCOME: LABELS}, groups()))
    assert made(followed_up(SCORES.take(order), {OUTCOME: LABELS.take(order[::-1])}, groups().take(order))) == [
        {**row, **{name: pytest.approx(row[name]) for name in row if name.startswith("calibration_slope") and row[name]}} for row in straight
    ]


def test_three_people_of_a_pcn_are_hidden_with_every_figure() -> None:
    pcns = np.array([f"U0000{n}" for n in range(6)])[np.arange(PEOPLE) % 6]
    adults = np.flatnonzero(SCORES["age_group"].to_numpy() == "adult")
    pcns[adults[:3]] = "U00009"
    row = one(made(followed_up(SCORES, {OUTCOME: LABELS}, groups(pcn=pcns))), "pcn", "U00009")
    told = {name: value for name, value in row.items() if value is not None}
    days = {"as_of", "scored_as_of", "is_scored_then"}
    assert set(told) == {*days, "outcome", "age_group", "model_id", "subgroup_kind", "subgroup", "is_hidden"}
    assert told["is_hidden"] is True


def test_a_hidden_group_cannot_be_worked_out_from_its_siblings() -> None:
    """With two sexes, one of them small: whatever the counts, at least four small counts stay possible, or neither is shown."""
    for small in range(1, 8):
        for extra in range(5):
            count = 600 + extra + small
            sexes = np.array(["male"] * small + ["female"] * (count - small))
            outcome = np.zeros(count, bool)
            outcome[small : small + 60 + extra] = True
            part = Followed(OUTCOME, "adult", model_id("adult"), np.full(count, 0.1), outcome, groups_of({"sex": sexes}), 0)
            rows = made([part])
            assert one(rows, "sex", "male")["is_hidden"]
            shown = one(rows, "sex", "female")
            if not shown["is_hidden"]:
                left = [n for n in range(1, 8) if abs(count - n - shown["people_count"]) <= 2]
                without = [n for n in range(8) if abs(60 + extra - n - shown["observed_count"]) <= 2]
                assert min(len(left), len(without)) >= 4


def test_a_group_that_fares_worse_than_expected_is_red() -> None:
    sexes = groups().kinds["sex"]
    is_female = np.array(sexes.labels)[sexes.codes] == "female"
    outcome = LABELS["has_outcome"].to_numpy() | (is_female & (np.random.default_rng(6).random(PEOPLE) < 0.1))
    rows = made(followed_up(SCORES, {OUTCOME: labels(SCORES, has_outcome=outcome)}, groups()))
    assert (one(rows, "sex", "female")["verdict"], one(rows, "sex", "male")["verdict"]) == ("red", "green")


def test_what_does_not_fit_is_refused_without_a_value() -> None:
    with pytest.raises(InputMissing, match=f"no labels of {OUTCOME}"):
        followed_up(SCORES, {}, groups())
    with pytest.raises(ContractBroken, match="12000 people stand twice") as refused:
        followed_up(SCORES, {OUTCOME: pa.concat_tables([LABELS, LABELS])}, groups())
    assert "p17" not in str(refused.value)
    with pytest.raises(ContractBroken, match="groups of 10 people"):
        followed_up(SCORES, {OUTCOME: LABELS}, groups(10))


def test_no_scores_have_no_scorecard() -> None:
    assert made(followed_up(SCORES.slice(0, 0), {OUTCOME: LABELS}, groups(0))) == []
