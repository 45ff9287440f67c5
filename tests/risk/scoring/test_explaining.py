"""Reasons for a score: exact, the same for a person alone, and only what is worth telling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fuller_popheath import registry
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.risk import explaining
from fuller_popheath.risk.explaining import NO_REASON, Explanation, explain, reason_contributions
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pyarrow as pa

People = Callable[[int, int], "pa.Table"]


def sentences(told: Explanation, row: int) -> list[tuple[str, str]]:
    return [(told.reasons[r], told.texts[w]) for r, w in zip(told.reason[row], told.words[row], strict=True) if r != NO_REASON]


def test_the_intercept_and_all_reasons_add_up_to_the_score(every_model: Mapping[str, FittedModel], some_people: People) -> None:
    explained = 0
    for model in every_model.values():
        if model.can_explain:
            people = some_people(300, 3)
            intercept, sums = reason_contributions(model, people, registry.reasons())
            np.testing.assert_allclose(intercept + sums.sum(axis=1), model.log_odds(people), rtol=0, atol=1e-9)
            explained += 1
    assert explained >= 2


def test_the_log_odds_that_come_with_reasons_are_the_models_own_to_the_last_bit(additive: FittedModel, some_people: People) -> None:
    people = some_people(500, 4)
    assert (explain(additive, people, registry.reasons()).log_odds == additive.log_odds(people)).all()


def test_the_strongest_reasons_are_told_with_their_share(additive: FittedModel, some_people: People) -> None:
    people = some_people(400, 5)
    told = explain(additive, people, registry.reasons())
    _, sums = reason_contributions(additive, people, registry.reasons())
    sizes = np.abs(sums)
    strongest = np.sort(sizes, axis=1)[:, ::-1][:, :5]
    is_told = told.reason != NO_REASON
    np.testing.assert_array_equal(np.abs(told.contribution), strongest)
    np.testing.assert_array_equal(told.share_percent, np.floor(100 * strongest / sizes.sum(axis=1)[:, None] + 0.5))
    np.testing.assert_array_equal(is_told, told.share_percent >= 1)
    rows, places = np.nonzero(is_told)
    np.testing.assert_array_equal(told.contribution[rows, places], sums[rows, told.reason[rows, places]])
    assert is_told.any(axis=1).all()
    assert told.share_percent.sum(axis=1).max() <= 102  # five shares, each rounded by half a percent at most


def test_a_person_alone_is_told_the_same_as_in_a_crowd(additive: FittedModel, some_people: People) -> None:
    people = some_people(200, 6)
    crowd = explain(additive, people, registry.reasons())
    for row in (0, 17, 199):
        alone = explain(additive, people.slice(row, 1), registry.reasons())
        assert sentences(alone, 0) == sentences(crowd, row)
        for name in ("log_odds", "contribution", "share_percent"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(crowd, name)[row])


def test_slices_and_another_order_change_nothing(additive: FittedModel, some_people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa

    people = some_people(101, 7)
    whole = explain(additive, people, registry.reasons())
    monkeypatch.setattr(explaining, "PEOPLE_AT_A_TIME", 10)
    order = np.random.default_rng(1).permutation(101)
    shuffled = explain(additive, people.take(pa.array(order)), registry.reasons())
    for row, place in enumerate(order):
        assert sentences(shuffled, row) == sentences(whole, place)
        assert shuffled.log_odds[row] == whole.log_odds[place]


def test_nobody_is_explained_too(additive: FittedModel, some_people: People) -> None:
    told = explain(additive, some_people(5, 8).slice(0, 0), registry.reasons())
    assert told.reason.shape == (0, 5)
    assert told.texts == ()


def test_columns_of_a_reason_that_the_model_does_not_know_do_no_harm(every_model: Mapping[str, FittedModel], some_people: People) -> None:
    told = explain(every_model["age_sex"], some_people(50, 9), registry.reasons())
    assert {told.reasons[r] for r in told.reason[told.reason != NO_REASON]} == {"age", "sex"}


def test_a_model_that_is_no_sum_cannot_be_explained(every_model: Mapping[str, FittedModel], some_people: People) -> None:
    with pytest.raises(SettingsWrong, match="cannot be explained"):
        explain(every_model["boosting"], some_people(5, 10), registry.reasons())


def test_a_feature_without_a_reason_is_refused_by_name(additive: FittedModel, some_people: People) -> None:
    without = {name: spec for name, spec in registry.reasons().items() if name != "antibiotics"}
    with pytest.raises(SettingsWrong, match="1 features stand in no reason: antibiotic_issue_count_365"):
        explain(additive, some_people(5, 11), without)


def test_a_reason_that_says_nothing_of_somebody_is_refused_with_counts(additive: FittedModel, some_people: People) -> None:
    age = registry.reasons()["age"]
    broken: dict[str, ReasonSpec] = {**registry.reasons(), "age": replace(age, words=lambda frame: (np.arange(len(frame)), ("aged 84",)))}
    people = some_people(300, 12)
    with pytest.raises(SettingsWrong, match="the reason age does not say one thing of each of"):
        explain(additive, people, broken, most=len(broken))


def test_a_missing_column_is_refused(additive: FittedModel, some_people: People) -> None:
    with pytest.raises(ContractBroken):
        explain(additive, some_people(5, 13).drop_columns(["age_years"]), registry.reasons())
