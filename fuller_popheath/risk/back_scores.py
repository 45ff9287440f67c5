"""What the models in use would have said at an earlier index date, of people rebuilt from tonight's records; for want of scores from then.

Each person is scored by a recalibration that does not know what became of them (`recalibration.py`). Still it is kinder to a model than scores of the
time would be: it was chosen by how it does in that year, its level is that year's, and most of these people it was fitted on, a year before. What
does not belong here: labels, and any figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.errors import InputMissing
from fuller_popheath.risk.model_manifest import settings_of
from fuller_popheath.risk.recalibration import groups_of_people, lines_to_judge_by
from fuller_popheath.risk.scoring import ScoringModel
from fuller_popheath.risk.subgroups import Groups, groups
from fuller_popheath.risk.training_sets import ADULT, ADULT_AGE

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.risk.index_population import IndexPopulation


def back_scores(models: Sequence[ScoringModel], population: IndexPopulation, manifests: Mapping[str, Mapping[str, Any]]) -> tuple[pa.Table, Groups]:
    """The scores (person_id, outcome, age_group, model_id, probability) of everybody who was at risk, and the groups of those rows.

    `manifests`: by model id what its manifest says, of which the lines of recalibration are read. Models of outcomes that the population has no
    labels of are left out. Raises InputMissing where there is no manifest of a model, FileRefused where one has no settings.
    """
    import pyarrow as pa
    from scipy.special import expit

    if unsaid := [each.model_id for each in models if each.model_id not in manifests]:
        raise InputMissing(f"{', '.join(unsaid)}: not said how it was recalibrated, so nobody knows by which line to ask it; read its manifest")
    is_adult = population.people["age_years"].to_numpy() >= ADULT_AGE
    scores, rows = [], [np.empty(0, np.int64)]
    for each in (each for each in models if each.model.outcome in population.labels):
        model = each.model
        can = population.labels[model.outcome]["is_at_risk"].to_numpy().astype(bool)
        at = np.flatnonzero(can & (is_adult if model.age_group == ADULT else ~is_adult))
        features = population.features.take(pa.array(at))
        manifest = manifests[each.model_id]
        lines = lines_to_judge_by(model.recalibration, manifest, population.index_date)
        group = groups_of_people(features["person_id"], settings_of(manifest).seed)
        same = {"outcome": model.outcome, "age_group": model.age_group, "model_id": each.model_id}
        scores.append(
            pa.table(
                {
                    "person_id": features["person_id"],
                    **{name: pa.repeat(text, len(at)) for name, text in same.items()},
                    "probability": np.asarray(expit(lines.apply(model.log_odds(features), group))),
                }
            )
        )
        rows.append(at)
    places = population.people.select(["person_id", "practice_code", "pcn_code", "place_code"])
    of_everybody = groups(population.features, places)
    texts = ("person_id", "outcome", "age_group", "model_id")
    none = pa.table({**{name: pa.array([], pa.string()) for name in texts}, "probability": pa.array([], pa.float64())})
    return pa.concat_tables(scores) if scores else none, of_everybody.take(np.concatenate(rows))
