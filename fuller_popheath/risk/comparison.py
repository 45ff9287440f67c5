"""Models beside each other on the same people: against the default model, against the model in use before, and one model between seeds.

The rows are of risk/evaluation. What does not belong here: which model is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.risk.evaluation import Predictions, row_of_everybody, table_of
from fuller_popheath.risk.model_figures import TOP_SHARE_OF_GROUPS, Figure, of_estimate
from fuller_popheath.risk.verdicts import AUROC_DIFFERENCE, BRIER_DIFFERENCE, TO_PREDECESSOR, Limits

if TYPE_CHECKING:
    import pyarrow as pa


def compare(models: Sequence[Predictions], default: str, as_of: date) -> pa.Table:
    """Each model less the default one, on the same people: AUROC (above 0: better) and Brier score (below 0: better), with paired intervals.

    Rows of risk/evaluation about everybody, none for the default model itself. Raises SettingsWrong where `default` names none of the models,
    ContractBroken where two of them were not judged on the same people.
    """
    base = next((p for p in models if p.model == default), None)
    if base is None:
        raise SettingsWrong(f"there are no predictions by the default model {default} among {', '.join(p.model for p in models) or 'none'}")
    return table_of([row_of_everybody(p, as_of, figure) for p in models if p is not base for figure in _differences(p, base)])


def against_predecessor(new: Predictions, before: Predictions, as_of: date, limits: Limits) -> pa.Table:
    """A model less the one in use before, on the same people: red where the whole paired interval says that the new one is worse.

    Rows of risk/evaluation about the new model. Raises ContractBroken where the two were not judged on the same people.
    """
    return table_of([row_of_everybody(new, as_of, figure, limits) for figure in _differences(new, before, TO_PREDECESSOR)])


def between_seeds(predictions: Predictions, probabilities: Sequence[np.ndarray], as_of: date) -> pa.Table:
    """How far models agree that differ in their seed alone: `probabilities` of the people of `predictions`, an array a seed.

    Rows of risk/evaluation about everybody: the lowest rank agreement (Spearman) of two seeds, the mean absolute difference of probabilities, and
    the lowest share of the top 5 % that two seeds have in common. No value for fewer than two seeds. Raises ContractBroken for other people.
    """
    from fuller_popheath.methods.stability import seed_agreement

    people = predictions.groups.people
    if any(len(each) != people for each in probabilities):
        raise ContractBroken(f"probabilities by seed must be of the {people} people of the predictions, in their order")
    found = seed_agreement(np.asarray(probabilities, np.float64).reshape(len(probabilities), people), TOP_SHARE_OF_GROUPS)
    figures = (
        Figure("seed_rank_agreement", found.lowest_rank_agreement),
        Figure("seed_mean_difference", found.mean_absolute_difference),
        Figure("seed_top_overlap", found.lowest_top_overlap),
    )
    return table_of([row_of_everybody(predictions, as_of, figure) for figure in figures])


def _differences(new: Predictions, base: Predictions, ending: str = "") -> list[Figure]:
    from fuller_popheath.methods.discrimination import auroc_difference
    from fuller_popheath.methods.probability_error import brier_difference

    same = (new.outcome, new.age_group, new.validation) == (base.outcome, base.age_group, base.validation)
    if not same or not np.array_equal(new.has_outcome, base.has_outcome):
        raise ContractBroken(
            f"{new.model} and {base.model} cannot be compared for {new.outcome}, {new.age_group}: judge both on the same people, in one order"
        )
    return [
        of_estimate(AUROC_DIFFERENCE + ending, auroc_difference(new.has_outcome, new.score, base.score)),
        of_estimate(BRIER_DIFFERENCE + ending, brier_difference(new.has_outcome, new.probability, base.probability)),
    ]
