"""The Core20 report of the command line: named files in, a folder of tables, a map and a page out.

Everything is made before anything is written, into a folder beside the target; then each file takes its place by one rename. What cannot be
made (a map from faulty boundaries) is said and does not cost the rest.
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
from fuller_popheath.errors import FullerError, InputMissing
from fuller_popheath.specs import ContractId, Night

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.arrival.landing import Arrived
    from fuller_popheath.site import Site

GivenFiles = Sequence[tuple[tuple[ContractId, ...], Path]]

TABLES = {
    "core20_by_pcn": "products/core20_by_pcn",
    "core20_by_practice": "products/core20_by_practice",
    "core20_by_place": "products/core20_by_place",
    "core20_by_icb": "products/core20_by_icb",
    "core20_phasing": "products/core20_phasing",
    "unplaced": "products/core20_unplaced",
    "edition_comparison": "products/core20_edition_comparison",
}
ALSO_PARQUET = ("core20_by_pcn",)
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


def read_given(given: GivenFiles, quarantine: Path, site: Site, say: Callable[[str], None]) -> dict[ContractId, pa.Table]:
    """Read named files against the contracts each may be: accepted rows by contract id.

    Two files of one contract are refused by the first repeated one; faulty rows go to `quarantine` and are counted aloud.
    Raises FileRefused for a file that is something else or cannot be read, InputMissing for a contract given twice.
    """
    from fuller_popheath.arrival import landing

    tables: dict[ContractId, pa.Table] = {}
    for expected, path in given:
        arrived: Arrived = landing.read_file(path, expected, quarantine, site.arrival)
        contract = arrived.contract_id
        if contract in tables and contract != "reference/lsoa_boundary":
            raise InputMissing(f"{path.name}: {contract} was given already by another file; give each once")
        tables[contract] = _joined(tables.get(contract), arrived.table)
        faulty = f", {arrived.rows_quarantined:,} quarantined" if arrived.rows_quarantined else ""
        say(f"  {path.name}: {arrived.rows_read:,} rows read as {contract}{faulty}")
        for rule, rows in sorted(arrived.counts.items()):
            say(f"    [yellow]{rule}: {rows:,} rows[/]")
    return tables


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
    arrived = read_given(given, out / "quarantine", site, say)
    try:
        arrived |= read_given(boundaries, out / "quarantine", site, say)
    except FullerError as refusal:
        report.problems.append(f"the map: {refusal}")
    say("Making")
    made = graph.build(TABLES.values(), arrived, night, on_table=lambda contract, rows: say(f"  {contract}: {rows:,} rows"))
    sources = [path.name for _, path in (*given, *boundaries)]
    _write_whole(out, lambda folder: _write_into(folder, made, night, sources, report), report)
    _summarise(made, report, out, say)
    return report


def _write_into(folder: Path, made: dict[ContractId, pa.Table], night: Night, sources: list[str], report: Report) -> None:
    import pyarrow.csv as arrow_csv
    import pyarrow.parquet as parquet

    both_editions = made["products/core20_edition_comparison"].num_rows > 0
    for name, contract in TABLES.items():
        if name == "edition_comparison" and not both_editions:
            continue
        arrow_csv.write_csv(made[contract], folder / f"{name}.csv", arrow_csv.WriteOptions(quoting_style="needed"))
        if name in ALSO_PARQUET:
            parquet.write_table(made[contract], folder / f"{name}.parquet")
    report.problems += write_pages(folder, made, night, sources)


def publish_pages(out: Path, made: Mapping[ContractId, pa.Table], night: Night, sources: Sequence[str] | pa.Table) -> Report:
    """As `write_pages`, but made beside `out` and put in place file by file when all stand, replacing the last ones."""
    report = Report()
    _write_whole(out, lambda folder: report.problems.extend(write_pages(folder, made, night, sources)), report)
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


def _write_whole(out: Path, write: Callable[[Path], None], report: Report) -> None:
    """Run `write` on a folder beside `out`; when all of it stands, each file takes its place by one rename."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=out) as making:
        write(Path(making))
        for path in sorted(Path(making).iterdir()):
            os.replace(path, out / path.name)  # noqa: PTH105 - atomic on one file system, which Path.rename is only on some
            report.files.append(out / path.name)


def _summarise(made: dict[ContractId, pa.Table], report: Report, out: Path, say: Callable[[str], None]) -> None:
    by_pcn = made["products/core20_by_pcn"].to_pylist()
    for edition in sorted({row["imd_edition"] for row in by_pcn}):
        rows = [row for row in by_pcn if row["imd_edition"] == edition]
        people, core20 = (sum(row[column] for row in rows) for column in ("registered_count", "q1_count"))
        practices = sum(row["practice_count"] for row in rows)
        say(f"IMD {edition}: {len(rows):,} PCNs, {practices:,} practices, {people:,} people, {core20:,} in Core20 ({100 * core20 / people:.1f} %)")
    say(f"Written to {out}: {', '.join(path.name for path in report.files)}")
