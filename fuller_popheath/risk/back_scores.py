"""What the models in use would have said at an earlier index date, of people rebuilt from tonight's records; for want of scores from then.

People whom a model was recalibrated with are left out, whatever their day. Still it is kinder to a model than scores of the time would be: it was
chosen by how it does in that year, and most of these people it was fitted on, a year before. What does not belong here: labels, and any figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import InputMissing
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.risk.scoring import ScoringModel
from fuller_popheath.risk.subgroups import Groups, groups
from fuller_popheath.risk.training_sets import ADULT, ADULT_AGE, USE

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.risk.index_population import IndexPopulation
    from fuller_popheath.site import Training


def back_scores(models: Sequence[ScoringModel], population: IndexPopulation, made_with: Mapping[str, Training]) -> tuple[pa.Table, Groups]:
    """The scores (person_id, outcome, age_group, model_id, probability) of everybody who was at risk and whom the model was not recalibrated with,
    and the groups of those rows.

    `made_with`: by model id the settings that its manifest keeps, which say whom it was recalibrated with. Models of outcomes that the population
    has no labels of are left out. Raises InputMissing where it is not said how a model was made.
    """
    import pyarrow as pa

    if unsaid := [each.model_id for each in models if each.model_id not in made_with]:
        raise InputMissing(f"{', '.join(unsaid)}: not said with which settings it was made, so nobody knows whom to leave out; read its manifest")
    is_adult = population.people["age_years"].to_numpy() >= ADULT_AGE
    scores, rows = [], [np.empty(0, np.int64)]
    for each in (each for each in models if each.model.outcome in population.labels):
        model = each.model
        can = population.labels[model.outcome]["is_at_risk"].to_numpy().astype(bool)
        settings = made_with[each.model_id]
        can &= person_share(population.people["person_id"], settings.seed, USE) >= settings.calibration_share
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
