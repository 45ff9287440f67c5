"""The Core20 report of the command line: named files in, a folder of tables, a map and a page out.

Every table is made before one is written, in a folder beside the target; then each file takes its place by one rename, and what an earlier run
left there and this one could not make is removed. A map that cannot be made (from faulty boundaries) is said and does not cost the rest.
Faulty rows are in `quarantine/` below the target as soon as they are read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath import graph
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import FileRefused, FullerError, InputMissing
from fuller_popheath.registry import tables
from fuller_popheath.sources.names import file_told
from fuller_popheath.specs import ContractId, Night

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.arrival.landing import Arrived
    from fuller_popheath.site import Site

GivenFiles = Sequence[tuple[tuple[ContractId, ...], Path]]

FILE_NAMES = {"products/core20_unplaced": "unplaced", "products/core20_edition_comparison": "edition_comparison"}
COMPARISON = "products/core20_edition_comparison"
ALSO_PARQUET = ("products/core20_by_pcn",)
LONG_AGO_DAYS = 92  # the registrations are published every month, by LSOA every three
PICTURES = ("map*.png", "map*.svg", "core20.html")
PAGE_TABLES = (
    *("products/core20_by_pcn", "products/core20_by_icb", "products/core20_by_place", "products/core20_edition_comparison"),
    *("products/core20_phasing", "products/core20_unplaced"),
    *("core/registered_count", "core/neighbourhood_practice", "reference/lsoa_boundary", "reference/lsoa_2011_2021"),
)


@dataclass
class Report:
    """What was written, and what could not be made and why (texts safe to show)."""

    files: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def products() -> dict[ContractId, str]:
    """Every product of published counts, which are exact, and the name of its file here."""
    published = (contract for contract in tables() if contract.startswith("products/") and load_contract(contract).purpose == "open")
    return {contract: FILE_NAMES.get(contract, contract.partition("/")[2]) for contract in published}


def read_given(
    given: GivenFiles, quarantine: Path, site: Site, say: Callable[[str], None]
) -> tuple[dict[ContractId, pa.Table], list[str], list[FileRefused]]:
    """Read named files against the contracts each may be: accepted rows by contract id, the names of the files used, the refusals of the others.

    One refused file costs no other one: who needs it will miss it. Faulty rows go to `quarantine` and are counted aloud. Raises InputMissing for
    a contract given twice (boundaries may be).
    """
    from fuller_popheath import contracts
    from fuller_popheath.arrival import landing

    read: dict[ContractId, pa.Table] = {}
    used: list[str] = []
    refusals: list[FileRefused] = []
    for expected, path in given:
        try:
            arrived: Arrived = landing.read_file(path, expected, quarantine, site.arrival)
        except FileRefused as refusal:
            refusals.append(refusal)
            continue
        contract = arrived.contract_id
        if contract in read and contract != "reference/lsoa_boundary":
            raise InputMissing(f"{file_told(path.name)}: {contract} was given already by another file; give each once")
        read[contract] = _joined(read.get(contract), arrived.table)
        used.append(file_told(path.name))
        faulty = f", {arrived.rows_quarantined:,} quarantined" if arrived.rows_quarantined else ""
        say(f"  {file_told(path.name)}: {arrived.rows_read:,} rows read as {contract}{faulty}")
        asked = {rule.id: rule.description for rule in contracts.load_contract(contract).rules}
        for rule, rows in sorted(arrived.counts.items()):
            say(f"    {rule}: {rows:,} rows. {asked.get(rule, '')}")
        if arrived.rows_quarantined:
            say(f"    They are kept, with their row numbers, in {quarantine / contract}")
    return read, used, refusals


def _joined(before: pa.Table | None, table: pa.Table) -> pa.Table:
    import pyarrow as pa

    return table if before is None else pa.concat_tables([before, table])


def make(given: GivenFiles, boundaries: GivenFiles, as_of: date, site: Site, out: Path, say: Callable[[str], None]) -> Report:
    """Read, make and write the whole report. Returns what was written and what could not be made.

    Raises FileRefused, InputMissing or ContractBroken, with nothing written, where the tables themselves cannot be made.
    """
    night = Night(as_of, site)
    report = Report()
    say("Reading")
    arrived, sources, refusals = read_given((*given, *boundaries), out / "quarantine", site, say)
    report.problems += [str(refusal) for refusal in refusals]
    say("Making")
    try:
        made = graph.build(products(), arrived, night, on_table=lambda contract, rows: say(f"  {contract}: {rows:,} rows"))
    except InputMissing as missing:
        if not refusals:
            raise
        raise FileRefused(f"{' | '.join(map(str, refusals))} | so that {missing}") from None
    if not made["products/core20_by_pcn"].num_rows:
        raise InputMissing(f"nobody is registered with a practice that is in a PCN on {as_of}: look at the registrations and the day asked for")
    ours = [*PICTURES, *(f"{name}.{kind}" for name in products().values() for kind in ("csv", "parquet"))]
    _write_whole(out, lambda folder: _write_into(folder, made, night, sources, report), report, ours)
    _summarise(made, report, night, out, say)
    return report


def _write_into(folder: Path, made: dict[ContractId, pa.Table], night: Night, sources: list[str], report: Report) -> None:
    import pyarrow.parquet as parquet

    from fuller_popheath.publish.csv_files import write_csv

    for contract, name in products().items():
        if contract == COMPARISON and not made[contract].num_rows:
            continue
        write_csv(made[contract], folder / f"{name}.csv")
        if contract in ALSO_PARQUET:
            parquet.write_table(made[contract], folder / f"{name}.parquet")
    report.problems += write_pages(folder, made, night, sources)


def publish_pages(out: Path, made: Mapping[ContractId, pa.Table], night: Night, sources: Sequence[str] | pa.Table) -> Report:
    """As `write_pages`, but made beside `out` and put in place file by file when all stand, replacing the last ones."""
    report = Report()
    _write_whole(out, lambda folder: report.problems.extend(write_pages(folder, made, night, sources)), report, PICTURES)
    return report


def write_pages(folder: Path, made: Mapping[ContractId, pa.Table], night: Night, sources: Sequence[str] | pa.Table) -> list[str]:
    """Write `core20.html` and, where there are boundaries, `map.png` and `map.svg` into a folder. Returns what could not be made, and why.

    `made` holds the tables of `PAGE_TABLES` by contract id; `sources` are file names, or the table `core/landing_file`.
    """
    problems, shapes = [], None
    try:
        shapes = _draw_map(folder, made, night)
    except FullerError as refusal:
        problems.append(f"the map: {refusal}")
    _write_page(folder, made, night, sources, shapes)
    return problems


def _draw_map(folder: Path, made: Mapping[ContractId, pa.Table], night: Night) -> object | None:
    from fuller_popheath.publish import core20_map
    from fuller_popheath.publish.catchments import catchments

    boundaries = made.get("reference/lsoa_boundary")
    if boundaries is None or not boundaries.num_rows:
        return None
    lookup = made.get("reference/lsoa_2011_2021")
    shapes = catchments(made["core/registered_count"], made["core/neighbourhood_practice"], boundaries, lsoa_lookup=lookup)
    if shapes.empty:
        raise InputMissing("none of the areas in the boundaries is led by a PCN of this report: give the boundaries of the same part of the country")
    core20_map.write_map(folder, made["products/core20_by_pcn"], shapes, night, _title(made["products/core20_by_icb"]))
    return shapes


def _write_page(folder: Path, made: Mapping[ContractId, pa.Table], night: Night, sources: Sequence[str] | pa.Table, shapes: object | None) -> None:
    from fuller_popheath.publish.page import core20_page

    page = core20_page(
        by_pcn=made["products/core20_by_pcn"],
        by_icb=made["products/core20_by_icb"],
        by_place=made["products/core20_by_place"],
        comparison=made["products/core20_edition_comparison"],
        phasing=made["products/core20_phasing"],
        unplaced=made["products/core20_unplaced"],
        shapes=shapes,
        sources=sources,
        night=night,
        title=_title(made["products/core20_by_icb"]),
    )
    (folder / "core20.html").write_text(page, encoding="utf-8")


def _title(by_icb: pa.Table) -> str:
    names = sorted({name for name in by_icb["icb_name"].to_pylist() if name})
    return f"Core20 by PCN: {names[0]}" if len(names) == 1 else "Core20 by PCN"


def _write_whole(out: Path, write: Callable[[Path], None], report: Report, ours: Sequence[str]) -> None:
    """Run `write` on a folder beside `out`; when all of it stands, each file takes its place by one rename; other files named as `ours` go."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=out) as making:
        write(Path(making))
        for path in sorted(Path(making).iterdir()):
            os.replace(path, out / path.name)  # noqa: PTH105 - atomic on one file system, which Path.rename is only on some
            report.files.append(out / path.name)
    for left in {path for pattern in ours for path in out.glob(pattern)} - set(report.files):
        left.unlink()


