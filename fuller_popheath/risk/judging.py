"""A stored model judged again: at the validation date of a later day or of the day it was made.

What does not belong here: fitting, and the comparison of models of one run (`training.py`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.risk import evaluation_curves
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.model_manifest import settings_of
from fuller_popheath.risk.model_store import StoredModel
from fuller_popheath.risk.predicting import judged, predictions_of
from fuller_popheath.risk.recalibration import lines_to_judge_by
from fuller_popheath.risk.subgroups import groups
from fuller_popheath.risk.training_sets import judging_rows
from fuller_popheath.risk.verdicts import limits_of

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import ContractId


def judge(stored: StoredModel, validation: IndexPopulation, site: Site, as_of: date) -> dict[ContractId, pa.Table]:
    """risk/evaluation and risk/evaluation_curve of one model, with verdicts, for everybody and in each group.

    Its manifest says on whom no model was fitted and by which line each is judged. Raises SettingsWrong where the population has no labels of its
    outcome, FileRefused where the manifest has no settings.
    """
    import pyarrow as pa

    manifest, model = stored.manifest, stored.model
    settings = settings_of(manifest)
    rows, is_unseen = judging_rows(validation, model.outcome, model.age_group, settings)
    lines = lines_to_judge_by(model.recalibration, manifest, validation.index_date)
    people = groups(rows.features, rows.places)
    predictions = predictions_of(model, stored.model_id, model.log_odds(rows.features), lines, rows, people, settings.seed)
    limits = limits_of(site.monitoring, registry.outcomes()[model.outcome], bool(manifest["is_synthetic"]))
    tables = judged(predictions, is_unseen, as_of, site, settings, limits, validation.share)
    return {"risk/evaluation": pa.concat_tables(tables), "risk/evaluation_curve": evaluation_curves.curves(predictions, as_of)}
