"""Small feature tables that keep to their contracts, and models fitted on them in a moment: what scoring is tested with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.contracts.model import Column
from fuller_popheath.risk.fitted import FittedModel, recalibrated
from fuller_popheath.risk.fitting import fit
from fuller_popheath.risk.model_manifest import made_with
from fuller_popheath.site import Training

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2026, 8, 1)
MISSING = 0.2


def cells(column: Column, rng: np.random.Generator, rows: int) -> pa.Array:
    """Values that a feature column may have; some are missing where they may be."""
    import pyarrow as pa

    mask = rng.random(rows) < (0 if column.required else MISSING)
    if column.logical_type == "boolean":
        return pa.array(rng.random(rows) < 0.2, mask=mask)
    if column.logical_type == "string":
        return pa.array(rng.choice(list(column.allowed or ()), rows), mask=mask)
    least, most = float(column.minimum or 0), float(column.maximum or 1_000_000)
    if column.logical_type == "integer":
        spread = 500 if column.unit == "days" else 40 if column.name == "age_years" else 3
        return pa.array(np.minimum(rng.poisson(rng.gamma(1, spread, rows)) + least, most).astype(np.int64), mask=mask)
    return pa.array(np.clip(rng.normal(20 if most > 1 else 0.5, 15 if most > 1 else 0.3, rows), least, most), mask=mask)


def people_with_features(rows: int, seed: int) -> pa.Table:
    """person_id and every feature column, as `index_population.beside` puts them together."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz234567"))
    columns = {"person_id": pa.array(["".join(letters[i // 32**place % 32] for place in range(11, -1, -1)) for i in range(rows)])}
    for name in registry.features():
        for column in load_contract(name).columns:
            if column.name not in ("as_of", "person_id"):
                columns[column.name] = cells(column, rng, rows)
    return pa.table(columns)


@dataclass(frozen=True)
class Labelled:
    """People and what became of them."""

    features: pa.Table
    has_outcome: np.ndarray


def people_with_outcomes(rows: int, seed: int) -> Labelled:
    features = people_with_features(rows, seed)
    admissions = features["emergency_admission_count_365"].to_numpy()
    ages = features["age_years"].to_numpy()
    chance = 1 / (1 + np.exp(3 - 0.4 * admissions - 0.01 * ages))
    return Labelled(features, np.random.default_rng(seed + 1).random(rows) < chance)


def fitted(name: str, outcome: str, age_group: str, seed: int = 1) -> FittedModel:
    spec, people = registry.models()[name], people_with_outcomes(2_000, seed)
    usual = {parameter: values[0] for parameter, values in spec.tries.items()}
    fast = {**usual, "iterations": 30} if "iterations" in usual else usual
    model = fit(spec, people, fast, seed, Training(), outcome=outcome, age_group=age_group)
    return recalibrated(model, people_with_outcomes(1_000, seed + 7))


def manifest_of(model: FittedModel, **other: Any) -> dict[str, Any]:
    said = {"outcome": model.outcome, "age_group": model.age_group, "model": model.model, "role": "default", "as_of": DAY.isoformat()}
    return {**said, "is_synthetic": True, "seed": 1, **made_with(), **other}


@pytest.fixture(scope="session")
def some_people() -> Callable[[int, int], pa.Table]:
    return people_with_features


@pytest.fixture(scope="session")
def additive() -> FittedModel:
    return fitted("additive", "emergency_admission_12m", "adult")


@pytest.fixture(scope="session")
def children() -> FittedModel:
    return fitted("additive", "emergency_admission_12m", "under_18", seed=2)


@pytest.fixture(scope="session")
def every_model() -> Mapping[str, FittedModel]:
    """One of each kind there is."""
    return {name: fitted(name, "emergency_admission_12m", "adult") for name in registry.models()}


@pytest.fixture(scope="session")
def manifest() -> Callable[..., dict[str, Any]]:
    return manifest_of
