"""The sections of site.toml that lists rest on: PLUS groups, who needs continuity, how lists are made, and how long a review counts.

Every default is a local choice, shown as one beside every result. What does not belong here: reading the file (`site.py`).
"""

from __future__ import annotations

import importlib
import pkgutil

from pydantic import Field, field_validator, model_validator

from fuller_popheath.site_section import Section

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PRIORITIES = ("risk", "gap", "risk_and_gap", "need")
PLUS_GROUP_PACKAGE = "fuller_popheath.catalogue.plus_groups"
REVIEW_OUTCOMES = ("accepted", "already_known", "unsuitable", "declined", "end_of_life", "moved_or_died", "later", "no_lists_please")
"""What a clinician can say about a listed person; the last is the person's own wish."""


class Plus(Section):
    """Which PLUS groups count here, by name; none named: every one that is declared, each a file named as the group. And local ones, each the name
    of a code list's cluster.
    """

    groups: tuple[str, ...] = Field(default=(), validate_default=True)
    local: dict[str, str] = Field(default_factory=dict)

    @field_validator("groups")
    @classmethod
    def _or_all(cls, named: tuple[str, ...]) -> tuple[str, ...]:
        """The names of the files, none of which is imported; whether a file declares its group is judged where groups are used."""
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is named twice")
        folders = importlib.import_module(PLUS_GROUP_PACKAGE).__path__
        return named or tuple(sorted(found.name for found in pkgutil.iter_modules(folders) if not found.ispkg))


class ContinuityNeed(Section):
    """Who needs to see the same clinician: points for each reason, and from how many on the need is high or some. No published source gives these.

    `high_risk_from`: the predicted risk of an emergency admission from which on it is a reason of its own; `child_high_use_from`: contacts and ED
    attendances of a year from which on a child's use is high.
    """

    points: dict[str, int] = Field(
        default_factory=lambda: {
            "end_of_life": 4,
            "severe_frailty": 4,
            "moderate_frailty": 2,
            "dementia": 4,
            "severe_mental_illness": 4,
            "learning_disability": 3,
            "housebound": 3,
            "care_home": 3,
            "four_or_more_conditions": 3,
            "two_or_three_conditions": 1,
            "high_risk": 3,
            "child_high_use": 2,
            "looked_after_child": 2,
            "pregnancy": 2,
        }
    )
    high_from: int = Field(default=4, ge=1)
    some_from: int = Field(default=2, ge=1)
    high_risk_from: float = Field(default=0.3, gt=0, lt=1)
    child_high_use_from: int = Field(default=10, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> ContinuityNeed:
        if self.some_from >= self.high_from:
            raise ValueError("some_from must be smaller than high_from")
        if negative := sorted(name for name, points in self.points.items() if points < 0):
            raise ValueError(f"points: {', '.join(negative)} has less than 0; give 0 to leave a reason out")
        return self


class Lists(Section):
    """How lists are made where a team's own file (inbound/team_capacity) says nothing else, and who is told whom a list means.

    A list is issued on `issue_weekday` and only pruned or marked until the next. Places are filled from those with `minimum_points` of need at least.
    A floor k asks that a group's share of the list is at least k times its share of the eligible; `newly_surfaced_percent` of the places go to
    people without an emergency admission in two years who are on no caseload. Whoever comes within the places divided by `stay_on_factor` goes first;
    then stays who stood on the last list and whose place by score is within the places times it. `margin_band`: so many places at the margin, and as
    many people below, are drawn by lot (0: off), so that it can be seen later what a list did. `skills`: which reasons of need a skill answers.
    `low_continuity_below`: the percentile of continuity received, among people with as many contacts, below which it is low.
    """

    issue_weekday: str = "monday"
    slots: int = Field(default=40, ge=1)
    reserve: int = Field(default=0, ge=0)
    minimum_points: int = Field(default=2, ge=0)
    priority: str = "risk_and_gap"
    newly_surfaced_percent: float = Field(default=20.0, ge=0, le=100)
    core20_floor: float = Field(default=1.0, ge=0, le=5)
    plus_floor: float = Field(default=1.0, ge=0, le=5)
    under_18_floor: float = Field(default=0.0, ge=0, le=5)
    low_contact_floor: float = Field(default=0.0, ge=0, le=5)
    stay_on_factor: float = Field(default=1.25, ge=1, le=5)
    margin_band: int = Field(default=0, ge=0)
    imd_edition: str = Field(default="2025", pattern="^(2019|2025)$")
    low_continuity_below: float = Field(default=0.5, ge=0, le=1)
    identities: str = Field(default="practice", pattern="^(practice|neighbourhood)$")
    folder_is_access_controlled: bool = True
    passwords_file: str = ""
    skills: dict[str, tuple[str, ...]] = Field(
        default_factory=lambda: {
            "frailty": ("severe_frailty", "moderate_frailty", "housebound", "care_home", "dementia"),
            "mental_health": ("severe_mental_illness",),
            "learning_disability": ("learning_disability",),
            "palliative_care": ("end_of_life",),
            "long_term_conditions": ("four_or_more_conditions", "two_or_three_conditions", "high_risk"),
            "children": ("child_high_use", "looked_after_child"),
        }
    )

    @field_validator("issue_weekday")
    @classmethod
    def _a_day(cls, day: str) -> str:
        if day not in WEEKDAYS:
            raise ValueError(f"must be one of {', '.join(WEEKDAYS)}")
        return day

    @field_validator("priority")
    @classmethod
    def _known(cls, priority: str) -> str:
        if priority not in PRIORITIES:
            raise ValueError(f"must be one of {', '.join(PRIORITIES)}")
        return priority

    @model_validator(mode="after")
    def _some_places_left(self) -> Lists:
        if self.reserve >= self.slots:
            raise ValueError("reserve must be smaller than slots")
        return self


class Reviews(Section):
    """For how many days a review keeps somebody off lists, by what it said; 0: for good, until a newer one. `later` counts to its own date.

    `no_lists_please` is the person's own wish: it holds at every practice of the ICS.
    """

    days_off: dict[str, int] = Field(
        default_factory=lambda: {
            "accepted": 182,
            "already_known": 182,
            "unsuitable": 365,
            "declined": 365,
            "end_of_life": 365,
            "moved_or_died": 90,
            "later": 90,
            "no_lists_please": 0,
        }
    )

    @field_validator("days_off")
    @classmethod
    def _every_outcome(cls, days: dict[str, int]) -> dict[str, int]:
        if unknown := sorted(set(days) - set(REVIEW_OUTCOMES)):
            raise ValueError(f"there is no outcome {', '.join(unknown)}; there are {', '.join(REVIEW_OUTCOMES)}")
        if missing := [name for name in REVIEW_OUTCOMES if name not in days]:
            raise ValueError(f"no days are given for {', '.join(missing)}")
        if any(number < 0 for number in days.values()):
            raise ValueError("days cannot be fewer than 0")
        return days
