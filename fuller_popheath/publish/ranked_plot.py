"""The PCNs in the order of their Core20 share, each with its 95 % interval: a row a PCN where they are few, thin columns where they are many.

What does not belong here: computing intervals (they come with the table).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import GRID, INK, OUTLINE, QUIET, colour
from fuller_popheath.publish.scene import Area, Dot, Line, Scene, Words
from fuller_popheath.publish.text_fit import headline, shortened

if TYPE_CHECKING:
    from fuller_popheath.publish.core20_map import Ranked

_LEFT = 290.0
_WIDTH = 1000.0
MOST_ROWS = 60


def axis_end(order: Sequence[Ranked]) -> int:
    """The right end of the axis in percent: the next ten above the highest interval, at least 10."""
    highest = max((r.row["core20_upper"] for r in order), default=0.0)
    return min(100, max(10, int(-(-highest // 10)) * 10))


def ranked_scene(order: Sequence[Ranked], title: str) -> Scene:
    """Dots with intervals, coloured by band; gridlines at the bands' edges."""
    text = f"Share of registered people living in Core20 areas, {wording.plural(len(order), 'PCN', 'PCNs')} in order, with 95% Wilson intervals."
    scene = Scene(_WIDTH, 100.0, title, text)
    size, lines = headline(title, _WIDTH - 48.0, 20.0)
    below = 38.0 + (len(lines) - 1) * size * 1.25
    scene.marks += [Words(24, 38.0 + place * size * 1.25, line, size, INK, bold=True) for place, line in enumerate(lines)]
    scene.marks.append(Words(24, below + 23, "Share of registered people in IMD quintile 1, with 95% interval (Wilson)", 13, QUIET))
    if len(order) <= MOST_ROWS:
        _draw_rows(scene, order, below + 62.0)
    else:
        _draw_curve(scene, order, below + 46.0)
    return scene


def curve_scene(order: Sequence[Ranked]) -> Scene:
    """The columns alone, without title or subtitle: for a page that has its own."""
    scene = Scene(_WIDTH, 100.0, "", "")
    _draw_curve(scene, order, 12.0)
    return scene


def _draw_rows(scene: Scene, order: Sequence[Ranked], top: float) -> None:
    end, step, right = axis_end(order), 18.0, _WIDTH - 90.0
    bottom = top + len(order) * step

    def x_of(percent: float) -> float:
        return _LEFT + (right - _LEFT) * percent / end

    for tick in range(0, end + 1, 10):
        scene.marks += [Line(x_of(tick), top - 8, x_of(tick), bottom, GRID), Words(x_of(tick), top - 13, f"{tick}%", 11, QUIET, "middle")]
    for place, r in enumerate(order):
        y = top + place * step + 6
        fill = colour(r.row["band"])
        scene.marks += [
            Words(46, y + 4, str(r.number), 11, QUIET, "end"),
            Words(54, y + 4, shortened(r.short_name, _LEFT - 54 - 12, 11.5), 11.5, INK),
            Line(x_of(r.row["core20_lower"]), y, x_of(r.row["core20_upper"]), y, INK, 1.6),
            Dot(x_of(r.row["core20_percent"]), y, 4.6, fill, OUTLINE, 0.9),
            Words(_WIDTH - 24, y + 4, r.share, 11.5, INK, "end"),
        ]
    scene.height = bottom + 20


def _draw_curve(scene: Scene, order: Sequence[Ranked], top: float, height: float = 360.0) -> None:
    """Rank across, share up, a thin column a PCN: for hundreds of PCNs. The dark edge on top is the interval, from its lower to its upper end."""
    from itertools import groupby

    end, left, right = axis_end(order), 64.0, scene.width - 24.0
    bottom = top + height
    step = (right - left) / len(order)

    def y_of(percent: float) -> float:
        return bottom - height * percent / end

    def steps(places: Sequence[int], values: Sequence[float]) -> list[tuple[float, float]]:
        return [(left + (place + side) * step, y_of(value)) for place, value in zip(places, values, strict=True) for side in (0, 1)]

    for tick in range(0, end + 1, 10):
        scene.marks += [Line(left, y_of(tick), right, y_of(tick), GRID), Words(left - 8, y_of(tick) + 4, f"{tick}%", 11, QUIET, "end")]
    # one outline for all columns of a band: hundreds of columns side by side would show seams
    for band, numbered in groupby(enumerate(order), key=lambda one: one[1].row["band"]):
        run = list(numbered)
        places = [place for place, _ in run]
        base = [(left + (places[-1] + 1) * step, bottom), (left + places[0] * step, bottom)]
        scene.marks.append(_area(steps(places, [r.row["core20_percent"] for _, r in run]) + base, colour(band)))
    uppers, lowers = ([r.row[column] for r in order] for column in ("core20_upper", "core20_lower"))
    scene.marks.append(_area(steps(range(len(order)), uppers) + steps(range(len(order)), lowers)[::-1], INK))
    for number in sorted({1, *range(100, len(order), 100 if len(order) < 700 else 200), len(order)}):
        scene.marks.append(Words(left + (number - 0.5) * step, bottom + 18, f"{number:,}", 11, QUIET, "middle"))
    scene.marks.append(Words((left + right) / 2, bottom + 36, "Rank of the PCN", 11, QUIET, "middle"))
    scene.height = bottom + 50


def _area(corners: list[tuple[float, float]], fill: str) -> Area:
    from shapely import Polygon

    return Area(Polygon(corners), fill, fill, 0.2)
