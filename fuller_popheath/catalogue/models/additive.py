"""Additive boosting: the default. Each column adds a step function to the score, so that every score explains itself to the last digit."""

from __future__ import annotations

from fuller_popheath.methods.additive_boosting import AdditiveBoosting
from fuller_popheath.specs import ModelSpec, Parameters

USUAL = {"iterations": 300, "iterations_per_root_event": 4, "learning_rate": 0.1, "leaves": 4, "least_rows": 100, "l2": 10}
"""Chosen on make-believe data, from 5,000 people with 300 events to 170,000 with 11,000."""


def make(columns: tuple[str, ...], is_categorical: tuple[bool, ...], parameters: Parameters, seed: int) -> AdditiveBoosting:
    """The unfitted estimator; a parameter that is not given is as in USUAL."""
    del columns
    return AdditiveBoosting(is_categorical, {**USUAL, **parameters}, seed)


MODEL = ModelSpec(
    name="additive",
    words="additive boosting: a sum of one curve for each feature",
    role="default",
    make=make,
    tries={"iterations_per_root_event": (2, 4, 8, 16), "learning_rate": (0.05, 0.1), "leaves": (3, 6), "l2": (1, 10, 100)},
)
