"""What a model says of the people it is judged on, and the rows of risk/evaluation that come of it: the same for a new model and for a stored one.

Nobody is judged by a recalibration that knows what became of them (`recalibration.CrossFitted`). What does not belong here: fitting, and which
people these are.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.risk.evaluation import Predictions, evaluate, row_of_everybody, table_of
from fuller_popheath.risk.model_figures import as_fitted
from fuller_popheath.risk.recalibration import CrossFitted, groups_of_people
from fuller_popheath.risk.subgroups import ALL, KINDS, Groups
from fuller_popheath.risk.training_sets import Rows
from fuller_popheath.risk.verdicts import Limits

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.risk.fitted import FittedModel
    from fuller_popheath.site import Site, Training


def predictions_of(
    model: FittedModel, model_id: str | None, log_odds: np.ndarray, lines: CrossFitted, rows: Rows, people: Groups, seed: int
) -> Predictions:
    """What a model predicts of `rows`, whose groups are `people`. `log_odds`: its score of them; `seed`: by which they are dealt among the lines."""
    from scipy.special import expit

    return Predictions(
        outcome=model.outcome,
        age_group=model.age_group,
        model=model.model,
        model_id=model_id,
        validation="temporal",
        has_outcome=rows.has_outcome,
        probability=np.asarray(expit(lines.apply(log_odds, groups_of_people(rows.features["person_id"], seed)))),
        score=log_odds,
        groups=people,
    )


def judged(
    predictions: Predictions, is_unseen: np.ndarray, as_of: date, site: Site, training: Training, limits: Limits | None, share: float
) -> list[pa.Table]:
    """The rows of risk/evaluation about one model: everybody and each group of people; then as it was fitted; then those no model is fitted on.

    `share`: which share of the people of the teams is in `predictions`; `training`: the settings that the model was made with. Without `limits` (a
    baseline) everybody together alone.
    """
    if limits is None:
        return [evaluate(predictions, as_of, site, None, share, (ALL,))]
    tables = [evaluate(predictions, as_of, site, limits, share, KINDS)]
    tables.append(table_of(row_of_everybody(predictions, as_of, figure) for figure in as_fitted(predictions.has_outcome, predictions.score)))
    if is_unseen.any():
        tables.append(evaluate(predictions.take(is_unseen, "unseen"), as_of, site, limits, share * training.unseen_share))
    return tables
