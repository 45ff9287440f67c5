"""The folder of fitted models: each whole, under an id that says what it is and ends in a hash of what is in it, with a manifest beside it.

`<folder>/<model id>/model.skops` and `manifest.json`, readable by their owner only. A file that has changed, holds anything but a model, or does not
fit its manifest is refused. Pictures and cards may lie in the same folder. What does not belong here: which model is in use (`promotion.py`).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fuller_popheath.errors import FileRefused, SettingsWrong
from fuller_popheath.risk.model_file import from_bytes, to_bytes
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, flush, make_folder, replace_whole

if TYPE_CHECKING:
    from fuller_popheath.risk.fitted import FittedModel

MODEL_FILE, MANIFEST_FILE = "model.skops", "manifest.json"
MODEL_ID = re.compile(r"[a-z0-9_]{1,64}\.[a-z0-9_]{1,32}\.[a-z0-9_]{1,64}\.([0-9]{4}-[0-9]{2}-[0-9]{2}|undated)\.[0-9a-f]{16}")
"""`<outcome>.<age group>.<model>.<as of>.<16 hex>`: no separator of paths, no dot that leads upwards, no link."""

HASH_DIGITS = 16
"""So many of the hash of what is in a model are in its id: with fewer, another model of the same id could be looked for."""

REQUIRED = ("outcome", "age_group", "model", "role", "as_of", "is_synthetic", "feature_contract_hash")
"""What every manifest says; more is welcome. `as_of`: ISO, or null for a model of a table without a day."""

WRITTEN_HERE = ("model_id", "columns", "model_sha256", "manifest_sha256")
"""What saving adds to a manifest."""

NOT_IN_THE_ID = (*WRITTEN_HERE, "metrics")
"""The id is known before the model has been judged, so that the judgement can name it; and judging it again does not change it."""


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A model as it was loaded, its id and what its manifest says."""

    model_id: str
    model: FittedModel
    manifest: Mapping[str, Any]


def model_id_of(model: FittedModel, manifest: Mapping[str, Any]) -> str:
    """The id that `save` gives, from the model's bytes and the manifest without its metrics. Raises SettingsWrong as `save` does."""
    _refuse_misfit(model, manifest)
    return _id(manifest, hashlib.sha256(to_bytes(model)).hexdigest())


