"""A release stands whole or not at all, and the pointer moves in one step, never back to an older day."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import date
from pathlib import Path

import pytest

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.publish.release import Part, Released, current_as_of, point, release

DAY, NEXT_DAY = date(2026, 8, 1), date(2026, 8, 2)


def text(name: str, content: str, purpose: str = "open") -> Part:
    return Part(purpose, name, lambda path: path.write_text(content, encoding="utf-8"), rows=content.count("\n"))


def publish(folder: Path, as_of: date, run: str, *parts: Part, keep: int = 10) -> Released:
    return release(folder / "products", folder / "releases", as_of, run, parts or (text("a.csv", f"{as_of} {run}\n"),), keep)


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
        "file": "open/a.csv", "purpose": "open", "rows": 2, "bytes": 4, "sha256": hashlib.sha256(b"x\n1\n").hexdigest(),
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
    assert [path.name for path in (tmp_path / "releases").iterdir()] == ["2026-08-01_1"]
    assert (tmp_path / "products" / "open" / "a.csv").read_text(encoding="utf-8") == "2026-08-01 1\n"


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
    kept = sorted(path.name for path in (tmp_path / "releases").iterdir())
    assert kept == ["2026-08-01_3", "2026-08-01_4", "2026-08-01_5", "2026-08-02_0"]
    assert [name for names in removed for name in names] == ["2026-08-01_1", "2026-08-01_2"]
    assert (tmp_path / "products").resolve() == current.folder


def test_the_same_run_again_is_a_release_of_its_own(tmp_path: Path) -> None:
    first = publish(tmp_path, DAY, "1")
    (first.folder.parent / ".making-killed" / "open").mkdir(parents=True)
    again = publish(tmp_path, DAY, "1")
    assert sorted(path.name for path in first.folder.parent.iterdir()) == ["2026-08-01_1", "2026-08-01_1_2"]
    assert again.folder.name == "2026-08-01_1_2" and (tmp_path / "products").resolve() == again.folder


def test_what_cannot_be_released_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"open/a\.csv would be written twice"):
        publish(tmp_path, DAY, "1", text("a.csv", "x"), text("a.csv", "y"))
    (tmp_path / "products").write_text("a file", encoding="utf-8")
    with pytest.raises(SettingsWrong, match="products is a file"):
        publish(tmp_path, DAY, "1")
    assert not (tmp_path / "releases").exists()
