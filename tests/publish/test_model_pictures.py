"""The pictures of a model: drawn from the rows of the tables, the same each time, on axes of round numbers."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from fuller_popheath.publish import model_pictures
from fuller_popheath.publish.card_figures import ModelFigures, Point, model_figures
from fuller_popheath.publish.card_views import position
from fuller_popheath.publish.plot_panel import decades, round_up, ticks

_spec = importlib.util.spec_from_file_location("card_example", Path(__file__).with_name("card_example.py"))
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(example)


def _figures() -> Any:
    return model_figures(example.evaluation(), example.curves(), as_of=example.AS_OF, outcome=example.OUTCOME, age_group="adult", model="additive")


def test_data_behind_a_picture_are_the_rows_of_the_table() -> None:
    table = example.curves()
    wanted = table.filter(pc.equal(table["curve"], "roc"))
    picture = model_pictures.roc(_figures())
    assert picture is not None
    assert picture.data["y"].to_pylist() == wanted["y"].to_pylist()
    hidden = model_pictures.calibration(_figures())
    assert hidden is not None
    assert pc.sum(pc.equal(hidden.data["curve"], "calibration_decile")).as_py() == 9  # the hidden tenth is not there


def test_a_learning_curve_tells_rounded_counts() -> None:
    picture = model_pictures.learning(_figures())
    assert picture is not None
    assert picture.data["x"].to_pylist() == [5_125, 10_250, 20_500, 41_000]
    assert "on 41,000" in picture.alternative


def _decision(lower: float | None) -> str:
    model = [Point(t / 100, 0.03, lower if t < 30 else None if t < 50 else lower, 0.04) for t in range(10, 61)]
    picture = model_pictures.decision(
        ModelFigures("o", "adult", "additive", {}, {("temporal", "decision"): tuple(model), ("temporal", "decision_all"): ALL_TREATED})
    )
    assert picture is not None
    return picture.alternative


ALL_TREATED = tuple(Point(t / 100, 0.08 - 0.92 * (t / 100) / (1 - t / 100), None, None) for t in range(1, 61))


def test_a_decision_curve_claims_only_what_its_band_supports() -> None:
    assert "band lies above both at thresholds from 10% to 29%, from 50% to 60%; at others it does not tell" in _decision(0.01)
    for lower in (-0.01, 0.0, None):
        assert "at no threshold does the model’s whole 95% band lie above both" in _decision(lower)


def test_pictures_are_png_and_the_same_each_time() -> None:
    from PIL import Image

    for title, picture in model_pictures.draw(_figures(), (0.8, 1.25)).items():
        with Image.open(io.BytesIO(picture)) as opened:
            assert opened.format == "PNG"
            assert len(opened.convert("L").getcolors() or []) > 2, title
    assert model_pictures.draw(_figures(), (0.8, 1.25)) == model_pictures.draw(_figures(), (0.8, 1.25))


def test_axes_have_round_numbers() -> None:
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(-0.25, 1.0) == [-0.25, 0, 0.25, 0.5, 0.75, 1.0]
    assert ticks(0.5, 0.5) == [0.5]
    assert (round_up(0.297), round_up(0.3), round_up(0.61), round_up(1.0)) == (0.3, 0.3, 0.8, 1.0)
    assert decades(900, 110_000, (1, 3)) == [1_000, 3_000, 10_000, 30_000, 100_000]


def test_half_and_double_are_as_far_from_one() -> None:
    assert (position(0.5), position(1.0), position(2.0)) == (0.0, 50.0, 100.0)
    assert position(0.0) == 0.0
    assert position(99.0) == 100.0
