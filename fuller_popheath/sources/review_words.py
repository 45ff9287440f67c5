"""What a list's workbook and whoever reads it back agree on: the words of a review, the headings of its columns, and the line that names the list.

Each outcome has one phrase in the drop-down; whoever types by hand is understood where one phrase, and no other, is meant.
What does not belong here: reading a returned workbook (`review_outcome`), writing one (`publish`), and what a review does (`cohorts/reviews.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

ROW, REVIEW, REVIEWED_ON, LATER, NOTE = "Row", "Review", "Reviewed on", "Later: when", "Note"
"""The headings of what comes back, by which its columns are found wherever they stand."""

REVIEW_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "accepted": "Accept",
        "already_known": "Already known to us",
        "unsuitable": "Not suitable",
        "declined": "Person declined",
        "end_of_life": "End of life care",
        "moved_or_died": "Moved or died",
        "later": "Later (give a date)",
        "no_lists_please": "Person wants no lists",
    }
)
"""The phrase of each of site_lists.REVIEW_OUTCOMES, in the order in which the drop-down shows them."""

NOT_REVIEWED = "not_reviewed"
"""A row that came back as it was sent."""

LISTS_AGAIN, LISTS_AGAIN_WORDS = "lists_again", "Person wants lists again"
"""How a person's wish is withdrawn: said of any row by which the person was ever listed. It stands in no drop-down."""

ALSO_SAID: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "accepted": ("Accepted",),
        "already_known": ("Already known", "Known to us"),
        "unsuitable": ("Unsuitable",),
        "declined": ("Declined", "Patient declined"),
        "end_of_life": ("End of life",),
        "moved_or_died": ("Moved", "Moved away", "Died", "Has died", "Deceased"),
        "later": ("Later",),
        "no_lists_please": ("No lists please", "Wants no lists", "Patient wants no lists"),
        LISTS_AGAIN: ("Lists again", "Patient wants lists again"),
    }
)
"""What people write by hand instead."""

LEAST_FORGIVEN = 6
"""A phrase of fewer letters must be right to the letter: `Late` is not `Later`."""

_LIST = re.compile(r"issue:?\s+(list-\d{4}-\d{2}-\d{2}(?:-\d{1,2})?)\s*[,;·|]*\s*team:?\s+([A-Z0-9][A-Z0-9-]{1,15})", re.IGNORECASE)


def list_line(issue_id: str, team_id: str) -> str:
    """The line above the people that says which list it is: it is what a returned sheet is known by."""
    return f"Issue {issue_id}, team {team_id}"


def lists_named(lines: Iterable[str]) -> set[tuple[str, str]]:
    """(issue_id, team_id) of every list that lines of text name."""
    return {(issue.lower(), team.upper()) for line in lines for issue, team in _LIST.findall(line)}


def outcome_of(text: str) -> str | None:
    """The outcome that a text means; None where that is not certain.

    Case, blanks and punctuation do not count, and one slip of typing (a letter left out, put in, wrong, or two swapped) is forgiven where only one
    outcome is within reach. How alike two texts are would not do: `suitable` and `unsuitable` are nine tenths the same.
    """
    key = _key(text)
    if key in _OUTCOMES:
        return _OUTCOMES[key]
    within = {outcome for known, outcome in _OUTCOMES.items() if len(known) >= LEAST_FORGIVEN and is_one_slip(key, known)}
    return within.pop() if len(within) == 1 else None


def is_one_slip(one: str, other: str) -> bool:
    """Whether two texts differ by one letter left out, put in or wrong, or by two neighbours swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    same = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = short[same + 1 : same + 2] + short[same : same + 1]
    return short[same + 1 :] == long[same + 1 :] or (short[same + 2 :] == long[same + 2 :] and swapped == long[same : same + 2])


def _key(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _known() -> dict[str, str]:
    phrases = {**{outcome: (words,) for outcome, words in REVIEW_WORDS.items()}, LISTS_AGAIN: (LISTS_AGAIN_WORDS,)}
    return {_key(said): outcome for outcome, words in phrases.items() for said in (outcome, *words, *ALSO_SAID[outcome])}


_OUTCOMES = _known()
