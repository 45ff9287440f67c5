"""The status page and what is beside it: the verdict in one sentence, what failed and what to do, what steps took; costs; the terminal; lineage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import dagster as dg
import pytest

from fuller_popheath.night_records import Coverage, RunRecord, Step, Trouble, keep, newest
from fuller_popheath.publish.status_page import STEPS_SHOWN, status_lines, status_page, took, verdict
from fuller_popheath.site_nights import BUDGETS, Nights
from pipelines.definitions import defs
from tests.pipelines.conftest import ROOT, Place

NOW = datetime(2026, 10, 25, 7, 0, tzinfo=UTC)
ENDED = datetime(2026, 10, 25, 2, 9, tzinfo=UTC)
NIGHT = RunRecord(
    run_id="0a1b2c3d-0000-4000-8000-000000000000",
    job="nightly",
    status="success",
    started=ENDED - timedelta(minutes=9),
    ended=ENDED,
    as_of=date(2026, 10, 24),
    steps=(
        Step("core/person", "people", 12.4, cpu_seconds=11.0, peak_megabytes=512.3, rows=1_818_958),
        Step("features/measurements", "features", 190.0),
        Step("features/contacts", "features", 30.0),
    ),
    coverage=Coverage(
        1_818_958, 41, 192, 190, {"inbound/practice_list": {"never": 1, "new": 150, "stale": 1, "unchanged": 40}}, {"inbound/practice_list": 9}
    ),
    release="2026-10-24_0a1b2c3d",
    release_as_of=date(2026, 10, 24),
)
BROKEN = replace(
    NIGHT,
    status="failure",
    troubles=(Trouble("core/person", True, "core/person: 3 rows break the rule <key>", "ContractBroken"), Trouble("x · y", False, "a warning")),
    not_made=("core/segment",),
    release="2026-10-23_ff",
    release_as_of=date(2026, 10, 23),
)


@pytest.mark.parametrize(
    ("records", "state", "words"),
    [
        ((), "none", "no night yet"),
        ((NIGHT,), "stands", "The night of 24 October 2026 stands. People find the release of 24 October 2026."),
        ((BROKEN, NIGHT), "failed", "did not come to its end. People find the release of 23 October 2026; nothing of it was changed."),
        ((replace(NIGHT, release="", release_as_of=None, status="failure"),), "failed", "Nothing has been released yet"),
        ((replace(NIGHT, release_as_of=date(2026, 10, 23)),), "doubtful", "people find the release of 23 October 2026"),
        ((replace(NIGHT, troubles=(Trouble("a", True, "b"),)),), "doubtful", "was released, but 1 thing is wrong"),
        ((replace(NIGHT, job="team_lists", status="failure"), NIGHT), "stands", "stands"),
    ],
)
def test_the_verdict_is_one_sentence(records: tuple[RunRecord, ...], state: str, words: str) -> None:
    said = verdict(records, Nights(), NOW)
    assert said.state == state and words in said.sentence


def test_a_night_that_did_not_come_is_no_night_that_stands() -> None:
    assert verdict((NIGHT,), Nights(), ENDED + timedelta(hours=25, minutes=59)).state == "stands"
    late = verdict((NIGHT,), Nights(), ENDED + timedelta(hours=26))
    assert late.state == "failed" and "No night for 26 hours" in late.sentence
    assert verdict((NIGHT,), Nights(overdue_hours=80), ENDED + timedelta(hours=79)).state == "stands"


class Text(HTMLParser):
    """The words of a page, and whether anything is loaded from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href") and not (value or "").startswith("#")]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def test_the_page_says_who_is_covered_what_failed_and_what_steps_took() -> None:
    page = Text(status_page((BROKEN, NIGHT), Nights(), NOW))
    for words in (
        "190 of 192 that should send one",
        "People 1,818,958",
        "practice list 190 1 1 0 9",
        "core/person: 3 rows break the rule <key>",
        "What to do: Nothing of it was stored or released.",
        "Not made, because something before it failed: core/segment",
        "features 3 min 40 s over budget 2 min 10 s",
        "core/person people 12 s 11 s 512 MB 1,818,958",
        "2026-10-23_ff",
        # It ended at 02:09 GMT, an hour after the clocks went back; it is made at 07:00.
        "it ended on 25 October 2026, 02:09",
    ):
        assert words in page.text, words
    assert page.loads == [] and "script" not in page.tags


