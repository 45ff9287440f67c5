"""What neighbourhood profiles are drawn from: the tables of a night by contract id, as frames, and who and where each PCN is.

What does not belong here: any figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import empty_table, load_contract
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish import wording
from fuller_popheath.publish.profile_figures import Number, Told

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import Night

PRACTICES, BY_PCN, BY_ICB = "core/neighbourhood_practice", "products/core20_by_pcn", "products/core20_by_icb"
BY_LSOA, COUNTS, BOUNDARY, LOOKUP = "products/core20_by_lsoa", "core/registered_count", "reference/lsoa_boundary", "reference/lsoa_2011_2021"
DOMAINS, STAFF = "products/deprivation_domains_by_area", "products/workforce_by_pcn"
SURVEY, SITES = "reference/gp_patient_survey", "reference/community_site"
POPULATION, ACTIVITY, GAP = "products/population_profile", "products/activity_by_pcn", "products/continuity_gap_by_pcn"
SEGMENTS, INDICATORS, INEQUALITY = "products/segment_count", "products/core20plus5_by_pcn", "products/inequality_by_area"
EXTRACTS, FILES = "core/practice_extract", "core/landing_file"
MAP_TABLES = (BY_LSOA, COUNTS, BOUNDARY, LOOKUP)
OPEN_TABLES = (PRACTICES, BY_PCN, BY_ICB, DOMAINS, STAFF, SURVEY, SITES)
"""What is published, read as frames."""
RECORD_TABLES = (POPULATION, ACTIVITY, GAP, SEGMENTS, INDICATORS, INEQUALITY)
"""What is made from records, after disclosure control."""
ACCOUNT_TABLES = (EXTRACTS, FILES)
"""What arrived, and when: counts of rows and days, of nobody."""
PROFILE_TABLES = (*OPEN_TABLES, *MAP_TABLES, *RECORD_TABLES, *ACCOUNT_TABLES)
"""All that profiles are made from; one that is not there or empty leaves its part out."""
ICB, PCN = "icb", "pcn"


@dataclass(frozen=True)
class Pcn:
    """One PCN: its codes and names, the area it lies in, and its practices by code."""

    code: str
    name: str
    icb: str
    icb_name: str
    place: str
    place_name: str
    practices: Mapping[str, str]


@dataclass(frozen=True)
class Given:
    """The tables of a night and the PCNs in the order of their names. `edition`: the IMD edition by which quintiles of records are told."""

    night: Night
    tables: Mapping[str, pa.Table]
    frames: Mapping[str, pd.DataFrame]
    pcns: tuple[Pcn, ...]
    edition: str

    @property
    def has_records(self) -> bool:
        """Whether anything made from records is among them."""
        return any(self.tables[name].num_rows for name in RECORD_TABLES)

    @property
    def counts_day(self) -> date:
        """The day of what is made from records, which leaves once a month: the night's where there is nothing of the kind."""
        days = (self.tables[name]["as_of"][0].as_py() for name in RECORD_TABLES if self.tables[name].num_rows)
        return next(days, self.night.as_of)

    def rows(self, name: str, **where: object) -> pd.DataFrame:
        """The rows of a table with these values."""
        frame = self.frames[name]
        for column, value in where.items():
            frame = frame[frame[column] == value]
        return frame


def given_of(tables: Mapping[str, pa.Table], night: Night) -> Given:
    """Everything given, by contract id; what is not there stands there without rows."""
    full = {name: tables[name] if name in tables else empty_table(load_contract(name)) for name in PROFILE_TABLES}
    frames = {name: full[name].to_pandas(date_as_object=True) for name in PROFILE_TABLES if name not in MAP_TABLES}
    return Given(night, full, frames, _pcns(frames[PRACTICES]), night.site.lists.imd_edition)


def _pcns(practices: pd.DataFrame) -> tuple[Pcn, ...]:
    made = []
    for code, rows in practices[practices["pcn_code"] != NO_PCN].groupby("pcn_code"):
        first: Mapping[Any, Any] = rows.where(rows.notna(), None).to_dict("records")[0]
        named = {row["practice_code"]: wording.calm(row["practice_name"]) for row in rows.sort_values("practice_code").to_dict("records")}
        codes = [first["icb_code"] or "", first["place_code"] or ""]
        names = [wording.calm(first["icb_name"] or codes[0]), wording.calm(first["place_name"] or codes[1])]
        made.append(Pcn(str(code), wording.calm(first["pcn_name"]), codes[0], names[0], codes[1], names[1], named))
    return tuple(sorted(made, key=lambda pcn: (pcn.name, pcn.code)))


def number(value: object) -> Number:
    """A number of a frame, None where it is missing."""
    return None if value is None or value != value else float(value)  # type: ignore[arg-type]


def told_of(rows: pd.DataFrame, level: str, columns: Sequence[str]) -> dict[str, Told]:
    """By area code of one kind of area what rows say: `columns` are value and, if there are three, its limits. One row an area."""
    found = {}
    at = rows[rows["area_type"] == level]
    is_hidden = at["is_hidden"].tolist() if "is_hidden" in at else [False] * len(at)
    for code, hidden, *each in zip(at["area_code"], is_hidden, *(at[column] for column in columns), strict=True):
        parts = [number(value) for value in each]
        value, lower, upper = parts if len(parts) == 3 else (parts[0], None, None)
        found[str(code)] = Told(value, lower, upper, bool(hidden) and value is None)
    return found


def share_of(rows: pd.DataFrame, level: str, numerator: str, denominator: str) -> dict[str, Told]:
    """By area code the percent that one count is of another, with its Wilson limits, of what is shown."""
    from fuller_popheath.methods.proportions import wilson_interval

    found: dict[str, Told] = {}
    at = rows[rows["area_type"] == level]
    hidden = at["is_hidden"].tolist() if "is_hidden" in at else [False] * len(at)
    for code, is_hidden, part, whole in zip(at["area_code"], hidden, at[numerator], at[denominator], strict=True):
        n, d = number(part), number(whole)
        if n is None or not d:
            found[str(code)] = Told(is_hidden=bool(is_hidden))
            continue
        lower, upper = (100 * float(end) for end in wilson_interval(min(n, d), d))
        found[str(code)] = Told(100 * min(n, d) / d, lower, upper)
    return found
