"""`fuller profile`: one PCN's or all from the store, what it says, and what it refuses."""

from __future__ import annotations

import importlib.util
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath import profile_command
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.site import load_site
from fuller_popheath.stored_tables import StoredTables

if TYPE_CHECKING:
    from fuller_popheath.specs import Night

FOLDER = Path(__file__).parents[1] / "publish"


def _loaded(name: str, file: str) -> object:
    spec = importlib.util.spec_from_file_location(name, FOLDER / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_example = _loaded("profile_example_of_the_command", "profile_example.py")
_small_report = _loaded("small_report_of_the_command", "conftest.py")
for _name in ("night", "neighbourhood_practice", "registered_count", "lsoa_boundary", "products", "landing_file"):
    globals()[_name] = getattr(_small_report, _name)


@pytest.fixture
def store(
    products: dict[str, pa.Table],
    registered_count: pa.Table,
    neighbourhood_practice: pa.Table,
    lsoa_boundary: pa.Table,
    landing_file: pa.Table,
    night: Night,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A store with the tables of one night, and the settings that name it."""
    made = _example.tables(products, registered_count, neighbourhood_practice, lsoa_boundary, landing_file, night)  # type: ignore[attr-defined]
    for name, table in made.items():
        folder = tmp_path / "store" / name / "as_of=2022-07-01"
        folder.mkdir(parents=True)
        pq.write_table(table, folder / "part.parquet")
    (tmp_path / "site.toml").write_text(f'[folders]\nstore = "{tmp_path / "store"}"\n', encoding="utf-8")
    monkeypatch.setenv("FULLER_SITE", str(tmp_path / "site.toml"))
    return tmp_path / "store"


def test_one_or_every_pcn(store: Path, tmp_path: Path) -> None:
    said: list[str] = []
    one = profile_command.profiles(tmp_path / "one", ["U00002"], False, "", False, said.append)
    assert [path.name for path in one] == ["neighbourhood_profiles.html", "profile_U00002.html"]
    every = profile_command.profiles(tmp_path / "all", [], True, "2022-07-01", False, said.append)
    assert len(every) == 8
    assert said[0].startswith("Written 1 profile of 2022-07-01")
    assert "made from records" in said[1]


def test_counts_of_people_are_those_that_were_released(store: Path, tmp_path: Path) -> None:
    """Of two nights of a month both would tell of small counts what neither does; Core20, which is published, is the night's own."""
    for folder in list(store.glob("*/*/as_of=2022-07-01")):
        shutil.copytree(folder, folder.with_name("as_of=2022-07-09"))
    for name in ("population_profile", "core20_by_pcn"):
        path = store / "products" / name / "as_of=2022-07-09" / "part.parquet"
        table = pq.read_table(path, partitioning=None)
        pq.write_table(table.set_column(0, table.schema.field(0), pa.array([date(2022, 7, 9)] * len(table), pa.date32())), path)
    (_, page) = profile_command.profiles(tmp_path / "one", ["U00002"], False, "", False, print)
    text = page.read_text(encoding="utf-8")
    assert "Report for 9 July 2022" in text
    assert "Made from records as on 1 July 2022" in text
    assert 'download="U00002_conditions_2022-07-01.csv"' in text
    assert 'download="U00002_deprivation_2022-07-09.csv"' in text
    site = load_site()
    days = StoredTables(store)
    assert days.released("products/population_profile", date(2022, 7, 31), site) == date(2022, 7, 1)
    assert days.released("products/core20_by_pcn", date(2022, 7, 9), site) == date(2022, 7, 9)
    nightly = site.model_copy(update={"disclosure": site.disclosure.model_copy(update={"release": "nightly"})})
    assert days.released("products/population_profile", date(2022, 7, 9), nightly) == date(2022, 7, 1), "none was let through"
    (store / "released_counts.json").write_text('{"2022-07-09": {"leaves": true}}', encoding="utf-8")
    assert days.released("products/population_profile", date(2022, 7, 9), nightly) == date(2022, 7, 9)


def test_published_only_leaves_out_what_is_made_from_records(store: Path, tmp_path: Path) -> None:
    said: list[str] = []
    (_, page) = profile_command.profiles(tmp_path / "one", ["U00002"], False, "", True, said.append)
    text = page.read_text(encoding="utf-8")
    assert 'id="c-conditions"' not in text
    assert "High need for continuity" not in text
    assert "Made from published files alone." in text
    assert said[0].endswith("made from published data alone")


def test_what_is_not_asked_for_rightly_is_refused(store: Path, tmp_path: Path) -> None:
    for pcns, every in (([], False), (["U00001"], True)):
        with pytest.raises(SettingsWrong, match=r"--pcn.*--all"):
            profile_command.profiles(tmp_path, pcns, every, "", False, print)
    with pytest.raises(SettingsWrong, match="YYYY-MM-DD"):
        profile_command.profiles(tmp_path, [], True, "yesterday", False, print)
    with pytest.raises(InputMissing, match="not in the store for 2022-07-02"):
        profile_command.profiles(tmp_path, [], True, "2022-07-02", False, print)
