"""Full gradient boosting, with interactions: the challenger. It shows what the default gives up for being explainable."""

from __future__ import annotations

from fuller_popheath.methods.full_boosting import FullBoosting
from fuller_popheath.specs import ModelSpec, Parameters

USUAL = {"iterations": 200, "iterations_per_root_event": 2, "learning_rate": 0.07, "leaves": 8, "least_rows": 200, "l2": 10}
"""Chosen on make-believe data, from 5,000 people with 300 events to 170,000 with 11,000."""


def make(columns: tuple[str, ...], is_categorical: tuple[bool, ...], parameters: Parameters, seed: int) -> FullBoosting:
    """The unfitted estimator; a parameter that is not given is as in USUAL."""
    del columns
    return FullBoosting(is_categorical, {**USUAL, **parameters}, seed)


MODEL = ModelSpec(
    name="boosting",
    words="gradient boosting with interactions between features",
    role="challenger",
    make=make,
    tries={"iterations_per_root_event": (1, 2, 4, 8), "learning_rate": (0.04, 0.08), "leaves": (4, 8, 15), "l2": (1, 10, 100)},
)
