"""The scanner finds a number wherever a night could have left one, and no other number; so that finding nothing means something."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fuller_popheath import scan_contents
from fuller_popheath.cli import app
from fuller_popheath.errors import ContractBroken, FileRefused, InputMissing
from fuller_popheath.known_numbers import MARGIN, Known, known_numbers
from fuller_popheath.scanning import Scanned, scan

NUMBER = 9434765919  # the example number of the NHS Data Dictionary
TEXT = str(NUMBER)
KNOWN = Known(np.array([4010232137, NUMBER, 9999999468], np.int64))


def nothing(_: Path) -> bool:
    return False


def found(folder: Path) -> Scanned:
    return scan([folder], nothing, KNOWN)


def zipped(content: bytes, name: str = "inside.txt") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


def parquet(column: pa.Array, compression: str = "zstd") -> bytes:
    made = io.BytesIO()
    pq.write_table(pa.table({"c": column}), made, compression=compression)
    return made.getvalue()


def npy(values: np.ndarray) -> bytes:
    made = io.BytesIO()
    np.save(made, values)
    return made.getvalue()


def arrow(column: pa.Array) -> bytes:
    made, table = io.BytesIO(), pa.table({"c": column})
    with pa.ipc.new_file(made, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return made.getvalue()


PLACES: dict[str, Callable[[], bytes]] = {
    "text": lambda: f"about {TEXT}.".encode(),
    "with spaces": lambda: b"943 476 5919",
    "with hyphens": lambda: b"943-476-5919",
    "UTF-16": lambda: TEXT.encode("utf-16"),
    "UTF-16, big end first, with spaces": lambda: "x 943 476 5919".encode("utf-16-be"),
    "gzip": lambda: gzip.compress(TEXT.encode()),
    "zip in a zip": lambda: zipped(zipped(TEXT.encode()), "inner.zip"),
    "the name of a file in a zip": lambda: zipped(b"", f"{TEXT}.csv"),
    "gzip in a zip": lambda: zipped(gzip.compress(TEXT.encode()), "inner.gz"),
    "Parquet in a zip": lambda: zipped(parquet(pa.array([NUMBER])), "inner.parquet"),
    "an array in a zip, as in a model": lambda: zipped(npy(np.array([[1, NUMBER]])), "inner.npy"),
    "an array of floats": lambda: npy(np.array([0.5, float(NUMBER)])),
    "Parquet, text": lambda: parquet(pa.array(["a", None, f"note {TEXT}"])),
    "Parquet, coded text": lambda: parquet(pa.array([TEXT, TEXT]).dictionary_encode()),
    "Parquet, whole numbers": lambda: parquet(pa.array([None, NUMBER], pa.int64()), "snappy"),
    "Parquet, floats": lambda: parquet(pa.array([float("nan"), float(NUMBER)])),
    "Parquet, decimals": lambda: parquet(pa.array([Decimal(NUMBER)])),
    "Parquet, lists": lambda: parquet(pa.array([[TEXT], None, []])),
    "Parquet, structs": lambda: parquet(pa.array([{"a": {"b": NUMBER}}])),
    "Parquet, maps": lambda: parquet(pa.array([[(TEXT, 1)]], pa.map_(pa.string(), pa.int64()))),
    "Parquet, bytes": lambda: parquet(pa.array([TEXT.encode()], pa.binary())),
    "Arrow": lambda: arrow(pa.array([TEXT])),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_number_is_found_wherever_it_lies(tmp_path: Path, place: str) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "kept.bin").write_bytes(PLACES[place]())
    (tmp_path / "clean.txt").write_text("4010232138 and 07700 900123")
    made = found(tmp_path)
    assert list(made.found) == [next(name for name in made.found if name.endswith("a/b/kept.bin"))]
    assert made.files == 2 and not made.closed
    assert TEXT not in repr(made) + repr(KNOWN)


def test_a_number_in_a_workbook_is_found(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, NUMBER)
        sheet.write(1, 0, f"tel {TEXT}")
    assert sum(found(tmp_path).found.values()) == 2


@pytest.mark.parametrize("value", [TEXT, NUMBER, float(NUMBER), json.dumps({"a": "x" * 5_000 + TEXT}), b"\0" * 4_090 + TEXT.encode()])
def test_a_number_in_a_database_is_found_however_the_page_cuts_it(tmp_path: Path, value: object) -> None:
    with closing(sqlite3.connect(tmp_path / "events.db")) as database, database:
        database.execute('CREATE TABLE "an ""event""" (id INTEGER PRIMARY KEY, body)')
        database.executemany('INSERT INTO "an ""event""" (body) VALUES (?)', [(f"filler {n}",) for n in range(200)] + [(value,)])
    assert found(tmp_path).found


