"""Whole nights that are killed at a random moment: yesterday's release stands or today's is whole, and the next night is as if nothing had been.

Run by `make test-faults`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

import dagster as dg
import numpy as np
import pytest

from tests.faults.conftest import TODAY, YESTERDAY, Home

pytestmark = pytest.mark.faults

KILLS = 10


@pytest.fixture(scope="module")
def takes(home: Home, undisturbed: Mapping[str, str]) -> float:
    """How long a night takes, in seconds."""
    home.as_it_was()
    began = time.monotonic()
    home.run()
    assert home.released() == undisturbed, "two nights on the same files make the same files"
    return time.monotonic() - began


@pytest.mark.parametrize("number", range(KILLS))
def test_a_night_that_is_killed_leaves_yesterdays_or_is_whole(home: Home, undisturbed: Mapping[str, str], takes: float, number: int) -> None:
    home.as_it_was()
    before = home.released()
    # Of each tenth of a night one moment; nothing happens before Python has started.
    moment = (number + float(np.random.default_rng(number).uniform())) / KILLS
    process = home.start()
    time.sleep(2 + moment * (takes - 2))
    was_running = process.poll() is None
    if was_running:
        os.killpg(process.pid, signal.SIGKILL)
    said, complaints = process.communicate()
    assert was_running or process.returncode == 0, said + complaints
    day = home.assert_whole()
    assert home.released() == (before if day == YESTERDAY else undisturbed)
    home.run()
    assert home.assert_whole() == TODAY
    assert home.released() == undisturbed
    assert home.unfinished() == []
    with dg.DagsterInstance.from_config(str(home.place.folder)) as instance:
        told = [run.status for run in instance.get_runs(limit=2)]
    assert told[0] == dg.DagsterRunStatus.SUCCESS
    assert all(status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE) for status in told), "no run lives that was killed"
