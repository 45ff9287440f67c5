"""A fitted model as bytes and back: skops, never pickle, and only the kinds of objects that our own models are made of.

The list of kinds stands here and nothing read from a file can add to it. Whoever may write to the model store can still change what a model says
(not what it does): folders are the owner's only, and what is promoted names the content's hash. The same model always gives the same bytes.
What does not belong here: folders, ids and manifests (`model_store.py`).
"""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.errors import FileRefused

if TYPE_CHECKING:
    from fuller_popheath.risk.fitted import FittedModel

SCHEMA = "schema.json"
MOST_BYTES = 2**29
"""Half a gigabyte: fifty times our largest model."""

_ARRAY = re.compile(r"[0-9]+\.npy")
_DAY_ONE = (1980, 1, 1, 0, 0, 0)
"""The first day a zip can carry: when a file was written is no part of a model."""

_SKLEARN_OBJECTS = (
    *("sklearn._loss.link.Interval", "sklearn._loss.link.LogitLink", "sklearn._loss.loss.HalfBinomialLoss"),
    "sklearn.compose._column_transformer.ColumnTransformer",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    *("sklearn.preprocessing._encoders.OrdinalEncoder", "sklearn.preprocessing._function_transformer.FunctionTransformer"),
    "sklearn.preprocessing._label.LabelEncoder",
)
_OWN_OBJECTS = (
    *("fuller_popheath.risk.encoding.Encoding", "fuller_popheath.risk.fitted.FittedModel", "fuller_popheath.risk.recalibration.Recalibration"),
    *("fuller_popheath.methods.additive_boosting.AdditiveBoosting", "fuller_popheath.methods.full_boosting.FullBoosting"),
    *("fuller_popheath.methods.rule_scores.SingleScore", "fuller_popheath.methods.rule_scores.ThresholdRule"),
    "fuller_popheath.methods.spline_logistic.SplineLogistic",
)
_NUMBERS = tuple(
    f"numpy.{name}" for name in ("ndarray", "bool", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "float32", "float64")
)

KNOWN_KINDS: frozenset[tuple[str, str]] = frozenset(
    {
        *(("ObjectNode", name) for name in (*_OWN_OBJECTS, *_SKLEARN_OBJECTS)),
        *(("NdArrayNode", name) for name in _NUMBERS),
        # The types of the keys of a dict, and of what an encoder makes.
        *(("TypeNode", name) for name in ("builtins.str", "builtins.int", "builtins.float", "numpy.float64")),
        *(("DictNode", "builtins.dict"), ("ListNode", "builtins.list"), ("TupleNode", "builtins.tuple"), ("SliceNode", "builtins.slice")),
        ("JsonNode", "builtins.str"),
        # The last three stand in every gradient boosting of scikit-learn that knows categories.
        *(("LossNode", "sklearn._loss._loss.CyHalfBinomialLoss"), ("RandomGeneratorNode", "numpy.random._generator.Generator")),
        *(("PartialNode", "functools.partial"), ("FunctionNode", "sklearn.utils.validation.check_array")),
    }
)
"""Every kind of object that a stored model may hold: how skops would make it, and what it would be."""

TRUSTED: tuple[str, ...] = tuple(sorted(name for _, name in KNOWN_KINDS))


def to_bytes(model: FittedModel) -> bytes:
    """The model as a skops file: the same bytes for the same model. Raises FileRefused for a model that could not be loaded again."""
    with zipfile.ZipFile(io.BytesIO(_skops().dumps(model))) as written:
        schema = json.loads(written.read(SCHEMA))
        numbers: dict[int, int] = {}
        _renumber(schema, numbers)
        arrays = {int(name.removesuffix(".npy")): name for name in written.namelist() if name != SCHEMA}
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as fixed:
            for old in sorted(arrays, key=lambda identity: numbers[identity]):
                fixed.writestr(zipfile.ZipInfo(f"{numbers[old]}.npy", _DAY_ONE), written.read(arrays[old]))
            fixed.writestr(zipfile.ZipInfo(SCHEMA, _DAY_ONE), json.dumps(schema))
    data = sink.getvalue()
    from_bytes(data)
    return data


