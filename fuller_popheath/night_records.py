"""What is written down of every run: one small JSON file a run, from which the status page, `fuller status` and notices are made.

`<status>/runs/<ended>_<run>.json`, beside the products. Counts, seconds, names of steps and the words of checks; nothing of what a table holds.
What does not belong here: hearing Dagster (`pipelines/after_night.py`), and how any of it is shown.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fuller_popheath.site import Site
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

RUNS, TOLD, PAGE = "runs", "told", "index.html"
NIGHTS = ("nightly", "first_night")
"""The jobs that are nights: from the files that arrived to every product."""


@dataclass(frozen=True)
class Trouble:
    """One thing that failed or was warned of: where, how bad, the words, and the kind of error where one of ours was raised."""

    where: str
    is_error: bool
    words: str
    kind: str = ""


@dataclass(frozen=True)
class Step:
    """What a step took. `seconds` on the clock; `cpu_seconds`, `peak_megabytes` and `rows` where it told them."""

    name: str
    group: str
    seconds: float
    is_made: bool = True
    cpu_seconds: float | None = None
    peak_megabytes: float | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Coverage:
    """Who a night is about: practices with a list in use that is not stale, of those that should send one; and how old what is in use is."""

    people: int = 0
    pcns: int = 0
    practices: int = 0
    practices_covered: int = 0
    states: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By inbound table: how many senders are new, unchanged, stale, or never sent."""
    oldest_days: Mapping[str, int] = field(default_factory=dict)
    """By inbound table: age in days of the oldest extract in use."""


@dataclass(frozen=True)
class RunRecord:
    """One run, finished. `status`: success, failure or canceled, as Dagster says; times in UTC."""

    run_id: str
    job: str
    status: str
    started: datetime
    ended: datetime
    as_of: date | None = None
    troubles: tuple[Trouble, ...] = ()
    steps: tuple[Step, ...] = ()
    not_made: tuple[str, ...] = ()
    coverage: Coverage | None = None
    release: str = ""
    """The release that people find when the run had ended."""
    release_as_of: date | None = None
    is_whole: bool = True
    """False where the run's events could no longer be read."""

    @property
    def errors(self) -> int:
        """How many things failed."""
        return sum(trouble.is_error for trouble in self.troubles)

    @property
    def warnings(self) -> int:
        """How many things were warned of."""
        return len(self.troubles) - self.errors

    @property
    def is_night(self) -> bool:
        """Whether it was a whole night."""
        return self.job in NIGHTS

    @property
    def is_green(self) -> bool:
        """Whether everything was made and no check failed as an error."""
        return self.status == "success" and not self.errors and not self.not_made

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended - self.started).total_seconds()


def status_folder(site: Site) -> Path:
    """Where records and the status page lie: beside the products, in a folder that only the owner reads."""
    return site.folder("products").parent / "status"


def keep(folder: Path, record: RunRecord) -> Path:
    """Write down a run; one that is there already is replaced. Returns its path."""
    make_folder(folder, PRIVATE_FOLDER)
    make_folder(folder / RUNS, PRIVATE_FOLDER)
    path = folder / RUNS / f"{record.ended:%Y%m%dT%H%M%S}_{record.run_id[:8]}.json"
    text = json.dumps(asdict(record), indent=1, default=lambda value: value.isoformat())
    return replace_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"), PRIVATE_FILE)


def newest(folder: Path, count: int = 30) -> tuple[RunRecord, ...]:
    """The runs that ended last, newest first. A file that is not a record is passed over: it costs the page nothing else."""
    paths = sorted((folder / RUNS).glob("*.json"), reverse=True)[:count]
    return tuple(record for path in paths if (record := _read(path)) is not None)


def _read(path: Path) -> RunRecord | None:
    try:
        return record_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def record_of(told: Mapping[str, Any]) -> RunRecord:
    """A record from its JSON. Raises KeyError, TypeError or ValueError where it is none."""
    return RunRecord(
        **{
            **told,
            "started": datetime.fromisoformat(told["started"]),
            "ended": datetime.fromisoformat(told["ended"]),
            "as_of": _day(told.get("as_of")),
            "release_as_of": _day(told.get("release_as_of")),
            "troubles": tuple(Trouble(**each) for each in told.get("troubles", ())),
            "steps": tuple(Step(**each) for each in told.get("steps", ())),
            "not_made": tuple(told.get("not_made", ())),
            "coverage": Coverage(**told["coverage"]) if told.get("coverage") else None,
        }
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def first_to_tell(folder: Path, run_id: str, way: str) -> bool:
    """Whether nobody has told of this run this way yet; from then on somebody has. Whichever process asks first is the one."""
    make_folder(folder, PRIVATE_FOLDER)
    make_folder(folder / TOLD, PRIVATE_FOLDER)
    try:
        os.close(os.open(_told(folder, run_id, way), os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))
    except FileExistsError:
        return False
    return True


def not_told(folder: Path, run_id: str, way: str) -> None:
    """It could not be told: whoever looks at the run next may try."""
    _told(folder, run_id, way).unlink(missing_ok=True)


def _told(folder: Path, run_id: str, way: str) -> Path:
    return folder / TOLD / f"{run_id}.{way}"


def current_release(site: Site) -> tuple[str, date | None]:
    """The name and day of the release that people find; empty where there is none."""
    products = site.folder("products")
    try:
        told = json.loads((products / "manifest.json").read_text(encoding="utf-8"))
        return products.resolve().name, _day(told.get("as_of"))
    except (OSError, ValueError, AttributeError, TypeError):
        return "", None
