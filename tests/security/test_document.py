"""docs/security.md says of every attack which test tries it: each of these exists, and every kind of attack that must be tried is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in TEXT.splitlines() if "::test_" in line]
WANTED = (
    *("forged workbook return", "path traversal in practice codes", "formula injection", "another team's recipient", "mutation by a viewer"),
    *("mutation by GET", "foreign Origin", "secrets in run config", "tampered model", "replayed delivery"),
)


def functions_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)}


def test_every_attack_names_a_test_that_exists() -> None:
    assert len(ROWS) > 30 and {len(row) for row in ROWS} == {4}
    missing = []
    for *_, named in ROWS:
        file, _, test = named.partition("::")
        if not (ROOT / file).is_file() or test not in functions_in(ROOT / file):
            missing.append(named)
    assert missing == []


def test_every_attack_that_must_be_tried_is_there() -> None:
    assert set(WANTED) <= {row[0] for row in ROWS}


def test_files_that_the_documents_name_exist() -> None:
    for document in ("security.md", "deploy.md"):
        text = (ROOT / "docs" / document).read_text(encoding="utf-8")
        named = {name.rstrip("/.") for name in re.findall(r"\b(?:deploy|docs|tests|pipelines)/[\w./-]+", text)}
        assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
