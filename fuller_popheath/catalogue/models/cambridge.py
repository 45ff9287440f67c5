"""The Cambridge multimorbidity score as it stands in features/comorbidity (its source is named there)."""

from __future__ import annotations

from fuller_popheath.methods.rule_scores import SingleScore
from fuller_popheath.specs import ModelSpec, Parameters


def make(columns: tuple[str, ...], is_categorical: tuple[bool, ...], parameters: Parameters, seed: int) -> SingleScore:
    """The column as it stands; only the line from it to a probability is fitted."""
    del columns, is_categorical, parameters, seed
    return SingleScore()


MODEL = ModelSpec(name="cambridge", words="Cambridge multimorbidity score", role="baseline", make=make, columns=("cambridge_general_score",))
