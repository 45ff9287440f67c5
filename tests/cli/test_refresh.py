"""`fuller refresh`: the nightly job from the command line, in a process and with folders of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

FOLDERS = ("landing", "store", "quarantine", "products", "vault", "spill", "models")


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    folders = "\n".join(f'{name} = "{folder / name}"' for name in FOLDERS)
    (folder / "site.toml").write_text(f"[folders]\n{folders}\n", encoding="utf-8")
    instance = (Path(__file__).resolve().parents[2] / "dagster.yaml").read_text(encoding="utf-8")
    (folder / "dagster.yaml").write_text(instance.replace("base_dir: var/", f"base_dir: {folder}/"), encoding="utf-8")
    return folder


def refresh(own_site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FULLER_SITE": str(own_site / "site.toml"), "DAGSTER_HOME": str(own_site), "COLUMNS": "200"}
    command = [sys.executable, "-m", "fuller_popheath.cli", "refresh", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_a_landing_folder_that_is_none_is_a_wrong_option(own_site: Path) -> None:
    ended = refresh(own_site, "--landing", str(own_site / "nowhere"))
    assert ended.returncode == 2
    assert "nowhere" in ended.stderr


def test_a_day_that_is_none_is_a_wrong_option(own_site: Path) -> None:
    ended = refresh(own_site, "--as-of", "yesterday")
    assert ended.returncode == 2
    assert "YYYY-MM-DD" in ended.stderr


def test_a_filled_landing_folder_is_used_as_it_is_and_the_options_reach_the_night(own_site: Path) -> None:
    import pandas as pd

    from fuller_popheath.synthetic import write_landing

    made = write_landing(own_site / "landing", seed=7, as_of=date(2026, 10, 1), people=4_000)
    ended = refresh(own_site, "--synthetic-if-empty", "--edition", "2025")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Make-believe place (seed" not in ended.stdout
    assert f"{made.registrations:,}" in ended.stdout
    by_pcn = pd.read_csv(own_site / "products" / "open" / "core20_by_pcn.csv")
    assert set(by_pcn["imd_edition"]) == {2025}
    assert (own_site / "products" / "open" / "core20.html").is_file()


def test_a_night_without_registrations_and_lists_ends_with_5_and_says_what_is_missing(own_site: Path) -> None:
    """Where lists came, the last registrations stand in: tests/pipelines/test_days.py."""
    before = (own_site / "products" / "open" / "core20_by_pcn.csv").read_bytes()
    (own_site / "landing" / "gp-reg-pat-prac-lsoa-all.csv").unlink()
    shutil.rmtree(own_site / "landing" / "practice_lists")
    ended = refresh(own_site, "--as-of", "2026-10-02")
    assert ended.returncode == 5, ended.stdout + ended.stderr
    assert "practice x LSOA registrations" in ended.stdout
    assert (own_site / "products" / "open" / "core20_by_pcn.csv").read_bytes() == before
