"""A stored model judged again: on the people it was not recalibrated with, at the validation date of a later day or of the day it was made.

What does not belong here: fitting, and the comparison of models of one run (`training.py`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.risk import evaluation_curves
from fuller_popheath.risk.evaluation import Predictions, evaluate
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.model_store import StoredModel
from fuller_popheath.risk.subgroups import groups
from fuller_popheath.risk.training_sets import judging_rows
from fuller_popheath.risk.verdicts import limits_of
from fuller_popheath.site import Training

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import ContractId


def judge(stored: StoredModel, validation: IndexPopulation, site: Site, as_of: date) -> dict[ContractId, pa.Table]:
    """risk/evaluation and risk/evaluation_curve of one model, with verdicts, for everybody and in each group.

    Who it was recalibrated with is told by the settings in its manifest. Raises SettingsWrong where the population has no labels of its outcome.
    """
    import pyarrow as pa

    manifest, model = stored.manifest, stored.model
    settings = Training.model_validate(manifest["settings"])
    rows, is_unseen = judging_rows(validation, model.outcome, model.age_group, settings)
    log_odds = model.log_odds(rows.features)
    predictions = Predictions(
        outcome=model.outcome,
        age_group=model.age_group,
        model=model.model,
        model_id=stored.model_id,
        validation="temporal",
        has_outcome=rows.has_outcome,
        probability=model.probability_of(log_odds),
        score=log_odds,
        groups=groups(rows.features, rows.places),
    )
    limits = limits_of(site.monitoring, registry.outcomes()[model.outcome], bool(manifest["is_synthetic"]))
    share = validation.share * (1 - settings.calibration_share)
    judged = [evaluate(predictions, as_of, site, limits, share)]
    if is_unseen.any():
        judged.append(evaluate(predictions.take(is_unseen, "unseen"), as_of, site, limits, validation.share * settings.unseen_share))
    return {"risk/evaluation": pa.concat_tables(judged), "risk/evaluation_curve": evaluation_curves.curves(predictions, as_of)}
