"""Emergency admissions in the last year: "frequent attenders first", the rule that needs no model."""

from __future__ import annotations

from fuller_popheath.methods.rule_scores import single_score
from fuller_popheath.specs import ModelSpec

MODEL = ModelSpec(
    name="last_year_admissions",
    words="emergency admissions in the last year",
    role="baseline",
    make=single_score,
    columns=("emergency_admission_count_365",),
)
