"""Opens whatever lies in a landing folder: says what is in it (`heads`) and reads the rows of one head as text (`text_table`).

What does not belong here: knowing any layout. A file is told by its content first (zip, gzip, GeoPackage) and by its name second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.periods import parse_published_date
from fuller_popheath.site import ArrivalLimits
from fuller_popheath.sources import archives, boundary_files, csv_text, parquet_files, workbooks
from fuller_popheath.sources.heads import OpenedHead, clean_header
from fuller_popheath.sources.locked_workbooks import LOCKED, cannot_be_opened, unlocked
from fuller_popheath.sources.names import file_told, part_told
from fuller_popheath.specs import FileHead

if TYPE_CHECKING:
    import pyarrow as pa

TEXT_NAMES = (".csv", ".txt")
BOUNDARY_NAMES = (".geojson", ".json", ".gpkg")
WORKBOOK_NAMES = (".xlsx", ".xlsm")
PARQUET_NAMES = (".parquet",)
KNOWN_KINDS = "CSV (.csv, .csv.gz or in a .zip), Parquet (.parquet), workbook (.xlsx), or boundaries (.geojson or .gpkg, also .gz)"
MAX_MEGABYTES: int = ArrivalLimits().max_file_megabytes
LINES_LOOKED_AT = 60
"""Of a sheet that is looked at for what it says of another."""


@dataclass(frozen=True)
class _Packed:
    """One thing in a file: how it is packed, its own name, and the bound on what it may unpack to."""

    path: Path
    packing: str
    packed_name: str
    kind: str
    max_bytes: int
    packed_told: str = ""
    password: str = field(default="", repr=False)

    @property
    def own_name(self) -> str:
        return f"{file_told(self.path.name)} ({self.packed_told})" if self.packed_name else file_told(self.path.name)

    def content(self) -> bytes:
        return _content(self.path, self.packing, self.packed_name, self.packed_told, self.max_bytes, self.password)


def _content(path: Path, packing: str, packed_name: str, packed_told: str, max_bytes: int, password: str = "") -> bytes:
    if packing == "locked":
        return unlocked(archives.plain_bytes(path, max_bytes), file_told(path.name), {"": password})[0]
    if packing == "zip":
        return archives.zip_bytes(path, packed_name, packed_told, max_bytes)
    return archives.gzip_bytes(path, max_bytes) if packing == "gz" else archives.plain_bytes(path, max_bytes)


def _kind_by_name(name: str) -> str | None:
    suffix = PurePosixPath(name.lower()).suffix
    by_suffix = {TEXT_NAMES: "csv", BOUNDARY_NAMES: "boundaries", WORKBOOK_NAMES: "sheet", PARQUET_NAMES: "parquet"}
    return next((kind for suffixes, kind in by_suffix.items() if suffix in suffixes), None)


def is_known_kind(path: Path) -> bool:
    """Whether the name is one of a file that can be opened at all; others (a PDF, a note) are left alone, not refused."""
    name = path.name.lower()
    return name.endswith(".zip") or _kind_by_name(name.removesuffix(".gz")) is not None


def heads(path: Path, max_megabytes: int = MAX_MEGABYTES, passwords: Mapping[str, str] | None = None) -> list[OpenedHead]:
    """What is in a file: one head a CSV, sheet or boundary layer; sheets and layers that hold nothing are left out.

    `passwords`: those with which an encrypted workbook is tried, by whose they are; they are kept in memory alone.
    Raises FileRefused, naming the file, for an empty, damaged, cut-short, encrypted or oversized file and for one of no known kind.
    """
    found = [head for packed in _unpack(path, max_megabytes << 20, passwords or {}) for head in _heads_of(packed)]
    if not found:
        raise FileRefused(f"{file_told(path.name)}: there is nothing in it to read; expected a {KNOWN_KINDS}")
    return found


def _unpack(path: Path, max_bytes: int, passwords: Mapping[str, str]) -> list[_Packed]:
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            magic = stream.read(16)
    except OSError:
        raise archives.unreadable(file_told(path.name)) from None
    if size == 0:
        raise FileRefused(f"{file_told(path.name)}: the file is empty (0 bytes); {archives.ASK_AGAIN}")
    if size > max_bytes:
        raise archives.too_large(file_told(path.name), max_bytes)
    name = path.name.lower()
    if magic.startswith(LOCKED):
        if not passwords:
            raise cannot_be_opened(file_told(path.name))
        password = unlocked(archives.plain_bytes(path, max_bytes), file_told(path.name), passwords)[1]
        return [_Packed(path, "locked", "", "sheet", max_bytes, password=password)]
    if magic.startswith(b"PK") or name.endswith((".zip", *WORKBOOK_NAMES)):
        return _unpack_zip(path, max_bytes)
    if magic.startswith(b"\x1f\x8b") or name.endswith(".gz"):
        kind = _kind_by_name(name.removesuffix(".gz"))
        if kind not in ("csv", "boundaries"):
            raise FileRefused(f"{file_told(path.name)}: expected a {KNOWN_KINDS}; found a gzip file of something else, going by its name")
        return [_Packed(path, "gz", "", kind, max_bytes)]
    if magic.startswith(b"PAR1"):
        return [_Packed(path, "", "", "parquet", max_bytes)]
    kind = "boundaries" if magic.startswith(b"SQLite format 3") else _kind_by_name(name)
    if kind is None:
        raise FileRefused(f"{file_told(path.name)}: expected a {KNOWN_KINDS}; found a file of another kind, going by its name")
    return [_Packed(path, "", "", kind, max_bytes)]


def _unpack_zip(path: Path, max_bytes: int) -> list[_Packed]:
    members = archives.zip_members(path, max_bytes)
    if "xl/workbook.xml" in members or "xl/workbook.bin" in members:
        return [_Packed(path, "", "", "sheet", max_bytes)]
    kinds = {member: _kind_by_name(member) for member in members if not PurePosixPath(member).name.startswith((".", "__"))}
    told = {member: part_told(member, "member", position) for position, member in enumerate(members, start=1)}
    found = [_Packed(path, "zip", member, kind, max_bytes, told[member]) for member, kind in kinds.items() if kind and kind != "parquet"]
    if not found:
        raise FileRefused(f"{file_told(path.name)}: none of the {len(members)} files in the zip is a CSV, .xlsx, .geojson or .gpkg")
    return found


def _heads_of(packed: _Packed) -> list[OpenedHead]:
    opener = {"csv": _csv_heads, "sheet": _sheet_heads, "boundaries": _boundary_heads, "parquet": _parquet_heads}[packed.kind]
    return opener(packed)


def _csv_heads(packed: _Packed) -> list[OpenedHead]:
    if packed.packing == "zip":
        beginning = archives.zip_bytes(packed.path, packed.packed_name, packed.packed_told, packed.max_bytes, at_most=csv_text.HEAD_BYTES)
    elif packed.packing == "gz":
        beginning = archives.gzip_beginning(packed.path, csv_text.HEAD_BYTES)
    else:
        beginning = _beginning(packed.path)
    if b"\0" in beginning:
        raise FileRefused(f"{packed.own_name}: expected a CSV in UTF-8 or Windows-1252; found something else; save it as CSV (UTF-8)")
    header = csv_text.find_header(csv_text.first_rows(beginning, is_whole=len(beginning) < csv_text.HEAD_BYTES))
    if header is None:
        if packed.packing == "gz":
            archives.refuse_damaged_gzip(packed.path, packed.max_bytes)
        raise FileRefused(f"{packed.own_name}: the file has no rows and no header; {archives.ASK_AGAIN}")
    header_row, columns, below = header
    return [_head(packed, "", columns, below, header_row=header_row)]


def _parquet_heads(packed: _Packed) -> list[OpenedHead]:
    columns, below, count = parquet_files.head(packed.path, packed.own_name, packed.max_bytes)
    return [_head(packed, "", columns, below, row_count=count, header_row=0)]


def refuse_cut_short(head: FileHead) -> None:
    """Unpack a gzip file to its end, because only so does one that is cut short show itself before it is chosen over a sound one.

    Raises FileRefused where it is cut short, damaged or too large. Nothing is done for what is not packed so.
    """
    opened = as_opened(head)
    if opened.packing == "gz":
        archives.refuse_damaged_gzip(opened.path, opened.max_bytes)


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(csv_text.HEAD_BYTES)
    except OSError:
        raise archives.unreadable(file_told(path.name)) from None


def _sheet_heads(packed: _Packed) -> list[OpenedHead]:
    content = packed.content()
    workbooks.check_workbook(content, packed.own_name, packed.max_bytes)
    saved_on = workbooks.saved_on(content)
    found = []
    for position, (sheet, rows) in enumerate(workbooks.sheet_rows(content, packed.own_name), start=1):
        header = csv_text.find_header(list(enumerate(workbooks.head_rows(rows), start=1)))
        if header is not None:
            header_row, columns, below = header
            count = len(rows) - header_row
            label = part_told(sheet, "sheet", position)
            found.append(_head(packed, sheet, columns, below, label=label, header_row=header_row, row_count=count, saved_on=saved_on))
    return found


def _boundary_heads(packed: _Packed) -> list[OpenedHead]:
    layers = boundary_files.layers(_source_of(packed.path, packed.packing, packed.packed_name, packed.packed_told, packed.max_bytes), packed.own_name)
    return [
        _head(
            packed,
            str(layer.position),
            layer.fields,
            (),
            label=part_told(layer.name, "layer", number) if len(layers) > 1 else "",
            row_count=layer.features,
            crs=layer.crs,
            bounds=layer.bounds,
        )
        for number, layer in enumerate(layers, start=1)
    ]


def _source_of(path: Path, packing: str, packed_name: str, packed_told: str, max_bytes: int) -> Path | bytes:
    return _content(path, packing, packed_name, packed_told, max_bytes) if packing else path


def _head(
    packed: _Packed,
    sheet: str,
    columns: Sequence[str],
    below: Sequence[str],
    *,
    label: str = "",
    header_row: int = 1,
    row_count: int | None = None,
    saved_on: date | None = None,
    crs: str = "",
    bounds: tuple[float, float, float, float] | None = None,
) -> OpenedHead:
    return OpenedHead(
        path=packed.path,
        kind=packed.kind,
        member=": ".join(part for part in (packed.packed_told, label) if part) or None,
        columns=tuple(clean_header(column) for column in columns),
        first_row=tuple(str(cell).strip() for cell in below),
        saved_on=date_in_name(packed.path.name) or date_in_name(PurePosixPath(packed.packed_name).name) or saved_on,
        packing=packed.packing,
        packed_name=packed.packed_name,
        packed_told=packed.packed_told,
        sheet=sheet,
        header_row=header_row,
        row_count=row_count,
        crs=crs,
        bounds=bounds,
        max_bytes=packed.max_bytes,
        password=packed.password,
    )


def date_in_name(name: str) -> date | None:
    """The day a file's name carries, as `ePCN_2022-04-27.xlsx` or `epraccur_20230224.csv`; None for a name without a whole date."""
    for found in re.finditer(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)", name):
        day = parse_published_date("-".join(found.group(1, 3, 4)))
        if day is not None and 1990 <= day.year <= 2100:
            return day
    return None


