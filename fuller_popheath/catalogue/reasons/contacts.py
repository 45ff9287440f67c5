"""How often somebody was seen or spoken to by the practice, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import NOT_THERE, Told, ago, many, spans, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


DAYS = (90, 365, 730)
WHO = ("contact", "gp_contact", "nurse_contact", "other_clinician_contact")


def words(features: pd.DataFrame) -> Told:
    """ "14 contacts with the practice in the last year (9 with a GP, 3 with a nurse), the last 2 weeks ago"."""
    counts = ("contact_count_365", "contact_count_730", "gp_contact_count_365", "nurse_contact_count_365")
    return told(_say, *(whole(features[column]) for column in counts), spans(features["days_since_last_contact"]))


def _say(year: int, two_years: int, with_gp: int, with_nurse: int, since: int) -> str:
    if year > 0:
        number = "" if year == 1 else "{} "
        whom = ", ".join(f"{number.format(count)}with a {who}" for count, who in ((with_gp, "GP"), (with_nurse, "nurse")) if count > 0)
        last = f", {'the last ' if year > 1 else ''}{ago(since)}" if since != NOT_THERE else ""
        return f"{many(year, 'contact')} with the practice in the last year{f' ({whom})' if whom else ''}{last}"
    if two_years > 0:
        return f"no recorded contact with the practice in the last year, {two_years} the year before"
    return "no recorded contact with the practice in the last two years"


REASON = ReasonSpec(
    name="contacts",
    title="Contacts with the practice",
    columns=(
        *(f"{who}_count_{days}" for who in WHO for days in DAYS),
        *("clinician_count_365", "days_since_last_contact", "days_since_last_gp_contact"),
    ),
    words=words,
)
