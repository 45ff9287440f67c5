"""Whose risk changed since the last score, and why: a small table of people, and nothing that is not certain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.score_change import score_change
from fuller_popheath.risk.scoring import ScoringModel, score
from fuller_popheath.site import Site

if TYPE_CHECKING:
    import pyarrow as pa

DAY, BEFORE = date(2026, 8, 1), date(2026, 7, 1)
OUTCOME = "emergency_admission_12m"
MODEL = f"{OUTCOME}.adult.additive.2026-06-01.0000000000000000"
ANNA, BERT, CARA = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"


def scores(day: date, risks: dict[str, float], model_id: str = MODEL) -> pa.Table:
    import pyarrow as pa

    rows = [{"as_of": day, "person_id": who, "outcome": OUTCOME, "probability": risk, "model_id": model_id} for who, risk in risks.items()]
    types = [("as_of", pa.date32()), ("person_id", pa.string()), ("outcome", pa.string()), ("probability", pa.float64()), ("model_id", pa.string())]
    return pa.Table.from_pylist(rows, schema=pa.schema(types))


def reasons(told: dict[str, list[tuple[str, float, str]]]) -> pa.Table:
    import pyarrow as pa

    types = [("person_id", pa.string()), ("outcome", pa.string()), ("place", pa.int64()), ("reason", pa.string()), ("contribution", pa.float64())]
    rows = [
        {"person_id": who, "outcome": OUTCOME, "place": place, "reason": reason, "contribution": size, "words": words}
        for who, each in told.items()
        for place, (reason, size, words) in enumerate(each, 1)
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([*types, ("words", pa.string())]))


def changed(now: float, before: float | None, here: list[tuple[str, float, str]], there: list[tuple[str, float, str]]) -> dict[str, Any]:
    then = None if before is None else scores(BEFORE, {ANNA: before})
    made = score_change(scores(DAY, {ANNA: now}), reasons({ANNA: here}), then, reasons({ANNA: there}), DAY)
    [row] = refuse_if_broken(made, load_contract("risk/score_change")).to_pylist()
    return row


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (0.10, 0.20, "rose"),
        (0.20, 0.10, "fell"),
        (0.20, 0.21, "steady"),
        (0.20, 0.2381, "rose"),  # odds 0.25 -> 0.3125: just a quarter more
        (0.20, 0.2379, "steady"),
        (0.002, 0.008, "steady"),  # four times as much, and less than one in a hundred
        (0.02, 0.03, "rose"),
        (0.30, 0.30, "steady"),
        (0.0, 0.0, "steady"),
        (0.0, 0.5, "rose"),
        (1.0, 0.5, "fell"),
        (1.0, 1.0, "steady"),
        (None, 0.30, "new"),
    ],
)
def test_what_counts_as_a_change(before: float | None, now: float, change: str) -> None:
    row = changed(now, before, [], [])
    assert row["change"] == change
    assert row["previous_probability"] == before
    assert row["previous_as_of"] == (None if before is None else BEFORE)
    assert row["words"] is None


ADMITTED, NOT_ADMITTED = ("emergency_admissions", 1.2, "2 emergency admissions"), ("emergency_admissions", -0.3, "no emergency admission")
AGED = ("age", 0.5, "aged 84")


def test_the_reason_that_changed_most_is_told_with_what_it_was() -> None:
    assert changed(0.3, 0.1, [ADMITTED, AGED], [NOT_ADMITTED, AGED])["words"] == "2 emergency admissions (before: no emergency admission)"
    assert changed(0.1, 0.3, [NOT_ADMITTED, AGED], [ADMITTED, AGED])["words"] == "no emergency admission (before: 2 emergency admissions)"


def test_a_reason_that_moved_the_other_way_is_not_told() -> None:
    less_age = ("age", 0.1, "aged 85")
    assert changed(0.3, 0.1, [ADMITTED, less_age], [NOT_ADMITTED, AGED])["words"] == "2 emergency admissions (before: no emergency admission)"


def test_two_reasons_at_most_are_told_the_larger_first() -> None:
    here = [("a", 1.0, "A now"), ("b", 0.9, "B now"), ("c", 0.8, "C now")]
    there = [("a", 0.9, "A then"), ("b", 0.4, "B then"), ("c", 0.1, "C then")]
    assert changed(0.3, 0.1, here, there)["words"] == "C now (before: C then); B now (before: B then)"


def test_a_reason_that_is_told_on_one_day_only_says_so() -> None:
    assert changed(0.3, 0.1, [ADMITTED], [AGED])["words"] == "2 emergency admissions (not a main reason before)"
    assert changed(0.1, 0.3, [NOT_ADMITTED], [ADMITTED, AGED])["words"] == (
        "no emergency admission (before: 2 emergency admissions); before: aged 84 (no longer a main reason)"
    )


FIVE = [("one", 3.0, "one"), ("two", 2.9, "two"), ("three", 2.8, "three"), ("four", 2.7, "four"), ("five", 2.5, "five")]


def test_what_may_have_counted_as_much_before_is_not_called_a_change() -> None:
    """The fifth reason before counted 2.5, so one that was not told may have counted up to that."""
    six = ("six", 2.4, "six")
    assert changed(0.3, 0.2, [*FIVE[:4], six], FIVE)["words"] is None
    six = ("six", 2.6, "six")
    assert changed(0.3, 0.2, [*FIVE[:4], six], FIVE)["words"] == "six (not a main reason before)"


def test_the_same_words_may_count_differently() -> None:
    assert changed(0.3, 0.2, [("a", 1.0, "A")], [("a", 0.5, "A")])["words"] == "A (as before, and counts differently)"


def test_scores_of_two_models_are_not_compared_reason_by_reason() -> None:
    other = MODEL.replace("2026-06-01", "2026-07-01")
    made = score_change(
        scores(DAY, {ANNA: 0.4, BERT: 0.1}, other), reasons({ANNA: [ADMITTED]}), scores(BEFORE, {ANNA: 0.1, BERT: 0.1}), reasons({}), DAY
    )
    assert made["is_other_model"].to_pylist() == [True, True]
    assert made["words"].to_pylist() == ["scored by another model than before", None]


def test_everybody_scored_has_a_row_in_order_and_nobody_else() -> None:
    made = score_change(scores(DAY, {BERT: 0.1, ANNA: 0.3}), reasons({}), scores(BEFORE, {ANNA: 0.1, CARA: 0.5}), reasons({}), DAY)
    assert made["person_id"].to_pylist() == [BERT, ANNA]
    assert made["change"].to_pylist() == ["new", "rose"]


def test_a_night_without_scores_has_no_changes() -> None:
    for before in (None, scores(BEFORE, {}), scores(BEFORE, {ANNA: 0.1})):
        made = score_change(scores(DAY, {}), reasons({}), before, reasons({}), DAY)
        assert refuse_if_broken(made, load_contract("risk/score_change")).num_rows == 0
    made = score_change(scores(DAY, {ANNA: 0.3}), reasons({}), scores(BEFORE, {}), reasons({}), DAY)
    assert made["change"].to_pylist() == ["new"]


def test_without_a_night_before_everybody_is_new() -> None:
    made = score_change(scores(DAY, {ANNA: 0.3}), reasons({ANNA: [ADMITTED]}), None, None, DAY)
    assert made["change"].to_pylist() == ["new"]


@pytest.mark.parametrize("day", [DAY, date(2026, 9, 1)])
def test_scores_that_are_not_of_before_are_refused(day: date) -> None:
    with pytest.raises(ContractBroken, match=r"not of one day before 2026-08-01 \(1 of 1"):
        score_change(scores(DAY, {ANNA: 0.3}), reasons({}), scores(day, {ANNA: 0.3}), reasons({}), DAY)


def test_real_scores_of_two_nights(additive: FittedModel, some_people: Callable[[int, int], pa.Table]) -> None:
    """One admission more is all that changes, so it is what is told where the risk rose; nobody else's risk moves."""
    import pyarrow as pa
    import pyarrow.compute as pc

    people = some_people(300, 61)
    people = people.filter(pc.greater_equal(people["age_years"], 18))
    count = people["emergency_admission_count_365"]
    admitted = pa.array([place % 3 == 0 for place in range(people.num_rows)])
    place = people.column_names.index("emergency_admission_count_365")
    later = people.set_column(place, "emergency_admission_count_365", pc.if_else(admitted, pc.add(count, 4), count))
    objects = pa.table({"person_id": people["person_id"], "excluded_from_scoring": pa.array([False] * people.num_rows)})
    model = ScoringModel(MODEL, additive, is_demonstration=True)
    before, now = (score([model], table, objects, {}, Site(), day) for table, day in ((people, BEFORE), (later, DAY)))
    made = refuse_if_broken(score_change(now.score, now.reasons, before.score, before.reasons, DAY), load_contract("risk/score_change"))
    rose = [row for row in made.to_pylist() if row["change"] == "rose"]
    assert len(rose) > 20
    assert {row["person_id"] for row in rose} <= set(pc.filter(people["person_id"], admitted).to_pylist())
    words = [row["words"] for row in rose if row["words"]]
    assert len(words) > len(rose) / 2
    assert all("emergency admission" in text for text in words)
    assert {row["change"] for row in made.to_pylist()} <= {"rose", "fell", "steady"}
