"""Everybody is in a group of every kind, whoever has no record too; PLUS groups may overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import ContractBroken, InputMissing
from fuller_popheath.risk.subgroups import KINDS, NOT_RECORDED, PLUS_GROUPS, Groups, groups, groups_of
from fuller_popheath.risk.training_sets import training_sets

if TYPE_CHECKING:
    from fuller_popheath.risk.index_population import IndexPopulation

FLAGS = sorted({flag for flags in PLUS_GROUPS.values() for flag in flags})


def people(**changes: Any) -> Groups:
    count = len(next(iter(changes.values())))
    columns: dict[str, Any] = {
        "person_id": pa.array([f"p{n}" for n in range(count)], pa.string()),
        "age_years": pa.array([40] * count, pa.int64()),
        "sex": ["female"] * count,
        "ethnic_group": ["white"] * count,
        "imd_2019_quintile": pa.array([1] * count, pa.int64()),
        "imd_2025_quintile": pa.array([None] * count, pa.int64()),
        "contact_count_365": pa.array([2] * count, pa.int64()),
        **{flag: pa.array([False] * count, pa.bool_()) for flag in FLAGS},
    }
    pcn = changes.pop("pcn_code", ["U00001"] * count)
    features = pa.table({**columns, **changes})
    return groups(features, pa.table({"person_id": columns["person_id"], "pcn_code": pa.array(pcn, pa.string())}))


def members(found: Groups, kind: str) -> dict[str, list[int]]:
    return {label: at.tolist() for label, at in found.members(kind)}


def test_who_has_no_record_is_a_group() -> None:
    found = people(
        imd_2019_quintile=pa.array([3, None, 1], pa.int64()),
        ethnic_group=["black", "unknown", None],
        sex=["male", "unknown", "indeterminate"],
        pcn_code=["U00002", None, "U00001"],
    )
    assert members(found, "imd_quintile") == {"1": [2], "3": [0], NOT_RECORDED: [1]}
    assert members(found, "ethnic_group") == {"black": [0], NOT_RECORDED: [1, 2]}
    assert members(found, "sex") == {"indeterminate": [2], "male": [0], NOT_RECORDED: [1]}
    assert members(found, "pcn") == {"U00001": [2], "U00002": [0], NOT_RECORDED: [1]}


def test_every_kind_but_plus_groups_deals_everybody_once() -> None:
    rng = np.random.default_rng(3)
    found = people(age_years=pa.array(rng.integers(0, 110, 500), pa.int64()), contact_count_365=pa.array(rng.integers(0, 3, 500), pa.int64()))
    for kind in KINDS:
        if kind != "plus_group":
            assert sorted(np.concatenate([at for _, at in found.members(kind)]).tolist()) == list(range(500))


def test_age_bands_include_their_first_year_and_children_have_their_own() -> None:
    found = people(age_years=pa.array([0, 4, 5, 17, 18, 29, 30, 89, 90, 130], pa.int64()))
    assert members(found, "age_band") == {
        "0-4": [0, 1],
        "5-9": [2],
        "15-17": [3],
        "18-29": [4, 5],
        "30-39": [6],
        "80-89": [7],
        "90+": [8, 9],
    }


def test_the_newer_edition_counts_where_anybody_has_it_and_the_two_are_never_mixed() -> None:
    older = people(imd_2019_quintile=pa.array([2, 5], pa.int64()))
    assert older.imd_edition == "2019"
    newer = people(imd_2019_quintile=pa.array([2, 5], pa.int64()), imd_2025_quintile=pa.array([4, None], pa.int64()))
    assert (newer.imd_edition, members(newer, "imd_quintile")) == ("2025", {"4": [0], NOT_RECORDED: [1]})
    neither = people(imd_2019_quintile=pa.array([None, None], pa.int64()))
    assert (neither.imd_edition, members(neither, "imd_quintile")) == (None, {NOT_RECORDED: [0, 1]})


def test_a_person_may_be_in_several_plus_groups_or_in_none() -> None:
    found = people(
        has_homelessness=pa.array([True, False, None], pa.bool_()),
        has_substance_misuse=pa.array([True, False, False], pa.bool_()),
        has_alcohol_problems=pa.array([False, True, False], pa.bool_()),
    )
    assert members(found, "plus_group") == {"homelessness": [0], "drug_or_alcohol_problems": [0, 1]}


def test_low_contact_is_a_year_without_any() -> None:
    found = people(contact_count_365=pa.array([0, 1, None], pa.int64()))
    assert members(found, "contact_level") == {"no_contact": [0], "contact": [1], NOT_RECORDED: [2]}


def test_groups_are_cut_with_the_people() -> None:
    found = people(sex=["male", "female", "male"], has_autism=pa.array([True, True, False], pa.bool_()))
    for keep in (np.array([True, False, True]), np.array([0, 2])):
        cut = found.take(keep)
        assert (cut.people, members(cut, "sex"), members(cut, "plus_group")) == (2, {"male": [0, 1]}, {"autism": [0]})


def test_nobody_is_in_no_group() -> None:
    found = people(age_years=pa.array([], pa.int64()))
    assert [label for kind in KINDS for label, _ in found.members(kind)] == []


def test_the_features_that_make_groups_are_features() -> None:
    known = {name for spec in registry.features().values() for name in load_contract(spec.contract).column_names}
    assert set(FLAGS) | {"age_years", "sex", "ethnic_group", "contact_count_365", "imd_2019_quintile", "imd_2025_quintile"} <= known


def test_what_is_missing_is_named_and_other_people_are_refused_without_a_value() -> None:
    with pytest.raises(InputMissing, match=r"columns age_years, contact_count_365.*pcn_code"):
        groups(pa.table({"person_id": ["p0"], "sex": ["male"]}), pa.table({"person_id": ["p0"]}))
    with pytest.raises(ContractBroken, match="in 2 rows person_id differs") as refused:
        people(person_id=["secret", "p1", "p9"])
    assert "secret" not in str(refused.value)
    with pytest.raises(ContractBroken, match="2 different lengths"):
        groups_of({"sex": np.array(["male", "male"])}, {"carer": np.array([True])})


def test_people_of_a_whole_ics_are_in_every_kind_of_group(risk_populations: tuple[IndexPopulation, IndexPopulation], risk_ics: Any) -> None:
    sets = training_sets(*risk_populations, "emergency_admission_12m", "adult", risk_ics.night.site, risk_ics.night.as_of)
    found = groups(sets.validate.features, sets.validate.places)
    assert found.people == len(sets.validate.has_outcome)
    sizes = {kind: {label: at.size for label, at in found.members(kind)} for kind in KINDS}
    assert all(sizes[kind] for kind in KINDS)
    assert {str(quintile) for quintile in range(1, 6)} <= set(sizes["imd_quintile"])
    assert {"male", "female"} <= set(sizes["sex"])
    assert {"contact", "no_contact"} == set(sizes["contact_level"])
    assert not {"0-4", "15-17"} & set(sizes["age_band"])
