"""A small make-believe evaluation, made by hand: one model, two others, groups of which one is red and one is hidden. Conforms to the contracts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

from fuller_popheath.contracts import load_contract, refuse_if_broken

if TYPE_CHECKING:
    import pyarrow as pa

AS_OF = date(2026, 10, 1)
OUTCOME = "emergency_admission_12m"
MODEL_ID = "emergency_admission_12m.adult.additive.2026-10-01.0a1b2c3d0a1b2c3d"
AUROC = 0.79
QUINTILES = {"1": 1.06, "2": 1.01, "3": 0.98, "4": 0.97, "5": 0.70}
"""Observed over expected; 5 is the red one, with an interval of 0.63 to 0.78."""


class Example(NamedTuple):
    """What a card is made of."""

    manifest: dict[str, Any]
    evaluation: pa.Table
    curves: pa.Table
    population: pa.Table
    drift: pa.Table


def example() -> Example:
    """The whole example, new each time, so that a test may change it."""
    return Example(manifest(), evaluation(), curves(), population(), drift())


def manifest() -> dict[str, Any]:
    """As `risk/model_store.py` reads it."""
    return {
        "model_id": MODEL_ID,
        "outcome": OUTCOME,
        "age_group": "adult",
        "model": "additive",
        "role": "default",
        "as_of": AS_OF.isoformat(),
        "is_synthetic": True,
        "columns": ["age_years", "sex", "emergency_admission_count_365", "shoe_size"],
        "feature_contract_hash": "f" * 64,
        "code_version": "0.1.0+0123456789ab",
        "library_versions": {"numpy": "2.0.0", "scikit-learn": "1.9.0"},
        "seed": 20260401,
        "parameters": {"iterations": 300.0, "learning_rate": 0.06},
        "trials": [
            {"parameters": {"iterations": 200.0}, "log_loss": 0.24, "auroc": 0.78},
            {"parameters": {"iterations": 300.0}, "log_loss": 0.23, "auroc": 0.79},
        ],
        "recalibration": {"intercept": -0.02134, "slope": 1.03, "without_group": [{"intercept": -0.02, "slope": 1.03}] * 5},
        "development_index_date": "2024-10-01",
        "validation_index_date": "2025-10-01",
        "people": {
            "fit": {"people": 41_003, "with_outcome": 3_277},
            "validate": {"people": 28_004, "with_outcome": 2_238},
        },
    }


Wanted = tuple[str, float | None, float | None, float | None, str | None]


def _everybody(auroc: float, model: str) -> Iterator[Wanted]:
    is_judged = model == "additive"
    yield "auroc", auroc, auroc - 0.009, auroc + 0.009, "green" if is_judged else None
    yield "auprc", 0.33, 0.31, 0.35, None
    yield "brier", 0.0662, 0.0641, 0.0683, None
    yield "scaled_brier", 0.101, 0.092, 0.110, None
    yield "observed_over_expected", 1.004, 0.962, 1.047, "green" if is_judged else None
    yield "calibration_slope", 0.992, 0.958, 1.026, "green" if is_judged else None
    yield "outcome_share", 0.0799, 0.0768, 0.0831, None
    yield "ppv_top_1_percent", 0.514, 0.456, 0.572, None
    yield "sensitivity_top_1_percent", 0.0643, 0.055, 0.0753, None
    yield "observed_over_expected_top_1_percent", 0.98, 0.84, 1.13, None
    yield "lift_top_1_percent", 6.43, None, None, None


def evaluation() -> pa.Table:
    """risk/evaluation: `additive` in three validations and by group, `boosting` and `age_sex` beside it."""
    rows: list[dict[str, Any]] = []

    def add(model: str, wanted: Wanted, kind: str = "all", group: str = "all", validation: str = "temporal", people: int | None = 28_005) -> None:
        metric, value, lower, upper, verdict = wanted
        outcomes = None if people is None else 5 * round(people * 0.08 / 5)
        told = {"validation": validation, "subgroup_kind": kind, "subgroup": group, "imd_edition": "2025" if kind == "imd_quintile" else None}
        figure = {"metric": metric, "value": value, "lower": lower, "upper": upper, "verdict": verdict}
        counts = {"people_count": people, "outcome_count": outcomes, "is_hidden": people is None}
        about = {"as_of": AS_OF, "outcome": OUTCOME, "age_group": "adult", "model": model, "model_id": None}
        rows.append({**about, **told, **figure, **counts})

    for model, auroc in (("additive", AUROC), ("boosting", 0.791), ("age_sex", 0.705)):
        for wanted in _everybody(auroc, model):
            add(model, wanted)
    add("boosting", ("auroc_difference", 0.001, -0.001, 0.003, None))
    add("age_sex", ("auroc_difference", -0.085, -0.094, -0.076, None))
    for validation, auroc in (("unseen", 0.786), ("geographic", 0.784)):
        add("additive", ("auroc", auroc, auroc - 0.02, auroc + 0.02, None), validation=validation, people=4_000)
    add("additive", ("seed_mean_difference", 0.0041, None, None, None))
    for group, ratio in QUINTILES.items():
        verdict = "red" if ratio < 0.8 else "green"
        add("additive", ("observed_over_expected", ratio, ratio * 0.9, ratio * 1.11, verdict), "imd_quintile", group, people=5_600)
        add("additive", ("auroc", 0.78, 0.75, 0.81, None), "imd_quintile", group, people=5_600)
    for group, people in (("contact", 21_000), ("no_contact", 7_005)):
        add("additive", ("observed_over_expected", 1.1, 0.95, 1.27, "amber"), "contact_level", group, people=people)
    add("additive", ("observed_over_expected", None, None, None, None), "plus_group", "homelessness", people=None)
    add("additive", ("auroc", None, None, None, None), "plus_group", "homelessness", people=None)
    return _conforming(rows, "risk/evaluation")


def curves() -> pa.Table:
    """risk/evaluation_curve: a binormal ROC curve of the AUROC above, and curves that fit it roughly."""
    normal, shift = NormalDist(), math.sqrt(2) * NormalDist().inv_cdf(AUROC)
    shares = [k / 40 for k in range(1, 40)]
    found = [normal.cdf(shift + normal.inv_cdf(x)) for x in shares]
    tenths = [0.008, 0.015, 0.022, 0.031, 0.042, 0.056, 0.075, 0.103, 0.153, 0.297]
    drawn: dict[str, list[tuple[float, float | None, float | None, float | None]]] = {
        "roc": [(0.0, 0.0, None, None), *((x, y, None, None) for x, y in zip(shares, found, strict=True)), (1.0, 1.0, None, None)],
        "precision_recall": [(y, 0.08 * y / (0.08 * y + 0.92 * x), None, None) for x, y in zip(shares, found, strict=True)],
        "calibration": [(x / 50, x / 50 * 1.02, x / 50 * 0.9, x / 50 * 1.15) for x in range(1, 40)],
        "calibration_decile": [(x, x * 0.99, x * 0.85, x * 1.15) if x > 0.01 else (x, None, None, None) for x in tenths],
        "decision": [(t / 100, 0.06 * math.exp(-t / 12), 0.055 * math.exp(-t / 12), 0.065 * math.exp(-t / 12)) for t in range(1, 61)],
        "decision_all": [(t / 100, 0.08 - 0.92 * (t / 100) / (1 - t / 100), None, None) for t in range(1, 61)],
        "learning": [(n, 0.79 - 4 / math.sqrt(n) * 0.5, None, None) for n in (5_125, 10_251, 20_502, 41_002)],
        "risk_distribution": [(k / 50, None if k == 30 else float(5 * round(3_000 * math.exp(-k / 4))), None, None) for k in range(50)],
    }
    about = {"as_of": AS_OF, "outcome": OUTCOME, "age_group": "adult", "model": "additive", "model_id": None, "validation": "temporal"}
    rows = [
        {**about, "curve": curve, "point": place, "x": float(x), "y": y, "lower": lower, "upper": upper}
        for curve, points in drawn.items()
        for place, (x, y, lower, upper) in enumerate(points)
    ]
    return _conforming(rows, "risk/evaluation_curve")


def population() -> pa.Table:
    """risk/training_population: few are told of by a later list, so that a small count is among them."""
    rows = []
    for use, index_date, later in (("development", date(2024, 10, 1), 3), ("validation", date(2025, 10, 1), 811)):
        left_out = {"excluded_objection_count": 1_204, "excluded_left_count": 799, "not_at_risk_count": 0}
        counts = {"people_count": 43_006, **left_out, "at_risk_count": 41_003, "outcome_count": 3_277, "later_list_count": later}
        rows.append({"as_of": AS_OF, "index_date": index_date, "outcome": OUTCOME, "age_group": "adult", "use": use, **counts})
    return _conforming(rows, "risk/training_population")


def drift() -> pa.Table:
    """risk/drift: one feature green, one red; and the same model as at an earlier day, all red, which does not count any more."""
    import pyarrow as pa

    rows = [
        {"as_of": day, "feature": feature, "population_stability_index": index, "verdict": verdict}
        for day, feature, index, verdict in (
            (date(2026, 11, 1), "age_years", 0.01, "green"),
            (date(2026, 11, 1), "contact_count_365", 0.41, "red"),
            (AS_OF, "age_years", 0.9, "red"),
        )
    ]
    about = {"outcome": OUTCOME, "age_group": "adult", "model_id": MODEL_ID, "missing_percent_training": 0.0, "missing_percent_now": 12.5}
    return pa.Table.from_pylist([{**row, **about} for row in rows], schema=load_contract("risk/drift").schema)


def _conforming(rows: list[dict[str, Any]], contract_id: str) -> pa.Table:
    import pyarrow as pa

    contract = load_contract(contract_id)
    return refuse_if_broken(pa.Table.from_pylist(rows, schema=contract.schema), contract)
