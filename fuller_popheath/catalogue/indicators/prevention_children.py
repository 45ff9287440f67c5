"""What protects children: the 6-in-1 vaccine by two, two doses of MMR by six, and flu vaccination. What does not belong here: adults' vaccines."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fuller_popheath.catalogue.indicator_rules import CLUSTERS, PERSON, UNVERIFIED, aged, within
from fuller_popheath.specs import IndicatorSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

DOSES_SOURCE = f"Routine childhood immunisation schedule and its national coverage measures ({UNVERIFIED})"
DOSES_LIMITS = "Doses are counted by day-stamped codes: one that was coded twice counts twice, and doses given abroad are often missing."


def doses(cluster: str, least: int, youngest: int, below: int, values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children of these ages; those with at least so many doses ever."""
    return aged(values, youngest, below), values[f"{cluster}.event_count"] >= least


def flu(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Children of 2 and 3; those vaccinated against flu within 365 days."""
    return aged(values, 2, 4), within(values, "flu_vaccination.last_date")


def _indicator(name: str, **told: Any) -> IndicatorSpec:
    return IndicatorSpec(
        name=name, area="prevention", age_group="child", direction="higher_is_better", exclusions="None.", columns={PERSON: ("age_years",)}, **told
    )


INDICATOR = (
    _indicator(
        "child_six_in_one",
        title="6-in-1 vaccine, three doses at one year",
        numerator="Those with three or more doses recorded.",
        denominator="Children aged 1.",
        source=DOSES_SOURCE,
        limits=DOSES_LIMITS,
        assign=partial(doses, "six_in_one_vaccination", 3, 1, 2),
        facts={CLUSTERS: {"six_in_one_vaccination": ("event_count",)}},
    ),
    _indicator(
        "child_mmr_two_doses",
        title="MMR, two doses at five years",
        numerator="Those with two or more doses recorded.",
        denominator="Children aged 5.",
        source=DOSES_SOURCE,
        limits=DOSES_LIMITS,
        assign=partial(doses, "mmr_vaccination", 2, 5, 6),
        facts={CLUSTERS: {"mmr_vaccination": ("event_count",)}},
    ),
    _indicator(
        "child_flu_vaccination",
        title="Flu vaccination, two and three years",
        numerator="Those with a flu vaccination recorded within 365 days.",
        denominator="Children aged 2 and 3.",
        source=f"National seasonal flu programme ({UNVERIFIED})",
        limits="Seasons are not told apart: until autumn's vaccines are given, last autumn's count.",
        assign=flu,
        facts={CLUSTERS: {"flu_vaccination": ("last_date",)}},
    ),
)
