"""`fuller`: the same jobs as the Dagster page, from the command line.

What belongs here: options, progress, what a person reads at the end, exit codes. What does not: reading, making or drawing anything.
Exit codes: 0 done, 2 wrong option or setting, 3 a file was refused, 4 rows or a table break their contract, 5 an input is missing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from fuller_popheath import (
    atlas_command,
    audit_command,
    delivery_command,
    key_commands,
    list_commands,
    model_commands,
    night_commands,
    profile_command,
    release_commands,
    scan_command,
    why_command,
    yield_command,
)
from fuller_popheath.errors import FullerError, SettingsWrong, without_values
from fuller_popheath.site import PROJECT_ROOT, Site, load_site

if TYPE_CHECKING:
    from fuller_popheath.synthetic import SyntheticSummary

MAKE_BELIEVE_DAY = date(2026, 10, 1)
MAKE_BELIEVE_SEED = 26
MAKE_BELIEVE_PEOPLE = 120_000
MAKE_BELIEVE_TRAINING = {
    "--job": "first_night",
    "--training-people": "40000",
    "--training-trials": "1",
    "--training-outcome": "emergency_admission_12m",
}
"""One outcome, a sample of people, the usual hyper-parameters: enough for a demonstration in a minute or two."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Population health for an Integrated Care System: from nightly files to Core20 by PCN.",
)
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]


def _say(text: str) -> None:
    console.print(text, soft_wrap=True, markup=False)


def _complain(what: str, text: str) -> None:
    """One line on standard error. The text is no markup: a section of site.toml in it is not a colour."""
    complaints.print(Text.assemble((what, "bold red"), " ", text), soft_wrap=True)


def _day(text: str, option: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        raise SettingsWrong(f"{option} must be a day written as YYYY-MM-DD, for example 2026-10-01") from None


@app.command()
def core20(
    registrations: Annotated[
        Path, typer.Option(help="Patients registered at a GP practice, practice x LSOA (gp-reg-pat-prac-lsoa-all: .csv, .csv.gz, .zip)")
    ],
    imd: Annotated[list[Path], typer.Option(help="Indices of Deprivation, File 1 or File 7, 2019 or 2025 (.csv, .xlsx, .zip); may be repeated")],
    pcn: Annotated[
        list[Path], typer.Option(help="ePCN.xlsx, or the practice map (gp-reg-pat-prac-map); may be repeated: the map then adds the ICBs")
    ],
    as_of: Annotated[str, typer.Option(help="The day the result is about, YYYY-MM-DD")],
    out: Annotated[Path, typer.Option(help="Folder to write to", file_okay=False)],
    lsoa_lookup: Annotated[Path | None, typer.Option(help="ONS lookup LSOA 2011 -> 2021; needed where codes and edition differ in vintage")] = None,
    lsoa_population: Annotated[Path | None, typer.Option(help="Population by LSOA 2021, to share out split LSOAs")] = None,
    boundaries: Annotated[list[Path] | None, typer.Option(help="LSOA boundaries (.geojson, .gpkg, .gz), for the map; may be repeated")] = None,
    icb: Annotated[str, typer.Option(help="One ICB: its code, or its sub-ICB codes separated by commas")] = "",
) -> None:
    """Core20 by PCN, practice, place and ICB from published files: tables, a map and a page to open in a browser."""
    from fuller_popheath import core20_report

    site = load_site()
    if icb:
        site = site.model_copy(update={"geography": site.geography.model_copy(update={"icb": icb})})
    given: list[tuple[tuple[str, ...], Path]] = [(("reference/practice_lsoa_count",), registrations)]
    given += [(("reference/imd_2019", "reference/imd_2025"), path) for path in imd]
    given += [(("reference/pcn_membership", "reference/practice_map"), path) for path in pcn]
    given += [(("reference/lsoa_2011_2021",), lsoa_lookup)] if lsoa_lookup else []
    given += [(("reference/lsoa_population",), lsoa_population)] if lsoa_population else []
    drawn = [(("reference/lsoa_boundary",), path) for path in boundaries or []]
    report = core20_report.make(given, drawn, _day(as_of, "--as-of"), site, out, say=_say)
    for problem in report.problems:
        _complain("Problem:", problem)
    if report.problems:
        raise typer.Exit(3)


@app.command()
def synth(
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Folder to write to; default: the landing folder of site.toml")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same place")] = MAKE_BELIEVE_SEED,
    people: Annotated[int, typer.Option(help="About how many people", min=2_000)] = MAKE_BELIEVE_PEOPLE,
    as_of: Annotated[str, typer.Option(help="The day of the extracts, YYYY-MM-DD")] = MAKE_BELIEVE_DAY.isoformat(),
    lsoa_vintage: Annotated[str, typer.Option(help="Vintage of the published counts' LSOA codes: 2011 or 2021")] = "2021",
    records: Annotated[bool, typer.Option(help="With what practices and hospitals record about each person, simulated forward in time")] = True,
    years: Annotated[int, typer.Option(help="Years of records", min=1, max=10)] = 4,
    file_format: Annotated[str, typer.Option(help="Of the records: csv, csv.gz or parquet")] = "csv",
    layout: Annotated[str, typer.Option(help="Of the records: own, as_supplier (each practice's own clinical system), or omop")] = "own",
    truth: Annotated[Path | None, typer.Option(file_okay=False, help="Folder for the true risks, which no pipeline reads")] = None,
) -> None:
    """Write a make-believe place in the layouts that real files have. Everything in it is generated; no person is real."""
    from functools import partial

    from fuller_popheath.synthetic import write_landing

    folder = out or load_site().folder("landing")
    how = partial(write_landing, records=records, years=years, file_format=file_format, layout=layout, truth_folder=truth, lsoa_vintage=lsoa_vintage)
    _synthesise(how, folder, seed, people, _day(as_of, "--as-of"))


