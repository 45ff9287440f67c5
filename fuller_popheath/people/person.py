"""One row a registered person as at a date: who they are, the one practice they count at, and where they live. Everything about persons hangs on it.

Who counts, and why, is settled in `eligibility.py`. What does not belong here: objections (`objections.py`: they change what may be done with a
person, not that they are registered), and facts from records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.people import eligibility
from fuller_popheath.place.neighbourhood_practice import NO_PCN, where_no_file_tells
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    from datetime import date

    import ibis.expr.types as ir
    import pyarrow as pa

    from fuller_popheath.site import Geography

CONTRACT = "core/person"
REGISTRATION = "core/registration"
PRACTICES = "core/neighbourhood_practice"
DEPRIVATION = "core/area_deprivation"
EDITIONS = ("2019", "2025")


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per person registered and alive on the day, in the order of person_id; nobody twice. No registrations: no rows.

    A practice that no file places is in the neighbourhood that site.toml gives it, else in U, like one without a PCN. An LSOA code without
    deprivation in an edition has no quintile.
    """
    with Engine.duckdb() as engine:
        settled = eligibility.settle(engine.table("registration", numbered(inputs[REGISTRATION])), night.as_of)
        people = settled.filter(settled.outcome == eligibility.PERSON)
        practices = engine.table("practices", inputs[PRACTICES].select(["practice_code", "pcn_code", "neighbourhood_code", "place_code"]))
        people = _placed(people, practices, night.site.geography)
        deprivation = inputs[DEPRIVATION].select(["imd_edition", "lsoa_code", "imd_quintile", "share"])
        for edition in EDITIONS:
            people = _with_quintile(people, quintile_of_code(engine.table("deprivation", deprivation), edition), f"imd_{edition}_quintile")
        made = engine.collect(_described(people, night.as_of).order_by("person_id"), "settling who is a registered person")
    return conform(made, load_contract(CONTRACT))


def numbered(registrations: pa.Table) -> pa.Table:
    """The registrations with their place in the table, by which `eligibility.settle` breaks the last ties."""
    import numpy as np
    import pyarrow as pa

    return registrations.append_column(eligibility.ROW, pa.array(np.arange(registrations.num_rows)))


def quintile_of_code(deprivation: ir.Table, edition: str) -> ir.Table:
    """One row per LSOA code: the national quintile in which the largest share of its people lies, of equal shares the more deprived one.

    Nearly every code lies in one quintile whole. Counts of areas share people out instead (`place/quintile_counts.py`); a person has one.
    """
    rows = deprivation.filter(deprivation.imd_edition == edition)
    shares = rows.group_by(["lsoa_code", "imd_quintile"]).agg(share=rows.share.sum())
    # Shares are sums of floats: equal to a millionth is equal.
    rank = shares.mutate(weight=(shares.share * 1_000_000).round().cast("int64") * 10 - shares.imd_quintile)
    best = rank.group_by("lsoa_code").agg(imd_quintile=rank.imd_quintile.argmax(rank.weight))
    return best.rename(code="lsoa_code")


def _placed(people: ir.Table, practices: ir.Table, geography: Geography) -> ir.Table:
    """Many persons to one practice."""
    practices = practices.rename(code="practice_code")
    joined = people.left_join(practices, people.practice_code == practices.code)
    neighbourhood = joined.neighbourhood_code.fill_null(where_no_file_tells(joined.practice_code, geography))
    return joined.mutate(pcn_code=joined.pcn_code.fill_null(NO_PCN), neighbourhood_code=neighbourhood).drop("code")


def _with_quintile(people: ir.Table, quintiles: ir.Table, name: str) -> ir.Table:
    """Many persons to one LSOA code."""
    joined = people.left_join(quintiles, people.lsoa_code == quintiles.code)
    return joined.rename({name: "imd_quintile"}).drop("code")


def _described(people: ir.Table, as_of: date) -> ir.Table:
    import ibis

    day = ibis.literal(as_of, type="date")
    age_of_extract = day.delta(people.extract_date, unit="day").cast("int64")
    is_later = people.extract_date > day
    return people.mutate(
        as_of=day,
        age_years=eligibility.completed_years(people.date_of_birth, as_of),
        is_temporary=people.registration_type == eligibility.TEMPORARY,
        # An extract that was made after the day is not old.
        extract_age_days=ibis.greatest(age_of_extract, 0),
        is_from_later_extract=is_later,
        # Who the usual GP was on the day cannot be told from a list that was made after it, and continuity is measured against it.
        usual_gp_code=ibis.ifelse(is_later, ibis.null("string"), people.usual_gp_code),
    )


TABLE = TableSpec(contract=CONTRACT, inputs=(REGISTRATION, PRACTICES, DEPRIVATION), build=build)
