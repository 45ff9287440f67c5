"""What a long step is at, for whoever watches: Dagster's log, and the terminal where the run was started from one.

What does not belong here: results, and anything about a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Say = Callable[[str], None]
_LISTENERS: list[Say] = []
"""Runs started from a terminal are executed in its own process, so that this list is all it takes."""


def saying(context: Any) -> Say:
    """A function that tells a sentence to the log of a step, and to the terminal."""

    def say(text: str) -> None:
        context.log.info(text)
        for listener in _LISTENERS:
            listener(text)

    return say


@contextmanager
def heard_by(listener: Say) -> Iterator[None]:
    """Have a listener told too, as long as this lasts."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)
