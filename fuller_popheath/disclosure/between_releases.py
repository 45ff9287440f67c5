"""What two or more releases of one table tell together: a count that is hidden today and shown tomorrow was 7 yesterday, if it changes by one a night.

The attacker sees every release and knows that no cell changes by more than so many people a night (from the list of appointments, a neighbour, or any
other table). From night to night that leaves each cell the counts within so many of those of the release before: tables a month apart tell next to
nothing of each other, nightly ones give away every small count that comes or goes. Aggregates of person-level data are therefore released monthly
(site.toml, [disclosure] release), or on nights on which `releases_differ_safely` finds nothing.
What does not belong here: what one release tells by itself (`controlled_counts.py`), and which release is current (`publish/release.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from fuller_popheath.disclosure.rules import Rule

    Floats = NDArray[np.float64]

FEWEST_A_NIGHT = 1
"""Of how many people's coming and going in one night a cell's change is known to be, at the least: the strictest attacker."""
NO_LIMIT = np.inf


@dataclass(frozen=True)
class Told:
    """What follows from several releases: `cells`, one row a cell, count column and release in which a small count can be told, and how many rows each
    release has that no other has.

    `cells` has the key columns, `count_column`, `release_date`, `possible_count` (how many small counts remain) and nothing of what they are.
    """

    cells: pd.DataFrame
    rows_without_counterpart: int

    @property
    def is_safe(self) -> bool:
        """Whether the newest release may join the others."""
        return not len(self.cells)


def releases_differ_safely(
    releases: Sequence[tuple[date, pd.DataFrame]], key: Sequence[str], counts: Sequence[str], rule: Rule, most_a_night: int = FEWEST_A_NIGHT
) -> Told:
    """Which hidden cells could be told from all these releases of one table by somebody who knows that no cell changes by more than `most_a_night`.

    `releases`: the day and the table as it was (or would be) released, `counts` null where hidden; the key without as_of. A cell that is hidden
    although it is not small is never told wrongly: what is asked is how many of the counts that are hidden for being small remain possible, where any
    does. Raises ContractBroken for two releases of one day or a key that is there twice.
    """
    import pandas as pd

    days = [day for day, _ in releases]
    if len(set(days)) < len(days):
        raise ContractBroken("two releases of one table have the same date: compare each day's release once")
    ordered = sorted(releases, key=lambda release: release[0])
    tables = [_by_key(table, key) for _, table in ordered]
    every = pd.concat([table.index.to_frame(index=False) for table in tables]).drop_duplicates()
    index = pd.MultiIndex.from_frame(every)
    nights = np.diff([day.toordinal() for day, _ in ordered])
    found = []
    for column in counts:
        shown = np.stack([table[column].reindex(index).to_numpy(np.float64, na_value=np.nan) for table in tables])
        there = np.stack([index.isin(table.index) for table in tables])
        low, high = possible_over_time(shown, there, nights * most_a_night, rule)
        is_hidden = there & np.isnan(shown)
        highest = np.minimum(high, rule.largest_hidden)
        left = highest - low + 1
        # None left at all: the cell is hidden for another's sake, and larger.
        told = is_hidden & (left >= 1) & (left < rule.least_possible)
        for place, (day, _) in enumerate(ordered):
            rows = np.flatnonzero(told[place])
            part = every.iloc[rows].assign(count_column=column, release_date=day, possible_count=left[place][rows].astype(np.int64))
            found.append(part)
    alone = int(sum(len(index) - len(table) for table in tables))
    return Told(pd.concat(found, ignore_index=True), alone)


def _by_key(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    if table.duplicated(list(key)).any():
        raise ContractBroken(f"{int(table.duplicated(list(key)).sum())} rows of a release have the key of another row in {', '.join(key)}")
    keyed = table.copy()
    keyed.index = pd.MultiIndex.from_frame(table[list(key)].astype(object))
    return keyed


def possible_over_time(shown: Floats, there: NDArray[np.bool_], most: Floats, rule: Rule) -> tuple[Floats, Floats]:
    """The smallest and the largest count that each cell can have had at each release: two arrays of releases by cells.

    `shown`: releases (oldest first) by cells, NaN where hidden or not there; `there`: whether the release had the row; `most`: by how many people a
    cell can have changed between each release and the next.
    """
    half_down, half_up = rule.rounded_to // 2, (rule.rounded_to - 1) // 2
    least = 0 if rule.hides_nought else 1
    low = np.where(shown > 0, np.maximum(shown - half_down, rule.least_shown), 0.0)
    low = np.where(there & np.isnan(shown), least, low)
    high = np.where(np.isnan(shown), NO_LIMIT, np.where(shown > 0, shown + half_up, 0.0))
    for place in range(1, len(shown)):
        low[place] = np.maximum(low[place], low[place - 1] - most[place - 1])
        high[place] = np.minimum(high[place], high[place - 1] + most[place - 1])
    for place in range(len(shown) - 2, -1, -1):
        low[place] = np.maximum(low[place], low[place + 1] - most[place])
        high[place] = np.minimum(high[place], high[place + 1] + most[place])
    return low, high


def is_release_day(as_of: date, last_released_on: date | None, release: str) -> bool:
    """Whether tables of counts may leave on a day: "monthly": the first night of a calendar month that has had none; "nightly": always.

    A nightly release has to pass `releases_differ_safely` besides.
    """
    if release == "nightly" or last_released_on is None:
        return True
    return (as_of.year, as_of.month) > (last_released_on.year, last_released_on.month)
