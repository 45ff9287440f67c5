"""Workbooks that open with a password: read with the right one, refused with what to do without it; no password is ever told."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.locked_workbooks import unlocked
from fuller_popheath.sources.opening import heads, lines_around, text_table

SECRET = "four words drawn by lot"
ROWS = {"About": [["Words"]], "Data": [["A title"], [], ["A_CODE", "B_CODE"], ["x", "y"]]}


@pytest.fixture
def locked(write_workbook: Callable[..., Path]) -> Path:
    from msoffcrypto.format.ooxml import OOXMLFile

    path = write_workbook("list_U12345.xlsx", ROWS)
    made = io.BytesIO()
    OOXMLFile(io.BytesIO(path.read_bytes())).encrypt(SECRET, made)
    path.write_bytes(made.getvalue())
    return path


def test_a_workbook_is_read_with_the_password_that_opens_it(locked: Path) -> None:
    found = heads(locked, passwords={"U54321": "another team's words", "U12345": SECRET})
    data = next(head for head in found if head.columns == ("A_CODE", "B_CODE"))
    assert text_table(data, [0, 1]).to_pydict() == {"c0": ["x"], "c1": ["y"], "_row": [4]}
    assert lines_around(data) == [["A title", ""], ["Words"]]
    assert SECRET not in repr(data)


def test_without_its_password_it_is_refused_and_nothing_of_it_or_of_a_password_is_told(locked: Path) -> None:
    with pytest.raises(FileRefused, match=r"save it as \.xlsx without a password"):
        heads(locked)
    with pytest.raises(FileRefused, match="none of the 1 passwords that are known opens it") as refusal:
        heads(locked, passwords={"U54321": "another team's words"})
    assert "another" not in str(refusal.value)


def test_the_password_of_whoever_the_file_is_named_after_is_tried_first(locked: Path) -> None:
    """The others would take a third of a second each, and one of them is no password that the library takes."""
    content, password = unlocked(locked.read_bytes(), locked.name, {"U00001": "\ud800", "U12345": SECRET})
    assert (content[:2], password) == (b"PK", SECRET)


def test_a_damaged_one_and_one_that_asks_for_too_much_work_are_refused(locked: Path) -> None:
    content = locked.read_bytes()
    with pytest.raises(FileRefused, match="is damaged"):
        unlocked(content[:3000], "a.xlsx", {"U12345": SECRET})
    with pytest.raises(FileRefused, match="in a way that Excel does not use"):
        unlocked(content.replace(b'spinCount="100000"', b'spinCount="999999999"'), "a.xlsx", {"U12345": SECRET})
    cut = content[:-2048] + bytes(2048)
    with pytest.raises(FileRefused):
        unlocked(cut, "a.xlsx", {"U12345": SECRET})
