"""Write a whole make-believe place into a landing folder, as each publisher and each practice would send it.

Everything is written to a temporary name and renamed, so that a reader never sees half a file. Heavy libraries are imported when it is called.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.synthetic.extract_files import EXTRACTS_FOLDER, check_format
from fuller_popheath.whole_files import replace_whole

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

    from fuller_popheath.synthetic.people import Registrations
    from fuller_popheath.synthetic.place import Place
    from fuller_popheath.synthetic.records import Records

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
POSTCODES_FILE = "make_believe_postcodes.csv"
TEAMS_FILE = "team_capacity.csv"
LISTS_FOLDER = "practice_lists"

SAVED_BEFORE = timedelta(days=4)
"""How long before `as_of` the PCN workbook was saved; its document properties say so."""


@dataclass(frozen=True)
class SyntheticSummary:
    """What was written: the files, and how many of each thing. `people` are registered and alive on the day, `registrations` the lists' rows.

    `records`: rows by inbound table where records were asked for, and then `truth_file`, which lies outside the landing folder.
    """

    files: tuple[Path, ...]
    people: int
    registrations: int
    practices: int
    pcns: int
    lsoas_2011: int
    lsoas_2021: int
    records: Mapping[str, int] = field(default_factory=dict)
    truth_file: Path | None = None


@dataclass(frozen=True)
class RecordsWanted:
    """How records are to be written: how many years of them, as which files, in whose layout, by how many processes, and the folder of the truth."""

    years: int = 4
    file_format: str = "csv"
    layout: str = "own"
    workers: int | None = None
    truth_folder: Path | None = None


def write_landing(
    folder: Path,
    *,
    seed: int,
    as_of: date,
    people: int = 240_000,
    lsoa_vintage: str = "2021",
    records: bool = False,
    years: int = 4,
    file_format: str = "csv",
    layout: str = "own",
    workers: int | None = None,
    truth_folder: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> SyntheticSummary:
    """Make the place of this seed and write all its files into `folder`, which is created where needed.

    The same arguments write the same bytes, however many `workers` (processes; None: all processors, one for a small place) there are.
    `lsoa_vintage` ("2021" or "2011") is the one the published counts use; the lists always use 2021. With `records`, the extracts of so many `years`
    are written too: as `file_format` "csv", "csv.gz" or "parquet", in our `layout` ("own"), where a practice's system has one, in its
    ("as_supplier"), or all of them as one OMOP extract ("omop", for which all records are held at once); lists then hold temporary residents and
    late deductions besides. True probabilities go to `truth_folder`, by default "truth" beside the landing folder. Call it from a module that can
    be imported without running it where there are several workers.
    Raises SettingsWrong where the folder holds other files (two places in one folder would be counted together), or for an argument that cannot be.
    """
    from fuller_popheath.synthetic import published
    from fuller_popheath.synthetic.people import make_registrations
    from fuller_popheath.synthetic.place import make_place

    say = progress or (lambda _: None)
    wanted = _checked(RecordsWanted(years, check_format(file_format), layout, workers, truth_folder))
    say(f"Drawing a make-believe place for {people:,} people")
    place = make_place(seed, as_of, people)
    _refuse_other_files(folder, place, as_of)
    say(f"Placing people in {place.lsoa21.shape[0]} small areas and {place.size.practices} practices")
    rows, drawn = make_registrations(place, seed, as_of)
    counts = published.practice_lsoa_counts(place, rows, as_of, lsoa_vintage)

    say("Writing what is published")
    (folder / LISTS_FOLDER).mkdir(parents=True, exist_ok=True)
    files = [*_write_published(folder, place, as_of, rows, counts), *_write_workforce(folder, place, seed, as_of, counts)]
    files += _write_neighbourhoods(folder, place, seed, as_of)
    say("Writing the practices' lists")
    made = None
    if records:
        rows, made = _write_records(folder, place, seed, as_of, rows, drawn, wanted, say)
        files += made.files
    else:
        files += _write_lists(folder / LISTS_FOLDER, rows)
    say(f"Wrote {len(files)} files")
    return _summary(place, files, sum(counts["NUMBER_OF_PATIENTS"].to_pylist()), rows.num_rows, made)


def _summary(place: Place, files: Sequence[Path], people: int, registrations: int, made: Records | None) -> SyntheticSummary:
    return SyntheticSummary(
        files=tuple(files),
        people=people,
        registrations=registrations,
        practices=place.size.practices,
        pcns=len(place.organisations.pcns),
        lsoas_2011=len(place.lsoa11),
        lsoas_2021=len(place.lsoa21),
        records=made.rows if made else {},
        truth_file=made.truth_file if made else None,
    )


def _write_published(folder: Path, place: Place, as_of: date, rows: pa.Table, counts: pa.Table) -> list[Path]:
    """Everything that publishers, not practices, would send."""
    from fuller_popheath.synthetic import published
    from fuller_popheath.synthetic.classified_areas import CLASSIFICATION_FILE, lsoa_classification
    from fuller_popheath.synthetic.suppliers.made_up import postcodes
    from fuller_popheath.synthetic.teams import team_capacity

    return [
        _write_table(folder / TEAMS_FILE, team_capacity(place.organisations, as_of)),
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
        _write_table(folder / CLASSIFICATION_FILE, lsoa_classification(place)),
        # One postcode an LSOA, which is what suppliers' layouts have in place of the LSOA.
        _write_table(folder / POSTCODES_FILE, postcodes(rows["lsoa_code"]).rename_columns(["pcds", "lsoa21cd"])),
    ]


def _write_workforce(folder: Path, place: Place, seed: int, as_of: date, counts: pa.Table) -> list[Path]:
    """Staff, as publishers and the ICB would send them, each file in the encoding that its publisher uses."""
    from fuller_popheath.synthetic.workforce import workforce_files

    written = []
    for name, (table, encoding) in workforce_files(place, seed, as_of, counts).items():
        lines = [table.column_names, *zip(*(column.to_pylist() for column in table.columns), strict=True)]
        written.append(write_whole(folder / name, _csv_text(lines, "\r\n").encode(encoding)))
    return written


def _write_neighbourhoods(folder: Path, place: Place, seed: int, as_of: date) -> list[Path]:
    """The patient survey and the register of sites."""
    from fuller_popheath.synthetic.neighbourhood_files import neighbourhood_files

    return [_write_table(folder / name, table) for name, table in neighbourhood_files(place, seed, as_of).items()]


def _checked(wanted: RecordsWanted) -> RecordsWanted:
    from fuller_popheath.synthetic.records import LAYOUTS, worker_count

    if wanted.layout not in LAYOUTS:
        raise SettingsWrong(f'layout "{wanted.layout}" is not known; there are {", ".join(LAYOUTS)}')
    if not 2 <= wanted.years <= 10:
        raise SettingsWrong(f"years must be from 2 to 10, and is {wanted.years}")
    worker_count(wanted.workers, 0)
    return wanted


def _write_records(
    folder: Path, place: Place, seed: int, as_of: date, rows: pa.Table, drawn: Registrations, wanted: RecordsWanted, say: Callable[[str], None]
) -> tuple[pa.Table, Records]:
    """The lists as they are sent, and everybody's records."""
    from fuller_popheath.synthetic import records

    lists, every, is_temporary = records.as_listed(rows, drawn, place, seed, as_of)
    tasks, own = [], []
    start = 0
    for job in records.practice_jobs(place, seed, as_of, wanted.years, lists, every, is_temporary):
        part = lists.slice(start, len(job.number)).drop_columns(["lsoa11_code"])
        start += len(job.number)
        is_kept = wanted.layout == records.OMOP
        as_supplier = wanted.layout == "as_supplier" and job.supplier in records.SUPPLIERS_WITH_A_LAYOUT
        own += [] if as_supplier or is_kept else [part]
        tasks.append(records.Task(job, folder, as_of, wanted.file_format, as_supplier, part if as_supplier or is_kept else None, is_kept))
    listed = [_write_list(folder / LISTS_FOLDER, part) for part in own]
    truth_folder = wanted.truth_folder or folder.parent / records.TRUTH_FOLDER
    made = records.write_records(tasks, folder, truth_folder, records.worker_count(wanted.workers, place.size.people), say)
    return lists, records.Records((*listed, *made.files), made.rows, made.truth_file)


