"""Published counts: a total counts where there is one, else the sexes are added; nobody counts twice."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fuller_popheath.errors import InputMissing

DAY = date(2022, 7, 1)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("A00001", "ALL", 10), ("A00001", "MALE", 4), ("A00001", "FEMALE", 6)], [("A00001", 10)]),
        ([("A00001", "MALE", 4), ("A00001", "FEMALE", 6)], [("A00001", 10)]),
        ([("A00001", "FEMALE", 6), ("A00002", "ALL", 3)], [("A00001", 6), ("A00002", 3)]),
    ],
)
def test_sexes_and_their_total(table: Any, build: Any, night: Any, rows: list[tuple[str, str, int]], expected: list[tuple[str, int]]) -> None:
    published = table(
        "reference/practice_lsoa_count",
        [{"practice_code": practice, "sex": sex, "registered_count": people} for practice, sex, people in rows],
        practice_name="A PRACTICE",
        lsoa_code="E01000001",
        extract_date=DAY,
    )
    made = build({"reference/practice_lsoa_count": published}, ["core/registered_count"], night())["core/registered_count"]
    assert list(zip(made["practice_code"].to_pylist(), made["registered_count"].to_pylist(), strict=True)) == expected
    assert set(made["registrations_extract"].to_pylist()) == {DAY}


def test_without_registrations_there_is_a_message(build: Any, night: Any) -> None:
    with pytest.raises(InputMissing, match="gp-reg-pat-prac-lsoa-all"):
        build({}, ["core/registered_count"], night())
