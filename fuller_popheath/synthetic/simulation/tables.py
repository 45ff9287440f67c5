"""The small tables that the simulation is steered by, shipped as CSV files with a comment that says where each row comes from.

`conditions.csv`: how common each condition is, on whom it depends, what it does. `fitted.csv`: constants that `calibrating` found.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np


@dataclass(frozen=True)
class Condition:
    """A long-term condition or frailty deficit.

    `percent` of people aged `counted_from_age` and over have it. On the log-odds scale its prevalence rises by `ramp_per_year` between the two ramp
    ages and by the other figures for being female, deprived (from the least to the most deprived area), Asian, Black, and frailer by one standard
    deviation. `turnover_per_year`: share resolved each year. `needs`: only people with that condition get it. `emergency` and `death` are log hazard
    ratios, `contacts_per_year` extra appointments. `links`: (position, log hazard ratio) of the conditions that raise it.
    """

    cluster: str
    register: str
    percent: float
    counted_from_age: float
    ramp_from_age: float
    ramp_to_age: float
    ramp_per_year: float
    female: float
    deprivation: float
    asian: float
    black: float
    frailty: float
    turnover_per_year: float
    needs: int | None
    emergency: float
    death: float
    contacts_per_year: float
    icd10: str
    intercept: float
    links: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Medicine:
    """A drug cluster: for whom it is repeated (condition or group -> share of them), and how often it is issued once only to anybody (a year)."""

    cluster: str
    given_for: tuple[tuple[str, float], ...]
    acute_per_year: float


@dataclass(frozen=True)
class Diagnosis:
    """A primary diagnosis of a spell: its weight among children, adults and people over 65, raised by `factor` for people with `condition`."""

    icd10: str
    weights: tuple[float, float, float]
    condition: str
    factor: float


@dataclass(frozen=True)
class EmergencyCell:
    """Emergency admissions a person-year among people of an age band in one IMD quintile (1: most deprived)."""

    first_age: int
    last_age: int
    quintile: int
    rate: float


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of one of the CSV files beside this module."""
    text = resources.files("fuller_popheath.synthetic.simulation").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def fitted() -> dict[tuple[str, str], float]:
    """Fitted constants by kind and name; empty where none have been fitted."""
    return {(row["kind"], row["name"]): float(row["value"]) for row in rows_of("fitted.csv")}


def constant(kind: str, name: str, otherwise: float) -> float:
    """One fitted constant, or what to take before the first fit."""
    return fitted().get((kind, name), otherwise)


@lru_cache(maxsize=1)
def conditions() -> tuple[Condition, ...]:
    """Every condition, each after those that it needs or is raised by."""
    rows = rows_of("conditions.csv")
    position = {row["cluster"]: number for number, row in enumerate(rows)}
    raised: dict[str, list[tuple[int, float]]] = {}
    for row in rows_of("condition_links.csv"):
        raised.setdefault(row["raises"], []).append((position[row["condition"]], float(row["log_hazard_ratio"])))
    made = []
    for row in rows:
        share = float(row["percent"]) / 100
        made.append(
            Condition(
                cluster=row["cluster"],
                register=row["register"],
                needs=position[row["needs"]] if row["needs"] else None,
                icd10=row["icd10"],
                intercept=constant("intercept", row["cluster"], float(np.log(share / (1 - share))) - 1.0),
                links=tuple(raised.get(row["cluster"], ())),
                **{name: float(row[name]) for name in _NUMBERS},
            )
        )
    return tuple(made)


_NUMBERS = (
    "percent", "counted_from_age", "ramp_from_age", "ramp_to_age", "ramp_per_year", "female", "deprivation", "asian", "black", "frailty",
    "turnover_per_year", "emergency", "death", "contacts_per_year",
)  # fmt: skip


@lru_cache(maxsize=1)
def positions() -> dict[str, int]:
    """Where each condition stands among all of them."""
    return {condition.cluster: number for number, condition in enumerate(conditions())}


@lru_cache(maxsize=1)
def medicines() -> tuple[Medicine, ...]:
    """Every drug cluster, in the order of its first row."""
    rows = rows_of("medicines.csv")
    made = []
    for cluster in dict.fromkeys(row["medicine"] for row in rows):
        own = [row for row in rows if row["medicine"] == cluster]
        given = tuple((row["given_for"], float(row["share_or_per_year"])) for row in own if row["is_repeat"] == "true")
        acute = sum(float(row["share_or_per_year"]) for row in own if row["is_repeat"] == "false")
        made.append(Medicine(cluster, given, acute))
    return tuple(made)


@lru_cache(maxsize=2)
def diagnoses(kind: str) -> tuple[Diagnosis, ...]:
    """Primary diagnoses of `emergency` or `elective` spells."""
    return tuple(
        Diagnosis(row["icd10"], (float(row["child"]), float(row["adult"]), float(row["old"])), row["condition"], float(row["factor"]))
        for row in rows_of("diagnoses.csv")
        if row["kind"] == kind
    )


@lru_cache(maxsize=1)
def emergency_cells() -> tuple[EmergencyCell, ...]:
    """Emergency admissions by age band and IMD quintile, as published (source beside each row)."""
    return tuple(
        EmergencyCell(int(row["first_age"]), int(row["last_age"]), int(row["imd_quintile"]), int(row["emergency_admissions"]) / int(row["patients"]))
        for row in rows_of("emergency_rates.csv")
    )


FIRST_AGES = (0, 20, 38, 53, 67)
"""First ages of the bands of the published emergency admission rates."""


def band_of(age: np.ndarray) -> np.ndarray:
    """Which of the five age bands of the emergency admission rates each age (years) is in, from 0."""
    return np.searchsorted(FIRST_AGES, np.floor(age), side="right") - 1
