"""Which model scores: a reviewed line, or on make-believe data the newest; never one that does not fit."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fuller_popheath.errors import ContractBroken, FileRefused, SettingsWrong
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.model_store import save
from fuller_popheath.risk.promotion import InUse, in_use
from fuller_popheath.site import Models, Site

OUTCOME = "emergency_admission_12m"
Manifest = Callable[..., dict[str, Any]]


def site(**promoted: str) -> Site:
    return Site(models=Models(promoted={name.replace("__", "."): model_id for name, model_id in promoted.items()}))


def test_a_promoted_model_scores_real_people(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    model_id = save(tmp_path, additive, manifest(additive, is_synthetic=False))
    promoted = site(emergency_admission_12m__adult=model_id)
    assert in_use(promoted, tmp_path, OUTCOME, "adult", is_synthetic=False) == InUse(model_id, is_demonstration=False)
    assert in_use(promoted, tmp_path, OUTCOME, "under_18", is_synthetic=False) is None


def test_without_a_line_no_model_scores_real_people(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    save(tmp_path, additive, manifest(additive, is_synthetic=False))
    assert in_use(Site(), tmp_path, OUTCOME, "adult", is_synthetic=False) is None


def test_on_make_believe_data_the_newest_default_model_scores_as_a_demonstration(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    assert in_use(Site(), tmp_path, OUTCOME, "adult", is_synthetic=True) is None
    save(tmp_path, additive, manifest(additive, as_of="2026-06-01"))
    newest = save(tmp_path, additive, manifest(additive, as_of="2026-07-01"))
    save(tmp_path, additive, manifest(additive, as_of="2026-07-15", role="challenger"))
    later = save(tmp_path, additive, manifest(additive, as_of="2026-09-01"))
    assert in_use(Site(), tmp_path, OUTCOME, "adult", is_synthetic=True, as_of=date(2026, 8, 1)) == InUse(newest, is_demonstration=True)
    assert in_use(Site(), tmp_path, OUTCOME, "adult", is_synthetic=True) == InUse(later, is_demonstration=True)
    assert in_use(Site(), tmp_path, OUTCOME, "under_18", is_synthetic=True) is None


def test_of_two_models_of_one_day_the_one_stored_last_is_the_newest(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    ids = [save(tmp_path, additive, manifest(additive, seed=seed)) for seed in (1, 2, 3)]
    for place, model_id in enumerate((ids[2], ids[0], ids[1])):
        os.utime(tmp_path / model_id / "manifest.json", ns=(place, place))
    assert in_use(Site(), tmp_path, OUTCOME, "adult", is_synthetic=True) == InUse(ids[1], is_demonstration=True)


def test_a_promoted_model_on_make_believe_data_is_a_demonstration_too(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    promoted = save(tmp_path, additive, manifest(additive, as_of="2026-06-01"))
    save(tmp_path, additive, manifest(additive, as_of="2026-07-01"))
    line = site(emergency_admission_12m__adult=promoted)
    assert in_use(line, tmp_path, OUTCOME, "adult", is_synthetic=True) == InUse(promoted, is_demonstration=True)


def test_a_model_of_make_believe_people_never_scores_real_ones(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    model_id = save(tmp_path, additive, manifest(additive, is_synthetic=True))
    with pytest.raises(SettingsWrong, match="trained on make-believe people"):
        in_use(site(emergency_admission_12m__adult=model_id), tmp_path, OUTCOME, "adult", is_synthetic=False)


@pytest.mark.parametrize(
    "line",
    [f"{OUTCOME}.adult.additive.2026-08-01.0000000000000000", "../../elsewhere", "newest"],
)
def test_a_line_that_names_no_model_that_is_there_is_refused(tmp_path: Path, line: str) -> None:
    for is_synthetic in (True, False):
        with pytest.raises(SettingsWrong, match="no model"):
            in_use(site(emergency_admission_12m__adult=line), tmp_path, OUTCOME, "adult", is_synthetic=is_synthetic)


def test_a_line_that_names_the_model_of_another_age_group_is_refused(children: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    model_id = save(tmp_path, children, manifest(children, is_synthetic=False))
    with pytest.raises(SettingsWrong, match=r"is a model of emergency_admission_12m\.under_18"):
        in_use(site(emergency_admission_12m__adult=model_id), tmp_path, OUTCOME, "adult", is_synthetic=False)


def test_a_wrong_line_of_another_outcome_is_refused_by_its_name(
    additive: FittedModel, children: FittedModel, manifest: Manifest, tmp_path: Path
) -> None:
    right, other = save(tmp_path, additive, manifest(additive, is_synthetic=False)), save(tmp_path, children, manifest(children, is_synthetic=False))
    gone = "death_12m.adult.additive.2026-08-01.0000000000000000"
    for wrong, reason in ((gone, "there is no model"), ("newest", "that is no model id"), (other, "is a model of")):
        promoted = site(emergency_admission_12m__adult=right, death_12m__adult=wrong)
        for outcome in (OUTCOME, "ed_attendance_12m"):
            with pytest.raises(SettingsWrong, match=rf'models\.promoted, "death_12m\.adult": .*{reason}'):
                in_use(promoted, tmp_path, outcome, "adult", is_synthetic=False)


def test_a_line_about_nothing_that_is_predicted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"nothing is called emergency_admission_12m\.adults"):
        in_use(site(emergency_admission_12m__adults="x"), tmp_path, OUTCOME, "adult", is_synthetic=False)


def test_a_model_of_other_features_is_refused(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    other = save(tmp_path, additive, manifest(additive, is_synthetic=False, feature_contract_hash="0" * 64))
    with pytest.raises(ContractBroken, match="the features have changed since"):
        in_use(site(emergency_admission_12m__adult=other), tmp_path, OUTCOME, "adult", is_synthetic=False)
    with pytest.raises(ContractBroken, match="none of 1 stored models"):
        in_use(Site(), tmp_path, OUTCOME, "adult", is_synthetic=True)
    fits = save(tmp_path, additive, manifest(additive, as_of="2026-01-01"))
    assert in_use(Site(), tmp_path, OUTCOME, "adult", is_synthetic=True) == InUse(fits, is_demonstration=True)


def test_a_promoted_model_whose_manifest_was_changed_is_refused(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    model_id = save(tmp_path, additive, manifest(additive, is_synthetic=True))
    path = tmp_path / model_id / "manifest.json"
    path.write_text(path.read_text().replace('"is_synthetic": true', '"is_synthetic": false'))
    with pytest.raises(FileRefused, match=r'models\.promoted, "emergency_admission_12m\.adult": .*has been changed'):
        in_use(site(emergency_admission_12m__adult=model_id), tmp_path, OUTCOME, "adult", is_synthetic=False)


@pytest.mark.parametrize("depth", [300, 900, 5_000, 200_000])
def test_a_manifest_that_is_nested_too_deep_is_refused(additive: FittedModel, manifest: Manifest, tmp_path: Path, depth: int) -> None:
    model_id = save(tmp_path, additive, manifest(additive))
    path = tmp_path / model_id / "manifest.json"
    path.write_text(path.read_text().rstrip().removesuffix("}") + f', "deep": {"[" * depth}{"]" * depth}}}')
    with pytest.raises(FileRefused, match=r"nested too deep|has been changed"):
        in_use(site(emergency_admission_12m__adult=model_id), tmp_path, OUTCOME, "adult", is_synthetic=True)
