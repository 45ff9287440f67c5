"""What can be seen of the laws from outside, every morning: `python morning.py VAR DIARY AS_OF` prints what is broken; 1 where anything is.

It imports nothing of the project: files are read as whoever receives them would. VAR is the folder with landing, store, products and the rest; DIARY
has what was really sent: `<as_of>/night.json`, `<as_of>/told/<practice>.csv` (the last list of each practice that arrived undamaged) and
`numbers.txt`, every NHS number that ever arrived. What it has to remember until the next morning stands in `DIARY/state.json`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sqlite3
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PRIVATE = ("landing", "quarantine", "vault")
NUMBER = re.compile(rb"(?<![0-9])9[0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{4}(?![0-9])")
OWN_FILE = re.compile(r"(?:^|/)(Y9\d{4})(?:_\d{8})?\.csv$")
HALF = (".tmp", ".part", ".partial")


@dataclass
class Morning:
    """One morning: where to look, what was sent, what is remembered, and how many things each law was held against."""

    var: Path
    diary: Path
    as_of: str
    told: dict[str, Any]
    state: dict[str, Any]
    looked: Counter[str] = field(default_factory=Counter)

    def store(self, contract: str, as_of: str = "") -> pa.Table | None:
        """A table of the store as at a day; None where there is none."""
        path = self.var / "store" / contract / f"as_of={as_of or self.as_of}" / "part.parquet"
        return pq.read_table(path, partitioning=None) if path.is_file() else None

    @property
    def products(self) -> Path:
        return self.var / "products"

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads((self.products / "manifest.json").read_bytes()))


Broken = Iterator[str]


def rows_are_accounted_for(morning: Morning) -> Broken:
    """Rows read are rows accepted and rows quarantined, by our own count of the file where it was used."""
    extracts = morning.store("core/practice_extract")
    if extracts is None:
        return
    counted = dict(_rows_in_landing(morning))
    for row in extracts.to_pylist():
        key = row["contract_id"], row["practice_code"]
        morning.looked["rows"] += 1
        if row["rows_read"] is not None and row["rows_read"] != row["rows_accepted"] + row["rows_quarantined"]:
            yield f"{key}: {row['rows_read']} rows read, {row['rows_accepted']} accepted, {row['rows_quarantined']} quarantined"
        if key not in counted or row["state"] not in ("new", "unchanged"):
            continue
        rows, quarantined = counted[key]
        morning.looked["files counted"] += 1
        if (row["rows_read"], row["rows_quarantined"]) != (rows, quarantined):
            yield f"{key}: {rows} rows in the file and {quarantined} in quarantine; told {row['rows_read']} and {row['rows_quarantined']}"


def _rows_in_landing(morning: Morning) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    files = morning.store("core/landing_file")
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in files.to_pylist() if files is not None else []:
        found = OWN_FILE.search(row["file_name"] or "")
        if found is None or row["use"] != "used" or not str(row["contract_id"]).startswith("inbound/"):
            continue
        key = row["contract_id"], found.group(1)
        if key not in newest or str(row["extract_date"]) > str(newest[key]["extract_date"]):
            newest[key] = row
    by_hash = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in (morning.var / "landing").rglob("*.csv")}
    for key, row in newest.items():
        path = next((path for digest, path in by_hash.items() if digest.startswith(row["content_hash"])), None)
        if path is None:
            continue
        with path.open(encoding="utf-8", newline="") as lines:
            every = [line for line in csv.reader(lines) if line]
        if not any(key[1] in line for line in every):
            continue  # it says that it is another practice's, whatever it is called
        rows = len(every) - 1
        kept = morning.var / "quarantine" / key[0] / f"{row['content_hash']}.parquet"
        bad = pq.read_table(kept, partitioning=None) if kept.is_file() else None
        blanked = sum(bad["_blanked"].to_pylist()) if bad is not None and "_blanked" in bad.column_names else 0
        yield key, (rows, bad.num_rows - blanked if bad is not None else 0)


def people_add_up(morning: Morning) -> Broken:
    """Matched and unmatched people are those registered; quintiles are those matched; every person of core/person is in one team's account."""
    for path in sorted((morning.products / "open").glob("core20_by_*.parquet")):
        for row in pq.read_table(path, partitioning=None).to_pylist():
            if "matched_count" not in row:
                break
            morning.looked["areas"] += 1
            if row["matched_count"] + row["unmatched_count"] != row["registered_count"]:
                yield f"{path.name}: matched and unmatched are not those registered"
            if sum(row[f"q{quintile}_count"] for quintile in range(1, 6)) != row["matched_count"]:
                yield f"{path.name}: the quintiles are not those matched"
    people, accounts = morning.store("core/person"), morning.store("products/cohort_list_account")
    if people is None or accounts is None:
        return
    if len(set(people["person_id"].to_pylist())) != people.num_rows:
        yield "core/person: somebody stands there twice"
    placed: dict[str, int] = {}
    for row in accounts.to_pylist():
        placed[row["neighbourhood_code"]] = max(placed.get(row["neighbourhood_code"], 0), row["registered_count"])
        out = [row[name] for name in row if name.endswith("_objection_count") or name in OTHER_REASONS]
        morning.looked["teams"] += 1
        if row["issued_count"] != row["listed_count"] + row["removed_count"]:
            yield f"team {row['team_id']}: {row['issued_count']} issued, {row['listed_count']} listed, {row['removed_count']} removed"
        if row["registered_count"] != row["eligible_count"] + sum(each or 0 for each in out):
            yield f"team {row['team_id']}: of {row['registered_count']} people {row['eligible_count'] + sum(each or 0 for each in out)} accounted for"
    if accounts.num_rows and (standing := _same_day(accounts, people)) and sum(placed.values()) != people.num_rows:
        yield f"{standing}: {people.num_rows} people, and {sum(placed.values())} in the accounts of lists"


