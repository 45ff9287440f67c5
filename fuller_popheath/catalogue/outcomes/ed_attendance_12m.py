"""Attendance at an emergency department within 12 months: of any type of department, however it ends, from the index date on.

Minor-injury units and walk-in centres (types 3 and 4) count, as they do in `features/hospital`: which of them a trust reports as what differs from
place to place, and a wish for help without an appointment is the same. Deaths without attendance are followed to the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, Night, OutcomeSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir

ED_ATTENDANCE = "core/ed_attendance"


def events(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per attendance of any day, with the day of arrival."""
    attendance = tables[ED_ATTENDANCE]
    return attendance.select("person_row", event_date=attendance.arrival_date)


OUTCOME = OutcomeSpec(
    name="ed_attendance_12m",
    words="attending an emergency department within 12 months",
    horizon_days=365,
    inputs=(ED_ATTENDANCE,),
    events=events,
    # Attendance hangs less on illness than admission does, so models of it tell people apart less well: the true probabilities of the make-believe
    # place reach 0.745 (10,000 people).
    highest_auroc=0.82,
    highest_auroc_synthetic=0.85,
)
