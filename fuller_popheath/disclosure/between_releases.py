"""What several releases of one table tell together: a count hidden today and shown tomorrow was 7, if it changes by one a night.

The attacker sees every release and knows that no cell changes by more than so many people a night (from a neighbour, a rota, another table). That
leaves each cell the counts within so many of those it can have had at the release before. Tables a month apart tell next to nothing of each other;
nightly ones give away small counts that come and go, and undo the rounding of others, and with it what control rests on. Aggregates of person-level
data are therefore released monthly (site.toml, [disclosure] release), or on nights on which `releases_differ_safely` finds nothing.
What does not belong here: what one release tells by itself (`controlled_counts.py`), and which release is current.
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
    Flags = NDArray[np.bool_]

MOST_A_NIGHT = 1
"""By how many people a cell can change in a night, for all that the attacker knows: the strictest attacker."""


@dataclass(frozen=True)
class Told:
    """What follows from several releases. `cells`: one row for each cell, count column and release that is given away.

    Its columns: the key, `count_column`, `release_date`, `what` (`hidden`: fewer small counts remain possible than the rule asks for; `rounded`:
    fewer counts remain than are rounded to what is shown) and `possible_count`, how many remain.
    """

    cells: pd.DataFrame

    @property
    def is_safe(self) -> bool:
        """Whether these releases may stand beside each other."""
        return not len(self.cells)


def releases_differ_safely(
    releases: Sequence[tuple[date, pd.DataFrame]], key: Sequence[str], counts: Sequence[str], rule: Rule, most_a_night: int = MOST_A_NIGHT
) -> Told:
    """Which cells all these releases of one table give away together, though each is controlled by itself.

    `releases`: the day and the table as it was (or would be) released, `counts` null where hidden; `key` without as_of. A row that only some
    releases have tells nothing in the others. Only what is shown is looked at, as an attacker does: a cell that is hidden for another's sake counts
    as given away where a small count would be. Raises ContractBroken for two releases of one day, or a key that is there twice.
    """
    import pandas as pd

    ordered = sorted(releases, key=lambda release: release[0])
    days = [day for day, _ in ordered]
    if len(set(days)) < len(days):
        raise ContractBroken("two releases of one table have the same date: give each day's release once")
    tables = [_by_key(table, key) for _, table in ordered]
    every = pd.concat([table[list(key)].astype(object) for table in tables], ignore_index=True).drop_duplicates(ignore_index=True)
    index = pd.MultiIndex.from_frame(every)
    most = np.diff([day.toordinal() for day in days]).astype(np.float64) * most_a_night
    there = np.stack([index.isin(table.index) for table in tables])
    found = [every.iloc[:0].assign(count_column="", release_date=pd.Series(dtype=object), what="", possible_count=pd.Series(dtype=np.int64))]
    for column in counts:
        shown = np.stack([table[column].reindex(index).to_numpy(np.float64, na_value=np.nan) for table in tables])
        for what, place, rows, left in _given_away(shown, there, most, rule):
            found.append(every.iloc[rows].assign(count_column=column, release_date=days[place], what=what, possible_count=left))
    return Told(pd.concat(found, ignore_index=True))


def _given_away(shown: Floats, there: Flags, most: Floats, rule: Rule) -> list[tuple[str, int, NDArray[np.intp], NDArray[np.int64]]]:
    """What is given away, by release: `what`, the release's place, the cells' places, and how many counts each can have."""
    at_sight = told_at_sight(shown, there, rule)
    low, high = possible_over_time(*at_sight, most)
    is_hidden = there & np.isnan(shown)
    small = np.minimum(high, rule.largest_hidden) - low + 1
    every = high - low + 1
    # None left at all: larger, and hidden for another's sake; or the cell changed by more than the attacker thinks.
    told = is_hidden & (small >= 1) & (small < rule.least_possible)
    undone = (shown > 0) & (every >= 1) & (every < at_sight[1] - at_sight[0] + 1)
    found = []
    for what, which, left in (("hidden", told, small), ("rounded", undone, every)):
        for place in range(len(shown)):
            rows = np.flatnonzero(which[place])
            found.append((what, place, rows, left[place][rows].astype(np.int64)))
    return found


def _by_key(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    if twice := int(table.duplicated(list(key)).sum()):
        raise ContractBroken(f"{twice} rows of a release have the key of another row in {', '.join(key)}")
    return table.set_axis(pd.MultiIndex.from_frame(table[list(key)].astype(object)))


def told_at_sight(shown: Floats, there: Flags, rule: Rule) -> tuple[Floats, Floats]:
    """The smallest and the largest count that each cell can have by what it shows itself. `shown`: NaN where hidden, or not `there`."""
    is_hidden = there & np.isnan(shown)
    low = np.where(shown > 0, np.maximum(shown - rule.rounded_to // 2, rule.least_shown), 0.0)
    low = np.where(is_hidden, 0.0 if rule.hides_nought else 1.0, low)
    high = np.where(np.isnan(shown), np.inf, np.where(shown > 0, shown + (rule.rounded_to - 1) // 2, 0.0))
    return low, high


def possible_over_time(low: Floats, high: Floats, most: Floats) -> tuple[Floats, Floats]:
    """The smallest and the largest count that each cell can have had at each release: arrays of releases (oldest first) by cells.

    `low`, `high`: what each release tells by itself; `most`: by how many people a cell can change between each release and the next.
    """
    low, high = low.copy(), high.copy()
    for place in range(1, len(low)):
        low[place] = np.maximum(low[place], low[place - 1] - most[place - 1])
        high[place] = np.minimum(high[place], high[place - 1] + most[place - 1])
    for place in range(len(low) - 2, -1, -1):
        low[place] = np.maximum(low[place], low[place + 1] - most[place])
        high[place] = np.minimum(high[place], high[place + 1] + most[place])
    return low, high


def is_release_day(as_of: date, last_released_on: date | None, release: str) -> bool:
    """Whether a table of counts may be released on a day: "monthly": on the first night of a calendar month without a release; "nightly": always.

    A nightly release has to pass `releases_differ_safely` besides.
    """
    if release == "nightly" or last_released_on is None:
        return True
    return (as_of.year, as_of.month) > (last_released_on.year, last_released_on.month)
