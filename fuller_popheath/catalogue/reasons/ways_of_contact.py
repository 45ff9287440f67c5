"""How the practice's contacts with somebody took place: face to face, by telephone, at home, urgently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, listed, many, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


WAYS = ("face_to_face_contact", "telephone_contact", "other_mode_contact")
COUNTED = (*(f"{way}_count_365" for way in WAYS), "home_visit_count_365", "urgent_contact_count_365")


def words(features: pd.DataFrame) -> Told:
    """ "5 contacts face to face (2 at home) and 8 by telephone in the last year, 3 of them urgent"."""
    return told(_say, *(whole(features[column]) for column in COUNTED))


def _say(face_to_face: int, telephone: int, other: int, home: int, urgent: int) -> str:
    counts = (
        (face_to_face, " face to face" + (f" ({home} at home)" if home > 0 else "")),
        (telephone, " by telephone"),
        (other, " by video, in writing or otherwise"),
    )
    ways = [(count, how) for count, how in counts if count > 0]
    if not ways:
        return "no contact face to face or by telephone in the last year"
    first, *more = ways
    together = sum(count for count, _ in ways)
    hurry = "urgent" if together == 1 else f"{urgent} of them urgent"
    text = listed([f"{many(first[0], 'contact')}{first[1]}", *(f"{count}{how}" for count, how in more)])
    return f"{text} in the last year" + (f", {hurry}" if urgent > 0 else "")


REASON = ReasonSpec(
    name="ways_of_contact",
    title="Ways of contact",
    columns=(*(f"{way}_count_{days}" for way in WAYS for days in (90, 365, 730)), "home_visit_count_365", "urgent_contact_count_365"),
    words=words,
)
