"""Every fact and every group of features, on DuckDB and on Spark, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fuller_popheath.engine import Engine
from fuller_popheath.feature_store import FeatureBuild, build_fact, build_feature
from fuller_popheath.registry import facts, features
from fuller_popheath.specs import Night

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    pytest.importorskip("pyspark", reason="pyspark is not installed: make test-spark installs it")
    with Engine.spark("local[2]", spill_to=tmp_path_factory.mktemp("spark")) as engine:
        yield engine


@pytest.fixture(scope="module")
def duckdb_facts(ics: dict[str, Any], night: Night) -> dict[str, pa.Table]:
    with Engine.from_site(night.site) as engine:
        return {name: build_fact(spec, engine, ics, night) for name, spec in facts().items()}


def differences(one: pa.Table, other: pa.Table) -> dict[str, int]:
    """How many cells of each column differ."""
    assert one.schema == other.schema
    assert one.num_rows == other.num_rows
    pairs = {name: (one[name].to_pylist(), other[name].to_pylist()) for name in one.column_names}
    return {name: n for name, (left, right) in pairs.items() if (n := sum(a != b for a, b in zip(left, right, strict=True)))}


@pytest.mark.parametrize("name", list(facts()))
def test_facts(name: str, ics: dict[str, Any], night: Night, spark: Engine, duckdb_facts: dict[str, pa.Table]) -> None:
    on_spark = build_fact(facts()[name], spark, ics, night)
    assert on_spark.num_rows > 0
    assert differences(duckdb_facts[name], on_spark) == {}


@pytest.mark.parametrize("name", list(features()))
def test_features(name: str, ics: dict[str, Any], night: Night, spark: Engine, duckdb_facts: dict[str, pa.Table]) -> None:
    sources = {**ics, **duckdb_facts}
    with Engine.from_site(night.site) as engine:
        on_duckdb = build_feature(features()[name], engine, sources, night)
    on_spark = build_feature(features()[name], spark, sources, night)
    assert on_spark.num_rows == sources["core/person"].num_rows
    # A column that is the same for everybody compares nothing.
    assert [c for c in on_spark.column_names if c != "as_of" and len(on_spark[c].unique()) < 2] == []
    assert differences(on_duckdb, on_spark) == {}


def test_facts_handed_on(ics: dict[str, Any], night: Night, spark: Engine, duckdb_facts: dict[str, pa.Table]) -> None:
    spec, wanted = features()["features/frailty"], ("efi_deficit_count", "efi_category")
    with Engine.from_site(night.site) as engine:
        on_duckdb = build_feature(spec, engine, {**ics, **duckdb_facts}, night)
    with FeatureBuild(spark, ics, night) as build:
        for name, columns in (("core/person_cluster", ("last_date", "is_current")), ("core/person_medicine", ("count_365",))):
            build.hand_on(facts()[name], columns)
        assert differences(on_duckdb.select(["as_of", "person_id", *wanted]), build.feature(spec, wanted)) == {}


def test_spark_leaves_nothing_in_the_project(project_root: Path, spark: Engine) -> None:
    assert not [name for name in ("spark-warehouse", "metastore_db", "derby.log", "artifacts") if (project_root / name).exists()]
