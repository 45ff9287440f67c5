"""A load that is killed at any point leaves whole files only, and the next run gives what an undisturbed one gives. Run by `make test-faults`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fuller_popheath.arrival.extract_store import ExtractStore

pytestmark = pytest.mark.faults

KILLS, PRACTICES, ROWS = 30, 6, 4_000
TABLES = {"practice_list": ("core/registration",), "clinical_event": ("core/event", "core/measurement")}
LOAD = """
import sys
from datetime import date
from pathlib import Path
from fuller_popheath.arrival.door import take_extracts
from fuller_popheath.arrival.extract_store import ExtractStore
from fuller_popheath.arrival.files import survey
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.site import Site
landing, folder, day = Path(sys.argv[1]), Path(sys.argv[2]), date.fromisoformat(sys.argv[3])
print("ready", flush=True)
for table in ("practice_list", "clinical_event"):
    take_extracts(f"inbound/{table}", survey(landing), day, Site(), ExtractStore(folder / "store", "landing"), folder / "vault",
                  folder / "quarantine", None, {}, PseudonymKey(b"a key of the tests, long enough"))
print("done", flush=True)
"""
EVENTS = "extract_date,practice_code,patient_id,nhs_number,record_id,event_date,recorded_date,code_system,code,value,unit,is_confidential"
LISTS = (
    "extract_date,practice_code,nhs_number,date_of_birth,sex,ethnic_category,lsoa_code,registration_start_date,registration_end_date,"
    "usual_gp_code,death_date"
)


def _number(at: int) -> str:
    while True:
        nine = f"999{at:06d}"
        check = 11 - sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return f"{nine}{check % 11}"
        at += 500_000


def _land(folder: Path, day: str, rows: int) -> None:
    folder.mkdir(exist_ok=True)
    for practice in (f"P8100{at}" for at in range(PRACTICES)):
        people = [f"{day},{practice},{_number(at)},1950-05-12,female,A,E01012345,2001-01-01,,," for at in range(200)]
        events = [
            f"{day},{practice},p{at % 200},{_number(at % 200)},r{at},2025-03-{at % 28 + 1:02d},,synthetic,z.asthma.{at % 3},{'7' if at % 3 else ''},,"
            for at in range(rows)
        ]
        (folder / f"{practice}_list.csv").write_text("\n".join([LISTS, *people, f"{day},{practice},,never,female,,,2001-01-01,,,"]) + "\n")
        (folder / f"{practice}_events.csv").write_text("\n".join([EVENTS, *events, f"{day},{practice},short"]) + "\n")


def _run(landing: Path, folder: Path, day: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", LOAD, str(landing), str(folder), day]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def _complete(landing: Path, folder: Path, day: str) -> float:
    process = _run(landing, folder, day)
    assert process.stdout is not None
    process.stdout.readline()
    began = time.monotonic()
    _, complaints = process.communicate(timeout=300)
    assert process.returncode == 0, complaints
    return time.monotonic() - began


def _everything(folder: Path, day: date) -> dict[str, list[dict[str, object]]]:
    store = ExtractStore(folder / "store", "landing")
    rows = {core: store.read(core, day).to_pylist() for cores in TABLES.values() for core in cores}
    accounts = {table: store.account(f"inbound/{table}", day).drop_columns(["state"]).to_pylist() for table in TABLES}
    return {**rows, **accounts}


def _assert_whole(folder: Path) -> None:
    for path in (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".tmp")):
        if path.suffix == ".parquet":
            pq.ParquetFile(path).read()
        else:
            json.loads(path.read_text())
    for manifest in folder.rglob("parts.json"):
        root = folder / ("vault" if "vault" in manifest.parts else "store")
        for part in json.loads(manifest.read_text())["parts"]:
            assert (root / (part if isinstance(part, str) else part["path"])).is_file()


def test_a_load_that_is_killed_leaves_nothing_half_written_and_the_next_one_completes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    _land(first, "2026-08-01", ROWS)
    _land(second, "2026-08-02", ROWS + 100)
    undisturbed = tmp_path / "undisturbed"
    _complete(first, undisturbed, "2026-08-01")
    takes = _complete(second, undisturbed, "2026-08-02")
    expected = {day: _everything(undisturbed, date.fromisoformat(day)) for day in ("2026-08-01", "2026-08-02")}
    chance = np.random.default_rng(20260801)
    stopped = 0
    for number in range(KILLS):
        folder = tmp_path / f"run{number}"
        _complete(first, folder, "2026-08-01")
        process = _run(second, folder, "2026-08-02")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(float(chance.uniform(0, takes)))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            stopped += 1
        process.communicate()
        _assert_whole(folder)
        assert _everything(folder, date(2026, 8, 1)) == expected["2026-08-01"]
        _complete(second, folder, "2026-08-02")
        assert _everything(folder, date(2026, 8, 2)) == expected["2026-08-02"]
        assert not list(folder.rglob("*.tmp"))
    assert stopped >= KILLS // 2
