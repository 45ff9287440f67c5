"""The command line as a person runs it: words in, exit code and text out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest


@dataclass
class Answer:
    """Exit code, what went to standard output, and what to standard error."""

    code: int
    out: str
    complaints: str


Fuller = Callable[..., Answer]


@pytest.fixture
def fuller(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fuller:
    def run(*words: object) -> Answer:
        from fuller_popheath import cli

        monkeypatch.setattr(sys, "argv", ["fuller", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Answer(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def make_believe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small make-believe place as it would be dropped; tests copy from it and never change it."""
    from fuller_popheath.synthetic import write_landing

    folder = tmp_path_factory.mktemp("make_believe")
    write_landing(folder, seed=7, as_of=date(2026, 10, 1), people=12_000)
    return folder
