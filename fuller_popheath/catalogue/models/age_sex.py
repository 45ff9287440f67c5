"""Age and sex alone: the least that any model has to beat."""

from __future__ import annotations

from fuller_popheath.methods.spline_logistic import SplineLogistic
from fuller_popheath.specs import ModelSpec, Parameters


def make(columns: tuple[str, ...], is_categorical: tuple[bool, ...], parameters: Parameters, seed: int) -> SplineLogistic:
    """Logistic regression on a spline of age and the sexes."""
    del columns, parameters, seed
    return SplineLogistic(is_categorical, {"knots": 5, "l2": 1})


MODEL = ModelSpec(name="age_sex", words="age and sex alone", role="baseline", make=make, columns=("age_years", "sex"))
