"""A release stands whole or not at all, and the pointer moves in one step, never back to an older day."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fuller_popheath.errors import FileRefused, SettingsWrong
from fuller_popheath.publish.release import Part, Released, all_releases, current_as_of, earlier_release, point, release
from fuller_popheath.publish.release_manifest import ROLLBACK, Statement, verify
from fuller_popheath.publish.release_signature import SigningKey, signing_key

DAY, NEXT_DAY = date(2026, 8, 1), date(2026, 8, 2)


def text(name: str, content: str, purpose: str = "open") -> Part:
    return Part(purpose, name, lambda path: path.write_text(content, encoding="utf-8"), rows=content.count("\n"))


@cache
def key() -> SigningKey:
    return SigningKey(Ed25519PrivateKey.generate())


def publish(folder: Path, as_of: date, run: str, *parts: Part, keep: int = 10, **told: Any) -> Released:
    given = parts or (text("a.csv", f"{as_of} {run}\n"),)
    return release(folder / "products", folder / "releases", Statement(as_of, run, **told), given, key(), keep)


def folders(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "releases").iterdir() if path.is_dir())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_release_is_a_folder_with_a_manifest_and_the_pointer(tmp_path: Path) -> None:
    made = publish(tmp_path, DAY, "1a2b", text("a.csv", "x\n1\n"), text("list.csv", "y\n", "direct_care"))
    products = tmp_path / "products"
    assert made.folder == tmp_path / "releases" / "2026-08-01_1a2b" and made.is_current
    assert products.is_symlink() and products.readlink() == Path("releases/2026-08-01_1a2b"), "relative, so that the whole folder can be moved"
    assert made.files == ("direct_care/list.csv", "open/a.csv")
    told = json.loads((products / "manifest.json").read_text(encoding="utf-8"))
    assert (told["as_of"], told["run"]) == ("2026-08-01", "1a2b")
    assert told["files"][0] == {
        "file": "open/a.csv", "purpose": "open", "made_of": "", "rows": 2, "bytes": 4, "sha256": hashlib.sha256(b"x\n1\n").hexdigest(),
    }  # fmt: skip
    assert current_as_of(products) == DAY


def test_only_what_is_open_can_be_read_by_others(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        folder = publish(tmp_path, DAY, "1", text("a.csv", "x"), text("b.csv", "x", "secondary_use"), text("c.csv", "x", "direct_care")).folder
    finally:
        os.umask(before)
    assert [mode(folder / name) for name in ("open", "open/a.csv", "manifest.json")] == [0o755, 0o644, 0o644]
    for purpose, name in (("secondary_use", "b.csv"), ("direct_care", "c.csv")):
        assert [mode(folder / purpose), mode(folder / purpose / name)] == [0o700, 0o600]


def test_what_fails_leaves_yesterdays(tmp_path: Path) -> None:
    first = publish(tmp_path, DAY, "1")

    def dies(path: Path) -> None:
        path.write_bytes(b"half a fi")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        publish(tmp_path, NEXT_DAY, "2", text("a.csv", "new\n"), Part("open", "b.csv", dies))
    assert (tmp_path / "products").resolve() == first.folder
    assert folders(tmp_path) == ["2026-08-01_1"]
    assert (tmp_path / "products" / "open" / "a.csv").read_text(encoding="utf-8") == "2026-08-01 1\n"


def test_the_order_of_releases_is_that_of_writing_though_the_clock_went_back(tmp_path: Path) -> None:
    made = [publish(tmp_path, DAY, "0").folder]
    ahead = (made[0] / "manifest.json").stat().st_mtime + 365 * 86_400
    os.utime(made[0] / "manifest.json", (ahead, ahead))  # as it is where the clock was a year ahead when it was written
    made += [publish(tmp_path, DAY, f"{at}", keep=3).folder for at in range(1, 4)]
    assert all_releases(tmp_path / "releases") == tuple(reversed(made[1:])), "the oldest was removed, and not those that came after it"


def test_what_is_being_made_or_removed_is_no_release(tmp_path: Path) -> None:
    whole = publish(tmp_path, DAY, "1").folder
    (tmp_path / "releases" / ".making-1").mkdir()
    (tmp_path / "releases" / ".making-1" / "manifest.json").write_bytes((whole / "manifest.json").read_bytes())
    assert all_releases(tmp_path / "releases") == (whole,)
    publish(tmp_path, NEXT_DAY, "2", keep=1)
    assert [path.name for path in (tmp_path / "releases").iterdir() if path.is_dir()] == ["2026-08-02_2"]


def test_an_older_day_never_replaces_a_newer_one(tmp_path: Path) -> None:
    newer = publish(tmp_path, NEXT_DAY, "1")
    older = publish(tmp_path, DAY, "2")
    assert (older.is_current, older.current_as_of) == (False, NEXT_DAY)
    assert (tmp_path / "products").resolve() == newer.folder and (older.folder / "open" / "a.csv").is_file()
    again = publish(tmp_path, NEXT_DAY, "3")
    assert again.is_current and (tmp_path / "products").resolve() == again.folder


def test_a_folder_from_before_there_were_releases_is_moved_aside(tmp_path: Path) -> None:
    old = tmp_path / "products" / "open" / "a.csv"
    old.parent.mkdir(parents=True)
    old.write_text("old", encoding="utf-8")
    made = publish(tmp_path, DAY, "1")
    assert (tmp_path / "products").resolve() == made.folder
    assert (tmp_path / "releases" / "before_releases" / "open" / "a.csv").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["products", "releases"]


def test_an_old_folder_is_put_back_where_the_pointer_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "products").mkdir()
    (tmp_path / "products" / "a.csv").write_text("old", encoding="utf-8")
    (tmp_path / "releases" / "new").mkdir(parents=True)

    def no_links(*_: object, **__: object) -> None:
        raise OSError("no links on this file system")

    monkeypatch.setattr(Path, "symlink_to", no_links)
    with pytest.raises(OSError, match="no links"):
        point(tmp_path / "products", tmp_path / "releases" / "new")
    assert (tmp_path / "products" / "a.csv").read_text(encoding="utf-8") == "old"


def test_the_last_releases_are_kept_and_always_the_current_one(tmp_path: Path) -> None:
    current = publish(tmp_path, NEXT_DAY, "0", keep=3)
    removed = [publish(tmp_path, DAY, str(number), keep=3).removed for number in range(1, 6)]
    assert folders(tmp_path) == ["2026-08-01_3", "2026-08-01_4", "2026-08-01_5", "2026-08-02_0"]
    assert [name for names in removed for name in names] == ["2026-08-01_1", "2026-08-01_2"]
    assert (tmp_path / "products").resolve() == current.folder


def test_the_same_run_again_is_a_release_of_its_own(tmp_path: Path) -> None:
    first = publish(tmp_path, DAY, "1")
    (first.folder.parent / ".making-killed" / "open").mkdir(parents=True)
    again = publish(tmp_path, DAY, "1")
    assert folders(tmp_path) == ["2026-08-01_1", "2026-08-01_1_2"]
    assert again.folder.name == "2026-08-01_1_2" and (tmp_path / "products").resolve() == again.folder


def test_what_cannot_be_released_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"open/a\.csv would be written twice"):
        publish(tmp_path, DAY, "1", text("a.csv", "x"), text("a.csv", "y"))
    (tmp_path / "products").write_text("a file", encoding="utf-8")
    with pytest.raises(SettingsWrong, match="products is a file"):
        publish(tmp_path, DAY, "1")
    assert not (tmp_path / "releases").exists()


def test_a_file_that_did_not_change_is_the_same_file_on_the_disk(tmp_path: Path) -> None:
    first = publish(tmp_path, DAY, "1", text("a.csv", "same\n"), text("b.csv", "old\n"), text("c.csv", "same\n", "direct_care")).folder
    second = publish(tmp_path, NEXT_DAY, "2", text("a.csv", "same\n"), text("b.csv", "new\n"), text("c.csv", "same\n", "direct_care")).folder
    assert [(first / name).samefile(second / name) for name in ("open/a.csv", "open/b.csv", "direct_care/c.csv")] == [True, False, True]
    assert not (second / "open" / "a.csv").samefile(second / "direct_care" / "c.csv"), "never across purposes: the modes differ"
    assert verify(first, key().public).is_good and verify(second, key().public).is_good


def test_a_file_that_was_tampered_with_is_not_taken_over(tmp_path: Path) -> None:
    first = publish(tmp_path, DAY, "1", text("a.csv", "same\n")).folder
    (first / "open" / "a.csv").write_text("bent\n", encoding="utf-8")
    second = publish(tmp_path, NEXT_DAY, "2", text("a.csv", "same\n")).folder
    assert (second / "open" / "a.csv").read_text(encoding="utf-8") == "same\n" and verify(second, key().public).is_good


def test_a_release_that_knows_of_people_up_to_a_later_day_is_not_replaced_by_a_day_between(tmp_path: Path) -> None:
    """A rollback's products are of an older day; a night between, run again, would bring back who has left since."""
    back = publish(tmp_path, DAY, "back", kind=ROLLBACK, people_as_of=date(2026, 8, 5))
    assert (back.folder.name, current_as_of(tmp_path / "products")) == ("2026-08-05_back", date(2026, 8, 5))
    assert not publish(tmp_path, date(2026, 8, 4), "between").is_current
    assert publish(tmp_path, date(2026, 8, 5), "again").is_current