def save(folder: Path, model: FittedModel, manifest: Mapping[str, Any]) -> str:
    """Store a model with its manifest (REQUIRED; the rest is free, JSON only) and return its id.

    The folder appears whole or not at all. The same model and manifest get the same id; saved again, only what differs is replaced. Raises
    SettingsWrong for a manifest that lacks something, does not fit the model or is no JSON, FileRefused for a model that could not be loaded again.
    """
    _refuse_misfit(model, manifest)
    data = to_bytes(model)
    model_sha256 = hashlib.sha256(data).hexdigest()
    model_id = _id(manifest, model_sha256)
    whole = {**_free(manifest), "metrics": manifest.get("metrics", {})}
    whole |= {"model_id": model_id, "columns": list(model.columns), "model_sha256": model_sha256}
    text = json.dumps({**whole, "manifest_sha256": _digest(whole)}, indent=2, sort_keys=True) + "\n"
    make_folder(folder, PRIVATE_FOLDER)
    place = folder / model_id
    if place.is_dir() and not place.is_symlink():
        _write(place, data, text)
        return model_id
    temporary = folder / f".{model_id}.{uuid4().hex}.tmp"
    try:
        make_folder(temporary, PRIVATE_FOLDER)
        _write(temporary, data, text)
        temporary.rename(place)
        flush(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return model_id


def load(folder: Path, model_id: str) -> StoredModel:
    """The model of that id. Raises SettingsWrong for an id that is none or is not there, FileRefused for a file that is not as it was stored."""
    manifest = read_manifest(folder, model_id)
    data = _read(folder / model_id / MODEL_FILE)
    if hashlib.sha256(data).hexdigest() != manifest["model_sha256"]:
        raise FileRefused(f"{model_id}: {MODEL_FILE} is not the file that was stored; restore it, or train again")
    model = from_bytes(data)
    if _names(model) != tuple(manifest[name] for name in ("outcome", "age_group", "model")) or list(model.columns) != manifest["columns"]:
        raise FileRefused(f"{model_id}: the manifest is of another model than the one beside it; restore both, or train again")
    return StoredModel(model_id, model, manifest)


def read_manifest(folder: Path, model_id: str) -> dict[str, Any]:
    """What is known of a model, without loading it. Errors as in `load`."""
    place = _place(folder, model_id)
    too_deep = FileRefused(f"{model_id}: {MANIFEST_FILE} is nested too deep; restore it, or train again")
    try:
        manifest = json.loads(_read(place / MANIFEST_FILE))
    except RecursionError:
        raise too_deep from None
    except ValueError:
        raise FileRefused(f"{model_id}: {MANIFEST_FILE} is no JSON; restore it, or train again") from None
    if not isinstance(manifest, dict) or any(name not in manifest for name in (*REQUIRED, *WRITTEN_HERE)):
        raise FileRefused(f"{model_id}: {MANIFEST_FILE} does not say what a manifest says; restore it, or train again")
    try:
        is_whole = manifest["manifest_sha256"] == _digest({name: value for name, value in manifest.items() if name != "manifest_sha256"})
        is_of_id = manifest["model_id"] == model_id and _id(manifest, str(manifest["model_sha256"])) == model_id
    except RecursionError:
        raise too_deep from None
    if not is_whole or not is_of_id:
        raise FileRefused(f"{model_id}: {MANIFEST_FILE} has been changed since the model was stored; restore it, or train again")
    return manifest


def model_ids(folder: Path) -> tuple[str, ...]:
    """The ids of the models that are there, sorted; whether they can be loaded is not looked at."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(place.name for place in folder.iterdir() if MODEL_ID.fullmatch(place.name) and place.is_dir() and not place.is_symlink()))


def named(text: str) -> str:
    """A text as part of a model id: small letters, digits and underscores, at most 32 of them."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:32] or "unnamed"


def _id(manifest: Mapping[str, Any], model_sha256: str) -> str:
    content = _digest({"model": model_sha256, "manifest": _free(manifest)})
    parts = (manifest["outcome"], manifest["age_group"], manifest["model"], manifest["as_of"] or "undated", content[:HASH_DIGITS])
    return ".".join(str(part) for part in parts)


def _free(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if name not in NOT_IN_THE_ID}


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _names(model: FittedModel) -> tuple[str, str, str]:
    return model.outcome, model.age_group, model.model


def _refuse_misfit(model: FittedModel, manifest: Mapping[str, Any]) -> None:
    if missing := [name for name in REQUIRED if name not in manifest]:
        raise SettingsWrong(f"the manifest of a model lacks {', '.join(missing)}")
    if _names(model) != tuple(manifest[name] for name in ("outcome", "age_group", "model")):
        raise SettingsWrong("the manifest names another outcome, age group or model than the model it was given with")
    try:
        if manifest["as_of"] is not None:
            date.fromisoformat(manifest["as_of"])
        json.dumps(manifest, allow_nan=False)
        model_id = _id(manifest, "")
    except (TypeError, ValueError, RecursionError):
        raise SettingsWrong("a manifest holds texts, finite numbers, true and false, lists and mappings by text, and as_of as an ISO date") from None
    if not MODEL_ID.fullmatch(model_id):
        raise SettingsWrong("outcome, age group and model of a manifest are small letters, digits and underscores: see model_store.named")


def _place(folder: Path, model_id: str) -> Path:
    """Where a model lies. Raises SettingsWrong for an id that could lead elsewhere, or is not there."""
    if not MODEL_ID.fullmatch(model_id):
        raise SettingsWrong("that is no model id: expected <outcome>.<age group>.<model>.<date>.<16 hexadecimal digits>, as `fuller train` prints it")
    place = folder / model_id
    if place.is_symlink() or not place.is_dir():
        there = ", ".join(model_ids(folder)) or "none"
        raise SettingsWrong(f"there is no model {model_id}; there are: {there}")
    return place


def _read(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise FileRefused(f"{path.parent.name}: {path.name} is not there, or is a link; restore it, or train again")
    return path.read_bytes()


def _write(place: Path, data: bytes, manifest: str) -> None:
    for name, content in ((MODEL_FILE, data), (MANIFEST_FILE, manifest.encode())):
        path = place / name
        if path.is_symlink() or not path.is_file() or path.read_bytes() != content:
            replace_whole(path, lambda temporary, content=content: temporary.write_bytes(content), PRIVATE_FILE)  # type: ignore[misc]
    flush(place)
