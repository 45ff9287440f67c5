"""`fuller audit`: whether the log of re-identifications is whole, and what it says: to whom, when, for what, how many people. Never who.

What belongs here: options, and the answer on a screen. What does not: the log (`people/audit_log.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.people.audit_log import AuditLog, Head
from fuller_popheath.site import load_site

Say = Callable[[str], None]
COLUMNS = ("entry", "when", "purpose", "issue", "team", "told to", "files", "people")
HASH_LETTERS = 64
NEWEST = 40


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the commands to the command line."""
    audit_app = typer.Typer(no_args_is_help=True, help="The log of every re-identification: whether it is whole, and what it says. Never who.")

    @audit_app.command("verify")
    def verify_command(
        head_number: Annotated[int | None, typer.Option(help="Number of an entry that was kept elsewhere, as a run of lists shows it")] = None,
        head_hash: Annotated[str, typer.Option(help="Its hash")] = "",
    ) -> None:
        """Read the whole log and say whether every entry is there as it was written. Ends with 4 where one is not."""
        verify(AuditLog(load_site().folder("vault")), kept_head(head_number, head_hash), say)

    @audit_app.command("list")
    def list_command(
        team: Annotated[str, typer.Option(help="Only this team")] = "",
        issue: Annotated[str, typer.Option(help="Only this issue, as list-2026-10-05")] = "",
        everything: Annotated[bool, typer.Option("--all", help=f"Every entry; default: the newest {NEWEST}")] = False,
    ) -> None:
        """What the log says, newest last: to whom, when, for what, which issue and files, and how many people. No person, no token."""
        show(AuditLog(load_site().folder("vault")), team.strip().upper(), issue.strip(), None if everything else NEWEST, say)

    app.add_typer(audit_app, name="audit")


def kept_head(number: int | None, told: str) -> Head | None:
    """The entry that was kept in a second place; None where none is given. Raises SettingsWrong for half of one, and for what is no hash."""
    told = told.strip().lower()
    if number is None and not told:
        return None
    if number is None or number < 1 or len(told) != HASH_LETTERS or set(told) - set("0123456789abcdef"):
        raise SettingsWrong(
            f"give both --head-number (1 or more) and --head-hash ({HASH_LETTERS} letters and digits), as a run of lists/continuity shows them "
            "below audit log"
        )
    return Head(number, told)


def verify(log: AuditLog, kept: Head | None, say: Say) -> None:
    """Say whether the log is sound, and where it ends now. Raises ContractBroken where it is not."""
    found = log.verify(kept)
    if not found.is_sound:
        raise ContractBroken(f"the audit log was tampered with: {found.words}; {found.entry_count:,} entries before it are sound")
    head = log.head()
    torn = "; a write at its end was interrupted, nothing that was finished is lost" if found.words else ""
    say(f"whole: {found.entry_count:,} entries, each as it was written{torn}")
    if kept:
        say(f"entry {kept.number:,} is the one that was kept elsewhere")
    else:
        say("whoever can write every file of the vault can write a new log: hold it against an entry that was kept elsewhere too (--head-number)")
    say(f"it ends with entry {head.number:,}, hash {head.hash}")


def show(log: AuditLog, team: str, issue: str, newest: int | None, say: Say) -> None:
    """The entries as a table, and how many disclosures and people there are in all."""
    from rich.console import Console
    from rich.table import Table

    entries = [each for each in log.entries() if team in ("", each["team_id"]) and issue in ("", each["issue_id"])]
    if not entries:
        say("nobody has been re-identified" if not team and not issue else "nobody has been re-identified for this team and issue")
        return
    shown = entries[-newest:] if newest else entries
    table = Table(*COLUMNS, box=None, header_style="bold")
    for each in shown:
        table.add_row(*_cells(each))
    Console(width=160).print(table)
    people = sum(each["people_count"] for each in entries)
    more = f" (the newest {len(shown):,} shown)" if len(shown) < len(entries) else ""
    say(f"{len(entries):,} disclosures{more} of {people:,} people in all, each counted every time they were told of")


def _cells(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"{entry['number']:,}",
        entry["when"],
        entry["purpose"].replace("_", " "),
        entry["issue_id"],
        entry["team_id"],
        entry["recipient"],
        str(len(entry["files"])),
        f"{entry['people_count']:,}",
    )
