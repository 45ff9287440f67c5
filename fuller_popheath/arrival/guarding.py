"""What nobody foresaw about one extract refuses that extract, and not the night: every other practice's goes on.

What does not belong here: faults that are foreseen; they are told where they are found, in words that say what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fuller_popheath.errors import FileRefused, FullerError, code_location
from fuller_popheath.specs import ContractId


@contextmanager
def refusing(name: str, contract: ContractId) -> Iterator[None]:
    """Turn a defect while the extract of this name is taken in into FileRefused, with its type and place and none of its text.

    Deliberate errors pass, and so do OSError and MemoryError: a full disk or a machine that is too small is no file's fault.
    """
    try:
        yield
    except (FullerError, OSError, MemoryError):
        raise
    except Exception as wrong:  # its own text may quote a row
        raise FileRefused(
            f"{name}: taking it in as {contract} failed with {type(wrong).__name__} at {code_location(wrong)}, so none of it is used; "
            "report it with its columns and their types"
        ) from None
