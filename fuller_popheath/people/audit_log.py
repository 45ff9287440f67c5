"""The audit log of re-identification: who was told when, for what, how many people were meant; append-only, and a change to it is found.

`<vault>/audit/reidentification.jsonl`: one line an entry, each with the hash of the line before and its own; `head.json`: the number and hash of the
last one, so that a log that was cut is not taken for a whole one; files 0600 in folders 0700. An entry names nobody: a person stands in it as a
token made with a random key of their own, kept in `keys/`. Destroying that key makes the tokens nobody's, and every hash stays as it was. Whoever
can write every file of the vault can write a whole new log: keep the head in a second place too. What does not belong here: who may be told.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, flush, make_folder, replace_whole

AUDIT, LOG, HEAD, KEYS, LOCK = "audit", "reidentification.jsonl", "head.json", "keys", "lock"
STAGED = "keys.rotating.json"
START = "0" * 64
"""What stands for the line before the first."""
KEY_BYTES, TOKEN_LETTERS = 32, 32
"""A token is 128 bits of an HMAC-SHA-256: no two people have one in common by chance."""
WHOLE, TORN, CHANGED, OUT_OF_ORDER, TRUNCATED, UNREADABLE = "whole", "torn", "changed", "out of order", "truncated", "unreadable"
TO_DO = "nobody is re-identified until it is looked into: run verify() with the head of an earlier run, and restore the audit folder of the vault"


@dataclass(frozen=True)
class Disclosure:
    """To whom who people are is about to be told: the issue and team, the `recipient` (a practice code, or the team), `files` and `person_ids`."""

    purpose: str
    issue_id: str
    team_id: str
    recipient: str
    files: tuple[str, ...]
    person_ids: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Head:
    """The last entry: its number (0: none yet), its hash, and where in the file it ends, in bytes."""

    number: int = 0
    hash: str = START
    size: int = 0


@dataclass(frozen=True)
class ChainState:
    """What `verify` found: `state` whole, torn (a write that was interrupted: the entries stand), or how it was tampered with; `line`: from where."""

    state: str
    entry_count: int
    line: int | None = None
    words: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether every entry that was ever finished is there as it was written."""
        return self.state in (WHOLE, TORN)


