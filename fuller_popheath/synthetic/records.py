"""The records of a make-believe ICS: every practice simulated, and its extracts, the trusts' feeds and the opt-out file written.

Grain: one file a practice and table, one a trust and table, one national file, and one file of true probabilities outside the landing folder.
Practices are made in processes of their own; how many there are changes nothing but the time. What does not belong here: what happens to people.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.synthetic.deprivation import LSOAS_2025
from fuller_popheath.synthetic.extract_files import EXTRACTS_FOLDER, PRACTICE_TABLES, TRUST_TABLES, extract_path, write_extract
from fuller_popheath.synthetic.people import NONE, Registrations
from fuller_popheath.synthetic.place import Place, stream
from fuller_popheath.synthetic.simulation.cohort import NEVER, PracticeJob

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.synthetic.simulation.practice import PracticeTables

TRUSTS = ("ZZ1", "ZZ2", "ZZ3")
"""Codes of the make-believe trusts, one a local authority; no organisation's code begins so."""
LAYOUTS = ("own", "as_supplier", "omop")
OMOP, REGION = "omop", "region"
"""A region's OMOP is one extract of all its practices, hospital visits included; its folder is called so."""
SUPPLIERS_WITH_A_LAYOUT = ("EMIS", "TPP")
TRUTH_FOLDER, TRUTH_FILE = "truth", "truth.parquet"

TEMPORARY_SHARE, TEMPORARY_DAYS = 0.002, 90
"""People who are besides registered with another practice of the area as temporary residents, and for how long at most (made up)."""
LINGERING_DAYS, LINGERING_SHARE = 45, 0.3
"""Old registrations that a practice has not ended yet though the person has a new one: among those that ended so lately (made up)."""
IN_PROCESS_PEOPLE = 60_000
"""Below this many people the time to start processes is not worth it."""

_RANK = "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)"


@dataclass(frozen=True)
class Task:
    """One practice's job, what its files are to be, and, where it is written in a supplier's layout, its list.

    A supplier's layout carries Type 1 objections as codes only, and homes as postcodes. `is_kept`: nothing is written, the tables are handed back.
    """

    job: PracticeJob
    folder: Path
    as_of: date
    file_format: str
    as_supplier: bool
    listed: pa.Table | None
    is_kept: bool = False


