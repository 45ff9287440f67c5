"""Models asked in hindsight: everybody who was at risk then, less those whom a model was recalibrated with."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fuller_popheath import registry
from fuller_popheath.errors import InputMissing
from fuller_popheath.risk.back_scores import back_scores
from fuller_popheath.risk.fitting import fit
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.risk.scorecard import followed_up, scorecard
from fuller_popheath.risk.scoring import ScoringModel
from fuller_popheath.risk.training_sets import USE, judging_rows
from fuller_popheath.site import Monitoring, Training

if TYPE_CHECKING:
    import pyarrow as pa

OUTCOME = "emergency_admission_12m"
SETTINGS = Training(seed=3, calibration_share=0.4)


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


def scored(in_use: list[ScoringModel], validation: IndexPopulation, settings: Training = SETTINGS) -> tuple[pa.Table, Any]:
    return back_scores(in_use, validation, {each.model_id: settings for each in in_use})


def test_nobody_is_asked_about_whom_the_model_was_recalibrated_with(in_use: list[ScoringModel], validation: IndexPopulation) -> None:
    scores, groups = scored(in_use, validation)
    numbers = person_share(scores["person_id"], SETTINGS.seed, USE)
    assert numbers.min() >= SETTINGS.calibration_share
    everybody, _ = scored(in_use, validation, SETTINGS.model_copy(update={"calibration_share": 0.0}))
    assert everybody.num_rows == validation.people.num_rows
    others = person_share(everybody["person_id"], SETTINGS.seed, USE) >= SETTINGS.calibration_share
    assert set(scores["person_id"].to_pylist()) == set(everybody["person_id"].filter(others).to_pylist())
    assert 0.55 < scores.num_rows / everybody.num_rows < 0.65
    assert groups.people == scores.num_rows


def test_each_model_leaves_out_its_own_people(in_use: list[ScoringModel], validation: IndexPopulation) -> None:
    own = {in_use[0].model_id: SETTINGS, in_use[1].model_id: SETTINGS.model_copy(update={"seed": 4})}
    scores, _ = back_scores(in_use, validation, own)
    for each in in_use:
        of_model = scores.filter(np.asarray(scores["model_id"].to_pylist()) == each.model_id)
        assert person_share(of_model["person_id"], own[each.model_id].seed, USE).min() >= SETTINGS.calibration_share
        assert set(of_model["age_group"].to_pylist()) == {each.model.age_group}


def test_the_scores_and_groups_make_a_scorecard_that_says_hindsight(in_use: list[ScoringModel], validation: IndexPopulation) -> None:
    scores, groups = scored(in_use, validation)
    table = scorecard(followed_up(scores, validation.labels, groups), date(2026, 8, 1), validation.index_date, False, Monitoring())
    assert set(table["is_scored_then"].to_pylist()) == {False}
    everybody = [row for row in table.to_pylist() if row["subgroup_kind"] == "all"]
    assert sum(row["people_count"] for row in everybody) == pytest.approx(scores.num_rows, rel=0.1)


def test_a_model_of_which_nobody_knows_how_it_was_made_is_refused(in_use: list[ScoringModel], validation: IndexPopulation) -> None:
    with pytest.raises(InputMissing, match=in_use[1].model_id):
        back_scores(in_use, validation, {in_use[0].model_id: SETTINGS})


def test_no_models_have_no_scores(validation: IndexPopulation) -> None:
    scores, groups = back_scores([], validation, {})
    assert (scores.num_rows, groups.people) == (0, 0)
