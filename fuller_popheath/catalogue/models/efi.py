"""The electronic frailty index as teams use it: the number of deficits (Clegg and others, Age and Ageing 2016). Made for people of 65 and over."""

from __future__ import annotations

from fuller_popheath.methods.rule_scores import single_score
from fuller_popheath.specs import ModelSpec

MODEL = ModelSpec(
    name="efi", words="electronic frailty index: number of deficits", role="baseline", make=single_score, columns=("efi_deficit_count",)
)
