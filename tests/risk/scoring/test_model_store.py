"""Stored models: what comes back is what was put in, and whatever is not as it was stored is refused before anything in it runs."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.errors import FileRefused, SettingsWrong
from fuller_popheath.risk import model_store
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.model_file import KNOWN_KINDS, TRUSTED, from_bytes, to_bytes
from fuller_popheath.risk.model_manifest import code_version, feature_columns, feature_contract_hash, made_with
from fuller_popheath.risk.model_store import MODEL_ID, load, model_id_of, model_ids, named, read_manifest, save

if TYPE_CHECKING:
    import pyarrow as pa

Manifest = Callable[..., dict[str, Any]]
Schema = dict[str, Any]


@pytest.fixture
def stored(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> tuple[Path, str]:
    """A folder with one model in it, and the model's id."""
    return tmp_path / "models", save(tmp_path / "models", additive, manifest(additive, metrics={"auroc": 0.79}))


def rewritten(data: bytes, change: Callable[[Schema], object], **members: bytes) -> bytes:
    """A skops file with another schema, and members added."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(sink, "w") as new:
        schema = json.loads(old.read("schema.json"))
        change(schema)
        for name in old.namelist():
            new.writestr(name, json.dumps(schema) if name == "schema.json" else old.read(name))
        for name, content in members.items():
            new.writestr(name, content)
    return sink.getvalue()


def plant(folder: Path, model_id: str, data: bytes) -> str:
    """Put another model file in place, with a manifest that vouches for it, as somebody who may write there could."""
    path = folder / model_id / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["model_sha256"] = hashlib.sha256(data).hexdigest()
    new_id = model_store._id(manifest, manifest["model_sha256"])
    manifest["model_id"] = new_id
    manifest["manifest_sha256"] = model_store._digest({k: v for k, v in manifest.items() if k != "manifest_sha256"})
    shutil.copytree(folder / model_id, folder / new_id, dirs_exist_ok=True)
    (folder / new_id / "manifest.json").write_text(json.dumps(manifest))
    (folder / new_id / "model.skops").write_bytes(data)
    return new_id


def test_every_kind_of_model_comes_back_and_scores_to_the_last_bit(
    every_model: Mapping[str, FittedModel], manifest: Manifest, some_people: Callable[[int, int], pa.Table], tmp_path: Path
) -> None:
    people = some_people(300, 31)
    for model in every_model.values():
        back = load(tmp_path, save(tmp_path, model, manifest(model))).model
        assert (back.probability(people) == model.probability(people)).all()
        assert (back.log_odds(people) == model.log_odds(people)).all()
        assert (back.encoding, back.recalibration) == (model.encoding, model.recalibration)
    assert len(model_ids(tmp_path)) == len(every_model)


def test_the_id_says_what_it_is_and_the_manifest_what_is_known(stored: tuple[Path, str], additive: FittedModel) -> None:
    folder, model_id = stored
    assert MODEL_ID.fullmatch(model_id)
    assert model_id.startswith("emergency_admission_12m.adult.additive.2026-08-01.")
    kept = load(folder, model_id).manifest
    assert kept["metrics"] == {"auroc": 0.79}
    assert kept["columns"] == list(additive.columns)
    assert kept["feature_columns"] == list(feature_columns())
    assert kept["feature_contract_hash"] == feature_contract_hash()
    assert kept["library_versions"]["skops"]


def test_only_the_owner_may_read(stored: tuple[Path, str]) -> None:
    folder, model_id = stored
    assert [oct(p.stat().st_mode & 0o777) for p in (folder, folder / model_id)] == ["0o700"] * 2
    assert [oct(p.stat().st_mode & 0o777) for p in sorted((folder / model_id).iterdir())] == ["0o600"] * 2


def test_the_same_model_has_the_same_bytes_and_id_and_is_stored_once(stored: tuple[Path, str], additive: FittedModel, manifest: Manifest) -> None:
    folder, model_id = stored
    assert to_bytes(additive) == to_bytes(load(folder, model_id).model)
    assert save(folder, load(folder, model_id).model, manifest(additive)) == model_id
    assert model_ids(folder) == (model_id,)
    assert read_manifest(folder, model_id)["metrics"] == {}


def test_the_id_is_known_before_the_model_is_judged(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    early = model_id_of(additive, manifest(additive))
    judged = {"auroc": 0.79, "model_id": early}
    assert save(tmp_path, additive, manifest(additive, metrics=judged)) == early
    assert model_id_of(additive, manifest(additive, seed=2)) != early


def test_a_model_fitted_on_make_believe_is_never_half_there(
    additive: FittedModel, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*args: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(model_store, "flush", full_disk)
    with pytest.raises(OSError, match="no space"):
        save(tmp_path, additive, manifest(additive))
    assert list(tmp_path.iterdir()) == []


def test_a_changed_byte_is_refused(stored: tuple[Path, str]) -> None:
    folder, model_id = stored
    path = folder / model_id / "model.skops"
    data = bytearray(path.read_bytes())
    for place in (0, len(data) // 2, len(data) - 1):
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(FileRefused, match="not the file that was stored"):
            load(folder, model_id)


@pytest.mark.parametrize(
    "change",
    [
        {"is_synthetic": False},
        {"metrics": {"auroc": 0.9}},
        {"outcome": "death_12m"},
        {"role": "challenger"},
        {"columns": []},
        {"model_sha256": "0" * 64},
        {"one_more": 1},
    ],
    ids=str,
)
def test_an_edited_manifest_is_refused(stored: tuple[Path, str], change: dict[str, Any]) -> None:
    folder, model_id = stored
    path = folder / model_id / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(FileRefused, match=r"manifest\.json has been changed"):
        load(folder, model_id)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"model_id": 1}'])
def test_a_manifest_that_is_none_is_refused(stored: tuple[Path, str], text: str) -> None:
    folder, model_id = stored
    (folder / model_id / "manifest.json").write_text(text)
    with pytest.raises(FileRefused):
        load(folder, model_id)


def test_the_manifest_of_another_model_is_refused(stored: tuple[Path, str], children: FittedModel, manifest: Manifest) -> None:
    folder, model_id = stored
    other = save(folder, children, manifest(children))
    with pytest.raises(FileRefused, match="of another model than the one beside it"):
        load(folder, plant(folder, model_id, (folder / other / "model.skops").read_bytes()))
    shutil.copy(folder / other / "manifest.json", folder / model_id / "manifest.json")
    with pytest.raises(FileRefused, match="has been changed"):
        load(folder, model_id)


class Planted:
    """Says so when it is made."""

    made = 0

    def __setstate__(self, state: object) -> None:
        Planted.made += 1


def foreign(node: Schema) -> None:
    node["content"]["content"]["estimator"] = {
        "__class__": "Planted",
        "__module__": __name__,
        "__loader__": "ObjectNode",
        "content": None,
        "__id__": 1,
    }


def through_a_trusted_loader(node: Schema) -> None:
    node["content"]["content"]["estimator"] = {
        "__class__": "partial",
        "__module__": "functools",
        "__loader__": "PartialNode",
        "content": {
            "func": {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": "os.system"},
            "args": {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": []},
            "kwds": {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}, "key_types": {}},
            "namespace": {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}, "key_types": {}},
        },
    }


def a_known_type_by_another_loader(node: Schema) -> None:
    node["content"]["content"]["estimator"] = {"__class__": "float64", "__module__": "numpy", "__loader__": "ObjectNode"}


def a_method(node: Schema) -> None:
    estimator = node["content"]["content"]["estimator"]
    node["content"]["content"]["estimator"] = {
        "__class__": estimator["__class__"],
        "__module__": estimator["__module__"],
        "__loader__": "MethodNode",
        "content": {"func": "fit", "obj": estimator},
    }


def a_nameless_kind(node: Schema) -> None:
    del node["content"]["content"]["estimator"]["__class__"]


@pytest.mark.parametrize("change", [foreign, through_a_trusted_loader, a_known_type_by_another_loader, a_method, a_nameless_kind])
def test_a_foreign_kind_planted_in_the_file_is_refused_before_it_is_made(stored: tuple[Path, str], change: Callable[[Schema], None]) -> None:
    folder, model_id = stored
    before = Planted.made
    data = rewritten((folder / model_id / "model.skops").read_bytes(), change)
    with pytest.raises(FileRefused, match=r"holds [1-9] objects of kinds that no model of ours has"):
        load(folder, plant(folder, model_id, data))
    assert Planted.made == before


def test_an_older_protocol_is_refused(stored: tuple[Path, str]) -> None:
    folder, model_id = stored
    data = rewritten((folder / model_id / "model.skops").read_bytes(), lambda schema: schema.update(protocol=0))
    with pytest.raises(FileRefused, match="another skops protocol"):
        from_bytes(data)


@pytest.mark.parametrize("name", ["../elsewhere.npy", "/etc/passwd", "evil.py", "1.npz", "1.pkl"])
def test_members_that_are_no_arrays_are_refused(stored: tuple[Path, str], name: str) -> None:
    folder, model_id = stored
    with pytest.raises(FileRefused, match="1 members that are neither arrays nor the schema"):
        from_bytes(rewritten((folder / model_id / "model.skops").read_bytes(), lambda schema: None, **{name: b"x"}))


def test_an_array_of_objects_is_not_unpickled(stored: tuple[Path, str]) -> None:
    """NumPy would unpickle it if it were allowed to."""
    import numpy as np

    folder, model_id = stored
    sink = io.BytesIO()
    np.save(sink, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileRefused, match="cannot be loaded"):
        from_bytes(rewritten((folder / model_id / "model.skops").read_bytes(), point_to("999.npy"), **{"999.npy": sink.getvalue()}))


def point_to(name: str) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        arrays = [node for node in _nodes(schema) if node.get("__loader__") == "NdArrayNode" and "file" in node]
        arrays[0]["file"] = name

    return change


def _nodes(node: Any) -> list[Schema]:
    below = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    return [*([node] if isinstance(node, dict) else []), *(each for one in below for each in _nodes(one))]


def test_a_compressed_file_is_refused_because_it_could_be_a_bomb(stored: tuple[Path, str]) -> None:
    folder, model_id = stored
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO((folder / model_id / "model.skops").read_bytes())) as old,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(FileRefused, match="compressed"):
        from_bytes(sink.getvalue())


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04 and no more"])
def test_what_is_no_skops_file_is_refused(data: bytes) -> None:
    with pytest.raises(FileRefused, match="no skops file"):
        from_bytes(data)


def test_something_else_than_a_model_is_refused() -> None:
    import skops.io

    with pytest.raises(FileRefused, match="something else than a model"):
        from_bytes(skops.io.dumps({"a": 1}))


def test_a_tree_that_points_outside_itself_is_refused(every_model: Mapping[str, FittedModel]) -> None:
    from copy import deepcopy

    model = deepcopy(every_model["boosting"])
    nodes = model.estimator.trees._predictors[0][0].nodes  # type: ignore[attr-defined]
    nodes["left"][0] = len(nodes) + 5
    with pytest.raises(FileRefused, match="points outside itself"):
        to_bytes(model)


def test_a_model_that_is_made_of_something_unknown_is_not_stored(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    strange = replace(additive, estimator=Planted())  # type: ignore[arg-type]
    with pytest.raises(FileRefused):
        save(tmp_path, strange, manifest(strange))
    assert model_ids(tmp_path) == ()


PATHS = [
    "../models",
    "..",
    "/etc",
    "",
    ".",
    "a/b.adult.additive.2026-08-01.0000000000000000",
    "emergency_admission_12m.adult.additive.2026-08-01.000000000000000G",
    "emergency_admission_12m.adult.additive.2026-08-01.0000000000000000/..",
    "emergency_admission_12m.adult.additive.2026-08-01.0000000000000000\n",
    "emergency_admission_12m.adult.additive.2026-08-01.0000000000000000\x00",
    "..\\..\\x",
]


@pytest.mark.parametrize("model_id", PATHS, ids=repr)
def test_an_id_cannot_lead_elsewhere(stored: tuple[Path, str], model_id: str) -> None:
    with pytest.raises(SettingsWrong, match="that is no model id"):
        load(stored[0], model_id)


def test_links_are_not_followed(stored: tuple[Path, str], tmp_path: Path) -> None:
    folder, model_id = stored
    shutil.move(folder / model_id, tmp_path / "elsewhere")
    (folder / model_id).symlink_to(tmp_path / "elsewhere")
    assert model_ids(folder) == ()
    with pytest.raises(SettingsWrong, match="there is no model"):
        load(folder, model_id)
    (folder / model_id).unlink()
    shutil.move(tmp_path / "elsewhere", folder / model_id)
    shutil.move(folder / model_id / "model.skops", tmp_path / "file")
    (folder / model_id / "model.skops").symlink_to(tmp_path / "file")
    with pytest.raises(FileRefused, match="is a link"):
        load(folder, model_id)


def test_a_model_that_is_not_there_is_refused_with_those_that_are(stored: tuple[Path, str], tmp_path: Path) -> None:
    folder, model_id = stored
    with pytest.raises(SettingsWrong, match=f"there are: {model_id}"):
        load(folder, model_id[:-8] + "00000000")
    with pytest.raises(SettingsWrong, match="there are: none"):
        load(tmp_path / "empty", model_id)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"role": ...}, "lacks role"),
        ({"outcome": "death_12m"}, "another outcome"),
        ({"as_of": "1 August"}, "ISO date"),
        ({"seed": float("nan")}, "finite numbers"),
        ({"seed": {1, 2}}, "finite numbers"),
    ],
)
def test_a_manifest_that_does_not_fit_is_not_stored(
    additive: FittedModel, manifest: Manifest, tmp_path: Path, change: dict[str, Any], what: str
) -> None:
    said = {name: value for name, value in {**manifest(additive), **change}.items() if value is not ...}
    with pytest.raises(SettingsWrong, match=what):
        save(tmp_path, additive, said)


def test_a_model_of_a_table_without_a_day_is_stored_too(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    model = replace(additive, outcome=named("Died within 30 days?"), age_group="everyone")
    model_id = save(tmp_path, model, manifest(model, as_of=None))
    assert model_id.startswith("died_within_30_days.everyone.additive.undated.")
    assert load(tmp_path, model_id).model.outcome == "died_within_30_days"


@pytest.mark.parametrize(
    ("text", "name"), [("HbA1c (mmol)", "hba1c_mmol"), ("../..", "unnamed"), ("", "unnamed"), ("é" * 50, "unnamed"), ("x" * 50, "x" * 32)]
)
def test_any_text_becomes_a_name(text: str, name: str) -> None:
    assert named(text) == name


def test_the_hash_of_the_features_is_the_same_every_time_and_the_code_has_a_version() -> None:
    assert feature_contract_hash() == feature_contract_hash()
    assert code_version() == code_version()
    assert set(made_with()) == {"feature_contract_hash", "feature_columns", "code_version", "library_versions"}


def test_nothing_that_can_run_code_is_trusted() -> None:
    dangerous = ("os.", "sys.", "subprocess", "builtins.eval", "builtins.exec", "builtins.getattr", "importlib", "pickle", "operator", "joblib")
    assert not [name for name in TRUSTED if name.startswith(dangerous)]
    assert not {loader for loader, _ in KNOWN_KINDS} & {"MethodNode", "OperatorFuncNode", "ConstructorFromReduceNode", "BytesNode"}
    assert {name for loader, name in KNOWN_KINDS if loader == "FunctionNode"} == {"sklearn.utils.validation.check_array"}
