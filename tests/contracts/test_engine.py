"""The engine: Arrow in, Arrow out, and nothing of a table in an error or on disk."""

from __future__ import annotations

import traceback
from pathlib import Path

import pyarrow as pa
import pytest

from fuller_popheath.engine import Engine, EngineFailed
from fuller_popheath.errors import FullerError

PLANTED = "9434765919"


def test_tables_go_in_and_come_out_as_arrow() -> None:
    with Engine.duckdb(threads=1, memory_limit="200MB") as engine:
        table = engine.table("people", pa.table({"practice": ["A", "A", "B"], "people": [1, 2, 4]}))
        total = table.group_by("practice").agg(people=table.people.sum().cast("int64")).order_by("practice")
        assert engine.collect(total).to_pylist() == [{"practice": "A", "people": 3}, {"practice": "B", "people": 4}]
        engine.table("people", pa.table({"practice": ["C"], "people": [8]}))
        assert engine.collect(total).to_pylist() == [{"practice": "C", "people": 8}]


def test_what_is_compiled_once_runs_on_the_next_table_of_that_name() -> None:
    with Engine.duckdb() as engine:
        built = []

        def doubled() -> object:
            built.append(1)
            return table.select(twice=table.people * 2)

        for number in (1, 2, 3):
            table = engine.table("people", pa.table({"people": [number]}))
            assert engine.collect_again("doubled", doubled).to_pylist() == [{"twice": 2 * number}]
        assert len(built) == 1


def test_an_error_of_the_engine_shows_no_value() -> None:
    with Engine.duckdb() as engine:
        table = engine.table("people", pa.table({"text": [PLANTED + "x"]}))
        failing = table.select(number=table.text.cast("int64"))
        for run in (lambda: engine.collect(failing, "counting"), lambda: engine.collect_again("number", lambda: failing, "counting")):
            with pytest.raises(EngineFailed, match="failed while counting") as failed:
                run()
            assert isinstance(failed.value, FullerError)
            assert PLANTED not in "".join(traceback.format_exception(failed.value))


def test_settings_that_are_none_are_refused() -> None:
    with pytest.raises(EngineFailed, match="memory_limit"):
        Engine.duckdb(memory_limit="a lot")


def test_work_that_is_too_large_fails_rather_than_writing_rows_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    numbers = pa.table({"number": pa.array(range(3_000_000))})
    spill = tmp_path / "var"
    for folder, fits in ((None, False), (spill, True)):
        with Engine.duckdb(memory_limit="30MB", threads=1, spill_to=folder) as engine:
            table = engine.table("numbers", numbers)
            ordered = table.mutate(text=table.number.cast("string")).order_by("text").mutate(place=1)
            if fits:
                assert engine.collect(ordered).num_rows == numbers.num_rows
            else:
                with pytest.raises(EngineFailed):
                    engine.collect(ordered)
                assert list(tmp_path.iterdir()) == []


def test_a_closed_engine_stays_closed() -> None:
    engine = Engine.duckdb()
    engine.close()
    engine.close()
    with pytest.raises(EngineFailed):
        engine.table("people", pa.table({"people": [1]}))
