"""Models of a table from anywhere: what is written is what scikit-learn's own figures say, and no row is judged by a model that saw its person."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fuller_popheath import registry
from fuller_popheath.errors import FileRefused
from fuller_popheath.methods.calibration import calibration_slope
from fuller_popheath.risk import model_store, one_table
from fuller_popheath.risk.csv_table import read_table
from fuller_popheath.risk.one_table import FOLDS, folds_of, metrics, train_on_table
from fuller_popheath.site import Training

QUICK = Training(trials=1)
LEARNT = {"additive", "boosting", "logistic"}


def write(path: Path, columns: dict[str, Any]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    return path


def known(rows: int, seed: int, persons: int | None = None) -> tuple[dict[str, Any], np.ndarray]:
    """A table whose true log-odds are known: two numbers (one with cells missing), a category, and a person's own risk where there are persons."""
    rng = np.random.default_rng(seed)
    age, bmi, smoking = rng.uniform(20, 90, rows), rng.normal(27, 5, rows), rng.choice(["never", "ex", "current"], rows)
    log_odds = -2 + 0.04 * (age - 55) + 0.05 * (bmi - 27) + np.select([smoking == "current", smoking == "ex"], [0.9, 0.3], 0.0)
    outcome = rng.random(rows) < 1 / (1 + np.exp(-log_odds))
    shown = [f"{value:.2f}" if rng.random() > 0.1 else "" for value in bmi]
    table: dict[str, Any] = {"age": np.round(age, 2), "bmi": shown, "smoking": smoking, "stroke": np.where(outcome, "yes", "no")}
    return ({"person_id": rng.integers(0, persons, rows), **table} if persons else table), log_odds


def predictions(out: Path) -> dict[str, np.ndarray]:
    with (out / "predictions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], np.ndarray, list[str]]:
    folder = tmp_path_factory.mktemp("one")
    columns, log_odds = known(4_000, 1)
    said: list[str] = []
    told = train_on_table(write(folder / "table.csv", columns), "stroke", folder / "out", 3, QUICK, said.append)
    return folder / "out", told, log_odds, said


def test_every_model_of_the_catalogue_that_can_be_is_fitted_judged_and_stored(run: tuple[Path, dict[str, Any], np.ndarray, list[str]]) -> None:
    out, told, _, said = run
    assert json.loads((out / "evaluation.json").read_text()) == told
    assert set(told["models"]) == set(told["parameters"]) == set(told["stored"]) == LEARNT
    assert (told["table"], told["outcome"], told["rows"], told["folds"], told["seed"]) == ("table.csv", "stroke", 4_000, 5, 3)
    assert told["columns"] == ["age", "bmi", "smoking"]
    assert any("Left out, because the table lacks the columns they are made of: age_sex" in words for words in said)
    table = read_table(out.parent / "table.csv", "stroke", 3, said.append)
    for name, model_id in told["stored"].items():
        model = model_store.load(out / "models", model_id).model
        assert (model.model, model.outcome) == (name, "stroke")
        assert roc_auc_score(table.has_outcome, model.probability(table.features)) > 0.7


def test_the_figures_are_those_of_scikit_learn_on_the_predictions(run: tuple[Path, dict[str, Any], np.ndarray, list[str]]) -> None:
    out, told, _, _ = run
    rows = predictions(out)
    assert told["events"] == rows["outcome"].sum()
    for name, figures in told["models"].items():
        assert figures["auroc"] == pytest.approx(roc_auc_score(rows["outcome"], rows[name]), abs=1e-9)
        assert figures["auprc"] == pytest.approx(average_precision_score(rows["outcome"], rows[name]), abs=1e-9)
        assert figures["brier"] == pytest.approx(brier_score_loss(rows["outcome"], rows[name]), abs=1e-9)
        log_odds = np.log(rows[name] / (1 - rows[name]))
        line = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds[:, None], rows["outcome"])
        assert figures["calibration_slope"] == pytest.approx(line.coef_[0, 0], abs=1e-4)
        assert figures["observed_over_expected"] == pytest.approx(rows["outcome"].sum() / rows[name].sum(), abs=1e-9)
        assert figures["auroc_lower"] < figures["auroc"] < figures["auroc_upper"]
        assert figures["calibration_slope_lower"] < 1 < figures["calibration_slope_upper"]
        assert figures["calibration_in_the_large_lower"] < 0 < figures["calibration_in_the_large_upper"]


