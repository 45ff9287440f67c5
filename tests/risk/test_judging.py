"""A stored model judged again: on the people that its own manifest says it was not recalibrated with, by the limits of the data it was made of."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.disclosure.small_numbers import rounded
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.methods.discrimination import auroc
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.judging import judge
from fuller_popheath.risk.model_store import StoredModel
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.risk.training_sets import USE
from fuller_popheath.site import Site, Training
from tests.risk.scoring.conftest import fitted, manifest_of, people_with_features

EMERGENCY = "emergency_admission_12m"
DAY, AS_OF = date(2025, 8, 1), date(2026, 8, 1)
PEOPLE = 3_000


@pytest.fixture(scope="module")
def model() -> FittedModel:
    return fitted("additive", EMERGENCY, "adult")


@pytest.fixture(scope="module")
def features() -> pa.Table:
    return people_with_features(PEOPLE, seed=9)


def stored(model: FittedModel, is_synthetic: bool = True, **settings: Any) -> StoredModel:
    said = manifest_of(model, is_synthetic=is_synthetic, settings=Training(**settings).model_dump(mode="json"))
    return StoredModel(f"{EMERGENCY}.adult.additive.2026-08-01.0123456789abcdef", model, said)


def population(features: pa.Table, has_outcome: np.ndarray) -> IndexPopulation:
    place = np.arange(PEOPLE)
    same = {name: [code] * PEOPLE for name, code in (("practice_code", "Y90001"), ("pcn_code", "U00001"), ("place_code", "99X"))}
    people = pa.table({"person_id": features["person_id"], "age_years": features["age_years"], **same})
    told = {"is_at_risk": place % 10 != 0, "has_outcome": has_outcome, "ended_by": np.where(place % 10 == 1, "left", "horizon")}
    labels = {EMERGENCY: pa.table({"person_id": features["person_id"], **told})}
    return IndexPopulation(DAY, AS_OF, people, features, labels, people.slice(0, 0), 1.0)


def drawn(model: FittedModel, features: pa.Table, noise: float = 3.0) -> np.ndarray:
    """Who has the outcome: the fifth with the highest score and noise."""
    scores = model.log_odds(features) + np.random.default_rng(4).normal(0, noise, PEOPLE)
    return np.asarray(scores > np.quantile(scores, 0.8))


def of_all(made: Any, validation: str, metric: str) -> dict[str, Any]:
    rows = made["risk/evaluation"].to_pylist()
    (row,) = [r for r in rows if (r["validation"], r["subgroup_kind"], r["metric"]) == (validation, "all", metric)]
    return dict(row)


@pytest.mark.parametrize("settings", [{}, {"seed": 1}, {"calibration_share": 0.5, "unseen_share": 0.2}])
def test_only_people_it_was_not_recalibrated_with_judge_it(model: FittedModel, features: pa.Table, settings: dict[str, Any]) -> None:
    had, training, place = drawn(model, features), Training(**settings), np.arange(PEOPLE)
    made = judge(stored(model, **settings), population(features, had), Site(), AS_OF)
    number = person_share(features["person_id"], training.seed, USE)
    counts = (features["age_years"].to_numpy() >= 18) & (place % 10 > 1)
    for validation, below in (("temporal", 1.0), ("unseen", training.calibration_share + training.unseen_share)):
        judged = counts & (number >= training.calibration_share) & (number < below)
        row = of_all(made, validation, "auroc")
        assert (row["people_count"], row["outcome_count"]) == (int(rounded(judged.sum())), int(rounded(had[judged].sum()))), validation
        assert row["value"] == pytest.approx(auroc(had[judged], model.log_odds(features)[judged]).value, abs=1e-12), validation
        assert (row["as_of"], row["model_id"]) == (AS_OF, stored(model).model_id)
    for name, table in made.items():
        assert refuse_if_broken(table, load_contract(name)).num_rows > 10, name
    assert {row["subgroup_kind"] for row in made["risk/evaluation"].to_pylist()} >= {"all", "sex", "age_band", "ethnic_group", "imd_quintile"}


def test_who_was_kept_unseen_is_told_only_where_somebody_was(model: FittedModel, features: pa.Table) -> None:
    made = judge(stored(model, unseen_share=0.0), population(features, drawn(model, features)), Site(), AS_OF)
    assert set(made["risk/evaluation"]["validation"].to_pylist()) == {"temporal"}


@pytest.mark.parametrize(("is_synthetic", "verdict"), [(True, "green"), (False, "red")])
def test_real_people_have_a_lower_limit_for_a_leak(model: FittedModel, features: pa.Table, is_synthetic: bool, verdict: str) -> None:
    """An AUROC between the two limits of the outcome, 0.85 and 0.88."""
    scores = model.log_odds(features)
    noise = next(sd for sd in np.arange(3, 0, -0.05) if auroc(drawn(model, features, sd), scores).value > 0.862)
    made = judge(stored(model, is_synthetic), population(features, drawn(model, features, float(noise))), Site(), AS_OF)
    row = of_all(made, "temporal", "auroc")
    assert 0.85 < row["value"] < 0.88
    assert row["verdict"] == verdict


def test_an_outcome_that_was_not_looked_for_is_refused(model: FittedModel, features: pa.Table) -> None:
    given = population(features, drawn(model, features))
    given.labels["death_12m"] = given.labels.pop(EMERGENCY)  # type: ignore[index,attr-defined]
    with pytest.raises(SettingsWrong, match=f"{EMERGENCY} was not labelled for the people of {DAY}"):
        judge(stored(model), given, Site(), AS_OF)
