"""The people of an earlier day as models see them: who was registered then, every feature as it stood then, and what became of each since.

`core/person` is settled anew for the index date from tonight's registrations, those of people who have left or died since among them. Facts and
features go through `feature_store.py` with the index date as their day, so that nothing recorded from it on is seen. What does not belong
here: who is fitted on and who is not (`training_sets.py`), and what an outcome is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import ContractBroken, InputMissing, SettingsWrong
from fuller_popheath.feature_store import PERSON, ROW, FeatureBuild
from fuller_popheath.risk.given_tables import EngineFactory, SourceOf, each_part, whole
from fuller_popheath.risk.look_back import within_look_back
from fuller_popheath.risk.outcome_labels import REGISTRATION, follow_up, follow_up_ends, labels
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.risk.training_objections import objecting
from fuller_popheath.specs import ContractId, FactSpec, FeatureSpec, Night, Parts

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.engine import Engine

SAMPLE = "people at index dates"
"""What a person's number decides here; another one decides what they are used for."""

ENOUGH_PEOPLE, LEAST_SHARE = 50, 0.5
"""Records of people who died or left must be there for at least half as large a share of them as of everybody else, where there are enough to say."""


@dataclass(frozen=True)
class IndexPopulation:
    """People at one index date; every table has one row for each, in the same order, and nobody in it objects to training.

    `people`: core/person as at the index date. `features`: person_id and every column of every feature group, in the order of `registry.features()`.
    `labels`: by outcome, what `outcome_labels.label` returns. `objected`: those who were left out because they object (or nobody can tell), as rows
    of core/person. `share`: the share of registered people that was kept.
    """

    index_date: date
    as_of: date
    people: pa.Table
    features: pa.Table
    labels: Mapping[str, pa.Table]
    objected: pa.Table
    share: float


def build(
    engine_factory: EngineFactory,
    source_of: SourceOf,
    night: Night,
    index_date: date,
    people_at_most: int | None = None,
    say: Callable[[str], None] | None = None,
) -> IndexPopulation:
    """The population of one index date, from what is in the store for `night.as_of`.

    `engine_factory` makes a fresh engine (`lambda: Engine.from_site(site)`), `source_of` gives a table of tonight by its id, as files or whole:
    core/* and, for who objects, core/person_objection and core/practice_extract. At most about `people_at_most` (default training.people) are kept,
    the same ones at every date as far as they are there, before anything is computed about them. Outcomes: those of training.outcomes, else all.
    Raises what `labels` raises, InputMissing where records of people who died or left are not there, SettingsWrong for an unknown outcome.
    """
    at = replace(night, as_of=index_date)
    say = say or (lambda _: None)
    specs = outcomes_wanted(night)
    for spec in specs:
        follow_up_ends(spec, index_date, night.as_of)
    registrations, share = _sampled_registrations(source_of, at, people_at_most or night.site.training.people)
    person_spec = registry.tables()[PERSON]
    others = {name: whole(source_of(name), name) for name in person_spec.inputs if name != REGISTRATION}
    registered = person_spec.build({REGISTRATION: registrations, **others}, at)
    if not registered.num_rows:
        raise InputMissing(f"nobody was registered on {index_date}, by the registrations of {night.as_of}; take a later index date")
    say(f"{index_date}: {registered.num_rows:,} people")
    objects = objecting(engine_factory, source_of, night, registered)
    people = registered.filter(~objects)
    groups, has_record = _computed(engine_factory, source_of, at, people, say)
    features = beside(groups, people, index_date)
    with engine_factory() as engine:
        needed = {name for spec in specs for name in spec.inputs if name not in groups}
        sources = {**groups, **{name: source_of(name) for name in needed}, PERSON: people, REGISTRATION: registrations}
        made = labels(specs, engine, sources, at, night.as_of)
        _refuse_missing_records(engine, registrations, people, has_record, night.as_of)
    say(f"{index_date}: {features.num_columns - 1} features and {len(made)} outcomes of {people.num_rows:,} people")
    return IndexPopulation(index_date, night.as_of, people, features, made, registered.filter(objects), share)


