"""The electronic frailty index as teams use it: the number of deficits (Clegg and others, Age and Ageing 2016). Made for people of 65 and over."""

from __future__ import annotations

from fuller_popheath.methods.rule_scores import SingleScore
from fuller_popheath.specs import ModelSpec, Parameters


def make(columns: tuple[str, ...], is_categorical: tuple[bool, ...], parameters: Parameters, seed: int) -> SingleScore:
    """The column as it stands; only the line from it to a probability is fitted."""
    del columns, is_categorical, parameters, seed
    return SingleScore()


MODEL = ModelSpec(name="efi", words="electronic frailty index: number of deficits", role="baseline", make=make, columns=("efi_deficit_count",))
