"""The latest reading of the key measures, how old it is and where it is heading; and smoking status. What does not belong here: targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FeatureSpec, Night, Pivot

if TYPE_CHECKING:
    import ibis.expr.types as ir

CLUSTERS: ContractId = "core/person_cluster"
MEASUREMENTS: ContractId = "core/person_measurement"
MEASURES = ("systolic_bp", "diastolic_bp", "hba1c", "bmi", "egfr", "total_cholesterol", "non_hdl_cholesterol")
SMOKING = "smoking"
SMOKER = {"current": "smoker_current", "former": "smoker_former", "never": "smoker_never"}
"""Status by code; of two coded on one day the first of these counts."""


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """Long, one row per person and measure: `latest` and `change_per_year` in the measure's unit, `days_since`; for smoking its `status`."""
    import ibis

    measured = tables[MEASUREMENTS]
    readings = measured.filter(measured.measure.isin(MEASURES)).select(
        "person_row", "measure", latest="latest_value", date="latest_date", change_per_year="slope_per_year", status=ibis.null("string")
    )
    every = ibis.union(readings, _smoking(tables[CLUSTERS]).select(readings.columns))
    return every.mutate(days_since=ibis.date(night.as_of.isoformat()).delta(every.date, unit="day").cast("int64")).drop("date")


def _smoking(coded: ir.Table) -> ir.Table:
    """The status that was coded last; somebody coded as never a smoker after having been one has given up."""
    import ibis

    said = coded.filter(coded.cluster.isin(list(SMOKER.values())))
    dates = said.group_by("person_row").agg(
        **{status: said.last_date.max(where=said.cluster == cluster) for status, cluster in SMOKER.items()}, date=said.last_date.max()
    )
    is_last = {status: (dates[status] == dates.date).fill_null(False) for status in SMOKER}
    has_smoked = dates.current.notnull() | dates.former.notnull()
    status = ibis.cases((is_last["current"], "current"), (is_last["former"] | has_smoked, "former"), else_="never")
    nothing = ibis.null("float64")
    return dates.select("person_row", "date", status=status, measure=ibis.literal(SMOKING), latest=nothing, change_per_year=nothing)


FEATURE = FeatureSpec(
    contract="features/measurements",
    inputs=(CLUSTERS, MEASUREMENTS),
    build=build,
    pivot=Pivot(
        subject="measure",
        columns={
            **{("latest", name): f"latest_{name}" for name in MEASURES},
            **{("days_since", name): f"days_since_{name}" for name in (*MEASURES, SMOKING)},
            **{("change_per_year", name): f"{name}_change_per_year" for name in MEASURES},
            ("status", SMOKING): "smoking_status",
        },
    ),
)
