"""After days without a night: the days whose tables are still to be made, where the site wants every one of them.

What does not belong here: running anything.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.stores import Store
from pipelines.tonight import OF_EVERY_NIGHT, passwords_of

if TYPE_CHECKING:
    from fuller_popheath.site import Site

EVERY = "every"


def missed_days(site: Site, landing: Path) -> tuple[date, ...]:
    """The days, oldest first, on which something arrived after the last night in the store and before the newest: their lists are past, their
    tables can still be made. At most as many as site.toml says, the newest of them; none where the site wants the newest night alone, or where
    there has been none yet. Raises InputMissing where the folder is not there, or tells no day."""
    from fuller_popheath.arrival.files import State
    from fuller_popheath.arrival.landing import plan, survey
    from fuller_popheath.registry import sources

    store = Store(site.folder("store"), site.folder("products"))
    last = max(store.days(OF_EVERY_NIGHT), default=None)
    if site.nights.catch_up != EVERY or last is None:
        return ()
    files = survey(landing, sources(), site.arrival, passwords=passwords_of(site, store))
    newest = plan(files, None).as_of
    arrived = {file.extract_date for file in files if file.state is State.RECOGNISED and file.extract_date}
    return tuple(sorted(day for day in arrived if last < day < newest)[-site.nights.catch_up_days :])
