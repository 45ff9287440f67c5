"""Runs what `catalogue/facts` and `catalogue/features` declare, for the people of one night, on whichever engine the site chose.

This is the one place that keeps the future out: a builder gets rows that were known on the day, and nothing else. A row about a person is known when
the day of the thing itself and the day it was recorded (its contract's `known_by`) both lie before `as_of`: windows end at `as_of` without it;
a date of a known row that still lies ahead (a planned discharge) is emptied. Only facts that protect people may see all. What does not
belong here: any fact, feature, code or threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.contracts import Contract, conform, load_contract
from fuller_popheath.errors import ContractBroken, InputMissing, SettingsWrong
from fuller_popheath.specs import ContractId, FactSpec, FeatureSpec, Night, Parts, Pivot

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from fuller_popheath.engine import Engine

PERSON: ContractId = "core/person"
CODELISTS: ContractId = "codelists"
"""Not a contract: the code lists of the house, which every builder gets besides what it asks for. Columns cluster, kind, code_system, code, and
cluster_number: the cluster's place in the alphabet, which costs less to group by than its name."""
NUMBER = "cluster_number"

ROW = "person_row"
SUBJECT = "_subject"

Sources = Mapping[ContractId, "Parts | pa.Table"]


def build_fact(spec: FactSpec, engine: Engine, sources: Sources, night: Night) -> pa.Table:
    """The facts of one kind about the people of `core/person`, as the contract has them: one row a person and subject, ordered by both.

    `sources`: every table that `spec.inputs` names and `core/person`, as Arrow or as files. A builder may return `cluster_number` in place of the
    subject. Raises InputMissing for a table that is not there, SettingsWrong for a builder or contract that cannot be used, EngineFailed,
    ContractBroken for two rows of one person and subject.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    contract = load_contract(spec.contract)
    people = _people(sources)
    subject = _subject_of(contract)
    try:
        built = spec.build(tables_known(spec.inputs, engine, sources, night, sees_all=spec.sees_all), night)
        by = NUMBER if NUMBER in built.columns else subject
        own = [by if name == subject else name for name in _own_columns(contract, built.columns, but=subject)]
        facts = engine.collect(built.select(ROW, *own), f"computing {spec.contract}", as_written=True)
    finally:
        _forget(engine, (PERSON, CODELISTS, *spec.inputs))
    names = pa.array(cluster_names(_codelists(sources, night)) if by == NUMBER else sorted(facts[by].drop_null().unique().to_pylist()), pa.string())
    numbers = facts[by].combine_chunks() if by == NUMBER else pc.index_in(facts[by].combine_chunks(), names)
    rows = facts[ROW].combine_chunks()
    # Sorted here and not by the engine: one whole number for both is sorted in a quarter of the time.
    places = rows.to_numpy().astype(np.int64) << 32 | numbers.fill_null(len(names)).to_numpy()
    order = np.argsort(places)
    places = places[order]
    twice = int((places[1:] == places[:-1]).sum())
    if twice:
        raise ContractBroken(f"{spec.contract}: {twice} of {len(places)} rows are about a person and {subject} that have a row already")
    del places
    in_order = pa.array(order)
    columns = {
        **{name: facts[name].take(in_order) for name in facts.column_names if name not in (ROW, by)},
        "as_of": pa.repeat(pa.scalar(night.as_of, pa.date32()), facts.num_rows),
        "person_id": people.take(rows.take(in_order)),
        subject: names.take(numbers.take(in_order)),
    }
    return conform(pa.table(columns), contract)


def build_feature(spec: FeatureSpec, engine: Engine, sources: Sources, night: Night) -> pa.Table:
    """One group of features: one row for every person of `core/person`, in its order, with the contract's columns.

    Persons (with a pivot: persons and subjects) that the builder says nothing about get what the contract's column says under `absent`, else null.
    `sources` and errors as in `build_fact`; ContractBroken where the builder has two rows about one person.
    """
    import pyarrow as pa

    contract = load_contract(spec.contract)
    people = _people(sources)
    try:
        built = spec.build(tables_known(spec.inputs, engine, sources, night), night)
        columns = _pivoted(built, spec.pivot, contract, engine, len(people)) if spec.pivot else _one_row_each(built, contract, engine, len(people))
    finally:
        _forget(engine, (PERSON, CODELISTS, *spec.inputs))
    as_of = pa.repeat(pa.scalar(night.as_of, pa.date32()), len(people))
    return conform(pa.table({"as_of": as_of, "person_id": people, **columns}), contract)


def tables_known(
    inputs: tuple[ContractId, ...], engine: Engine, sources: Sources, night: Night, sees_all: bool = False
) -> dict[ContractId, ir.Table]:
    """The tables a builder may see, by contract id: `inputs`, `core/person` and the code lists, limited to what was known before `night.as_of`.

    Tables about persons have `person_row`, the person's position in `core/person`, in place of `person_id`; rows about anybody else are left out.
    Others (places) come as they are. `sees_all`: rows of any day (`FactSpec`). Raises InputMissing for a table that `sources` has not,
    SettingsWrong for one that cannot be limited to a day.
    """
    import pyarrow as pa

    missing = [name for name in (PERSON, *inputs) if name not in sources]
    if missing:
        raise InputMissing(f"the features need {', '.join(missing)}, which was not given")
    persons = _whole(sources[PERSON])
    numbered = persons.append_column(ROW, pa.array(np.arange(persons.num_rows, dtype=np.int32)))
    person = engine.table(_name(PERSON), numbered)
    places = person.select("person_id", ROW)
    # Who registered on the day itself is registered on it, so a person's own dates may be the day's.
    known = {PERSON: _without_the_future(person.drop("person_id"), (), night.as_of + timedelta(days=1))}
    for name in inputs:
        if name != PERSON:
            contract, given = load_contract(name), sources[name]
            rows = given if isinstance(given, Parts) else _with_few_texts(conform(given, contract), contract)
            known[name] = _known(engine.table(_name(name), rows, contract.schema), contract, places, night.as_of, sees_all)
    known[CODELISTS] = engine.table(_name(CODELISTS), _numbered(_codelists(sources, night)))
    return known


def _known(table: ir.Table, contract: Contract, places: ir.Table, as_of: date, sees_all: bool) -> ir.Table:
    import ibis

    if "person_id" not in contract.column_names:
        return table
    day = ibis.date(as_of.isoformat())
    if contract.known_by:
        if not sees_all:
            # A date of recording that was never given is the day of the thing itself.
            own = table[contract.known_by[0]]
            table = table.filter(reduce(and_, (ibis.coalesce(table[name], own) < day for name in contract.known_by[1:]), own < day))
            table = _without_the_future(table, contract.known_by, as_of)
    elif "as_of" in contract.primary_key:
        table = table.filter(table.as_of == day)
    else:
        raise SettingsWrong(f"{contract.id} is about persons and says neither by which dates a row is known (known_by) nor as at which day it is")
    return table.inner_join(places, "person_id").drop("person_id")


def _with_few_texts(table: pa.Table, contract: Contract) -> pa.Table:
    """The table with the texts of its key but the person's (the subject of a fact) held once each, as Parquet files hold them: an engine then
    compares each name once, and not each row."""
    for name in contract.primary_key if "as_of" in contract.primary_key else ():
        if name not in ("as_of", "person_id") and contract.column(name).logical_type == "string":
            place = table.column_names.index(name)
            table = table.set_column(place, name, table[name].combine_chunks().dictionary_encode())
    return table


def _without_the_future(table: ir.Table, except_columns: tuple[str, ...], first_unknown_day: date) -> ir.Table:
    """The table with every date from `first_unknown_day` on emptied, but for those of `except_columns`."""
    import ibis

    day = ibis.date(first_unknown_day.isoformat())
    dates = [name for name, kind in table.schema().items() if kind.is_date() and name not in except_columns]
    return table.mutate(**{name: ibis.ifelse(table[name] < day, table[name], None) for name in dates}) if dates else table


def _codelists(sources: Sources, night: Night) -> pa.Table:
    from fuller_popheath.codelists.loading import codelist

    given = sources.get(CODELISTS)
    if isinstance(given, Parts):
        raise SettingsWrong("the code lists must be given as an Arrow table")
    return given if given is not None else codelist(extra_folder=night.site.codelists_folder())


def cluster_names(codelists: pa.Table) -> list[str]:
    """The names of all clusters in the alphabet's order: a cluster's place in it is its `cluster_number`."""
    return sorted(set(codelists["cluster"].to_pylist()))


def _numbered(codelists: pa.Table) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.index_in(codelists["cluster"], pa.array(cluster_names(codelists), pa.string()))
    return codelists.append_column(NUMBER, numbers)


def _whole(given: Parts | pa.Table, columns: list[str] | None = None) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(given, Parts):
        return given
    if not given.paths:
        return load_contract(given.contract).schema.empty_table()
    return pa.concat_tables([pq.ParquetFile(path).read(columns) for path in given.paths])


def _people(sources: Sources) -> pa.Array:
    """The person ids of `core/person`, in its order. Raises InputMissing without it, ContractBroken where a person stands in it twice."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if PERSON not in sources:
        raise InputMissing(f"features are about the people of {PERSON}, which was not given")
    ids = _whole(sources[PERSON], ["person_id"])["person_id"].cast(pa.string()).combine_chunks()
    twice = len(ids) - pc.count_distinct(ids).as_py()
    if twice:
        raise ContractBroken(f"{PERSON}: {twice} of {len(ids)} rows are about a person who has a row already")
    return ids


