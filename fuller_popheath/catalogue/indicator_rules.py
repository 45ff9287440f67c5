"""Words that the rules of indicators are made of: ages, windows, and what is read for them. What does not belong here: any indicator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import numpy as np

PERSON: ContractId = "core/person"
CLUSTERS: ContractId = "core/person_cluster"
MEASUREMENTS: ContractId = "core/person_measurement"
MEDICINES: ContractId = "core/person_medicine"
ADMISSION_REASONS: ContractId = "core/person_admission_reason"
CONDITIONS: ContractId = "features/conditions"
READINGS: ContractId = "features/measurements"

ADULT_FROM = 18
YEAR = 365
"""Days: a window of a year is the 365 days before the day the table is about."""
CARDIOVASCULAR = ("coronary_heart_disease", "stroke_tia", "peripheral_arterial_disease")
"""Registers that are cardiovascular disease together. CVDPREVENT counts aortic aneurysm too, for which there is no code list here."""
NO_EXCLUSIONS = "None: nobody is left out for having declined, being unsuitable or being new to the practice, as QOF and CVDPREVENT do."
CVDPREVENT = "CVDPREVENT indicators (public application constants)"
CORE20PLUS5_ADULTS = "Core20PLUS5 for adults (england.nhs.uk)"
CORE20PLUS5_CHILDREN = "Core20PLUS5 for children and young people (england.nhs.uk long read)"
UNVERIFIED = "from memory, not verified"

Values = Mapping[str, "np.ndarray"]


def aged(values: Values, youngest: float, below: float = 1_000) -> np.ndarray:
    """Who is at least so old and younger than `below`, in completed years."""
    return (values["age_years"] >= youngest) & (values["age_years"] < below)


def within(values: Values, day: str, days: float = YEAR) -> np.ndarray:
    """For whom a day lies in so many days before the day the table is about; never for those without it."""
    return values[day] <= days


def any_register(values: Values, *conditions: str) -> np.ndarray:
    """Who is on one of these registers."""
    import numpy as np

    return np.any([values[f"has_{name}"] for name in conditions], axis=0)
