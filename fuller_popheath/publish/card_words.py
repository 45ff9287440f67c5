"""How a model's figures, groups and metrics are called and written for people who are no statisticians.

What does not belong here: figures themselves, and the answers to TRIPOD+AI and PROBAST+AI (`card_answers.py`, `card_bias.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish import wording
from fuller_popheath.publish.card_figures import Figure

HIDDEN = "hidden"

_KINDS = {
    "all": "Everybody",
    "imd_quintile": "Deprivation (national IMD quintile)",
    "ethnic_group": "Ethnic group",
    "sex": "Sex",
    "age_band": "Age",
    "plus_group": "PLUS groups (a person may be in several)",
    "contact_level": "Contact with the practice in the last year",
    "pcn": "PCN",
}
_GROUPS = {
    "not_recorded": "not recorded",
    "no_contact": "none",
    "contact": "at least one",
    "asian": "Asian or Asian British",
    "black": "Black or Black British",
    "mixed": "Mixed",
    "white": "White",
    "other": "Other, Chinese among them",
}
_PCNS = {NO_PCN: "in no PCN", "not_recorded": "not recorded"}
"""The code of the published files for practices in no PCN is no name of one."""
_QUINTILES = {"1": "1 (most deprived)", "5": "5 (least deprived)"}


def kind_name(kind: str, imd_edition: str | None = None) -> str:
    """How a way of grouping is called on a page; with the edition of the Indices of Deprivation, where it is known."""
    name = _KINDS.get(kind, kind.replace("_", " "))
    return name.replace("IMD", f"IMD {imd_edition}") if imd_edition else name


def group_name(kind: str, group: str) -> str:
    """How one group is called on a page."""
    if kind == "imd_quintile":
        return _QUINTILES.get(group, _GROUPS.get(group, group))
    if kind == "age_band":
        return group.replace("-", " to ").replace("not_recorded", "not recorded")
    if kind == "pcn":
        return _PCNS.get(group, group)
    return _GROUPS.get(group, group.replace("_", " "))


def number(value: float | None, places: int = 3) -> str:
    """A figure half-up to so many decimals, with a true minus; a dash where there is none."""
    return wording.decimals(value, places).replace("-", "−")


def interval_text(figure: Figure, places: int = 3) -> str:
    """`0.790 (0.781 to 0.799)`; `hidden` where small numbers are; a dash where there is none."""
    if figure.is_hidden:
        return HIDDEN
    if figure.value is None:
        return wording.NOT_GIVEN
    if not figure.has_interval:
        return number(figure.value, places)
    return f"{number(figure.value, places)} ({number(figure.lower, places)} to {number(figure.upper, places)})"


def percent_interval(figure: Figure, places: int = 1) -> str:
    """The same in percent: `34.1% (32.0 to 36.2%)`."""
    if figure.is_hidden:
        return HIDDEN
    if figure.value is None:
        return wording.NOT_GIVEN
    told = f"{number(figure.value * 100, places)}%"
    if figure.lower is None or figure.upper is None:
        return told
    return f"{told} ({number(figure.lower * 100, places)} to {number(figure.upper * 100, places)}%)"


LEAST_SPREAD = 0.1
"""A calibration slope is told where predicted log-odds differ by so much (standard deviation; a local choice): dividing by less gives any number."""


def slope_text(figure: Figure, places: int = 2) -> str:
    """A calibration slope with its interval; a dash where predictions hardly vary."""
    return wording.NOT_GIVEN if _hardly_varies(figure) else interval_text(figure, places)


def _hardly_varies(slope: Figure) -> bool:
    """Whether the spread of predicted log-odds, told by how wide the slope's interval is for so many people and outcomes, is below LEAST_SPREAD.

    By the information of a logistic line: the slope's standard error is about 1 / (spread x the root of n p (1 - p)).
    """
    if slope.lower is None or slope.upper is None or not slope.people or not slope.outcomes or slope.people <= slope.outcomes:
        return False
    standard_error = (slope.upper - slope.lower) / (2 * 1.96)
    information = slope.outcomes * (1 - slope.outcomes / slope.people)
    return standard_error * LEAST_SPREAD * math.sqrt(information) > 1


@dataclass(frozen=True)
class Metric:
    """What a metric is called, what it means in a sentence, and how it is written: so many decimals, or in percent."""

    title: str
    meaning: str
    places: int = 3
    is_percent: bool = False

    def text(self, figure: Figure) -> str:
        """The figure as it is shown."""
        return percent_interval(figure, self.places) if self.is_percent else interval_text(figure, self.places)


METRICS = {
    "auroc": Metric(
        "AUROC",
        "of two people, one with the outcome and one without, how often the first has the higher predicted risk. 0.5: no better than a coin; 1: "
        "always",
    ),
    "auprc": Metric("AUPRC", "average precision over all cut-offs; a model that knows nothing has the share of people with the outcome"),
    "brier": Metric("Brier score", "mean squared distance between predicted risk and what happened; lower is better", 4),
    "scaled_brier": Metric("Scaled Brier score", "1 less the Brier score over that of giving everybody the same risk. 0: no use; 1: perfect"),
    "observed_over_expected": Metric(
        "Observed over expected", "people with the outcome over the sum of predicted risks. 1: right on average; above 1: risks too low", 2
    ),
    "calibration_in_the_large": Metric(
        "Calibration in the large", "by how much all risks are too low (above 0) or too high, in log-odds; slope held at 1"
    ),
    "calibration_slope": Metric("Calibration slope", "1: risks are spread as they should be; below 1: high risks too high and low ones too low", 2),
    "joint_intercept": Metric("Joint intercept", "intercept fitted together with the slope (what some packages call the intercept)"),
    "ici": Metric("ICI", "mean distance between predicted risk and the flexible calibration curve", 4),
    "e50": Metric("E50", "the same distance: half of people have less", 4),
    "e90": Metric("E90", "the same distance: nine tenths of people have less", 4),
    "emax": Metric("Emax", "the largest such distance", 4),
    "outcome_share": Metric("People with the outcome", "share of the people judged", 1, True),
    "mean_probability": Metric("Mean predicted risk", "average over the people judged", 1, True),
    "seed_rank_agreement": Metric(
        "Agreement between seeds", "rank correlation of the risks when the model is fitted again with other random numbers"
    ),
    "seed_mean_difference": Metric("Difference between seeds", "mean absolute difference in predicted risk between such fits", 4),
    "seed_top_overlap": Metric("Same people at the top", "share of the top of the list that stays on it between such fits", 0, True),
}
"""Metrics of everybody together that have a name of their own; those at the top of the list, and net benefit, are named by `metric_of`."""


def metric_of(name: str) -> Metric:
    """What a metric is called and means; one that is not known by name is called by it."""
    return METRICS.get(name) or Metric(name.replace("_", " "), "")
