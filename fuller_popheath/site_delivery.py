"""The section [delivery] of site.toml: the register of recipients, and what each of them may be sent.

Whoever is not in it is sent nothing. What does not belong here: sending (`publish/delivery.py`).
"""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from fuller_popheath.site_section import Section

OPEN, SECONDARY_USE, DIRECT_CARE = "open", "secondary_use", "direct_care"
DELIVERED_PURPOSES = (OPEN, SECONDARY_USE, DIRECT_CARE)
RECIPIENT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class Recipient(Section):
    """A team, a practice or an analyst: the folder that is theirs, and what may lie in it.

    `folder`: a path, or an address that fsspec knows, without any password in it. `access_controlled`: only the recipient can open the folder; where
    that is not so, encrypted workbooks and open products are all that is sent. `teams`: whose list; with `practices`, of these practices' own people
    alone. `purposes`: what the site has agreed with the recipient. `products`: which open and secondary-use files, by name without ending; none
    named: all of these purposes.
    """

    folder: str
    access_controlled: bool = False
    teams: tuple[str, ...] = ()
    practices: tuple[str, ...] = ()
    purposes: tuple[str, ...] = (DIRECT_CARE,)
    products: tuple[str, ...] = ()

    @field_validator("folder")
    @classmethod
    def _an_address(cls, folder: str) -> str:
        if not folder.strip():
            raise ValueError("must name a folder")
        if re.search(r"://[^/]*:[^/]*@", folder):
            raise ValueError("has a password in it: leave it out and use a key of the system's own (an SSH agent, a mounted folder)")
        return folder.strip()

    @field_validator("purposes")
    @classmethod
    def _known(cls, purposes: tuple[str, ...]) -> tuple[str, ...]:
        if not purposes or set(purposes) - set(DELIVERED_PURPOSES):
            raise ValueError(f"must be among {', '.join(DELIVERED_PURPOSES)}, one at least")
        return purposes

    @model_validator(mode="after")
    def _agree(self) -> Recipient:
        if DIRECT_CARE in self.purposes and not self.teams:
            raise ValueError("teams: name the team whose list may be sent (direct_care is of one team's people)")
        if DIRECT_CARE not in self.purposes and (self.teams or self.practices):
            raise ValueError("purposes lacks direct_care, and lists are nothing else: add it, or leave teams and practices out")
        if SECONDARY_USE in self.purposes and not self.access_controlled:
            raise ValueError("secondary_use goes only where nobody else can open the folder: see to that and put access_controlled = true")
        return self


class Delivery(Section):
    """Who is sent what leaves, each recipient by a name that stands in receipts."""

    recipients: dict[str, Recipient] = Field(default_factory=dict)

    @field_validator("recipients")
    @classmethod
    def _named(cls, recipients: dict[str, Recipient]) -> dict[str, Recipient]:
        if wrong := sum(RECIPIENT_NAME.fullmatch(name) is None for name in recipients):
            raise ValueError(f"{wrong} recipients have a name of other signs than small letters, digits, - and _, or too long a one")
        return recipients
