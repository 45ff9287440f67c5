"""site.toml: what it may say, and that what it shows as defaults are the defaults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.registry import plus_groups
from fuller_popheath.site import ArrivalLimits, Folders, Phasing, Site, load_site
from fuller_popheath.site_lists import Plus


def site_of(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("FULLER_SITE", str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[arrival]\nmax_quarantined_procent = 5\n", "arrival.max_quarantined_procent"),
        ("[arival]\nmax_quarantined_percent = 5\n", "arival"),
        ("[arrival]\nmax_quarantined_percent = 'five'\n", "max_quarantined_percent must be a number"),
        ("[arrival]\nmax_quarantined_percent = 101\n", "arrival.max_quarantined_percent"),
        ("[arrival]\ndrop_sensitive_codes = 'no'\n", "drop_sensitive_codes must be true or false"),
        ("[arrival]\nstale_after_days = true\n", "stale_after_days must be a number"),
        ("[engine]\nmemory_limit = 'lots'\n", "engine.memory_limit"),
        ("[folders]\nvault = 'var/products/open/vault'\n", "folders.vault lies in folders.products"),
        ("[objections]\ntype_1 = ['lists']\n", "unknown purpose"),
        ("[phasing]\nwaves = [{name = 'A'}]\n", "phasing.waves.0.core20_percent_at_least"),
        ("[phasing]\nwaves = []\n", "phasing.waves"),
        ("[phasing]\nwaves = [{name = 'late', core20_percent_at_least = 0}, {name = 'early', core20_percent_at_least = 30}]\n", "highest threshold"),
        ("[risk]\nbands = {low = 0.0, high = 0.3}\n", "name the bands from the highest to the lowest"),
        ("[risk]\nbands = {high = 0.3, raised = 0.3, low = 0.0}\n", "risk.bands"),
        ("[risk]\nbands = {high = 30, low = 0.0}\n", "risk.bands"),
        ("[risk]\nbands = {high = 0.3, low = 0.1}\n", "risk.bands"),
        ("[risk]\nbands = {}\n", "risk.bands"),
        ("[plus]\ngroups = ['carer', 'carer']\n", "carer is named twice"),
        ("[geography\n", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, said: str) -> None:
    site_of(monkeypatch, tmp_path, text)
    with pytest.raises(SettingsWrong, match=re.escape(said)):
        load_site()


def test_a_settings_file_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FULLER_SITE", str(tmp_path / "elsewhere.toml"))
    with pytest.raises(SettingsWrong, match=r"elsewhere\.toml"):
        load_site()


def test_no_environment_variable_changes_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_site()
    for name in ("FOLDERS", "ARRIVAL", "GEOGRAPHY", "PHASING"):
        monkeypatch.setenv(name, '{"landing": "/elsewhere"}')
    assert load_site() == before


def test_the_commented_defaults_are_the_defaults(project_root: Path) -> None:
    shown = re.sub(r"^# (?=\w+ = |waves|    \{|\])", "", (project_root / "site.toml").read_text(encoding="utf-8"), flags=re.M)
    settings = tomllib.loads(shown)
    assert Folders(**settings["folders"]) == Folders()
    assert ArrivalLimits(**settings["arrival"]) == ArrivalLimits()
    assert set(settings["arrival"]) == set(ArrivalLimits.model_fields)
    assert set(settings["folders"]) == set(Folders.model_fields)
    assert Phasing(**settings["phasing"]) == Phasing()
    for name in (
        "pseudonyms",
        "objections",
        "codelists",
        "continuity",
        "frailty",
        "plus",
        "continuity_need",
        "lists",
        "reviews",
        "disclosure",
        "engine",
    ):
        section = type(Site.model_fields[name].default)
        assert section(**settings[name]) == section()
        assert set(settings[name]) == set(section.model_fields)


def test_where_no_plus_group_is_named_every_declared_one_counts_and_else_only_the_named() -> None:
    """A group's file is named as the group: settings know the files and not what they declare. Those by place need a file, so they are named."""
    by_place = {"coastal", "rural"}
    assert Site().plus.groups == Plus(groups=()).groups == tuple(sorted(set(plus_groups()) - by_place))
    assert Plus(groups=("carer",)).groups == ("carer",)
