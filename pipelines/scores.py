"""What the steps of risk gather from the store: tonight's features and who can have what, scores of earlier nights, and the people of a year ago.

What does not belong here: arithmetic, and whatever Dagster is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import empty_table, load_contract
from fuller_popheath.registry import features, outcomes

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fuller_popheath.risk.scoring import ScoringModel
    from pipelines.stores import Store
    from pipelines.tonight import Tonight

PERSON, OBJECTION, REGISTRATION = "core/person", "core/person_objection", "core/registration"
SCORE, REASON, CHANGE = "risk/score", "risk/score_reason", "risk/score_change"
YEAR = timedelta(days=365)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Kept:
    """A scorecard, the day its scores are of, and whether they were stored on that day."""

    table: pa.Table
    scored_as_of: date
    is_stored: bool


def features_of(tonight: Tonight, day: date) -> pa.Table:
    """Every feature of everybody of one day, side by side, as models see them."""
    from fuller_popheath.risk.index_population import beside

    groups = {name: tonight.store.read(name, day) for name in features()}
    return beside(groups, tonight.store.read(PERSON, day, ["person_id"]), day)


def scores_of_tonight(tonight: Tonight, models: Sequence[ScoringModel], say: Say) -> dict[str, pa.Table]:
    """Scores, reasons and what changed since the last night with scores; no rows where no model is in use."""
    from fuller_popheath.risk.score_change import score_change
    from fuller_popheath.risk.scoring import score

    if not models:
        return {name: empty_table(load_contract(name)) for name in (SCORE, REASON, CHANGE)}
    store, as_of = tonight.store, tonight.as_of
    scored = score(models, features_of(tonight, as_of), store.read(OBJECTION, as_of), _at_risk(tonight, models), tonight.night.site, as_of, say)
    day = store.before(SCORE, as_of)
    before, reasons_before = (store.read(SCORE, day), store.read(REASON, day)) if day else (None, None)
    has_scores = before is not None and before.num_rows > 0
    change = score_change(scored.score, scored.reasons, before if has_scores else None, reasons_before if has_scores else None, as_of)
    return {SCORE: scored.score, REASON: scored.reasons, CHANGE: change}


def _at_risk(tonight: Tonight, models: Sequence[ScoringModel]) -> dict[str, np.ndarray]:
    """For each outcome that not everybody can have, who can tonight."""
    from fuller_popheath.engine import Engine
    from fuller_popheath.risk.outcome_labels import at_risk_of

    specs = [outcomes()[name] for name in dict.fromkeys(each.model.outcome for each in models) if outcomes()[name].at_risk is not None]
    if not specs:
        return {}
    person = tonight.store.read(PERSON, tonight.as_of)
    sources: dict[str, Any] = {PERSON: person} | {name: tonight.store.scan(name, tonight.as_of) for spec in specs for name in spec.inputs}
    with Engine.from_site(tonight.night.site) as engine:
        return {spec.name: at_risk_of(spec, engine, sources, tonight.night, person.num_rows) for spec in specs}


def drift_of_tonight(tonight: Tonight, is_synthetic: bool) -> pa.Table:
    """The rows of risk/drift of every model in use; none where none is."""
    import pyarrow as pa

    from fuller_popheath.risk.drift import DRIFT, drift
    from fuller_popheath.risk.model_store import read_manifest
    from fuller_popheath.risk.scoring import scoring_models

    site, as_of = tonight.night.site, tonight.as_of
    models = scoring_models(site, site.folder("models"), is_synthetic, as_of)
    if not models:
        return empty_table(load_contract(DRIFT))
    whole, scores = features_of(tonight, as_of), tonight.store.read(SCORE, as_of)
    rows = []
    for each in models:
        about = {"outcome": each.model.outcome, "age_group": each.model.age_group, "model_id": each.model_id}
        of_model = scores.filter(pa.compute.equal(scores["model_id"], each.model_id))
        people = whole.filter(pa.compute.is_in(whole["person_id"], value_set=of_model["person_id"].combine_chunks()))
        reference = read_manifest(site.folder("models"), each.model_id)["reference"]
        rows.append(drift(reference, people, of_model["probability"].to_numpy(), about, as_of, site.monitoring))
    return pa.concat_tables(rows)


def scorecard_of_tonight(tonight: Tonight, is_synthetic: bool, say: Say) -> Kept | None:
    """Predicted against observed of the newest scores that are a year old, or else of the models in use; None where there is neither."""
    from fuller_popheath.risk.scorecard import followed_up, scorecard

    as_of, monitoring = tonight.as_of, tonight.night.site.monitoring
    old = [day for day in tonight.store.days(SCORE) if day <= as_of - YEAR]
    if old and tonight.store.read(SCORE, old[-1], ["person_id"]).num_rows:
        followed = followed_up(*_stored_scores(tonight, old[-1]))
        return Kept(scorecard(followed, as_of, old[-1], is_scored_then=True, monitoring=monitoring), old[-1], is_stored=True)
    asked = _asked_again(tonight, is_synthetic, say)
    if asked is None:
        return None
    followed = followed_up(*asked)
    return Kept(scorecard(followed, as_of, as_of - YEAR, is_scored_then=False, monitoring=monitoring), as_of - YEAR, is_stored=False)


def _stored_scores(tonight: Tonight, day: date) -> tuple[Any, Any, Any, Any]:
    """Scores of an earlier day as they were stored, what became of the people, their groups by that day's features, and who objects by now."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.engine import Engine
    from fuller_popheath.risk.outcome_labels import labels
    from fuller_popheath.risk.subgroups import groups

    store = tonight.store
    scores, person, of_day = store.read(SCORE, day), store.read(PERSON, day), features_of(tonight, day)
    specs = [outcomes()[name] for name in scores["outcome"].unique().to_pylist() if name in outcomes()]
    own = {name for spec in specs for name in spec.inputs}
    # What was known then comes from that day's store; what happened since, from tonight's.
    sources: dict[str, Any] = {name: store.scan(name, day if name in features() else tonight.as_of) for name in own}
    sources |= {PERSON: person, REGISTRATION: store.scan(REGISTRATION, tonight.as_of)}
    with Engine.from_site(tonight.night.site) as engine:
        made = labels(specs, engine, sources, replace(tonight.night, as_of=day), tonight.as_of)
    rows = pc.index_in(scores["person_id"], value_set=of_day["person_id"].combine_chunks())
    places = pa.table({name: person[name] for name in ("person_id", "pcn_code")})
    return scores, made, groups(of_day.take(rows), places.take(rows)), _objecting(tonight, person)