def _synthesise(write: Callable[..., SyntheticSummary], folder: Path, seed: int, people: int, as_of: date) -> None:
    with console.status("Making a make-believe place") as status:
        made = write(folder, seed=seed, as_of=as_of, people=people, progress=status.update)
    _say(f"Make-believe place (seed {seed}): {made.people:,} people, {made.practices} practices, {made.pcns} PCNs, {made.lsoas_2021} LSOAs")
    _say(f"  {len(made.files)} files in {_shown(folder)}")


def _shown(path: Path) -> str:
    path = path.resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


@app.command()
def refresh(
    landing: Annotated[Path | None, typer.Option(help="Folder with the night's files; default: site.toml's")] = None,
    as_of: Annotated[str, typer.Option(help="The day, YYYY-MM-DD; default: the newest extract in the folder")] = "",
    edition: Annotated[str, typer.Option(help="both, 2019 or 2025")] = "both",
    icb: Annotated[str, typer.Option(help="Limit to one ICB; default: site.toml's")] = "",
    synthetic_if_empty: Annotated[
        bool, typer.Option("--synthetic-if-empty", help="Fill an empty default landing folder with the make-believe place")
    ] = False,
) -> None:
    """Run the nightly job as a Dagster run: it shows in the Dagster page afterwards (`make ui`)."""
    site = load_site()
    if as_of:
        _day(as_of, "--as-of")
    if landing is not None and not landing.is_dir():
        raise SettingsWrong(f"--landing: {landing.name} is not a folder")
    is_made_now = synthetic_if_empty and landing is None and not _has_files(site)
    if is_made_now:
        from functools import partial

        from fuller_popheath.synthetic import write_landing

        _synthesise(partial(write_landing, records=True), site.folder("landing"), MAKE_BELIEVE_SEED, MAKE_BELIEVE_PEOPLE, MAKE_BELIEVE_DAY)
    options = {"--landing": str(landing.resolve()) if landing else "", "--as-of": as_of, "--edition": edition, "--icb": icb}
    if is_made_now and not _has_models(site):
        # Something to score with, so that a first look shows the whole product; it says DEMONSTRATION on make-believe data, and scores no other.
        options |= MAKE_BELIEVE_TRAINING
    raise typer.Exit(_run_job(options))


def _run_job(options: Mapping[str, str]) -> int:
    """Run a job of the pipelines in a process of its own: the domain does not know the orchestrator. Returns its exit code."""
    words = [word for option, value in options.items() if value for word in (option, value)]
    return subprocess.run([sys.executable, "-m", "pipelines.night", *words], cwd=PROJECT_ROOT, check=False).returncode


def _has_models(site: Site) -> bool:
    folder = site.folder("models")
    return folder.is_dir() and any(path.is_dir() for path in folder.iterdir())


def _has_files(site: Site) -> bool:
    folder = site.folder("landing")
    return folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))


