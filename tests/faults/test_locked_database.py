"""The database of runs is held by somebody else: a short while is waited for, and after a long one the same work is done again without a trace."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy.exc import OperationalError

from tests.pipelines.conftest import Place, make_place

LONG = 12
"""Seconds: more than SQLite waits."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = make_place(tmp_path / "place")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@contextmanager
def held(folder: Path, seconds: float) -> Iterator[None]:
    """Another thread has every database for so long."""
    has, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with ExitStack() as stack:
            for database in folder.rglob("*.db"):
                stack.enter_context(closing(sqlite3.connect(database, isolation_level=None))).execute("BEGIN EXCLUSIVE")
            has.set()
            is_over.wait(seconds)

    thread = threading.Thread(target=hold)
    thread.start()
    assert has.wait(10)
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@dg.asset
def something() -> None:
    """Nothing: what is looked at is what Dagster writes down of it."""


def test_a_short_lock_is_waited_for_and_a_long_one_leaves_nothing_behind(place: Place) -> None:
    with dg.DagsterInstance.get() as instance:
        assert dg.materialize([something], instance=instance).success
        began = time.monotonic()
        with held(place.folder / "var" / "dagster", 1.5):
            assert dg.materialize([something], instance=instance).success
        assert time.monotonic() - began >= 1.5
        with held(place.folder / "var" / "dagster", LONG), pytest.raises(OperationalError, match="database is locked"):
            dg.materialize([something], instance=instance)
        assert instance.get_runs_count() == 2
        assert dg.materialize([something], instance=instance).success
        assert instance.get_runs_count() == 3
