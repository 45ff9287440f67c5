"""The rules against a person's number in a column that is kept: what holds an NHS number, and long numbers that are no SNOMED CT codes.

Said twice: for single values in Python, where each distinct value is judged once, and for the engine. What does not belong here: the rules' names
and arguments (`custom_rules`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, reduce
from operator import or_
from typing import Any

TEN_DIGITS = r"(?:^|[^0-9])([0-9](?:[ -]?[0-9]){9})(?:$|[^0-9])"
"""A run of ten digits, written in groups or not, that is no part of a longer one."""
AFTER_TEN_DIGITS = r"^.*?(?:^|[^0-9])[0-9](?:[ -]?[0-9]){9}([^0-9].*)$"
RUNS = 3
"""How many such runs of a cell are looked at: no column that is held to this has room for more."""
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


def no_nhs_number(values: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """For the engine: where a text holds an NHS number; with `snomed` 1, one that has no check digit of SNOMED CT."""
    text = values[arguments["column"]]
    return _holds(text) & ~_is_snomed(text) if arguments["snomed"] else _holds(text)


def no_nhs_number_as_code(values: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """For the engine: where a code holds an NHS number, unless its system is SNOMED CT or dm+d and its check digit is theirs."""
    text, system = values[arguments["column"]], values[arguments["system"]]
    return _holds(text) & ~(_is_snomed(text) & system.isin(OF_SNOMED).fill_null(False))


def long_number_is_snomed(values: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """For the engine: where a number as long as a SNOMED CT identifier is said to be a code of another system."""
    return values[arguments["column"]].re_search(LONG_NUMBER) & ~values[arguments["system"]].isin(OF_SNOMED)


def _holds(text: Any) -> Any:
    found, rest = [], text
    for _ in range(RUNS):
        number = rest.re_extract(TEN_DIGITS, 1).replace(" ", "").replace("-", "").nullif("").try_cast("int64")
        weighted = reduce(lambda total, place: total + (number // 10**place) % 10 * (place + 1), range(1, 10), number % 10)
        found.append(((weighted % 11 == 0) & (number % 1_111_111_111 != 0)).fill_null(False))
        rest = rest.re_extract(AFTER_TEN_DIGITS, 1)
    return reduce(or_, found) & ~text.re_search(GUID).fill_null(False)


def _is_snomed(text: Any) -> Any:
    import ibis

    number = ibis.ifelse(text.re_search("^[0-9]{10}$"), text, None).try_cast("int64")
    check: Any = ibis.literal(0, "int64")
    for position in range(10):
        digit = (number // 10**position) % 10
        check = ibis.literal(_step(position)).substr((10 * check + digit).cast("int64"), 1).cast("int64")
    return (check == 0).fill_null(False)
