"""Several facts and feature groups in one go: handing facts on by the person's number gives what the store gives, and some columns are as all are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ibis
import pyarrow as pa
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.engine import Engine
from fuller_popheath.errors import ContractBroken, InputMissing, SettingsWrong
from fuller_popheath.feature_store import FeatureBuild, build_fact, build_feature
from fuller_popheath.specs import FactSpec, Night

Build = Callable[..., Any]
FACTS = ("core/person_cluster", "core/person_medicine", "core/person_measurement")
GROUPS = ("features/conditions", "features/frailty", "features/measurements", "features/medicines", "features/comorbidity")


@pytest.fixture
def sources(core_table: Build, persons: Build, ago: Build) -> dict[str, pa.Table]:
    """Three people out of the order of their ids, with readings on several days, a resolution, medicines old and new."""
    codes = ("z.asthma.1", "z.copd.1", "z.hypertension.1", "z.heart_failure.1")
    events = [{"person": n % 3, "event_date": ago(5 + 40 * n), "code": codes[n % 4]} for n in range(40)]
    readings = [{"person": n % 2, "event_date": ago(3 + 70 * n), "code": "z.systolic_bp.1", "value": 120.0 + n} for n in range(12)]
    issues = [{"person": n % 3, "issue_date": ago(9 + 60 * n), "code": "z.statin.1" if n % 2 else "z.opioid.1"} for n in range(15)]
    people = persons(3, age_years=70)
    return {
        "core/person": people.take([2, 0, 1]),
        "core/event": core_table("core/event", events),
        "core/measurement": core_table("core/measurement", readings),
        "core/medication_issue": core_table("core/medication_issue", issues),
    }


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine.duckdb() as engine:
        yield engine


def stored(sources: Mapping[str, pa.Table], night: Night, engine: Engine) -> dict[str, pa.Table]:
    facts = {name: build_fact(registry.facts()[name], engine, sources, night) for name in FACTS}
    assert all(table.num_rows > 0 for table in facts.values())
    return {name: build_feature(registry.features()[name], engine, {**sources, **facts}, night) for name in GROUPS}


def test_facts_handed_on_give_the_features_that_stored_facts_give(sources: dict[str, pa.Table], night: Build, engine: Engine) -> None:
    expected = stored(sources, night(), engine)
    with FeatureBuild(engine, sources, night()) as build:
        for name in FACTS:
            build.hand_on(registry.facts()[name])
        for name in GROUPS:
            assert build.feature(registry.features()[name]).equals(expected[name])


@pytest.mark.parametrize("name", GROUPS)
def test_some_columns_are_what_they_are_among_all(name: str, sources: dict[str, pa.Table], night: Build, engine: Engine) -> None:
    expected = stored(sources, night(), engine)[name]
    wanted = expected.column_names[2::3]
    with FeatureBuild(engine, sources, night()) as build:
        for fact in FACTS:
            build.hand_on(registry.facts()[fact])
        assert build.feature(registry.features()[name], tuple(reversed(wanted))).equals(expected.select(["as_of", "person_id", *wanted]))


def test_what_a_fact_is_not_asked_for_is_not_handed_on(sources: dict[str, pa.Table], night: Build, engine: Engine) -> None:
    with FeatureBuild(engine, sources, night()) as build:
        build.hand_on(registry.facts()["core/person_cluster"], ("last_date",))
        known = build.tables_known(("core/person_cluster",))["core/person_cluster"]
        assert sorted(known.columns) == ["cluster", "last_date", "person_row"]


def test_a_fact_for_the_store_is_in_order_whether_or_not_it_was_handed_on(sources: dict[str, pa.Table], night: Build, engine: Engine) -> None:
    with FeatureBuild(engine, sources, night()) as build:
        build.hand_on(registry.facts()["core/person_cluster"])
        made = build.fact(registry.facts()["core/person_cluster"])
    place = {person: number for number, person in enumerate(sources["core/person"]["person_id"].to_pylist())}
    keys = [(place[person], cluster) for person, cluster in zip(made["person_id"].to_pylist(), made["cluster"].to_pylist(), strict=True)]
    assert keys == sorted(keys) and made.schema == load_contract("core/person_cluster").schema


def test_a_fact_that_was_not_handed_on_and_is_not_there_is_named(sources: dict[str, pa.Table], night: Build, engine: Engine) -> None:
    with FeatureBuild(engine, sources, night()) as build, pytest.raises(InputMissing, match="core/person_cluster, core/person_medicine"):
        build.feature(registry.features()["features/frailty"])


def test_a_column_that_no_contract_has_is_refused(sources: dict[str, pa.Table], night: Build, engine: Engine) -> None:
    with FeatureBuild(engine, sources, night()) as build:
        with pytest.raises(SettingsWrong, match="core/person_cluster has no column shoe_size"):
            build.hand_on(registry.facts()["core/person_cluster"], ("shoe_size",))
        with pytest.raises(SettingsWrong, match="features/hospital has no column shoe_size"):
            build.feature(registry.features()["features/hospital"], ("shoe_size",))


def test_facts_that_say_something_twice_are_not_handed_on(sources: dict[str, pa.Table], night: Build, engine: Engine) -> None:
    def twice(tables: Any, night: Night) -> Any:
        fact = tables["core/person"].select("person_row", medicine=ibis.literal("statin"), count_90=ibis.literal(1))
        return ibis.union(fact, fact)

    with FeatureBuild(engine, sources, night()) as build, pytest.raises(ContractBroken, match="core/person_medicine: 3 of 6 rows"):
        build.hand_on(FactSpec("core/person_medicine", (), twice), ("count_90",))


def test_the_engine_forgets_what_was_handed_on(sources: dict[str, pa.Table], night: Build, engine: Engine) -> None:
    with FeatureBuild(engine, sources, night()) as build:
        build.hand_on(registry.facts()["core/person_cluster"])
        assert engine.collect(build.tables_known(("core/person_cluster",))["core/person_cluster"]).num_rows > 0
    with FeatureBuild(engine, sources, night()) as build, pytest.raises(InputMissing):
        build.tables_known(("core/person_cluster",))


def test_compiling_leaves_the_settings_of_ibis_alone(sources: dict[str, pa.Table], night: Build, engine: Engine) -> None:
    before = ibis.options.sql.fuse_selects
    build_fact(registry.facts()["core/person_cluster"], engine, sources, night())
    assert ibis.options.sql.fuse_selects == before
