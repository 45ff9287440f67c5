"""Which accepted rows are not taken in: those that their system calls confidential, and those with a sensitive code; never an objection.

What does not belong here: which codes are sensitive (code lists and the site say).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

REASONS = ("", "confidential", "sensitive_code", "forgotten")
"""Why a row is withheld, by the number that `withheld_because` gives it; 0: it is not."""

Codes = Collection[tuple[str, str]]
"""Pairs of code_system and code."""


def withheld_because(accepted: pa.Table, sensitive: Codes | None, objections: Codes) -> np.ndarray:
    """Of each row of an inbound table the place in REASONS. `sensitive`: None where the site withholds nothing; `objections` are never withheld."""
    reason = np.zeros(accepted.num_rows, np.int8)
    if sensitive is None:
        return reason
    is_coded = "code_system" in accepted.column_names
    if is_coded and sensitive:
        reason[_rows_with(accepted, sensitive)] = REASONS.index("sensitive_code")
    if "is_confidential" in accepted.column_names:
        reason[accepted["is_confidential"].fill_null(False).to_numpy()] = REASONS.index("confidential")
    if is_coded and objections and reason.any():
        reason[_rows_with(accepted, objections)] = 0
    return reason


def _rows_with(accepted: pa.Table, codes: Codes) -> np.ndarray:
    """The positions of the rows with one of these codes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    written = pc.utf8_trim_whitespace(accepted["code"].cast(pa.string()))
    at = np.flatnonzero(pc.is_in(written, value_set=pa.array(sorted({code for _, code in codes}))).to_numpy())
    if not len(at):
        return at
    pairs = zip(accepted["code_system"].take(pa.array(at)).to_pylist(), written.take(pa.array(at)).to_pylist(), strict=True)
    return at[[pair in codes for pair in pairs]]
