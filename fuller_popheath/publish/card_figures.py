"""The figures of one model, found by name in `risk/evaluation` and `risk/evaluation_curve`: what the card, its pictures and its answers read.

Grain in: the two tables of one or more training runs. What does not belong here: wording and layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from fuller_popheath.errors import InputMissing

if TYPE_CHECKING:
    import pyarrow as pa

TEMPORAL, UNSEEN, GEOGRAPHIC = "temporal", "unseen", "geographic"
VALIDATIONS = (TEMPORAL, UNSEEN, GEOGRAPHIC)
ALL = "all"
KINDS = (ALL, "imd_quintile", "ethnic_group", "sex", "age_band", "plus_group", "contact_level", "pcn")
"""The ways to group people, in the order of a page."""


@dataclass(frozen=True)
class Figure:
    """One row of `risk/evaluation`. All empty where there is no such row, which is not the same as hidden; where only this figure of a group is
    hidden, the group's counts are there."""

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    people: int | None = None
    outcomes: int | None = None
    is_hidden: bool = False
    verdict: str = ""

    @property
    def has_interval(self) -> bool:
        """Whether value and both ends of the interval are there."""
        return self.value is not None and self.lower is not None and self.upper is not None


NOTHING = Figure()

Row = TypeVar("Row")

Key = tuple[str, str, str, str, str]
"""Model, validation, kind of group, group, metric."""


@dataclass(frozen=True)
class Point:
    """One point of a curve."""

    x: float
    y: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class ModelFigures:
    """Every figure of one outcome and age group in one run: of `model`, and of the others that were judged on the same people."""

    outcome: str
    age_group: str
    model: str
    figures: Mapping[Key, Figure]
    curves: Mapping[tuple[str, str], tuple[Point, ...]]
    imd_edition: str | None = None

    def figure(self, metric: str, kind: str = ALL, group: str = ALL, validation: str = TEMPORAL, model: str | None = None) -> Figure:
        """One figure; an empty one where there is none."""
        return self.figures.get((model or self.model, validation, kind, group, metric), NOTHING)

    def value(self, metric: str, **where: str) -> float | None:
        """The value of `figure`."""
        return self.figure(metric, **where).value

    def curve(self, name: str) -> tuple[Point, ...]:
        """The points of a curve of this model that have a height, of the temporal validation where it has that curve, else of any; empty: none."""
        found = next((self.curves[validation, name] for validation in VALIDATIONS if (validation, name) in self.curves), ())
        return tuple(point for point in found if point.y is not None)

    def groups(self, kind: str, validation: str = TEMPORAL) -> tuple[str, ...]:
        """The groups of a kind that this model was judged in, in the order of the table; hidden ones too."""
        return tuple(dict.fromkeys(g for m, v, k, g, _ in self.figures if (m, v, k) == (self.model, validation, kind)))

    def models(self) -> tuple[str, ...]:
        """Every model that was judged on the same people, in the order of the table."""
        return tuple(dict.fromkeys(m for m, v, k, _, _ in self.figures if (v, k) == (TEMPORAL, ALL)))

    def metrics(self) -> tuple[str, ...]:
        """Every metric this model has for everybody together, in the order of the table."""
        return tuple(dict.fromkeys(metric for m, v, k, _, metric in self.figures if (m, v, k) == (self.model, TEMPORAL, ALL)))

    def judged(self) -> tuple[tuple[Key, Figure], ...]:
        """The figures of this model that have a verdict."""
        return tuple((key, figure) for key, figure in self.figures.items() if key[0] == self.model and figure.verdict)


def model_figures(evaluation: pa.Table, curves: pa.Table, *, as_of: date, outcome: str, age_group: str, model: str) -> ModelFigures:
    """The figures of one model from the tables `risk/evaluation` and `risk/evaluation_curve`, which may hold other runs, outcomes and models too.

    Raises InputMissing where the evaluation has no row of this model, naming it and the day.
    """
    rows = _of_run(evaluation, as_of, outcome, age_group)
    figures = {(r["model"], r["validation"], r["subgroup_kind"], r["subgroup"], r["metric"]): _figure(r) for r in rows}
    if not any(key[0] == model for key in figures):
        raise InputMissing(
            f"risk/evaluation has no row of the model {model} for {outcome} ({age_group}) as at {as_of.isoformat()}, so there is no card to write: "
            "evaluate the model first"
        )
    points: dict[tuple[str, str], list[tuple[int, Point]]] = {}
    for row in _of_run(curves, as_of, outcome, age_group):
        if row["model"] == model:
            point = Point(row["x"], row["y"], row["lower"], row["upper"])
            points.setdefault((row["validation"], row["curve"]), []).append((row["point"], point))
    ordered = {key: tuple(point for _, point in sorted(found, key=lambda one: one[0])) for key, found in points.items()}
    edition = next((row["imd_edition"] for row in rows if row["imd_edition"]), None)
    return ModelFigures(outcome, age_group, model, figures, ordered, edition)


def _of_run(table: pa.Table, as_of: date, outcome: str, age_group: str) -> list[dict[str, Any]]:
    import pyarrow.compute as pc

    wanted = pc.and_(pc.equal(table["outcome"], outcome), pc.equal(table["age_group"], age_group))
    rows: list[dict[str, Any]] = table.filter(pc.and_(wanted, pc.equal(table["as_of"], as_of))).to_pylist()
    return rows


def _figure(row: Mapping[str, Any]) -> Figure:
    if row["is_hidden"]:
        return Figure(people=row["people_count"], outcomes=row["outcome_count"], is_hidden=True)
    value, lower, upper = (None if row[name] is None or row[name] != row[name] else float(row[name]) for name in ("value", "lower", "upper"))
    return Figure(value, lower, upper, row["people_count"], row["outcome_count"], verdict=row["verdict"] or "")


def spread_evenly(points: Sequence[Row], most: int) -> tuple[Row, ...]:
    """At most so many of the points, evenly over their places, the first and the last among them: for a table that a person reads."""
    if len(points) <= most:
        return tuple(points)
    return tuple(points[round(k * (len(points) - 1) / (most - 1))] for k in range(most))
