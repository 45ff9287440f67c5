"""A pair of axes on a sheet: from data to distances, ticks, lines, bands, dots and bars, as marks of a `Scene`.

What does not belong here: what is plotted, and the painting of marks (`scene.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fuller_popheath.publish.bands import GRID, INK, QUIET
from fuller_popheath.publish.scene import Area, Box, Dot, Line, Scene, Words

Points = Sequence[tuple[float, float]]

SMALL = 11.0


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, about so many: steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def round_up(value: float) -> float:
    """The next number of 1, 1.5, 2, 3, 4, 5, 6, 8 or 10 times a power of ten: where an axis ends that has to hold `value` (above 0)."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(round(m * power, 10) for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if m * power >= value * 0.999999)


def decades(low: float, high: float, steps: tuple[int, ...] = (1, 2, 5)) -> list[float]:
    """Round numbers on a logarithmic axis: so many times each power of ten between `low` and `high` (both above 0)."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10.0**k for k in powers for m in steps if low <= m * 10.0**k <= high]


@dataclass(frozen=True)
class Panel:
    """A rectangle of a sheet and the data it stands for: `x_range` across, `y_range` upwards. `x_log`: the x axis is logarithmic."""

    scene: Scene
    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_log: bool = False

    @property
    def bottom(self) -> float:
        """Where the rectangle ends below."""
        return self.top + self.height

    def x(self, value: float) -> float:
        """Distance from the left edge of the sheet."""
        low, high = self.x_range
        if self.x_log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.left + self.width * (value - low) / (high - low)

    def y(self, value: float) -> float:
        """Distance from the top of the sheet."""
        low, high = self.y_range
        return self.bottom - self.height * (value - low) / (high - low)

    def axes(
        self,
        x_title: str,
        y_title: str,
        x_ticks: Sequence[float],
        y_ticks: Sequence[float],
        x_text: Callable[[float], str],
        y_text: Callable[[float], str],
    ) -> None:
        """Gridlines, the numbers at them and what the axes are: that of y stands above it, since text is never turned on its side."""
        right = self.left + self.width
        for value in y_ticks:
            self.scene.marks.append(Line(self.left, self.y(value), right, self.y(value), GRID))
            self.scene.marks.append(Words(self.left - 8, self.y(value) + 4, y_text(value), SMALL, QUIET, "end"))
        for value in x_ticks:
            self.scene.marks.append(Line(self.x(value), self.top, self.x(value), self.bottom, GRID))
            self.scene.marks.append(Words(self.x(value), self.bottom + 18, x_text(value), SMALL, QUIET, "middle"))
        self.scene.marks += [Line(self.left, self.bottom, right, self.bottom, INK, 1.2), Line(self.left, self.top, self.left, self.bottom, INK, 1.2)]
        self.scene.marks.append(Words(self.left - 40, self.top - 14, y_title, 12, INK))
        self.scene.marks.append(Words(right, self.bottom + 38, x_title, 12, INK, "end"))

    def line(self, points: Points, colour: str, width: float = 2.2) -> None:
        """A line through points, cut off at the edges of the rectangle."""
        from shapely import LineString

        if len(points) > 1:
            self._area(LineString([(self.x(x), self.y(y)) for x, y in points]).buffer(width / 2, cap_style="flat", join_style="round"), colour)

    def band(self, lower: Points, upper: Points, colour: str) -> None:
        """The area between two lines, cut off at the edges."""
        from shapely import Polygon

        if len(lower) > 1:
            corners = [(self.x(x), self.y(y)) for x, y in [*lower, *list(upper)[::-1]]]
            self._area(Polygon(corners).buffer(0), colour)

    def dashes(self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float = 1.4) -> None:
        """A dashed straight line between two points of the data."""
        x1, y1, x2, y2 = self.x(start[0]), self.y(start[1]), self.x(end[0]), self.y(end[1])
        pieces = max(1, round(math.hypot(x2 - x1, y2 - y1) / 10))
        for k in range(pieces):
            a, b = k / pieces, (k + 0.55) / pieces
            self.scene.marks.append(Line(x1 + a * (x2 - x1), y1 + a * (y2 - y1), x1 + b * (x2 - x1), y1 + b * (y2 - y1), colour, width))

    def interval(self, x: float, lower: float, upper: float, colour: str, width: float = 1.6) -> None:
        """An upright interval at x, cut off at the edges."""
        low, high = self.y_range
        if upper >= low and lower <= high:
            self.scene.marks.append(Line(self.x(x), self.y(max(lower, low)), self.x(x), self.y(min(upper, high)), colour, width))

    def dot(self, x: float, y: float, colour: str, radius: float = 4.2) -> None:
        """A disc, where it lies inside the rectangle."""
        if self.x_range[0] <= x <= self.x_range[1] and self.y_range[0] <= y <= self.y_range[1]:
            self.scene.marks.append(Dot(self.x(x), self.y(y), radius, colour, "#ffffff", 1.0))

    def bar(self, start: float, end: float, value: float, colour: str) -> None:
        """A bar from the foot of the rectangle up to `value`, from `start` to `end` across."""
        top = self.y(min(value, self.y_range[1]))
        self.scene.marks.append(Box(self.x(start), top, max(0.5, self.x(end) - self.x(start) - 0.6), self.bottom - top, colour))

    def key(self, entries: Sequence[tuple[str, str]], x: float, y: float) -> None:
        """What the colours mean: a short stroke and a text each, downwards from a place on the sheet."""
        for place, (text, colour) in enumerate(entries):
            self.scene.marks.append(Line(x, y + 18 * place, x + 22, y + 18 * place, colour, 3))
            self.scene.marks.append(Words(x + 29, y + 18 * place + 4, text, SMALL, INK))

    def _area(self, shape: object, colour: str) -> None:
        import shapely

        inside = shapely.intersection(shape, shapely.box(self.left, self.top, self.left + self.width, self.bottom))
        kept = [part for part in shapely.get_parts(inside) if part.geom_type == "Polygon" and part.area > 0]
        if kept:
            self.scene.marks.append(Area(shapely.MultiPolygon(kept), colour, "none", 0.0))
