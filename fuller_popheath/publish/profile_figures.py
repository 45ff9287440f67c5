"""The figures of a neighbourhood profile as plain data: what is measured of every PCN, once, and one PCN's row of it against its ICB and the others.

Grain: a Measure holds every PCN and ICB, a Row one PCN. Where things stand in a plot is told in percent of its width, so that a page needs no script.
What does not belong here: which measures there are (`profile_people`, `profile_care`), HTML.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import log
from typing import Any

from fuller_popheath.publish import wording

Number = float | None
HIDDEN = "hidden"


@dataclass(frozen=True)
class Told:
    """What one area has: a value with limits, each None where there is none; `is_hidden` says why."""

    value: Number = None
    lower: Number = None
    upper: Number = None
    is_hidden: bool = False


NOTHING = Told()


@dataclass(frozen=True)
class Column:
    """A further column of a figure: its heading, its name in a CSV, and of each PCN the number and how it is written."""

    heading: str
    name: str
    cells: Mapping[str, tuple[Any, str]]

    def of(self, code: str) -> tuple[Any, str]:
        """The number and its words; nothing is a dash."""
        return self.cells.get(code, (None, wording.NOT_GIVEN))


@dataclass(frozen=True)
class Measure:
    """Something measured of every PCN: `places` by PCN, `wholes` by ICB. `unit` stands behind every value; `other` are values of parts, marked too.

    `reference` is marked in place of the ICB's value where there is one (1 of a ratio). `group` is a heading under which rows stand.
    """

    name: str
    label: str
    places: Mapping[str, Told]
    wholes: Mapping[str, Told]
    unit: str = ""
    decimals: int = 1
    columns: tuple[Column, ...] = ()
    group: str = ""
    hint: str = ""
    other: Mapping[str, Number] = field(default_factory=dict)
    reference: Number = None


@dataclass(frozen=True)
class Figure:
    """A table whose rows carry a plot. `axis`: one for all rows (low, high), else each row has its own; `is_log`: even steps are ratios."""

    name: str
    title: str
    lead: str
    measures: tuple[Measure, ...]
    axis: tuple[float, float] | None = None
    is_log: bool = False
    value_heading: str = "This PCN"
    whole_heading: str = "ICB"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One PCN's row as a template writes it. Positions are percent of the plot's width, None: not marked."""

    label: str
    hint: str
    group: str
    value: str
    interval: str
    whole: str
    cells: tuple[str, ...]
    at: Number
    start: Number
    end: Number
    whole_at: Number
    other_at: Number
    pcns_at: tuple[float, ...]
    told: str


@dataclass(frozen=True)
class Shown:
    """One PCN's figure: its rows, the headings of further columns, ticks of the common axis, and its CSV as a link."""

    name: str
    title: str
    lead: str
    value_heading: str
    whole_heading: str
    has_wholes: bool
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    ticks: tuple[tuple[float, str], ...]
    notes: tuple[str, ...]
    file: str
    link: str


def shown(figure: Figure, code: str, icb: str, as_of: date) -> Shown | None:
    """One PCN's part of a figure; None where it says nothing of this PCN. Measures of which nothing is known of the PCN are left out."""
    measures = [measure for measure in figure.measures if code in measure.places]
    if not measures:
        return None
    headings = tuple(dict.fromkeys(column.heading for measure in measures for column in measure.columns))
    rows = tuple(_row(figure, measure, code, icb, headings) for measure in measures)
    file = f"{code}_{figure.name}_{as_of.isoformat()}.csv"
    return Shown(
        name=figure.name,
        title=figure.title,
        lead=figure.lead,
        value_heading=figure.value_heading,
        whole_heading=figure.whole_heading,
        has_wholes=any(measure.wholes for measure in measures),
        headings=headings,
        rows=rows,
        ticks=tuple(_ticks(figure)),
        notes=figure.notes,
        file=file,
        link=data_link(_records(figure, measures, code, icb, as_of)),
    )


