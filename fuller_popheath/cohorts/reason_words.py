"""Why a person is on a list, in plain English with the numbers behind it. What does not belong here: whether a reason holds.

Words are what a clinician could read out to the person: no jargon, no score, no word of blame. Conditions that people expect to be told to nobody
(HIV, addiction, homelessness, being in care) may be counted and are never named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fuller_popheath.codelists.weights import efi_36
from fuller_popheath.cohorts.first_list import REASONS

if TYPE_CHECKING:
    from fuller_popheath.site import FirstList

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "end_of_life": "end of life care",
        "severe_frailty": "severe frailty",
        "dementia": "dementia",
        "severe_mental_illness": "severe mental illness",
        "moderate_frailty": "moderate frailty",
        "learning_disability": "learning disability",
        "housebound": "housebound",
        "four_or_more_conditions": "four or more long-term conditions",
        "two_or_three_conditions": "two or three long-term conditions",
        "low_continuity": "low continuity",
    }
)
"""The reasons as a rule names them."""

LONG_TERM = (
    *("diabetes", "hypertension", "coronary_heart_disease", "heart_failure", "atrial_fibrillation", "stroke_tia", "peripheral_arterial_disease"),
    *("chronic_kidney_disease", "copd", "asthma", "bronchiectasis", "cancer", "dementia", "parkinsons_disease", "multiple_sclerosis", "epilepsy"),
    *("severe_mental_illness", "depression", "anxiety", "learning_disability", "rheumatoid_arthritis", "chronic_liver_disease"),
    *("inflammatory_bowel_disease", "thyroid_disease", "hearing_loss", "visual_impairment"),
)
"""Of the conditions that are counted (Payne and others, CMAJ 2020) those that a sentence may name, in the order in which it does."""

SHORT: Mapping[str, str] = MappingProxyType(
    {
        "copd": "COPD",
        "stroke_tia": "stroke or TIA",
        "parkinsons_disease": "Parkinson's disease",
    }
)
MOST_NAMED = 6
GPS = frozenset({"gp", "gp_locum"})


def reasons_in_words(reasons: Sequence[str], person: Mapping[str, Any], conditions: Sequence[str], clinician_types: Sequence[str]) -> str:
    """One fragment of a sentence for each reason, separated by semicolons; a condition that is a reason by itself is not named twice.

    `person`: efi_deficit_count, condition_count, continuity_upc, continuity_contact_count, continuity_clinician_count; `conditions`: the clusters
    that the person has; `clinician_types`: whose contacts count for continuity.
    """
    others = [name for name in conditions if name not in reasons]
    return "; ".join(_one(reason, person, others, clinician_types) for reason in reasons)


def rule_in_words(rules: FirstList) -> tuple[str, ...]:
    """The rule as it is printed beside every list: one line a thing to know."""
    given = sorted((name for name in REASONS if rules.points.get(name, 0) > 0), key=lambda name: -rules.points[name])
    points = "; ".join(f"{NAMES[name]} {rules.points[name]}" for name in given)
    return (
        f"Points: {points}.",
        f"Low continuity: less than {100 * rules.low_continuity_below:g} % of contacts with the clinician seen most often.",
        f"On the list: the {rules.people_per_neighbourhood:,} people with most points, if they have at least {rules.minimum_points}. "
        "Equal points: drawn by lot, and the draw is recorded.",
        "This rule is a local choice (site.toml, [first_list]). It is not validated, and no published source gives one.",
    )


def conditions_in_words(conditions: Sequence[str], count: int) -> str:
    """Of `count` conditions those that may be named, at most six, and that there are more: "asthma, COPD and 2 more"; empty where none may be."""
    named = [SHORT.get(name, name.replace("_", " ")) for name in LONG_TERM if name in conditions]
    shown = named[: min(MOST_NAMED, count)]
    more = count - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else ""


def _one(reason: str, person: Mapping[str, Any], conditions: Sequence[str], clinician_types: Sequence[str]) -> str:
    if reason in ("severe_frailty", "moderate_frailty"):
        return f"{NAMES[reason]} ({person['efi_deficit_count']:g} of {len(efi_36())} deficits)"
    if reason in ("four_or_more_conditions", "two_or_three_conditions"):
        which = conditions_in_words(conditions, int(person["condition_count"]))
        return f"{person['condition_count']:g} long-term conditions" + (f" ({which})" if which else "")
    if reason == "low_continuity":
        return _continuity(person, clinician_types)
    return {"end_of_life": "on the end of life care register"}.get(reason, NAMES[reason])


def _continuity(person: Mapping[str, Any], clinician_types: Sequence[str]) -> str:
    contacts, clinicians = int(person["continuity_contact_count"]), int(person["continuity_clinician_count"])
    whom = "GP" if set(clinician_types) <= GPS else "clinician"
    with_one = round(person["continuity_upc"] * contacts)
    return f"has seen {clinicians} different {whom}s in {contacts} contacts, the same one at most {with_one} time{'s' * (with_one != 1)}"
