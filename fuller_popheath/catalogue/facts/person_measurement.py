"""The latest readings of each measure of each person, and where they are heading.

Several readings of one day count as one: their mean. Values are added up in whole thousandths, so that no figure hangs on the order of addition and
every engine gives the same. What does not belong here: whether a reading is good or bad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FactSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEASUREMENTS: ContractId = "core/measurement"
TREND_DAYS = 1095
"""Three years: what the trend is fitted to."""
EGFR_ABOVE, EGFR_AT_MOST = 0, 250
"""Readings of the glomerular filtration rate outside are no readings (definition of kidney disease in HFAnalyticsLab/CMD_multimorbidity, mL/min)."""


@cache
def _max_by() -> Callable[[ir.IntegerColumn, ir.DateColumn], ir.IntegerScalar]:
    """The value of the latest day, as both engines compute it by themselves; Ibis' own `argmax` would sort the values of every group on DuckDB."""
    import ibis

    @ibis.udf.agg.builtin(name="max_by", signature=(("int64", "date"), "int64"))
    def max_by(value, day): ...  # type: ignore[no-untyped-def]

    return max_by


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person and measure: the last two days with a reading, the higher of their values, the trend, and readings in 365 days.

    Values in the measure's own unit; `slope_per_year` is the least-squares slope over the days with a reading of the last three years, in units a
    year, null where there are fewer than two.
    """
    import ibis

    lists = tables["codelists"]
    wanted = lists.filter(lists.kind == "measure").select("code_system", "code", "cluster_number", "cluster")
    read = tables[MEASUREMENTS].inner_join(wanted, ["code_system", "code"])
    read = read.filter((read.cluster != "egfr") | ((read.value > EGFR_ABOVE) & (read.value <= EGFR_AT_MOST)))
    read = read.mutate(thousandths=(read.value * 1000 + 0.5).floor().cast("int64"))
    by = ["person_row", "cluster_number"]
    days = read.group_by([*by, "event_date"]).agg(readings=read.count().cast("int64"), total=read.thousandths.sum().cast("int64"))
    days = days.mutate(thousandths=(days.total / days.readings + 0.5).floor().cast("int64"))
    latest = ibis.row_number().over(ibis.window(group_by=by, order_by=ibis.desc("event_date")))
    # What only the reading before the latest is needed for: without its columns DuckDB leaves the sorting out.
    days = days.mutate(place=latest, day=days.event_date.delta(ibis.date(night.as_of.isoformat()), unit="day").cast("int64"))
    in_trend, year_ago = days.day >= -TREND_DAYS, days.day >= -365
    x, y = days.day, days.thousandths

    def total(what: ir.IntegerValue) -> ir.IntegerValue:
        return ibis.ifelse(in_trend, what, 0).sum().cast("int64")

    facts = days.group_by(by).agg(
        latest_value=_max_by()(y, days.event_date) / 1000,
        latest_date=days.event_date.max(),
        previous_value=y.max(where=days.place == 1) / 1000,
        previous_date=days.event_date.max(where=days.place == 1),
        highest_of_last_two=y.max(where=days.place <= 1) / 1000,
        count_365=ibis.ifelse(year_ago, days.readings, 0).sum().cast("int64"),
        n=total(ibis.literal(1, "int64")),
        sum_x=total(x),
        sum_y=total(y),
        sum_xy=total(x * y),
        sum_xx=total(x * x),
    )
    across = facts.n * facts.sum_xy - facts.sum_x * facts.sum_y
    spread = facts.n * facts.sum_xx - facts.sum_x * facts.sum_x
    return facts.mutate(slope_per_year=ibis.ifelse(spread > 0, across.cast("float64") / spread.cast("float64") * 365.25 / 1000, None))


FACT = FactSpec(contract="core/person_measurement", inputs=(MEASUREMENTS,), build=build)