def test_models_come_near_the_truth_that_was_put_in(run: tuple[Path, dict[str, Any], np.ndarray, list[str]]) -> None:
    out, _, log_odds, _ = run
    rows = predictions(out)
    truth = 1 / (1 + np.exp(-log_odds))
    for name in LEARNT:
        assert roc_auc_score(rows["outcome"], truth) - roc_auc_score(rows["outcome"], rows[name]) < 0.02
        assert np.abs(rows[name] - truth).mean() < 0.04


def test_a_small_clinical_table_does_as_well_as_scikit_learn_by_hand(tmp_path: Path) -> None:
    data = load_breast_cancer()
    malignant = 1 - data.target
    columns = {"": np.arange(len(malignant)), **dict(zip(data.feature_names, data.data.T, strict=True)), "malignant": malignant}
    told = train_on_table(write(tmp_path / "t.csv", columns), "malignant", tmp_path / "out", 1, QUICK)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1)
    by_hand = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5_000))
    risks = cross_val_predict(by_hand, data.data, malignant, cv=folds, method="predict_proba")[:, 1]
    assert told["left_out"] == {"unnamed_1": "it is a row number or an identifier"}
    for figures in told["models"].values():
        assert figures["auroc"] > roc_auc_score(malignant, risks) - 0.012
        assert figures["brier"] < brier_score_loss(malignant, risks) + 0.02
        assert figures["observed_over_expected"] == pytest.approx(1, abs=0.05)


def test_no_person_is_in_two_folds_and_each_fold_has_its_share_of_events(tmp_path: Path) -> None:
    columns, _ = known(600, 4, persons=200)
    table = read_table(write(tmp_path / "t.csv", columns), "stroke", 1, lambda _: None)
    fold = folds_of(table.features["person_id"], table.has_outcome, FOLDS, 1)
    folds_by_person: dict[str, set[int]] = {}
    for person, number in zip(table.features["person_id"].to_pylist(), fold.tolist(), strict=True):
        folds_by_person.setdefault(person, set()).add(number)
    assert {len(folds) for folds in folds_by_person.values()} == {1}
    events = np.bincount(fold, weights=table.has_outcome)
    assert events.max() < 2 * events.min()
    assert not np.array_equal(fold, folds_of(table.features["person_id"], table.has_outcome, FOLDS, 2))


def test_a_row_is_judged_by_models_that_did_not_see_its_person(tmp_path: Path) -> None:
    """Persons whose rows are all alike and whose outcome is pure chance: whoever had seen them would know the outcome."""
    rng = np.random.default_rng(5)
    mark, fate = rng.normal(size=60), np.arange(60) % 2
    person = np.repeat(np.arange(60), 4)
    told = train_on_table(
        write(tmp_path / "t.csv", {"person_id": person, "mark": mark[person], "ill": fate[person]}), "ill", tmp_path / "out", 1, QUICK
    )
    assert all(figures["auroc"] < 0.75 for figures in told["models"].values())


@pytest.mark.parametrize("few", [True, False], ids=["few rows", "many rows"])
def test_the_order_of_the_rows_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: bool) -> None:
    monkeypatch.setattr(one_table, "FEW_ROWS", 1_000 if few else 100)
    columns, _ = known(300, 6, persons=150)
    order = np.random.default_rng(1).permutation(300)
    turned = {name: np.asarray(cells)[order] for name, cells in columns.items()}
    one = train_on_table(write(tmp_path / "t.csv", columns), "stroke", tmp_path / "one", 1, QUICK)
    (tmp_path / "again").mkdir()
    two = train_on_table(write(tmp_path / "again" / "t.csv", turned), "stroke", tmp_path / "two", 1, QUICK)
    assert one == two
    first, second = predictions(tmp_path / "one"), predictions(tmp_path / "two")
    assert all(np.array_equal(first[name][order], second[name]) for name in (*LEARNT, "fold", "outcome"))


