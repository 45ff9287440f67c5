"""What the steps of risk gather from the store: tonight's features and who can have what, scores of earlier nights, and the people of a year ago.

What does not belong here: arithmetic, and whatever Dagster is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import empty_table, load_contract
from fuller_popheath.registry import features, outcomes
from fuller_popheath.sound_parquet import removing_damaged

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fuller_popheath.risk.index_population import IndexPopulation
    from fuller_popheath.risk.scoring import ScoringModel
    from fuller_popheath.specs import Night
    from pipelines.stores import Store
    from pipelines.tonight import Tonight

PERSON, OBJECTION, REGISTRATION = "core/person", "core/person_objection", "core/registration"
SCORE, REASON, CHANGE = "risk/score", "risk/score_reason", "risk/score_change"
DRIFT_PEOPLE = 200_000
"""Drift is looked for in so many people of a model, evenly taken: of more people it would not come out otherwise."""

Say = Callable[[str], None]


def features_of(tonight: Tonight, day: date) -> pa.Table:
    """Every feature of everybody of one day, side by side, as models see them."""
    from fuller_popheath.risk.index_population import beside

    groups = {name: tonight.store.read(name, day) for name in features()}
    return beside(groups, tonight.store.read(PERSON, day, ["person_id"]), day)


def scores_of_tonight(
    tonight: Tonight, models: Sequence[ScoringModel], whole: pa.Table | None, say: Say
) -> tuple[pa.Table, list[pa.Table], pa.Table]:
    """risk/score, risk/score_reason in parts, and risk/score_change since the last night with scores; no rows where no model is in use.

    `whole`: tonight's `features_of`.
    """
    from fuller_popheath.risk.scoring import scores_and_parts

    if not models or whole is None:
        return empty_table(load_contract(SCORE)), [], empty_table(load_contract(CHANGE))
    store, as_of = tonight.store, tonight.as_of
    scores, reasons = scores_and_parts(models, whole, store.read(OBJECTION, as_of), _at_risk(tonight, models), tonight.night.site, as_of, say)
    return scores, reasons, _changes(tonight, scores, reasons)


def _changes(tonight: Tonight, scores: pa.Table, reasons: Sequence[pa.Table]) -> pa.Table:
    """What changed since the last night with scores, one outcome after the other: the reasons of all of them are millions."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.risk.score_change import score_change

    day = tonight.store.before(SCORE, tonight.as_of)
    before = tonight.store.read(SCORE, day) if day else None
    made = []
    for outcome in scores["outcome"].unique().cast(pa.string()).to_pylist():
        own = [part for part in reasons if part.num_rows and part["outcome"][0].as_py() == outcome]
        told = pa.concat_tables(own) if own else empty_table(load_contract(REASON))
        of_outcome = scores.filter(pc.equal(scores["outcome"].cast(pa.string()), outcome))
        if before is None or day is None or not before.num_rows:
            made.append(score_change(of_outcome, told, None, None, tonight.as_of))
        else:
            scored = before.filter(pc.equal(before["outcome"], outcome))
            made.append(score_change(of_outcome, told, scored, _reasons_of(tonight.store, day, outcome), tonight.as_of))
    return pa.concat_tables(made) if made else empty_table(load_contract(CHANGE))


def _reasons_of(store: Store, day: date, outcome: str) -> pa.Table:
    """The stored reasons of one outcome, their texts kept once each."""
    import pyarrow.parquet as pq

    columns = ["person_id", "outcome", "place", "reason", "contribution", "words"]
    texts = ["person_id", "outcome", "reason", "words"]
    path = store.path(REASON, day)
    with removing_damaged(path, f"{REASON} of {day}"):
        return pq.read_table(
            path, columns=columns, filters=[("outcome", "=", outcome)], read_dictionary=texts, partitioning=None, page_checksum_verification=True
        )


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


def drift_of_tonight(tonight: Tonight, models: Sequence[ScoringModel], whole: pa.Table | None, scores: pa.Table) -> pa.Table:
    """The rows of risk/drift of every model in use; none where none is. `whole`: tonight's `features_of`; `scores`: tonight's risk/score."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.risk.drift import DRIFT, drift
    from fuller_popheath.risk.model_store import read_manifest

    site, as_of = tonight.night.site, tonight.as_of
    if not models or whole is None:
        return empty_table(load_contract(DRIFT))
    rows = []
    for each in models:
        about = {"outcome": each.model.outcome, "age_group": each.model.age_group, "model_id": each.model_id}
        at = np.flatnonzero(pc.equal(scores["model_id"].cast(pa.string()), each.model_id).to_numpy())
        of_model = scores.select(["person_id", "probability"]).take(at[:: -(-len(at) // DRIFT_PEOPLE) or 1])
        people = whole.take(pc.index_in(of_model["person_id"], value_set=whole["person_id"].combine_chunks()))
        reference = read_manifest(site.folder("models"), each.model_id)["reference"]
        rows.append(drift(reference, people, of_model["probability"].to_numpy(), about, as_of, site.monitoring))
    return pa.concat_tables(rows)


def scorecard_of_tonight(tonight: Tonight, is_synthetic: bool, say: Say) -> pa.Table | None:
    """products/risk_scorecard of the newest scores whose follow-up is over and told, or else of the models in use; None where there is neither."""
    from fuller_popheath.risk.scorecard import followed_up, scorecard
    from fuller_popheath.risk.training_sets import index_dates

    as_of, site = tonight.as_of, tonight.night.site
    _, last = index_dates(as_of, site.training.outcome_lag_days)
    old = [day for day in tonight.store.days(SCORE) if day <= last]
    if old and tonight.store.read(SCORE, old[-1], ["person_id"]).num_rows:
        followed = followed_up(*_stored_scores(tonight, old[-1]))
        return scorecard(followed, as_of, old[-1], is_scored_then=True, monitoring=site.monitoring)
    asked = _asked_again(tonight, last, is_synthetic, say)
    return None if asked is None else scorecard(followed_up(*asked), as_of, last, is_scored_then=False, monitoring=site.monitoring)


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


def _asked_again(tonight: Tonight, index_date: date, is_synthetic: bool, say: Say) -> tuple[Any, Any, Any] | None:
    from fuller_popheath.risk.back_scores import back_scores
    from fuller_popheath.risk.model_store import read_manifest
    from fuller_popheath.risk.scoring import scoring_models

    site = tonight.night.site
    folder = site.folder("models")
    models = scoring_models(site, folder, is_synthetic, tonight.as_of)
    if not models:
        return None
    wanted = site.training.model_copy(update={"outcomes": tuple(dict.fromkeys(each.model.outcome for each in models))})
    night = replace(tonight.night, site=site.model_copy(update={"training": wanted}))
    population = population_of(tonight.store, night, index_date, say)
    scores, groups = back_scores(models, population, {each.model_id: read_manifest(folder, each.model_id) for each in models})
    return scores, population.labels, groups


def population_of(store: Store, night: Night, index_date: date, say: Say) -> IndexPopulation:
    """The people of an earlier index date, rebuilt from what the store has for a night."""
    from fuller_popheath.engine import Engine
    from fuller_popheath.risk.index_population import build

    return build(lambda: Engine.from_site(night.site), source_from(store, night.as_of), night, index_date, say=say)


def source_from(store: Store, day: date) -> Callable[[str], Any]:
    """A function that gives a table of a day: the files of extracts, which are big, else the whole table."""

    def source_of(name: str) -> Any:
        return store.scan(name, day) if store.is_in_parts(name) else store.read(name, day)

    return source_of
