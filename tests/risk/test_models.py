"""The catalogue's models: one default, the baselines that teams use today, and no column that does not exist."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fuller_popheath import registry
from fuller_popheath.catalogue.models import red_amber_green
from fuller_popheath.contracts import load_contract
from fuller_popheath.methods.rule_scores import ThresholdRule

FEATURES = {column.name: column for contract in registry.features() for column in load_contract(contract).columns}
BASELINES = {"age_sex", "cambridge", "condition_count", "efi", "last_year_admissions", "red_amber_green"}


def test_there_is_one_default_and_every_rule_of_today_is_a_baseline() -> None:
    by_role: dict[str, set[str]] = {}
    for spec in registry.models().values():
        by_role.setdefault(spec.role, set()).add(spec.name)
    assert by_role == {"default": {"additive"}, "challenger": {"boosting", "logistic"}, "baseline": BASELINES}


@pytest.mark.parametrize("name", registry.models())
def test_a_model_looks_at_features_that_exist_and_tries_what_its_estimator_knows(name: str) -> None:
    spec = registry.models()[name]
    assert set(spec.columns) <= set(FEATURES)
    columns = spec.columns or ("age_years", "sex")
    is_categorical = tuple(FEATURES[column].logical_type == "string" for column in columns)
    usual = spec.make(columns, is_categorical, {}, 1)
    assert set(spec.tries) <= set(getattr(usual, "parameters", {}))
    for parameter, values in spec.tries.items():
        changed = spec.make(columns, is_categorical, {parameter: values[-1]}, 1)
        assert changed.parameters == {**usual.parameters, parameter: values[-1]}  # type: ignore[attr-defined]


def test_baselines_have_nothing_to_try() -> None:
    assert not any(registry.models()[name].tries for name in BASELINES)


PERSONS = [
    ("well", {}, 0),
    ("moderately frail at 65", {"efi_deficit_count": 9, "age_years": 65}, 1),
    ("as many deficits at 64", {"efi_deficit_count": 13, "age_years": 64}, 0),
    ("severely frail", {"efi_deficit_count": 13, "age_years": 65}, 2),
    ("cancer", {"has_cancer": True}, 1),
    ("cancer that has spread", {"has_cancer": True, "has_metastatic_cancer": True}, 2),
    ("at the end of life", {"has_palliative_care": True}, 2),
    ("three conditions", {"condition_count": 3}, 0),
    ("four conditions", {"condition_count": 4}, 1),
    ("seven conditions", {"condition_count": 7}, 2),
]


@pytest.mark.parametrize(("who", "what", "level"), PERSONS, ids=[who for who, _, _ in PERSONS])
def test_the_red_amber_green_rule(who: str, what: dict[str, float], level: int) -> None:
    rule = red_amber_green.MODEL.make(red_amber_green.COLUMNS, (False,) * len(red_amber_green.COLUMNS), {}, 1)
    assert isinstance(rule, ThresholdRule)
    person = np.array([[float(what.get(column, 0)) for column in red_amber_green.COLUMNS]])
    assert rule.level(person).tolist() == [level], who


def test_every_column_a_single_score_reads_is_a_number() -> None:
    for name in BASELINES - {"age_sex"}:
        assert all(pa.types.is_primitive(FEATURES[column].arrow_type) for column in registry.models()[name].columns)
