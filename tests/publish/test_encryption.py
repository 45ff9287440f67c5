"""Workbooks that lie where others can look: each opens with its team's password alone, and nothing readable was ever beside it."""

from __future__ import annotations

import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.publish.workbook_password import Passwords, encrypted, passwords, with_team_password
from fuller_popheath.site import PROJECT_ROOT, Site
from fuller_popheath.site_lists import Lists

GOOD, OTHER = "correct horse battery staple", "Grüße an alle Pferde=1"


def a_site(file: Path | str = "", is_access_controlled: bool = False) -> Site:
    return Site(lists=Lists(folder_is_access_controlled=is_access_controlled, passwords_file=str(file)))


def a_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "passwords"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def a_workbook() -> bytes:
    import xlsxwriter

    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.add_worksheet("People").write_string(0, 0, "999 000 0018")
    return made.getvalue()


def test_every_team_has_its_own_from_the_file_or_the_environment(tmp_path: Path) -> None:
    file = a_file(tmp_path, f"\ufeff# teams\n\nU1 = {GOOD}\r\nU-2={OTHER}\nU3=never used here\n")
    held = passwords(a_site(file), {"FULLER_LIST_PASSWORD_U1": "from the environment"}, ["U1", "U-2"])
    assert held is not None
    assert (held.find("U1"), held.find("U-2")) == ("from the environment", OTHER)
    assert GOOD not in repr(held)
    assert passwords(a_site(), {"FULLER_LIST_PASSWORD_U_2": GOOD}, ["U-2"]) == Passwords({"U-2": GOOD})


def test_a_practice_may_have_one_of_its_own(tmp_path: Path) -> None:
    held = passwords(a_site(a_file(tmp_path, f"U1={GOOD}\nU1/A81001={OTHER}\n")), {}, ["U1"])
    assert held is not None
    assert (held.find("U1", "A81001"), held.find("U1", "A81002"), held.find("U1")) == (OTHER, GOOD, GOOD)


def test_practices_that_share_their_teams_password_are_counted(tmp_path: Path) -> None:
    held = passwords(a_site(a_file(tmp_path, f"U1={GOOD}\nU1/A81001={OTHER}\n")), {}, ["U1"])
    assert held is not None
    assert with_team_password(held, [("U1", "A81001"), ("U1", "A81002"), ("U1", "A81003"), ("U1", "A81002")]) == 2
    assert with_team_password(held, [("U1", "A81001")]) == 0


def test_none_is_needed_where_only_the_team_can_open_the_folder() -> None:
    assert passwords(a_site("/nowhere/at/all", is_access_controlled=True), {}, ["U1"]) is None


@pytest.mark.parametrize(
    ("text", "teams", "said"),
    [
        (f"U1={GOOD}\n", ["U1", "U2", "U3"], "2 of 3 teams have no password"),
        ("U1=elevensigns\n", ["U1"], "1 of 1 passwords have fewer than 12 characters"),
        (f"U1={'x' * 256}\n", ["U1"], "or more than 255"),
        (f"U1={GOOD}\nU2={GOOD}\n", ["U1", "U2"], "2 passwords are the same"),
        (f"U1={GOOD}\nU1={OTHER}\n", ["U1"], "two lines for 1 teams"),
        (f"U1={GOOD}\n{OTHER.replace('=', ' ')}\nU2=\n", ["U1"], "2 lines of lists.passwords_file are not team_id=password"),
        (f"U-1={GOOD}\nU/1={OTHER}\n", ["U-1", "U/1"], "2 teams would share a variable"),
    ],
)
def test_a_password_that_protects_nothing_is_refused(tmp_path: Path, text: str, teams: list[str], said: str) -> None:
    with pytest.raises(SettingsWrong, match=said) as refused:
        passwords(a_site(a_file(tmp_path, text)), {}, teams)
    assert not [secret for secret in (GOOD, OTHER, "elevensigns", "U1") if secret in str(refused.value)]
    assert refused.value.exit_code == 2


def test_a_file_that_protects_nothing_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "link"
    inside.symlink_to(PROJECT_ROOT / "README.md")
    for site, said in (
        (a_site(a_file(tmp_path, f"U1={GOOD}\n", 0o640)), "can be read by others"),
        (a_site("site.toml"), "inside the project"),
        (a_site(inside), "inside the project"),
        (a_site(tmp_path / "not there"), "cannot be read"),
        (a_site(), "1 of 1 teams have no password"),
    ):
        with pytest.raises(SettingsWrong, match=said):
            passwords(site, {}, ["U1"])


def test_what_is_encrypted_opens_with_its_password_and_no_other() -> None:
    import msoffcrypto
    from msoffcrypto.exceptions import InvalidKeyError

    workbook = a_workbook()
    made = encrypted(workbook, OTHER)
    assert made != encrypted(workbook, OTHER), "a salt of its own"
    assert b"PK\x03\x04" not in made
    file: Any = msoffcrypto.OfficeFile(BytesIO(made))
    with pytest.raises(InvalidKeyError):
        file.load_key(password=GOOD, verify_password=True)
    file.load_key(password=OTHER, verify_password=True)
    opened = BytesIO()
    file.decrypt(opened, verify_integrity=True)
    assert opened.getvalue() == workbook


MACRO = """Sub Main
 Dim reading(1) As New com.sun.star.beans.PropertyValue
 Dim writing(0) As New com.sun.star.beans.PropertyValue
 Dim book As Object
 On Error Goto Done
 reading(0).Name = "Hidden"
 reading(0).Value = True
 reading(1).Name = "Password"
 reading(1).Value = "{password}"
 book = StarDesktop.loadComponentFromURL("{source}", "_blank", 0, reading())
 writing(0).Name = "FilterName"
 writing(0).Value = "Text - txt - csv (StarCalc)"
 book.storeToURL("{target}", writing())
 Done: StarDesktop.terminate()
End Sub
"""
"""A password cannot be given on LibreOffice's command line."""
LIBRARY = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard">
 <library:element library:name="Module1"/>
</library:library>"""
MODULE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic">{source}</script:module>"""


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not here")
def test_an_office_program_opens_it_with_the_password_alone(tmp_path: Path) -> None:
    source, target, basic = tmp_path / "list.xlsx", tmp_path / "list.csv", tmp_path / "profile" / "user" / "basic" / "Standard"
    source.write_bytes(encrypted(a_workbook(), GOOD))
    basic.mkdir(parents=True)
    (basic / "script.xlb").write_text(LIBRARY, encoding="utf-8")
    command = ["soffice", "--headless", "--norestore", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "macro:///Standard.Module1.Main"]
    for password, opens in (("another one altogether", False), (GOOD, True)):
        macro = MACRO.format(password=password, source=source.as_uri(), target=target.as_uri())
        (basic / "Module1.xba").write_text(MODULE.format(source=escape(macro)), encoding="utf-8")
        subprocess.run(command, capture_output=True, timeout=120, check=True, stdin=subprocess.DEVNULL)
        assert target.exists() is opens
    assert target.read_text(encoding="utf-8").strip() == "999 000 0018"
