"""Back scores row by row: each person's own probability and group, and only who could have the outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fuller_popheath.risk.back_scores import back_scores
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.scoring import ScoringModel
from fuller_popheath.risk.subgroups import Groups
from fuller_popheath.site import Training
from tests.risk.scoring.conftest import fitted, people_with_features

if TYPE_CHECKING:
    import pyarrow as pa

EMERGENCY, READMISSION = "emergency_admission_12m", "readmission_30d"
PEOPLE, MANIFEST = 400, {"settings": Training().model_dump(mode="json")}
PLACE = np.arange(PEOPLE)


def population(*outcomes: str) -> IndexPopulation:
    """Every third person at risk of readmission; persons at even places in one PCN, at odd ones in another."""
    import pyarrow as pa

    features = people_with_features(PEOPLE, seed=5)
    pcn_code = np.where(PLACE % 2, "U00001", "U00000")
    same = {"practice_code": ["Y90001"] * PEOPLE, "pcn_code": pcn_code, "place_code": ["99X"] * PEOPLE}
    people = pa.table({"person_id": features["person_id"], "age_years": features["age_years"], **same})
    at_risk = {EMERGENCY: PLACE >= 0, READMISSION: PLACE % 3 == 0}
    labels = {name: pa.table({"person_id": features["person_id"], "is_at_risk": at_risk[name]}) for name in outcomes}
    return IndexPopulation(date(2025, 8, 1), date(2026, 8, 1), people, features, labels, people.slice(0, 0), 1.0)


@pytest.fixture(scope="module")
def models() -> list[ScoringModel]:
    model = fitted("additive", EMERGENCY, "adult")
    return [ScoringModel(f"{outcome}.adult.additive", replace(model, outcome=outcome), True) for outcome in (EMERGENCY, READMISSION)]


def asked(models: list[ScoringModel], given: IndexPopulation) -> tuple[pa.Table, Groups]:
    return back_scores(models, given, {each.model_id: MANIFEST for each in models})


def test_each_row_has_its_own_score_and_group(models: list[ScoringModel]) -> None:
    given = population(EMERGENCY, READMISSION)
    scores, groups = asked(models, given)
    row_of = {person: place for place, person in enumerate(given.people["person_id"].to_pylist())}
    at = np.array([row_of[person] for person in scores["person_id"].to_pylist()])
    expected = models[0].model.probability(given.features)[at]  # both are the same model under two names
    assert scores["probability"].to_numpy().tobytes() == expected.tobytes()
    of_pcn = {label: set(members.tolist()) for label, members in groups.members("pcn")}
    assert of_pcn == {"U00000": set(np.flatnonzero(at % 2 == 0)), "U00001": set(np.flatnonzero(at % 2 == 1))}


def test_who_could_not_have_the_outcome_has_no_score_of_it(models: list[ScoringModel]) -> None:
    given = population(EMERGENCY, READMISSION)
    adults = given.people["age_years"].to_numpy() >= 18
    ids = np.array(given.people["person_id"].to_pylist())
    rows = asked(models, given)[0].to_pylist()
    for outcome, can in ((EMERGENCY, adults), (READMISSION, adults & (PLACE % 3 == 0))):
        assert [row["person_id"] for row in rows if row["outcome"] == outcome] == ids[can].tolist(), outcome


def test_an_outcome_without_labels_is_left_out(models: list[ScoringModel]) -> None:
    assert set(asked(models, population(READMISSION))[0]["outcome"].to_pylist()) == {READMISSION}


def test_no_model_gives_no_rows_of_the_same_columns(models: list[ScoringModel]) -> None:
    given = population(EMERGENCY)
    assert back_scores([], given, {})[0].schema.equals(asked(models, given)[0].schema)
