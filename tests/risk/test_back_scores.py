"""Models asked in hindsight: everybody who was at risk then, each by a recalibration that does not know what became of them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.special import logit

from fuller_popheath import registry
from fuller_popheath.errors import InputMissing
from fuller_popheath.risk.back_scores import back_scores
from fuller_popheath.risk.fitting import fit
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.recalibration import GROUPS, groups_of_people
from fuller_popheath.risk.scorecard import followed_up, scorecard
from fuller_popheath.risk.scoring import ScoringModel
from fuller_popheath.risk.training_sets import judging_rows
from fuller_popheath.site import Monitoring, Training

if TYPE_CHECKING:
    import pyarrow as pa

OUTCOME = "emergency_admission_12m"
SETTINGS = Training(seed=3)
LINES = [{"intercept": number / 10, "slope": 1 + number / 10} for number in range(GROUPS)]
MANIFEST = {
    "settings": SETTINGS.model_dump(mode="json"),
    "horizon_days": 365,
    "validation_index_date": "2025-08-01",
    "recalibration": {"intercept": 0.0, "slope": 1.0, "without_group": LINES},
}


@pytest.fixture(scope="module")
def validation(risk_ics: Any) -> IndexPopulation:
    return risk_ics.validation


@pytest.fixture(scope="module")
def in_use(validation: IndexPopulation) -> list[ScoringModel]:
    models = []
    for age_group in ("adult", "under_18"):
        people, _ = judging_rows(validation, OUTCOME, age_group, SETTINGS)
        model = fit(registry.models()["age_sex"], people, {}, 1, SETTINGS, outcome=OUTCOME, age_group=age_group)
        models.append(ScoringModel(f"{OUTCOME}.{age_group}.age_sex.2026-08-01.0123abcd01234567", model, True))
    return models


def scored(in_use: list[ScoringModel], validation: IndexPopulation, **other: Any) -> tuple[pa.Table, Any]:
    return back_scores(in_use, validation, {each.model_id: {**MANIFEST, **other} for each in in_use})


def test_everybody_is_asked_about_by_the_line_of_the_other_groups(in_use: list[ScoringModel], validation: IndexPopulation) -> None:
    scores, groups = scored(in_use, validation)
    assert scores.num_rows == groups.people == validation.people.num_rows
    group = groups_of_people(scores["person_id"], SETTINGS.seed)
    raw, _ = scored(in_use, validation, recalibration={})
    lines = np.array([(line["intercept"], line["slope"]) for line in LINES])[group]
    assert np.allclose(logit(scores["probability"].to_numpy()), lines[:, 0] + lines[:, 1] * logit(raw["probability"].to_numpy()), atol=1e-9)
    assert set(np.bincount(group) > 0.15 * len(group)) == {True}


def test_once_its_follow_up_is_over_the_line_in_use_is_asked(in_use: list[ScoringModel], validation: IndexPopulation) -> None:
    for made_at, is_over in (("2024-08-01", True), ("2024-08-02", False)):
        scores, _ = scored(in_use, validation, validation_index_date=made_at)
        raw, _ = scored(in_use, validation, recalibration={})
        assert scores.equals(raw) == is_over, made_at


def test_people_are_dealt_by_each_models_own_seed(in_use: list[ScoringModel], validation: IndexPopulation) -> None:
    other = scored(in_use, validation, settings=SETTINGS.model_copy(update={"seed": 4}).model_dump(mode="json"))[0]
    assert not other["probability"].equals(scored(in_use, validation)[0]["probability"])


def test_the_scores_and_groups_make_a_scorecard_that_says_hindsight(in_use: list[ScoringModel], validation: IndexPopulation) -> None:
    scores, groups = scored(in_use, validation)
    table = scorecard(followed_up(scores, validation.labels, groups), date(2026, 8, 1), validation.index_date, False, Monitoring())
    assert set(table["is_scored_then"].to_pylist()) == {False}
    everybody = [row for row in table.to_pylist() if row["subgroup_kind"] == "all"]
    assert sum(row["people_count"] for row in everybody) == pytest.approx(scores.num_rows, rel=0.1)


def test_a_model_of_which_nobody_knows_how_it_was_made_is_refused(in_use: list[ScoringModel], validation: IndexPopulation) -> None:
    with pytest.raises(InputMissing, match=in_use[1].model_id):
        back_scores(in_use, validation, {in_use[0].model_id: MANIFEST})


def test_no_models_have_no_scores(validation: IndexPopulation) -> None:
    scores, groups = back_scores([], validation, {})
    assert (scores.num_rows, groups.people) == (0, 0)
