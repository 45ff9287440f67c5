"""NHS numbers that belong to nobody: valid by Modulus 11, and beginning with 99.

Numbers are issued from 300 000 000 to 499 999 999 and 600 000 000 to 799 999 999 (first nine digits; England, Wales, the Isle of Man and, within the
first, Northern Ireland); below 311 300 000 lie Scotland's CHI numbers, and 8 is kept for the Republic of Ireland; nothing that begins with 9 was ever
issued, and 999 is guaranteed never to be (Wikipedia, "NHS number", with its sources; documentation of the packages nhs-number for Rust and Python).
"""

from __future__ import annotations

import numpy as np

from fuller_popheath.errors import SettingsWrong

TEST_NUMBER_COUNT = 909_090
"""Valid numbers 999dddddd + check digit: of 1,000,000 beginnings 90,909 have no check digit, and 9999999999 repeats one digit (tested)."""

UNISSUED_NUMBER_COUNT = 9_090_908
"""Valid numbers that begin with 99, but for 9999999999 (tested)."""

REPEATED_DIGITS = 9_999_999_999


def check_digits(nine_digits: np.ndarray) -> np.ndarray:
    """The Modulus 11 check digit of each nine-digit beginning (int64), 10 where there is none and the beginning must not be used.

    Rule: NHS Data Dictionary, weights 10 to 2, 11 minus the remainder of 11, where 11 is written 0.
    """
    total = np.zeros(nine_digits.shape, dtype=np.int64)
    rest = nine_digits.astype(np.int64)
    for weight in range(2, 11):
        total += weight * (rest % 10)
        rest = rest // 10
    return (11 - total % 11) % 11


def every_test_number(prefix: int = 999) -> np.ndarray:
    """All valid NHS numbers that begin with these three digits, ascending (int64, ten digits each, so no leading zero can be lost)."""
    beginnings = prefix * 1_000_000 + np.arange(1_000_000, dtype=np.int64)
    digits = check_digits(beginnings)
    numbers = (beginnings * 10 + digits)[digits < 10]
    return numbers[numbers != REPEATED_DIGITS]


def draw_test_numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """`count` different NHS numbers that nobody has, in random order (int64): all from 999 while they last, then from 998, 997 ... 990 too.

    Raises SettingsWrong where there are fewer.
    """
    if count > UNISSUED_NUMBER_COUNT:
        raise SettingsWrong(f"{count:,} NHS numbers were asked for and {UNISSUED_NUMBER_COUNT:,} begin with 99; make the place smaller")
    prefixes = range(999, 999 - min(10, max(1, -(-count // TEST_NUMBER_COUNT))), -1)
    return rng.permutation(np.concatenate([every_test_number(prefix) for prefix in prefixes]))[:count]
