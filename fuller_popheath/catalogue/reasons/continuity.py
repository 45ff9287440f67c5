"""Whether somebody sees the same clinician, of the contacts that the site counts for continuity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import NOT_THERE, Told, many, told, whole
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


def words(features: pd.DataFrame) -> Told:
    """ "saw 4 clinicians in 11 contacts, the same one 3 times at most, 2 of them with the usual GP"."""
    contacts = features["continuity_contact_count"]
    most = whole(features["continuity_upc"] * contacts)
    usual_gp = whole(features["usual_gp_contact_count"].where(features["usual_gp_share"].notna()))
    return told(_say, whole(contacts), whole(features["continuity_clinician_count"]), most, usual_gp)


def _say(contacts: int, clinicians: int, most: int, with_usual_gp: int) -> str:
    if most == NOT_THERE:
        return f"{many(contacts, 'contact') if contacts > 0 else 'no contact'} to judge continuity by"
    usual = "" if with_usual_gp == NOT_THERE else f", {with_usual_gp or 'none'} of them with the usual GP"
    if clinicians == 1:
        return f"saw the same clinician in all {contacts} contacts{usual}"
    return f"saw {clinicians} clinicians in {contacts} contacts, the same one in {most} at most{usual}"


REASON = ReasonSpec(
    name="continuity",
    title="Seeing the same clinician",
    columns=(
        *("continuity_contact_count", "continuity_clinician_count", "continuity_upc", "continuity_coc", "continuity_hhi", "continuity_secon"),
        *("continuity_mmci", "has_usual_clinician", "continuity_practice_contact_count"),
        *("usual_gp_contact_count", "usual_gp_share", "days_since_last_usual_gp_contact"),
    ),
    words=words,
)
