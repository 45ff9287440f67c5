"""A Parquet file of the store that the disk has damaged: it is found, nothing is made of it, and the next night has it whole again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import FileRefused
from fuller_popheath.sound_parquet import is_sound, removing_damaged, write_sound
from pipelines.stores import Store, prove
from tests.arrival.conftest import Landing, Night

CORES = {"practice_list": ("core/registration",), "clinical_event": ("core/event", "core/measurement")}
PEOPLE, EVENTS = 60, 400


def flipped(content: bytes) -> bytes:
    """One bit of a compressed page, which most readers take for another value."""
    at = 60
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
    "zeroed": lambda content: bytes(len(content)),
    "no footer": lambda content: content[:-6] + b"\0" * 6,
    "a bit": flipped,
}


def land(landing: Landing) -> None:
    for at, practice in enumerate(("P81001", "P81002")):
        landing.practice_list(practice, people=PEOPLE, start=at * 1000)
        landing.events(practice, rows=EVENTS)


def a_night(night: Night, day: str) -> dict[str, list[dict[str, object]]]:
    told: dict[str, list[dict[str, object]]] = {}
    for table, cores in CORES.items():
        taken = night.take(day, table)
        refuse_if_broken(taken.account, load_contract("core/practice_extract"))
        told[table] = [{name: cell for name, cell in row.items() if name != "state"} for row in taken.account.to_pylist()]
        told |= {core: night.store.read(core, date.fromisoformat(day)).to_pylist() for core in cores}
    return told


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_part_is_found_and_its_extract_read_again(tmp_path: Path, damage: str) -> None:
    landing = Landing(tmp_path / "landing")
    land(landing)
    undisturbed, night = Night(landing.folder, tmp_path / "undisturbed"), Night(landing.folder, tmp_path / "night")
    a_night(undisturbed, "2026-08-01")
    a_night(night, "2026-08-01")
    parts = sorted(night.folder.glob("store/core/*/parts/P81001/*.parquet")) + sorted(night.folder.glob("vault/identity/parts/P81001/*.parquet"))
    assert len(parts) == 4
    for path in parts:
        path.write_bytes(DAMAGE[damage](path.read_bytes()))
        assert not is_sound(path)
    assert a_night(night, "2026-08-02") == a_night(undisturbed, "2026-08-02")
    assert all(is_sound(path) for path in parts), "under the same names, so that the day before is whole too"
    assert night.store.read("core/event", date(2026, 8, 1)).equals(undisturbed.store.read("core/event", date(2026, 8, 1)))


def test_what_is_damaged_and_was_not_sent_again_is_told_of_and_the_others_go_on(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "landing")
    land(landing)
    night = Night(landing.folder, tmp_path)
    night.take()
    (landing.folder / "practice_lists" / "P81001.csv").unlink()
    (part,) = night.folder.glob("store/core/registration/parts/P81001/*.parquet")
    part.write_bytes(flipped(part.read_bytes()))
    taken = night.take("2026-08-02")
    assert night.states(taken) == {"P81001": "never", "P81002": "unchanged"}
    assert night.row(taken, "P81001")["reason"] == (
        "the extract of 2026-08-01 is neither whole in the store nor in the landing folder; ask for it again"
    )
    assert night.store.read("core/registration", date(2026, 8, 2)).num_rows == PEOPLE
    landing.practice_list("P81001", people=PEOPLE)
    assert night.states(night.take("2026-08-03")) == {"P81001": "new", "P81002": "unchanged"}


DAYS = (date(2026, 8, 1), date(2026, 8, 2))
COUNTS = load_contract("core/registered_count")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two days of one table."""
    made = Store(tmp_path / "store", tmp_path / "products")
    for day in DAYS:
        codes = [(f"Y9{at:04d}", f"E01{at:06d}") for at in range(200)]
        told = {"as_of": day, "practice_name": "A PRACTICE", "registered_count": 10, "registrations_extract": day}
        rows = pa.Table.from_pylist([{**told, "practice_code": code, "lsoa_code": area} for code, area in codes], schema=COUNTS.schema)
        made.write(prove(rows, COUNTS), day, tmp_path)
    return made


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_snapshot_is_refused_once_and_the_day_before_is_the_last_one(store: Store, damage: str) -> None:
    path = store.path(COUNTS.id, DAYS[1])
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(FileRefused, match="core/registered_count of 2026-08-02 is damaged on the disk and was removed; run the night again"):
        store.read(COUNTS.id, DAYS[1])
    assert store.days(COUNTS.id) == DAYS[:1]
    assert store.read(COUNTS.id, DAYS[0]).num_rows == 200


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_snapshot_does_not_stand_in_for_a_file_that_did_not_come(store: Store, tmp_path: Path, damage: str) -> None:
    path = store.path(COUNTS.id, DAYS[1])
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    found = store.last_good(COUNTS.id, date(2026, 8, 3), tmp_path)
    assert found is not None and found[0] == DAYS[0]


def test_a_column_that_is_not_there_is_no_damage(store: Store) -> None:
    path = store.path(COUNTS.id, DAYS[0])
    assert is_sound(path)
    with pytest.raises(pa.ArrowInvalid), removing_damaged(path, "a table"):
        raise pa.ArrowInvalid("something else")
    with pytest.raises(OSError, match="disk") as raised, removing_damaged(path, "a table"):
        raise OSError(5, "the disk does not answer")
    assert raised.value.errno == 5 and path.is_file()


def test_every_flipped_bit_of_a_page_is_seen(tmp_path: Path) -> None:
    import numpy as np

    chance, path = np.random.default_rng(5), tmp_path / "a.parquet"
    write_sound(pa.table({"number": chance.normal(size=4_000), "word": [f"w{at % 50}" for at in range(4_000)]}), path)
    content = path.read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    pages = [chunk for at in range(2) for chunk in [pq.read_metadata(path).row_group(0).column(at)]]
    assert footer > sum(chunk.total_compressed_size for chunk in pages) * 0.9
    missed = 0
    for at in chance.integers(4, footer, 120).tolist():
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << int(chance.integers(0, 8)))]) + content[at + 1 :])
        missed += is_sound(path)
    # What is not a page's content is its header: a bit there may tell of nothing that is read.
    assert missed <= 2
