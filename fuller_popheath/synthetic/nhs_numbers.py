"""NHS numbers that belong to nobody: valid by Modulus 11, and all in the range that begins with 999, which is kept for testing."""

from __future__ import annotations

import numpy as np

from fuller_popheath.errors import SettingsWrong

TEST_NUMBER_COUNT = 909_090
"""Valid numbers 999dddddd + check digit: of 1,000,000 beginnings 90,909 have no check digit, and 9999999999 repeats one digit (tested)."""

FIRST_NINE_DIGITS = 999_000_000
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


def every_test_number() -> np.ndarray:
    """All valid NHS numbers of the test range, ascending (int64, ten digits each, so no leading zero can be lost)."""
    beginnings = FIRST_NINE_DIGITS + np.arange(1_000_000, dtype=np.int64)
    digits = check_digits(beginnings)
    numbers = (beginnings * 10 + digits)[digits < 10]
    return numbers[numbers != REPEATED_DIGITS]


def draw_test_numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """`count` different NHS numbers of the test range in random order (int64). Raises SettingsWrong where the range holds fewer."""
    if count > TEST_NUMBER_COUNT:
        raise SettingsWrong(f"{count:,} NHS numbers were asked for and the 999 test range holds {TEST_NUMBER_COUNT:,}; make the place smaller")
    return rng.permutation(every_test_number())[:count]
