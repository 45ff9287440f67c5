"""When a figure about a model is green, amber or red, and the limit in a sentence.

The limits are the site's ([monitoring] in site.toml) and the outcome's own: local choices, no source fixes them. What does not belong here: how a
figure is computed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuller_popheath.site import Monitoring
    from fuller_popheath.specs import OutcomeSpec

GREEN, AMBER, RED = "green", "amber", "red"
_WORST_LAST = (GREEN, AMBER, RED)

AUROC_DIFFERENCE = "auroc_difference"
BRIER_DIFFERENCE = "brier_difference"
TO_PREDECESSOR = "_to_predecessor"


@dataclass(frozen=True)
class Limits:
    """What a model is judged by. `highest_auroc`: above it a leak is likelier than a good model; None: not judged."""

    observed_over_expected: tuple[float, float]
    calibration_slope: tuple[float, float]
    highest_auroc: float | None = None


def limits_of(monitoring: Monitoring, outcome: OutcomeSpec | None = None, is_synthetic: bool = False) -> Limits:
    """The limits of a site and of an outcome; make-believe data is tidier than the world, so an outcome has a limit of its own for it."""
    highest = None if outcome is None else outcome.highest_auroc_synthetic if is_synthetic else outcome.highest_auroc
    return Limits(monitoring.observed_over_expected, monitoring.calibration_slope, highest)


def of_interval(lower: float | None, upper: float | None, limits: tuple[float, float]) -> str | None:
    """Red where the interval lies wholly outside the limits, amber where it straddles one, green where it lies within; None without an interval."""
    if lower is None or upper is None or lower != lower or upper != upper:
        return None
    if upper < limits[0] or lower > limits[1]:
        return RED
    return GREEN if limits[0] <= lower and upper <= limits[1] else AMBER


def of_metric(metric: str, value: float | None, lower: float | None, upper: float | None, limits: Limits) -> str | None:
    """The verdict on one figure of a model; None where the metric is not judged or has no value.

    `auroc` is red above the outcome's limit, whatever its interval. A difference to the predecessor is red where its whole interval says worse.
    """
    if value is None or value != value:
        return None
    if metric == "auroc":
        return None if limits.highest_auroc is None else RED if value > limits.highest_auroc else GREEN
    if metric == "observed_over_expected":
        return of_interval(lower, upper, limits.observed_over_expected)
    if metric == "calibration_slope":
        return of_interval(lower, upper, limits.calibration_slope)
    if metric.endswith(TO_PREDECESSOR):
        return RED if is_worse(metric, lower, upper) else GREEN
    return None


def is_worse(metric: str, lower: float | None, upper: float | None) -> bool:
    """Whether a difference (new less old) says for sure, at its level, that the new model is worse: lower AUROC, or higher Brier score."""
    if metric.startswith(BRIER_DIFFERENCE):
        return lower is not None and lower > 0
    return upper is not None and upper < 0


def of_drift(stability_index: float | None, missing_then: float | None, missing_now: float | None, monitoring: Monitoring) -> str | None:
    """Red where the stability index, or the move of the missing share in percentage points, is above its limit; amber above half of it."""
    moved = None if missing_then is None or missing_now is None else abs(missing_now - missing_then)
    shares = [v / limit for v, limit in ((stability_index, monitoring.population_stability), (moved, monitoring.missing_points)) if v is not None]
    if not shares:
        return None
    return RED if max(shares) > 1 else AMBER if max(shares) > 0.5 else GREEN


def worst(verdicts: Iterable[str | None]) -> str | None:
    """The worst of several verdicts; None where nothing was judged."""
    found = [_WORST_LAST.index(verdict) for verdict in verdicts if verdict]
    return _WORST_LAST[max(found)] if found else None


def in_words(limits: Limits) -> dict[str, str]:
    """What each judged metric is held against, a sentence each, for a check's description."""
    low, high = limits.observed_over_expected
    slope_low, slope_high = limits.calibration_slope
    told = {
        "observed_over_expected": f"red where the 95 % interval of observed over expected lies wholly outside {low:g} to {high:g}; amber where it "
        "straddles an edge",
        "calibration_slope": f"red where the 95 % interval of the calibration slope lies wholly outside {slope_low:g} to {slope_high:g}; amber where "
        "it straddles an edge",
        AUROC_DIFFERENCE + TO_PREDECESSOR: "red where the 95 % interval of the difference in AUROC to the model in use before lies wholly below 0",
        BRIER_DIFFERENCE
        + TO_PREDECESSOR: "red where the 95 % interval of the difference in Brier score to the model in use before lies wholly above 0",
    }
    if limits.highest_auroc is not None:
        told["auroc"] = f"red where the AUROC is above {limits.highest_auroc:g}: look for a feature that knows the outcome"
    return told