def _name(contract_id: ContractId) -> str:
    return Path(contract_id).as_posix().replace("/", "_")


def _forget(engine: Engine, names: tuple[ContractId, ...]) -> None:
    for name in names:
        engine.forget(_name(name))


def _subject_of(contract: Contract) -> str:
    others = [name for name in contract.primary_key if name not in ("as_of", "person_id")]
    if len(others) != 1 or len(contract.primary_key) != 3:
        raise SettingsWrong(f"{contract.id}: the key of facts is as_of, person_id and the subject")
    return others[0]


def _own_columns(contract: Contract, built: tuple[str, ...], but: str | None = None) -> list[str]:
    """The contract's columns that the builder has to make. Raises SettingsWrong where one is missing, `but` where its number is there."""
    own = [name for name in contract.column_names if name not in ("as_of", "person_id")]
    missing = [name for name in (ROW, *own) if name not in built and not (name == but and NUMBER in built)]
    if missing:
        raise SettingsWrong(f"the builder of {contract.id} returns no column {', '.join(missing)}")
    return own


def _one_row_each(built: ir.Table, contract: Contract, engine: Engine, people: int) -> dict[str, pa.Array]:
    own = _own_columns(contract, built.columns)
    table = engine.collect(built.select(ROW, *own), f"computing {contract.id}")
    index = _index(table[ROW].to_numpy(), people, contract)
    return {name: _placed(table[name].combine_chunks(), index, contract, name) for name in own}


