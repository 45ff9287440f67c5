"""The section [disclosure] of site.toml: how counts of people are made safe before they leave, and how often they may leave.

What does not belong here: what each rule hides and how it rounds (`disclosure/rules.csv`).
"""

from __future__ import annotations

from pydantic import field_validator

from fuller_popheath.site_section import Section

DISCLOSURE_RULES = ("redact_1_7_round_5", "redact_0_7_round_5", "hide_1_5", "hide_1_4")
"""The rules that a site can choose, each a line of `disclosure/rules.csv`."""
RELEASES = ("monthly", "nightly")


class Disclosure(Section):
    """By which rule small counts of people are hidden and the others rounded, and how often tables of them are released.

    `release`: "monthly" (the default), because nightly tables can be held against each other; with "nightly" a new table is released only on nights
    on which the check between releases passes (`disclosure/between_releases.py`), and the last one stays current on all others.
    """

    rule: str = "redact_1_7_round_5"
    release: str = "monthly"

    @field_validator("rule")
    @classmethod
    def _known_rule(cls, rule: str) -> str:
        if rule not in DISCLOSURE_RULES:
            raise ValueError(f"must be one of {', '.join(DISCLOSURE_RULES)}")
        return rule

    @field_validator("release")
    @classmethod
    def _known_release(cls, release: str) -> str:
        if release not in RELEASES:
            raise ValueError(f"must be one of {', '.join(RELEASES)}")
        return release
