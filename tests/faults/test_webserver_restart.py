"""The page is killed and started again in the middle of a night that it started: the night goes on, and its products are as if nothing had been.

Processes as deploy/ starts them: the code has one of its own, so runs do not die with the page. Run by `make test-faults`.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import TODAY, Home
from tests.security.conftest import answered, free_port, running, unit_command, wait_for, wait_for_socket
from tests.security.test_door_of_the_page import LAUNCH, SELECTOR, posted

pytestmark = pytest.mark.faults

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 400
STATE = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status stats { ... on RunStatsSnapshot { stepsSucceeded } } } } }"


def ask(port: int, query: str, **variables: Any) -> dict[str, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    answer = answered(connection, "POST", "/graphql", posted(query, variables), {"Content-Type": "application/json"})
    assert answer.status == 200, answer.body
    told: dict[str, Any] = json.loads(answer.body)["data"]
    return told


def run_of(port: int, run: str) -> tuple[str, int]:
    """How a run stands, and how many of its steps have ended well."""
    told = ask(port, STATE, run=run)["runOrError"]
    return told["status"], told["stats"]["stepsSucceeded"]


def wait_until(port: int, run: str, status: str, steps: int) -> None:
    until = time.monotonic() + PATIENCE
    while (told := run_of(port, run))[0] != status or told[1] < steps:
        assert told[0] not in ("FAILURE", "CANCELED") and time.monotonic() < until, told
        time.sleep(0.5)


def test_a_page_that_is_killed_in_the_middle_of_its_night(home: Home, undisturbed: Mapping[str, str], tmp_path: Path) -> None:
    home.as_it_was()
    port, folder = free_port(), home.place.folder
    code, workspace = folder / "code.sock", tmp_path / "workspace.yaml"
    workspace.write_text((ROOT / "deploy" / "workspace.yaml").read_text().replace("/run/fuller/code.sock", str(code)), encoding="utf-8")
    moved = {"/opt/fuller/.venv": str(ROOT / ".venv")}
    read = {**moved, "/etc/fuller/workspace.yaml": str(workspace)}
    page = unit_command("fuller-webserver.service", {**read, "3333": str(port)})
    environment = {**os.environ, **home.place.environment, "DAGSTER_REDACT_USER_CODE_ERRORS": "1", "PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        served = stack.enter_context(
            running(unit_command("fuller-code.service", {**moved, "/run/fuller/code.sock": str(code)}), environment, tmp_path / "code.log")
        )
        wait_for_socket(served, code, tmp_path / "code.log")
        stack.enter_context(running(unit_command("fuller-daemon.service", read), environment, tmp_path / "daemon.log"))
        with running(page, environment, tmp_path / "page.log") as first:
            wait_for(first, port, "/server_info", tmp_path / "page.log")
            night = {"resources": {"night": {"config": {"as_of": TODAY.isoformat(), "landing": "", "edition": "both", "icb": ""}}}}
            asked = {"selector": {**SELECTOR, "jobName": "nightly"}, "runConfigData": night, "mode": "default"}
            launched = ask(port, LAUNCH, p=asked)["launchRun"]
            assert launched["__typename"] == "LaunchRunSuccess", launched
            run = launched["run"]["runId"]
            wait_until(port, run, "STARTED", steps=5)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        with running(page, environment, tmp_path / "page_again.log") as second:
            wait_for(second, port, "/server_info", tmp_path / "page_again.log")
            wait_until(port, run, "SUCCESS", steps=5)
    code.unlink(missing_ok=True)
    assert home.assert_whole() == TODAY and home.released() == undisturbed
    home.run()
    assert home.assert_whole() == TODAY and home.released() == undisturbed
    assert home.unfinished() == []
