"""A picture of rows, each with a dot, its interval and what it says in figures, in sections under headings.

What does not belong here: what the rows are about, and computing any figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fuller_popheath.publish.bands import GRID, INK, OUTLINE, QUIET
from fuller_popheath.publish.plot_panel import Panel, ticks
from fuller_popheath.publish.scene import Dot, Line, Scene, Words
from fuller_popheath.publish.text_fit import headline, shortened, wrapped

LEFT, RIGHT, WIDTH, STEP = 360.0, 170.0, 1000.0, 19.0
FILL = "#005e99"
HIDDEN = "hidden"


@dataclass(frozen=True)
class Row:
    """One row. `value` with its limits, where they are known; `beside`: a value to hold it against, drawn hollow; `said`: words at the right."""

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    beside: float | None = None
    said: str = HIDDEN


@dataclass(frozen=True)
class Rows:
    """What is drawn: sections by heading (empty: none), the words around them, how a number at the axis is written, and where a line is drawn."""

    title: str
    subtitle: str
    sections: Mapping[str, Sequence[Row]]
    notes: Sequence[str]
    text: Callable[[float], str]
    line_at: float | None = None
    begins_at: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no row has a value."""
        return all(row.value is None for rows in self.sections.values() for row in rows)


def number(value: object) -> float | None:
    """A number of a table; None where there is none."""
    return None if value is None or value != value else float(value)  # type: ignore[arg-type]


def rows_scene(drawn: Rows) -> Scene:
    """The picture. Rows without a value say what they say and have no dot."""
    scene = Scene(WIDTH, 100.0, drawn.title, f"{drawn.title}. {drawn.subtitle}")
    size, lines = headline(drawn.title, WIDTH - 48.0, 20.0)
    y = 36.0
    for line in lines:
        scene.marks.append(Words(24, y, line, size, INK, bold=True))
        y += 1.2 * size
    for line in wrapped(drawn.subtitle, WIDTH - 48.0, 12):
        scene.marks.append(Words(24, y, line, 12, QUIET))
        y += 17.0
    top = y + 26.0
    bottom = top + STEP * (sum(len(each) for each in drawn.sections.values()) + 1.6 * sum(bool(heading) for heading in drawn.sections))
    panel = _panel(scene, drawn, top, bottom)
    y = top
    for heading, rows in drawn.sections.items():
        if heading:
            scene.marks.append(Words(24, y + 0.4 * STEP + 14, heading, 12, INK, bold=True))
            y += 1.6 * STEP
        for row in rows:
            _draw(scene, panel, row, y + STEP / 2)
            y += STEP
    y = bottom + 22.0
    for line in (line for note in drawn.notes for line in wrapped(note, WIDTH - 48.0, 11)):
        scene.marks.append(Words(24, y + 8, line, 11, QUIET))
        y += 16.0
    scene.height = y + 14.0
    return scene


def _panel(scene: Scene, drawn: Rows, top: float, bottom: float) -> Panel:
    """Gridlines over an axis that holds every value and limit."""
    every = [row for rows in drawn.sections.values() for row in rows if row.value is not None]
    known = [one for row in every for one in (row.value, row.lower, row.upper, row.beside) if one is not None]
    known += [one for one in (drawn.line_at, drawn.begins_at) if one is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    spare = 0.02 * (high - low) or 1.0
    first = low if low == drawn.begins_at else low - spare
    panel = Panel(scene, LEFT, top, WIDTH - RIGHT - LEFT, bottom - top, (first, high + spare), (0.0, 1.0))
    for tick in ticks(first, high + spare, 6):
        scene.marks += [
            Line(panel.x(tick), top - 6, panel.x(tick), bottom, GRID),
            Words(panel.x(tick), top - 11, drawn.text(tick), 11, QUIET, "middle"),
        ]
    if drawn.line_at is not None:
        panel.dashes((drawn.line_at, 0.0), (drawn.line_at, 1.0), QUIET)
    return panel


def _draw(scene: Scene, panel: Panel, row: Row, y: float) -> None:
    scene.marks.append(Words(LEFT - 14, y + 4, shortened(row.label, LEFT - 40, 11.5), 11.5, INK, "end"))
    scene.marks.append(Words(WIDTH - 24, y + 4, row.said, 11, INK if row.value is not None else QUIET, "end"))
    if row.value is None:
        return
    if row.lower is not None and row.upper is not None:
        scene.marks.append(Line(panel.x(row.lower), y, panel.x(row.upper), y, INK, 1.6))
    if row.beside is not None:
        scene.marks.append(Dot(panel.x(row.beside), y, 4.6, "#ffffff", INK, 1.4))
    scene.marks.append(Dot(panel.x(row.value), y, 4.6, FILL, OUTLINE, 0.9))
