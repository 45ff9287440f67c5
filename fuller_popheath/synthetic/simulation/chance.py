"""Chance that belongs to a person: the same seed, person and purpose give the same number in whichever practice and process it is asked for.

A person who changed practice stands in two lists, and practices are made in parallel; their hidden traits and conditions must agree all the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _mixed(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every bit of the result depends on every bit given."""
    values = values + _GOLDEN
    values ^= values >> np.uint64(30)
    values *= _FIRST
    values ^= values >> np.uint64(27)
    values *= _SECOND
    values ^= values >> np.uint64(31)
    return values


@dataclass(frozen=True)
class Luck:
    """Chance for each of some persons; `keys` has one number a person, which follows from the seed and the person alone."""

    keys: np.ndarray

    @classmethod
    def of(cls, seed: int, persons: np.ndarray) -> Luck:
        """Luck of the persons with these numbers (int64) in the place of this seed."""
        salt = _mixed(np.array([seed], dtype=np.uint64))
        return cls(_mixed(persons.astype(np.uint64) ^ salt))

    def uniform(self, purpose: str, step: int = 0) -> np.ndarray:
        """One number in [0, 1) a person for a purpose and step."""
        word = np.array([(zlib.crc32(purpose.encode()) << 32) | step], dtype=np.uint64)
        return (_mixed(self.keys ^ _mixed(word)) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def normal(self, purpose: str, step: int = 0) -> np.ndarray:
        """One standard normal number a person for a purpose and step."""
        from scipy.special import ndtri

        return ndtri(self.uniform(purpose, step) * (1 - 2e-12) + 1e-12)
