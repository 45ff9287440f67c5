"""The search, the learning curve and the check of stability: fixed by the seed and by who the people are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fuller_popheath import registry
from fuller_popheath.catalogue.models import additive
from fuller_popheath.errors import InputMissing
from fuller_popheath.methods.discrimination import auroc
from fuller_popheath.risk.fitting import SomeRows, dealt, drawn, fit, learning_curve, pick, search, seed_scores
from fuller_popheath.site import Training
from fuller_popheath.specs import ModelSpec

NAMES = {"outcome": "admission", "age_group": "adult"}


def people(count: int, seed: int) -> SomeRows:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, 6))
    log_odds = -1.5 + values[:, 0] + 0.5 * values[:, 1] ** 2
    ids = [f"p{seed}_{number}" for number in range(count)]
    features = pa.table({"person_id": ids, **{f"x{place}": values[:, place] for place in range(6)}})
    return SomeRows(features, rng.random(count) < 1 / (1 + np.exp(-log_odds)))


def spec(**tries: tuple[float, ...]) -> ModelSpec:
    return ModelSpec("additive", "", "default", additive.make, tries=tries)


def test_trials_are_the_usual_parameters_and_others_drawn_by_the_seed() -> None:
    tries = spec(iterations=(10, 20, 30), l2=(1, 10))
    trials = drawn(tries, 5, 4)
    assert trials[0] == {}
    assert len({tuple(sorted(trial.items())) for trial in trials}) == 4
    assert trials == drawn(tries, 5, 4)
    assert any(drawn(tries, seed, 4) != trials for seed in range(6, 12))
    assert len(drawn(tries, 5, 100)) == 7
    assert drawn(spec(), 5, 100) == [{}]


def test_the_search_finds_what_fits_better_and_says_what_it_tried() -> None:
    said: list[str] = []
    tries = spec(learning_rate=(0.0001, 2.0), iterations=(15,), leaves=(4,), least_rows=(50,), l2=(1,))
    found = search(tries, people(3_000, 1), 3, Training(trials=6, trial_people=2_500), **NAMES, say=said.append)
    assert len(found.trials) == len(said) == 3
    assert found.trials[0].parameters == additive.USUAL
    assert found.best == additive.USUAL
    assert min(found.trials, key=lambda trial: trial.log_loss).parameters == found.best
    assert 0.5 < found.trials[0].auroc < 1


def test_a_model_with_nothing_to_try_gets_no_search() -> None:
    found = search(registry.models()["efi"], people(50, 2), 3, Training(), **NAMES)
    assert found.best == {}
    assert np.isnan(found.trials[0].log_loss)


def test_a_search_does_not_rest_on_the_order_of_the_rows() -> None:
    rows, tries = people(1_500, 3), spec(iterations=(10, 25), l2=(1, 50))
    turned = SomeRows(rows.features.take(list(range(1_500))[::-1]), rows.has_outcome[::-1])
    training = Training(trials=3, trial_people=1_000)
    assert search(tries, rows, 4, training, **NAMES) == search(tries, turned, 4, training, **NAMES)


def test_dealing_rests_on_the_persons_and_the_seed() -> None:
    rows = people(500, 4)
    order = dealt(rows, 1)
    assert sorted(order.tolist()) == list(range(500))
    turned = rows.features.take(list(range(500))[::-1])
    assert rows.features["person_id"].take(order).equals(turned["person_id"].take(dealt(SomeRows(turned, rows.has_outcome[::-1]), 1)))
    assert not np.array_equal(order, dealt(rows, 2))


def test_a_fit_takes_at_most_so_many_people_always_the_same() -> None:
    rows = people(2_000, 5)
    few = Training(fit_people=500)
    by_hand = pick(rows, dealt(rows, 9)[:500])
    one = fit(spec(), rows, {"iterations": 10}, 9, few, **NAMES)
    two = fit(spec(), by_hand, {"iterations": 10}, 9, Training(), **NAMES)
    assert np.array_equal(one.log_odds(rows.features), two.log_odds(rows.features))


def test_more_people_do_better_along_the_learning_curve() -> None:
    rows, judges = people(4_000, 6), people(3_000, 7)
    points = learning_curve(spec(), rows, judges, {"iterations": 60}, 1, Training(), **NAMES, shares=(0.03, 0.3, 1.0))
    assert [count for count, _ in points] == [120, 1_200, 4_000]
    assert points[0][1] < points[-1][1]
    whole = fit(spec(), rows, {"iterations": 60}, 1, Training(), **NAMES)
    assert points[-1][1] == auroc(judges.has_outcome, whole.log_odds(judges.features)).value


def test_a_point_of_the_learning_curve_without_both_outcomes_is_left_out() -> None:
    rows = people(300, 8)
    order = dealt(rows, 1)
    nobody_at_first = rows.has_outcome.copy()
    nobody_at_first[order[:30]] = False
    points = learning_curve(spec(), SomeRows(rows.features, nobody_at_first), rows, {"iterations": 5}, 1, Training(), **NAMES, shares=(0.1, 1.0))
    assert [count for count, _ in points] == [300]


def test_models_of_other_seeds_see_other_people_and_agree() -> None:
    rows, judges = people(3_000, 9), people(500, 10)
    risks = seed_scores(spec(), rows, judges, {"iterations": 40}, Training(stability_seeds=3), **NAMES)
    assert risks.shape == (3, 500)
    assert len(np.unique(risks, axis=0)) == 3
    assert np.corrcoef(risks)[0, 1:].min() > 0.9
    assert np.array_equal(risks, seed_scores(spec(), rows, judges, {"iterations": 40}, Training(stability_seeds=3), **NAMES))


def test_a_search_among_people_without_the_outcome_is_refused() -> None:
    rows = people(600, 11)
    with pytest.raises(InputMissing, match="0 of 420 people have the outcome"):
        search(spec(l2=(1,)), SomeRows(rows.features, np.zeros(600, bool)), 1, Training(), **NAMES)
