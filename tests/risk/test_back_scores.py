"""What models in use would have said a year ago: of everybody who was at risk then, each in their own row and group."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fuller_popheath.risk.back_scores import back_scores
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.scorecard import followed_up
from fuller_popheath.risk.scoring import ScoringModel
from tests.risk.scoring.conftest import fitted, people_with_features

if TYPE_CHECKING:
    import pyarrow as pa

EMERGENCY, READMISSION = "emergency_admission_12m", "readmission_30d"
DAY, AS_OF = date(2025, 8, 1), date(2026, 8, 1)
PEOPLE = 400


def population(outcomes: tuple[str, ...] = (EMERGENCY, READMISSION)) -> IndexPopulation:
    """Every third person at risk of readmission; persons at even places in one PCN, at odd ones in another."""
    import pyarrow as pa

    features = people_with_features(PEOPLE, seed=5)
    place = np.arange(PEOPLE)
    people = pa.table(
        {
            "person_id": features["person_id"],
            "age_years": features["age_years"],
            "practice_code": ["Y90001"] * PEOPLE,
            "pcn_code": np.where(place % 2, "U00001", "U00000"),
            "place_code": ["99X"] * PEOPLE,
        }
    )
    at_risk = {EMERGENCY: place >= 0, READMISSION: place % 3 == 0}
    labels = {name: labels_of(features["person_id"], at_risk[name]) for name in outcomes}
    return IndexPopulation(DAY, AS_OF, people, features, labels, people.slice(0, 0), 1.0)


def labels_of(person_id: pa.ChunkedArray, is_at_risk: np.ndarray) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "person_id": person_id,
            "is_at_risk": is_at_risk,
            "has_outcome": is_at_risk & (np.arange(PEOPLE) % 6 == 0),
            "ended_by": np.where(np.arange(PEOPLE) % 7 == 0, "left", "horizon"),
        }
    )


def in_use(model: FittedModel, **changes: str) -> ScoringModel:
    model = replace(model, **changes)  # type: ignore[arg-type]
    return ScoringModel(f"{model.outcome}.{model.age_group}.{model.model}.2026-08-01.00000000", model, is_demonstration=True)


@pytest.fixture(scope="module")
def models() -> tuple[ScoringModel, ScoringModel, ScoringModel]:
    model = fitted("additive", EMERGENCY, "adult")
    return in_use(model), in_use(model, age_group="under_18"), in_use(model, outcome=READMISSION)


Models = tuple[ScoringModel, ScoringModel, ScoringModel]


def test_everybody_at_risk_is_scored_by_the_model_of_their_age(models: Models) -> None:
    given = population()
    scores, groups = back_scores(models, given)
    assert groups.people == scores.num_rows
    ages = dict(zip(given.people["person_id"].to_pylist(), given.people["age_years"].to_pylist(), strict=True))
    places = {person: place for place, person in enumerate(ages)}
    adults = {person for person, age in ages.items() if age >= 18}
    who: dict[str, set[str]] = {each.model_id: set() for each in models}
    for row in scores.to_pylist():
        who[row["model_id"]].add(row["person_id"])
    assert who[models[0].model_id] == adults
    assert who[models[1].model_id] == set(ages) - adults
    assert who[models[2].model_id] == {person for person in adults if places[person] % 3 == 0}
    assert scores.num_rows == sum(len(people) for people in who.values())


def test_each_row_has_its_own_score_and_group(models: Models) -> None:
    given = population()
    scores, groups = back_scores(models, given)
    row_of = {person: place for place, person in enumerate(given.people["person_id"].to_pylist())}
    at = np.array([row_of[person] for person in scores["person_id"].to_pylist()])
    expected = models[0].model.probability(given.features)[at]  # all three are the same model under other names
    assert scores["probability"].to_numpy().tobytes() == expected.tobytes()
    of_pcn = {label: set(members.tolist()) for label, members in groups.members("pcn")}
    assert of_pcn == {"U00000": set(np.flatnonzero(at % 2 == 0)), "U00001": set(np.flatnonzero(at % 2 == 1))}


def test_a_scorecard_takes_them_as_they_are(models: Models) -> None:
    given = population()
    scores, groups = back_scores(models, given)
    parts = followed_up(scores, given.labels, groups)
    assert [(part.outcome, part.age_group) for part in parts] == [(EMERGENCY, "adult"), (EMERGENCY, "under_18"), (READMISSION, "adult")]
    assert sum(len(part.probability) + part.lost for part in parts) == scores.num_rows
    assert all(part.lost > 0 for part in parts), "those who left"


def test_an_outcome_without_labels_is_left_out(models: Models) -> None:
    scores, _ = back_scores(models, population((READMISSION,)))
    assert set(scores["outcome"].to_pylist()) == {READMISSION}


def test_no_model_gives_no_rows_of_the_same_columns(models: Models) -> None:
    scores, groups = back_scores((), population())
    assert (scores.num_rows, groups.people) == (0, 0)
    assert scores.schema.equals(back_scores(models, population())[0].schema)
