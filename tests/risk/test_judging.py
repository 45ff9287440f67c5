"""A stored model judged again: each person by the line that its own manifest says does not know them, by the limits of the data it was made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.disclosure.small_numbers import rounded
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.methods.discrimination import auroc
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.judging import judge
from fuller_popheath.risk.model_store import StoredModel
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.risk.recalibration import GROUPS, groups_of_people
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


@pytest.mark.parametrize("settings", [{}, {"seed": 1}, {"unseen_share": 0.2}])
def test_everybody_judges_it_and_apart_those_it_was_never_fitted_on(model: FittedModel, features: pa.Table, settings: dict[str, Any]) -> None:
    had, training, place = drawn(model, features), Training(**settings), np.arange(PEOPLE)
    made = judge(stored(model, **settings), population(features, had), Site(), AS_OF)
    number = person_share(features["person_id"], training.seed, USE)
    counts = (features["age_years"].to_numpy() >= 18) & (place % 10 > 1)
    for validation, below in (("temporal", 1.0), ("unseen", training.unseen_share)):
        judged = counts & (number < below)
        row = of_all(made, validation, "auroc")
        assert (row["people_count"], row["outcome_count"]) == (int(rounded(judged.sum())), int(rounded(had[judged].sum()))), validation
        assert row["value"] == pytest.approx(auroc(had[judged], model.log_odds(features)[judged]).value, abs=1e-12), validation
        assert (row["as_of"], row["model_id"]) == (AS_OF, stored(model).model_id)
    for name, table in made.items():
        assert refuse_if_broken(table, load_contract(name)).num_rows > 10, name
    assert {row["subgroup_kind"] for row in made["risk/evaluation"].to_pylist()} >= {"all", "sex", "age_band", "ethnic_group", "imd_quintile"}


def test_nobody_is_judged_by_a_line_that_knows_them(model: FittedModel, features: pa.Table) -> None:
    """Lines that are right for a group's own people, and lines of 9 log-odds more for all others: only the latter are used."""
    had = drawn(model, features)
    lines = [{"intercept": 0.1 * number, "slope": 1.0} for number in range(GROUPS)]
    told = stored(model)
    manifest = {**told.manifest, "recalibration": {"intercept": 9.0, "slope": 1.0, "without_group": lines}}
    made = judge(replace(told, manifest=manifest), population(features, had), Site(), AS_OF)
    counts = (features["age_years"].to_numpy() >= 18) & (np.arange(PEOPLE) % 10 > 1)
    own = 0.1 * groups_of_people(features["person_id"], Training().seed)[counts]
    expected = expit(model.log_odds(features)[counts] + own)
    assert of_all(made, "temporal", "mean_probability")["value"] == pytest.approx(expected.mean(), abs=1e-9)
    as_fitted = of_all(made, "temporal", "observed_over_expected_as_fitted")
    assert as_fitted["value"] == pytest.approx(had[counts].sum() / expit(model.log_odds(features)[counts]).sum(), abs=1e-9)
    assert as_fitted["verdict"] is None


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
