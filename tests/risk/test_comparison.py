"""Models beside each other: only on the same people, with paired intervals."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.risk import comparison
from fuller_popheath.risk.evaluation import Predictions
from fuller_popheath.risk.subgroups import groups_of
from fuller_popheath.risk.verdicts import Limits

AS_OF = date(2026, 8, 1)
LIMITS = Limits((0.8, 1.25), (0.8, 1.2))
PEOPLE = 4_000


def predictions(model: str, noise: float, **changes: Any) -> Predictions:
    rng = np.random.default_rng(8)
    truth = rng.normal(-2, 1.3, PEOPLE)
    outcome = rng.random(PEOPLE) < 1 / (1 + np.exp(-truth))
    score = truth + noise * np.random.default_rng(9).normal(size=PEOPLE)
    given = {
        "has_outcome": outcome,
        "probability": 1 / (1 + np.exp(-score)),
        "score": score,
        "groups": groups_of({"sex": np.array(["male"] * PEOPLE)}),
    }
    names = {"outcome": "death_12m", "age_group": "adult", "model": model, "model_id": None, "validation": "temporal"}
    return Predictions(**{**names, **given, **changes})


GOOD, POOR = predictions("additive", 0.0), predictions("age_sex", 2.0)


def test_a_poorer_model_is_told_with_its_sign_and_an_interval() -> None:
    found = comparison.compare([GOOD, POOR], "additive", AS_OF)
    refuse_if_broken(found, load_contract("risk/evaluation"))
    auroc, brier = found.to_pylist()
    assert [(row["model"], row["metric"], row["verdict"]) for row in (auroc, brier)] == [
        ("age_sex", "auroc_difference", None),
        ("age_sex", "brier_difference", None),
    ]
    assert auroc["value"] == pytest.approx(roc_auc_score(POOR.has_outcome, POOR.score) - roc_auc_score(GOOD.has_outcome, GOOD.score))
    assert auroc["upper"] < 0 < brier["lower"]


def test_a_default_model_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsWrong, match="default model logistic among additive, age_sex"):
        comparison.compare([GOOD, POOR], "logistic", AS_OF)


def test_a_model_worse_than_its_predecessor_is_red_and_a_better_one_green() -> None:
    worse = comparison.against_predecessor(POOR, GOOD, AS_OF, LIMITS).to_pylist()
    assert [(row["metric"], row["verdict"]) for row in worse] == [
        ("auroc_difference_to_predecessor", "red"),
        ("brier_difference_to_predecessor", "red"),
    ]
    assert set(comparison.against_predecessor(GOOD, POOR, AS_OF, LIMITS)["verdict"].to_pylist()) == {"green"}
    assert set(comparison.against_predecessor(GOOD, GOOD, AS_OF, LIMITS)["verdict"].to_pylist()) == {"green"}


@pytest.mark.parametrize("changes", [{"has_outcome": GOOD.has_outcome[::-1]}, {"outcome": "ed_attendance_12m"}, {"validation": "unseen"}])
def test_other_people_another_outcome_or_another_validation_cannot_be_compared(changes: dict[str, Any]) -> None:
    with pytest.raises(ContractBroken, match="cannot be compared"):
        comparison.compare([predictions("boosting", 0.1, **changes), GOOD], "additive", AS_OF)


def test_seeds_that_agree_wholly_and_seeds_that_do_not() -> None:
    same = comparison.between_seeds(GOOD, [GOOD.probability] * 3, AS_OF)
    refuse_if_broken(same, load_contract("risk/evaluation"))
    assert dict(zip(same["metric"].to_pylist(), same["value"].to_pylist(), strict=True)) == {
        "seed_rank_agreement": pytest.approx(1),
        "seed_mean_difference": 0,
        "seed_top_overlap": 1,
    }
    agreement, difference, overlap = comparison.between_seeds(GOOD, [GOOD.probability, POOR.probability], AS_OF)["value"].to_pylist()
    assert 0 < agreement < 1 and 0 < overlap < 1
    assert difference == pytest.approx(np.abs(GOOD.probability - POOR.probability).mean())


def test_one_seed_says_nothing_and_other_people_are_refused() -> None:
    assert comparison.between_seeds(GOOD, [GOOD.probability], AS_OF)["value"].to_pylist() == [None] * 3
    with pytest.raises(ContractBroken, match="of the 4000 people"):
        comparison.between_seeds(GOOD, [np.zeros(10)] * 2, AS_OF)
