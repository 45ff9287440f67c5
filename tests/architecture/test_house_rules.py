"""The house rules that a machine can hold: sizes, names, one declaration a file, types, clocks, no address of a registry or a machine."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("fuller_popheath", "pipelines")
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager"}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def tracked_text_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", python_files(*PACKAGES, "tests", "bench"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_function_has_fewer_than_60_lines(path: Path) -> None:
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions(path) if f.end_lineno and f.end_lineno - f.lineno + 1 >= 60}
    assert not long


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_names_explain_themselves(path: Path) -> None:
    assert not SAY_NOTHING & set(path.relative_to(ROOT).with_suffix("").parts)


def _public(path: Path) -> list[ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_public_function_class_and_module_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    undocumented = [node.name for node in _public(path) if not ast.get_docstring(node)]
    assert not undocumented
    assert not tree.body or ast.get_docstring(tree)


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_public_function_is_typed(path: Path) -> None:
    untyped = [
        f"{node.name}({argument.arg})"
        for node in _public(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for argument in (*node.args.args, *node.args.kwonlyargs)
        if argument.annotation is None
    ]
    assert not untyped


@pytest.mark.parametrize("path", python_files("fuller_popheath"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_domain_reads_no_clock_no_global_chance_and_no_orchestrator(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(date|datetime|Timestamp)\.(now|today|utcnow)\(|\btime\.time\(", text)
    assert not re.search(r"\b(np|numpy)\.random\.(seed|rand|randn|randint|choice|normal|uniform)\(|^import random\b", text, re.M)
    assert not re.search(r"^\s*(from|import) (dagster|pipelines)\b", text, re.M)


HEAVY = {"pandas", "pyarrow", "ibis", "duckdb", "geopandas", "scipy", "sklearn", "matplotlib", "python_calamine", "shapely"}


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    """So that the Dagster page and `fuller --help` open quickly: at the top of a module only under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_top: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            at_top |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            at_top.add(node.module.split(".")[0])
    assert not at_top & HEAVY


def test_no_dot_env_file_that_would_override_the_real_environment() -> None:
    assert not (ROOT / ".env").exists()


def test_lock_files_pin_hashes_and_name_no_registry() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-setup.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pinned = re.findall(r"^[a-zA-Z0-9][\w.\-\[\],]*==", text, re.M)
        assert len(pinned) > 2
        assert text.count("--hash=sha256:") >= len(pinned)
        assert "://" not in text
        assert "index-url" not in text


def test_nothing_tracked_holds_a_path_of_a_machine() -> None:
    own_words = Path(__file__).resolve()
    machine_path = re.compile(r"(?<![\w./-])/(?:work|tmp|root|home)/\w")
    named = [
        str(path.relative_to(ROOT))
        for path in tracked_text_files()
        if path.resolve() != own_words
        and path.suffix not in {".png", ".lock", ".parquet", ".gz"}
        and machine_path.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not named


def test_import_laws_hold() -> None:
    result = subprocess.run([str(ROOT / ".venv/bin/lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:]