def test_the_same_records_give_the_same_page() -> None:
    assert status_page((BROKEN, NIGHT), Nights(), NOW) == status_page((BROKEN, NIGHT), Nights(), NOW)
    assert "None has run yet" in Text(status_page((), Nights(), NOW)).text


def test_long_nights_stay_short_on_the_page() -> None:
    many = replace(NIGHT, steps=tuple(Step(f"t/{number}", "people", float(number)) for number in range(90)))
    page = Text(status_page((many,) * 40, Nights(), NOW)).text
    assert page.count("t/") == STEPS_SHOWN and page.count("nightly") == 5


def test_a_terminal_is_told_the_same() -> None:
    told = "\n".join(status_lines((BROKEN, NIGHT), Nights(), NOW))
    for words in (
        "FAILED: The last night",
        "190 of 192 practices",
        "practice list 9 days",
        "slow features: 3 min 40 s, budget 2 min 10 s",
        "what to do:",
        "warning x · y",
    ):
        assert words in told
    assert status_lines((), Nights(), NOW) == ["NONE: There has been no night yet. Start one: fuller refresh."]


@pytest.mark.parametrize(("seconds", "told"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (60, "1 min 0 s"), (754.9, "12 min 34 s")])
def test_times_are_told_for_people(seconds: float, told: str) -> None:
    assert took(seconds) == told


def test_budgets_that_are_not_named_keep_their_default_and_every_group_has_one() -> None:
    assert Nights(budget_seconds={"risk": 7}).budget_seconds == {**BUDGETS, "risk": 7}
    with pytest.raises(ValueError, match="more than 0"):
        Nights(budget_seconds={"risk": 0})
    graph = defs().get_repository_def().asset_graph
    nightly = defs().get_repository_def().get_job("nightly").asset_layer.executable_asset_keys
    assert {graph.get(key).group_name for key in nightly} <= set(BUDGETS)


def test_costs_stand_beside_every_table_and_are_what_was_used(instance: dg.DagsterInstance) -> None:
    from pipelines.guard import guarded

    @dg.asset
    @guarded
    def costly() -> Iterator[dg.MaterializeResult[None]]:
        held = bytearray(120_000_000)
        until = time.process_time() + 0.3
        while time.process_time() < until:
            held[0] ^= 1
        del held
        yield dg.MaterializeResult(metadata={"dagster/row_count": 3})

    @dg.asset(deps=[costly])
    @guarded
    def cheap() -> Iterator[dg.MaterializeResult[None]]:
        yield dg.MaterializeResult()

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    ended = dg.materialize([costly, cheap], instance=instance, run_config=quiet)
    numbers = {
        event.asset_key.path[0]: {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}  # type: ignore[union-attr]
        for event in ended.get_asset_materialization_events()
    }
    assert numbers["costly"]["CPU seconds"] >= 0.29 and numbers["costly"]["seconds"] >= 0.29 and numbers["costly"]["dagster/row_count"] == 3
    assert numbers["costly"]["memory rise MB"] > 100 and numbers["cheap"]["memory rise MB"] < 60
    assert numbers["cheap"]["peak memory MB"] < numbers["costly"]["peak memory MB"], "each step has a peak of its own"


