"""Workbooks that open with a password: unlocked in memory with one of the passwords that are known, so that what comes back encrypted can be read.

What does not belong here: where passwords are kept, and locking a workbook (`publish/workbook_password.py`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.archives import ASK_AGAIN

LOCKED = b"\xd0\xcf\x11\xe0"
"""How an encrypted workbook begins, and an old .xls too."""
MOST_ROUNDS = 1_000_000
"""Excel makes a key in 100,000 rounds; a file that asks for many more would keep the night waiting at each password."""


def cannot_be_opened(name: str) -> FileRefused:
    """The refusal of a workbook for which no password is known."""
    return FileRefused(f"{name}: is an old .xls or a password-protected workbook; save it as .xlsx without a password")


def unlocked(content: bytes, name: str, passwords: Mapping[str, str]) -> tuple[bytes, str]:
    """The workbook within, and the password that opened it.

    `passwords` by whose they are (`U12345`, `U12345/A81001`): those of whoever is named in the file's name are tried first. Each try takes a third of
    a second. Raises FileRefused where none opens it, or it is damaged, or no encrypted workbook.
    """
    import msoffcrypto
    from msoffcrypto.exceptions import InvalidKeyError

    if any(int(rounds) > MOST_ROUNDS for rounds in re.findall(rb'spinCount="(\d{1,20})"', content)):
        raise FileRefused(f"{name}: is encrypted in a way that Excel does not use; save it as .xlsx without a password")
    try:
        file = msoffcrypto.OfficeFile(io.BytesIO(content))
        if getattr(file, "format", "") != "ooxml":
            raise cannot_be_opened(name)
        for password in dict.fromkeys(sorted(passwords.values(), key=lambda each: not _is_named(each, name, passwords))):
            try:
                file.load_key(password=password, verify_password=True)
                opened = io.BytesIO()
                file.decrypt(opened, verify_integrity=True)
            except InvalidKeyError:
                continue
            return opened.getvalue(), password
    except FileRefused:
        raise
    except Exception:  # of a damaged file the library raises whatever comes first, and its text may hold bytes of the file
        raise FileRefused(f"{name}: the encrypted workbook is damaged; {ASK_AGAIN}") from None
    raise FileRefused(
        f"{name}: is a password-protected workbook, and none of the {len(passwords)} passwords that are known opens it; return it with the password "
        "that it was sent with, or without one"
    )


def _is_named(password: str, name: str, passwords: Mapping[str, str]) -> bool:
    return any(part in name.upper() for whose, known in passwords.items() if known == password for part in whose.upper().split("/") if part)
