"""Thirty nights in a row, unattended, and every morning the laws that can be seen from outside hold. Run by `make test-nights`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.nights.thirty import Nights, table

pytestmark = pytest.mark.nights

COUNT = int(os.environ.get("FULLER_NIGHTS", "30"))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def test_every_law_holds_on_every_morning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nights = []
    for night in Nights(Path(os.environ.get("FULLER_NIGHTS_FOLDER", str(tmp_path / "nights")))).run(COUNT):
        nights.append(night)
        with capsys.disabled():
            say(night.line)
            for words, times in night.broken.items():
                say(f"     {times} x {words}")
    with capsys.disabled():
        say(table(nights))
    assert not {night.number: night.broken for night in nights if night.broken}
