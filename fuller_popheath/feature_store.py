"""Runs what `catalogue/facts` and `catalogue/features` declare, for the people of one night, on whichever engine the site chose.

This is the one place that keeps the future out: a builder gets rows that were known on the day, and nothing else. A row about a person is known when
the day of the thing itself and the day it was recorded (its contract's `known_by`) both lie before `as_of`: windows end at `as_of` without it;
a date of a known row that still lies ahead (a planned discharge) is emptied. Only facts that protect people may see all. What does not
belong here: any fact, feature, code or threshold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from functools import cached_property, reduce
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
    with FeatureBuild(engine, sources, night) as build:
        return build.fact(spec)


def build_feature(spec: FeatureSpec, engine: Engine, sources: Sources, night: Night) -> pa.Table:
    """One group of features: one row for every person of `core/person`, in its order, with the contract's columns.

    Persons (with a pivot: persons and subjects) that the builder says nothing about get what the contract's column says under `absent`, else null.
    `sources` and errors as in `build_fact`; ContractBroken where the builder has two rows about one person.
    """
    with FeatureBuild(engine, sources, night) as build:
        return build.feature(spec)


def tables_known(
    inputs: tuple[ContractId, ...], engine: Engine, sources: Sources, night: Night, sees_all: bool = False
) -> dict[ContractId, ir.Table]:
    """The tables a builder may see, by contract id: `inputs`, `core/person` and the code lists, limited to what was known before `night.as_of`.

    Tables about persons have `person_row`, the person's position in `core/person`, in place of `person_id`; rows about anybody else are left out.
    Others (places) come as they are. `sees_all`: rows of any day (`FactSpec`). Raises InputMissing for a table that `sources` has not,
    SettingsWrong for one that cannot be limited to a day.
    """
    return FeatureBuild(engine, sources, night).tables_known(inputs, sees_all)


class FeatureBuild:
    """Facts and features of one night on one engine, made one after the other. Use it in a `with`; not to be shared by threads.

    People are numbered once, and facts can be handed on by that number, where those of the store are joined by the text of the person's id. It
    can be told which columns are wanted, and what only others rest on is then not computed. `sources` and errors as in `build_fact`.
    """

    def __init__(self, engine: Engine, sources: Sources, night: Night) -> None:
        """Nothing is read yet. `sources` need not have the facts that will be handed on."""
        self._engine, self._sources, self._night = engine, sources, night
        self._tables: dict[ContractId, ir.Table] = {}
        self._known: dict[tuple[ContractId, bool], ir.Table] = {}
        self._handed_on: set[ContractId] = set()

    def __enter__(self) -> FeatureBuild:
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._tables:
            self._engine.forget(_name(name))
        self._tables.clear()
        self._known.clear()
        self._handed_on.clear()

    @cached_property
    def people(self) -> pa.Array:
        """The person ids of `core/person`, in its order. Raises InputMissing without it, ContractBroken where a person stands in it twice."""
        return _people(self._sources)

    def fact(self, spec: FactSpec) -> pa.Table:
        """As `build_fact`."""
        import pyarrow as pa

        contract, people = load_contract(spec.contract), self.people
        subject = _subject_of(contract)
        facts, places = self._facts(spec, contract)
        # Sorted here and not by the engine: one whole number for both is sorted in a quarter of the time.
        facts = facts.take(pa.array(np.argsort(places)))
        columns = {name: facts[name] for name in facts.column_names if name not in (ROW, subject)}
        columns["as_of"] = pa.repeat(pa.scalar(self._night.as_of, pa.date32()), facts.num_rows)
        columns["person_id"] = people.take(facts[ROW].combine_chunks())
        columns[subject] = facts[subject].combine_chunks().dictionary_decode()
        return conform(pa.table(columns), contract)

    def hand_on(self, spec: FactSpec, columns: Collection[str] | None = None) -> None:
        """Make facts for the features that follow instead of for the store. `columns`: those they need besides the subject; None for all."""
        contract = load_contract(spec.contract)
        wanted = None if columns is None else {*columns, _subject_of(contract)}
        facts, _ = self._facts(spec, _narrowed(contract, wanted))
        self._tables[spec.contract] = self._engine.table(_name(spec.contract), facts)
        self._known.pop((spec.contract, False), None)
        self._handed_on.add(spec.contract)

    def feature(self, spec: FeatureSpec, columns: Collection[str] | None = None) -> pa.Table:
        """As `build_feature`. `columns`: those that are wanted besides the key, in the contract's order whatever theirs; None for all."""
        import pyarrow as pa

        contract, people = _narrowed(load_contract(spec.contract), columns), self.people
        built = spec.build(self.tables_known(spec.inputs), self._night)
        if spec.pivot:
            placed = _pivoted(built, spec.pivot, contract, self._engine, len(people))
        else:
            placed = _one_row_each(built, contract, self._engine, len(people))
        as_of = pa.repeat(pa.scalar(self._night.as_of, pa.date32()), len(people))
        return conform(pa.table({"as_of": as_of, "person_id": people, **placed}), contract)

    def tables_known(self, inputs: tuple[ContractId, ...], sees_all: bool = False) -> dict[ContractId, ir.Table]:
        """As the function `tables_known`."""
        missing = [name for name in (PERSON, *inputs) if name not in self._sources and name not in self._handed_on]
        if missing:
            raise InputMissing(f"the features need {', '.join(missing)}, which was not given")
        return {name: self._limited(name, sees_all) for name in (PERSON, *inputs, CODELISTS)}

    def _limited(self, name: ContractId, sees_all: bool) -> ir.Table:
        if (name, sees_all) not in self._known:
            table, as_of = self._table(name), self._night.as_of
            if name == PERSON:
                # Who registered on the day itself is registered on it, so a person's own dates may be the day's.
                table = _without_the_future(table.drop("person_id"), (), as_of + timedelta(days=1))
            elif name != CODELISTS and name not in self._handed_on:
                table = _known(table, load_contract(name), self._table(PERSON).select("person_id", ROW), as_of, sees_all)
            self._known[(name, sees_all)] = table
        return self._known[(name, sees_all)]

    def _table(self, name: ContractId) -> ir.Table:
        """A source as it lies, people numbered and the clusters of the code lists too; the engine is told of each once."""
        if name not in self._tables:
            self._tables[name] = self._engine.table(_name(name), *self._rows(name), _may_lack(name))
        return self._tables[name]

    def _rows(self, name: ContractId) -> tuple[Parts | pa.Table, pa.Schema | None]:
        import pyarrow as pa

        if name == CODELISTS:
            return _numbered(_codelists(self._sources, self._night)), None
        given = self._sources[name]
        if name == PERSON:
            persons = _whole(given)
            return persons.append_column(ROW, pa.array(np.arange(persons.num_rows, dtype=np.int32))), None
        contract = load_contract(name)
        return given if isinstance(given, Parts) else _with_few_texts(conform(given, contract), contract), contract.schema

    def _facts(self, spec: FactSpec, contract: Contract) -> tuple[pa.Table, np.ndarray]:
        """person_row, the subject as a dictionary of texts, and the contract's other columns, in no order; and each row's place in the right one."""
        import pyarrow as pa
        import pyarrow.compute as pc

        subject = _subject_of(contract)
        built = spec.build(self.tables_known(spec.inputs, sees_all=spec.sees_all), self._night)
        by = NUMBER if NUMBER in built.columns else subject
        own = [by if name == subject else name for name in _own_columns(contract, built.columns, but=subject)]
        facts = self._engine.collect(built.select(ROW, *own), f"computing {contract.id}", as_written=True)
        names = cluster_names(_codelists(self._sources, self._night)) if by == NUMBER else sorted(facts[by].drop_null().unique().to_pylist())
        texts = pa.array(names, pa.string())
        numbers = facts[by].combine_chunks() if by == NUMBER else pc.index_in(facts[by].combine_chunks(), texts)
        places = facts[ROW].to_numpy().astype(np.int64) << 32 | numbers.fill_null(len(names)).to_numpy()
        in_order = np.sort(places)
        twice = int((in_order[1:] == in_order[:-1]).sum())
        if twice:
            raise ContractBroken(f"{contract.id}: {twice} of {len(places)} rows are about a person and {subject} that have a row already")
        told = pa.DictionaryArray.from_arrays(numbers.cast(pa.int32()), texts)
        return facts.drop_columns([by]).append_column(subject, told), places


