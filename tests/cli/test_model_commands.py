"""`fuller train`, `evaluate` and `card`: what they write, what they refuse and in which words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fuller_popheath.risk.model_store import load
from tests.cli.conftest import Fuller

FOLDERS = ("landing", "store", "quarantine", "products", "vault", "spill", "models")
WELL_FORMED = "emergency_admission_12m.adult.additive.2026-08-01.0123456789abcdef"
ROWS, PERSONS = 150, 100


@pytest.fixture
def own_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site whose folders are empty, and one trial of hyper-parameters."""
    folder = tmp_path / "site"
    folder.mkdir()
    folders = "\n".join(f'{name} = "{folder / name}"' for name in FOLDERS)
    (folder / "site.toml").write_text(f"[folders]\n{folders}\n[training]\ntrials = 1\n", encoding="utf-8")
    monkeypatch.setenv("FULLER_SITE", str(folder / "site.toml"))
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table from elsewhere: some persons have two rows."""
    rng = np.random.default_rng(1)
    marker = rng.normal(0, 1, ROWS)
    fell = rng.random(ROWS) < 1 / (1 + np.exp(0.5 - 1.5 * marker))
    rows = [f"p{n % PERSONS},{'north' if n % 3 else 'south'},{marker[n]:.3f},{'yes' if fell[n] else 'no'}" for n in range(ROWS)]
    path = tmp_path / "elsewhere.csv"
    path.write_text("\n".join(["person_id,region,marker,fell", *rows]) + "\n", encoding="utf-8")
    return path


def test_any_table_is_fitted_and_judged(own_site: Path, table: Path, tmp_path: Path, fuller: Fuller) -> None:
    answer = fuller("train", "--table", table, "--outcome", "fell", "--out", tmp_path / "out", "--seed", 5)
    assert answer.code == 0, answer.complaints
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text(encoding="utf-8"))
    assert (told["table"], told["outcome"], told["rows"], told["persons"], told["seed"]) == ("elsewhere.csv", "fell", ROWS, PERSONS, 5)
    assert {"additive", "boosting", "logistic"} <= set(told["models"])
    wanted = {"auroc", "auroc_lower", "auroc_upper", "brier", "calibration_slope", "calibration_in_the_large"}
    for name, found in told["models"].items():
        assert wanted <= set(found)
        assert f"{name}: AUROC {found['auroc']:.3f} ({found['auroc_lower']:.3f} to {found['auroc_upper']:.3f})" in answer.out
        assert load(tmp_path / "out" / "models", told["stored"][name]).model.outcome == "fell"
    assert told["models"]["logistic"]["auroc_lower"] > 0.6
    assert len((tmp_path / "out" / "predictions.csv").read_text(encoding="utf-8").splitlines()) == ROWS + 1
    assert not (own_site / "models").exists(), "a table from elsewhere leaves the site's own models alone"


REFUSED: dict[str, tuple[str, int, str]] = {
    "no such column": ("--table {table} --outcome died --out {out}", 2, "has no column died; it has person_id, region, marker, fell"),
    "no outcome": ("--table {table} --out {out}", 2, "--table needs one --outcome"),
    "two outcomes": ("--table {table} --outcome fell --outcome region --out {out}", 2, "--table needs one --outcome"),
    "nowhere to write": ("--table {table} --outcome fell", 2, "--out, the folder to write to"),
    "not yes or no": ("--table {table} --outcome marker --out {out}", 3, "neither 1/0, true/false nor yes/no"),
    "too few rows": ("--table {short} --outcome fell --out {out}", 3, "29 rows that can be used; 50 are the least"),
    "no table": ("--table {none} --outcome fell --out {out}", 2, "does not exist"),
    "out without table": ("--out {out}", 2, "--out and --seed go with --table"),
    "seed without table": ("--seed 3", 2, "--out and --seed go with --table"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(own_site: Path, table: Path, tmp_path: Path, fuller: Fuller, what: str) -> None:
    words, code, said = REFUSED[what]
    short, out = tmp_path / "short.csv", tmp_path / "out"
    short.write_text("".join(table.read_text(encoding="utf-8").splitlines(keepends=True)[:30]), encoding="utf-8")
    files = {"table": table, "short": short, "none": tmp_path / "none.csv", "out": out}
    answer = fuller("train", *(word.format_map(files) for word in words.split()))
    assert answer.code == code
    assert said in " ".join(answer.complaints.replace("│", " ").split())
    assert not out.exists()
    assert "Traceback" not in answer.complaints


def in_a_process(*words: str) -> subprocess.CompletedProcess[str]:
    """The command line as it is typed: `evaluate` and `card` start a process of their own, whose words go where ours do."""
    command = [sys.executable, "-m", "fuller_popheath.cli", *words]
    return subprocess.run(command, env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("card", "--model", "../vault"), 2, "that is no model id: expected <outcome>.<age group>.<model>.<date>"),
        (("card", "--model", WELL_FORMED), 2, f"there is no model {WELL_FORMED}; there are: none"),
        (("evaluate", "--model", WELL_FORMED), 2, f"there is no model {WELL_FORMED}; there are: none"),
    ],
)
def test_a_wrong_model_id_is_a_wrong_option(own_site: Path, words: tuple[str, ...], code: int, said: str) -> None:
    ended = in_a_process(*words)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert said in " ".join((ended.stdout + ended.stderr).split())
    assert "Traceback" not in ended.stderr
    assert not (own_site / "models").exists()


def test_a_model_must_be_named(own_site: Path, fuller: Fuller) -> None:
    for command in ("evaluate", "card"):
        answer = fuller(command)
        assert answer.code == 2
        assert "--model" in answer.complaints
