"""No model sees further back than every index date can: what is older is as if it were not there, and what somebody has stays."""

from __future__ import annotations

import re

import pyarrow as pa

from fuller_popheath.contracts import load_contract
from fuller_popheath.registry import features
from fuller_popheath.risk.look_back import LOOK_BACK_DAYS, within_look_back

EDGE, OLDER = LOOK_BACK_DAYS, LOOK_BACK_DAYS + 1

GIVEN = pa.table(
    {
        "person_id": ["a", "b", "c"],
        "age_years": pa.array([40, 41, 42]),
        "has_diabetes": [True, True, False],
        "days_since_first_diabetes": pa.array([EDGE, 9_000, None], pa.int64()),
        "latest_bmi": [24.0, 25.0, 26.0],
        "days_since_bmi": pa.array([EDGE, OLDER, None], pa.int64()),
        "bmi_change_per_year": [0.1, 0.2, 0.3],
        "smoking_status": ["never", "current", "former"],
        "days_since_smoking": pa.array([1, OLDER, EDGE], pa.int64()),
        "days_since_last_admission": pa.array([OLDER, 3, None], pa.int64()),
        "last_admission_length_days": pa.array([5, 6, 7], pa.int64()),
        "emergency_admission_count_1095": pa.array([3, 2, 1], pa.int64()),
        f"emergency_admission_count_{EDGE}": pa.array([2, 1, 0], pa.int64()),
        "imd_2019_quintile": pa.array([1, 2, 3], pa.int64()),
        "imd_2025_quintile": pa.array([3, 2, 1], pa.int64()),
    }
)


def test_what_is_older_is_emptied_and_the_rest_stays() -> None:
    made = within_look_back(GIVEN)
    assert made.schema == GIVEN.schema
    emptied = {
        "days_since_first_diabetes": [EDGE, None, None],
        "latest_bmi": [24.0, None, 26.0],
        "days_since_bmi": [EDGE, None, None],
        "bmi_change_per_year": [None, None, None],
        "smoking_status": ["never", None, "former"],
        "days_since_smoking": [1, None, EDGE],
        "days_since_last_admission": [None, 3, None],
        "last_admission_length_days": [None, 6, 7],
        "emergency_admission_count_1095": [None, None, None],
    }
    assert made.to_pydict() == GIVEN.to_pydict() | emptied


def test_twice_is_once() -> None:
    made = within_look_back(GIVEN)
    assert within_look_back(made).equals(made)


def test_no_feature_of_the_catalogue_that_has_an_age_is_forgotten() -> None:
    """Everybody's last of everything is long ago: what still says something tells of no time, or of a window within the look-back."""
    columns = {c.name: c for name in features() for c in load_contract(name).columns if c.name not in ("as_of", "person_id")}
    values = {
        name: pa.array([OLDER if name.startswith("days_since_") else {"string": "x", "boolean": True}.get(column.logical_type, 1)], column.arrow_type)
        for name, column in columns.items()
    }
    made = within_look_back(pa.table(values))
    told = {name for name in columns if made[name].null_count == 0}
    assert not {name for name in told if re.search(r"latest|last_|days_since|per_year|_status", name)}
    assert not {name for name in told if (found := re.search(r"_count_(\d+)$", name)) and int(found[1]) > LOOK_BACK_DAYS}
    assert {"age_years", "has_diabetes", "contact_count_365", f"emergency_admission_count_{LOOK_BACK_DAYS}", "registration_days"} <= told