_OUR_EXTRACTS = EXTRACTS_FOLDER + r"/[a-z_]+/({codes}|ZZ[123]|national|region)_{day}([./]|$)"


def _refuse_other_files(folder: Path, place: Place, as_of: date) -> None:
    from fuller_popheath.synthetic.classified_areas import CLASSIFICATION_FILE
    from fuller_popheath.synthetic.neighbourhood_files import NEIGHBOURHOOD_FILES
    from fuller_popheath.synthetic.workforce import WORKFORCE_FILES

    names = {
        REGISTRATIONS_FILE, MAP_FILE, PCN_FILE, PRACTICES_FILE, IMD_2019_FILE, IMD_2025_FILE, LOOKUP_FILE,
        BOUNDARIES_2011_FILE, BOUNDARIES_2021_FILE, POPULATION_FILE, POSTCODES_FILE, TEAMS_FILE, CLASSIFICATION_FILE,
            *WORKFORCE_FILES, *NEIGHBOURHOOD_FILES,
    }  # fmt: skip
    ours = {folder / name for name in names}
    ours |= {folder / LISTS_FOLDER / f"{practice.code}.csv" for practice in place.organisations.practices}
    extracts = re.compile(_OUR_EXTRACTS.format(codes="|".join(practice.code for practice in place.organisations.practices), day=f"{as_of:%Y%m%d}"))
    there = folder.rglob("*") if folder.is_dir() else ()
    others = [
        path
        for path in there
        if path.is_file() and not path.name.startswith(".") and path not in ours and not extracts.match(path.relative_to(folder).as_posix())
    ]
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
    """One CSV a practice. The rows already lie practice by practice, so each file is one slice."""
    import pyarrow.compute as pc

    lists = rows.drop_columns(["lsoa11_code"])
    runs = pc.run_end_encode(lists["practice_code"].combine_chunks())
    files, start = [], 0
    for end in runs.run_ends.to_pylist():
        files.append(_write_list(folder, lists.slice(start, end - start)))
        start = end
    return files


def _write_list(folder: Path, rows: pa.Table) -> Path:
    """The list of one practice; nothing in it needs a quote."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    buffer = pa.BufferOutputStream()
    buffer.write((",".join(rows.column_names) + "\n").encode())
    arrow_csv.write_csv(rows, buffer, arrow_csv.WriteOptions(include_header=False, quoting_style="none"))
    return write_whole(folder / f"{rows['practice_code'][0].as_py()}.csv", buffer.getvalue().to_pybytes())


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
