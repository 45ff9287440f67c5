"""The registry finds what single files declare and refuses what is wrong or double."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuller_popheath import contracts, graph, registry
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.specs import SourceSpec, TableSpec


def test_everything_declared_has_a_contract_and_every_contract_somebody_who_fills_it() -> None:
    declared = {*registry.sources(), *registry.tables(), *registry.facts(), *registry.features(), *registry.extracts(), registry.PRACTICE_EXTRACT}
    declared |= {core for spec in registry.extracts().values() for core in spec.becomes}
    declared |= {*registry.TRAINING_TABLES, *registry.SCORE_TABLES, *registry.MONITORING_TABLES}
    on_disk = set(contracts.contract_ids())
    assert declared - on_disk == set()
    # The landing table is written by the arrival step itself; labels are seen by training alone, and are not kept.
    assert on_disk - declared == {"core/landing_file", "risk/outcome_label"}


def test_every_declared_table_can_be_put_in_order() -> None:
    made = graph.order(registry.tables(), registry.tables())
    assert set(made) == set(registry.tables())
    for contract in made:
        for needed in registry.tables()[contract].inputs:
            if needed in registry.tables():
                assert made.index(needed) < made.index(contract)


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    package = tmp_path / "planted_catalogue"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.startswith("planted_catalogue")]:
        del sys.modules[name]


TABLE = "from fuller_popheath.specs import TableSpec\nTABLE = TableSpec(contract='products/{}', inputs=(), build=lambda inputs, night: None)\n"


def test_one_file_is_found_by_what_it_declares(planted: Path) -> None:
    (planted / "anything.py").write_text(TABLE.format("thing"))
    assert list(registry._by_contract(("planted_catalogue",), "TABLE", TableSpec)) == ["products/thing"]


def test_a_double_declaration_is_refused_and_says_where(planted: Path) -> None:
    (planted / "one.py").write_text(TABLE.format("thing"))
    (planted / "two.py").write_text(TABLE.format("thing"))
    with pytest.raises(SettingsWrong, match=r"products/thing is declared twice: in planted_catalogue\.one and in planted_catalogue\.two"):
        registry._by_contract(("planted_catalogue",), "TABLE", TableSpec)


def test_a_declaration_of_the_wrong_kind_is_refused(planted: Path) -> None:
    (planted / "one.py").write_text("SOURCE = 'a text'\n")
    with pytest.raises(SettingsWrong, match=r"planted_catalogue\.one\.SOURCE must be a SourceSpec"):
        registry._by_contract(("planted_catalogue",), "SOURCE", SourceSpec)


def test_a_circle_is_refused() -> None:
    specs = {name: TableSpec(name, (other,), lambda inputs, night: None) for name, other in (("core/a", "core/b"), ("core/b", "core/a"))}  # type: ignore[arg-type,return-value]
    with pytest.raises(SettingsWrong, match="in a circle"):
        graph.order(specs, ["core/a"])
