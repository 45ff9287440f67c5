"""A model file that is not as it was stored: nobody is scored by it, and with the file restored everything is as before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fuller_popheath.errors import FileRefused
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.model_store import MANIFEST_FILE, MODEL_FILE, save
from fuller_popheath.risk.scoring import scoring_models
from fuller_popheath.site import Site
from tests.risk.scoring.conftest import fitted, manifest_of

DAY = date(2026, 8, 1)


def changed(content: bytes) -> bytes:
    """One byte in the middle."""
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


TAMPERED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "one byte of the model": (MODEL_FILE, changed),
    "half a model": (MODEL_FILE, lambda content: content[: len(content) // 2]),
    "no model": (MODEL_FILE, lambda _: b""),
    "something added": (MODEL_FILE, lambda content: content + b"\0"),
    "a figure of the manifest": (MANIFEST_FILE, lambda content: content.replace(b"0.79", b"0.97")),
    "half a manifest": (MANIFEST_FILE, lambda content: content[: len(content) // 2]),
}


@pytest.fixture(scope="module")
def model() -> FittedModel:
    return fitted("additive", "emergency_admission_12m", "adult")


@pytest.mark.parametrize("how", TAMPERED)
def test_a_tampered_model_scores_nobody_and_a_restored_one_does(model: FittedModel, tmp_path: Path, how: str) -> None:
    identity = save(tmp_path, model, manifest_of(model, metrics={"auroc": 0.79}))
    site = Site.model_validate({"models": {"promoted": {"emergency_admission_12m.adult": identity}}})
    name, tamper = TAMPERED[how]
    path = tmp_path / identity / name
    sound = path.read_bytes()
    (standing,) = scoring_models(site, tmp_path, True, DAY)
    path.write_bytes(tamper(sound))
    assert path.read_bytes() != sound
    with pytest.raises(FileRefused, match=rf"{identity}: .*(restore|train again)"):
        scoring_models(site, tmp_path, True, DAY)
    path.write_bytes(sound)
    assert [each.model_id for each in scoring_models(site, tmp_path, True, DAY)] == [standing.model_id]
