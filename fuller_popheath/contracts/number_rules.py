"""The rules against a person's number in a column that is kept: what holds an NHS number, and long numbers that are no SNOMED CT codes.

Each distinct value is judged once, in Python. What does not belong here: the rules' names
and arguments (`custom_rules`).
"""

from __future__ import annotations

import re
from functools import cache, reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fuller_popheath.contracts.model import Rule

NUMBER_KINDS = ("no_nhs_number", "no_nhs_number_as_code", "long_number_is_snomed")

TEN_DIGITS = r"(?:^|[^0-9])([0-9](?:[ -]?[0-9]){9})(?:$|[^0-9])"
"""A run of ten digits, written in groups or not, that is no part of a longer one."""
RUNS = 4
"""How many such runs of a cell are looked at, one after the other."""
GUID = r"^[{]?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}[}]?$"
"""What systems make their keys of: chance puts ten digits in a row there, so nothing in one is taken for a number of a person."""
LONG_NUMBER = r"^[0-9]{9,}$"
"""Only SNOMED CT and dm+d have codes of nine digits and more; the other systems' numbers are shorter, or begin with a letter."""
OF_SNOMED = ("snomed", "dmd")
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def holds_nhs_number(text: str) -> bool:
    """Whether one of the first runs of ten digits in a text passes as an NHS number: Modulus 11, digits not all the same (NHS Data Dictionary)."""
    if re.search(GUID, text, re.ASCII):
        return False
    for _ in range(RUNS):
        found = re.search(TEN_DIGITS, text, re.ASCII)
        if found is None:
            return False
        digits = [int(digit) for digit in found[1] if digit not in " -"]
        if sum(digit * weight for digit, weight in zip(digits, range(10, 0, -1), strict=True)) % 11 == 0 and len(set(digits)) > 1:
            return True
        text = text[found.end(1) :]
    return False


def is_snomed_number(text: str) -> bool:
    """Whether a text is ten digits of which the last is the check digit of a SNOMED CT identifier (Verhoeff, dihedral group of order ten).

    Source: SNOMED CT Release File Specification, "Check-digit computation". Nine in ten NHS numbers fail it.
    """
    if not re.search("^[0-9]{10}$", text, re.ASCII):
        return False
    return reduce(lambda check, each: int(_step(each[0])[10 * check + int(each[1])]), enumerate(reversed(text)), 0) == 0


@cache
def _step(position: int) -> str:
    """What becomes of a running check digit c when digit d stands at this position from the right: character 10 c + d."""
    made = []
    for check in range(10):
        for digit in range(10):
            permuted = digit
            for _ in range(position % 8):
                permuted = _PERMUTATION[permuted]
            # The product in the dihedral group of order ten: 0-4 are rotations, 5-9 reflections.
            turned = check % 5 + (permuted if check < 5 else -permuted) % 5
            made.append(str(turned % 5 + (5 if (check < 5) != (permuted < 5) else 0)))
    return "".join(made)


def broken_positions(typed: pa.Table, rule: Rule) -> np.ndarray:
    """The rows of a typed table, by `_position`, that break one of these rules; a value that is missing breaks none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = pc.dictionary_encode(typed[rule.arguments["column"]].cast(pa.string())).combine_chunks()
    coded = coded if isinstance(coded, pa.Array) else pa.concat_arrays(coded.chunks)
    held, excused = judged(coded.dictionary, rule.kind)
    if "system" in rule.arguments:
        system = typed[rule.arguments["system"]].cast(pa.string())
        of_snomed = pc.is_in(system, value_set=pa.array(OF_SNOMED)).to_numpy()
        of_snomed |= pc.is_null(system).to_numpy() & (rule.kind == "long_number_is_snomed")
    else:
        of_snomed = np.full(typed.num_rows, bool(rule.arguments["snomed"]))
    at = coded.indices.fill_null(len(held)).to_numpy(zero_copy_only=False)
    broken = np.append(held, False)[at] & ~(np.append(excused, False)[at] & of_snomed)
    return np.asarray(typed["_position"].to_numpy()[broken])


def judged(values: pa.Array, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Of each distinct text whether it is against a rule, and whether it is excused where it is a code of SNOMED CT or dm+d."""
    import numpy as np
    import pyarrow.compute as pc

    pattern = LONG_NUMBER if kind == "long_number_is_snomed" else TEN_DIGITS
    held = np.array(pc.match_substring_regex(values, pattern).fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)
    excused = held.copy()
    for at in np.flatnonzero(held) if pattern == TEN_DIGITS else ():  # few distinct values hold ten digits in a row
        held[at] = holds_nhs_number(values[at].as_py())
        excused[at] = held[at] and is_snomed_number(values[at].as_py())
    return held, excused
