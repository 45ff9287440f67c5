"""Who is in which PLUS group: small tables of people, and for each yes, no or not recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.site import Site
from fuller_popheath.specs import PlusGroupSpec

YES, NO, NOT_RECORDED = 1, 0, -1
Cases = dict[str, tuple[dict[str, Any], int]]
CARER: Cases = {"coded": ({"has_carer": True}, YES), "not coded": ({}, NO), "a young carer": ({"age_years": 9, "has_carer": True}, YES)}
ETHNIC_MINORITY: Cases = {
    "White British": ({"ethnic_category": "A"}, NO),
    "White Irish": ({"ethnic_category": "B"}, YES),
    "any other": ({"ethnic_category": "S"}, YES),
    "Pakistani": ({"ethnic_category": "K"}, YES),
    "not stated": ({"ethnic_category": "Z"}, NOT_RECORDED),
    "not known": ({"ethnic_category": "99"}, NOT_RECORDED),
    "nothing recorded": ({"ethnic_category": ""}, NOT_RECORDED),
}
INCLUSION_HEALTH: Cases = {
    "homeless": ({"has_homelessness": True}, YES),
    "alcohol": ({"has_alcohol_problems": True}, YES),
    "drugs": ({"has_substance_misuse": True}, YES),
    "two of them": ({"has_homelessness": True, "has_substance_misuse": True}, YES),
    "none": ({}, NO),
}
LEARNING_DISABILITY_OR_AUTISM: Cases = {
    "learning disability": ({"has_learning_disability": True}, YES),
    "autism": ({"has_autism": True}, YES),
    "both": ({"has_learning_disability": True, "has_autism": True}, YES),
    "neither": ({}, NO),
}
LOOKED_AFTER_CHILD: Cases = {
    "a child": ({"age_years": 6, "has_looked_after_child": True}, YES),
    "seventeen": ({"age_years": 17, "has_looked_after_child": True}, YES),
    "eighteen: the code stays, the childhood does not": ({"age_years": 18, "has_looked_after_child": True}, NO),
    "an old person with the code": ({"age_years": 71, "has_looked_after_child": True}, NO),
    "a child without it": ({"age_years": 6}, NO),
}
SEVERE_MULTIMORBIDITY: Cases = {
    "three": ({"condition_count": 3}, NO),
    "four": ({"condition_count": 4}, YES),
    "nine": ({"condition_count": 9}, YES),
    "none": ({}, NO),
}
COASTAL: Cases = {
    "by the sea": ({"classification": "coastal"}, YES),
    "by the sea, in the country": ({"classification": "coastal;rural"}, YES),
    "inland": ({"classification": "inland;rural"}, NO),
    "nothing said of the sea": ({"classification": "rural"}, NOT_RECORDED),
    "both said": ({"classification": "coastal;inland"}, NOT_RECORDED),
    "no LSOA, or no file": ({}, NOT_RECORDED),
}
RURAL: Cases = {
    "rural": ({"classification": "coastal;rural"}, YES),
    "in town": ({"classification": "coastal;urban"}, NO),
    "nothing said of it": ({"classification": "coastal"}, NOT_RECORDED),
    "no LSOA, or no file": ({}, NOT_RECORDED),
}
EXPECTED: dict[str, Cases] = {
    "coastal": COASTAL,
    "rural": RURAL,
    "carer": CARER,
    "ethnic_minority": ETHNIC_MINORITY,
    "inclusion_health": INCLUSION_HEALTH,
    "learning_disability_or_autism": LEARNING_DISABILITY_OR_AUTISM,
    "looked_after_child": LOOKED_AFTER_CHILD,
    "severe_multimorbidity": SEVERE_MULTIMORBIDITY,
}


def values_of(group: PlusGroupSpec, *people: dict[str, Any]) -> dict[str, np.ndarray]:
    """People as the group reads them; what is not said of them is not recorded, and their age is 40."""
    found: dict[str, np.ndarray] = {}
    for contract, names in group.columns.items():
        for name in names:
            kind = load_contract(contract).column(name).logical_type
            usual: Any = {"boolean": False, "string": ""}.get(kind, 40 if name == "age_years" else 0.0)
            found[name] = np.array([person.get(name, usual) for person in people], dtype=object if kind == "string" else None)
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_who_is_in_the_group(name: str) -> None:
    group, cases = registry.plus_groups()[name], EXPECTED[name]
    told = np.asarray(group.assign(values_of(group, *(person for person, _ in cases.values())), Site()))
    assert dict(zip(cases, told.tolist(), strict=True)) == {who: answer for who, (_, answer) in cases.items()}


def test_every_group_is_tested_on_somebody_who_is_in_it_and_somebody_who_is_not() -> None:
    assert set(EXPECTED) == set(registry.plus_groups())
    for name, cases in EXPECTED.items():
        assert {YES, NO} <= {answer for _, answer in cases.values()}, name


def test_every_group_says_where_it_comes_from_and_what_it_cannot_tell() -> None:
    for group in registry.plus_groups().values():
        assert "Core20PLUS5" in group.source, group.name
        assert len(group.limits) > 50, group.name