@dataclass(frozen=True)
class Done:
    """What a process hands back: the files written, rows by table, and what is written together with other practices'; `kept`: all of it."""

    files: tuple[Path, ...]
    rows: Mapping[str, int]
    trusts: Mapping[str, pa.Table]
    national: pa.Table
    truth: pa.Table
    kept: Mapping[str, pa.Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Records:
    """What `write_records` wrote: the files in the landing folder, rows by table, and the file of true probabilities."""

    files: tuple[Path, ...]
    rows: Mapping[str, int]
    truth_file: Path


def as_listed(people: pa.Table, rows: Registrations, place: Place, seed: int, as_of: date) -> tuple[pa.Table, Registrations, np.ndarray]:
    """The practices' lists as they are sent: with temporary residents, registrations not ended in time, local ids and types.

    Returns the table, the rows it was made from in the same order, and which of them are temporary. Published counts know none of the oddities.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.synthetic.simulation.practice import FIRST_PATIENT

    rng = stream(seed, "oddities")
    today = int(np.datetime64(as_of, "D").astype(np.int64))
    lately = (rows.end > today - LINGERING_DAYS) & (rows.end <= today) & (rows.death == NONE) & _has_another(rows)
    lingering = lately & (rng.random(len(rows.numbers)) < LINGERING_SHARE)
    ended = pc.if_else(pa.array(lingering), pa.scalar(None, pa.date32()), people["registration_end_date"])
    people = people.set_column(people.column_names.index("registration_end_date"), "registration_end_date", ended)
    lists = [number for number, practice in enumerate(place.organisations.practices) if practice.has_list]
    here = np.flatnonzero((rows.end == NONE) & (rows.death == NONE) & (rows.start < today - TEMPORARY_DAYS) & (rows.born < today - 400))
    visiting = here[rng.random(len(here)) < TEMPORARY_SHARE]
    other = np.array(lists)[(rows.practice[visiting] + rng.integers(1, len(lists), len(visiting))) % len(lists)]
    since = today - rng.integers(1, TEMPORARY_DAYS, len(visiting))
    guests = people.take(pa.array(visiting))
    codes = pa.array([practice.code for practice in place.organisations.practices])
    guests = guests.set_column(1, "practice_code", codes.take(pa.array(other)))
    begun = pa.array(since.astype(np.int32), pa.int32()).cast(pa.date32())
    guests = guests.set_column(guests.column_names.index("registration_start_date"), "registration_start_date", begun)
    guests = guests.set_column(guests.column_names.index("usual_gp_code"), "usual_gp_code", pa.nulls(len(visiting), pa.string()))
    still = replace(rows, end=np.where(lingering, NONE, rows.end))
    every = still.with_rows(replace(rows.take(visiting), practice=other, start=since))
    order = np.argsort(every.practice, kind="stable")
    every = every.take(order)
    is_temporary = np.repeat([False, True], [len(rows.numbers), len(visiting)])[order]
    table = pa.concat_tables([people, guests]).combine_chunks().take(pa.array(order))
    first = np.searchsorted(every.practice, every.practice)
    ids = pa.array(FIRST_PATIENT + np.arange(len(order)) - first).cast(pa.string())
    kinds = pa.array(["regular", "temporary"]).take(pa.array(is_temporary.astype(np.int8)))
    return table.append_column("patient_id", ids).append_column("registration_type", kinds), every, is_temporary


def _has_another(rows: Registrations) -> np.ndarray:
    _, person, count = np.unique(rows.numbers, return_inverse=True, return_counts=True)
    return count[person] > 1


def practice_jobs(
    place: Place, seed: int, as_of: date, years: int, lists: pa.Table, rows: Registrations, is_temporary: np.ndarray
) -> Iterator[PracticeJob]:
    """One job a practice, in the order of the lists."""
    today = int(np.datetime64(as_of, "D").astype(np.int64))
    last, arrived, home = _of_persons(rows, is_temporary)
    ranks = dict(zip(place.imd_2025["LSOA code (2021)"].to_pylist(), place.imd_2025[_RANK].to_pylist(), strict=True))
    of_piece = 1 - (np.array([ranks[code] for code in place.piece_lsoa21]) - 0.5) / LSOAS_2025
    ethnicity = np.array([value or "" for value in lists["ethnic_category"].to_pylist()])
    has_number = lists["nhs_number"].is_valid().to_numpy()
    named = np.array([int(code[-3:]) if code else -1 for code in lists["usual_gp_code"].to_pylist()])
    starts = np.flatnonzero(np.diff(rows.practice, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(rows.practice)], strict=True):
        practice = place.organisations.practices[rows.practice[start]]
        own = slice(int(start), int(end))
        trust = 0 if practice.pcn is None else place.organisations.pcns[practice.pcn].local_authority
        part = rows.take(np.arange(start, end))
        yield PracticeJob(
            seed=seed, today=today, years=years, code=practice.code, supplier=practice.supplier, gps=practice.gps,
            provider=TRUSTS[trust], other_provider=TRUSTS[(trust + 1) % len(TRUSTS)],
            number=part.numbers, has_number=has_number[own], born=part.born, is_female=part.sex == "female", ethnicity=ethnicity[own],
            deprivation=of_piece[home[own]], arrived=arrived[own], start=part.start, end=np.where(part.end == NONE, NEVER, part.end),
            death=np.where(part.death == NONE, NEVER, part.death), is_last=last[own], is_temporary=is_temporary[own], usual_gp=named[own],
        )  # fmt: skip


def _of_persons(rows: Registrations, is_temporary: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row: whether it is its person's last regular one, when the person first came, and the home of the last one."""
    order = np.lexsort((rows.start, ~is_temporary, rows.numbers))
    numbers = rows.numbers[order]
    is_end = np.append(numbers[1:] != numbers[:-1], True)
    is_begin = np.append(True, numbers[1:] != numbers[:-1])
    group = np.cumsum(is_begin) - 1
    last = np.zeros(len(order), dtype=bool)
    last[order[is_end]] = True
    home, arrived = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
    home[order] = rows.piece[order[is_end]][group]
    regular = np.where(is_temporary, NEVER, rows.start)[order]
    arrived[order] = np.minimum.reduceat(regular, np.flatnonzero(is_begin))[group]
    return last, arrived, home


def run_task(task: Task) -> Done:
    """Simulate one practice and write its files. Runs in a process of its own, so it takes and returns plain things."""
    from fuller_popheath.synthetic.simulation.practice import simulate_practice

    made = simulate_practice(task.job)
    code = task.job.code
    kept: dict[str, pa.Table] = {}
    files: tuple[Path, ...] = ()
    if task.is_kept:
        kept = {"inbound/practice_list": task.listed, **_tables_kept(task.job, made)}
    elif task.as_supplier:
        files = _write_as_supplier(task, made.practice)
    else:
        files = tuple(
            write_extract(extract_path(task.folder, name, code, task.as_of, task.file_format), [made.practice[name]], task.file_format)
            for name in PRACTICE_TABLES
        )
    return Done(files, {name: made.practice[name].num_rows for name in PRACTICE_TABLES}, made.trusts, made.national, made.truth, kept)


def _tables_kept(job: PracticeJob, made: PracticeTables) -> dict[str, pa.Table]:
    """A practice's tables and those of hospitals about its people, who have the practice's own numbers there too: a region's OMOP has linked them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.synthetic.simulation.practice import FIRST_PATIENT

    tables = {f"inbound/{name}": table for name, table in made.practice.items() if name != "objection"}
    for name, table in made.trusts.items():
        place = pc.subtract(pc.utf8_slice_codeunits(table["patient_id"], 1).cast(pa.int64()), int(job.code[1:]) * 100_000)
        local = pc.add(place, FIRST_PATIENT).cast(pa.string())
        table = table.set_column(table.column_names.index("patient_id"), "patient_id", local)
        tables[f"inbound/{name}"] = table.append_column("record_id", pa.array(np.arange(1, table.num_rows + 1)).cast(pa.string()))
    return tables


def _write_as_supplier(task: Task, tables: Mapping[str, pa.Table]) -> tuple[Path, ...]:
    from importlib import import_module

    supplier = task.job.supplier.lower()
    writer = import_module(f"fuller_popheath.synthetic.suppliers.{supplier}")
    rng = np.random.default_rng([task.job.seed, *f"{supplier} {task.job.code}".encode()])
    sent = {f"inbound/{name}": table for name, table in tables.items() if name != "objection"}
    files: tuple[Path, ...] = writer.write_drop(
        task.folder / EXTRACTS_FOLDER / supplier, task.job.code, {"inbound/practice_list": task.listed, **sent}, task.as_of, rng
    )
    return files


def worker_count(workers: int | None, people: int) -> int:
    """How many processes to use: as many as asked for, or as there are processors, but one for a small place. Raises SettingsWrong below one."""
    if workers is None:
        return len(os.sched_getaffinity(0)) if people >= IN_PROCESS_PEOPLE else 1
    if workers < 1:
        raise SettingsWrong(f"workers must be at least 1, and is {workers}")
    return workers


def write_records(tasks: list[Task], folder: Path, truth_folder: Path, workers: int, say: Callable[[str], None]) -> Records:
    """Run every practice's task, then write what several practices share: trusts' feeds, the national opt-out file, the truth."""
    import pyarrow as pa
    import pyarrow.compute as pc

    done: list[Done] = []
    for number, one in enumerate(_run(tasks, workers), start=1):
        done.append(one)
        say(f"Simulated {number} of {len(tasks)} practices")
    file_format, as_of = tasks[0].file_format, tasks[0].as_of
    files = [path for one in done for path in one.files]
    rows: Counter[str] = Counter()
    for one in done:
        rows.update(one.rows)
    say("Writing the hospitals' feeds")
    if tasks[0].is_kept:
        files += _write_omop(tasks[0], done)
        rows.update({name: sum(one.trusts[name].num_rows for one in done) for name in TRUST_TABLES})
    for name in () if tasks[0].is_kept else TRUST_TABLES:
        for trust in TRUSTS:
            own = pa.concat_tables([one.trusts[name].filter(pc.equal(one.trusts[name]["provider_code"], trust)) for one in done])
            own = own.add_column(4, "record_id", pa.array(np.arange(1, own.num_rows + 1)).cast(pa.string()))
            files.append(write_extract(extract_path(folder, name, trust, as_of, file_format), [own], file_format))
            rows[name] += own.num_rows
    national = pa.concat_tables([one.national for one in done]).sort_by("nhs_number")
    national = national.add_column(4, "record_id", pa.array(np.arange(1, national.num_rows + 1)).cast(pa.string()))
    files.append(write_extract(extract_path(folder, "objection", "national", as_of, file_format), [national], file_format))
    rows["objection"] += national.num_rows
    truth = write_extract(truth_folder / TRUTH_FILE, [one.truth for one in done], "parquet")
    return Records(tuple(files), dict(rows), truth)


def _write_omop(task: Task, done: list[Done]) -> tuple[Path, ...]:
    """All practices' tables as one extract."""
    import pyarrow as pa

    from fuller_popheath.synthetic.suppliers.omop import write_drop

    tables = {name: pa.concat_tables([one.kept[name] for one in done]) for name in done[0].kept}
    return write_drop(task.folder / EXTRACTS_FOLDER / OMOP, REGION, tables, task.as_of, np.random.default_rng([task.job.seed, *OMOP.encode()]))


def _run(tasks: list[Task], workers: int) -> Iterator[Done]:
    if workers == 1:
        yield from map(run_task, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(run_task, tasks)
