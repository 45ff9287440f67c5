"""The small frozen objects that one file declares to add one thing; `registry.py` finds them.

A file under `sources/` declares `SOURCE`, a file under `people/`, `place/` or `catalogue/products/` that makes a table declares `TABLE`.
What does not belong here: behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site

ContractId = str
"""`core/person`, `products/core20_by_pcn`: the one name of a table, everywhere (docs/architecture.md, law 1)."""


@dataclass(frozen=True)
class Night:
    """What every table of one night is made with: the day it is about and the site's settings. Time is an argument (docs/architecture.md, law 4)."""

    as_of: date
    site: Site


Inputs = Mapping[ContractId, "pa.Table"]
"""The tables a builder asked for, by contract id; one that has not arrived is there with its columns and no rows."""


@dataclass(frozen=True)
class TableSpec:
    """A table that is made from other tables.

    `contract` is its id, `inputs` the ids of what it is made from, `build` the pure function that makes it. `picture` names a module of
    `fuller_popheath.publish` whose `draw(table, inputs, night)` returns {title: PNG or SVG bytes}; its extra tables stand in `picture_inputs`.
    """

    contract: ContractId
    inputs: tuple[ContractId, ...]
    build: Callable[[Inputs, Night], pa.Table]
    picture: str | None = None
    picture_inputs: tuple[ContractId, ...] = ()


@dataclass(frozen=True)
class FileHead:
    """The beginning of one readable thing in a file: a CSV, one sheet of a workbook, or one layer of a boundary file.

    `columns` are the header texts with BOM, line breaks and repeated blanks removed (for a file without header: the first row);
    `first_row` the row below it; `member` the file inside a zip, the sheet or the layer; `saved_on` the date the file itself carries
    (its name or document properties), where it carries one.
    """

    path: Path
    kind: str  # csv | sheet | boundaries
    member: str | None
    columns: tuple[str, ...]
    first_row: tuple[str, ...] = field(repr=False)  # may be about a person: never in a log
    saved_on: date | None = None


@dataclass(frozen=True)
class Recognised:
    """A source's answer that a file is its own: how sure, which variant (an edition or vintage where one contract has several), from which day."""

    variant: str = ""
    extract_date: date | None = None
    missing_columns: tuple[str, ...] = ()
    richness: int = 0
    """Prefer the file with more of it, between two of the same day: File 7 over File 1, England over one ICB."""


@dataclass(frozen=True)
class SourceSpec:
    """One published or inbound layout: what it looks like and how it is read into text columns named as in its contract.

    `recognise` looks at a head only. `read` returns one row per row of the file, every column text (geometry: WKB), plus `_row`, the row's
    number in the file (the header is row 1). It canonicalises what can be (dates to ISO, thousands separators dropped) and leaves
    the rest as it stands, so that the contract quarantines it. `expects` completes the sentence "expected ...". `per_practice`: one file a practice.
    """

    contract: ContractId
    expects: str
    recognise: Callable[[FileHead], Recognised | None]
    read: Callable[[FileHead], pa.Table]
    required: bool = False
    per_practice: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
