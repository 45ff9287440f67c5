"""The key and the vault are one user's; a night refuses to go on where they are not, and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.people.pseudonyms import key
from fuller_popheath.people.vault import Vault
from fuller_popheath.site import Site
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, refuse_others, replace_whole

SECRET = "a text of sixteen bytes"


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o660, 0o777])
def test_a_key_that_others_can_read_is_not_used(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key"
    file.write_text(SECRET)
    site = Site(pseudonyms={"key_file": str(file)})
    file.chmod(mode)
    with pytest.raises(SettingsWrong, match=r"pseudonyms\.key_file can be read by others.*chmod 600") as refused:
        key(site, {})
    assert SECRET not in str(refused.value)
    file.chmod(PRIVATE_FILE)
    assert key(site, {}).secret == SECRET.encode()


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o755])
def test_a_vault_that_others_can_enter_is_not_opened(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "vault"
    Vault(folder)  # before the first night there is none
    make_folder(folder, PRIVATE_FOLDER)
    Vault(folder)
    folder.chmod(mode)
    with pytest.raises(SettingsWrong, match=r"the vault's folder can be read by others.*chmod 700"):
        Vault(folder)


def test_whatever_the_umask_a_private_file_is_private(tmp_path: Path) -> None:
    import os

    before = os.umask(0)
    try:
        made = replace_whole(tmp_path / "a" / "file", lambda path: path.write_text("x"), PRIVATE_FILE)
    finally:
        os.umask(before)
    refuse_others(made, "the file")
