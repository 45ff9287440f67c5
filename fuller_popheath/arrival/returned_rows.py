"""What of returned lists could not be read, by file and row number, so that a team can mend it: never a value of a row.

What does not belong here: rows that were read and belong to no list (`cohorts/review_matching.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from fuller_popheath.arrival.quarantine import BROKEN
from fuller_popheath.arrival.reading import MEMBER, FileOutcome
from fuller_popheath.sources.csv_text import ROW

ROWS_SHOWN = 20
SAID: Mapping[str, str] = MappingProxyType(
    {
        "review_outcome.required": "a day is given and no review",
        "review_outcome": "the review is none of the words to choose from",
        "reviewed_on": "the day of the review cannot be read",
        "later_until.after_the_review": "the day to come back to lies before the review",
        "later_until": "the day to come back to cannot be read",
        "row_reference": "the row reference is missing or was changed",
        "issue_id": "the issue is missing or was changed",
        "team_id": "the team is missing or was changed",
        "primary_key": "the row stands there more than once",
        "row.shape": "the line has more or fewer cells than the header",
    }
)
"""What is wrong with a row, by the rule it broke or that rule's column."""


def rows_not_read(files: Sequence[FileOutcome]) -> str:
    """`north.xlsx, row 12: the review is none of the words to choose from; ...`: the first ROWS_SHOWN quarantined rows, and how many more there are.

    `files`: what became of the returned files, of one contract. Files refused as a whole are told with their reason. Empty: nothing is lost.
    """
    told = [(outcome.reason or f"{outcome.file.name} was refused") for outcome in files if not outcome.is_used]
    rows = sorted({row for outcome in files if outcome.is_used for row in _rows(outcome)})
    told += [f"{name}, row {number}: {why}" for name, number, why in rows[:ROWS_SHOWN]]
    return "; ".join([*told, f"and {len(rows) - ROWS_SHOWN} more rows"] if len(rows) > ROWS_SHOWN else told)


def _rows(outcome: FileOutcome) -> list[tuple[str, int, str]]:
    import pyarrow.parquet as pq

    if outcome.quarantined_in is None:
        return []
    kept = pq.read_table(outcome.quarantined_in, partitioning=None)
    members = kept[MEMBER].to_pylist() if MEMBER in kept.column_names else [outcome.file.member] * kept.num_rows
    rows = zip(members, kept[ROW].to_pylist(), kept[BROKEN].to_pylist(), strict=True)
    return [(outcome.file.name, number, " and ".join(map(_in_words, rules))) for member, number, rules in rows if member == outcome.file.member]


def _in_words(rule: str) -> str:
    return SAID.get(rule) or SAID.get(rule.partition(".")[0], rule)
