"""A make-believe place that goes on living: each day new rows, deaths and moves, and in time a practice that closes and two PCNs that merge.

`clean` holds what practices and publishers would send were nothing ever late or broken. What does not belong here: what arrives of it
(`delivery.py`).
"""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from fuller_popheath.synthetic import next_night, write_landing
from fuller_popheath.synthetic.landing import LISTS_FOLDER, MAP_FILE, PCN_FILE, PRACTICES_FILE, REGISTRATIONS_FILE, write_workbook

Row = dict[str, str]


@dataclass
class World:
    """The place as at `day`. `closed`: practices that ended, and when; `numbers`: every NHS number that a list ever had."""

    clean: Path
    day: date
    seed: int = 26
    closed: dict[str, date] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)

    @classmethod
    def made(cls, clean: Path, day: date, people: int, seed: int = 26) -> World:
        """A new place as at a day."""
        write_landing(clean, seed=seed, as_of=day, people=people, records=True, years=2, workers=1)
        world = cls(clean, day, seed)
        world._remember()
        return world

    @property
    def practices(self) -> list[str]:
        """The codes of the practices that are open, in order."""
        return [code for code in sorted(path.stem for path in (self.clean / LISTS_FOLDER).glob("*.csv")) if code not in self.closed]

    def next_day(self, listed: Sequence[str]) -> list[str]:
        """Let a day pass; `listed`: NHS numbers of people on lists, to some of whom something happens too. Returns who objects from now on."""
        before, self.day = self.day, self.day + timedelta(days=1)
        next_night(self.clean, seed=self.seed, as_of=before, share=1.0)
        for path in (self.clean / "extracts").rglob(f"*_{before:%Y%m%d}.csv"):
            sender = path.name.partition("_")[0]
            if path.with_name(f"{sender}_{self.day:%Y%m%d}.csv").exists():
                path.unlink()
            elif self.day.day % 5 == 0 or sender == "national":
                self._sent_again(path, sender)
        chance = np.random.default_rng([self.seed, self.day.toordinal()])
        chosen = [str(number) for number in chance.permutation(np.array(sorted(listed)))] if listed else []
        self._die(chance, chosen[:1], 2)
        self._move(chance, chosen[1:3], 3)
        objects = self._object(chosen[3:4]) if self.day.day % 3 == 0 else []
        self._remember()
        return objects

    def _sent_again(self, path: Path, sender: str) -> None:
        """A provider's file, the same but for its day."""
        rows = _read(path)
        old = path.stem.rpartition("_")[2]
        for row in rows:
            row["extract_date"] = self.day.isoformat()
        _write(path.with_name(f"{sender}_{self.day:%Y%m%d}.csv"), rows, list(rows[0]))
        assert old != f"{self.day:%Y%m%d}"
        path.unlink()

    def _lists(self) -> dict[str, list[Row]]:
        return {path.stem: _read(path) for path in sorted((self.clean / LISTS_FOLDER).glob("*.csv"))}

    def _save(self, lists: dict[str, list[Row]]) -> None:
        for code, rows in lists.items():
            _write(self.clean / LISTS_FOLDER / f"{code}.csv", rows, list(rows[0]))

    def _die(self, chance: np.random.Generator, chosen: Sequence[str], others: int) -> None:
        yesterday = (self.day - timedelta(days=1)).isoformat()
        lists = self._lists()
        for row in _some(chance, lists, chosen, others):
            row["death_date"] = row["registration_end_date"] = yesterday
        self._save(lists)

    def _move(self, chance: np.random.Generator, chosen: Sequence[str], others: int) -> None:
        lists = self._lists()
        for row in _some(chance, lists, chosen, others):
            to = str(chance.choice([code for code in self.practices if code != row["practice_code"]]))
            self._register(lists, row, to)
        self._save(lists)

    def _register(self, lists: dict[str, list[Row]], row: Row, to: str) -> None:
        """End one registration and begin another elsewhere."""
        yesterday = (self.day - timedelta(days=1)).isoformat()
        number = str(max(int(other["patient_id"]) for other in lists[to]) + 1)
        own = {"practice_code": to, "registration_start_date": yesterday, "registration_end_date": "", "usual_gp_code": "", "patient_id": number}
        lists[to].append({**row, **own})
        row["registration_end_date"] = yesterday

    def _object(self, chosen: Sequence[str]) -> list[str]:
        for number in chosen:
            path = self.clean / "extracts" / "objection" / f"national_{self.day:%Y%m%d}.csv"
            rows = _read(path)
            said = {"record_id": str(len(rows) + 1), "nhs_number": number, "recorded_date": (self.day - timedelta(days=1)).isoformat()}
            rows.append({**rows[0], **said, "objection": "national_data_opt_out", "state": "dissent"})
            _write(path, rows, list(rows[0]))
        return list(chosen)

    def close_practice(self) -> str:
        """The smallest practice ends: its people register with another of its PCN, and the publishers say so. Returns its code."""
        lists = self._lists()
        pcn = {row["PRACTICE_CODE"]: row["PCN_CODE"] for row in _read(self.clean / MAP_FILE)}
        sizes = {code: sum(not row["registration_end_date"] for row in rows) for code, rows in lists.items()}
        shared = [code for code in self.practices if sum(pcn.get(other) == pcn.get(code) for other in self.practices) > 1]
        code = min(shared, key=sizes.__getitem__)
        to = next(other for other in self.practices if other != code and pcn[other] == pcn[code])
        for row in [row for row in lists[code] if not row["registration_end_date"]]:
            self._register(lists, row, to)
        self._save(lists)
        self.closed[code] = self.day
        self._change(MAP_FILE, lambda rows: [row for row in rows if row["PRACTICE_CODE"] != code])
        name = next(row["PRACTICE_NAME"] for row in _read(self.clean / REGISTRATIONS_FILE) if row["PRACTICE_CODE"] == to)
        self._change(REGISTRATIONS_FILE, lambda rows: _counts_moved(rows, code, to, name))
        self._members(lambda row: [[*row[:9], f"{self.day:%Y%m%d}", *row[10:]]] if row[0] == code and not row[9] else [row])
        path = self.clean / PRACTICES_FILE
        with path.open(encoding="utf-8", newline="") as file:
            told = [[*row[:11], f"{self.day:%Y%m%d}", "C", *row[13:]] if row[0] == code else row for row in csv.reader(file)]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(told)
        return code

    def merge_pcns(self, one: str, into: str) -> None:
        """All practices of one PCN go over to another, and the first one ends."""
        names = {row["PCN_CODE"]: row["PCN_NAME"] for row in _read(self.clean / MAP_FILE)}
        self._change(MAP_FILE, lambda rows: [{**row, "PCN_CODE": into, "PCN_NAME": names[into]} if row["PCN_CODE"] == one else row for row in rows])
        today = f"{self.day:%Y%m%d}"

        def gone_over(row: list[object]) -> list[list[object]]:
            if row[4] != one or row[9]:
                return [row]
            return [[*row[:9], today, *row[10:]], [*row[:4], into, names[into], *row[6:8], today, "", *row[10:]]]

        self._members(gone_over, closing=one)

    def _members(self, change: Callable[[list[object]], list[list[object]]], closing: str = "") -> None:
        from python_calamine import CalamineWorkbook

        path = self.clean / PCN_FILE
        book = CalamineWorkbook.from_path(str(path))
        sheets: dict[str, list[list[object]]] = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
        details, members = book.sheet_names
        sheets[members] = [sheets[members][0], *(made for row in sheets[members][1:] for made in change(row))]
        sheets[details] = [[*row[:5], f"{self.day:%Y%m%d}", *row[6:]] if row[0] == closing else row for row in sheets[details]]
        write_workbook(path, sheets, self.day)

    def _change(self, name: str, change: Callable[[list[Row]], list[Row]]) -> None:
        path = self.clean / name
        rows = _read(path)
        _write(path, change(rows), list(rows[0]), "\r\n")

    def _remember(self) -> None:
        for path in (self.clean / LISTS_FOLDER).glob("*.csv"):
            self.numbers |= {row["nhs_number"] for row in _read(path)} - {""}


