"""Each planted fault breaks its own file and no other, and the pipeline notices every one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fuller_popheath import registry
from fuller_popheath.arrival.choice import plan
from fuller_popheath.arrival.files import survey
from fuller_popheath.arrival.reading import read_and_check
from fuller_popheath.errors import FullerError, SettingsWrong
from fuller_popheath.synthetic import FAULTS, SyntheticSummary, plant_fault

from .conftest import through_the_door
from .test_landing import hashes

NEEDED = {
    "truncated_zip",
    "missing_column",
    "letters_in_count",
    "negative_counts",
    "duplicated_row",
    "wrong_imd_edition",
    "overlapping_membership",
    "wrong_projection",
    "malformed_practice_list",
}


COMES_BACK = ("inbound/review_outcome", "inbound/indicator_supplement")
"""No place is first filled with these."""


@pytest.fixture
def folder(written: tuple[Path, SyntheticSummary], tmp_path: Path) -> Path:
    return Path(shutil.copytree(written[0], tmp_path / "landing"))


def noticed(folder: Path) -> tuple[list[str], dict[str, int]]:
    """What arrival says against the folder: every message, and how many rows of which contract are quarantined (-1: a file of it refused)."""
    arrival = plan(survey(folder, registry.sources()), None)
    messages = [row["reason"] for row in arrival.table.to_pylist() if row["use"] in ("refused", "not recognised")]
    quarantined = {}
    for contract in registry.sources():
        if contract in COMES_BACK:
            continue
        try:
            arrived = read_and_check(arrival, contract, None)
        except FullerError as refusal:
            messages.append(str(refusal))
            quarantined[contract] = -1
        else:
            refused = [str(outcome.reason) for outcome in arrived.files if not outcome.is_used]
            messages += refused
            if refused or arrived.rows_quarantined:
                quarantined[contract] = -1 if refused else arrived.rows_quarantined
    taken = through_the_door(folder, "inbound/practice_list", folder.parent / "taken")
    refused = [reason for use, reason in taken.files.values() if use == "refused" and reason]
    messages += refused
    if refused or taken.rows_quarantined:
        quarantined["inbound/practice_list"] = -1 if refused else taken.rows_quarantined
    return messages, quarantined


def test_every_fault_of_the_issue_can_be_planted_and_is_described() -> None:
    assert set(FAULTS) >= NEEDED
    assert all(name == plant.__name__ and (plant.__doc__ or "").endswith(".") for name, plant in FAULTS.items())


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_touches_only_what_it_says(folder: Path, name: str) -> None:
    before = hashes(folder)
    touched = {str(path.relative_to(folder)) for path in plant_fault(folder, name)}
    after = hashes(folder)
    assert touched and touched <= set(after)
    assert {file for file in after if after[file] != before.get(file)} == touched
    assert set(before) - set(after) == ({"gp-reg-pat-prac-lsoa-all.csv"} if name == "truncated_zip" else set())


@pytest.mark.parametrize(
    ("name", "contract", "rows"),
    [
        ("truncated_zip", "reference/practice_lsoa_count", -1),
        ("missing_column", "reference/practice_lsoa_count", -1),
        ("letters_in_count", "reference/practice_lsoa_count", 3),
        ("negative_counts", "reference/practice_lsoa_count", 2),
        ("duplicated_row", "reference/practice_lsoa_count", 2),
        ("wrong_imd_edition", "reference/imd_2019", -1),
        ("malformed_practice_list", "inbound/practice_list", -1),
        ("ragged_practice_list", "inbound/practice_list", 3),
    ],
)
def test_the_pipeline_notices_the_fault_and_loses_nothing_else(folder: Path, name: str, contract: str, rows: int) -> None:
    """In so small a place one wrong row of ten is over the limit of 5 %, so some files are refused whole (-1)."""
    plant_fault(folder, name)
    messages, quarantined = noticed(folder)
    assert quarantined == {contract: rows}
    assert not any(number in message for message in messages for number in ("999", "1O", "twelve")), "messages carry counts, never values"


def test_boundaries_in_metres_are_noticed(folder: Path) -> None:
    plant_fault(folder, "wrong_projection")
    messages, quarantined = noticed(folder)
    assert quarantined == {}, "the boundaries of 2011 are still there"
    assert len(messages) == 1 and "27700" in messages[0]


def test_faults_of_one_file_can_be_planted_together(folder: Path) -> None:
    for name in ("letters_in_count", "negative_counts", "duplicated_row"):
        plant_fault(folder, name)
    assert noticed(folder)[1] == {"reference/practice_lsoa_count": 7}


def test_what_cannot_be_planted_is_refused(folder: Path) -> None:
    with pytest.raises(SettingsWrong, match="no fault is called"):
        plant_fault(folder, "moths")
    plant_fault(folder, "missing_column")
    with pytest.raises(SettingsWrong, match="no column NUMBER_OF_PATIENTS"):
        plant_fault(folder, "negative_counts")
    plant_fault(folder, "truncated_zip")
    with pytest.raises(SettingsWrong, match="cannot be broken"):
        plant_fault(folder, "duplicated_row")
