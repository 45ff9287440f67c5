"""The audit log: every entry is there as it was written, or it is said from where on not; it names nobody, and who is forgotten is in it no more."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.people.audit_log import (
    CHANGED,
    OUT_OF_ORDER,
    START,
    TORN,
    TRUNCATED,
    UNREADABLE,
    WHOLE,
    AuditLog,
    Disclosure,
    Head,
)

WHEN = "2026-11-16T04:00:00+00:00"
ANNA, BERT, CARL = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"


def told(*people: str, recipient: str = "A81001") -> Disclosure:
    return Disclosure("direct_care", "list-2026-11-16", "U12345", recipient, ("csv", "xlsx"), people)


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    """Three entries, written in two nights."""
    log = AuditLog(tmp_path / "vault")
    log.record([told(ANNA, BERT), told(CARL, recipient="A81002")], "run-1", WHEN)
    log.record([told(ANNA)], "run-2", "2026-11-17T04:00:00+00:00")
    return log


def path(log: AuditLog) -> Path:
    return log.vault / "audit" / "reidentification.jsonl"


def lines(log: AuditLog) -> list[str]:
    return path(log).read_text(encoding="utf-8").splitlines()


def test_an_entry_says_who_was_told_when_and_how_many_were_meant(log: AuditLog) -> None:
    first, second, third = (json.loads(line) for line in lines(log))
    assert {name: first[name] for name in ("number", "previous", "when", "run", "purpose", "issue_id", "team_id", "recipient", "people_count")} == {
        "number": 1,
        "previous": START,
        "when": WHEN,
        "run": "run-1",
        "purpose": "direct_care",
        "issue_id": "list-2026-11-16",
        "team_id": "U12345",
        "recipient": "A81001",
        "people_count": 2,
    }
    assert len(first["tokens"]) == 2
    assert (second["previous"], third["previous"], third["run"]) == (first["hash"], second["hash"], "run-2")
    assert log.verify() == replace(log.verify(), state=WHOLE, entry_count=3, line=None)
    assert log.head() == Head(3, third["hash"], path(log).stat().st_size)


def test_nobody_can_be_told_from_it(log: AuditLog) -> None:
    assert not [person for person in (ANNA, BERT, CARL) if person in path(log).read_text(encoding="utf-8")]
    tokens = [token for line in lines(log) for token in json.loads(line)["tokens"]]
    assert len(set(tokens)) == len(tokens) == 4, "a person has another token in every entry"
    # Another vault with the same people in the same entries: a token says nothing without its key.
    again = AuditLog(log.vault.with_name("other"))
    again.record([told(ANNA, BERT)], "run-1", WHEN)
    assert not set(tokens) & set(json.loads(lines(again)[0])["tokens"])


def test_what_was_told_about_somebody_is_found_until_they_are_forgotten(log: AuditLog) -> None:
    assert [(entry["number"], entry["recipient"]) for entry in log.entries_about(ANNA)] == [(1, "A81001"), (3, "A81001")]
    assert "tokens" not in log.entries_about(ANNA)[0]
    before = path(log).read_bytes()
    assert log.forget_person(ANNA)
    assert not log.forget_person(ANNA)
    assert log.entries_about(ANNA) == []
    assert [entry["number"] for entry in log.entries_about(BERT)] == [1]
    assert path(log).read_bytes() == before, "the chain stays as it was"
    assert log.verify().state == WHOLE
    assert not [file for file in log.vault.rglob("*") if file.is_file() and ANNA in file.read_text(encoding="utf-8")]
    log.record([told(ANNA)], "run-3", WHEN)
    assert [entry["number"] for entry in log.entries_about(ANNA)] == [4], "with a new key, which opens nothing old"


def test_only_its_owner_reads_it(log: AuditLog) -> None:
    for file in log.vault.rglob("*"):
        assert file.stat().st_mode & 0o777 == (0o700 if file.is_dir() else 0o600), file.name


def _without(number: int) -> Callable[[list[str]], list[str]]:
    return lambda held: held[: number - 1] + held[number:]


TAMPERED: dict[str, tuple[Callable[[list[str]], list[str]], str, int]] = {
    "the last line is gone": (_without(3), TRUNCATED, 3),
    "a line in between is gone": (_without(2), OUT_OF_ORDER, 2),
    "the first line is gone": (_without(1), OUT_OF_ORDER, 1),
    "everything is gone": (lambda held: [], TRUNCATED, 1),
    "two lines changed places": (lambda held: [held[0], held[2], held[1]], OUT_OF_ORDER, 2),
    "a line stands twice": (lambda held: [*held, held[2]], OUT_OF_ORDER, 4),
    "another recipient": (lambda held: [held[0].replace("A81001", "A81009"), *held[1:]], CHANGED, 1),
    "fewer people": (lambda held: [*held[:2], held[2].replace('"people_count":1', '"people_count":0')], CHANGED, 3),
    "a space more": (lambda held: [held[0], held[1].replace(",", ", ", 1), held[2]], CHANGED, 2),
    "another hash": (lambda held: [*held[:2], held[2][:-10] + "0000000000"[: 10 - 2] + held[2][-2:]], CHANGED, 3),
    "no entry": (lambda held: [held[0], "{}x", held[2]], UNREADABLE, 2),
    "a list": (lambda held: [held[0], "[]", held[2]], UNREADABLE, 2),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_whoever_changes_it_is_found_and_told_where(log: AuditLog, how: str) -> None:
    change, state, line = TAMPERED[how]
    path(log).write_text("".join(f"{text}\n" for text in change(lines(log))), encoding="utf-8")
    found = log.verify()
    assert (found.state, found.line, found.is_sound) == (state, line, False)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_byte_that_is_changed_or_cut_away_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    log = AuditLog(tmp_path_factory.mktemp("vault"))
    log.record([told(ANNA, BERT), told(CARL)], "run-1", WHEN)
    whole = path(log).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        path(log).write_bytes(whole[:at])
    else:
        other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
        path(log).write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])
    assert not log.verify().is_sound


def test_a_whole_new_log_is_found_by_a_head_that_was_kept_elsewhere(log: AuditLog) -> None:
    kept = log.head()
    for file in (path(log), log.vault / "audit" / "head.json", log.vault / "audit" / "keys" / "keys.json"):
        file.unlink()
    log.record([told(BERT), told(BERT), told(BERT)], "run-1", WHEN)
    assert log.verify().state == WHOLE
    assert (log.verify(kept).state, log.verify(kept).line) == (CHANGED, 3)
    assert log.verify(replace(kept, number=9)).state == TRUNCATED


def test_a_write_that_was_interrupted_is_no_tampering_and_the_next_one_mends_it(log: AuditLog) -> None:
    whole = path(log).read_bytes()
    path(log).write_bytes(whole + b'{"files":["csv"],"issue_id":"li')
    found = log.verify()
    assert (found.state, found.entry_count, found.line, found.is_sound) == (TORN, 3, 4, True)
    log.record([told(CARL)], "run-3", WHEN)
    assert path(log).read_bytes().startswith(whole)
    assert (log.verify().state, log.verify().entry_count) == (WHOLE, 4)


def test_a_process_that_ended_before_it_moved_the_head_has_lost_nothing(log: AuditLog) -> None:
    head = log.vault / "audit" / "head.json"
    before = head.read_bytes()
    log.record([told(CARL), told(BERT)], "run-3", WHEN)
    head.write_bytes(before)
    assert (log.verify().state, log.verify().entry_count) == (WHOLE, 5)
    log.record([told(ANNA)], "run-4", WHEN)
    assert (log.verify().state, log.verify().entry_count) == (WHOLE, 6)


@pytest.mark.parametrize("how", ["the last line is gone", "everything is gone", "fewer people", "no head", "no log"])
def test_nobody_is_told_anything_while_the_log_is_broken(log: AuditLog, how: str) -> None:
    if how == "no head":
        (log.vault / "audit" / "head.json").unlink()
    elif how == "no log":
        path(log).unlink()
    else:
        path(log).write_text("".join(f"{text}\n" for text in TAMPERED[how][0](lines(log))), encoding="utf-8")
    with pytest.raises(ContractBroken, match="nobody is re-identified until it is looked into"):
        log.record([told(ANNA)], "run-3", WHEN)
    assert not log.verify().is_sound


def test_a_log_without_entries_is_whole(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "vault")
    assert (log.verify().state, log.verify().entry_count, log.entries_about(ANNA)) == (WHOLE, 0, [])
    assert log.record([], "run-1", WHEN) == Head()
    assert log.verify().state == WHOLE


@pytest.mark.parametrize("when", ["yesterday", "", "2026-11-16T04:00:00"])
def test_a_moment_is_one_and_says_its_offset(tmp_path: Path, when: str) -> None:
    with pytest.raises(SettingsWrong, match=r"ISO 8601|offset"):
        AuditLog(tmp_path).record([told(ANNA)], "run-1", when)
    assert not list(tmp_path.iterdir())


def test_who_is_in_a_disclosure_is_never_shown() -> None:
    assert ANNA not in repr(told(ANNA))


WRITE_OFTEN = """
import sys
from pathlib import Path
from fuller_popheath.people.audit_log import AuditLog, Disclosure
vault, recipient, anna, when = Path(sys.argv[1]), *sys.argv[2:]
for number in range(10):
    people = (anna, f"{recipient}{number}aaaaaa"[:12].lower())
    AuditLog(vault).record([Disclosure("direct_care", "list-2026-11-16", "U12345", recipient, ("csv",), people)], "run", when)
"""


def test_several_processes_write_one_after_the_other(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE_OFTEN, str(vault), f"A8100{n}", ANNA, WHEN], stderr=subprocess.PIPE, text=True)
        for n in range(3)
    ]
    complaints = [writer.communicate(timeout=120)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0], complaints
    log = AuditLog(vault)
    assert (log.verify().state, log.verify().entry_count) == (WHOLE, 30)
    assert len(log.entries_about(ANNA)) == 30
