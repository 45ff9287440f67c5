"""A disk that is full, or may only be read: what stood stands, nothing half is left, and with room again the same work is done.

Such a disk is a small file system in memory, which only root can mount; elsewhere these tests are skipped.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.publish.release import Part, all_releases, current_as_of, release
from fuller_popheath.publish.release_manifest import Statement, verify
from fuller_popheath.publish.release_signature import SigningKey, signing_key
from fuller_popheath.site import Site
from fuller_popheath.whole_files import replace_whole
from pipelines.after_night import told
from pipelines.night_lock import one_night
from tests.arrival.conftest import Landing, Night
from tests.pipelines.test_notices import FAILED, Mailbox, by_mail, serve_mail

FIRST, SECOND = date(2026, 8, 1), date(2026, 8, 2)


@dataclass
class Disk:
    """A small file system at `folder`."""

    folder: Path

    def be(self, *options: str) -> None:
        """Mount it again with other options."""
        subprocess.run(["mount", "-o", ",".join(("remount", *options)), str(self.folder)], check=True, capture_output=True)

    def fill(self, leave: int = 0) -> None:
        """Leave so many bytes."""
        free = shutil.disk_usage(self.folder).free
        with (self.folder / "filling").open("wb") as file:
            file.write(bytes(max(0, free - leave)))

    def files(self) -> set[str]:
        """What lies on it."""
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file() or path.is_symlink()}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small file system can be mounted by root only, so a full or read-only disk cannot be made here")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return signing_key(tmp_path_factory.mktemp("key") / "vault")


def publish(folder: Path, day: date, key: SigningKey, size: int = 200_000) -> None:
    parts = [Part(purpose, f"{at}.csv", partial(_write, f"{day}{at}", size)) for at in range(3) for purpose in ("open", "direct_care")]
    release(folder / "products", folder / "releases", Statement(day, "run"), parts, key)


def _write(text: str, size: int, path: Path) -> None:
    path.write_text((text * (1 + size // len(text)))[:size], encoding="utf-8")


@pytest.mark.parametrize("room", [0, 150_000, 700_000, 1_150_000])
def test_a_release_for_which_there_is_no_room_leaves_yesterdays(disk: Disk, key: SigningKey, room: int) -> None:
    publish(disk.folder, FIRST, key)
    before = disk.files()
    disk.fill(leave=room)
    with pytest.raises(OSError, match="space") as refused:
        publish(disk.folder, SECOND, key)
    assert refused.value.errno == errno.ENOSPC
    assert disk.files() - {"filling"} == before
    (standing,) = all_releases(disk.folder / "releases")
    assert current_as_of(disk.folder / "products") == FIRST and verify(standing, key.public).is_good
    (disk.folder / "filling").unlink()
    publish(disk.folder, SECOND, key)
    assert current_as_of(disk.folder / "products") == SECOND and verify(disk.folder / "products", key.public).is_good


def test_a_load_for_which_there_is_no_room_says_so_and_is_whole_the_next_time(disk: Disk, tmp_path: Path) -> None:
    landing = Landing(tmp_path / "landing")
    for at in range(4):
        landing.practice_list(f"P8100{at}", people=400, start=at * 1000)
    undisturbed, night = Night(landing.folder, tmp_path / "undisturbed"), Night(landing.folder, disk.folder)
    expected = undisturbed.take()
    for room in (0, 16_384, 40_960):
        disk.fill(leave=room)
        # A full disk is no file's fault: it does not put the practice on an older list.
        with pytest.raises(OSError, match="space"):
            night.take()
        assert not [name for name in disk.files() if name.endswith(".tmp")]
        assert not night.store.days("core/registration")
        (disk.folder / "filling").unlink()
    assert night.take().account.equals(expected.account)
    assert night.store.read("core/registration", FIRST).equals(undisturbed.store.read("core/registration", FIRST))


def test_a_disk_that_may_only_be_read_stops_the_night_with_words(disk: Disk, key: SigningKey) -> None:
    publish(disk.folder, FIRST, key)
    before = disk.files()
    disk.be("ro")
    with (
        pytest.raises(SettingsWrong, match=r"nothing can be written to the store's folder \(Read-only file system\).*mount it for writing"),
        one_night(disk.folder / "store"),
    ):
        pass
    with pytest.raises(OSError, match="Read-only"):
        publish(disk.folder, SECOND, key)
    assert disk.files() == before and verify(disk.folder / "products", key.public).is_good
    disk.be("rw")
    with one_night(disk.folder / "store"):
        publish(disk.folder, SECOND, key)
    assert current_as_of(disk.folder / "products") == SECOND


def test_a_file_that_does_not_fit_leaves_the_one_that_stood(disk: Disk) -> None:
    path = replace_whole(disk.folder / "a.csv", lambda part: part.write_bytes(b"whole"))
    disk.fill(leave=8_192)
    with pytest.raises(OSError, match="space"):
        replace_whole(path, lambda part: part.write_bytes(bytes(1 << 20)))
    assert path.read_bytes() == b"whole" and disk.files() == {"a.csv", "filling"}


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    yield from serve_mail()


def test_a_failed_night_is_told_of_though_its_disk_is_full(disk: Disk, mailbox: Mailbox) -> None:
    notices = by_mail(mailbox.port).model_dump()
    site = Site.model_validate({"folders": {"products": str(disk.folder / "products")}, "notices": notices})
    disk.fill()
    assert told(FAILED, site) == ()
    assert len(mailbox.taken) == 1 and b"nightly" in mailbox.taken[0].content
