"""The number of long-term conditions: the simplest count of illness."""

from __future__ import annotations

from fuller_popheath.methods.rule_scores import single_score
from fuller_popheath.specs import ModelSpec

MODEL = ModelSpec(name="condition_count", words="number of long-term conditions", role="baseline", make=single_score, columns=("condition_count",))
