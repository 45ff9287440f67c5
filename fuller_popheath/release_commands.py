"""`fuller releases`, `fuller release` and `fuller rollback`: which releases there are, whether they are as they were signed, and going back to one.

What belongs here: options, and the table on a screen. What does not: making a release, which a run of Dagster does.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fuller_popheath.errors import FileRefused, InputMissing, SettingsWrong
from fuller_popheath.site import PROJECT_ROOT, Site, load_site

if TYPE_CHECKING:
    from rich.table import Table

    from fuller_popheath.publish.release_manifest import Verified

Say = Callable[[str], None]
WIDEST = 170
HEADINGS = ("release", "products of", "people as at", "made", "how", "signed", "files", "current", "why")


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the commands to the command line."""
    releases_app = typer.Typer(invoke_without_command=True, help="Which releases there are, which is current, and whether each is as it was signed.")

    @releases_app.callback()
    def releases_command(context: typer.Context) -> None:
        """Which releases there are, which is current, and whether each is as it was signed."""
        if context.invoked_subcommand is None:
            show(say)

    @releases_app.command("verify")
    def verify_command(name: Annotated[str, typer.Argument(help="Name of a release; default: all that are kept")] = "") -> None:
        """Hold every file of a release against its manifest, and the manifest against its signature. Ends with 3 where one is not as it was."""
        check(name, say)

    app.add_typer(releases_app, name="releases")

    @app.command("release")
    def release_command(
        as_of: Annotated[str, typer.Option(help="The day, YYYY-MM-DD; default: the last night")] = "",
        accept_changes: Annotated[bool, typer.Option("--accept-changes", help="Let changes beyond the limits of site.toml through")] = False,
        because: Annotated[str, typer.Option(help="Why they are let through; it stands in the manifest: no names of people")] = "",
    ) -> None:
        """Release what the store has for a day, also what was materialised by hand. Nothing is made again."""
        words = ["release", *(["--as-of", as_of] if as_of else []), *(["--accept-changes"] if accept_changes else [])]
        raise typer.Exit(_run([*words, *(["--because", because] if because else [])]))

    @app.command("rollback")
    def rollback_command(
        because: Annotated[str, typer.Option(help="Why; it stands in the manifest: no names of people")],
        to: Annotated[str, typer.Option(help="Name of the release, as fuller releases shows it; default: the one before the current one")] = "",
    ) -> None:
        """Go back to an earlier release. Nobody comes back who has died, left, objected or been reviewed since."""
        raise typer.Exit(_run(["rollback", "--because", because, *(["--to", to] if to else [])]))


def _run(words: list[str]) -> int:
    """Run a job of the pipelines in a process of its own: the domain does not know the orchestrator. Returns its exit code."""
    return subprocess.run([sys.executable, "-m", "pipelines.releasing", *words], cwd=PROJECT_ROOT, check=False).returncode


def show(say: Say) -> None:
    """Every release that is kept, from the newest to the oldest."""
    from rich.console import Console
    from rich.table import Table

    site = load_site()
    found, current = _verified(site)
    if not found:
        say("There is no release yet: run a night first (fuller refresh)")
        return
    table = Table(*HEADINGS, box=None, header_style="bold", pad_edge=False)
    for each in found:
        _add(table, each, each.name == current)
    # A name that is cut cannot be gone back to: a narrow screen wraps the line instead.
    Console(highlight=False, width=max(Console().width, WIDEST)).print(table)


def _add(table: Table, each: Verified, is_current: bool) -> None:
    from rich.markup import escape

    told: Mapping[str, Any] = each.manifest or {}
    why = told.get("accepted") or (f"to {told['rolled_back_to']}: {told['because']}" if told.get("rolled_back_to") else "")
    files = len(told.get("files", ()))
    days = [str(told.get(name, "")) for name in ("as_of", "people_as_of", "when", "kind")]
    table.add_row(
        each.name, *days, "yes" if each.is_good else f"NO: {escape(each.words)}", f"{files:,}", "current" if is_current else "", escape(why)
    )


def check(name: str, say: Say) -> None:
    """Say of each release, or of one, whether it is as it was signed. Raises FileRefused where one is not, SettingsWrong for an unknown name."""
    found, _ = _verified(load_site(), name)
    for each in found:
        say(f"{each.name}: {each.words}")
    if wrong := [each.name for each in found if not each.is_good]:
        raise FileRefused(f"{len(wrong)} of {len(found)} releases are not as they were signed: {', '.join(wrong)}")


def _verified(site: Site, name: str = "") -> tuple[list[Verified], str]:
    """The releases, held against their signatures, and the name of the current one."""
    from fuller_popheath.publish.release import all_releases, current_release
    from fuller_popheath.publish.release_manifest import Verified, verify
    from fuller_popheath.publish.release_signature import trusted_key

    products = site.folder("products")
    folder = releases_folder(products)
    there = [each for each in all_releases(folder) if name in ("", each.name)]
    if name and not there:
        raise SettingsWrong(f"there is no release {name}; fuller releases shows those that there are")
    current = current_release(products)
    try:
        key = trusted_key(site.folder("vault"), folder) if there else None
    except InputMissing as missing:
        return [Verified(each.name, (str(missing),)) for each in there], current.name if current else ""
    return [verify(each, key) for each in there if key], current.name if current else ""


def releases_folder(products: Path) -> Path:
    """Where releases lie: beside the pointer to the current one."""
    return products.parent / "releases"
