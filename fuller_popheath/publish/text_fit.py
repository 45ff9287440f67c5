"""How wide a text is on the sheet, and what to do where it is wider than its room: shrink, break into lines, or shorten.

Measured in DejaVu Sans, which the PNG is painted in; it is wider than the fonts that the SVG asks for first, so what fits in it fits in them.
What does not belong here: what is written and where.
"""

from __future__ import annotations

import re
from functools import lru_cache

SMALLEST_HEADLINE = 14.0
_HINTED = 1.03
"""Painted at 100 dots an inch, letters are moved to whole pixels, which makes a text up to 2 % wider than it was drawn."""


@lru_cache(maxsize=4096)
def width_of(text: str, size: float, bold: bool = False) -> float:
    """Width of one line of text in pixels of the sheet, at most: the paint may be up to 5 % narrower."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    return _HINTED * float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def shortened(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, or as much of its beginning as fits in `room` pixels with an ellipsis after it."""
    if width_of(text, size, bold) <= room:
        return text
    for kept in range(len(text) - 1, 0, -1):
        shorter = text[:kept].rstrip() + "…"
        if width_of(shorter, size, bold) <= room:
            return shorter
    return "…"


def wrapped(text: str, room: float, size: float, bold: bool = False) -> list[str]:
    """The text in lines of at most `room` pixels, broken between words; a single word that is wider is shortened."""
    lines: list[str] = []
    # "IMD 2025" is one word: an edition is never torn from its index
    for word in re.sub(r"\bIMD (\d)", "IMD\u00a0\\1", text).split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size, bold) <= room:
            lines[-1] = longer
        else:
            lines.append(shortened(word, room, size, bold))
    return [line.replace("\u00a0", " ") for line in lines]


def headline(text: str, room: float, size: float) -> tuple[float, list[str]]:
    """The size and lines of a headline: one line if need be a fifth smaller, else two of even length, else as many as it takes.

    Never cut, because what tells two pictures apart, such as the edition, stands at its end.
    """
    if (needed := size * room / max(width_of(text, size, True), 1.0)) >= 0.8 * size:
        return min(size, needed), [text]
    smaller = size
    while smaller > SMALLEST_HEADLINE and len(wrapped(text, room, smaller, True)) > 2:
        smaller -= 1.0
    lines = wrapped(text, room, smaller, True)
    narrower = room
    while len(lines) == 2 and narrower > room / 2:
        narrower -= 10.0
        tried = wrapped(text, narrower, smaller, True)
        if len(tried) > 2 or any(line.endswith("…") for line in tried):
            break
        lines = tried
    return smaller, lines