@dataclass(frozen=True)
class AuditLog:
    """The log in a vault's folder. `draw_key` makes a person's random key: of the system, because a key that a seed could make again is none."""

    vault: Path
    draw_key: Callable[[], bytes] = field(default=lambda: secrets.token_bytes(KEY_BYTES), repr=False)

    def record(self, disclosures: Sequence[Disclosure], run: str, when: str) -> Head:
        """Add one entry for each disclosure, in their order, and return the new head. On the disk when this returns: tell nobody before.

        `when`: the moment as ISO 8601 text with its offset. Raises SettingsWrong where it is none, ContractBroken where the log is shorter than its
        head, or its last line is not the one that the head tells of.
        """
        _refuse_no_moment(when)
        with self._locked():
            head = self._tail()
            start = head.size
            if not disclosures:
                return head
            keys = self._keys_with({person for told in disclosures for person in told.person_ids})
            lines = []
            for told in disclosures:
                number = head.number + 1
                entry = {name: value for name, value in asdict(told).items() if name != "person_ids"} | {"number": number, "previous": head.hash}
                tokens = sorted(_token(keys[person], number) for person in set(told.person_ids))
                entry |= {"when": when, "run": run, "people_count": len(tokens), "tokens": tokens}
                made = _hash_of(entry)
                line = _text({**entry, "hash": made}).encode() + b"\n"
                lines.append(line)
                head = Head(number, made, head.size + len(line))
            self._append(b"".join(lines), start)
            self._write_head(head)
        return head

    def head(self) -> Head:
        """The last entry of which this log knows, to be kept in a second place beside the run. Raises ContractBroken where it cannot be read."""
        path = self._folder / HEAD
        if not path.is_file():
            if self._is_there():
                raise ContractBroken(f"the audit log has lost its {HEAD}; {TO_DO}")
            return Head()
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return Head(int(told["number"]), str(told["hash"]), int(told["size"]))
        except (ValueError, KeyError, TypeError):
            raise ContractBroken(f"the {HEAD} of the audit log cannot be read; {TO_DO}") from None

    def verify(self, anchor: Head | None = None) -> ChainState:
        """Read the whole log and say whether every entry is there, as it was written and in its order; `anchor`: a head that was kept elsewhere.

        A last line without an end, behind everything the head tells of, is a write that was interrupted ("torn"); anything else is tampering.
        """
        try:
            head = self.head()
        except ContractBroken as refused:
            return ChainState(UNREADABLE, 0, None, str(refused))
        # The head first: a writer at work adds lines before it moves the head.
        before, lines = Head(), self._lines()
        known = {Head().number: Head().hash}
        for place, (line, is_ended) in enumerate(lines, start=1):
            if not is_ended:
                if head.number >= place:
                    return ChainState(TRUNCATED, before.number, place, f"line {place} is cut, and the head knows it whole")
                return _against(known, before, (head, anchor), ChainState(TORN, before.number, place, f"line {place} was never finished"))
            wrong = _wrong(line, before, place)
            if wrong is not None:
                return wrong
            before = Head(place, _own_hash(line))
            known[before.number] = before.hash
        return _against(known, before, (head, anchor), ChainState(WHOLE, before.number))

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every finished entry, the oldest first, without tokens: to whom, for what, which issue, team and files, and how many people were meant.

        Raises ContractBroken where a line is no entry: `verify` says from where on.
        """
        for place, (line, is_ended) in enumerate(self._lines(), start=1):
            if is_ended:
                if not _own_hash(line):
                    raise ContractBroken(f"line {place} of the audit log is no entry; {TO_DO}")
                yield {name: value for name, value in json.loads(line).items() if name != "tokens"}

    def entries_about(self, person_id: str) -> list[dict[str, Any]]:
        """Every entry in which somebody is meant, the oldest first, without tokens. None of those from before their key was destroyed."""
        key = self._keys().get(person_id)
        if key is None:
            return []
        entries = [json.loads(line) for line, is_ended in self._lines() if is_ended]
        meant = [entry for entry in entries if _token(key, entry["number"]) in entry["tokens"]]
        return [{name: value for name, value in entry.items() if name != "tokens"} for entry in meant]

    def forget_person(self, person_id: str) -> bool:
        """Destroy somebody's key: no token is theirs from now on, and the chain stays whole. Returns whether there was one."""
        with self._locked():
            keys = self._keys()
            if keys.pop(person_id, None) is None:
                return False
            self._write_keys(keys)
        return True

    @property
    def _folder(self) -> Path:
        return self.vault / AUDIT

    def _is_there(self) -> bool:
        return (self._folder / LOG).exists() or (self._folder / KEYS / "keys.json").exists()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, in any process; the lock ends with the process that holds it."""
        for folder in (self.vault, self._folder, self._folder / KEYS):
            make_folder(folder, PRIVATE_FOLDER)
        opened = os.open(self._folder / LOCK, os.O_CREAT | os.O_RDWR, PRIVATE_FILE)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            if not self._is_there() and not (self._folder / HEAD).exists():
                self._write_head(Head())
            yield
        finally:
            os.close(opened)

    def _tail(self) -> Head:
        """The last whole entry: what is behind it is a line that was never finished. ContractBroken as in `record`. Only the end is read."""
        known, path = self.head(), self._folder / LOG
        size = path.stat().st_size if path.is_file() else 0
        if size < known.size:
            raise ContractBroken(f"the audit log is {known.size - size:,} bytes shorter than it was; {TO_DO}")
        if not size:
            return known
        with path.open("rb") as stream:
            if _own_hash(_line_before(stream, known.size)) != known.hash and known.number:
                raise ContractBroken(f"entry {known.number:,} of the audit log is not the one that was written; {TO_DO}")
            stream.seek(known.size)
            rest = stream.read()
        # A process that ended between the log and its head left lines that the head does not know yet.
        before = known
        for line in rest.split(b"\n")[:-1]:
            if _wrong(line, before, before.number + 1) is not None:
                raise ContractBroken(f"entry {before.number + 1:,} of the audit log does not follow the one before it; {TO_DO}")
            before = Head(before.number + 1, _own_hash(line), before.size + len(line) + 1)
        return before

    def _append(self, lines: bytes, end: int) -> None:
        path = self._folder / LOG
        is_new = not path.exists()
        opened = os.open(path, os.O_CREAT | os.O_WRONLY, PRIVATE_FILE)
        try:
            os.fchmod(opened, PRIVATE_FILE)
            os.ftruncate(opened, end)
            os.lseek(opened, end, os.SEEK_SET)
            with os.fdopen(opened, "wb", closefd=False) as stream:
                stream.write(lines)
            os.fsync(opened)
        finally:
            os.close(opened)
        if is_new:
            flush(self._folder)

    def _write_head(self, head: Head) -> None:
        replace_whole(self._folder / HEAD, lambda part: part.write_text(json.dumps(asdict(head)) + "\n", encoding="utf-8"), PRIVATE_FILE)

    def _lines(self) -> Iterator[tuple[bytes, bool]]:
        """Every line, and whether it is ended."""
        path = self._folder / LOG
        if path.is_file():
            with path.open("rb") as stream:
                for line in stream:
                    yield line.removesuffix(b"\n"), line.endswith(b"\n")

    def _keys(self) -> dict[str, _Key]:
        path = self._folder / KEYS / "keys.json"
        return _keys_of(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def _keys_with(self, people: set[str]) -> Mapping[str, _Key]:
        """The keys, with new ones for those who have none; they are on the disk before a token is made with them."""
        keys = self._keys()
        if new := sorted(people - keys.keys()):
            keys |= {person: _Key(self.draw_key(), person) for person in new}
            self._write_keys(keys)
        return keys

    def _write_keys(self, keys: Mapping[str, _Key]) -> None:
        replace_whole(self._folder / KEYS / "keys.json", lambda part: part.write_text(_text_of(keys), encoding="utf-8"), PRIVATE_FILE)

    def stage_renamed(self, new_id: Callable[[str], str]) -> None:
        """Lay ready the keys under other person ids; tokens are still made with the id that a key was drawn for, so that entries are found."""
        with self._locked():
            keys = {new_id(person): key for person, key in self._keys().items()}
            replace_whole(self._folder / KEYS / STAGED, lambda part: part.write_text(_text_of(keys), encoding="utf-8"), PRIVATE_FILE)

    def use_staged(self) -> None:
        """Put what was laid ready in its place; nothing where nothing is."""
        with self._locked():
            staged = self._folder / KEYS / STAGED
            if staged.is_file():
                staged.replace(self._folder / KEYS / "keys.json")


@dataclass(frozen=True)
class _Key:
    """Somebody's key, and the person id that it was drawn for: the key of person ids may have been rotated since."""

    secret: bytes = field(repr=False)
    drawn_for: str


