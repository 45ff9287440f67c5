"""Wraps every step so that an error never carries data into the event log, the compute logs or the Python logs.

An ordinary pandas or pyarrow error holds the offending value in its text, and Dagster stores the text with the whole chain of causes.
What leaves a guarded function is a `dagster.Failure` with no cause: the text of a FullerError (which is safe by its own rule), or the type
of any other error and the line of our code that it came from. What does not belong here: knowing what a step does.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import dagster as dg

from fuller_popheath.errors import FullerError, code_location, without_values
from pipelines.costs import costed

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

REDACT_VARIABLE = "DAGSTER_REDACT_USER_CODE_ERRORS"
REDACTED_ERRORS_LOGGER = "dagster.redacted_errors"
THIS_FILE = "pipelines/guard.py"
_END = object()


def redact_whatever_is_not_guarded() -> None:
    """The second line behind the guard, for errors that Dagster meets outside our functions: it masks them, and the full text it hands to a
    logger (which would end in the captured stderr that the page shows) goes nowhere."""
    os.environ[REDACT_VARIABLE] = "1"
    silent = logging.getLogger(REDACTED_ERRORS_LOGGER)
    silent.propagate = False
    if not silent.handlers:
        silent.addHandler(logging.NullHandler())


def guarded(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Wrap a step, a check or a store method. Raises dagster.Failure with no cause and no value of any row, whatever was raised inside."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def each(*args: Given.args, **kwargs: Given.kwargs) -> Iterator[Any]:
            items = costed(iter(_safely(lambda: function(*args, **kwargs))))
            while (item := _safely(lambda: next(items, _END))) is not _END:
                yield item

        return each  # type: ignore[return-value]

    @functools.wraps(function)
    def once(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
        return _safely(lambda: function(*args, **kwargs))

    return once


def _safely(call: Callable[[], Returned]) -> Returned:
    """Run one call; a warning that a library prints is dropped, because its text can hold a value and stderr is kept."""
    try:
        with warnings.catch_warnings(record=True):
            return call()
    except dg.Failure as refused:
        raise refused from None
    except Exception as raised:
        failure = as_failure(raised)
    raise failure from None


def as_failure(raised: Exception) -> dg.Failure:
    """The Failure that may be stored in place of an error: it names the kind of error and, unless it is one of ours, the line it came from."""
    kind = type(raised).__name__
    if isinstance(raised, FullerError):
        return dg.Failure(description=str(raised), metadata={"error": kind}, allow_retries=False)
    text = without_values(raised, leave_out=THIS_FILE)
    at = {"error": kind, "at": code_location(raised, leave_out=THIS_FILE)}
    # Only reading can go better the second time, and only steps that read files are declared with retries.
    return dg.Failure(description=text, metadata=at, allow_retries=isinstance(raised, OSError))
