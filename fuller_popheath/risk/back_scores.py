"""What the models in use would have said at an earlier index date, of people rebuilt from tonight's records; for want of scores from then.

It is kinder to a model than scores of the time would be: the model knows that year. What does not belong here: labels, and any figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.risk.scoring import ScoringModel
from fuller_popheath.risk.subgroups import Groups, groups
from fuller_popheath.risk.training_sets import ADULT, ADULT_AGE

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.risk.index_population import IndexPopulation


def back_scores(models: Sequence[ScoringModel], population: IndexPopulation) -> tuple[pa.Table, Groups]:
    """The scores (person_id, outcome, age_group, model_id, probability) of everybody who was at risk, and the groups of those rows.

    Models of outcomes that the population has no labels of are left out.
    """
    import pyarrow as pa

    is_adult = population.people["age_years"].to_numpy() >= ADULT_AGE
    scores, rows = [], [np.empty(0, np.int64)]
    for each in (each for each in models if each.model.outcome in population.labels):
        model = each.model
        can = population.labels[model.outcome]["is_at_risk"].to_numpy().astype(bool)
        at = np.flatnonzero(can & (is_adult if model.age_group == ADULT else ~is_adult))
        features = population.features.take(pa.array(at))
        same = {"outcome": model.outcome, "age_group": model.age_group, "model_id": each.model_id}
        scores.append(
            pa.table(
                {
                    "person_id": features["person_id"],
                    **{name: pa.repeat(text, len(at)) for name, text in same.items()},
                    "probability": model.probability(features),
                }
            )
        )
        rows.append(at)
    places = population.people.select(["person_id", "practice_code", "pcn_code", "place_code"])
    of_everybody = groups(population.features, places)
    texts = ("person_id", "outcome", "age_group", "model_id")
    none = pa.table({**{name: pa.array([], pa.string()) for name in texts}, "probability": pa.array([], pa.float64())})
    return pa.concat_tables(scores) if scores else none, of_everybody.take(np.concatenate(rows))
