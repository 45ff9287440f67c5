"""The sections of site.toml that nights rest on: when files count as late, how long a night may take, what is kept, and who is told.

Every default is a local choice. What does not belong here: reading the file (`site.py`), and any password.
"""

from __future__ import annotations

from pydantic import Field, field_validator

from fuller_popheath.site_section import Section

CATCH_UP = ("newest", "every")
TELL_OF = ("errors", "warnings", "always")
WEBHOOKS = ("teams", "slack")
BUDGETS = {
    "arrival": 60.0,
    "inbound": 30.0,
    "reference": 60.0,
    "extracts": 300.0,
    "place": 60.0,
    "people": 60.0,
    "facts": 60.0,
    "features": 130.0,
    "risk": 120.0,
    "monitoring": 60.0,
    "cohorts": 120.0,
    "products": 120.0,
    "pages": 60.0,
    "lists": 60.0,
    "releases": 60.0,
    "delivery": 60.0,
}
"""Seconds a group of steps may take before a check says so."""


class Nights(Section):
    """How nights follow each other and how long they may take.

    `catch_up`: after days without a night, "newest" makes the newest night alone; "every" first makes the tables, not the lists, of each day on which
    something arrived, at most `catch_up_days` of them. `late_quiet_minutes`: so long must the landing folder stand still before late files start
    a night. `overdue_hours`: so long after the last night one is missed. `run_minutes`: a run is stopped after so long. `budget_seconds`: of each
    group of steps; more is a warning. Groups that are not named keep their default.
    """

    catch_up: str = "newest"
    catch_up_days: int = Field(default=31, ge=1, le=366)
    late_quiet_minutes: int = Field(default=15, ge=1, le=600)
    overdue_hours: int = Field(default=26, ge=1, le=24 * 14)
    run_minutes: int = Field(default=360, ge=5, le=24 * 60)
    budget_seconds: dict[str, float] = Field(default_factory=lambda: dict(BUDGETS), validate_default=True)

    @field_validator("catch_up")
    @classmethod
    def _known_catch_up(cls, catch_up: str) -> str:
        if catch_up not in CATCH_UP:
            raise ValueError(f"must be one of {', '.join(CATCH_UP)}")
        return catch_up

    @field_validator("budget_seconds")
    @classmethod
    def _above_nothing(cls, budgets: dict[str, float]) -> dict[str, float]:
        if wrong := sorted(name for name, seconds in budgets.items() if seconds <= 0):
            raise ValueError(f"{', '.join(wrong)} must be more than 0 seconds")
        return {**BUDGETS, **budgets}


class Retention(Section):
    """How long things stay. `days`: every table of a night; after that only what lists, scorecards, trends and the next night read of older days
    (`pipelines/retention.py`). `scored_months`: of so many months one night of scores and features stays, to be held against what happened.
    `run_days`: Dagster's runs with their events; a copy of their counts is written down before they go. `audit_years`: that copy.
    """

    days: int = Field(default=62, ge=7, le=3_660)
    scored_months: int = Field(default=14, ge=12, le=60)
    run_days: int = Field(default=180, ge=14, le=3_660)
    audit_years: int = Field(default=8, ge=1, le=30)


class Notices(Section):
    """Who is told of a run, by which way, and of which runs: that failed or in which a check failed as an error ("errors"), or only warned
    ("warnings"), or all ("always"). A notice holds counts and names of steps, nothing of what a table holds.

    The password of the mail server stands in FULLER_SMTP_PASSWORD or `smtp_password_file`, the address of the webhook, which is a secret too, in
    FULLER_WEBHOOK_URL or `webhook_file`; both files outside the project. `address_of_page`: where people find the Dagster page, for a link.
    """

    tell_of: str = "errors"
    email_to: tuple[str, ...] = ()
    email_from: str = ""
    smtp_host: str = ""
    smtp_port: int = Field(default=25, ge=1, le=65_535)
    smtp_starttls: bool = False
    smtp_user: str = ""
    smtp_password_file: str = ""
    webhook: str = ""
    webhook_file: str = ""
    address_of_page: str = ""
    timeout_seconds: int = Field(default=20, ge=1, le=120)

    @field_validator("tell_of")
    @classmethod
    def _known_runs(cls, tell_of: str) -> str:
        if tell_of not in TELL_OF:
            raise ValueError(f"must be one of {', '.join(TELL_OF)}")
        return tell_of

    @field_validator("webhook")
    @classmethod
    def _known_webhook(cls, webhook: str) -> str:
        if webhook and webhook not in WEBHOOKS:
            raise ValueError(f"must be one of {', '.join(WEBHOOKS)}, or empty for none")
        return webhook

    @field_validator("email_to", "email_from", "smtp_host", "smtp_user", "address_of_page")
    @classmethod
    def _one_line(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        """A line break in an address would begin another header."""
        for text in (given,) if isinstance(given, str) else given:
            if any(ord(character) < 32 for character in text):
                raise ValueError("must be one line")
        return given