def test_a_release_is_compared_with_the_newest_sound_one_of_an_earlier_day(tmp_path: Path) -> None:
    products, releases = tmp_path / "products", tmp_path / "releases"
    assert earlier_release(products, releases, DAY, key().public) is None
    first = publish(tmp_path, DAY, "1").folder
    second = publish(tmp_path, NEXT_DAY, "2").folder
    assert earlier_release(products, releases, DAY, key().public) is None
    assert earlier_release(products, releases, NEXT_DAY, key().public) == first
    assert earlier_release(products, releases, date(2026, 8, 3), key().public) == second
    (second / "open" / "a.csv").write_text("bent", encoding="utf-8")
    assert earlier_release(products, releases, date(2026, 8, 3), key().public) == first
    assert all_releases(releases) == (second, first)


def test_the_key_is_made_once_and_is_the_vaults_alone(tmp_path: Path) -> None:
    made = signing_key(tmp_path / "vault").public.name
    assert signing_key(tmp_path / "vault").public.name == made
    path = tmp_path / "vault" / "releases" / "signing_key.pem"
    assert [mode(each) for each in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    path.chmod(0o640)
    with pytest.raises(SettingsWrong, match="chmod 600"):
        signing_key(tmp_path / "vault")
    path.chmod(0o600)
    path.write_text("no key", encoding="utf-8")
    with pytest.raises(FileRefused, match="is no Ed25519 key"):
        signing_key(tmp_path / "vault")
