"""Ridge logistic regression on splines: the challenger that every statistician can read."""

from __future__ import annotations

from fuller_popheath.methods.spline_logistic import SplineLogistic
from fuller_popheath.specs import ModelSpec, Parameters

USUAL = {"knots": 4, "l2_per_row": 0.003}
"""A penalty of 300 on 100,000 people. It goes with the rows: what is tried on some of them, and recalibrated with some, serves all."""


def make(columns: tuple[str, ...], is_categorical: tuple[bool, ...], parameters: Parameters, seed: int) -> SplineLogistic:
    """The unfitted estimator; a parameter that is not given is as in USUAL. There is no chance in it, so `seed` changes nothing."""
    del columns, seed
    return SplineLogistic(is_categorical, {**USUAL, **parameters})


MODEL = ModelSpec(
    name="logistic",
    words="logistic regression with splines",
    role="challenger",
    make=make,
    tries={"knots": (0, 4), "l2_per_row": (0.0003, 0.001, 0.01, 0.03, 0.1)},
)
