"""Checks of models: leaks, calibration, fairness across quintiles, predecessors, drift. The verdicts were reached by the domain; here they are told.

A red model that is not in use harms nobody, so only a leak fails as an error: whoever reads its figures would be deceived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipelines import describe

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site

EVALUATION, DRIFT, SCORECARD = "risk/evaluation", "risk/drift", "products/risk_scorecard"
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
SHOWN = 5
QUINTILES = ("1", "2", "3", "4", "5")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class VerdictCheck:
    """A check on the rows of risk/evaluation that `is_about` picks: it fails where one of them is red, and says so where there is none to judge."""

    name: str
    sentence: str
    is_about: Callable[[Row], bool]
    severity: dg.AssetCheckSeverity = WARN


def _of_all(row: Row) -> bool:
    return bool(row["subgroup_kind"] == "all" and row["validation"] == "temporal")


def _of_quintile(row: Row) -> bool:
    """Whether a row is about a quintile: who has none recorded is in no quintile."""
    return bool(row["subgroup_kind"] == "imd_quintile" and row["subgroup"] in QUINTILES)


CHECKS = (
    VerdictCheck(
        "no_leak", "No model discriminates better than its outcome allows.", lambda row: _of_all(row) and row["metric"] == "auroc", severity=ERROR
    ),
    VerdictCheck(
        "calibrated",
        "Overall, observed over expected and the calibration slope lie within the limits of site.toml.",
        lambda row: _of_all(row) and row["metric"] in ("observed_over_expected", "calibration_slope"),
    ),
    VerdictCheck(
        "fair_by_quintile",
        "In every IMD quintile, observed over expected lies within the limits of site.toml.",
        lambda row: _of_quintile(row) and row["validation"] == "temporal" and row["metric"] == "observed_over_expected",
    ),
    VerdictCheck(
        "no_worse_than_before",
        "No model is worse than the one in use, on the same people.",
        lambda row: row["metric"].endswith("_to_predecessor"),
    ),
)


def verdicts_of(evaluation: pa.Table) -> Iterator[dg.AssetCheckResult]:
    """Each check's result on the rows of a training run."""
    rows = [row for row in evaluation.to_pylist() if row["verdict"]]
    for check in CHECKS:
        about = [row for row in rows if check.is_about(row)]
        yield _told(
            EVALUATION, check.name, check.severity, about, lambda row: f"{_model(row)}, {row['subgroup_kind']} {row['subgroup']}: {row['metric']}"
        )


def drift_verdict(table: pa.Table, site: Site) -> dg.AssetCheckResult:
    """Whether a feature of a model in use has drifted beyond the limits."""
    rows = [row for row in table.to_pylist() if row["verdict"]]
    limits = f"index above {site.monitoring.population_stability:g}, or missing share moved by over {site.monitoring.missing_points:g} points"
    return _told(DRIFT, "stable", WARN, rows, lambda row: f"{row['model_id']}: {row['feature']}", limits)


def scorecard_verdict(table: pa.Table, site: Site) -> dg.AssetCheckResult:
    """Whether every group's observed over expected lies within the limits."""
    low, high = site.monitoring.observed_over_expected
    rows = [row for row in table.to_pylist() if row["verdict"]]
    limits = f"the 95 % interval of observed over expected wholly outside {low:g} to {high:g}"
    return _told(SCORECARD, "calibrated", WARN, rows, lambda row: f"{_model(row)}, {row['subgroup_kind']} {row['subgroup']}", limits)


def _model(row: Row) -> str:
    return f"{row['outcome']} {row['age_group']} {row.get('model') or ''}".strip()


def _told(
    contract_id: str, name: str, severity: dg.AssetCheckSeverity, rows: Iterable[Row], words: Callable[[Row], str], limits: str = ""
) -> dg.AssetCheckResult:
    judged = list(rows)
    red = [words(row) for row in judged if row["verdict"] == "red"]
    amber = sum(row["verdict"] == "amber" for row in judged)
    shown = [*red[:SHOWN], *([f"and {len(red) - SHOWN} more"] if len(red) > SHOWN else [])]
    if not judged:
        # It must not stop a night in which there is nothing yet, and must not look as if something had been found good.
        description = "not judged: nothing to judge"
        none = dict.fromkeys(("red", "amber", "judged"), 0)
        return dg.AssetCheckResult(
            asset_key=describe.key_of(contract_id), check_name=name, passed=True, severity=WARN, description=description, metadata=none
        )
    description = f"{len(red)} red, {amber} amber of {len(judged)} judged" + (f" (red: {limits})" if limits else "")
    return dg.AssetCheckResult(
        asset_key=describe.key_of(contract_id),
        check_name=name,
        passed=not red,
        severity=severity,
        description=f"{description}: {'; '.join(shown)}" if red else description,
        metadata={"red": len(red), "amber": amber, "judged": len(judged)},
    )
