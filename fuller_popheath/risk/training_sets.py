"""What a model of one outcome and age group is fitted, recalibrated and judged on: people at a development and at a validation index date.

Each person has one fixed number (`person_share`) that says for good whether models may be fitted on them. What does not belong here: features and
labels (`index_population.py`), which line somebody is judged by (`recalibration.py`), and estimators.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.risk.outcome_labels import LEFT
from fuller_popheath.risk.person_share import person_share

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.risk.index_population import IndexPopulation
    from fuller_popheath.site import Site, Training

HORIZON = timedelta(days=365)
ADULT, UNDER_18 = "adult", "under_18"
AGE_GROUPS = (ADULT, UNDER_18)
ADULT_AGE = 18
PLACE_COLUMNS = ("person_id", "practice_code", "pcn_code", "place_code")
USE = "use in training"
"""What a person's number decides here; see `person_share`."""

FITTING = "the order of fitting"
"""What a person's number decides where people are put in order for a fit, or sampled."""

LEAST_PART = 5
"""Those who are judged on need a fifth of the events that fitting needs: few numbers are found with them."""


def index_dates(as_of: date, lag_days: int) -> tuple[date, date]:
    """The development and the validation index date of models made on a day: two horizons of a year before it and one, and the lag before that.

    `lag_days`: `[training] outcome_lag_days`, in which what happened may not have been told yet.
    """
    until = as_of - timedelta(days=lag_days)
    return until - 2 * HORIZON, until - HORIZON


@dataclass(frozen=True)
class Rows:
    """People of one age group who were at risk of one outcome at one index date; one row each, in the same order everywhere.

    `features`: person_id and every column of every feature group, in the order of `registry.features()` and of the contracts, with their types.
    `has_outcome`: bool, one a person. `places`: person_id, practice_code, pcn_code, place_code.
    """

    index_date: date
    features: pa.Table
    has_outcome: np.ndarray
    places: pa.Table


@dataclass(frozen=True)
class TrainingSet:
    """The rows of one outcome and age group: `fit` at the development index date, `validate` at the later validation index date, everybody of it.

    `is_unseen` (bool, over `validate`): no model is fitted on them at any date. `could_fit`: how many there are to fit on, of whom `fit` is a sample.
    """

    outcome: str
    age_group: str
    as_of: date
    fit: Rows
    validate: Rows
    is_unseen: np.ndarray
    could_fit: int


