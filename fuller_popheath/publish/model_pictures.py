"""The pictures of a model: discrimination, calibration, net benefit, groups, learning; each with its alternative text and the data behind it.

One drawing is SVG in the card and PNG elsewhere (`scene.py`). What does not belong here: computing any figure that is drawn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fuller_popheath.disclosure.small_numbers import rounded
from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import GRID, INK, QUIET
from fuller_popheath.publish.card_figures import KINDS, ModelFigures, Point
from fuller_popheath.publish.card_words import group_name, interval_text, kind_name
from fuller_popheath.publish.plot_panel import Panel, decades, round_up, ticks
from fuller_popheath.publish.scene import Box, Dot, Line, Scene, Words, png

if TYPE_CHECKING:
    import pyarrow as pa

LINE, PALE, OTHER, BARS = "#005e99", "#cfe3f1", "#a8480f", "#a9b6bf"
WIDTH, HEIGHT = 520.0, 408.0


@dataclass(frozen=True)
class Picture:
    """One picture: `name` is its file's stem, `alternative` says in words what it shows, `data` is what it is drawn from."""

    name: str
    title: str
    alternative: str
    scene: Scene
    data: pa.Table

    def png(self, small: bool = False) -> bytes:
        """PNG bytes, twice the sheet's size; `small`: the sheet's size with 256 colours, for what is stored with every run."""
        return png(self.scene, 1.0 if small else 2.0, small)


def pictures(figures: ModelFigures, limits: tuple[float, float]) -> tuple[Picture, ...]:
    """Every picture that there is data for, in the order of the card; `limits`: those of observed over expected in site.toml.

    One whose curve is not in the tables, or is hidden, is left out.
    """
    drawn = (roc(figures), precision_recall(figures), calibration(figures), decision(figures), subgroups(figures, limits), learning(figures))
    return tuple(picture for picture in drawn if picture is not None)


def draw(figures: ModelFigures, limits: tuple[float, float]) -> dict[str, bytes]:
    """The same as {title: small PNG}, for what a run shows of itself."""
    return {picture.title: picture.png(small=True) for picture in pictures(figures, limits)}


def roc(figures: ModelFigures) -> Picture | None:
    """Sensitivity against false alarms over all cut-offs, with the area under the curve."""
    points = figures.curve("roc")
    if len(points) < 2:
        return None
    auroc = interval_text(figures.figure("auroc"), 3)
    scene, panel = _sheet("ROC curve")
    panel.axes("False alarms: share of those without the outcome", "Found: share of those with the outcome", *_shares(), *_as_percent())
    panel.dashes((0, 0), (1, 1), QUIET)
    panel.line(_xy(points), LINE)
    scene.marks += [
        Words(panel.x(0.97), panel.y(0.14), f"AUROC {auroc}", 13, INK, "end", bold=True),
        Words(panel.x(0.97), panel.y(0.07), "dashed: no better than chance", 11, QUIET, "end"),
    ]
    read = ", ".join(f"{_percent(_at(points, x))} at {x:.0%} false alarms" for x in (0.05, 0.1, 0.2))
    return _picture("roc", "ROC curve", f"The share of people with the outcome who are found: {read}. AUROC {auroc}.", scene, points, "roc")


def precision_recall(figures: ModelFigures) -> Picture | None:
    """The share of flagged people who have the outcome, against the share of outcomes that are found."""
    points = figures.curve("precision_recall")
    if len(points) < 2:
        return None
    share = figures.value("outcome_share")
    scene, panel = _sheet("Precision and recall")
    panel.axes("Found: share of those with the outcome", "Of those flagged, share with the outcome", *_shares(), *_as_percent())
    if share is not None:
        panel.dashes((0, share), (1, share), QUIET)
    panel.line(_xy(points), LINE)
    auprc = interval_text(figures.figure("auprc"), 3)
    scene.marks += [
        Words(panel.x(0.97), panel.y(0.92), f"AUPRC {auprc}", 13, INK, "end", bold=True),
        Words(panel.x(0.97), panel.y(0.85), "dashed: flagging people at random", 11, QUIET, "end"),
    ]
    read = ", ".join(f"{_percent(_at(points, x))} at {x:.0%} found" for x in (0.1, 0.25, 0.5))
    chance = f" Flagging at random would give {_percent(share)}." if share is not None else ""
    text = f"Of the people flagged, the share with the outcome: {read}.{chance} AUPRC {auprc}."
    return _picture("precision_recall", "Precision and recall", text, scene, points, "precision_recall")