def from_bytes(data: bytes) -> FittedModel:
    """The model of a skops file. Raises FileRefused, before anything in it is made, for one that holds more than models are made of."""
    from fuller_popheath.risk.fitted import FittedModel

    _refuse_unknown(_schema(data))
    try:
        with warnings.catch_warnings():
            # scikit-learn only warns where another version of it made the file.
            warnings.filterwarnings("error", module="sklearn")
            model = _skops().loads(data, trusted=list(TRUSTED))
    except Exception as wrong:
        raise FileRefused(f"the model file cannot be loaded ({type(wrong).__name__}); train the model again with the libraries in use") from None
    if not isinstance(model, FittedModel):
        raise FileRefused("the model file holds something else than a model")
    _refuse_broken_trees(model)
    return model


def _skops() -> Any:
    import skops.io  # type: ignore[import-untyped]

    return skops.io


def _renumber(node: Any, numbers: dict[int, int]) -> None:
    """Memory addresses, by which skops names objects and arrays, become numbers in the order in which they stand."""
    if isinstance(node, dict):
        if isinstance(node.get("__id__"), int):
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers))
        if "__class__" in node and isinstance(node.get("file"), str):
            address = int(node["file"].removesuffix(".npy"))
            node["file"] = f"{numbers.setdefault(address, len(numbers))}.npy"
    for below in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _renumber(below, numbers)


def _schema(data: bytes) -> dict[str, Any]:
    """What the file says it holds. Raises FileRefused for anything but a plain zip of arrays and one schema of the protocol in use."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            members = file.infolist()
            names = [member.filename for member in members]
            is_plain = all(member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size for member in members)
            if len(set(names)) < len(names) or not is_plain or sum(member.file_size for member in members) > MOST_BYTES:
                raise FileRefused("the model file is not laid out as ours are: members double, compressed or too large")
            if foreign := [name for name in names if name != SCHEMA and not _ARRAY.fullmatch(name)]:
                raise FileRefused(f"the model file has {len(foreign)} members that are neither arrays nor the schema")
            schema = json.loads(file.read(SCHEMA))
        with zipfile.ZipFile(io.BytesIO(_skops().dumps(None))) as own:
            protocol = json.loads(own.read(SCHEMA))["protocol"]
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, OSError):
        raise FileRefused("the model file is no skops file, or damaged; train the model again, or restore the file") from None
    if not isinstance(schema, dict) or schema.get("protocol") != protocol:
        raise FileRefused("the model file is of another skops protocol than the one in use; train the model again")
    return schema


def _refuse_unknown(schema: dict[str, Any]) -> None:
    strange = sum((str(node.get("__loader__")), f"{node.get('__module__')}.{node.get('__class__')}") not in KNOWN_KINDS for node in _nodes(schema))
    if strange:
        raise FileRefused(f"the model file holds {strange} objects of kinds that no model of ours has; do not use it, and ask who wrote it")


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Everything in a schema that skops could take for an object."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            if {"__class__", "__module__", "__loader__"} & set(here):
                yield here
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here


def _refuse_broken_trees(model: FittedModel) -> None:
    """scikit-learn follows the numbers in a tree without looking: one that points outside would read memory that is none of the model's."""
    trees = getattr(model.estimator, "trees", None)
    if trees is None:
        return
    columns = len(model.encoding.columns)
    for group in trees._predictors:
        for tree in group:
            nodes = tree.nodes
            inner, place = nodes["is_leaf"] == 0, np.arange(len(nodes))
            below = (nodes["left"] > place) & (nodes["right"] > place) & (nodes["left"] < len(nodes)) & (nodes["right"] < len(nodes))
            by_category = inner & (nodes["is_categorical"] != 0)
            is_sound = (below & (nodes["feature_idx"] >= 0) & (nodes["feature_idx"] < columns))[inner].all()
            if not (len(nodes) and is_sound and (nodes["bitset_idx"][by_category] < len(tree.raw_left_cat_bitsets)).all()):
                raise FileRefused("the model file has a tree that points outside itself; do not use it, and ask who wrote it")