def training_sets(development: IndexPopulation, validation: IndexPopulation, outcome: str, age_group: str, site: Site, as_of: date) -> TrainingSet:
    """The rows of one outcome and age group, cut from the populations of both index dates.

    A person's number decides for every date: below `unseen_share` no model is fitted on them. `fit` has training.fit_people at most, those that a
    fit would take. People who were not at risk, or who left before anything could happen, are in no part. Raises SettingsWrong for populations of
    other days or without the outcome, InputMissing where fewer than `minimum_events` of those to fit on had the outcome, or a fifth of that of
    those to judge on.
    """
    _refuse_other_days(development, validation, as_of)
    training = site.training
    before = _Part.of(development, outcome, age_group, training.seed)
    to_fit = before.is_used & (before.number >= training.unseen_share)
    validate, is_unseen = judging_rows(validation, outcome, age_group, training)
    least = -(-training.minimum_events // LEAST_PART)
    for outcomes, use, needed in ((before.has_outcome[to_fit], "fit", training.minimum_events), (validate.has_outcome, "judge", least)):
        had, had_not = int(outcomes.sum()), int((~outcomes).sum())
        if min(had, had_not) < needed:
            raise InputMissing(
                f"{outcome}, {age_group}: {had:,} of {had + had_not:,} people to {use} a model with had the outcome, and at least {needed} must have "
                "had it, and as many not; train on more people, or leave this outcome out (training.outcomes)"
            )
    fit = before.rows(before.sampled(to_fit, training.fit_people, training.seed))
    return TrainingSet(outcome, age_group, as_of, fit, validate, is_unseen, int(to_fit.sum()))


def judging_rows(validation: IndexPopulation, outcome: str, age_group: str, training: Training) -> tuple[Rows, np.ndarray]:
    """The people that a model of these settings is judged on, as `training_sets` would cut them, and on whom of them no model was ever fitted.

    Raises SettingsWrong for a population without that outcome.
    """
    if outcome not in validation.labels:
        raise SettingsWrong(f"{outcome} was not labelled for the people of {validation.index_date}; name it in training.outcomes")
    part = _Part.of(validation, outcome, age_group, training.seed)
    return part.rows(part.is_used), (part.number < training.unseen_share)[part.is_used]


def training_population(development: IndexPopulation, validation: IndexPopulation) -> pa.Table:
    """Who was used and who was not, as `risk/training_population` has it: one row per index date, outcome and age group; the counts add up."""
    import pyarrow as pa

    contract = load_contract("risk/training_population")
    rows = []
    for use, population in (("development", development), ("validation", validation)):
        objected = {group: int(_is_of(population.objected, group).sum()) for group in AGE_GROUPS}
        for outcome in population.labels:
            for group in AGE_GROUPS:
                part = _Part.of(population, outcome, group, seed=0)
                row = {"as_of": population.as_of, "index_date": population.index_date, "outcome": outcome, "age_group": group, "use": use}
                rows.append(row | part.counts(objected[group]))
    return pa.Table.from_pylist(rows, schema=contract.schema)


@dataclass(frozen=True)
class _Part:
    """One population, outcome and age group; arrays over all people of the population. `number`: each person's own (`person_share`)."""

    population: IndexPopulation
    is_of_group: np.ndarray
    is_at_risk: np.ndarray
    has_left: np.ndarray
    has_outcome: np.ndarray
    number: np.ndarray

    @classmethod
    def of(cls, population: IndexPopulation, outcome: str, age_group: str, seed: int) -> _Part:
        import pyarrow.compute as pc

        if outcome not in population.labels:
            raise SettingsWrong(f"{outcome} was not looked for at {population.index_date}; there are {', '.join(population.labels)}")
        if age_group not in AGE_GROUPS:
            raise SettingsWrong(f"there is no such age group; there are {', '.join(AGE_GROUPS)}")
        told = population.labels[outcome]
        return cls(
            population,
            _is_of(population.people, age_group),
            told["is_at_risk"].to_numpy(),
            pc.equal(told["ended_by"], LEFT).to_numpy(),
            told["has_outcome"].to_numpy(),
            person_share(population.people["person_id"], seed, USE),
        )

    @property
    def is_used(self) -> np.ndarray:
        return np.asarray(self.is_of_group & self.is_at_risk & ~self.has_left)

    def sampled(self, chosen: np.ndarray, most: int, seed: int) -> np.ndarray:
        """At most so many of the chosen people, the first in the order of fitting."""
        places = np.flatnonzero(chosen)
        if len(places) <= most:
            return chosen
        order = person_share(self.population.people["person_id"].take(places), seed, FITTING)
        kept = np.zeros(len(chosen), dtype=bool)
        kept[places[np.argsort(order, kind="stable")[:most]]] = True
        return kept

    def rows(self, chosen: np.ndarray) -> Rows:
        import pyarrow as pa

        keep = pa.array(np.flatnonzero(chosen))
        people = self.population
        places = people.people.select(list(PLACE_COLUMNS)).take(keep)
        return Rows(people.index_date, people.features.take(keep), self.has_outcome[keep.to_numpy()], places)

    def counts(self, objected: int) -> dict[str, int]:
        used = self.is_used
        of_group = int(self.is_of_group.sum())
        at_risk = int(used.sum())
        not_at_risk = int((self.is_of_group & ~self.is_at_risk).sum())
        return {
            "people_count": of_group + objected,
            "excluded_objection_count": objected,
            "excluded_left_count": of_group - at_risk - not_at_risk,
            "not_at_risk_count": not_at_risk,
            "at_risk_count": at_risk,
            "outcome_count": int((used & self.has_outcome).sum()),
            "later_list_count": int((used & self.population.people["is_from_later_extract"].to_numpy()).sum()),
        }


def _is_of(people: pa.Table, age_group: str) -> np.ndarray:
    is_adult = people["age_years"].to_numpy() >= ADULT_AGE
    return np.asarray(is_adult if age_group == ADULT else ~is_adult, dtype=bool)


def _refuse_other_days(development: IndexPopulation, validation: IndexPopulation, as_of: date) -> None:
    if {development.as_of, validation.as_of} != {as_of} or development.index_date >= validation.index_date:
        raise SettingsWrong(
            f"models as of {as_of} are developed on people of one index date and judged on those of a later one, both by what is known on that day; "
            f"given: {development.index_date} and {validation.index_date}, by what was known on {development.as_of} and {validation.as_of}"
        )