def _narrowed(contract: Contract, columns: Collection[str] | None) -> Contract:
    """The contract with its key and these columns alone. Raises SettingsWrong for one it has not."""
    if columns is None:
        return contract
    unknown = sorted(set(columns) - set(contract.column_names))
    if unknown:
        raise SettingsWrong(f"{contract.id} has no column {', '.join(unknown)}")
    kept = tuple(column for column in contract.columns if column.name in columns or column.name in ("as_of", "person_id"))
    return dataclasses.replace(contract, columns=kept)


def _known(table: ir.Table, contract: Contract, places: ir.Table, as_of: date, sees_all: bool) -> ir.Table:
    import ibis

    if "person_id" not in contract.column_names:
        return table
    day = ibis.date(as_of.isoformat())
    if contract.known_by:
        if not sees_all:
            own = table[contract.known_by[0]]
            # A date of recording that was never given is the day of the thing itself.
            others = (table[name] if contract.column(name).required else ibis.coalesce(table[name], own) for name in contract.known_by[1:])
            table = table.filter(reduce(and_, (other < day for other in others), own < day))
            table = _without_the_future(table, contract.known_by, as_of)
    elif "as_of" in contract.primary_key:
        table = table.filter(table.as_of == day)
    else:
        raise SettingsWrong(f"{contract.id} is about persons and says neither by which dates a row is known (known_by) nor as at which day it is")
    return table.inner_join(places, "person_id").drop("person_id")


def _may_lack(name: ContractId) -> frozenset[str]:
    """The columns that files written under an earlier contract may lack: those that need not be filled."""
    return frozenset() if name == CODELISTS else frozenset(column.name for column in load_contract(name).columns if not column.required)


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
    # As a rule they come in order, and need not be counted then.
    in_order = not ids.null_count and pc.all(pc.less(ids[:-1], ids[1:])).as_py()
    twice = 0 if in_order else len(ids) - pc.count_distinct(ids).as_py()
    if twice:
        raise ContractBroken(f"{PERSON}: {twice} of {len(ids)} rows are about a person who has a row already")
    return ids


def _name(contract_id: ContractId) -> str:
    return Path(contract_id).as_posix().replace("/", "_")


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

    wanted = {cell: name for cell, name in pivot.columns.items() if name in contract.column_names}
    values = sorted({value for value, _ in wanted})
    subjects = sorted({subject for _, subject in wanted})
    numbers = engine.table(SUBJECT, pa.table({pivot.subject: pa.array(subjects, pa.string()), SUBJECT: pa.array(range(len(subjects)), pa.int32())}))
    try:
        long = built.filter(built[pivot.subject].isin(subjects)).inner_join(numbers, pivot.subject).select(ROW, SUBJECT, *values)
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
            if (value, subject) in wanted:
                name = wanted[(value, subject)]
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
