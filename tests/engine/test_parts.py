"""Tables that lie in files, and the engine that a site asks for: what it reads, where it spills and what it leaves behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.engine import Engine, EngineFailed
from fuller_popheath.site import EngineChoice, Folders, Site
from fuller_popheath.specs import Parts

SCHEMA = pa.schema([("person_id", pa.string()), ("day", pa.date32()), ("count", pa.int64())])


def a_file(path: Path, ids: list[str], **other: pa.Array) -> Path:
    table = pa.table(
        {
            "person_id": pa.array(ids).dictionary_encode(),
            "day": [date(2026, 8, 1)] * len(ids),
            "count": pa.array(range(len(ids)), pa.int32()),
            **other,
        }
    )
    pq.write_table(table, path)
    return path


def test_all_files_together_are_the_table_in_the_types_of_the_schema(tmp_path: Path) -> None:
    paths = (a_file(tmp_path / "it's one.parquet", ["a", "b"]), a_file(tmp_path / "as_of=2026-08-01.parquet", ["c"], more=pa.array([1])))
    with Engine.duckdb() as engine:
        table = engine.table("events", Parts("core/event", paths), SCHEMA)
        made = engine.collect(table.order_by("person_id"))
        assert made.schema == SCHEMA
        assert made["person_id"].to_pylist() == ["a", "b", "c"]


def test_files_from_before_there_was_a_column_have_nothing_in_it_and_others_keep_theirs(tmp_path: Path) -> None:
    newer = pa.schema([*SCHEMA, ("said", pa.int64())])
    parts = Parts("core/event", (a_file(tmp_path / "old.parquet", ["a"]), a_file(tmp_path / "new.parquet", ["b"], said=pa.array([7]))))
    with Engine.duckdb() as engine:
        made = engine.collect(engine.table("events", parts, newer, may_lack={"said"}).order_by("person_id"))
        assert made["said"].to_pylist() == [None, 7]
        alone = Parts("core/event", parts.paths[:1])
        assert engine.collect(engine.table("events", alone, newer, may_lack={"said"}))["said"].to_pylist() == [None]
        with pytest.raises(EngineFailed):
            engine.collect(engine.table("events", alone, newer, may_lack={"count"}))


def test_no_file_is_a_table_without_rows(tmp_path: Path) -> None:
    with Engine.duckdb() as engine:
        assert engine.collect(engine.table("events", Parts("core/event", ()), SCHEMA)).equals(SCHEMA.empty_table())


def test_one_name_may_be_files_then_arrow_then_files_and_forgotten(tmp_path: Path) -> None:
    parts = Parts("core/event", (a_file(tmp_path / "a.parquet", ["a"]),))
    with Engine.duckdb() as engine:
        for rows, expected in ((parts, 1), (SCHEMA.empty_table(), 0), (parts, 1), (parts, 1)):
            assert engine.collect(engine.table("events", rows, SCHEMA)).num_rows == expected
        engine.forget("events")
        engine.forget("events")
        assert engine.collect(engine.table("events", SCHEMA.empty_table())).num_rows == 0


def test_files_need_their_schema_said_and_a_missing_file_is_an_error_without_its_path(tmp_path: Path) -> None:
    with Engine.duckdb() as engine:
        with pytest.raises(EngineFailed, match="needs its schema"):
            engine.table("events", Parts("core/event", ()))
        with pytest.raises(EngineFailed, match="cannot read the table events") as failed:
            engine.table("events", Parts("core/event", (tmp_path / "gone.parquet",)), SCHEMA)
        assert "gone" not in str(failed.value)


def a_site(tmp_path: Path, **choice: object) -> Site:
    return Site(folders=Folders(spill=str(tmp_path / "spill")), engine=EngineChoice.model_validate(choice))


def test_what_does_not_fit_into_memory_goes_to_the_site_s_folder_and_is_gone_afterwards(tmp_path: Path) -> None:
    numbers = pa.table({"number": pa.array(range(3_000_000))})
    with Engine.from_site(a_site(tmp_path, memory_limit="60MB", threads=1)) as engine:
        table = engine.table("numbers", numbers)
        ordered = table.mutate(text=table.number.cast("string")).order_by("text").mutate(place=1)
        assert engine.collect(ordered).num_rows == numbers.num_rows
        [own] = (tmp_path / "spill").iterdir()
        assert stat.S_IMODE(own.stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "spill").stat().st_mode) == 0o700
    assert list((tmp_path / "spill").iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_running_one_uses_is_not(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    left, used = tmp_path / "spill" / f"engine-{killed.pid}-x", tmp_path / "spill" / f"engine-{os.getppid()}-x"
    for folder in (left, used):
        folder.mkdir(parents=True)
        (folder / "rows.tmp").write_text("rows")
    Engine.from_site(a_site(tmp_path)).close()
    assert not left.exists()
    assert (used / "rows.tmp").exists()


def test_a_site_whose_settings_are_none_leaves_no_folder(tmp_path: Path) -> None:
    # site.toml would refuse it first: what the engine itself refuses must leave nothing behind either.
    site = a_site(tmp_path)
    site = site.model_copy(update={"engine": site.engine.model_copy(update={"memory_limit": "a lot"})})
    with pytest.raises(EngineFailed, match="memory_limit"):
        Engine.from_site(site)
    assert list((tmp_path / "spill").iterdir()) == []
