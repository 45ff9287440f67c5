"""What a manifest says of the place a model was made in: the features it may rely on, the code and the libraries.

What does not belong here: what it was trained on and how well it does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import FileRefused
from fuller_popheath.registry import features
from fuller_popheath.site import Training

PACKAGE = Path(__file__).resolve().parents[1]
CODE_OF_A_MODEL = ("catalogue", "codelists", "engine", "methods", "people", "place", "risk", "feature_store.py", "periods.py")
"""What decides a feature, a label or a score: a change anywhere in it is another code version."""

LIBRARIES = ("numpy", "scipy", "scikit-learn", "skops", "pyarrow", "pandas", "duckdb", "ibis-framework")


def feature_columns() -> tuple[str, ...]:
    """Every feature column, in the order of the feature groups and their contracts."""
    return tuple(column.name for name in features() for column in load_contract(name).columns if column.name not in ("as_of", "person_id"))


def feature_contract_hash() -> str:
    """A hash of what models rely on: id, column names, types, units and allowed values of every feature contract. Words do not count."""
    said = {
        name: [[c.name, c.logical_type, c.unit, c.required, c.allowed, c.absent] for c in load_contract(name).columns] for name in sorted(features())
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=list).encode()).hexdigest()


def code_version() -> str:
    """`<version of the package>+<hash of the sources>`: the same for the same code, wherever it lies."""
    digest = hashlib.sha256()
    for name in CODE_OF_A_MODEL:
        place = PACKAGE / name
        for path in [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix in (".py", ".csv") and p.is_file()):
            digest.update(f"{path.relative_to(PACKAGE).as_posix()}:".encode() + path.read_bytes() + b"\n")
    return f"{version('fuller-popheath')}+{digest.hexdigest()[:12]}"


def settings_of(manifest: Mapping[str, Any]) -> Training:
    """The settings that a model was made with, those that are still settings. Raises FileRefused where the manifest has none that can be read."""
    told = manifest.get("settings")
    try:
        return Training.model_validate({name: value for name, value in dict(told or {}).items() if name in Training.model_fields})
    except (TypeError, ValueError):
        raise FileRefused("the manifest of a model does not say with which settings it was made; train the model anew") from None


def made_with() -> dict[str, Any]:
    """The part of a manifest that is the same for all models of one run: feature_contract_hash, feature_columns, code_version, library_versions."""
    return {
        "feature_contract_hash": feature_contract_hash(),
        "feature_columns": list(feature_columns()),
        "code_version": code_version(),
        "library_versions": {name: version(name) for name in LIBRARIES},
    }
