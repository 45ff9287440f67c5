"""Thirty nights in a row, each a process of its own: what arrives, what is done between nights, and the independent script each morning.

What does not belong here: what the script looks at (`morning.py`).
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from fuller_popheath.synthetic.landing import MAP_FILE
from tests.nights.delivery import EVERY, NEEDED, OF_ONE, Sent, deliver, told_before
from tests.nights.returned import fill_in, people_on
from tests.nights.world import World, _read
from tests.pipelines.conftest import ROOT, Place, make_place

FIRST, PEOPLE, SEED = date(2026, 8, 3), 2_500, 26
PROMOTED, CLOSES, OFF, ROTATED, MERGES, BACK = 3, 4, 5, 5, 6, 7
"""On which night what happens: a model goes into use, a practice closes, a day without a night, a new key, two PCNs merge, a rollback.

Early, so that a few nights show all of them; the rollback is on the night of a new issue.
"""
REVIEWS = {"declined": "Person declined", "wants no lists": "Person wants no lists", "accepted": "Accept", "later": "known to us"}
TRAIN = ("--job", "monthly_training", "--training-people", "2500", "--training-trials", "1", "--training-outcome", "emergency_admission_12m")


@dataclass
class Night:
    """What became of one night, and what the morning found."""

    number: int
    as_of: date
    sent: Sent
    what: list[str]
    exit_code: int
    seconds: float
    stands: str
    broken: dict[str, int]
    looked_at: Counter[str]

    @property
    def line(self) -> str:
        """One line of the table."""
        fault = f"{self.sent.fault}{' at ' + self.sent.practice if self.sent.practice else ''}" or "none"
        return (
            f"{self.number:>2} {self.as_of} {self.seconds:5.0f} s  exit {self.exit_code}  release of {self.stands}  broken laws "
            f"{len(self.broken)}  fault: {fault}; late: {' '.join(self.sent.late) or 'nobody'}{'; ' if self.what else ''}{', '.join(self.what)}"
        )


@dataclass
class Nights:
    """The place, the world that it is told of, and a diary of what was really sent."""

    folder: Path
    place: Place = field(init=False)
    world: World = field(init=False)
    off: list[dict[str, str]] = field(default_factory=list)
    earlier: str = ""
    done: int = 0

    def __post_init__(self) -> None:
        if self._saved.is_file():
            self._go_on()
            return
        self.place = make_place(self.folder / "place")
        self.world = World.made(self.folder / "clean", FIRST, PEOPLE, SEED)
        self._new_key(self._key_file)
        with (self.place.folder / "site.toml").open("a", encoding="utf-8") as settings:
            settings.write(f'[pseudonyms]\nkey_file = "{self._key_file}"\n[training]\nminimum_events = 20\n')

    @property
    def _saved(self) -> Path:
        return self.folder / "nights.json"

    def _go_on(self) -> None:
        """Go on where a run in the same folder ended."""
        told = json.loads(self._saved.read_bytes())
        closed = {code: date.fromisoformat(day) for code, day in told["closed"].items()}
        self.place = Place(self.folder / "place")
        self.world = World(self.folder / "clean", date.fromisoformat(told["day"]), SEED, closed, set(told["numbers"]))
        self.off, self.earlier, self.done = told["off"], told["earlier"], told["done"]

    def _save(self, number: int) -> None:
        closed = {code: day.isoformat() for code, day in self.world.closed.items()}
        told = {"day": self.world.day.isoformat(), "closed": closed, "numbers": sorted(self.world.numbers)}
        told |= {"off": self.off, "earlier": self.earlier, "done": number}
        self._saved.write_text(json.dumps(told), encoding="utf-8")

    @property
    def _key_file(self) -> Path:
        return self.folder / "pseudonym.key"

    @staticmethod
    def _new_key(path: Path) -> None:
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="ascii")

    @property
    def diary(self) -> Path:
        return self.folder / "diary"

    def run(self, count: int) -> Iterator[Night]:
        """One night after another."""
        for number in range(self.done + 1, count + 1):
            night = self._night(number)
            self._save(number)
            yield night

    def _night(self, number: int) -> Night:
        began = time.time()
        what: list[str] = []
        if number > 1:
            self._pass_a_day(what)
        if number == OFF:
            what.append("a day off before it")
            self._pass_a_day(what)
        if number == CLOSES:
            what.append(f"{self.world.close_practice()} closes")
        if number == MERGES:
            one, into = sorted({row["PCN_CODE"] for row in _read(self.world.clean / MAP_FILE)} - {"U"})[-2:]
            self.world.merge_pcns(one, into)
            what.append(f"{one} merges into {into}")
        as_of = self.world.day.isoformat()
        if number % 4 == 2:
            what += self._send_back()
        if number == PROMOTED:
            what += self._promote()
        if number == ROTATED:
            what += self._rotate()
        sent = self._deliver(number, as_of)
        started = time.monotonic()
        ended = self.place.run_night("--as-of", as_of)
        seconds = time.monotonic() - started
        (self.diary / as_of / "night.txt").write_text(ended.stdout + ended.stderr, encoding="utf-8")
        broken, looked = self._morning(as_of, began, sent, number == ROTATED)
        if number == BACK:
            back = self._fuller("pipelines.releasing", "rollback", "--because", "the lists of last night were wrong")
            what.append(f"rolled back (exit {back.returncode})")
            (self.diary / as_of / "rollback.txt").write_text(back.stdout + back.stderr, encoding="utf-8")
            again, more = self._morning(as_of, began, sent, False)
            broken, looked = {**broken, **again}, looked + more
            if back.returncode:
                broken["the rollback failed"] = 1
        manifest = self.place.products / "manifest.json"
        stands = json.loads(manifest.read_bytes())["as_of"] if manifest.is_file() else "no day"
        self.earlier = as_of
        return Night(number, self.world.day, sent, what, ended.returncode, seconds, stands, broken, looked)

    def _pass_a_day(self, what: list[str]) -> None:
        objects = self.world.next_day(self._listed())
        since = self.world.day.isoformat()
        self.off += [{"number": number, "since": since, "why": "objects"} for number in objects]
        what += [f"{len(objects)} object"] if objects else []

    def _listed(self) -> list[str]:
        """The NHS numbers on the lists of the current release."""
        return sorted(
            {row["nhs_number"] for path in (self.place.products / "direct_care").glob("*.csv") for row in _read(path) if row.get("nhs_number")}
        )

    def _deliver(self, number: int, as_of: str) -> Sent:
        chance = np.random.default_rng([SEED, number])
        practices = self.world.practices
        fault = EVERY[number % len(EVERY)] if number > 1 and number % 5 else ""
        # One practice after another has the faults, so that nobody has one two nights in a row.
        practice = practices[(3 * number) % len(practices)] if fault in OF_ONE else ""
        others = [code for code in practices if code != practice]
        late = [] if number == 1 else sorted(str(code) for code in chance.choice(others, int(chance.integers(0, 3)), replace=False))
        told = told_before(self.diary, self.earlier, as_of)
        return deliver(self.world, self.place.landing, told, late, fault, practice)

    def _morning(self, as_of: str, since: float, sent: Sent, key_rotated: bool) -> tuple[dict[str, int], Counter[str]]:
        """Let the independent script look."""
        (self.diary / "numbers.txt").write_text("\n".join(sorted(self.world.numbers)), encoding="ascii")
        told = {"since": since, "must_publish": sent.fault not in NEEDED, "key_rotated": key_rotated, "off": self.off}
        (self.diary / as_of / "night.json").write_text(json.dumps(told), encoding="utf-8")
        command = [sys.executable, str(Path(__file__).with_name("morning.py")), str(self.place.folder / "var"), str(self.diary), as_of]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        try:
            found = json.loads(ended.stdout)
        except ValueError:
            return {f"the morning's script failed: {ended.stderr[-500:]}": 1}, Counter()
        return found["broken"], Counter(found["looked_at"])

    def _send_back(self) -> list[str]:
        """Somebody at one practice fills in the first rows of its list and returns it."""
        books = sorted((self.place.products / "direct_care").glob("*_Y9*.xlsx"))
        if not books:
            return []
        book = books[len(self.off) % len(books)]
        people = [row for row in people_on(book) if row.get("NHS number") and not row.get("Review")][: len(REVIEWS)]
        day = self.world.day.isoformat()
        said = {row["Row"]: (words, day) for row, words in zip(people, REVIEWS.values(), strict=False)}
        fill_in(book, said, self.place.landing / "returned" / f"{book.stem} back.xlsx")
        for row, why in zip(people, REVIEWS, strict=False):
            if why in ("declined", "wants no lists"):
                self.off.append({"number": row["NHS number"].replace(" ", ""), "since": day, "why": why})
        return [f"{len(said)} reviews back"]

    def _promote(self) -> list[str]:
        """Models are trained, and somebody writes the first of each outcome and age group into site.toml."""
        trained = self.place.run_night("--as-of", self.earlier, *TRAIN)
        models = sorted(path.name for path in (self.place.folder / "var" / "models").iterdir() if path.is_dir() and path.name.count(".") >= 2)
        chosen: dict[str, str] = {}
        for name in models:
            chosen.setdefault(".".join(name.split(".")[:2]), name)
        with (self.place.folder / "site.toml").open("a", encoding="utf-8") as settings:
            settings.write("[models]\npromoted = { " + ", ".join(f'"{of}" = "{name}"' for of, name in chosen.items()) + " }\n")
        return [f"training (exit {trained.returncode}), {len(chosen)} models promoted"]

    def _rotate(self) -> list[str]:
        other = self.folder / "next.key"
        self._new_key(other)
        ended = self._fuller("fuller_popheath.cli", "rotate-key", "--new-key-file", str(other))
        other.replace(self._key_file)
        return [f"key rotated (exit {ended.returncode})"]

    def _fuller(self, module: str, *options: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.place.environment, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        return subprocess.run([sys.executable, "-m", module, *options], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def table(nights: list[Night]) -> str:
    """For BENCHMARKS.md."""
    looked: Counter[str] = sum((night.looked_at for night in nights), Counter())
    seconds = sorted(night.seconds for night in nights)
    faults = Counter(night.sent.fault for night in nights if night.sent.fault)
    rows = [
        ("nights", f"{len(nights)}"),
        ("seconds a night: median, longest", f"{seconds[len(seconds) // 2]:.0f}, {seconds[-1]:.0f}"),
        ("different faults planted", f"{len(faults)}"),
        ("mornings on which tonight's release stood", f"{sum(night.stands == night.as_of.isoformat() for night in nights)}"),
        ("mornings with a broken law", f"{sum(bool(night.broken) for night in nights)}"),
        *((f"looked at: {name}", f"{count:,}") for name, count in sorted(looked.items())),
    ]
    return "\n".join(["| what | figure |", "| --- | ---: |", *(f"| {name} | {figure} |" for name, figure in rows)])
