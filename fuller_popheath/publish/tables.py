"""A product in a few lines of markdown, and its bands as a picture of a few hundred bytes: what a materialisation shows without a click.

Dagster's page shows markdown in place only below 1,000 characters, and drops HTML. What does not belong here: anything that knows Dagster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import BANDS, COLOURS, INK, PAPER, ink_on

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 10
INLINE_CHARACTERS = 1000


def markdown(table: pa.Table, columns: Sequence[str], rows: int = MOST_ROWS, longest: int = INLINE_CHARACTERS - 1) -> str:
    """The first `rows` rows (at most 10) of some columns as a table of GitHub-flavoured markdown of at most `longest` characters.

    Rows that do not fit are left out and counted in a last line. Numbers are half-up to one decimal with thousands separators.
    """
    head = f"| {' | '.join(column.replace('_', ' ') for column in columns)} |\n|{' --- |' * len(columns)}"
    first = table.select(columns).slice(0, min(rows, MOST_ROWS)).to_pylist()
    lines = [f"| {' | '.join(_cell(row[column]) for column in columns)} |" for row in first]
    for kept in range(len(lines), -1, -1):
        rest = table.num_rows - kept
        text = "\n".join([head, *lines[:kept]]) + (f"\n\n… and {wording.plural(rest, 'row', 'rows')} more" if rest else "")
        if len(text) <= longest:
            break
    return text


def _cell(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, float):
        return wording.decimals(value)
    if isinstance(value, int):
        return wording.count(value)
    # a name must neither end its cell nor become a link, a picture or code
    return "".join(" " if c in "\r\n" else f"&#{ord(c)};" if c in "|<>[]`\\*_" else c for c in str(value))


def band_strip(bands: Iterable[str]) -> str:
    """The bands side by side, as wide as they have PCNs and marked with how many: an SVG of ASCII text of at most 690 bytes.

    So that, in base64 and with its title, it stays below the 1,000 characters that are shown in place.
    """
    per_band = Counter(bands)
    total = max(1, per_band.total())
    strokes, numbers, left = [], {PAPER: "", INK: ""}, 0.0
    for band, fill in zip(BANDS, COLOURS, strict=True):
        width = 300 * per_band[band] / total
        if per_band[band]:
            strokes.append(f'<path stroke="{fill}" d="M{left:.0f}-4h{width:.0f}"/>')
        if width >= 7 * len(str(per_band[band])):
            numbers[ink_on(fill)] += f'<text x="{left + width / 2:.0f}">{per_band[band]}</text>'
        left += width
    texts = f'<g fill="#fff">{numbers[PAPER]}</g>{numbers[INK]}'
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -13 300 18" width="300" font-size="11" text-anchor="middle">'
    return f'{head}<g stroke-width="18">{"".join(strokes)}</g>{texts}</svg>'
