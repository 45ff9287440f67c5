"""Fits and judges the models of the catalogue on a table from anywhere: the training of this house, on data that is not.

Each row is predicted by models that saw neither it nor any other row of its person: five folds, and within each its own search for parameters and
its own recalibration. What does not belong here: reading the file (`csv_table.py`), and the figures (`methods/`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath import registry
from fuller_popheath.methods.calibration import calibration_curve, calibration_in_the_large, calibration_slope, observed_over_expected
from fuller_popheath.methods.discrimination import auroc, average_precision
from fuller_popheath.methods.logistic_line import logistic_loss
from fuller_popheath.methods.probability_error import brier, scaled_brier
from fuller_popheath.risk import fitting, model_store
from fuller_popheath.risk.csv_table import PERSON, OneTable, read_table
from fuller_popheath.risk.fitted import FittedModel, recalibrated
from fuller_popheath.risk.fitting import SomeRows, pick
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.risk.recalibration import Recalibration, recalibration_of
from fuller_popheath.specs import ModelSpec, Parameters
from fuller_popheath.whole_files import replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Training

FOLDS = 5

FEW_ROWS = 3_000
"""Up to so many rows every row judges each trial (INNER_FOLDS within the fold), and FEW_ROWS_TRIALS times as many are made; of more, a part does."""
FEW_ROWS_TRIALS = 3

MANY_ROWS = 20_000
"""Up to so many rows the recalibration rests on all of them (INNER_FOLDS again); of more, on ASIDE_SHARE of the persons, who are held aside."""

INNER_FOLDS = 4
ASIDE_SHARE = 0.2

TOO_GOOD = 0.98
"""No clinical model is as good as this AUROC: a column that was filled in because of the outcome is."""
CUTS = 20
"""A number is looked at alone as a category of so many equal shares too, so that both its ends may go with the outcome."""

AGE_GROUP = "all"

Say = Callable[[str], None]


def train_on_table(path: Path, outcome_column: str, out: Path, seed: int, training: Training, say: Say = lambda _: None) -> dict[str, Any]:
    """Fits, judges and stores every model that the table of a CSV allows; `outcome_column` holds 1/0, true/false or yes/no.

    A column person_id groups the folds. Writes OUT/evaluation.json (and returns it; `warnings` are what may flatter the figures),
    OUT/predictions.csv (row, fold, outcome and each model's probability, from models that did not see the row) and OUT/models, fitted on all rows.
    The same rows in another order give the same.
    Raises FileRefused for a file that cannot be used, SettingsWrong for an unknown outcome.
    """
    table = read_table(path, outcome_column, seed, say)
    rows, fold = SomeRows(table.features, table.has_outcome), folds_of(table.features[PERSON], table.has_outcome, FOLDS, seed)
    specs = _possible(table.features.column_names, say)
    predicted, parameters, stored = {}, {}, {}
    for spec in specs:
        predicted[spec.name] = _out_of_fold(spec, rows, fold, seed, training, say)
        model = fitted_and_recalibrated(spec, rows, seed, training, model_store.named(outcome_column))
        parameters[spec.name], stored[spec.name] = dict(model.parameters), _save(out / "models", spec, model, table, seed)
        say(f"{spec.name}: AUROC {auroc(table.has_outcome, predicted[spec.name]).value:.3f}; fitted on all rows and stored.")
    told: dict[str, Any] = {
        "table": path.name,
        "outcome": outcome_column,
        "rows": len(fold),
        "events": int(table.has_outcome.sum()),
        "persons": len(table.features[PERSON].unique()),
        "folds": FOLDS,
        "seed": seed,
        "columns": table.features.column_names[1:],
        "left_out": table.left_out,
        "intervals": "95 %; rows count as independent of each other",
        "models": {name: metrics(table.has_outcome, probability) for name, probability in predicted.items()},
        "parameters": parameters,
        "stored": stored,
    }
    areas = {name: found["auroc"] for name, found in told["models"].items()}
    told["warnings"] = [*table.warnings, *leak_warnings(table, areas, outcome_column, fold)]
    text = json.dumps(told, indent=2, allow_nan=False) + "\n"
    out.mkdir(parents=True, exist_ok=True)
    # Predictions are about persons: the owner's only.
    replace_whole(out / "predictions.csv", lambda partial: partial.write_bytes(_csv(table, fold, predicted)), mode=0o600)
    replace_whole(out / "evaluation.json", lambda partial: partial.write_text(text, encoding="utf-8"))
    return told


def folds_of(persons: pa.ChunkedArray, has_outcome: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Which fold each row is in, from 0: a person's rows are in one fold, persons with and without the outcome are dealt evenly to all.

    Dealt by a keyed hash of the person, so that the order of the rows changes nothing.
    """
    import pyarrow as pa

    different = persons.combine_chunks().dictionary_encode()
    number, people = different.indices.to_numpy(), different.dictionary
    has_any = np.bincount(number, weights=has_outcome, minlength=len(people)) > 0
    order = np.lexsort((person_share(pa.chunked_array([people]), seed, f"{count} folds"), ~has_any))
    dealt = np.empty(len(people), dtype=np.int64)
    dealt[order] = np.arange(len(people)) % count
    return np.asarray(dealt[number])


def fitted_and_recalibrated(spec: ModelSpec, rows: SomeRows, seed: int, training: Training, outcome: str) -> FittedModel:
    """The model with the best of the tried parameters, fitted and recalibrated with those rows alone.

    Nobody recalibrates a model that was fitted on them: up to MANY_ROWS the recalibration is fitted on predictions of models of the other inner
    folds, beyond on persons held aside. Errors as `fitting.fit`.
    """
    names: dict[str, Any] = {"outcome": outcome, "age_group": AGE_GROUP}
    if len(rows.has_outcome) > MANY_ROWS:
        order = fitting.dealt(rows, seed)
        cut = round(len(order) * ASIDE_SHARE)
        aside, others = pick(rows, order[:cut]), pick(rows, order[cut:])
        best = fitting.search(spec, others, seed, training, **names).best
        return recalibrated(fitting.fit(spec, others, best, seed, training, **names), aside)
    if len(rows.has_outcome) > FEW_ROWS:
        tries = [fitting.search(spec, rows, seed, training, **names).best]
    else:
        tries = fitting.drawn(spec, seed, training.trials * FEW_ROWS_TRIALS)
    parameters, line = _best_of(tries, spec, rows, seed, training, names)
    return replace(fitting.fit(spec, rows, parameters, seed, training, **names), recalibration=line)


def metrics(has_outcome: np.ndarray, probability: np.ndarray) -> dict[str, float | None]:
    """The figures of one model by name; None where one is undefined."""
    told: dict[str, float] = {}
    for name, estimate in {
        "auroc": auroc(has_outcome, probability),
        "auprc": average_precision(has_outcome, probability),
        "brier": brier(has_outcome, probability),
        "scaled_brier": scaled_brier(has_outcome, probability),
        "calibration_slope": calibration_slope(has_outcome, probability),
        "calibration_in_the_large": calibration_in_the_large(has_outcome, probability),
        "observed_over_expected": observed_over_expected(has_outcome, probability),
    }.items():
        told |= {name: estimate.value, f"{name}_lower": estimate.lower, f"{name}_upper": estimate.upper}
    told["ici"] = calibration_curve(has_outcome, probability).ici
    return {name: float(value) if math.isfinite(value) else None for name, value in told.items()}


def leak_warnings(table: OneTable, area_of: dict[str, float | None], outcome: str, fold: np.ndarray) -> list[str]:
    """The columns that alone tell the outcome better than TOO_GOOD, or else the models that do (`area_of`: AUROC by name), each in a sentence."""
    names = [name for name in table.features.column_names if name != PERSON]
    alone = {name: _area_alone(table.features[name], table.has_outcome, fold) for name in names}
    told = [f"{name} alone tells {outcome} almost perfectly (AUROC {area:.3f})" for name, area in alone.items() if area > TOO_GOOD]
    good = [name for name, area in area_of.items() if (area or 0) > TOO_GOOD]
    if good and not told:
        best = max(alone, key=lambda name: alone[name])
        told = [f"AUROC above {TOO_GOOD} of {', '.join(good)}; the column that tells most alone is {best} (AUROC {alone[best]:.3f})"]
    return [f"{words}: knows the outcome? leave it out" for words in told]


def _area_alone(column: pa.ChunkedArray, has_outcome: np.ndarray, fold: np.ndarray) -> float:
    """The AUROC, 0.5 or more, of a column by itself: as a number either way round with the missing at either end, and as a category."""
    import pandas as pd

    cells = column.to_pandas()
    areas = []
    if cells.dtype == float:
        found = [auroc(has_outcome, cells.rank().fillna(end).to_numpy()).value for end in (-1.0, len(cells) + 1.0)]
        areas = [max(area, 1 - area) for area in found]
        cells = pd.Series(np.searchsorted(np.unique(cells.quantile(np.arange(1, CUTS) / CUTS)), cells), cells.index).where(cells.notna(), -1)
    rows = pd.DataFrame({"value": pd.factorize(cells, use_na_sentinel=False)[0], "fold": fold, "events": has_outcome, "rows": 1})
    sums = rows.groupby("value")[["events", "rows"]].transform("sum") - rows.groupby(["value", "fold"])[["events", "rows"]].transform("sum")
    # The share with the outcome among the same value in the other folds; a value that is in none of them says what all rows do.
    share = (sums["events"] + has_outcome.mean()) / (sums["rows"] + 1)
    areas.append(auroc(has_outcome, share.to_numpy()).value)
    return float(max(areas))


def _possible(columns: list[str], say: Say) -> list[ModelSpec]:
    specs = list(registry.models().values())
    possible = [spec for spec in specs if set(spec.columns) <= set(columns)]
    if skipped := [spec.name for spec in specs if spec not in possible]:
        say(f"Left out, because the table lacks the columns they are made of: {', '.join(skipped)}.")
    return possible


def _out_of_fold(spec: ModelSpec, rows: SomeRows, fold: np.ndarray, seed: int, training: Training, say: Say) -> np.ndarray:
    probability = np.empty(len(fold))
    for number in range(FOLDS):
        # A seed of its own, so that not the same persons are held aside in every fold.
        model = fitted_and_recalibrated(spec, pick(rows, np.flatnonzero(fold != number)), seed + 1 + number, training, AGE_GROUP)
        held = np.flatnonzero(fold == number)
        probability[held] = model.probability(rows.features.take(held))
        say(f"{spec.name}: fold {number + 1} of {FOLDS}")
    return probability


def _best_of(
    tries: list[Parameters], spec: ModelSpec, rows: SomeRows, seed: int, training: Training, names: dict[str, Any]
) -> tuple[Parameters, Recalibration]:
    """The parameters that predict best after recalibration, and that recalibration, both from models that did not see who they are judged on."""
    fold = folds_of(rows.features[PERSON], rows.has_outcome, INNER_FOLDS, seed)
    tried: list[tuple[float, Parameters, Recalibration]] = []
    for parameters in tries:
        log_odds = np.empty(len(fold))
        for number in range(INNER_FOLDS):
            held = np.flatnonzero(fold == number)
            model = fitting.fit(spec, pick(rows, np.flatnonzero(fold != number)), parameters, seed, training, **names)
            log_odds[held] = model.log_odds(rows.features.take(held))
        line = recalibration_of(log_odds, rows.has_outcome)
        tried.append((logistic_loss(line.apply(log_odds), rows.has_outcome), parameters, line))
    _, best, line = min(tried, key=lambda each: each[0])
    return best, line


def _save(folder: Path, spec: ModelSpec, model: FittedModel, table: OneTable, seed: int) -> str:
    encoding = model.encoding
    contract = [[name, kind, list(encoding.categories.get(name, ()))] for name, kind in zip(encoding.columns, encoding.kinds, strict=True)]
    manifest = {
        "outcome": model.outcome,
        "age_group": model.age_group,
        "model": model.model,
        "role": spec.role,
        "as_of": None,
        "is_synthetic": False,
        "seed": seed,
        "parameters": dict(model.parameters),
        "row_count": len(table.has_outcome),
        "event_count": int(table.has_outcome.sum()),
        "feature_contract_hash": hashlib.sha256(json.dumps(contract).encode()).hexdigest(),
    }
    return model_store.save(folder, model, manifest)


def _csv(table: OneTable, fold: np.ndarray, predicted: dict[str, np.ndarray]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "fold", "outcome", *predicted])
    for place in np.argsort(table.row_number):
        own = (f"{probability[place]:.10g}" for probability in predicted.values())
        writer.writerow([table.row_number[place], fold[place] + 1, int(table.has_outcome[place]), *own])
    return text.getvalue().encode()
