"""Emergency admissions in the last year: "frequent attenders first", the rule that needs no model."""

from __future__ import annotations

from fuller_popheath.methods.rule_scores import SingleScore
from fuller_popheath.specs import ModelSpec, Parameters


def make(columns: tuple[str, ...], is_categorical: tuple[bool, ...], parameters: Parameters, seed: int) -> SingleScore:
    """The column as it stands; only the line from it to a probability is fitted."""
    del columns, is_categorical, parameters, seed
    return SingleScore()


MODEL = ModelSpec(
    name="last_year_admissions", words="emergency admissions in the last year", role="baseline", make=make, columns=("emergency_admission_count_365",)
)