def test_a_run_that_takes_too_long_is_interrupted_then_killed() -> None:
    code = """
import sys, time
from pipelines.time_limit import at_most
with at_most(0.5, grace=1.0):
    try:
        time.sleep(30)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    if sys.argv[1] == "deaf":
        time.sleep(30)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(how: str) -> subprocess.CompletedProcess[str]:
        def hears_interrupts() -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)

        command = [sys.executable, "-c", code, how]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=25, preexec_fn=hears_interrupts)

    assert (run("hears").returncode, run("hears").stdout) == (0, "interrupted\n")
    deaf = run("deaf")
    assert (deaf.returncode, deaf.stdout) == (1, "interrupted\n")


def test_fuller_status_ends_with_0_only_where_the_night_stands(place: Place) -> None:
    def ask() -> tuple[int, str]:
        command = [sys.executable, "-m", "fuller_popheath.cli", "status"]
        found = subprocess.run(command, cwd=ROOT, env={**os.environ, **place.environment}, capture_output=True, text=True, check=False)
        assert found.stderr == ""
        return found.returncode, found.stdout

    code, told = ask()
    assert code == 1 and told.startswith("NONE")
    now = datetime.now(UTC)
    keep(place.folder / "var" / "status", replace(NIGHT, started=now - timedelta(minutes=9), ended=now))
    code, told = ask()
    assert code == 0 and told.startswith("STANDS")
    assert "stands" in (place.folder / "var" / "status" / "index.html").read_text(encoding="utf-8")


JOB_EVENT = {
    # What OpenLineage 2-0-2 asks of a JobEvent (spec/OpenLineage.json, $defs BaseEvent, JobEvent, Job, Dataset, BaseFacet).
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "job"],
    "not": {"required": ["run"]},
    "properties": {
        "eventTime": {"type": "string", "format": "date-time"},
        "producer": {"type": "string", "pattern": "^[a-z]+:"},
        "schemaURL": {"const": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent"},
        "job": {"$ref": "#/$defs/named"},
        "inputs": {"type": "array", "items": {"$ref": "#/$defs/named"}},
        "outputs": {"type": "array", "items": {"$ref": "#/$defs/named"}},
    },
    "$defs": {
        "named": {
            "type": "object",
            "required": ["namespace", "name"],
            "properties": {
                "namespace": {"type": "string", "minLength": 1},
                "name": {"type": "string", "minLength": 1},
                "facets": {"type": "object", "additionalProperties": {"type": "object", "required": ["_producer", "_schemaURL"]}},
            },
        }
    },
}


def test_lineage_is_openlineage_and_says_what_the_graph_says(tmp_path: Path) -> None:
    import jsonschema

    from pipelines.lineage import main

    assert main(["--out", str(tmp_path / "lineage.jsonl")]) == 0
    events = [json.loads(line) for line in (tmp_path / "lineage.jsonl").read_text(encoding="utf-8").splitlines()]
    check = jsonschema.Draft202012Validator(JOB_EVENT)
    assert [error.message for event in events for error in check.iter_errors(event)] == []
    graph = defs().resolve_asset_graph()
    told = {event["job"]["name"]: {each["name"] for each in event["inputs"] if each["namespace"] == "fuller"} for event in events}
    assert told == {key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys} for key in graph.get_all_asset_keys()}
    product = next(event for event in events if event["job"]["name"] == "products/core20_by_pcn")
    (output,) = product["outputs"]
    assert {"pcn_code", "core20_percent"} <= {column["name"] for column in output["facets"]["schema"]["fields"]}
    fields = output["facets"]["columnLineage"]["fields"]
    assert [each["name"] for each in fields["pcn_code"]["inputFields"]] == ["core/neighbourhood_practice"] and "core20_percent" not in fields
    listed = next(event for event in events if event["job"]["name"] == "core/registration")
    assert {each["name"] for each in listed["inputs"] if each["namespace"] == "fuller/inbound"} == {"inbound/practice_list"}


def test_newest_first(tmp_path: Path) -> None:
    for number in range(3):
        keep(tmp_path, replace(NIGHT, run_id=f"{number}" * 8, ended=ENDED + timedelta(days=number)))
    assert [record.run_id[0] for record in newest(tmp_path, 2)] == ["2", "1"]
