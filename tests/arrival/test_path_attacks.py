"""A practice code or a file's name that leads elsewhere: nothing is written or read outside the folders of the night."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from fuller_popheath.arrival.files import survey
from tests.arrival.conftest import LIST_HEADER, nhs_number

P = "A81001"
CODES = ("../../../evil", "..", "/etc/evil", "A81001/../../evil", "..\\..\\evil", "A81001\x00", "%2e%2e%2fevil", "~/evil", "A81001\n", "CON", ".")


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("code", CODES)
def test_a_practice_code_that_leads_elsewhere_is_no_folder(landing: Any, night: Any, tmp_path: Path, code: str) -> None:
    landing.practice_list(P)
    rows = [f'2026-08-01,"{code}",{nhs_number(at)},1950-01-01,female,A,E01000001,2020-01-01,,,' for at in range(900, 940)]
    (landing.folder / "list-2026-08-01.csv").write_text("\n".join([LIST_HEADER, *rows]) + "\n", encoding="utf-8")
    night.take(table="practice_list")
    written = everything(tmp_path)
    assert not [name for name in written if "evil" in name or "%2e" in name or ".." in name.split("/")]
    assert not [path for path in tmp_path.parent.iterdir() if "evil" in path.name]
    practices = {part.parent.name for part in tmp_path.rglob("parts/*/*.parquet")}
    assert practices == {P}, "the sound practice is taken in, and no other folder is made"


@pytest.mark.parametrize("member", ["../../evil.csv", "/etc/evil.csv", "..\\evil.csv", "a/../../evil.csv"])
def test_a_member_of_a_zip_that_leads_elsewhere_is_read_where_it_lies_and_never_unpacked(landing: Any, tmp_path: Path, member: str) -> None:
    with zipfile.ZipFile(landing.folder / "list.zip", "w") as archive:
        archive.writestr(member, f"{LIST_HEADER}\n2026-08-01,{P},{nhs_number(1)},1950-01-01,female,A,E01000001,2020-01-01,,,\n")
    survey(landing.folder)
    assert not [name for name in everything(tmp_path) if "evil" in name]
    assert not (tmp_path.parent / "evil.csv").exists() and not Path("/etc/evil.csv").exists()
