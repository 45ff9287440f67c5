"""The errors this library raises on purpose. Their texts are safe to show anywhere: they carry names, counts and rules, never a value of a row."""

from __future__ import annotations

import traceback
from pathlib import Path

_OUR_CODE = Path(__file__).resolve().parents[1]
_OUR_PACKAGES = ("fuller_popheath", "pipelines")


class FullerError(Exception):
    """Base of every deliberate refusal; `exit_code` is what the command line returns for it."""

    exit_code = 1


class SettingsWrong(FullerError):
    """A setting, option or declaration cannot be used as written."""

    exit_code = 2


class FileRefused(FullerError):
    """A file cannot be read, or is not what it was given as."""

    exit_code = 3


class ContractBroken(FullerError):
    """A table breaks its contract, so it is neither stored nor published."""

    exit_code = 4


class InputMissing(FullerError):
    """Something that a table is made from has not arrived."""

    exit_code = 5


class NothingArrived(InputMissing):
    """None of the published files that a table is made from has arrived: `missing`, their contract ids, any one of which would do.

    `gives`: what they would give, to complete "without it there is no ...". A night with practice lists goes on without such a table.
    """

    def __init__(self, text: str, missing: tuple[str, ...], gives: str) -> None:
        super().__init__(text)
        self.missing, self.gives = missing, gives


def code_location(error: BaseException, leave_out: str = "") -> str:
    """`file:line` of the innermost frame in our packages, relative to the project; `leave_out` is a file of ours that only passes errors on."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(path.relative_to(_OUR_CODE).as_posix(), line) for path, line in frames if path.is_relative_to(_OUR_CODE)]
    inside = [f"{path}:{line}" for path, line in ours if path.startswith(_OUR_PACKAGES) and path != leave_out]
    return inside[-1] if inside else "a place outside this project"


def without_values(error: BaseException, leave_out: str = "") -> str:
    """What may be said of an error that is not one of ours: its type and its place, not its text, which may hold a row's value."""
    return (
        f"{type(error).__name__} at {code_location(error, leave_out)}. Its text is withheld because it may hold values of rows: "
        "run that code by hand on the same input to see it"
    )
