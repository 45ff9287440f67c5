"""The rows of risk/model_run: every model of a training run beside the others. What does not belong here: how any figure is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.disclosure.small_numbers import rounded
from fuller_popheath.risk.subgroups import NOT_RECORDED
from fuller_popheath.risk.verdicts import AUROC_DIFFERENCE, worst

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.risk.training import Trained
    from fuller_popheath.risk.training_sets import TrainingSet

WITH_INTERVAL = ("auroc", "calibration_slope", "observed_over_expected")
ALONE = ("auprc", "brier", "scaled_brier", "calibration_in_the_large")


def unfitted_row(as_of: date, outcome: str, age_group: str, is_synthetic: bool, needed: int) -> dict[str, Any]:
    """The row of an outcome and age group that has too few events for a model."""
    return {
        "as_of": as_of,
        "outcome": outcome,
        "age_group": age_group,
        "model": "none",
        "status": "too_few_events",
        "is_champion": False,
        "is_demonstration": is_synthetic,
        **dict.fromkeys(("fitted_count", "fitted_outcome_count", "validated_count", "validated_outcome_count"), 0),
        "told": f"fewer than {needed} of the people to fit on had it, or fewer than a fifth of that of those to judge on; train on more people",
    }


def auroc_gains(compared: pa.Table) -> dict[str, dict[str, float | None]]:
    """By model, the difference in AUROC to the default model, with its interval, from the rows of a comparison."""
    rows = [row for row in compared.to_pylist() if row["metric"] == AUROC_DIFFERENCE]
    return {row["model"]: {end: row[end] for end in ("value", "lower", "upper")} for row in rows}


def run_row(
    one: Trained,
    judged: Sequence[pa.Table],
    gain: Mapping[str, float | None] | None,
    sets: TrainingSet,
    as_of: date,
    is_champion: bool,
    is_synthetic: bool,
) -> dict[str, Any]:
    """The row of one model, from its rows of risk/evaluation about everybody."""
    rows = [found for table in judged for found in table.to_pylist()]
    of_all = {found["metric"]: found for found in rows if found["subgroup_kind"] == "all"}
    row: dict[str, Any] = {
        "as_of": as_of,
        "outcome": sets.outcome,
        "age_group": sets.age_group,
        "model": one.spec.name,
        "status": "fitted",
        "role": one.spec.role,
        "model_id": one.model_id,
        "is_champion": is_champion,
        "is_demonstration": is_synthetic,
        # Rounded as in risk/evaluation: the difference of two counts may be a few people.
        "fitted_count": int(rounded(one.manifest["people"]["fit"]["people"])),
        "fitted_outcome_count": int(rounded(one.manifest["people"]["fit"]["with_outcome"])),
        "validated_count": int(rounded(sets.validate.features.num_rows)),
        "validated_outcome_count": int(rounded(sets.validate.has_outcome.sum())),
        **{name: of_all[name]["value"] for name in (*WITH_INTERVAL, *ALONE) if name in of_all},
        **{f"{name}_{end}": of_all[name][end] for name in WITH_INTERVAL if name in of_all for end in ("lower", "upper")},
    }
    if gain is not None:
        row |= {"auroc_difference": gain["value"], "auroc_difference_lower": gain["lower"], "auroc_difference_upper": gain["upper"]}
    verdicts = [found["verdict"] for found in rows if _decides(found)]
    row["verdict"] = worst(verdicts)
    if row["verdict"]:
        counted = {verdict: verdicts.count(verdict) for verdict in ("red", "amber", "green")}
        told = ", ".join(f"{count} {verdict}" for verdict, count in counted.items() if count)
        row["told"] = f"{told}: discrimination, overall calibration, IMD quintiles, and against the model in use"
    return row


def _decides(row: Mapping[str, Any]) -> bool:
    """Whether a judged figure counts for the model's verdict: groups beside the quintiles are shown, but most are too small to tell."""
    of_all = row["subgroup_kind"] == "all"
    of_quintile = row["subgroup_kind"] == "imd_quintile" and row["subgroup"] != NOT_RECORDED and row["metric"] == "observed_over_expected"
    return bool(row["verdict"]) and (of_all or of_quintile)