def test_a_row_that_was_deleted_is_found_while_its_bytes_are_there(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "events.db")) as database, database:
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("CREATE TABLE event (body)")
        database.execute("INSERT INTO event VALUES (?)", (TEXT,))
    with closing(sqlite3.connect(tmp_path / "events.db")) as database, database:
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("DELETE FROM event")
    assert found(tmp_path).found


@pytest.mark.parametrize("content", [f"1{TEXT}", f"{TEXT}0", "4010232138", "943 47 65919", "9434765919"[::-1]])
def test_other_numbers_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "text.txt").write_text(content)
    assert not found(tmp_path).found


@given(
    st.integers(0, 200),
    st.lists(st.integers(1, 40), max_size=12),
    st.sampled_from(["9434765919", "943 476 5919"]),
    st.sampled_from(["utf-8", "utf-16-be"]),
)
def test_a_number_that_is_cut_between_two_pieces_counts_once(before: int, cuts: list[int], text: str, coding: str) -> None:
    content, pieces = ("x" * before + text + "y" * (MARGIN * 2)).encode(coding), []
    for size in cuts:
        pieces.append(content[:size])
        content = content[size:]
    assert KNOWN.in_pieces([*pieces, content]) == 1


def test_the_names_of_files_count_and_are_not_told(tmp_path: Path) -> None:
    (tmp_path / f"letter to {TEXT}.txt").write_text("")
    made = found(tmp_path)
    assert sum(made.found.values()) == 1 and TEXT not in repr(made)


def test_links_are_not_followed_and_nothing_is_looked_through_twice(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "private.txt").write_text(TEXT)
    (inside / "file").symlink_to(outside / "private.txt")
    (inside / "folder").symlink_to(outside)
    assert not found(inside).found
    assert scan([outside, outside, tmp_path], nothing, KNOWN).files == 1


def test_what_cannot_be_opened_is_told_and_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cut.zip").write_bytes(zipped(b"a" * 1000)[:60])
    (tmp_path / "cut.parquet").write_bytes(parquet(pa.array([1]))[:40])
    (tmp_path / "locked.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    (tmp_path / "text.txt").write_text("sound")
    assert {Path(name).name for name in found(tmp_path).closed} == {"cut.zip", "cut.parquet", "locked.xlsx"}
    monkeypatch.setattr(scan_contents, "MOST_UNPACKED", 1 << 20)
    bomb = tmp_path / "bomb"
    bomb.mkdir()
    (bomb / "bomb.zip").write_bytes(zipped(bytes(8 << 20)))
    assert list(found(bomb).closed.values()) == [scan_contents.TOO_MUCH]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings whose folders lie in a folder of their own, with a vault that knows the number."""
    names = ("landing", "store", "quarantine", "products", "vault", "spill", "models")
    (tmp_path / "site.toml").write_text("[folders]\n" + "\n".join(f'{name} = "{tmp_path / "var" / name}"' for name in names))
    monkeypatch.setenv("FULLER_SITE", str(tmp_path / "site.toml"))
    part = tmp_path / "var" / "vault" / "identity" / "parts" / "A81001" / "x.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(pa.table({"person_id": ["abcdefghijkl", "abcdefghijkm"], "nhs_number": [TEXT, None]}), part)
    return tmp_path / "var"


ALLOWED = (
    *("landing/list.csv", "quarantine/a.parquet", "vault/key", "store/lists/continuity/list.xlsx"),
    "releases/2026-10-01_x/direct_care/list.csv",
)
FORBIDDEN = (
    *("store/core/person/part.parquet", "releases/2026-10-01_x/open/page.html", "spill/x", "models/m/card.html"),
    *("store/direct_care/x", "logs/1"),
)


def scanned(*options: str) -> tuple[int, str]:
    from fuller_popheath.errors import FullerError

    ended = CliRunner().invoke(app, ["scan", *options])
    code = ended.exception.exit_code if isinstance(ended.exception, FullerError) else ended.exit_code
    return code, ended.output + str(ended.exception or "")


def test_the_command_passes_over_where_numbers_may_stand_and_no_other_place(site: Path) -> None:
    for name in ALLOWED:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(TEXT)
    assert scanned()[0] == 0
    for name in FORBIDDEN:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(TEXT)
        code, said = scanned("--also", str(site / "logs")) if name.startswith("logs") else scanned()
        assert code == ContractBroken.exit_code and name.rpartition("/")[2] in said and TEXT not in said
        (site / name).unlink()


def test_the_command_says_what_it_could_not_open(site: Path) -> None:
    (site / "store").mkdir()
    (site / "store" / "cut.zip").write_bytes(b"PK\x03\x04")
    code, said = scanned()
    assert code == FileRefused.exit_code and "cut.zip" in said


def test_the_folder_of_the_services_is_looked_through_too(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = site / "services"
    home.mkdir()
    (home / "event.log").write_text(TEXT)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert scanned()[0] == ContractBroken.exit_code


def test_an_empty_vault_is_no_clean_bill(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="nothing to look for"):
        known_numbers(tmp_path)
