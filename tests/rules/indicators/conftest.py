"""Runs the rule of one indicator on a few people of whom only what matters is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.site import Site

Person = Mapping[str, Any]
DAYS_AND_NUMBERS = {"integer": 0.0, "number": np.nan, "date": np.nan, "boolean": False, "string": ""}
"""What a rule finds for somebody without a row: of a fact a count is 0; of a table with one row a person a missing number is NaN."""


def answers(name: str, people: Sequence[Person]) -> list[str]:
    """For each person `-` (not in the denominator), `no` (in it only) or `yes` (in the numerator too). Values that no rule reads are refused."""
    spec = registry.indicators()[name]
    assert spec.assign is not None
    blank: dict[str, Any] = {}
    for contract_id, columns in spec.columns.items():
        contract = load_contract(contract_id)
        for column in columns:
            kind = contract.column(column).logical_type
            blank[column] = np.nan if kind == "integer" else DAYS_AND_NUMBERS[kind]
    for contract_id, subjects in spec.facts.items():
        contract = load_contract(contract_id)
        for subject, columns in subjects.items():
            blank |= {f"{subject}.{column}": DAYS_AND_NUMBERS[contract.column(column).logical_type] for column in columns}
    assert not {word for person in people for word in person} - set(blank), "a table of people says what the rule does not read"
    values = {
        word: np.array([person.get(word, nothing) for person in people], dtype=object if nothing == "" else None) for word, nothing in blank.items()
    }
    is_in, has = spec.assign(values, Site())
    assert is_in.dtype == has.dtype == np.bool_
    return ["-" if not inside else "yes" if done else "no" for inside, done in zip(is_in, has, strict=True)]


@pytest.fixture(scope="session")
def judge() -> Callable[[str, Sequence[Person]], list[str]]:
    return answers