def _summarise(made: dict[ContractId, pa.Table], report: Report, night: Night, out: Path, say: Callable[[str], None]) -> None:
    from fuller_popheath.publish.wording import share

    by_pcn = made["products/core20_by_pcn"].to_pylist()
    for edition in sorted({row["imd_edition"] for row in by_pcn}):
        rows = [row for row in by_pcn if row["imd_edition"] == edition]
        people, core20 = (sum(row[column] for row in rows) for column in ("registered_count", "q1_count"))
        practices = sum(row["practice_count"] for row in rows)
        say(f"IMD {edition}: {len(rows):,} PCNs, {practices:,} practices, {people:,} people, {core20:,} in Core20 ({share(core20, people)})")
    for doubt in doubts(made, night):
        say(f"Look at this: {doubt}")
    say(f"Written to {out}: {', '.join(path.name for path in report.files)}")


def doubts(made: Mapping[ContractId, pa.Table], night: Night) -> list[str]:
    """What does not stop a report but should be looked at, a sentence each: unusual shares, and people the report leaves out."""
    from fuller_popheath.arrival import plausible
    from fuller_popheath.place import area_asked_for
    from fuller_popheath.place.neighbourhood_practice import practices_everywhere

    limits, registered, practices = night.site.arrival, made["core/registered_count"], made["core/neighbourhood_practice"]
    findings = [plausible.unmatched_share(made["core/practice_quintile"], limits)]
    if (membership := made.get("reference/pcn_membership")) is not None:
        findings.append(plausible.one_membership(membership, night.as_of))
    if not night.site.geography.icb:
        findings.append(plausible.practice_coverage(practices, registered, limits))
    found = [finding.sentence for finding in findings if not finding.is_as_expected]
    left = area_asked_for.left_out(registered, practices_everywhere(made, night), night.site.geography.icb)
    if left.unknown_icb_practice_count:
        found.append(
            f"{left.unknown_icb_registered_count:,} people of {left.unknown_icb_practice_count:,} practices whose sub-ICB no file tells are in "
            "no table here; some may belong to the area asked for (a practice map, given with --pcn as well, may tell)"
        )
    extract = registered["registrations_extract"][0].as_py()
    days = abs((night.as_of - extract).days)
    return found + ([f"the registrations are of {extract}, {days:,} days from the day asked for"] if days > LONG_AGO_DAYS else [])
