"""`fuller atlas`: the atlas of an ICS, from the newest night in the store or from published files.

What belongs here: options, and where the tables come from. What does not: making a table, drawing anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fuller_popheath.errors import FileRefused, SettingsWrong
from fuller_popheath.site import Site, load_site
from fuller_popheath.specs import ContractId, Night

if TYPE_CHECKING:
    import pyarrow as pa

Say = Callable[[str], None]
Files = tuple[tuple[ContractId, ...], tuple[Path, ...]]
PCN = "products/core20_by_pcn"


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the command to the command line."""

    @app.command("atlas")
    def atlas_command(
        out: Annotated[Path, typer.Option(help="Folder to write atlas.html to", file_okay=False)],
        as_of: Annotated[str, typer.Option(help="The day, YYYY-MM-DD; default: the newest night in the store")] = "",
        registrations: Annotated[
            Path | None, typer.Option(help="Instead of the store: patients registered at a GP practice, practice x LSOA; then --imd and --pcn too")
        ] = None,
        imd: Annotated[list[Path] | None, typer.Option(help="Indices of Deprivation, File 1 or File 7, 2019 or 2025; may be repeated")] = None,
        pcn: Annotated[list[Path] | None, typer.Option(help="ePCN.xlsx, or the practice map; may be repeated")] = None,
        lsoa_lookup: Annotated[Path | None, typer.Option(help="ONS lookup LSOA 2011 -> 2021")] = None,
        lsoa_population: Annotated[Path | None, typer.Option(help="Population by LSOA 2021, to share out split LSOAs")] = None,
        boundaries: Annotated[list[Path] | None, typer.Option(help="LSOA boundaries (.geojson, .gpkg, .gz); may be repeated")] = None,
        icb: Annotated[str, typer.Option(help="One ICB: its code, or its sub-ICB codes separated by commas; for files")] = "",
        published_only: Annotated[bool, typer.Option("--published-only", help="Leave out indicators, so that the page may be shared openly")] = False,
    ) -> None:
        """Maps, ranking, inequality slopes and table of Core20 and every indicator, in one page to open in a browser."""
        given: tuple[Files, ...] = (
            (("reference/practice_lsoa_count",), (registrations,) if registrations else ()),
            (("reference/imd_2019", "reference/imd_2025"), tuple(imd or ())),
            (("reference/pcn_membership", "reference/practice_map"), tuple(pcn or ())),
            (("reference/lsoa_2011_2021",), (lsoa_lookup,) if lsoa_lookup else ()),
            (("reference/lsoa_population",), (lsoa_population,) if lsoa_population else ()),
            (("reference/lsoa_boundary",), tuple(boundaries or ())),
        )
        atlas(out, as_of, given, icb, published_only, say)


def atlas(out: Path, as_of: str, given: tuple[Files, ...], icb: str, published_only: bool, say: Say) -> Path:
    """Write the atlas from files where any are given, else from the store. Returns its path.

    Raises SettingsWrong for a wrong day or a mixture of both, InputMissing where the store has no night or something is missing, FileRefused.
    """
    from fuller_popheath.publish.atlas import OPEN_TABLES, publish_atlas

    site = load_site()
    day = _day(as_of)
    if any(paths for _, paths in given):
        if not given[0][1] or day is None:
            raise SettingsWrong("from files, fuller atlas needs --registrations and --as-of (and --imd and --pcn); without files it reads the store")
        if icb:
            site = site.model_copy(update={"geography": site.geography.model_copy(update={"icb": icb})})
        tables = from_files(given, day, site, out, say)
    else:
        if icb:
            raise SettingsWrong("--icb goes with files; a night in the store is about the area of site.toml")
        tables, day = from_store(site, day)
    if published_only:
        tables = {name: table for name, table in tables.items() if name in OPEN_TABLES}
    (written,) = publish_atlas(out, tables, Night(day, site))
    say(f"Written to {written} ({written.stat().st_size / 1e6:.1f} MB), of {day.isoformat()}{_told(tables)}")
    return written


def _told(tables: Mapping[ContractId, pa.Table]) -> str:
    from fuller_popheath.publish.atlas import VALUES

    if VALUES in tables and tables[VALUES].num_rows:
        return "; it holds indicators, made from records: share it as the site's rules for secondary use say"
    return "; made from published data alone"


def _day(as_of: str) -> date | None:
    try:
        return date.fromisoformat(as_of) if as_of else None
    except ValueError:
        raise SettingsWrong("--as-of must be a day written as YYYY-MM-DD, for example 2026-10-01") from None


def from_files(given: tuple[Files, ...], day: date, site: Site, out: Path, say: Say) -> dict[ContractId, pa.Table]:
    """The tables of the atlas made from named published files; there are no indicators then. Raises FileRefused, InputMissing, ContractBroken."""
    from fuller_popheath import graph
    from fuller_popheath.core20_report import read_given
    from fuller_popheath.publish.atlas import OPEN_TABLES

    say("Reading")
    files = [(contracts, path) for contracts, paths in given for path in paths]
    arrived, _, refusals = read_given(files, out / "quarantine", site, say)
    if refusals:
        raise FileRefused(" | ".join(map(str, refusals)))
    say("Making")
    made = graph.build([name for name in OPEN_TABLES if not name.startswith("reference/")], arrived, Night(day, site))
    return {name: made[name] for name in OPEN_TABLES if name in made}


def from_store(site: Site, day: date | None) -> tuple[dict[ContractId, pa.Table], date]:
    """The tables of the atlas of the newest night, or of `day`, counts of people as they were released. One that is not kept is left out.

    Raises InputMissing where there is no such night.
    """
    from fuller_popheath.publish.atlas import ATLAS_TABLES
    from fuller_popheath.stored_tables import StoredTables

    return StoredTables(site.folder("store")).page_tables(ATLAS_TABLES, PCN, day, site, ", or give files")