def test_baselines_are_judged_where_the_table_has_their_columns(tmp_path: Path) -> None:
    columns, _ = known(300, 7)
    columns |= {"age_years": np.round(columns.pop("age")), "sex": ["male", "female"] * 150, "emergency_admission_count_365": [0, 0, 1, 2, 0, 5] * 50}
    told = train_on_table(write(tmp_path / "t.csv", columns), "stroke", tmp_path / "out", 1, QUICK)
    assert set(told["models"]) == LEARNT | {"age_sex", "last_year_admissions"}


def test_what_is_undefined_is_null_and_not_a_word_that_json_does_not_know() -> None:
    told = metrics(np.arange(50) % 2 == 0, np.full(50, 0.5))
    assert told["auroc"] == 0.5
    assert told["calibration_slope"] is None
    json.dumps(told, allow_nan=False)


def test_a_table_that_says_too_little_leaves_nothing_behind(tmp_path: Path) -> None:
    columns, _ = known(40, 8)
    with pytest.raises(FileRefused, match="has 40 rows"):
        train_on_table(write(tmp_path / "t.csv", columns), "stroke", tmp_path / "out", 1, QUICK)
    assert not (tmp_path / "out").exists()


def test_predictions_are_the_owners_only(run: tuple[Path, dict[str, Any], np.ndarray, list[str]]) -> None:
    assert (run[0] / "predictions.csv").stat().st_mode & 0o077 == 0


def test_a_column_that_knows_the_outcome_is_named(tmp_path: Path) -> None:
    columns, _ = known(400, 9)
    told = train_on_table(
        write(tmp_path / "t.csv", columns | {"days_to_stroke": [5 if cell == "yes" else "" for cell in columns["stroke"]]}),
        "stroke",
        tmp_path / "out",
        1,
        QUICK,
    )
    assert [words for words in told["warnings"] if "days_to_stroke alone" in words and "knows the outcome? leave it out" in words]
    assert not any("age alone" in words or "bmi alone" in words for words in told["warnings"])
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["warnings"] == told["warnings"]


def test_copies_of_rows_do_not_flatter_the_figures(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    mark, ill = np.tile(rng.normal(size=150), 3), np.tile(np.arange(150) % 2, 3)
    told = train_on_table(write(tmp_path / "t.csv", {"mark": mark, "ill": ill}), "ill", tmp_path / "out", 1, QUICK)
    assert told["persons"] == 150
    assert "450 of 450 rows are the same as another" in told["warnings"][0]
    assert all(figures["auroc"] < 0.65 for figures in told["models"].values())


@pytest.mark.parametrize("l2_per_row", [0.003, 0.1, 0.3])
def test_a_heavy_penalty_leaves_risks_calibrated_on_people_held_out(tmp_path: Path, l2_per_row: float) -> None:
    """Recalibrated on models of three quarters of the rows: the slope held out was 0.886 where the penalty did not go with the rows."""
    from dataclasses import replace

    spec = registry.models()["logistic"]
    heavy = replace(spec, make=lambda *given: spec.make(given[0], given[1], {**given[2], "knots": 0, "l2_per_row": l2_per_row}, given[3]), tries={})
    others, log_odds = known(20_000, 12)
    # These judges' own slope of the true risks is not quite 1 (1.046): models are held to theirs.
    of_truth = calibration_slope(np.array(others["stroke"]) == "yes", 1 / (1 + np.exp(-log_odds))).value
    judges = read_table(write(tmp_path / "u.csv", others), "stroke", 1, lambda _: None)
    slopes = []
    # One draw of so few rows has a slope of its own, give or take 0.07; their mean tells whether the method is right.
    for draw in range(20, 28):
        columns, _ = known(2_900, draw)
        table = read_table(write(tmp_path / "t.csv", columns), "stroke", 1, lambda _: None)
        model = one_table.fitted_and_recalibrated(heavy, one_table.SomeRows(table.features, table.has_outcome), 1, QUICK, "stroke")
        slopes.append(calibration_slope(judges.has_outcome, model.probability(judges.features)).value)
    assert 0.9 < np.mean(slopes) / of_truth < 1.1
