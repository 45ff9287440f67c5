"""A table that breaks its contract is refused before anything is written: yesterday's stays, the check says why, nothing below it runs."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import InputMissing
from fuller_popheath.specs import Inputs, Night, TableSpec
from pipelines.guard import redact_whatever_is_not_guarded
from pipelines.steps import table_asset
from pipelines.stores import parquet_store
from pipelines.tonight import NightSettings
from tests.pipelines.conftest import AS_OF, Place

COUNTS = load_contract("core/registered_count")
MADE: dict[str, Any] = {"count": 10}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def build_counts(inputs: Inputs, night: Night) -> pa.Table:
    """As many people as MADE says."""
    row = {"as_of": night.as_of, "practice_code": "Y90013", "practice_name": "A", "lsoa_code": "E01000001", "registered_count": MADE["count"]}
    return pa.Table.from_pylist([{**row, "registrations_extract": night.as_of}], schema=COUNTS.schema)


def build_unplaced(inputs: Inputs, night: Night) -> pa.Table:
    """Everyone, under a reason."""
    rows = inputs["core/registered_count"].to_pylist()
    contract = load_contract("products/core20_unplaced")
    kept = [{name: row[name] for name in ("as_of", "practice_code", "lsoa_code", "registered_count")} for row in rows]
    return pa.Table.from_pylist([{**row, "imd_edition": "2019", "reason": "no_pcn"} for row in kept], schema=contract.schema)


TOY = (
    TableSpec("core/registered_count", (), build_counts),
    TableSpec("products/core20_unplaced", ("core/registered_count",), build_unplaced),
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> list[dg.AssetsDefinition]:
    monkeypatch.setitem(MADE, "count", 10)
    redact_whatever_is_not_guarded()
    return [table_asset(spec, "place") for spec in TOY]


def run(assets: list[dg.AssetsDefinition], instance: dg.DagsterInstance, wanted: str = "*", **night: str) -> dg.ExecuteInProcessResult:
    config = {**QUIET, "resources": {"night": {"config": night}}}
    resources = {"night": NightSettings(), "io_manager": parquet_store}
    return dg.materialize(assets, instance=instance, resources=resources, raise_on_error=False, run_config=config, selection=wanted)


def test_a_broken_table_never_replaces_the_good_one(landed: Place, instance: dg.DagsterInstance, toy: list[dg.AssetsDefinition]) -> None:
    assert run(toy, instance).success
    stored = landed.store / "core" / "registered_count" / f"as_of={AS_OF}" / "part.parquet"
    good = stored.read_bytes()
    MADE["count"] = -5
    broken = run(toy, instance)
    assert not broken.success
    assert stored.read_bytes() == good
    assert not landed.products.exists(), "a table reaches people with a release only"
    assert [p.name for p in stored.parent.iterdir()] == ["part.parquet"]
    assert broken.get_step_failure_events()[0].step_key == "core__registered_count"
    assert "products__core20_unplaced" not in {event.step_key for event in broken.get_step_success_events()}
    (verdict,) = [v for v in broken.get_asset_check_evaluations() if v.asset_key.path == ["core", "registered_count"]]
    assert not verdict.passed and verdict.metadata["error"].value == "ContractBroken"
    assert "registered_count.range" in verdict.description and "1 row" in verdict.description


def test_the_version_of_a_table_is_its_content(landed: Place, instance: dg.DagsterInstance, toy: list[dg.AssetsDefinition]) -> None:
    versions = []
    for count in (10, 10, 11):
        MADE["count"] = count
        made = run(toy, instance).asset_materializations_for_node("core__registered_count")[0]
        versions.append(made.tags["dagster/data_version"])
    assert versions[0] == versions[1] != versions[2]


def test_one_table_by_hand_needs_the_others_of_its_day(landed: Place, instance: dg.DagsterInstance, toy: list[dg.AssetsDefinition]) -> None:
    alone = run(toy, instance, "products/core20_unplaced", as_of="2026-07-01")
    failed = alone.failure_data_for_node("products__core20_unplaced")
    assert failed is not None and failed.user_failure_data is not None
    assert failed.user_failure_data.description == (
        "core/registered_count is not in the store for 2026-07-01 (it is there for no day); materialise it for that day first"
    )
    assert failed.user_failure_data.metadata["error"].value == InputMissing.__name__
    assert run(toy, instance, as_of="2026-07-01").success
    assert run(toy, instance, "products/core20_unplaced", as_of="2026-07-01").success


def test_one_edition_leaves_the_other_out(landed: Place) -> None:
    both, one = NightSettings().tonight(), NightSettings(edition="2019").tonight()
    table = pa.table({"imd_rank": [1, 2]})
    assert [both.wanted_part(f"reference/imd_{edition}", table).num_rows for edition in ("2019", "2025")] == [2, 2]
    assert [one.wanted_part(f"reference/imd_{edition}", table).num_rows for edition in ("2019", "2025")] == [2, 0]
    assert one.wanted_part("reference/practice_map", table).num_rows == 2


def test_the_icb_of_the_run_goes_before_the_sites(landed: Place) -> None:
    assert NightSettings().tonight().night.site.geography.icb == ""
    assert NightSettings(icb=" QHM ").tonight().night.site.geography.icb == "QHM"
