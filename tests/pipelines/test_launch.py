"""What the terminal's way of starting a night rests on."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.pipelines.conftest import Place

PRIVATE = (
    ("dagster._core.definitions.reconstruct", "ReconstructableJob"),
    ("dagster._core.definitions.reconstruct", "ReconstructableRepository"),
    ("dagster._core.execution.api", "execute_run_iterator"),
    ("dagster._core.remote_origin", "RemoteJobOrigin"),
    ("dagster._core.remote_origin", "RemoteRepositoryOrigin"),
    ("dagster._core.workspace.load_target", "get_origins_from_toml"),
)


def test_dagster_still_has_the_private_names_that_a_launch_needs() -> None:
    import dagster

    moved = [f"{module}.{name}" for module, name in PRIVATE if not _has(module, name)]
    assert not moved, (
        f"Dagster {dagster.__version__} no longer has {', '.join(moved)}: find where its own command `dagster job execute` "
        "imports them from now, and change pipelines/launch.py and this list; until then stay on the Dagster of requirements.lock"
    )


def _has(module: str, name: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), name)
    except ImportError:
        return False


def test_the_list_is_what_launch_imports(project_root: Path) -> None:
    import ast

    tree = ast.parse((project_root / "pipelines" / "launch.py").read_text(encoding="utf-8"))
    froms = [node for node in tree.body if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dagster._")]
    assert {(str(node.module), alias.name) for node in froms for alias in node.names} == set(PRIVATE)


def test_the_folder_of_the_process_is_as_before_afterwards(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.launch import instance_of

    monkeypatch.chdir(tmp_path)
    with instance_of(place.folder):
        assert Path.cwd() == place.folder
    assert Path.cwd() == tmp_path
