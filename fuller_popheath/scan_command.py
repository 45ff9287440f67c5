"""`fuller scan`: is an NHS number anywhere but where it may be? Every byte that the nights left is looked through.

What belongs here: which folders a site has and which of them may hold numbers, options, exit codes. What does not: looking through a file.
Exit codes: 0 nothing found, 4 numbers stand where none may, 3 none found, but something could not be opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fuller_popheath.errors import ContractBroken, FileRefused, SettingsWrong
from fuller_popheath.site import PROJECT_ROOT, Folders, Site, load_site

if TYPE_CHECKING:
    from fuller_popheath.scanning import Scanned

Say = Callable[[str], None]
MAY_HOLD = ("landing", "quarantine", "vault")
DIRECT_CARE, RELEASES, LISTS = "direct_care", "releases", "lists"
TRUTH = "truth"
"""What the generator of make-believe people writes beside the landing folder: their numbers and true risks, which no night reads."""
FOLDERS_OF_SERVICES = ("DAGSTER_HOME",)
"""Environment variables that name a folder in which the services of an installation keep their own files."""
MOST_SHOWN = 40


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the command to the command line."""

    @app.command()
    def scan(
        also: Annotated[list[Path] | None, typer.Option(help="A folder to look through too; may be repeated", exists=True, file_okay=False)] = None,
    ) -> None:
        """Look for NHS numbers of the vault everywhere but in landing, quarantine, vault and what is for direct care. Tells files and counts."""
        site = load_site()
        made = scan_site(site, tuple(also or ()), os.environ)
        show(made, say)
        if made.found:
            raise ContractBroken(
                f"{sum(made.found.values()):,} NHS numbers stand in {len(made.found):,} files where none may: stop what writes them, delete those "
                "files, and treat it as an incident (docs/security.md)"
            )
        if made.closed:
            raise FileRefused(f"nothing was found, but {len(made.closed):,} files could not be looked through")


def folders_of(site: Site, also: tuple[Path, ...], environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Every folder that a night or a service writes to: the site's, the releases, var/ where the site uses it, and what the environment names."""
    own = [site.folder(name) for name in Folders.model_fields if name not in MAY_HOLD]
    own += [site.folder("products").parent / RELEASES]
    usual = PROJECT_ROOT / "var"
    own += [usual] if any(folder.is_relative_to(usual) for folder in own) else []
    services = [Path(environment[name]) for name in FOLDERS_OF_SERVICES if environment.get(name)]
    return (*own, *services, *also)


def may_hold(site: Site) -> Callable[[Path], bool]:
    """Whether an NHS number may stand below a path: as it was sent, in quarantine, in the vault, and in what is for direct care."""
    private = {*(site.folder(name).resolve() for name in MAY_HOLD), site.folder("store").resolve() / LISTS}
    private.add(site.folder("landing").resolve().parent / TRUTH)
    products = site.folder("products").parent.resolve() / site.folder("products").name
    releases = products.parent / RELEASES

    def holds(path: Path) -> bool:
        return path in private or (path.name == DIRECT_CARE and (path.parent == products or path.parent.parent == releases))

    return holds


def scan_site(site: Site, also: tuple[Path, ...] = (), environment: Mapping[str, str] | None = None) -> Scanned:
    """Scan everything a site has. Raises InputMissing where the vault is empty, SettingsWrong where a folder to look through may hold numbers."""
    from fuller_popheath.known_numbers import known_numbers
    from fuller_popheath.scanning import scan

    left_out = may_hold(site)
    if any(left_out(folder.resolve()) for folder in also):
        raise SettingsWrong("--also names a folder that may hold NHS numbers; name one that may not")
    return scan(folders_of(site, also, environment or {}), left_out, known_numbers(site.folder("vault")))


def show(made: Scanned, say: Say) -> None:
    """What a scan came to, on the screen."""
    say(f"{made.files:,} files, {made.bytes / 1e6:,.0f} MB looked through")
    for title, told in (("NHS numbers", {name: f"{count:,}" for name, count in made.found.items()}), ("not opened", made.closed)):
        for name, what in sorted(told.items())[:MOST_SHOWN]:
            say(f"  {title}: {name}: {what}")
        if len(told) > MOST_SHOWN:
            say(f"  and {len(told) - MOST_SHOWN:,} more")