def text_table(head: FileHead, positions: Sequence[int], has_header: bool = True, coded: Sequence[int] = ()) -> pa.Table:
    """Read the columns at `positions` of a CSV or sheet: text columns `c<position>`, `_row`, and `_shape` where lines have the wrong shape.

    `has_header=False` reads the first row as a row; columns at `coded` may come dictionary-encoded, which is cheaper where few values recur.
    Raises FileRefused if the file cannot be read.
    """
    opened = as_opened(head)
    content = _content(opened.path, opened.packing, opened.packed_name, opened.packed_told, opened.max_bytes, opened.password)
    header_row = opened.header_row if has_header else 0
    if opened.kind == "sheet":
        rows = workbooks.sheet_rows(content, opened.name, opened.sheet)[0][1]
        return workbooks.to_table(rows, header_row, positions)
    return csv_text.read_text(content, header_row, len(opened.columns), positions, coded)


def lines_around(head: FileHead) -> list[list[str]]:
    """What is written about a table: the rows above its header, then, of a workbook, the first rows of each other sheet; a row's cells are one text.

    Raises FileRefused if the file cannot be read.
    """
    opened = as_opened(head)
    content = _content(opened.path, opened.packing, opened.packed_name, opened.packed_told, opened.max_bytes, opened.password)
    if opened.kind == "csv":
        above = csv_text.first_rows(content[: csv_text.HEAD_BYTES], is_whole=len(content) < csv_text.HEAD_BYTES)
        return [[_one_line(row) for line, row in above if line < opened.header_row]]
    sheets = workbooks.sheet_rows(content, opened.name)
    own = [_one_line(row) for name, rows in sheets if name == opened.sheet for row in rows[: opened.header_row - 1]]
    return [own, *([_one_line(row) for row in rows[:LINES_LOOKED_AT]] for name, rows in sheets if name != opened.sheet)]


def _one_line(row: Sequence[object]) -> str:
    return ", ".join(text for cell in row if (text := workbooks.cell_text(cell)))


def shapes_table(head: FileHead, columns: Sequence[str]) -> pa.Table:
    """Read the named properties of a boundary layer and its `geometry` (WKB in the layer's own CRS). Raises FileRefused if it cannot be read."""
    opened = as_opened(head)
    source = _source_of(opened.path, opened.packing, opened.packed_name, opened.packed_told, opened.max_bytes)
    return boundary_files.read_shapes(source, opened.name, int(opened.sheet), columns)


def as_opened(head: FileHead) -> OpenedHead:
    """The head as `heads` made it; one made by hand is looked up in its file again. Raises FileRefused if the file has no such member."""
    if isinstance(head, OpenedHead):
        return head
    found = next((each for each in heads(head.path) if each.member == head.member and each.kind == head.kind), None)
    if found is None:
        raise FileRefused(f"{file_told(head.path.name)}: has no part called {head.member}")
    return found
