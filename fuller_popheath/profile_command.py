"""`fuller profile`: neighbourhood profiles, one PCN's or all, from the newest night in the store.

What belongs here: options, and where the tables come from. What does not: making a table, drawing anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import Site, load_site
from fuller_popheath.specs import ContractId, Night

if TYPE_CHECKING:
    import pyarrow as pa

Say = Callable[[str], None]
PCN = "products/core20_by_pcn"


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the command to the command line."""

    @app.command("profile")
    def profile_command(
        out: Annotated[Path, typer.Option(help="Folder to write the profiles and their index to", file_okay=False)],
        pcn: Annotated[list[str] | None, typer.Option(help="Code of a PCN; may be repeated")] = None,
        every: Annotated[bool, typer.Option("--all", help="The profile of every PCN")] = False,
        as_of: Annotated[str, typer.Option(help="The day, YYYY-MM-DD; default: the newest night in the store")] = "",
        published_only: Annotated[
            bool, typer.Option("--published-only", help="Leave out what is made from records, so that the pages may be shared openly")
        ] = False,
    ) -> None:
        """A page a PCN: who lives there, what they have, how they use care, what is missing, and a sheet to plan by."""
        profiles(out, tuple(pcn or ()), every, as_of, published_only, say)


def profiles(out: Path, pcns: Sequence[str], every: bool, as_of: str, published_only: bool, say: Say) -> tuple[Path, ...]:
    """Write the profiles of the PCNs named, or of all, and an index of them. Returns their paths, the index first.

    Raises SettingsWrong where neither or both are asked for, for a wrong day or an unknown PCN, InputMissing where the store has no night.
    """
    from fuller_popheath.publish.profile import publish_profiles
    from fuller_popheath.publish.profile_given import ACCOUNT_TABLES, RECORD_TABLES

    if bool(pcns) == every:
        raise SettingsWrong("name PCNs with --pcn, or ask for every one with --all")
    site = load_site()
    tables, day = from_store(site, _day(as_of))
    if published_only:
        tables = {name: table for name, table in tables.items() if name not in (*RECORD_TABLES, *ACCOUNT_TABLES)}
    written = publish_profiles(out, tables, Night(day, site), pcns)
    has_records = any(name in tables and tables[name].num_rows for name in RECORD_TABLES)
    megabytes = sum(path.stat().st_size for path in written) / 1e6
    told = (
        "they hold figures made from records: share them as the site's rules for secondary use say"
        if has_records
        else "made from published data alone"
    )
    number = len(written) - 1
    say(f"Written {number:,} {'profile' if number == 1 else 'profiles'} of {day.isoformat()} to {out} ({megabytes:.1f} MB); {told}")
    return written


def _day(as_of: str) -> date | None:
    try:
        return date.fromisoformat(as_of) if as_of else None
    except ValueError:
        raise SettingsWrong("--as-of must be a day written as YYYY-MM-DD, for example 2026-10-01") from None


def from_store(site: Site, day: date | None) -> tuple[dict[ContractId, pa.Table], date]:
    """The tables of the profiles of the newest night, or of `day`, counts of people as they were released. One that is not kept is left out.

    Raises InputMissing where there is no such night.
    """
    from fuller_popheath.publish.profile_given import PROFILE_TABLES
    from fuller_popheath.stored_tables import StoredTables

    return StoredTables(site.folder("store")).page_tables(PROFILE_TABLES, PCN, day, site)
