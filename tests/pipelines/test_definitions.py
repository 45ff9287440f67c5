"""The code location loads with nothing but code: no heavy library, no network, no setting, no file of data; and it says what it should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from fuller_popheath.contracts import contract_ids, load_contract
from fuller_popheath.registry import MADE_IN_STEPS, TRAINING_TABLES, extracts, facts, features, sources, tables
from pipelines.checks import CHECKS
from pipelines.definitions import defs

SNAPSHOT = Path(__file__).with_name("asset_graph.json")
HEAVY = ("pandas", "pyarrow", "geopandas", "shapely", "duckdb", "ibis", "scipy", "sklearn", "matplotlib", "python_calamine")

LOADS = """
import json, socket, sys

def no_network(*_, **__):
    raise OSError("definitions must load without a network")

socket.socket.connect = no_network
socket.create_connection = no_network
socket.getaddrinfo = no_network
from pipelines.definitions import defs

keys = sorted(key.to_user_string() for key in defs().resolve_all_asset_keys())
print(json.dumps({"keys": keys, "loaded": sorted(sys.modules)}))
"""


NO_TABLES = ("pages", "releases", "delivery", "lists", "cards")
"""Assets that are files."""

NOT_KEPT = "risk/outcome_label"
"""Labels are seen by training and the scorecard alone."""


def stored_contracts() -> set[str]:
    """Every contract but those of what practices send: of these the house keeps core tables only, in which nobody has a number."""
    return set(contract_ids()) - set(extracts()) - {NOT_KEPT}


def graph() -> dict[str, dict[str, object]]:
    """Every asset with its group, what it is made from and its checks."""
    found = defs().resolve_asset_graph()
    return {
        key.to_user_string(): {
            "group": found.get(key).group_name,
            "after": sorted(parent.to_user_string() for parent in found.get(key).parent_keys),
            "checks": sorted(check.name for check in found.get_check_keys_for_assets([key])),
        }
        for key in sorted(found.get_all_asset_keys(), key=lambda k: k.path)
    }


def test_definitions_load_light_and_alone(project_root: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "FULLER_SITE": str(tmp_path / "nowhere.toml"), "PYTHONPATH": str(project_root), "HOME": str(tmp_path)}
    loaded = subprocess.run([sys.executable, "-c", LOADS], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    told = json.loads(loaded.stdout)
    assert [name for name in HEAVY if name in told["loaded"]] == []
    assert "core/landing_file" in told["keys"] and "products/core20_by_pcn" in told["keys"]
    assert list(tmp_path.iterdir()) == []


def test_asset_graph_is_as_agreed() -> None:
    """After a wanted change: `python tests/pipelines/test_definitions.py` rewrites the snapshot, and the difference is reviewed with it."""
    assert graph() == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_contract_asset_and_declaration_are_one_name() -> None:
    assets = {key.to_user_string() for key in defs().resolve_all_asset_keys() if key.path[0] not in NO_TABLES}
    from_extracts = {core for spec in extracts().values() for core in spec.becomes}
    declared = {*sources(), *tables(), *facts(), *features(), *from_extracts, *MADE_IN_STEPS, "core/landing_file"}
    assert assets == stored_contracts() == declared
    assert set(extracts()) == {name for name in contract_ids("inbound") if name not in sources()}


@pytest.mark.parametrize("contract_id", sorted(stored_contracts()))
def test_every_asset_tells_what_its_contract_tells(contract_id: str) -> None:
    contract = load_contract(contract_id)
    spec = defs().resolve_asset_graph().get(dg.AssetKey(contract_id.split("/")))
    assert spec.description is not None and spec.description.startswith(contract.description.strip()[:40])
    assert spec.owners == ["team:population-health"]
    assert spec.tags["purpose"] == contract.purpose
    assert spec.kinds
    schema = spec.metadata["dagster/column_schema"]
    assert [(c.name, c.tags["classification"], c.constraints.nullable) for c in schema.columns] == [
        (c.name, c.classification, not c.required) for c in contract.columns
    ]
    if contract_id in tables() and tables()[contract_id].inputs:
        assert "dagster/column_lineage" in spec.metadata
        assert "| practice_code |" in str(spec.metadata["columns come from"].value) or "practice_code" not in contract.column_names


def test_lineage_goes_by_the_name_of_the_column() -> None:
    spec = defs().resolve_asset_graph().get(dg.AssetKey(["products", "core20_by_pcn"]))
    told = spec.metadata["dagster/column_lineage"].deps_by_column
    assert {dep.asset_key.to_user_string() for dep in told["pcn_code"]} == {"core/neighbourhood_practice"}
    assert "core20_percent" not in told


def test_every_statistical_check_stands_at_a_table_that_is_made() -> None:
    assert {check.at for check in CHECKS} <= {*tables(), *facts()}
    on_graph = {(check.asset_key.to_user_string(), check.name) for check in defs().resolve_asset_graph().asset_check_keys}
    assert {(check.at, check.name) for check in CHECKS} <= on_graph


def made_by(job: dg.JobDefinition) -> set[str]:
    return {key.to_user_string() for key in job.asset_layer.executable_asset_keys}


def test_the_nightly_schedule_is_off_until_somebody_switches_it_on() -> None:
    repository = defs().get_repository_def()
    schedule = repository.get_schedule_def("every_night")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "Europe/London")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    nightly = repository.get_job("nightly")
    monthly = {*TRAINING_TABLES, "cards/risk_models", "products/risk_scorecard"}
    files = {"pages/core20", "pages/atlas", "pages/profile", "lists/continuity", "cards/risk_models"}
    everything = {*stored_contracts(), *files, "releases/count_days", "releases/current", "delivery/receipts"}
    assert made_by(nightly) == everything - monthly
    assert made_by(repository.get_job("first_night")) == everything
    assert made_by(repository.get_job("monthly_training")) | made_by(repository.get_job("monthly_scorecard")) == monthly
    assert nightly.executor_def.name == "in_process"


def test_the_release_comes_after_everything_that_leaves() -> None:
    assets = graph()
    leaves = {name for name, told in assets.items() if told["group"] in ("products", "pages", "lists")}
    assert leaves == set(assets["releases/current"]["after"]) and len(leaves) > 5  # type: ignore[call-overload]


def test_no_dotenv_lies_in_the_project(project_root: Path) -> None:
    assert not (project_root / ".env").exists(), "Dagster lets .env override the real environment: keep settings in site.toml"


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(graph(), indent=1) + "\n", encoding="utf-8")