OTHER_REASONS = ("type_1_unknown_count", "sensitive_record_count", "review_count", "team_excludes_count", "below_points_count", "no_team_count")


def _same_day(accounts: pa.Table, people: pa.Table) -> str:
    """The day, where the lists were issued on the day of the people; on other days the account is of the day of issue."""
    days = {str(day) for day in accounts["issued_on"].to_pylist()}
    day = str(people["as_of"][0].as_py()) if people.num_rows else ""
    return day if days == {day} else ""


def release_is_whole_and_signed(morning: Morning) -> Broken:
    """Every file by its SHA-256, no other file, the signature of the manifest by the public key beside the releases, and who may read what."""
    folder = morning.products.resolve()
    content = (folder / "manifest.json").read_bytes()
    key = load_pem_public_key((folder.parent / "public_key.pem").read_bytes())
    import base64

    try:
        key.verify(base64.b64decode((folder / "manifest.sig").read_text().strip()), content)  # type: ignore[union-attr, call-arg]
    except InvalidSignature:
        yield "the manifest is not as it was signed"
    listed = {file["file"]: file for file in json.loads(content)["files"]}
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    if set(there) != {*listed, "manifest.json", "manifest.sig"}:
        yield f"{len(set(there) ^ {*listed, 'manifest.json', 'manifest.sig'})} files are missing or more than the manifest says"
    for name, file in listed.items():
        morning.looked["released files"] += 1
        if name not in there or hashlib.sha256(there[name].read_bytes()).hexdigest() != file["sha256"]:
            yield f"{name} is not the file of the manifest"
            continue
        mode = there[name].stat().st_mode & 0o777
        if mode != (0o644 if file["purpose"] == "open" else 0o600) or (file["purpose"] != "open" and there[name].parent.stat().st_mode & 0o077):
            yield f"{name} ({file['purpose']}) has mode {mode:o} in a folder of {there[name].parent.stat().st_mode & 0o777:o}"
        if file["made_of"].startswith("products/") and there[name].suffix == ".parquet" and file["rows"] is not None:
            rows = pq.read_metadata(there[name]).num_rows
            if rows != file["rows"]:
                yield f"{name}: {rows} rows, and the manifest says {file['rows']}"


