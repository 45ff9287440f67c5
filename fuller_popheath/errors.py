"""The errors this library raises on purpose. Their texts are safe to show anywhere: they carry names, counts and rules, never a value of a row."""


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
