"""Write a whole make-believe place into a landing folder, as each publisher and each practice would send it.

Everything is written to a temporary name and renamed, so that a reader never sees half a file. Heavy libraries are imported when it is called.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.whole_files import replace_whole

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

    from fuller_popheath.synthetic.place import Place

REGISTRATIONS_FILE = "gp-reg-pat-prac-lsoa-all.csv"
MAP_FILE = "gp-reg-pat-prac-map.csv"
PCN_FILE = "ePCN.xlsx"
PRACTICES_FILE = "epraccur.csv"
IMD_2019_FILE = "File_7_IoD2019_All_Ranks_Deciles_and_Scores.csv"
IMD_2025_FILE = "File_7_IoD2025_All_Ranks_Deciles_and_Scores.csv"
LOOKUP_FILE = "LSOA_2011_to_LSOA_2021_lookup.csv"
BOUNDARIES_2011_FILE = "lsoa11_boundaries.geojson"
BOUNDARIES_2021_FILE = "lsoa21_boundaries.geojson"
POPULATION_FILE = "lsoa21_population.csv"
LISTS_FOLDER = "practice_lists"

SAVED_BEFORE = timedelta(days=4)
"""How long before `as_of` the PCN workbook was saved; its document properties say so."""


@dataclass(frozen=True)
class SyntheticSummary:
    """What was written: the files, and how many of each thing. `people` are registered and alive on the day, `registrations` the lists' rows."""

    files: tuple[Path, ...]
    people: int
    registrations: int
    practices: int
    pcns: int
    lsoas_2011: int
    lsoas_2021: int


def write_landing(
    folder: Path,
    *,
    seed: int,
    as_of: date,
    people: int = 240_000,
    lsoa_vintage: str = "2021",
    progress: Callable[[str], None] | None = None,
) -> SyntheticSummary:
    """Make the place of this seed and write all its files into `folder`, which is created where needed.

    The same arguments write the same bytes. `lsoa_vintage` ("2021" or "2011") is the one the published counts use; the lists always use 2021.
    Raises SettingsWrong where the folder holds other files (two places in one folder would be counted together), or for a size or vintage that
    cannot be.
    """
    from fuller_popheath.synthetic import published
    from fuller_popheath.synthetic.people import make_people
    from fuller_popheath.synthetic.place import make_place

    say = progress or (lambda _: None)
    say(f"Drawing a make-believe place for {people:,} people")
    place = make_place(seed, as_of, people)
    _refuse_other_files(folder, place)
    say(f"Placing people in {place.lsoa21.shape[0]} small areas and {place.size.practices} practices")
    rows = make_people(place, seed, as_of)
    counts = published.practice_lsoa_counts(place, rows, as_of, lsoa_vintage)

    say("Writing what is published")
    (folder / LISTS_FOLDER).mkdir(parents=True, exist_ok=True)
    files = [
        _write_table(folder / REGISTRATIONS_FILE, counts, "\r\n"),
        _write_table(folder / MAP_FILE, published.practice_map(place, as_of), "\r\n"),
        write_workbook(folder / PCN_FILE, published.pcn_workbook(place.organisations), as_of - SAVED_BEFORE),
        write_whole(folder / PRACTICES_FILE, _csv_text(published.ods_practices(place.organisations, as_of), "\r\n", quote_all=True).encode()),
        _write_table(folder / IMD_2019_FILE, place.imd_2019),
        _write_table(folder / IMD_2025_FILE, place.imd_2025),
        # The ONS writes its lookup with a byte order mark.
        _write_table(folder / LOOKUP_FILE, place.lookup, "\r\n", "\ufeff"),
        _write_boundaries(folder / BOUNDARIES_2011_FILE, place.lsoa11),
        _write_boundaries(folder / BOUNDARIES_2021_FILE, place.lsoa21),
        _write_table(folder / POPULATION_FILE, place.lsoa21_population),
    ]
    say("Writing the practices' lists")
    files += _write_lists(folder / LISTS_FOLDER, rows)
    say(f"Wrote {len(files)} files")
    return SyntheticSummary(
        files=tuple(files),
        people=sum(counts["NUMBER_OF_PATIENTS"].to_pylist()),
        registrations=rows.num_rows,
        practices=place.size.practices,
        pcns=len(place.organisations.pcns),
        lsoas_2011=len(place.lsoa11),
        lsoas_2021=len(place.lsoa21),
    )


