"""How many contacts of each person were booked on their own day, and how many earlier. What does not belong here: contacts as such.

No risk model rests on it: whether the day of a booking is known depends on the practice's system.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FactSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

CONTACT: ContractId = "core/contact"
SAME_DAY, EARLIER = "same_day", "earlier"


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person and kind of booking, of attended appointments in the 365 days before the day whose day of booking is known."""
    import ibis

    contact = tables[CONTACT]
    since = ibis.date((night.as_of - timedelta(days=365)).isoformat())
    seen = contact.filter(contact.contact_date >= since, contact.status == "attended", contact.booked_date <= contact.contact_date)
    kinds = seen.select("person_row", booked=ibis.ifelse(seen.booked_date == seen.contact_date, SAME_DAY, EARLIER))
    return kinds.group_by(["person_row", "booked"]).agg(contact_count_365=kinds.count().cast("int64"))


FACT = FactSpec(contract="core/person_booking", inputs=(CONTACT,), build=build)
