"""Of which day a product leaves: tonight's, or for counts of people the month's.

What does not belong here: writing a release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import load_contract

if TYPE_CHECKING:
    from datetime import date

    from pipelines.tonight import Tonight

SECONDARY_USE = "secondary_use"


def day_released(tonight: Tonight, contract_id: str) -> date:
    """The day of a product that leaves tonight: counts of people leave once a month unless the site chose otherwise, because those of two nights
    could be held against each other. The first of the month that has rows is the month's."""
    as_of, store = tonight.as_of, tonight.store
    if load_contract(contract_id).purpose != SECONDARY_USE or tonight.night.site.disclosure.release == "nightly":
        return as_of
    of_month = (day for day in store.days(contract_id) if (day.year, day.month) == (as_of.year, as_of.month) and day <= as_of)
    return next((day for day in of_month if store.read(contract_id, day, ["as_of"]).num_rows), as_of)