def _objecting(tonight: Tonight, people: pa.Table) -> pa.Array:
    """Ids of those of `people` (core/person of an earlier day) who object, tonight, to being scored or to being trained on, registered or not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.engine import Engine
    from fuller_popheath.risk.training_objections import objecting

    site = tonight.night.site
    # People who have left are judged anew, for training: so here what keeps out of scoring keeps out of training too.
    sorts = {name: getattr(site.objections, name) for name in ("type_1", "national_data_opt_out")}
    widened = site.objections.model_copy(update={name: (*kept, "training") if "scoring" in kept else kept for name, kept in sorts.items()})
    night = replace(tonight.night, site=site.model_copy(update={"objections": widened}))
    objects = objecting(lambda: Engine.from_site(site), source_from(tonight.store, tonight.as_of), night, people)
    told = tonight.store.read(OBJECTION, tonight.as_of, ["person_id", "excluded_from_scoring"])
    by_tonight = told["person_id"].filter(told["excluded_from_scoring"]).combine_chunks()
    return pc.unique(pa.concat_arrays([people["person_id"].filter(pa.array(objects)).combine_chunks(), by_tonight]))


def _asked_again(tonight: Tonight, is_synthetic: bool, say: Say) -> tuple[Any, Any, Any] | None:
    from fuller_popheath.risk.back_scores import back_scores
    from fuller_popheath.risk.model_store import read_manifest
    from fuller_popheath.risk.scoring import scoring_models
    from fuller_popheath.site import Training

    site = tonight.night.site
    folder = site.folder("models")
    models = scoring_models(site, folder, is_synthetic, tonight.as_of)
    if not models:
        return None
    wanted = site.training.model_copy(update={"outcomes": tuple(dict.fromkeys(each.model.outcome for each in models))})
    night = replace(tonight.night, site=site.model_copy(update={"training": wanted}))
    population = population_of(tonight, night, tonight.as_of - YEAR, say)
    made_with = {each.model_id: Training.model_validate(read_manifest(folder, each.model_id)["settings"]) for each in models}
    scores, groups = back_scores(models, population, made_with)
    return scores, population.labels, groups


def population_of(tonight: Tonight, night: Any, index_date: date, say: Say) -> Any:
    """The people of an earlier index date, rebuilt from what the store has for tonight."""
    from fuller_popheath.engine import Engine
    from fuller_popheath.risk.index_population import build

    return build(lambda: Engine.from_site(night.site), source_from(tonight.store, tonight.as_of), night, index_date, say=say)


def source_from(store: Store, day: date) -> Callable[[str], Any]:
    """A function that gives a table of a day: the files of extracts, which are big, else the whole table."""

    def source_of(name: str) -> Any:
        return store.scan(name, day) if store.is_in_parts(name) else store.read(name, day)

    return source_of