def calibration(figures: ModelFigures) -> Picture | None:
    """Observed against predicted risk: flexible curve with band, tenths with intervals; whole range, the crowded corner, and how many people."""
    curve, tenths, people = (figures.curve(name) for name in ("calibration", "calibration_decile", "risk_distribution"))
    if len(tenths) < 2:
        return None
    width = 2 * WIDTH
    scene = Scene(width, 514, "Calibration", "")
    whole = round_up(max([t.upper or t.y or 0 for t in tenths] + [max(p.x, p.y or 0) for p in curve] + [0.01]))
    corner = round_up(max([t.upper or t.y or 0 for t in tenths[:-1]] + [tenths[-2].x, 0.001]))
    for place, end in enumerate((min(1.0, whole), min(1.0, corner))):
        panel = Panel(scene, 62 + place * WIDTH, 56, WIDTH - 86, 300, (0, end), (0, end))
        at = ticks(0, end)
        panel.axes("Predicted risk", "Observed: share with the outcome", at, at, *_as_percent(end))
        panel.band([(p.x, p.lower) for p in curve if p.lower is not None], [(p.x, p.upper) for p in curve if p.upper is not None], PALE)
        panel.dashes((0, 0), (end, end), QUIET)
        panel.line(_xy(curve), LINE)
        for tenth in tenths:
            if tenth.lower is not None and tenth.upper is not None and tenth.x <= end:
                panel.interval(tenth.x, tenth.lower, tenth.upper, INK)
            panel.dot(tenth.x, tenth.y or 0.0, OTHER)
        heading = ("All risks", "The corner in which nine tenths of people are, enlarged")[place]
        scene.marks.append(Words(22 + place * WIDTH, 20, heading, 13, INK, bold=True))
        _draw_people(scene, panel, people)
    key = [("flexible fit with 95% band", LINE), ("tenths of people with 95% interval", OTHER)]
    Panel(scene, 0, 0, 1, 1, (0, 1), (0, 1)).key(key, 74, 72)
    pairs = ", ".join(f"{_percent(t.x)} predicted and {_percent(t.y)} observed" for t in (tenths[0], tenths[len(tenths) // 2], tenths[-1]))
    text = (
        f"Observed against predicted risk in tenths of people; in the lowest, middle and highest tenth: {pairs}. "
        f"Slope {interval_text(figures.figure('calibration_slope'), 2)}, observed over expected "
        f"{interval_text(figures.figure('observed_over_expected'), 2)}. Below: how many people have each predicted risk, on a logarithmic scale."
    )
    named = {"calibration": curve, "calibration_decile": tenths, "risk_distribution": people}
    return Picture("calibration", "Calibration", text, scene, _data(named))


def _draw_people(scene: Scene, above: Panel, people: Sequence[Point]) -> None:
    """How many people have each predicted risk, below a calibration plot and on its x axis; a logarithm tells few from none."""
    # ranges are of one width; a hidden one is a gap
    width = min((b.x - a.x for a, b in itertools.pairwise(people)), default=1.0)
    inside = [(p, p.x + width) for p in people if p.y and p.x < above.x_range[1]]
    if not inside:
        return
    highest = max(math.log10(p.y) for p, _ in inside if p.y)
    panel = Panel(scene, above.left, above.bottom + 74, above.width, 74, above.x_range, (0, max(1.0, highest * 1.05)))
    for power in range(math.ceil(panel.y_range[1])):
        scene.marks += [
            Line(panel.left, panel.y(power), panel.left + panel.width, panel.y(power), GRID),
            Words(panel.left - 8, panel.y(power) + 4, f"{10**power:,}", 10, QUIET, "end"),
        ]
    for point, end in inside:
        panel.bar(point.x, min(end, above.x_range[1]), math.log10(max(1.0, point.y or 1.0)), BARS)
    scene.marks += [
        Line(panel.left, panel.bottom, panel.left + panel.width, panel.bottom, INK, 1.2),
        Words(panel.left - 40, panel.top - 12, "People", 12, INK),
    ]


def decision(figures: ModelFigures) -> Picture | None:
    """Net benefit of acting on the model, of treating everybody and of treating nobody, over thresholds of risk (Vickers and Elkin 2006)."""
    model, everybody = figures.curve("decision"), figures.curve("decision_all")
    if len(model) < 2:
        return None
    high = round_up(max([p.y or 0 for p in model] + [1e-4])) * 1.02
    scene, panel = _sheet("Decision curve", (0, round_up(model[-1].x)), (-0.25 * high, high))
    x_text, y_text = _as_percent(panel.x_range[1])[0], lambda v: wording.decimals(v * 1000, 0).replace("-", "−")
    at = ticks(-0.25 * high, high, 5)
    panel.axes(
        "Risk from which on somebody would be acted upon", "Net benefit: net true cases per 1,000 people", ticks(*panel.x_range), at, x_text, y_text
    )
    low, top = ([(p.x, end) for p in model if (end := getattr(p, side)) is not None] for side in ("lower", "upper"))
    panel.band(low, top, PALE)
    panel.line([(0.0, 0.0), (panel.x_range[1], 0.0)], QUIET, 1.6)
    panel.line(_xy(everybody), OTHER, 1.8)
    panel.line(_xy(model), LINE)
    panel.key([("the model", LINE), ("acting for everybody", OTHER), ("acting for nobody", QUIET)], panel.x(panel.x_range[1] * 0.52), panel.top + 14)
    text = f"Net benefit of acting on the model, compared with acting for everybody and for nobody: {_where_better(model, everybody)}."
    return Picture("decision", "Decision curve", text, scene, _data({"decision": model, "decision_all": everybody}))


def _where_better(model: Sequence[Point], everybody: Sequence[Point]) -> str:
    """At which thresholds the whole band of the model lies above both alternatives; of the line alone nothing is claimed."""
    is_above = [p.lower is not None and p.lower > max(0.0, _at(everybody, p.x) or 0.0) for p in model]
    runs = [[p.x for _, p in run] for is_run, run in itertools.groupby(zip(is_above, model, strict=True), key=lambda pair: pair[0]) if is_run]
    if not runs:
        return "at no threshold does the model’s whole 95% band lie above both"
    told = [f"from {_percent(run[0])} to {_percent(run[-1])}" if len(run) > 1 else f"at {_percent(run[0])}" for run in runs]
    return f"the model’s whole 95% band lies above both at thresholds {', '.join(told)}; at others it does not tell the model from the better of them"


def subgroups(figures: ModelFigures, limits: tuple[float, float]) -> Picture | None:
    """Observed over expected with its interval, a row a group of people (PCNs apart from it), against the limits of site.toml."""
    rows = [(kind, group) for kind in KINDS if kind != "pcn" for group in figures.groups(kind)]
    shown = {row: figures.figure("observed_over_expected", kind=row[0], group=row[1]) for row in rows}
    shown = {row: figure for row, figure in shown.items() if figure.value is not None or figure.is_hidden}
    if len(shown) < 2:
        return None
    kinds = list(dict.fromkeys(kind for kind, _ in shown))
    step, top = 19.0, 66.0
    scene = Scene(2 * WIDTH, top + step * (len(shown) + 1.2 * len(kinds)) + 44, "Observed over expected by group", "")
    panel = Panel(scene, 330, top, 560, scene.height - top - 44, (0.5, 2.0), (0, 1), x_log=True)
    scene.marks.append(Box(panel.x(limits[0]), top, panel.x(limits[1]) - panel.x(limits[0]), panel.height, "#eef3f5"))
    for value in (0.5, 0.67, limits[0], 1.0, limits[1], 1.5, 2.0):
        scene.marks.append(Line(panel.x(value), top, panel.x(value), panel.bottom, INK if value == 1.0 else GRID))
        scene.marks.append(Words(panel.x(value), top - 8, f"{value:g}", 11, QUIET, "middle"))
    scene.marks.append(Words(24, 24, "Observed over expected, with 95% interval", 13, INK, bold=True))
    scene.marks.append(Words(24, 42, f"Shaded: {limits[0]:g} to {limits[1]:g}. Left of 1: fewer had the outcome than predicted.", 11, QUIET))
    y, before = top + 6, ""
    for (kind, group), figure in shown.items():
        if kind != before:
            y += step * (0.9 if before else 0.4)
            scene.marks.append(Words(24, y + 4, kind_name(kind, figures.imd_edition), 11.5, INK, bold=True))
            before = kind
            y += step if kind != "all" else 0.0
        if kind != "all":
            scene.marks.append(Words(40, y + 4, group_name(kind, group), 11.5, INK))
        _draw_row(scene, panel, y, figure.value, figure.lower, figure.upper)
        scene.marks.append(Words(2 * WIDTH - 24, y + 4, "hidden" if figure.is_hidden else interval_text(figure, 2), 11, INK, "end"))
        y += step
    outside = [f"{kind_name(k).split(' (')[0]}: {group_name(k, g)}" for (k, g), f in shown.items() if f.verdict == "red"]
    told = f"Wholly outside the limits: {'; '.join(outside)}." if outside else "No group lies wholly outside the limits."
    text = f"Observed over expected in {wording.plural(len(shown), 'group', 'groups')} of people, each with its interval. {told}"
    return Picture("subgroups", "Observed over expected by group", text, scene, _subgroup_data(figures, list(shown)))


def _draw_row(scene: Scene, panel: Panel, y: float, value: float | None, lower: float | None, upper: float | None) -> None:
    low, high = panel.x_range
    if lower is not None and upper is not None and upper >= low and lower <= high:
        scene.marks.append(Line(panel.x(min(max(lower, low), high)), y, panel.x(min(max(upper, low), high)), y, INK, 1.6))
    if value is not None and low <= value <= high:
        scene.marks.append(Dot(panel.x(value), y, 4.4, LINE, "#ffffff", 1.0))


def learning(figures: ModelFigures) -> Picture | None:
    """AUROC against how many people the model was fitted on (to the nearest 5): whether more would help."""
    points = [replace(point, x=float(rounded(point.x))) for point in figures.curve("learning")]
    if len(points) < 2:
        return None
    lows, highs = [p.lower or p.y or 0.5 for p in points], [p.upper or p.y or 0.5 for p in points]
    low, high = max(0.0, min(lows) - 0.01), min(1.0, max(highs) + 0.01)
    scene = Scene(WIDTH, HEIGHT, "Learning curve", "")
    panel = Panel(scene, 62, 38, WIDTH - 86, HEIGHT - 92, (points[0].x * 0.9, points[-1].x * 1.1), (low, high), x_log=True)
    at = decades(*panel.x_range, steps=(1, 2, 5) if panel.x_range[1] / panel.x_range[0] < 40 else (1, 3))
    panel.axes("People it was fitted on (logarithmic)", "AUROC", at, ticks(low, high, 8), lambda v: f"{v:,.0f}", lambda v: wording.decimals(v, 2))
    panel.line(_xy(points), LINE)
    for point in points:
        if point.lower is not None and point.upper is not None:
            panel.interval(point.x, point.lower, point.upper, INK)
        panel.dot(point.x, point.y or 0.0, LINE)
    read = ", ".join(f"{wording.decimals(p.y, 3)} on {p.x:,.0f}" for p in points)
    return _picture("learning", "Learning curve", f"AUROC by how many people the model was fitted on: {read}.", scene, points, "learning")


def _sheet(title: str, x_range: tuple[float, float] = (0.0, 1.0), y_range: tuple[float, float] = (0.0, 1.0)) -> tuple[Scene, Panel]:
    scene = Scene(WIDTH, HEIGHT, title, "")
    return scene, Panel(scene, 62, 38, WIDTH - 86, HEIGHT - 92, x_range, y_range)


def _shares() -> tuple[list[float], list[float]]:
    return ticks(0, 1), ticks(0, 1)


def _as_percent(end: float = 1.0) -> tuple[Callable[[float], str], Callable[[float], str]]:
    places = 0 if end >= 0.05 else 1

    def text(value: float) -> str:
        return f"{wording.decimals(value * 100, places)}%"

    return text, text


def _percent(value: float | None) -> str:
    return wording.NOT_GIVEN if value is None else f"{wording.decimals(value * 100, 0 if value >= 0.1 else 1)}%"


def _xy(points: Sequence[Point]) -> list[tuple[float, float]]:
    return [(p.x, p.y) for p in points if p.y is not None]


def _at(points: Sequence[Point], x: float) -> float | None:
    """The height of a curve at x: of the point that is nearest."""
    return min(points, key=lambda p: abs(p.x - x)).y if points else None


def _picture(name: str, title: str, text: str, scene: Scene, points: Sequence[Point], curve: str) -> Picture:
    return Picture(name, title, text, scene, _data({curve: points}))


def _data(curves: Mapping[str, Sequence[Point]]) -> pa.Table:
    import pyarrow as pa

    rows: list[dict[str, Any]] = [
        {"curve": name, "point": place, "x": p.x, "y": p.y, "lower": p.lower, "upper": p.upper}
        for name, points in curves.items()
        for place, p in enumerate(points)
    ]
    columns = [("curve", pa.string()), ("point", pa.int64())] + [(name, pa.float64()) for name in ("x", "y", "lower", "upper")]
    return pa.Table.from_pylist(rows, schema=pa.schema(columns))


def _subgroup_data(figures: ModelFigures, rows: Sequence[tuple[str, str]]) -> pa.Table:
    import pyarrow as pa

    found = []
    for kind, group in rows:
        figure = figures.figure("observed_over_expected", kind=kind, group=group)
        shown = {"observed_over_expected": figure.value, "lower": figure.lower, "upper": figure.upper}
        counts = {"people_count": figure.people, "outcome_count": figure.outcomes}
        found.append({"subgroup_kind": kind, "subgroup": group, **shown, **counts, "is_hidden": figure.is_hidden, "verdict": figure.verdict})
    numbers = [(name, pa.float64()) for name in ("observed_over_expected", "lower", "upper")]
    counted = [(name, pa.int64()) for name in ("people_count", "outcome_count")]
    texts = [("subgroup_kind", pa.string()), ("subgroup", pa.string())]
    return pa.Table.from_pylist(found, schema=pa.schema([*texts, *numbers, *counted, ("is_hidden", pa.bool_()), ("verdict", pa.string())]))
