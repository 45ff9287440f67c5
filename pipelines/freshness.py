"""By when everything that leaves has to be there: each morning before people start work, and once a month what is made once a month.

Dagster shows it at each asset; it tells nobody by itself, for which there is the sensor `night_overdue`. What does not belong here: making anything.
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from fuller_popheath.registry import MONITORING_TABLES

EVERY_MORNING = dg.FreshnessPolicy.cron(deadline_cron="0 7 * * *", lower_bound_delta=timedelta(hours=12), timezone="Europe/London")
"""Made between 19:00 of the evening before and 07:00: a night that ran late the day before does not count for today."""
EVERY_MONTH = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=35), warn_window=timedelta(days=32))
MONTHLY = frozenset(name for name in MONITORING_TABLES if name.startswith("products/"))


def policy_of(contract_id: str) -> dg.FreshnessPolicy | None:
    """The policy of a table; none where it does not leave: what is inside is as fresh as what is made of it."""
    if not contract_id.startswith("products/"):
        return None
    return EVERY_MONTH if contract_id in MONTHLY else EVERY_MORNING