def _some(chance: np.random.Generator, lists: dict[str, list[Row]], chosen: Sequence[str], others: int) -> list[Row]:
    """The open registrations of the people chosen, and of a few others."""
    rows = [row for own in lists.values() for row in own if not row["registration_end_date"] and row["nhs_number"]]
    times = Counter(row["nhs_number"] for row in rows)
    rows = [row for row in rows if times[row["nhs_number"]] == 1 and row["registration_type"] == "regular"]
    found = [row for row in rows if row["nhs_number"] in chosen]
    return found + [rows[at] for at in chance.choice(len(rows), others, replace=False) if rows[at] not in found]


def _counts_moved(rows: list[Row], code: str, to: str, name: str) -> list[Row]:
    """Published counts with one practice's people counted at another."""
    counts: dict[str, int] = {}
    for row in rows:
        if row["PRACTICE_CODE"] in (code, to):
            counts[row["LSOA_CODE"]] = counts.get(row["LSOA_CODE"], 0) + int(row["NUMBER_OF_PATIENTS"])
    own = {"PRACTICE_CODE": to, "PRACTICE_NAME": name}
    made = [{**rows[0], **own, "LSOA_CODE": lsoa, "NUMBER_OF_PATIENTS": str(count)} for lsoa, count in sorted(counts.items())]
    return [row for row in rows if row["PRACTICE_CODE"] not in (code, to)] + made


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Sequence[Row], columns: Sequence[str], line_end: str = "\n") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        written = csv.DictWriter(file, columns, lineterminator=line_end)
        written.writeheader()
        written.writerows(rows)


def copy_if_other(source: Path, target: Path) -> None:
    """Copy a file where the target has other bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_file() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)