def outcomes_wanted(night: Night) -> tuple[Any, ...]:
    """The outcomes that the site trains: those of training.outcomes, else all. Raises SettingsWrong for one that no file declares."""
    known, wanted = registry.outcomes(), night.site.training.outcomes
    if unknown := [name for name in wanted if name not in known]:
        raise SettingsWrong(f"training.outcomes names {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(spec for name, spec in known.items() if not wanted or name in wanted)


def beside(groups: Mapping[ContractId, pa.Table], people: pa.Table, index_date: date) -> pa.Table:
    """Feature groups as one table: person_id, then each group's own columns in the order of `registry.features()`, as far back as models look.

    Raises ContractBroken for a group that is as at another day than the index date (it may know what came later), about other people, or missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: dict[str, pa.ChunkedArray] = {"person_id": people["person_id"]}
    for name in registry.features():
        if name not in groups:
            raise ContractBroken(f"the feature group {name} is not there; build every group of features for the index date")
        group = groups[name]
        other_days = pc.sum(pc.not_equal(group["as_of"], index_date)).as_py() or 0
        if other_days:
            raise ContractBroken(f"{name}: {other_days} of {group.num_rows} rows are not as at the index date, {index_date}")
        if not group["person_id"].equals(people["person_id"]):
            raise ContractBroken(f"{name}: its {group.num_rows} rows are not about the {people.num_rows} people of the index date, in their order")
        own = [column for column in load_contract(name).column_names if column not in ("as_of", "person_id")]
        if twice := [column for column in own if column in columns]:
            raise ContractBroken(f"{name}: {', '.join(twice)} is a column of another feature group too; every feature needs a name of its own")
        columns.update({column: group[column] for column in own})
    return within_look_back(pa.table(columns))


def _sampled_registrations(source_of: SourceOf, at: Night, most: int) -> tuple[pa.Table, float]:
    """Every registration of the people who are kept, and their share. Cut before a person is settled, which looks at one person's rows alone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    given, seed = source_of(REGISTRATION), at.site.training.seed
    day = pa.scalar(at.as_of, pa.date32())
    registered = 0
    for part in each_part(given, REGISTRATION, ("person_id", "registration_start_date", "registration_end_date", "death_date")):
        ended = pc.less_equal(pc.coalesce(part["registration_end_date"], part["death_date"]), day).fill_null(False)
        begun = pc.less_equal(part["registration_start_date"], day)
        registered += pc.count_distinct(part["person_id"].filter(pc.and_(begun, pc.invert(ended)))).as_py()
    share = min(1.0, most / max(registered, 1))
    kept = [part.filter(person_share(part["person_id"], seed, SAMPLE) < share) for part in each_part(given, REGISTRATION)]
    return pa.concat_tables(kept) if kept else load_contract(REGISTRATION).schema.empty_table(), share


def _computed(
    engine_factory: EngineFactory, source_of: SourceOf, at: Night, people: pa.Table, say: Callable[[str], None]
) -> tuple[dict[ContractId, pa.Table], np.ndarray]:
    """Every feature group as at the index date, and of each person whether any fact is known."""
    specs: Mapping[ContractId, Any] = {**registry.facts(), **registry.features()}
    order = _in_order(registry.features())
    given = {name for contract in order for name in specs[contract].inputs if name not in specs and name != PERSON}
    sources: dict[ContractId, Parts | pa.Table] = {PERSON: people, **{name: source_of(name) for name in sorted(given)}}
    made: dict[ContractId, pa.Table] = {}
    has_record = np.zeros(people.num_rows, dtype=bool)
    with engine_factory() as engine, FeatureBuild(engine, sources, at) as build:
        for contract in order:
            spec: FactSpec | FeatureSpec = specs[contract]
            if isinstance(spec, FactSpec):
                build.hand_on(spec)
                rows = build.tables_known((contract,))[contract].select(ROW).distinct()
                has_record[engine.collect(rows, f"counting people in {contract}")[ROW].to_numpy()] = True
            else:
                made[contract] = sources[contract] = build.feature(spec)
            say(f"{at.as_of}: {contract}")
    return made, has_record


def _in_order(features: Mapping[ContractId, FeatureSpec]) -> tuple[ContractId, ...]:
    """Every feature group, and the facts that they rest on, each after what it is made from. Raises SettingsWrong where a feature rests on a fact
    that sees every day."""
    specs: Mapping[ContractId, Any] = {**registry.facts(), **features}
    needed: dict[ContractId, list[ContractId]] = {}
    waiting = list(features)
    while waiting:
        name = waiting.pop()
        if getattr(specs[name], "sees_all", False):
            raise SettingsWrong(f"{name} sees records of any day, so no feature may rest on it")
        needed[name] = [contract for contract in specs[name].inputs if contract in specs]
        waiting += [contract for contract in needed[name] if contract not in needed]
    return tuple(TopologicalSorter(needed).static_order())


def _refuse_missing_records(engine: Engine, registrations: pa.Table, people: pa.Table, has_record: np.ndarray, as_of: date) -> None:
    """Raises InputMissing where far fewer of those who died or left have records than of those who stayed: the gap would tell the future."""
    told = follow_up(engine, registrations, people, as_of, as_of)
    died, left = (told[name].is_valid().to_numpy() for name in ("death_date", "left_date"))
    stayed = ~died & ~left
    if not stayed.any():
        return
    usual = has_record[stayed].mean()
    for gone, who in ((died, "died"), (left & ~died, "left")):
        if gone.sum() >= ENOUGH_PEOPLE and has_record[gone].mean() < LEAST_SHARE * usual:
            raise InputMissing(
                f"{int((gone & ~has_record).sum()):,} of {int(gone.sum()):,} people who have {who} since have no coded record, but most of those who "
                "stayed do: a model would learn that from the gap. Ask practices to send records of registrations that ended within five years too"
            )