def _pivoted(built: ir.Table, pivot: Pivot, contract: Contract, engine: Engine, people: int) -> dict[str, pa.Array]:
    """A long result as columns. The engine only hands over the cells that are wanted: placing them here is many times faster than its own pivot."""
    import pyarrow as pa

    values = sorted({value for value, _ in pivot.columns})
    subjects = sorted({subject for _, subject in pivot.columns})
    numbers = engine.table(SUBJECT, pa.table({pivot.subject: pa.array(subjects, pa.string()), SUBJECT: pa.array(range(len(subjects)), pa.int32())}))
    try:
        long = built.inner_join(numbers, pivot.subject).select(ROW, SUBJECT, *values)
        table = engine.collect(long, f"computing {contract.id}")
    finally:
        engine.forget(SUBJECT)
    subject_of, row_of = table[SUBJECT].to_numpy().astype(np.int16), table[ROW].to_numpy()
    # Sorting sixteen-bit numbers is a radix sort: cheap, and each subject's rows then lie together.
    order = np.argsort(subject_of, kind="stable")
    ends = np.searchsorted(subject_of[order], np.arange(len(subjects) + 1))
    columns: dict[str, pa.Array] = {}
    for number, subject in enumerate(subjects):
        here = order[ends[number] : ends[number + 1]]
        index = _index(row_of[here], people, contract)
        for value in values:
            if (value, subject) in pivot.columns:
                name = pivot.columns[(value, subject)]
                columns[name] = _placed(table[value].take(pa.array(here)).combine_chunks(), index, contract, name)
    return {name: columns[name] for name in _own_columns(contract, (ROW, *columns))}


def _index(rows: np.ndarray, people: int, contract: Contract) -> np.ndarray:
    """For each person the position of their row among `rows`, -1 for none. Raises ContractBroken where a person has two."""
    index = np.full(people, -1, dtype=np.int64)
    index[rows] = np.arange(len(rows))
    twice = len(rows) - int((index >= 0).sum())
    if twice:
        raise ContractBroken(f"{contract.id}: {twice} of {len(rows)} rows are about a person who has a row already")
    return index


def _placed(values: pa.Array, index: np.ndarray, contract: Contract, name: str) -> pa.Array:
    """One cell a person, in the order of people: the value at `index`, and for -1 what the column is for persons without a record."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = contract.column(name)
    nobody = index < 0
    placed = values.take(pa.array(index, mask=nobody)).cast(column.arrow_type)
    if column.absent is None:
        return placed
    return pc.if_else(pa.array(nobody), pa.scalar(column.absent, column.arrow_type), placed)
