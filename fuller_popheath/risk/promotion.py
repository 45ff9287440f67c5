"""Which stored model scores: the one that a reviewed line in site.toml names, and on make-believe data otherwise the newest, as a demonstration.

What does not belong here: scoring, and how models are judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import ContractBroken, FileRefused, SettingsWrong
from fuller_popheath.registry import outcomes
from fuller_popheath.risk.model_manifest import feature_contract_hash
from fuller_popheath.risk.model_store import MANIFEST_FILE, model_ids, read_manifest
from fuller_popheath.risk.training_sets import AGE_GROUPS

if TYPE_CHECKING:
    from fuller_popheath.site import Site

DEFAULT_ROLE = "default"


@dataclass(frozen=True)
class InUse:
    """The id of the model that scores, and whether everything it says must be marked DEMONSTRATION."""

    model_id: str
    is_demonstration: bool


def in_use(site: Site, folder: Path, outcome: str, age_group: str, is_synthetic: bool, as_of: date | None = None) -> InUse | None:
    """The model of an outcome and age group, from `[models] promoted` in site.toml; None where none is promoted and the data may be real.

    On make-believe data (`is_synthetic`), where none is promoted: the newest of the default models that was trained up to `as_of`. Raises
    SettingsWrong for any line, whichever outcome it is about, that is about nothing that is predicted, or whose id is not there, is of another
    outcome or age group, or was trained on make-believe data and would score real people; FileRefused for a line whose manifest was changed;
    ContractBroken where the features have changed since the promoted model of this outcome and age group was trained.
    """
    _refuse_unknown_lines(site)
    # All lines, because one about an outcome that no list shows is read by nothing else that would say it is wrong.
    manifests = {name: _promoted_manifest(folder, name, model_id, is_synthetic) for name, model_id in site.models.promoted.items()}
    name = f"{outcome}.{age_group}"
    if name in manifests:
        promoted = site.models.promoted[name]
        if manifests[name]["feature_contract_hash"] != feature_contract_hash():
            raise ContractBroken(
                f"{_line(name)}: the features have changed since {promoted} was trained, so it must not score; train and promote a new model"
            )
        return InUse(promoted, is_demonstration=is_synthetic)
    return _newest(folder, outcome, age_group, as_of) if is_synthetic else None


def _refuse_unknown_lines(site: Site) -> None:
    known = [f"{outcome}.{age_group}" for outcome in outcomes() for age_group in AGE_GROUPS]
    if unknown := [name for name in site.models.promoted if name not in known]:
        raise SettingsWrong(f"models.promoted: nothing is called {', '.join(unknown)}; there are {', '.join(known)}")


def _promoted_manifest(folder: Path, name: str, model_id: str, is_synthetic: bool) -> Mapping[str, Any]:
    """The manifest of the model that a line names. `name`: outcome and age group of the line, which every refusal says."""
    try:
        manifest = read_manifest(folder, model_id)
    except (SettingsWrong, FileRefused) as refused:
        raise type(refused)(f"{_line(name)}: {refused}") from None
    about = f"{manifest['outcome']}.{manifest['age_group']}"
    if about != name:
        raise SettingsWrong(f"{_line(name)}: {model_id} is a model of {about}; name one of its own")
    if manifest["is_synthetic"] and not is_synthetic:
        raise SettingsWrong(
            f"{_line(name)}: {model_id} was trained on make-believe people and scores no real ones; promote one trained on your own data"
        )
    return manifest


def _line(name: str) -> str:
    return f'models.promoted, "{name}"'


def _newest(folder: Path, outcome: str, age_group: str, as_of: date | None) -> InUse | None:
    """The newest default model for demonstration; of several of one day the one stored last."""
    found: list[tuple[str, int, str]] = []
    unusable = 0
    fitting = feature_contract_hash()
    for model_id in model_ids(folder):
        if not model_id.startswith(f"{outcome}.{age_group}."):
            continue
        try:
            manifest = read_manifest(folder, model_id)
        except FileRefused:
            unusable += 1
            continue
        trained = manifest["as_of"] or ""
        if manifest["role"] != DEFAULT_ROLE or (as_of is not None and trained > as_of.isoformat()):
            continue
        if manifest["feature_contract_hash"] != fitting:
            unusable += 1
            continue
        found.append((trained, (folder / model_id / MANIFEST_FILE).stat().st_mtime_ns, model_id))
    if not found and unusable:
        raise ContractBroken(f"{outcome}.{age_group}: none of {unusable} stored models fits the features in use, or is as it was stored; train again")
    return InUse(max(found)[2], is_demonstration=True) if found else None