def _keys_of(text: str) -> dict[str, _Key]:
    told = {person: key.split("|") for person, key in json.loads(text).items()}
    return {person: _Key(bytes.fromhex(key[0]), key[1] if len(key) > 1 else person) for person, key in told.items()}


def _text_of(keys: Mapping[str, _Key]) -> str:
    told = {person: key.secret.hex() + (f"|{key.drawn_for}" if key.drawn_for != person else "") for person, key in sorted(keys.items())}
    return json.dumps(told, indent=0) + "\n"


@dataclass(frozen=True)
class RunAudit:
    """The log as one run writes into it: `run` and the moment `when` it was started, as ISO 8601 text with its offset, stand in every entry."""

    log: AuditLog
    run: str
    when: str

    def record(self, disclosures: Sequence[Disclosure]) -> Head:
        """As `AuditLog.record`."""
        return self.log.record(disclosures, self.run, self.when)


def _token(key: _Key, number: int) -> str:
    """What stands for somebody in one entry: another in every entry, so that nobody without the key can follow a person through the log."""
    return hmac.digest(key.secret, f"{number}|{key.drawn_for}".encode(), "sha256").hex()[:TOKEN_LETTERS]


def _text(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"))


def _hash_of(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(_text(entry).encode()).hexdigest()


def _own_hash(line: bytes) -> str:
    """The hash that a line should end in, from what it says; empty where it cannot be read."""
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    return _hash_of({name: value for name, value in entry.items() if name != "hash"}) if isinstance(entry, dict) else ""


def _line_before(stream: BinaryIO, end: int) -> bytes:
    """The last whole line of what lies before `end`, without its end."""
    block, found = 4096, b""
    while True:
        start = max(0, end - block)
        stream.seek(start)
        found = stream.read(end - start).removesuffix(b"\n")
        if b"\n" in found or start == 0:
            return found.rpartition(b"\n")[2]
        block *= 4


def _wrong(line: bytes, before: Head, place: int) -> ChainState | None:
    """What is wrong with the line at this place; None where nothing is."""
    made = _own_hash(line)
    if not made:
        return ChainState(UNREADABLE, before.number, place, f"line {place} is no entry")
    entry = json.loads(line)
    if entry.get("hash") != made or _text(entry).encode() != line:
        return ChainState(CHANGED, before.number, place, f"line {place} is not as it was written")
    if entry.get("number") != place or entry.get("previous") != before.hash:
        return ChainState(OUT_OF_ORDER, before.number, place, f"line {place} does not follow the one before: a line was taken out, put in or moved")
    return None


def _against(known: Mapping[int, str], last: Head, heads: Sequence[Head | None], found: ChainState) -> ChainState:
    """What was found, unless a head tells of an entry that is not there or is another one."""
    for head in heads:
        if head is not None and head.number > last.number:
            return ChainState(TRUNCATED, last.number, last.number + 1, f"{head.number - last.number:,} entries at the end are gone")
        if head is not None and known[head.number] != head.hash:
            return ChainState(CHANGED, head.number - 1, head.number, f"entry {head.number} is another than the one that was written")
    return found


def _refuse_no_moment(when: str) -> None:
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        raise SettingsWrong("the moment of an audit entry must be ISO 8601 text, as 2026-11-16T04:00:00+00:00") from None
    if moment.tzinfo is None:
        raise SettingsWrong("the moment of an audit entry must say its offset from UTC, as 2026-11-16T04:00:00+00:00")
