"""What of a day's files really arrives: some practices send nothing, and something is broken on most nights.

What does not belong here: what happens to people (`world.py`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fuller_popheath.synthetic import EXTRACT_FAULTS, FAULTS, plant_fault
from fuller_popheath.synthetic.landing import LISTS_FOLDER
from tests.nights.world import World, copy_if_other

NEEDED = ("missing_column", "truncated_zip")
"""Faults in the one published file that a night cannot do without."""
OF_LISTS = ("malformed_practice_list", "ragged_practice_list", "future_birth_dates", "unknown_birth_dates", "halved_list", "swapped_columns")
OF_ONE = (*EXTRACT_FAULTS, "malformed_practice_list", "ragged_practice_list")
EVERY = (*EXTRACT_FAULTS, *FAULTS)
KEPT = 2


@dataclass(frozen=True)
class Sent:
    """What arrived: who sent nothing, what was broken, and at which practice."""

    late: tuple[str, ...]
    fault: str
    practice: str


def deliver(world: World, landing: Path, told: Path, late: Sequence[str], fault: str, practice: str) -> Sent:
    """Put a day's files into the landing folder. `told`: the folder of the last undamaged list of each practice, of this night."""
    day = world.day
    for path in [path for path in world.clean.iterdir() if path.is_file()]:
        copy_if_other(path, landing / path.name)
    for path in [path for path in landing.iterdir() if path.is_file() and not (world.clean / path.name).exists()]:
        path.unlink()
    for code in [*sorted({*world.practices, *world.closed}), "ZZ1", "ZZ2", "ZZ3", "national"]:
        if code in late or world.closed.get(code, day) != day:
            continue
        _send(world, landing, told, code, day, fault if code == practice else "")
    if fault and not practice:
        plant_fault(landing, fault)
    _clear(landing, {code for code, closed in world.closed.items() if closed < day})
    return Sent(tuple(late), fault, practice)


def _send(world: World, landing: Path, told: Path, code: str, day: date, fault: str) -> None:
    """One sender's files of the day, as they are or with a fault."""
    own = Path(LISTS_FOLDER) / f"{code}.csv"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        files = [path.relative_to(world.clean) for path in (world.clean / "extracts").rglob(f"{code}_{day:%Y%m%d}.csv")]
        for name in [*files, *([own] if (world.clean / own).is_file() else [])]:
            copy_if_other(world.clean / name, folder / name)
        if fault:
            plant_fault(folder, fault)
        for path in [path for path in folder.rglob("*") if path.is_file()]:
            copy_if_other(path, landing / path.relative_to(folder))
    if (world.clean / own).is_file() and fault not in OF_LISTS:
        copy_if_other(world.clean / own, told / own.name)


def _clear(landing: Path, closed: set[str]) -> None:
    """Of each sender's extracts of a table the newest few stay, as in a folder that somebody tidies, and nothing of practices that closed earlier."""
    for path in [path for code in closed for path in landing.rglob(f"{code}*.csv")]:
        path.unlink()
    by_sender: dict[tuple[Path, str], list[Path]] = {}
    for path in sorted((landing / "extracts").rglob("*.csv*")):
        by_sender.setdefault((path.parent, path.name.partition("_")[0]), []).append(path)
    for files in by_sender.values():
        for path in files[:-KEPT]:
            path.unlink()


def told_before(diary: Path, earlier: str, as_of: str) -> Path:
    """The folder of this night's undamaged lists, begun with those of the night before."""
    folder = diary / as_of / "told"
    folder.parent.mkdir(parents=True, exist_ok=True)
    if earlier:
        shutil.copytree(diary / earlier / "told", folder)
    folder.mkdir(exist_ok=True)
    return folder
