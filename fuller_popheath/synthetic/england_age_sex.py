"""How old and of which sex registered people are: England's shares, shipped as a small table of facts with its source beside every row."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources

import numpy as np

OLDEST_AGE = 104
"""The open band 95+ is spread over 95 to 104: nobody in the make-believe place is older, so every date of birth stays after 1 January 1900."""


@dataclass(frozen=True)
class AgeSexShares:
    """One row a sex and five-year band: sex as the lists write it, first and last age in completed years, share of all registered people."""

    sexes: np.ndarray
    first_ages: np.ndarray
    last_ages: np.ndarray
    shares: np.ndarray


def england_shares() -> AgeSexShares:
    """People registered with a GP in England on 1 August 2026 by sex and five-year age band, as shares of 1 (source: the file's last column)."""
    text = resources.files("fuller_popheath.synthetic").joinpath("england_age_sex_2026.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    first = [int(row["age_band"].rstrip("+").split("-")[0]) for row in rows]
    last = [OLDEST_AGE if row["age_band"].endswith("+") else int(row["age_band"].split("-")[1]) for row in rows]
    patients = np.array([float(row["patients"]) for row in rows])
    return AgeSexShares(np.array([row["sex"].lower() for row in rows]), np.array(first), np.array(last), patients / patients.sum())
