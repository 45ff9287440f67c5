"""No code of ours unpickles or pickles: a file that is loaded must not be able to run code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for folder in ("fuller_popheath", "pipelines", "bench") for path in (ROOT / folder).rglob("*.py"))
MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
LOADERS = ("Loader", "UnsafeLoader", "FullLoader", "CLoader")
CALLS = {"read_pickle", "to_pickle", "eval", "exec"}


def breaches(tree: ast.AST) -> list[str]:
    """What a module does that could run what a file says."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
            is_ours = isinstance(node.func, ast.Attribute) and name in ("eval", "exec")
            found += [name] if name in CALLS and not is_ours else []
            allowed = [word for word in node.keywords if word.arg == "allow_pickle"]
            found += ["allow_pickle" for word in allowed if not (isinstance(word.value, ast.Constant) and word.value.value is False)]
            if name == "load" and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in ("np", "numpy") and not allowed:
                found.append("numpy.load without allow_pickle=False")
            if ast.unparse(node.func) == "yaml.load" and not any(word.arg == "Loader" for word in node.keywords):
                found.append("yaml.load without a loader")
        elif (isinstance(node, ast.Attribute) and node.attr in LOADERS) or (isinstance(node, ast.Constant) and node.value in LOADERS):
            found.append("a YAML loader that makes objects")
    return found


def test_no_module_runs_what_a_file_says() -> None:
    assert len(FILES) > 300
    found = {str(path.relative_to(ROOT)): breaches(ast.parse(path.read_text(encoding="utf-8"))) for path in FILES}
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "text",
    [
        *("import pickle", "from joblib import load", "import dill.source", "pd.read_pickle(p)", "frame.to_pickle(p)", "eval(text)"),
        *(
            "np.load(p)",
            "np.load(p, allow_pickle=True)",
            "np.save(p, a, allow_pickle=choice)",
            "yaml.load(text)",
            "yaml.load(text, Loader=yaml.UnsafeLoader)",
        ),
    ],
)
def test_what_would_is_found(text: str) -> None:
    assert breaches(ast.parse(text))
