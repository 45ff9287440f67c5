"""Staff of the make-believe place as its publishers and its ICB would send them: the PCN census, GPs by year, payments, practice nurses with ages.

Numbers are drawn around England's (about 40 GPs and 25 staff of PCNs in full-time equivalents per 100,000 people); nobody is behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.synthetic.organisations import ICB_CODE, REGION_CODE, REGION_NAME, SUB_ICB_CODES
from fuller_popheath.synthetic.place import stream

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.synthetic.organisations import Organisations
    from fuller_popheath.synthetic.place import Place

PCN_FILE, GP_FILE = "Primary_Care_Networks_Individual_Level.csv", "practice_gp_fte_by_year.csv"
PAYMENTS_FILE, SUPPLIED_FILE = "nhspaymentsgp-prac.csv", "workforce.csv"
WORKFORCE_FILES = (PCN_FILE, GP_FILE, PAYMENTS_FILE, SUPPLIED_FILE)
YEARS = 5
DIRECT, ADMIN, DIRECTORS = "Other Direct Patient Care staff", "Other Admin/Non-clinical staff", "Directors"
ROLES = (
    (DIRECT, "Pharmacists", "Pharmacist", 8.0),
    (DIRECT, "Social Prescribing Link Workers", "Social Prescribing Link Worker", 4.5),
    (DIRECT, "Care Coordinators", "Care Coordinator", 4.5),
    (DIRECT, "Physiotherapists", "Physiotherapist", 2.5),
    (DIRECT, "Paramedics", "Paramedic", 2.0),
    (ADMIN, "Managers", "Manager", 1.5),
    (DIRECTORS, "Medical Clinical Director", "Clinical Director \u2013 Medical", 1.5),
)
"""Staff group, role, detailed role, and posts per 100,000 people."""
HOURS = (0.2, 0.4, 0.533333333, 0.6, 0.8, 1.0, 1.0, 1.0)


def census_month(as_of: date) -> date:
    """The last day of the month before."""
    return as_of.replace(day=1) - timedelta(days=1)


def workforce_files(place: Place, seed: int, as_of: date, counts: pa.Table) -> Mapping[str, tuple[pa.Table, str]]:
    """By file name the table in its published columns, and the encoding it is written in. `counts`: the published registrations of the place."""
    rng = stream(seed, "workforce")
    who = place.organisations
    people = dict.fromkeys((practice.code for practice in who.practices if practice.has_list), 0)
    for code, number in zip(counts["PRACTICE_CODE"].to_pylist(), counts["NUMBER_OF_PATIENTS"].to_pylist(), strict=True):
        people[code] += number
    return {
        PCN_FILE: (pcn_census(who, rng, as_of, people), "cp1252"),
        GP_FILE: (gps_by_year(rng, as_of, people), "utf-8"),
        PAYMENTS_FILE: (payments(who, rng, people), "utf-8-sig"),
        SUPPLIED_FILE: (supplied(rng, as_of, people), "utf-8"),
    }


def pcn_census(who: Organisations, rng: np.random.Generator, as_of: date, people: Mapping[str, int]) -> pa.Table:
    """One line a person in post, in the columns of June 2022. The last PCN reports nothing; contracted services have no identifier."""
    import pyarrow as pa

    day, rows = census_month(as_of), []
    for number, pcn in enumerate(who.pcns[:-1]):
        served = sum(people.get(practice.code, 0) for practice in who.practices if practice.pcn == number)
        for group, role, detail, rate in ROLES:
            for _ in range(max(int(rng.poisson(rate * served / 100_000)), 1 if role == "Pharmacists" else 0)):
                is_contracted = bool(rng.random() < 0.15)
                rows.append(
                    {
                        "Data_source": "NWRS contracted services" if is_contracted else "NWRS Staff",
                        "CENSUS_YEAR": day.year,
                        "CENSUS_MONTH": day.month,
                        "PCN_CODE": pcn.code,
                        "PCN_NAME": pcn.name,
                        "SUB_ICB_CODE": SUB_ICB_CODES[pcn.sub_icb],
                        "SUB_ICB_NAME": who.sub_icb_names[pcn.sub_icb],
                        "ICB_CODE": ICB_CODE,
                        "ICB_NAME": who.icb_name,
                        "COMM_REGION_CODE": REGION_CODE,
                        "COMM_REGION_NAME": REGION_NAME,
                        "STAFF_GROUP": group,
                        "STAFF_ROLE": role,
                        "DETAILED_STAFF_ROLE": detail,
                        "FTE": float(rng.choice(HOURS)),
                        "UNIQUE_IDENTIFIER": None if is_contracted else int(rng.integers(100, 99_999)),
                    }
                )
    return pa.Table.from_pylist(rows)


def gps_by_year(rng: np.random.Generator, as_of: date, people: Mapping[str, int]) -> pa.Table:
    """One row a practice and year up to that of the day; one practice reports nothing in the newest. Quintiles run the other way, as published."""
    import pyarrow as pa

    rows = []
    for number, (code, served) in enumerate(sorted(people.items())):
        gps = 1 + int(rng.poisson(max(served, 500) / 1_900))
        imd = float(rng.uniform(5, 60))
        for year in range(as_of.year - YEARS + 1, as_of.year + 1):
            now = max(gps + int(rng.integers(-1, 2)), 1)
            is_silent = number == 1 and year == as_of.year
            rows.append(
                {
                    "Practice.Code": code,
                    "Year": str(year),
                    "TOTAL_PATIENTS": round(served * (1 - 0.01 * (as_of.year - year)), 4),
                    "TOTAL_GP_EXTGL_HC": None if is_silent else now,
                    "TOTAL_GP_EXTGL_FTE": None if is_silent else round(now * float(rng.uniform(0.65, 0.9)), 1),
                    "IMD": round(imd, 4),
                    "IMD_quintile": str(5 - int(imd // 12)),
                }
            )
    return pa.Table.from_pylist(rows)


def payments(who: Organisations, rng: np.random.Generator, people: Mapping[str, int]) -> pa.Table:
    """One row a practice with its registered and its weighted list, and the columns beside them that are read."""
    import pyarrow as pa

    rows = []
    for practice in who.practices:
        if practice.has_list:
            served = people[practice.code] * float(rng.uniform(0.97, 1.0))
            rows.append(
                {
                    "Practice Code": practice.code,
                    "Practice Name": practice.name.upper(),
                    "Practice Postcode": practice.postcode,
                    "Contract Type": "GMS",
                    "Dispensing Practice": "No",
                    "Practice type": "GP practice",
                    "Practice Rurality": "Urban",
                    "Number of Registered Patients (Last Known Figure)": round(served, 2),
                    "Number of Weighted Patients (Last Known Figure)": round(served * float(rng.uniform(0.9, 1.15)), 2),
                }
            )
    return pa.Table.from_pylist(rows)


def supplied(rng: np.random.Generator, as_of: date, people: Mapping[str, int]) -> pa.Table:
    """Practice nurses and other practice staff with ages, one row a practice and staff group, in the columns of inbound/workforce."""
    import pyarrow as pa

    rows = []
    for code, served in sorted(people.items()):
        for group, rate in (("nurse", 45), ("direct_patient_care", 35), ("admin_non_clinical", 180)):
            staff = 1 + int(rng.poisson(rate * served / 100_000))
            rows.append(
                {
                    "census_date": census_month(as_of).isoformat(),
                    "area_type": "practice",
                    "area_code": code,
                    "staff_group": group,
                    "headcount": staff,
                    "fte": round(staff * float(rng.uniform(0.6, 0.85)), 2),
                    "aged_55_plus_count": int(rng.binomial(staff, 0.27)),
                }
            )
    return pa.Table.from_pylist(rows)