def data_link(records: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a CSV in a link, so that a page without scripts can be asked for it; a byte order mark tells spreadsheets that it is UTF-8."""
    import pyarrow as pa

    from fuller_popheath.publish.csv_files import as_csv

    text = "\ufeff" + as_csv(pa.Table.from_pylist([dict(record) for record in records]))
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode("ascii")


def written(value: Number, unit: str = "", decimals: int = 1, is_hidden: bool = False) -> str:
    """A value for a reader: hidden, not there, or with its unit."""
    if value is None or value != value:
        return HIDDEN if is_hidden else wording.NOT_GIVEN
    return f"{wording.decimals(value, decimals)}{unit}"


def _row(figure: Figure, measure: Measure, code: str, icb: str, headings: Sequence[str]) -> Row:
    here, whole = measure.places[code], measure.wholes.get(icb, NOTHING)
    place = _scale(figure, measure)
    cells = {column.heading: column.of(code)[1] for column in measure.columns}
    value = written(here.value, measure.unit, measure.decimals, here.is_hidden)
    ends = [written(end, "", measure.decimals) for end in (here.lower, here.upper)]
    interval = "" if here.lower is None or here.upper is None else " to ".join(ends)
    against = written(whole.value, measure.unit, measure.decimals, whole.is_hidden)
    others = sorted(told.value for other, told in measure.places.items() if other != code and told.value is not None)
    mark = measure.reference if measure.reference is not None else whole.value
    low, high = (written(end, measure.unit, measure.decimals) for end in (others[0], others[-1])) if others else ("", "")
    spread = f"; the other PCNs from {low} to {high}" if low != high else ""
    return Row(
        label=measure.label,
        hint=measure.hint,
        group=measure.group,
        value=value,
        interval=interval,
        whole=against,
        cells=tuple(cells.get(heading, "") for heading in headings),
        at=place(here.value),
        start=place(here.lower),
        end=place(here.upper),
        whole_at=place(mark),
        other_at=place(measure.other.get(code)),
        pcns_at=tuple(at for each in others if (at := place(each)) is not None),
        told=f"{measure.label}: {value}{f' ({interval})' if interval else ''}; ICB {against}{spread}",
    )


def _scale(figure: Figure, measure: Measure) -> Callable[[Number], Number]:
    """Where a value stands between 2 and 98 percent of the plot; what lies beyond an end stands at it."""
    low, high = figure.axis or _own_axis(measure)

    def place(value: Number) -> Number:
        if value is None or value != value:
            return None
        steps = [log(max(each, 1e-9)) for each in (value, low, high)] if figure.is_log else [value, low, high]
        share = (steps[0] - steps[1]) / (steps[2] - steps[1])
        return round(2 + 96 * min(max(share, 0.0), 1.0), 2)

    return place


def _own_axis(measure: Measure) -> tuple[float, float]:
    told = [*measure.places.values(), *measure.wholes.values()]
    values = [each for one in told for each in (one.value, one.lower, one.upper) if each is not None and each == each]
    values += [each for each in measure.other.values() if each is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(figure: Figure) -> Iterator[tuple[float, str]]:
    if figure.axis is None:
        return
    low, high = figure.axis
    steps = [low, (low * high) ** 0.5, high] if figure.is_log else [low + share * (high - low) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for step, at in zip(steps, [2 + 96 * place / (len(steps) - 1) for place in range(len(steps))], strict=True):
        yield round(at, 2), f"{step:g}"


def _records(figure: Figure, measures: Sequence[Measure], code: str, icb: str, as_of: date) -> list[dict[str, Any]]:
    names = dict.fromkeys(column.name for measure in measures for column in measure.columns)
    rows = []
    for measure in measures:
        here, whole = measure.places[code], measure.wholes.get(icb, NOTHING)
        further = {column.name: column.of(code)[0] for column in measure.columns}
        rows.append(
            {
                "as_of": as_of,
                "pcn_code": code,
                "figure": figure.name,
                "group": measure.group or None,
                "measure": measure.name,
                "label": measure.label,
                "value": here.value,
                "lower": here.lower,
                "upper": here.upper,
                "is_hidden": here.is_hidden,
                "icb_value": whole.value,
                **{name: further.get(name) for name in names},
            }
        )
    return rows
