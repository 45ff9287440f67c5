"""After a whole night with a key of its own: no NHS number, no key and no pickle anywhere but where they may be, on the disk and on the page."""

from __future__ import annotations

import io
import json
import os
import pickletools
import stat
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from fuller_popheath.known_numbers import Known, known_numbers
from fuller_popheath.scan_command import scan_site
from fuller_popheath.scanning import Scanned
from fuller_popheath.site import load_site
from tests.pipelines.conftest import SOUND_KEY as KEY
from tests.pipelines.conftest import Place, SoundNight, copy_place, is_private
from tests.security.conftest import answered, free_port, running, wait_for

PICKLED = (".pkl", ".pickle", ".joblib", ".dill", ".p")
EVENTS = """query($run: ID!, $after: String) { logsForRun(runId: $run, afterCursor: $after, limit: 1000) { __typename ... on EventConnection {
  cursor hasMore events { __typename
  ... on MessageEvent { message stepKey level }
  ... on ErrorEvent { error { message stack className cause { message stack } errorChain { error { message stack } } } }
  ... on ExecutionStepFailureEvent { failureMetadata { label description metadataEntries { ...shown } } }
  ... on MaterializationEvent { label description metadataEntries { ...shown } tags { key value } }
  ... on AssetCheckEvaluationEvent { evaluation { description metadataEntries { ...shown } } } } } } }
fragment shown on MetadataEntry { label description ... on TextMetadataEntry { text } ... on MarkdownMetadataEntry { mdStr }
  ... on JsonMetadataEntry { jsonString } ... on PathMetadataEntry { path }
  ... on IntMetadataEntry { intRepr } ... on FloatMetadataEntry { floatValue }
  ... on TableMetadataEntry { table { records } } }"""
RUNS = """{ runsOrError { ... on Runs { results { runId status jobName runConfigYaml tags { key value } } } } }"""


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, sound_night: SoundNight) -> Iterator[Place]:
    """A copy of the place in which one night has run."""
    ended = sound_night.ended
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-2000:]
    assert KEY not in ended.stdout + ended.stderr
    place = copy_place(sound_night.kept, tmp_path_factory.mktemp("night") / "place")
    before = dict(os.environ)
    os.environ.update(place.environment)
    try:
        yield place
    finally:
        os.environ.clear()
        os.environ.update(before)


def scanned(place: Place) -> Scanned:
    environment = {**os.environ, **place.environment}
    os.environ["FULLER_SITE"] = environment["FULLER_SITE"]
    return scan_site(load_site(), (), environment)


def test_no_number_stands_where_none_may(night: Place) -> None:
    made = scanned(night)
    assert made.files > 200 and made.bytes > 5_000_000
    assert made.found == {} and made.closed == {}
    assert len(known_numbers(night.folder / "var" / "vault").numbers) > 2_000


def test_the_key_is_nowhere(night: Place) -> None:
    held = [path for path in (night.folder / "var").rglob("*") if path.is_file() and not path.is_symlink() and KEY.encode() in path.read_bytes()]
    assert held == []


def test_one_that_was_planted_in_an_event_is_found_on_the_disk_and_on_the_page(night: Place) -> None:
    """The same searches that find nothing find one number among all the events of the night."""
    known = known_numbers(night.folder / "var" / "vault")
    with webserver(night) as port:
        clean = list(answers(port))
        assert len(clean) > 2 and sum(map(len, clean)) > 200_000
        assert sum(known.in_bytes(answer) for answer in clean) == 0 and not any(KEY.encode() in answer for answer in clean)
        planted = Known(known.numbers[1000:1001])
        with dg.DagsterInstance.from_config(str(night.folder)) as instance:
            run = instance.get_runs(limit=1)[0]
            number = str(planted.numbers[0])
            instance.report_engine_event(f"could not read {number[:3]} {number[3:6]} {number[6:]}", run)
        assert sum(planted.in_bytes(answer) for answer in answers(port)) >= 1
    made = scanned(night)
    assert made.found and all("dagster/storage" in name for name in made.found)


def webserver(place: Place) -> Any:
    """The page of the place, without code: it shows what was kept."""
    from contextlib import contextmanager

    @contextmanager
    def started() -> Iterator[int]:
        port, workspace = free_port(), place.folder / "workspace.yaml"
        workspace.write_text("load_from: []\n", encoding="utf-8")
        program = Path(sys.executable).with_name("dagster-webserver")
        command = [str(program), "--host", "127.0.0.1", "--port", str(port), "--read-only", "--workspace", str(workspace)]
        log = place.folder / "webserver.log"
        with running(command, {**os.environ, **place.environment}, log) as process:
            wait_for(process, port, "/server_info", log)
            yield port

    return started()


def ask(port: int, query: str, **variables: Any) -> bytes:
    from http.client import HTTPConnection

    body = json.dumps({"query": query, "variables": variables}).encode()
    answer = answered(HTTPConnection("127.0.0.1", port, timeout=120), "POST", "/graphql", body, {"Content-Type": "application/json"})
    assert answer.status == 200, answer.body[:500]
    assert b'"errors"' not in answer.body[:200], answer.body[:500]
    return answer.body


def answers(port: int) -> Iterator[bytes]:
    """What the page can be asked about the runs: each run, and every event of it with all that hangs on it."""
    runs = ask(port, RUNS)
    yield runs
    for run in json.loads(runs)["data"]["runsOrError"]["results"]:
        cursor, has_more = None, True
        while has_more:
            events = ask(port, EVENTS, run=run["runId"], after=cursor)
            yield events
            told = json.loads(events)["data"]["logsForRun"]
            cursor, has_more = told["cursor"], told["hasMore"]


def is_pickle(content: bytes) -> bool:
    if not (content[:1] == b"\x80" and content[1:2] in b"\x02\x03\x04\x05"):
        return False
    try:
        return any(operation.name == "STOP" for operation, _, _ in pickletools.genops(content))
    except Exception:  # whatever it is, it is none
        return False


def pickles(path: Path, name: str, content: bytes) -> Iterator[str]:
    """Every pickle in a file, also in an archive, and an array of objects, which NumPy stores as one."""
    if is_pickle(content) or name.endswith(PICKLED) or (content[:6] == b"\x93NUMPY" and b"'|O'" in content[:200]):
        yield f"{path.name}: {name}"
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from pickles(path, member, archive.read(member))


def test_nothing_that_is_kept_is_a_pickle(night: Place) -> None:
    files = [path for path in (night.folder / "var").rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 200
    assert [found for path in files for found in pickles(path, path.name, path.read_bytes())] == []


def test_the_search_for_pickles_finds_one(tmp_path: Path) -> None:
    import pickle

    import numpy as np

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a", pickle.dumps({"a": 1}))
        array = io.BytesIO()
        np.save(array, np.array([{}], dtype=object), allow_pickle=True)
        archive.writestr("b.npy", array.getvalue())
    for content in (pickle.dumps([1], protocol=2), pickle.dumps([1], protocol=5)):
        assert list(pickles(tmp_path, "x", content))
    assert len(list(pickles(tmp_path, "x.skops", made.getvalue()))) == 2


def test_what_is_for_direct_care_and_what_people_sent_is_the_owners_alone(night: Place) -> None:
    var = night.folder / "var"
    private = [path for path in var.rglob("*") if is_private(path.relative_to(var)) and path.relative_to(var).parts[0] != "landing"]
    files = [path for path in private if path.is_file() and not path.is_symlink()]
    assert len(files) > 10
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in files} == {0}
    assert stat.S_IMODE((var / "vault").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (var / "releases").glob("*/direct_care")} == {0o700}