def pointer_is_of_today_or_as_it_was(morning: Morning) -> Broken:
    """The current release is tonight's, or where the night could not publish, the very one of the morning before."""
    manifest = morning.manifest
    morning.looked["pointer"] += 1
    signature = (morning.products / "manifest.sig").read_text().strip()
    if manifest["as_of"] == morning.as_of or (manifest["kind"] == "rollback" and manifest["people_as_of"] == morning.as_of):
        morning.state["stood"] = 0
    elif morning.told["must_publish"]:
        yield f"the release is of {manifest['as_of']}, and nothing that a night needs was broken"
    elif morning.told["key_rotated"]:
        pass
    elif signature != morning.state.get("signature", signature):
        yield "tonight's was not published, and the current release is not yesterday's either"
    morning.state["signature"] = signature
    for file in manifest["files"]:
        path = morning.products / file["file"]
        if path.suffix != ".parquet" or not file["made_of"].startswith("products/"):
            continue
        table = pq.read_table(path, partitioning=None)
        days = {str(day) for day in table["as_of"].unique().to_pylist()} if table.num_rows and "as_of" in table.column_names else set()
        morning.looked["products"] += 1
        # Going back, tables of people are those of the older day without whom may not be there any more, or made anew for the last one.
        wanted = {manifest["as_of"], *([manifest["people_as_of"]] if file["purpose"] in ("direct_care", "internal") else [])}
        monthly = file["purpose"] == "secondary_use"
        if len(days) > 1 or (days and not monthly and not days <= wanted) or (monthly and days and max(days) > manifest["people_as_of"]):
            yield f"{file['file']} is of {', '.join(sorted(days))}, and the release of {' and '.join(sorted(wanted))}"


def nothing_is_half(morning: Morning) -> Broken:
    """No temporary file or folder is left, and every Parquet, JSON and zip can be opened."""
    for path in sorted(morning.var.rglob("*")):
        below = path.relative_to(morning.var)
        if below.parts[0] in ("landing", "dagster", "spill") and path.is_file():
            continue
        if path.name.startswith((".making-", ".rotating", ".before_rotation")) or path.name.endswith((*HALF, ".rotating", ".before_rotation")):
            yield f"{below.parts[0]}: something was left half done ({path.suffix or path.name[:8]})"
        if not path.is_file() or path.stat().st_mtime < morning.told["since"]:
            continue
        morning.looked["files opened"] += 1
        try:
            if path.suffix == ".parquet":
                pq.ParquetFile(path).read()
            elif path.suffix == ".json":
                json.loads(path.read_bytes())
            elif path.suffix in (".xlsx", ".zip"):
                with zipfile.ZipFile(path) as archive:
                    archive.testzip()
        except (pa.ArrowInvalid, OSError, ValueError, zipfile.BadZipFile):
            yield f"{below.parts[0]}: a {path.suffix} file cannot be read"


def no_number_leaks(morning: Morning) -> Broken:
    """No NHS number that ever arrived stands in any byte outside landing, quarantine, vault and lists for direct care."""
    numbers = set((morning.diary / "numbers.txt").read_bytes().split())
    for path in sorted(morning.var.rglob("*")):
        parts = path.relative_to(morning.var).parts
        if not path.is_file() or parts[0] in PRIVATE or "direct_care" in parts or parts[:2] == ("store", "lists"):
            continue
        if path.stat().st_mtime < morning.told["since"]:
            continue
        morning.looked["files searched"] += 1
        for content in _contents(path):
            found = {re.sub(rb"[ -]", b"", each) for each in NUMBER.findall(content)} & numbers
            if found:
                yield f"{'/'.join(parts[:3])}: {len(found)} NHS numbers in a {path.suffix or 'file'}"


