"""A red-amber-green rule of the kind teams write for themselves: frailty, end of life, cancer and the number of conditions.

The rule is a local choice, not validated and from no source, except the limits of the frailty index: 9 deficits are moderate and 13 severe, for
people of 65 and over (Clegg and others, Age and Ageing 2016).
"""

from __future__ import annotations

from fuller_popheath.methods.rule_scores import ThresholdRule
from fuller_popheath.specs import ModelSpec, Parameters

AMBER = (
    (("efi_deficit_count", 9.0), ("age_years", 65.0)),
    (("has_cancer", 1.0),),
    (("condition_count", 4.0),),
)
RED = (
    (("efi_deficit_count", 13.0), ("age_years", 65.0)),
    (("has_palliative_care", 1.0),),
    (("has_metastatic_cancer", 1.0),),
    (("condition_count", 7.0),),
)
"""Alternatives: one is enough. The rest is green."""

COLUMNS = tuple(dict.fromkeys(column for alternatives in (AMBER, RED) for conditions in alternatives for column, _ in conditions))


def make(columns: tuple[str, ...], is_categorical: tuple[bool, ...], parameters: Parameters, seed: int) -> ThresholdRule:
    """The rule; only the line from its level to a probability is fitted."""
    del is_categorical, parameters, seed
    return ThresholdRule(columns, (AMBER, RED))


MODEL = ModelSpec(
    name="red_amber_green", words="red-amber-green rule: frailty, end of life, cancer, conditions", role="baseline", make=make, columns=COLUMNS
)
