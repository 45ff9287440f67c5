"""The morning's script sees each law broken: one night, copied, and broken in one way after another. Run by `make test-nights`."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.nights.thirty import Nights

pytestmark = pytest.mark.nights


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the place and the diary after one sound night, on which no law is broken."""
    folder = tmp_path_factory.mktemp("one_night") / "nights"
    (first,) = Nights(folder).run(1)
    assert not first.broken, (first.broken, first.line)
    return folder


def morning(folder: Path) -> str:
    """What the script says is broken."""
    script = Path(__file__).with_name("morning.py")
    (as_of,) = (path.name for path in (folder / "diary").iterdir() if path.is_dir())
    command = [sys.executable, str(script), str(folder / "place" / "var"), str(folder / "diary"), as_of]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    return "; ".join(json.loads(ended.stdout)["broken"])


def a_number(folder: Path) -> str:
    return (folder / "diary" / "numbers.txt").read_text().split()[0]


def products(folder: Path) -> Path:
    return (folder / "place" / "var" / "products").resolve()


def a_list(folder: Path) -> Path:
    return next(path for path in sorted(products(folder).glob("direct_care/*_Y9*.csv")) if len(path.read_text().splitlines()) > 1)


def tampered(folder: Path) -> None:
    with (products(folder) / "open" / "core20_by_pcn.csv").open("a") as file:
        file.write("\n")


def added(folder: Path) -> None:
    (products(folder) / "open" / "more.csv").write_text("a\n1\n")


def resigned(folder: Path) -> None:
    path = products(folder) / "manifest.json"
    path.write_bytes(path.read_bytes() + b" ")


def readable(folder: Path) -> None:
    a_list(folder).chmod(0o644)


def half(folder: Path) -> None:
    (folder / "place" / "var" / "store" / "core" / "part.parquet.tmp").write_bytes(b"PAR1")


def cut(folder: Path) -> None:
    path = next((folder / "place" / "var" / "store" / "core" / "person").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-100])


def leaked(folder: Path) -> None:
    (folder / "place" / "var" / "store" / "note.txt").write_text(f"about {a_number(folder)}")


def leaked_in_parquet(folder: Path) -> None:
    pq.write_table(pa.table({"note": [a_number(folder)]}), folder / "place" / "var" / "store" / "note.parquet", compression="zstd")


def somebody(folder: Path) -> tuple[str, Path]:
    """Somebody on a list, and the practice's own list in the diary."""
    path = a_list(folder)
    with path.open(encoding="utf-8-sig", newline="") as file:
        number = next(csv.DictReader(file))["nhs_number"].replace(" ", "")
    return number, next(path for path in (folder / "diary").rglob("told/*.csv") if number in path.read_text())


def dead(folder: Path) -> None:
    number, told = somebody(folder)
    lines = [line.split(",") for line in told.read_text().splitlines()]
    at = lines[0].index("death_date")
    told.write_text("\n".join(",".join([*row[:at], "2026-08-02", *row[at + 1 :]] if number in row else row) for row in lines))


def gone(folder: Path) -> None:
    number, told = somebody(folder)
    told.write_text("\n".join(line for line in told.read_text().splitlines() if number not in line))


def objecting(folder: Path) -> None:
    number, _ = somebody(folder)
    path = next((folder / "diary").rglob("night.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"off": [{"number": number, "since": "2026-01-01", "why": "objects"}]}))


def uncounted(folder: Path) -> None:
    path = next((folder / "place" / "var" / "store" / "core" / "practice_extract").rglob("*.parquet"))
    table = pq.read_table(path, partitioning=None)
    at = table.column_names.index("rows_accepted")
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array([1] * table.num_rows, table.schema.field(at).type)), path)


def back(folder: Path) -> None:
    path = folder / "diary" / "state.json"
    state = json.loads(path.read_text())
    state["rows"] = [[*row[:3], "removed", row[4]] for row in state["rows"]]
    path.write_text(json.dumps(state))


def came_on(folder: Path) -> None:
    path = folder / "diary" / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | {"rows": state["rows"][1:]}))


BREAKS: dict[Callable[[Path], None], str] = {
    tampered: "core20_by_pcn.csv is not the file of the manifest",
    added: "1 files are missing or more",
    resigned: "the manifest is not as it was signed",
    readable: "has mode 644",
    half: "something was left half done",
    cut: "a .parquet file cannot be read",
    leaked: "1 NHS numbers in a .txt",
    leaked_in_parquet: "1 NHS numbers in a .parquet",
    dead: "somebody who has died",
    gone: "somebody who is not registered there",
    objecting: "somebody who objects",
    uncounted: "rows read, 1 accepted",
    back: "somebody who was taken off is back",
    came_on: "somebody came on between two issues",
}


@pytest.mark.parametrize("breaks", list(BREAKS), ids=lambda breaks: breaks.__name__)
def test_the_script_sees_a_broken_law(night: Path, tmp_path: Path, breaks: Callable[[Path], None]) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(night, folder, symlinks=True)
    breaks(folder)
    assert BREAKS[breaks] in morning(folder)
