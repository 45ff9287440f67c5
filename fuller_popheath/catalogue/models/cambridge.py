"""The Cambridge multimorbidity score as it stands in features/comorbidity (its source is named there)."""

from __future__ import annotations

from fuller_popheath.methods.rule_scores import single_score
from fuller_popheath.specs import ModelSpec

MODEL = ModelSpec(name="cambridge", words="Cambridge multimorbidity score", role="baseline", make=single_score, columns=("cambridge_general_score",))
