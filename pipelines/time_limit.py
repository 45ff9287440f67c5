"""A run that a terminal started ends when it has taken too long: it is interrupted, and killed where it does not listen.

Runs that the page or a schedule started are watched by Dagster's own daemon (`dagster/max_runtime`). What does not belong here: how long.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

GRACE_SECONDS = 120.0
KILLED = 1
TAG = "dagster/max_runtime"


@contextmanager
def at_most(seconds: float, grace: float = GRACE_SECONDS) -> Iterator[None]:
    """Interrupt this process, as Ctrl-C would, after so many seconds; end it at once after `grace` more: native code does not hear the first.

    The run is then marked as failed by the next one that takes the store's lock (`launch.fail_what_was_killed`).
    """
    timers = (
        threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT)),
        threading.Timer(seconds + grace, lambda: os._exit(KILLED)),
    )
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
