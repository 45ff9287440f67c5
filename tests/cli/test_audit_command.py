"""`fuller audit`: a whole log is called whole, a changed one is not, and nothing that is shown says who was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fuller_popheath.audit_command import kept_head, show, verify
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.people.audit_log import AUDIT, LOG, AuditLog, Disclosure, Head

WHEN = "2026-11-16T04:00:00+00:00"
PEOPLE = ("aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc")


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    made = AuditLog(tmp_path / "vault", draw_key=iter([bytes([n]) * 32 for n in range(9)]).__next__)
    told = [
        Disclosure("direct_care", "list-2026-11-16", team, recipient, (f"{recipient}.xlsx",), people)
        for team, recipient, people in (("NORTH", "A81001", PEOPLE), ("NORTH", "A81002", PEOPLE[:1]), ("QUAY", "A81003", PEOPLE[1:]))
    ]
    made.record(told, "run-1", WHEN)
    return made


def said(act: object, *arguments: object) -> str:
    lines: list[str] = []
    act(*arguments, lines.append)  # type: ignore[operator]
    return "\n".join(lines)


def test_a_whole_log_is_called_whole_and_its_end_is_told(log: AuditLog) -> None:
    head = log.head()
    told = said(verify, log, None)
    assert told.startswith("whole: 3 entries, each as it was written\n")
    assert told.endswith(f"it ends with entry 3, hash {head.hash}")
    assert "entry 3 is the one that was kept elsewhere" in said(verify, log, Head(3, head.hash))


def test_a_changed_a_cut_and_another_log_are_found(log: AuditLog) -> None:
    with pytest.raises(ContractBroken, match="entry 2 is another than the one that was written"):
        verify(log, Head(2, "0" * 64), print)
    with pytest.raises(ContractBroken, match="1 entries at the end are gone"):
        verify(log, Head(4, "0" * 64), print)
    path = log.vault / AUDIT / LOG
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1].replace("A81002", "A81009"), lines[2]]) + "\n", encoding="utf-8")
    with pytest.raises(ContractBroken, match="tampered with: line 2 is not as it was written; 1 entries before it are sound"):
        verify(log, None, print)


def test_the_list_says_to_whom_and_how_many_and_never_who(log: AuditLog, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(show, log, "", "", None)
    printed = capsys.readouterr().out
    assert "3 disclosures of 6 people in all" in told
    assert all(word in printed for word in ("A81001", "A81002", "A81003", "direct care", "list-2026-11-16", WHEN))
    tokens = [token for line in (log.vault / AUDIT / LOG).read_text(encoding="utf-8").splitlines() for token in json.loads(line)["tokens"]]
    assert len(tokens) == 6
    assert not [secret for secret in (*PEOPLE, *tokens) if secret in printed + told]
    assert "1 disclosures of 2 people" in said(show, log, "QUAY", "", None)
    assert "(the newest 2 shown)" in said(show, log, "", "", 2)
    assert said(show, log, "NOBODY", "", None) == "nobody has been re-identified for this team and issue"


def test_an_empty_log_tells_of_nobody(tmp_path: Path) -> None:
    assert said(show, AuditLog(tmp_path), "", "", None) == "nobody has been re-identified"


@pytest.mark.parametrize(("number", "told"), [(3, ""), (None, "ab" * 32), (0, "ab" * 32), (3, "ab"), (3, "xy" * 32)])
def test_half_a_head_is_refused(number: int | None, told: str) -> None:
    with pytest.raises(SettingsWrong, match="give both --head-number"):
        kept_head(number, told)
    assert kept_head(None, "") is None
    assert kept_head(3, " " + "AB" * 32) == Head(3, "ab" * 32)
