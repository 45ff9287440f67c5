"""Everyone who is in no PCN's Core20 figure, by practice, LSOA and reason: with the matched people of the PCNs they are all who are registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

CONTRACT = "products/core20_unplaced"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition, practice and LSOA code; a person counts once: no PCN first (the whole practice), else why the LSOA has no deprivation."""
    with Engine.duckdb() as engine:
        made = engine.collect(_unplaced(engine, inputs, night).order_by(["imd_edition", "practice_code", "lsoa_code"]))
    return conform(made, load_contract(CONTRACT))


def _unplaced(engine: Engine, inputs: Inputs, night: Night) -> ir.Table:
    counts = engine.table("counts", inputs["core/registered_count"].select(["practice_code", "lsoa_code", "registered_count"]))
    belongs = engine.table("belongs", inputs["core/neighbourhood_practice"].select(["practice_code", "pcn_code"]))
    known = engine.table("known", inputs["core/area_deprivation"].select(["imd_edition", "lsoa_code"])).distinct()
    people = counts.filter(counts.registered_count > 0).inner_join(belongs, "practice_code")
    every = people.cross_join(known.select("imd_edition").distinct())
    without_pcn = every.filter(every.pcn_code == NO_PCN).mutate(reason=_text("no_pcn"))
    in_pcn = every.filter(every.pcn_code != NO_PCN).anti_join(known, ["imd_edition", "lsoa_code"])
    columns = ["imd_edition", "practice_code", "lsoa_code", "reason", "registered_count"]
    unplaced = without_pcn.select(columns).union(in_pcn.mutate(reason=reason_of_code(in_pcn.lsoa_code)).select(columns))
    return unplaced.mutate(as_of=_date(night))


def reason_of_code(lsoa_code: ir.StringValue) -> ir.StringValue:
    """Why a code that no edition knows has no deprivation, from how the published counts write it (`NO2011`, `CLOSED`, W01..., S01...)."""
    import ibis

    return ibis.cases(
        (lsoa_code.startswith("NO"), "no_lsoa"),
        (lsoa_code == "CLOSED", "closed_lsoa"),
        (lsoa_code.startswith("W"), "wales"),
        (lsoa_code.startswith("S"), "scotland"),
        else_="unknown_lsoa",
    )


def _text(value: str) -> ir.StringScalar:
    import ibis

    return ibis.literal(value)


def _date(night: Night) -> ir.DateScalar:
    import ibis

    return ibis.literal(night.as_of, type="date")


TABLE = TableSpec(
    contract=CONTRACT,
    inputs=("core/registered_count", "core/area_deprivation", "core/neighbourhood_practice"),
    build=build,
)
