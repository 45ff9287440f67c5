"""For how long somebody has been registered, and what the registration lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, flags, span, spans, told
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "registered for 3 weeks, as a temporary resident, no usual GP named"."""
    return told(_say, spans(features["registration_days"]), flags(features, ("is_temporary", "has_usual_gp", "is_linked")))


def _say(registered: int, facts: int) -> str:
    is_temporary, has_usual_gp, is_linked = (bool(facts >> place & 1) for place in range(3))
    parts = (
        f"registered for {span(registered)}" if registered > 0 else "newly registered",
        "as a temporary resident" if is_temporary else "",
        "" if has_usual_gp else "no usual GP named",
        "" if is_linked else "no NHS number on record",
    )
    return ", ".join(filter(None, parts))


REASON = ReasonSpec(
    name="registration",
    title="Registration",
    columns=("registration_days", "is_temporary", "has_usual_gp", "is_linked"),
    words=words,
)