def _refuse_other_files(folder: Path, place: Place) -> None:
    names = {
        REGISTRATIONS_FILE, MAP_FILE, PCN_FILE, PRACTICES_FILE, IMD_2019_FILE, IMD_2025_FILE, LOOKUP_FILE,
        BOUNDARIES_2011_FILE, BOUNDARIES_2021_FILE, POPULATION_FILE,
    }  # fmt: skip
    ours = {folder / name for name in names}
    ours |= {folder / LISTS_FOLDER / f"{practice.code}.csv" for practice in place.organisations.practices}
    there = folder.rglob("*") if folder.is_dir() else ()
    others = [path for path in there if path.is_file() and not path.name.startswith(".") and path not in ours]
    if others:
        raise SettingsWrong(
            f"{folder.name} already holds {len(others)} other files, which would be counted together with the make-believe place; "
            "give an empty folder"
        )


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file to a temporary name beside it and rename it, so that it is there whole or not at all."""
    return replace_whole(path, lambda temporary: temporary.write_bytes(content))


def _csv_text(rows: Iterable[Sequence[object]], line_end: str = "\n", quote_all: bool = False) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL).writerows(rows)
    return text.getvalue()


def _write_table(path: Path, table: pa.Table, line_end: str = "\n", mark: str = "") -> Path:
    """A small published table, quoted only where a value needs it, as the publishers do."""
    columns = [column.to_pylist() for column in table.columns]
    return write_whole(path, (mark + _csv_text([table.column_names, *zip(*columns, strict=True)], line_end)).encode())


def _write_lists(folder: Path, rows: pa.Table) -> list[Path]:
    """One CSV a practice. The rows already lie practice by practice, so each file is one slice; nothing in them needs a quote."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    lists = rows.drop_columns(["lsoa11_code"])
    runs = pc.run_end_encode(lists["practice_code"].combine_chunks())
    files, start = [], 0
    for code, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        buffer = pa.BufferOutputStream()
        buffer.write((",".join(lists.column_names) + "\n").encode())
        arrow_csv.write_csv(lists.slice(start, end - start), buffer, arrow_csv.WriteOptions(include_header=False, quoting_style="none"))
        files.append(write_whole(folder / f"{code}.csv", buffer.getvalue().to_pybytes()))
        start = end
    return files


def write_workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]], saved_on: date) -> Path:
    """An .xlsx workbook of plain cells whose document properties say when it was saved; the same rows give the same workbook."""
    import xlsxwriter

    memory = io.BytesIO()
    with xlsxwriter.Workbook(memory, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(saved_on.year, saved_on.month, saved_on.day)})  # noqa: DTZ001  # a day, which has no time zone
        wrapped = book.add_format({"text_wrap": True, "bold": True})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, rows[0], wrapped)
            for number, row in enumerate(rows[1:], start=1):
                sheet.write_row(number, 0, row)
    return write_whole(path, memory.getvalue())


def _write_boundaries(path: Path, areas: gpd.GeoDataFrame) -> Path:
    """GeoJSON in longitude and latitude (CRS84, as RFC 7946 has it), six decimals, one feature a line."""
    import shapely

    columns = [name for name in areas.columns if name != "geometry"]
    features = []
    for row in areas.itertuples(index=False):
        shape = json.loads(shapely.to_geojson(row.geometry))
        feature = {"type": "Feature", "properties": {name: getattr(row, name) for name in columns}, "geometry": shape}
        features.append(json.dumps(feature, separators=(",", ":")))
    crs = '"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}}'
    text = f'{{"type":"FeatureCollection","name":"{path.stem}",{crs},"features":[\n' + ",\n".join(features) + "\n]}\n"
    return write_whole(path, text.encode())