@app.command()
def check(
    file: File,
    contract: Annotated[str, typer.Option(help="The contract to hold it against, for example practice_list or reference/imd_2025")],
    quarantine: Annotated[Path | None, typer.Option(help="Folder for the faulty rows; default: they are only counted")] = None,
) -> None:
    """Hold one file against a data contract: how many rows hold, how many break which rule."""
    from rich.table import Table

    from fuller_popheath import contracts
    from fuller_popheath.arrival import landing
    from fuller_popheath.arrival.one_extract import Held, hold
    from fuller_popheath.codelists.loading import codelist
    from fuller_popheath.registry import extracts
    from fuller_popheath.sources.names import file_told

    wanted = _contract_id(contract)
    # However many rows are faulty, the point here is to say which rules they break.
    limits = load_site().arrival.model_copy(update={"max_quarantined_percent": 100.0})
    if wanted in extracts():
        if quarantine is not None:
            raise SettingsWrong("--quarantine is for published files: the rows of a practice's extract are quarantined when it is taken in")
        arrived: Held | landing.Arrived = hold(file, wanted, limits, codelist(extra_folder=load_site().codelists_folder()))
    else:
        arrived = landing.read_file(file, (wanted,), quarantine, limits)
    _say(f"{file_told(file.name)}: {arrived.rows_read:,} rows read, {arrived.rows_accepted:,} accepted, {arrived.rows_quarantined:,} quarantined")
    emptied = arrived.cells_blanked if isinstance(arrived, Held) else {}
    if emptied:
        _say(f"{sum(emptied.values()):,} cells of accepted rows would be left empty")
    if not arrived.rows_quarantined and not emptied:
        return
    said = {rule.id: rule.description for rule in contracts.load_contract(wanted).rules}
    table = Table("rule", "rows", "what it asks", box=None, header_style="bold")
    for counts, but in ((arrived.counts, ""), (emptied, " (the cell is left empty)")):
        for rule, rows in sorted(counts.items(), key=lambda item: -item[1]):
            table.add_row(rule, f"{rows:,}", said.get(rule, "") + but)
    console.print(table)
    if arrived.rows_quarantined:
        raise typer.Exit(4)


@app.command()
def quarantine(
    practice: Annotated[str, typer.Option(help="Only this practice or provider: its code")] = "",
    sheet: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder for a correction sheet for --practice: rows and rules, no values")
    ] = None,
    unmapped: Annotated[bool, typer.Option("--unmapped", help="Instead: what of the extracts in use no table of ours can hold, with counts")] = False,
) -> None:
    """What lies in quarantine: rows by practice, file and rule. With --sheet, what a practice needs to mend them."""
    from rich.table import Table

    if unmapped:
        _show_unmapped()
        return

    from fuller_popheath.arrival.correction_sheet import SUMMARY, quarantine_summary, write_correction_sheet

    folder = load_site().folder("quarantine")
    if sheet is not None:
        if not practice:
            raise SettingsWrong("--sheet needs --practice: a correction sheet is for one practice")
        for path in write_correction_sheet(folder, practice.upper(), sheet):
            _say(f"Wrote {_shown(path)}")
        return
    rows = quarantine_summary(folder, practice.upper() or None)
    if not rows:
        _say("Nothing is in quarantine" + (f" of {practice.upper()}" if practice else ""))
        return
    table = Table("practice", "file", "table", "rule", "rows", box=None, header_style="bold")
    for row in rows:
        practice_code, file, contract, rule, count = (row[name] for name in SUMMARY)
        table.add_row(str(practice_code), str(file), str(contract), str(rule), f"{count:,}")
    console.print(table)
    _say("A row that breaks two rules counts for both. fuller quarantine --practice CODE --sheet FOLDER writes a correction sheet.")


def _show_unmapped() -> None:
    from rich.table import Table

    from fuller_popheath.arrival.extract_store import ExtractStore
    from fuller_popheath.arrival.unmapped import SUMMARY, unmapped_summary

    rows = unmapped_summary(ExtractStore(load_site().folder("store")))
    if not rows:
        _say("Everything that the extracts in use hold has its place in a table")
        return
    table = Table(*SUMMARY, box=None, header_style="bold")
    for row in rows:
        table.add_row(*("" if row[name] is None else f"{row[name]:,}" if isinstance(row[name], int) else str(row[name]) for name in SUMMARY))
    console.print(table)


def _contract_id(name: str) -> str:
    """The contract of a file that arrives, by its id or its short name. Raises SettingsWrong for any other."""
    from fuller_popheath.registry import extracts, sources

    known = sorted({*sources(), *extracts()})
    fitting = [contract for contract in known if name in (contract, contract.partition("/")[2])]
    if len(fitting) != 1:
        raise SettingsWrong(f"--contract {name}: no file of that contract arrives; there are {', '.join(known)}")
    return fitting[0]


for commands in (
    model_commands,
    list_commands,
    why_command,
    yield_command,
    scan_command,
    release_commands,
    atlas_command,
    audit_command,
    profile_command,
    delivery_command,
    key_commands,
    night_commands,
):
    commands.add_to(app, _say)


def main() -> None:
    """Run the command line; a deliberate refusal becomes one sentence and an exit code, never a traceback."""
    try:
        app()
    except FullerError as refusal:
        _complain(f"{type(refusal).__name__}:", str(refusal))
        sys.exit(refusal.exit_code)
    except Exception as unexpected:
        _complain("Unexpected:", without_values(unexpected))
        sys.exit(1)


if __name__ == "__main__":
    main()
