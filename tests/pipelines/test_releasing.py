"""What a night made and differs too much is held back, let through with a reason, and gone back to without whoever may not be listed any more."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fuller_popheath.people.audit_log import AuditLog
from fuller_popheath.publish.release import INTERNAL, Part, release
from fuller_popheath.publish.release_limits import Figures
from fuller_popheath.publish.release_manifest import Statement, place_of, verify
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.publish.rolling_back import FIGURES
from tests.pipelines.conftest import AS_OF, Place

LIST, CANDIDATE, PERSON = "products/cohort_list", "core/list_candidate", "core/person"


def run(place: Place, module: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **place.environment, "COLUMNS": "400"}
    return subprocess.run([sys.executable, "-m", module, *words], env=environment, capture_output=True, text=True, check=False)


def yesterdays(place: Place) -> Path:
    """A release of the day before, of twice the people."""
    told = Figures(published={"QE1": {"U1": {"A1": 900_000}}}, lists={}, practices=(1, 1), rows={})
    part = Part(INTERNAL, FIGURES, lambda path: path.write_text(told.as_text(), encoding="utf-8"))
    said = Statement(AS_OF - timedelta(days=1), "before", place=place_of("", place.landing))
    return release(place.products, place.folder / "var" / "releases", said, [part], signing_key(place.folder / "var" / "vault")).folder


def stored(place: Place, name: str) -> Path:
    return Path(place.store / name / f"as_of={AS_OF}" / "part.parquet")


def change(path: Path, table: pa.Table) -> None:
    pq.write_table(table.replace_schema_metadata(pq.read_schema(path).metadata), path)


def becomes_known(place: Place, objecting: str, reviewed: str, gone: str) -> None:
    """What the store would hold of the last night, had it been known then."""
    rows = pq.read_table(stored(place, CANDIDATE), partitioning=None)
    people, verdicts = rows["person_id"].to_pylist(), rows["verdict"].to_pylist()
    told = {objecting: "type_1_objection", reviewed: "review"}
    verdicts = [told.get(person, verdict) for person, verdict in zip(people, verdicts, strict=True)]
    column = rows.schema.field("verdict")
    change(stored(place, CANDIDATE), rows.set_column(rows.column_names.index("verdict"), column, pa.array(verdicts, pa.string()).cast(column.type)))
    there = pq.read_table(stored(place, PERSON), partitioning=None)
    change(stored(place, PERSON), there.filter(pa.array([person != gone for person in there["person_id"].to_pylist()])))


def listed(place: Place) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(place.products / "direct_care" / "cohort_list.parquet", partitioning=None).to_pylist()
    return {row["person_id"]: row for row in rows if row["state"] == "listed"}


def references(place: Place) -> set[str]:
    """The row references in every practice's and team's CSV of the current release."""
    found: set[str] = set()
    for path in (place.products / "direct_care").glob("*_*_*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found |= {row["row_reference"] for row in csv.DictReader(file) if "row_reference" in row}
    return found


def test_held_back_let_through_and_gone_back_to(after_a_night: Place) -> None:
    place = after_a_night
    before = yesterdays(place)
    held = run(place, "pipelines.releasing", "release")
    assert held.returncode == 4, held.stdout + held.stderr
    said = " ".join(held.stdout.split())
    assert "ICB QE1 is gone, with 900,000 registered people" in said and "Yesterday's release stays" in said
    assert place.products.resolve() == before

    assert run(place, "pipelines.releasing", "release", "--accept-changes").returncode == 2
    through = run(place, "pipelines.releasing", "release", "--accept-changes", "--because", "another ICB from today on")
    assert through.returncode == 0, through.stdout + through.stderr
    current = place.products.resolve()
    manifest = json.loads((current / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["kind"], manifest["accepted"], len(manifest["changes"])) == ("by hand", "another ICB from today on", 1)
    assert manifest["contracts"].keys() >= {LIST, "products/core20_by_pcn"} and len(manifest["code"]["sources"]) == 12

    was = listed(place)
    objecting, reviewed, gone, *_ = was
    assert {row["row_reference"] for row in was.values()} <= references(place)
    becomes_known(place, objecting, reviewed, gone)
    entries = AuditLog(place.folder / "var" / "vault").head().number
    back = run(place, "pipelines.releasing", "rollback", "--to", current.name, "--because", "the test says so")
    assert back.returncode == 0, back.stdout + back.stderr
    rolled = place.products.resolve()
    told = json.loads((rolled / "manifest.json").read_text(encoding="utf-8"))
    assert (told["kind"], told["rolled_back_to"], told["because"]) == ("rollback", current.name, "the test says so")
    assert listed(place).keys() == was.keys() - {objecting, reviewed, gone}
    off = {was[person]["row_reference"] for person in (objecting, reviewed, gone)}
    assert off.isdisjoint(references(place)) and references(place) == {row["row_reference"] for row in listed(place).values()}
    assert AuditLog(place.folder / "var" / "vault").head().number > entries, "who is told again stands in the audit log"
    assert (rolled / "open" / "core20_by_pcn.csv").samefile(current / "open" / "core20_by_pcn.csv")
    assert verify(rolled, signing_key(place.folder / "var" / "vault").public).is_good
    assert set(listed(place)) == {
        row["person_id"] for row in pq.read_table(stored(place, LIST), partitioning=None).to_pylist() if row["state"] == "listed"
    }, "the next night goes on from the lists that were gone back to"

    shown = run(place, "fuller_popheath.cli", "releases").stdout
    assert shown.count(" yes ") == 3 and "the test says so" in shown and "another ICB from today on" in shown
    (current / "open" / "core20_by_pcn.csv").unlink()
    (current / "open" / "core20_by_pcn.csv").write_text("forged", encoding="utf-8")
    assert run(place, "fuller_popheath.cli", "releases", "verify").returncode == 3
    refused = run(place, "pipelines.releasing", "rollback", "--to", current.name, "--because", "again")
    assert refused.returncode == 3 and "open/core20_by_pcn.csv was changed" in " ".join(refused.stdout.split())
    stored(place, CANDIDATE).unlink()
    half = run(place, "pipelines.releasing", "rollback", "--to", rolled.name, "--because", "again")
    assert half.returncode == 5 and f"did not get as far as {CANDIDATE}" in " ".join(half.stdout.split())
    assert place.products.resolve() == rolled