def _contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file as they are, and as they read where they are packed."""
    yield path.name.encode() + b"\n" + path.read_bytes()
    if path.suffix == ".parquet":
        for column in pq.read_table(path, partitioning=None).columns:
            if pa.types.is_dictionary(column.type):
                column = pc.unique(column).cast(column.type.value_type)
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_int64(column.type):
                yield "\n".join(str(each) for each in pc.unique(column).to_pylist()).encode()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name.encode() + b"\n" + archive.read(name)
    if path.suffix == ".db":
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as held:
            yield "\n".join(held.iterdump()).encode()


def nobody_is_listed_who_may_not_be(morning: Morning) -> Broken:
    """On the lists with NHS numbers: nobody who died, left, objects or declined, as far as the release knows; everybody at the practice it is for."""
    manifest = morning.manifest
    day = manifest["people_as_of"]
    registered, dead = _registered(morning, day)
    off = {entry["number"]: entry["why"] for entry in morning.told["off"] if entry["since"] <= day}
    listed: set[str] = set()
    for path in sorted((morning.products / "direct_care").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
        if not rows or "nhs_number" not in rows[0]:
            continue
        practice = next((part for part in path.stem.split("_") if re.fullmatch(r"Y9\d{4}", part)), None)
        for row in rows:
            number = row["nhs_number"].replace(" ", "")
            if not number:
                continue
            listed.add(number)
            morning.looked["people listed"] += 1
            if number in dead:
                yield f"{path.name}: somebody who has died"
            elif practice and practice not in registered.get(number, ()):
                yield f"{path.name}: somebody who is not registered there"
            if number in off:
                yield f"{path.name}: somebody who {off[number]}"
    back = listed & set(morning.state.get("off_for_good", []))
    if back:
        yield f"{len(back)} people are back who must not be"
    morning.state["off_for_good"] = sorted(dead | set(morning.state.get("off_for_good", [])))


def _registered(morning: Morning, day: str) -> tuple[dict[str, set[str]], set[str]]:
    """At which practices each NHS number has an open registration by the lists that were told by a day, and who has died by them."""
    at: dict[str, set[str]] = {}
    dead: set[str] = set()
    for path in (morning.diary / day / "told").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["death_date"]:
                    dead.add(row["nhs_number"])
                if row["registration_start_date"] <= day and (not row["registration_end_date"] or row["registration_end_date"] >= day):
                    at.setdefault(row["nhs_number"], set()).add(row["practice_code"])
    return at, dead - {""}


def lists_stand_between_issues(morning: Morning) -> Broken:
    """Within an issue nobody comes on or comes back, and nobody's place moves; who went off, and everybody of a new issue, is explained."""
    path = morning.products / "direct_care" / "cohort_list.parquet"
    if not path.is_file():
        return
    rows = {(row["issue_id"], row["team_id"], row["row_reference"]): row for row in pq.read_table(path, partitioning=None).to_pylist()}
    before = {tuple(key): (state, rank) for *key, state, rank in morning.state.get("rows", [])}
    known = {(issue, team) for issue, team, _ in before}
    for key, row in rows.items():
        morning.looked["rows of lists"] += 1
        if key[:2] not in known:
            continue
        if key not in before:
            yield f"{key[0]}, {key[1]}: somebody came on between two issues"
        elif before[key][0] == "removed" and row["state"] == "listed":
            yield f"{key[0]}, {key[1]}: somebody who was taken off is back"
        elif before[key][1] != row["rank"]:
            yield f"{key[0]}, {key[1]}: somebody's place moved"
        elif before[key][0] == "listed" and row["state"] == "removed" and not row["mark"]:
            yield f"{key[0]}, {key[1]}: somebody went off without a mark"
    kept = morning.store("products/cohort_list", morning.manifest["people_as_of"])
    told = {(row["issue_id"], row["team_id"], row["row_reference"]): row for row in kept.to_pylist()} if kept is not None else {}
    # Whoever may not be named any more is in no file: the store still says that the row was taken off.
    gone = {key for key in before if key[:2] in {each[:2] for each in rows} and key not in rows}
    if lost := {key for key in gone if told.get(key, {}).get("state") != "removed" or not told[key]["mark"]}:
        yield f"{len(lost)} rows of a standing list are gone"
    everything = {**before, **{key: ("removed", before[key][1]) for key in gone}, **{key: (row["state"], row["rank"]) for key, row in rows.items()}}
    morning.state["rows"] = [[*key, *told] for key, told in everything.items()]
    yield from _explained(morning, list(told.values()))


