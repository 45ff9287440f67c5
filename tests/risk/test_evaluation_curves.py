"""Curves go where they must, and have no point at which a few people would stand alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.risk.evaluation import Predictions, about
from fuller_popheath.risk.evaluation_curves import curves, learning
from fuller_popheath.risk.subgroups import groups_of

AS_OF = date(2026, 8, 1)
Points = list[dict[str, Any]]


def predictions(people: int, middle: float = -2.5, seed: int = 4) -> Predictions:
    rng = np.random.default_rng(seed)
    score = rng.normal(middle, 1.3, people)
    probability = 1 / (1 + np.exp(-score))
    groups = groups_of({"sex": np.array(["male"] * people)})
    return Predictions("death_12m", "adult", "additive", None, "temporal", rng.random(people) < probability, probability, score, groups)


def of(table: pa.Table, curve: str) -> Points:
    refuse_if_broken(table, load_contract("risk/evaluation_curve"))
    found = [row for row in table.to_pylist() if row["curve"] == curve]
    assert [row["point"] for row in found] == list(range(len(found)))
    return found


MANY = predictions(20_000)
TABLE = curves(MANY, AS_OF)


def test_roc_goes_from_corner_to_corner_and_its_area_is_the_auroc() -> None:
    from sklearn.metrics import roc_auc_score

    points = of(TABLE, "roc")
    x, y = (np.array([point[name] for point in points]) for name in "xy")
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) >= 0).all() and (np.diff(y) >= 0).all()
    assert np.trapezoid(y, x) == pytest.approx(roc_auc_score(MANY.has_outcome, MANY.score), abs=0.005)


def test_no_point_of_roc_or_precision_stands_for_one_to_seven_people() -> None:
    few = predictions(3_000, middle=-4)
    events, others = int(few.has_outcome.sum()), int((~few.has_outcome).sum())
    table = curves(few, AS_OF)
    for point in of(table, "roc"):
        found, alarms = round(point["y"] * events), round(point["x"] * others)
        assert found == 0 or found > 7
        assert (found, alarms) == (0, 0) or alarms > 7
        assert events - found == 0 or events - found > 7
    for point in of(table, "precision_recall"):
        assert round(point["x"] * events) > 7 or point["y"] == 0


def test_a_model_that_is_right_has_its_curves_on_the_diagonal() -> None:
    for point in of(TABLE, "calibration"):
        if 0.02 < point["x"] < 0.6:
            assert point["y"] == pytest.approx(point["x"], abs=0.05)
            assert point["lower"] <= point["y"] <= point["upper"]
    tenths = of(TABLE, "calibration_decile")
    assert len(tenths) == 10
    assert all(point["lower"] - 0.01 <= point["x"] <= point["upper"] + 0.01 for point in tenths)


def test_a_tenth_with_few_outcomes_is_hidden() -> None:
    tenths = of(curves(predictions(1_500, middle=-4), AS_OF), "calibration_decile")
    assert len(tenths) == 10
    assert tenths[0]["y"] is None and tenths[0]["lower"] is None
    assert all(point["x"] is not None for point in tenths)


def test_net_benefit_of_treating_everybody_is_nought_at_the_share_with_the_outcome() -> None:
    every = {round(point["x"], 2): point["y"] for point in of(TABLE, "decision_all")}
    model = {round(point["x"], 2): point["y"] for point in of(TABLE, "decision")}
    share = MANY.has_outcome.mean()
    below, above = np.floor(share * 100) / 100, np.ceil(share * 100) / 100
    assert every[round(below, 2)] >= 0 >= every[round(above, 2)]
    assert all(value >= every[x] - 1e-9 for x, value in model.items() if value is not None and x > 0.05)


def test_a_threshold_that_few_reach_is_hidden() -> None:
    few = predictions(2_000, middle=-4)
    shown = {point["x"]: point["y"] is not None for point in of(curves(few, AS_OF), "decision")}
    for threshold, is_shown in shown.items():
        flagged = few.probability >= threshold
        parts = [(part.sum(), few.has_outcome[part].sum()) for part in (flagged, ~flagged)]
        is_few = any(0 < people <= 7 or 0 < found <= 7 or (people > 0 and people - found <= 7) for people, found in parts)
        assert is_shown is not is_few
    assert len(set(shown.values())) == 2


def test_shares_at_a_few_predictions_are_counts_and_are_hidden_as_such() -> None:
    levels = np.repeat([0.05, 0.2, 0.6], [900, 600, 12])
    outcome = np.concatenate([np.arange(n) < round(n * level) for n, level in ((900, 0.05), (600, 0.2), (12, 0.6))])
    groups = groups_of({"sex": np.array(["male"] * levels.size)})
    rule = Predictions("death_12m", "adult", "red_amber_green", None, "temporal", outcome, levels, levels, groups)
    points = {point["x"]: point["y"] for point in of(curves(rule, AS_OF), "calibration")}
    assert points[0.6] is None  # 7 of 12
    assert points[0.05] is None or points[0.2] == 0.2


def test_the_spread_of_risks_counts_everybody_to_the_nearest_five() -> None:
    points = of(TABLE, "risk_distribution")
    counts = [point["y"] for point in points if point["y"] is not None]
    assert [points[0]["x"], points[1]["x"], len(points)] == [0, 0.02, 50]
    assert all(count % 5 == 0 for count in counts)
    assert sum(counts) == pytest.approx(20_000, abs=200)


def test_too_few_people_have_no_curves_and_neither_has_nobody() -> None:
    assert curves(predictions(30), AS_OF).num_rows == 0
    assert curves(predictions(0), AS_OF).num_rows == 0


def test_the_learning_curve_goes_by_people() -> None:
    points = of(learning(about(MANY, AS_OF), [(4_000, 0.78), (1_000, 0.7), (2_000, float("nan"))]), "learning")
    assert [(point["x"], point["y"]) for point in points] == [(1_000, 0.7), (2_000, None), (4_000, 0.78)]
