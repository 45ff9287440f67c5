"""What one make-believe neighbourhood's teams can take on: one for adults, one for children. The other neighbourhoods leave it to the site.

What does not belong here: what a team's file may say (`data_contracts/inbound/team_capacity.yaml`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.synthetic.organisations import Organisations


def team_capacity(organisations: Organisations, as_of: date) -> pa.Table:
    """One row a team of the first neighbourhood, with the columns of the contract that it fills."""
    import pyarrow as pa

    pcn = min(organisations.pcns, key=lambda each: each.code)
    start = date(as_of.year, 1, 1).isoformat()
    of_both = {"neighbourhood_code": pcn.code, "valid_from_date": start}
    adults = {"team_id": f"{pcn.code}-A", "team_name": f"{pcn.name} team for adults", "slots_count": 45, "reserve_count": 5, "minimum_age": 18}
    children = {"team_id": f"{pcn.code}-C", "team_name": f"{pcn.name} team for children", "slots_count": 15, "reserve_count": 0, "maximum_age": 17}
    only_one_has = {"minimum_age": None, "maximum_age": None, "skills": ""}
    return pa.Table.from_pylist([{**of_both, **only_one_has, **adults}, {**of_both, **only_one_has, **children, "skills": "children"}])