def _explained(morning: Morning, rows: list[dict[str, Any]]) -> Broken:
    """A new issue against the one before: who is new has joined, who is not there has left, each with words; the account counts as many."""
    changes, day = morning.store("core/list_change"), morning.manifest["people_as_of"]
    accounts = morning.store("products/cohort_list_account")
    if changes is None or accounts is None or day != morning.as_of:
        return
    told: dict[tuple[str, str, str], set[str]] = {}
    for row in changes.to_pylist():
        told.setdefault((row["issue_id"], row["team_id"], row["change"]), set()).add(row["person_id"])
        if not row["words"] and row["change"] != "stayed":
            yield f"{row['issue_id']}, {row['team_id']}: somebody {row['change']} without a word why"
    for account in accounts.to_pylist():
        key = account["issue_id"], account["team_id"]
        issued = {row["person_id"] for row in rows if (row["issue_id"], row["team_id"]) == key}
        joined, stayed, left = (told.get((*key, change), set()) for change in ("joined", "stayed", "left"))
        morning.looked["lists explained"] += 1
        if joined & stayed or (joined | stayed) != issued:
            yield f"{key}: {len(joined)} joined and {len(stayed)} stayed, and {len(issued)} were issued"
        if (len(joined), len(left), len(stayed)) != (account["joined_count"], account["left_count"], account["stayed_count"]):
            yield f"{key}: the account counts others than those explained"
        if left & issued:
            yield f"{key}: {len(left & issued)} left who are on the list"
        off = {row["person_id"] for row in rows if (row["issue_id"], row["team_id"]) == key and row["state"] == "removed"}
        if off - told.get((*key, "removed"), set()):
            yield f"{key}: {len(off - told.get((*key, 'removed'), set()))} taken off without being told of"


LAWS: tuple[Callable[[Morning], Broken], ...] = (
    rows_are_accounted_for,
    people_add_up,
    release_is_whole_and_signed,
    pointer_is_of_today_or_as_it_was,
    nothing_is_half,
    no_number_leaks,
    nobody_is_listed_who_may_not_be,
    lists_stand_between_issues,
)


def _held_against(law: Callable[[Morning], Broken], morning: Morning) -> list[str]:
    """What breaks a law, each with its name; that it could not be looked at breaks it too."""
    try:
        return [f"{law.__name__}: {words}" for words in law(morning)]
    except (pa.ArrowInvalid, OSError, ValueError, KeyError, sqlite3.Error) as wrong:
        return [f"{law.__name__}: it cannot be looked at ({type(wrong).__name__})"]


def main(var: str, diary: str, as_of: str) -> int:
    """Hold one morning against every law."""
    remembered = Path(diary) / "state.json"
    state = json.loads(remembered.read_text()) if remembered.is_file() else {}
    told = json.loads((Path(diary) / as_of / "night.json").read_text())
    morning = Morning(Path(var), Path(diary), as_of, told, state)
    broken = [words for law in LAWS for words in _held_against(law, morning)]
    remembered.write_text(json.dumps(state))
    sys.stdout.write(json.dumps({"broken": dict(Counter(broken)), "looked_at": dict(morning.looked)}))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
