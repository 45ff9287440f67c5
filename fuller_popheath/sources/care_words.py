"""The words that clinical systems and practices use for roles, ways of contact and kinds of appointment, and what they are called here.

National categories and modes of GP appointment data as they stand in the open-source dbt project of North Central London ICB
(ncl-icb-analytics/dbt-ncl-analytics, commit 213ca054, OLIDS values), role codes of the Spine Directory Service from its seeds/sds_role_groups.csv.
A word that is not here stays unknown: nothing is guessed from part of one, except the profession in the name of a role.
What does not belong here: which column of which file holds such a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


def plain_words(text: str) -> str:
    """A text as its words alone: small letters, everything else a blank."""
    return " ".join(re.findall(r"[a-z0-9]+", text.casefold()))


NATIONAL_CATEGORIES: Mapping[str, str] = {
    "general_consultation_acute": "General Consultation Acute",
    "general_consultation_routine": "General Consultation Routine",
    "planned_clinics": "Planned Clinics",
    "planned_clinical_procedure": "Planned Clinical Procedure",
    "unplanned_clinical_activity": "Unplanned Clinical Activity",
    "clinical_triage": "Clinical Triage",
    "home_visit": "Home Visit",
    "care_home_visit": "Care Home Visit",
    "care_home_round": "Patient contact during Care Home Round",
    "care_home_assessment": "Care Home Needs Assessment & Personalised Care and Support Planning",
    "structured_medication_review": "Structured Medication Review",
    "social_prescribing": "Social Prescribing Service",
    "walk_in": "Walk-in",
    "group_consultation": "Group Consultation and Group Education",
    "external_service": "Service provided by organisation external to the practice",
    "non_contractual": "Non-contractual chargeable work",
}

NATIONAL_MODES: Mapping[str, str] = {
    "face_to_face": "Face-to-Face (Surgery)",
    "telephone": "Telephone/Audio",
    "video": "Video with Audio",
    "home_visit": "Face-to-Face (Home Visit)",
    "written": "Written (Including Online)",
}

_CATEGORY_OF_WORDS = {plain_words(words): name for name, words in NATIONAL_CATEGORIES.items()}

# Besides the national words those that systems and practices write for them (our own list, no source: extend it where a practice uses another).
_MODE_OF_WORDS = {
    **{plain_words(words): name for name, words in NATIONAL_MODES.items()},
    **dict.fromkeys(("face to face", "face to face consultation", "gp surgery", "surgery", "surgery consultation"), "face_to_face"),
    **dict.fromkeys(("telephone", "telephone call", "telephone call to a patient", "telephone consultation", "telephone encounter"), "telephone"),
    **dict.fromkeys(("video", "video call", "video consultation"), "video"),
    **dict.fromkeys(("home", "home visit", "home visit note"), "home_visit"),
    **dict.fromkeys(("e consultation", "econsultation", "online consultation", "email consultation"), "written"),
}

GP_ROLE_CODES = frozenset(
    "R0110 R0120 R0130 R0190 R0215 R0220 R0230 R0260 R0261 R0270 R1547 R6200 R6300".split()  # noqa: SIM905  # codes read better in a row
)
LOCUM_ROLE_CODES = frozenset({"R0262", "R0263"})
"""Locum GP and deputising doctor: GPs whom the source marks as not to be taken for a usual GP."""

UNSPECIFIC_ROLE_CODES = frozenset({"R8000", "R9001"})
"""Access roles that many professions hold; the source counts them among GPs and marks them as not to be taken for a usual GP."""

# The first that is found in the name of a role decides. Our own list; a role of none of these professions is `other`.
_PROFESSIONS = (
    (re.compile(r"\b(healthcare|health care) (assistant|support worker)\b|\bhca\b|\bnursing (assistant|auxiliary)\b"), "healthcare_assistant"),
    (re.compile(r"\bphysiotherapist\b"), "physiotherapist"),
    (re.compile(r"\bpharmacist\b"), "pharmacist"),
    (re.compile(r"\bnurse\b|\bmidwife\b"), "nurse"),
    (re.compile(r"\b(receptionist|secretary|manager|administrator|clerk|clerical)\b"), "other"),
    (re.compile(r"\b(locum|deputising)\b"), "gp_locum"),
    (re.compile(r"\bgp\b|\bgeneral (medical )?practitioner\b|\bspecialist registrar\b"), "gp"),
)

REGULAR_WORDS = frozenset({"regular", "gms", "standard"})
_TEMPORARY = re.compile(r"^(temporary|immediately necessary)\b")


def category_of(text: str) -> str | None:
    """The national category that a text names, None where it names none."""
    return _CATEGORY_OF_WORDS.get(plain_words(text))


def mode_of(text: str) -> str | None:
    """The way of contact that a text names, None where it names none."""
    return _MODE_OF_WORDS.get(plain_words(text))


def clinician_type_of(role_code: str | None, role_name: str | None) -> str:
    """The type of clinician by the code of the role where it is a known one, else by the profession in its name; `unknown` without either."""
    code = (role_code or "").strip().upper()
    if code in GP_ROLE_CODES or code in LOCUM_ROLE_CODES:
        return "gp" if code in GP_ROLE_CODES else "gp_locum"
    name = plain_words(role_name or "")
    if code in UNSPECIFIC_ROLE_CODES or not name:
        return "unknown"
    return next((kind for pattern, kind in _PROFESSIONS if pattern.search(name)), "other")


def registration_type_of(text: str) -> str:
    """`regular`, `temporary` or `other` of a registration; of a list such as `GMS,Contraception` the general one holds."""
    each = [plain_words(part) for part in text.split(",")]
    if REGULAR_WORDS & set(each):
        return "regular"
    return "temporary" if any(_TEMPORARY.match(part) for part in each) else "other"
