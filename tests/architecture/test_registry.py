"""The registry finds what single files declare and refuses what is wrong or double."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuller_popheath import contracts, graph, registry
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.specs import SourceSpec, TableSpec


def test_everything_declared_has_a_contract_and_every_contract_somebody_who_fills_it() -> None:
    declared = {*registry.sources(), *registry.tables(), *registry.facts(), *registry.features(), *registry.extracts(), *registry.MADE_IN_STEPS}
    declared |= {core for spec in registry.extracts().values() for core in spec.becomes}
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


SEGMENT = """from fuller_popheath.specs import Group, SegmentSpec
SEGMENT = SegmentSpec(
    "medicines", "Medicines", (Group("many", "Many", "Ten or more."), Group("few", "Few", "Fewer.")), ("ten or more medicines", "fewer"),
    {"features/medicines": ("medicine_count_365",)}, lambda values, site: ((values["medicine_count_365"] < 10) * 1,) * 2, "None.",
)
"""


def test_a_segmentation_is_one_new_file_and_core_segment_then_reads_what_it_reads(planted: Path) -> None:
    (planted / "medicines.py").write_text(SEGMENT)
    asked = """
from fuller_popheath import registry
registry.SEGMENT_PACKAGES = (*registry.SEGMENT_PACKAGES, "planted_catalogue")
table = registry.tables()["core/segment"]
print(*table.inputs, *table.columns["features/medicines"], *registry.segments())
"""
    # In a process of its own: the table is declared once, when it is imported.
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join((str(planted.parent), str(Path(registry.__file__).parents[1])))}
    said = subprocess.run([sys.executable, "-c", asked], env=paths, capture_output=True, text=True, check=True).stdout.split()
    assert {"features/medicines", "medicine_count_365", "medicines", "bridges_to_health"} <= set(said)


def test_a_circle_is_refused() -> None:
    specs = {name: TableSpec(name, (other,), lambda inputs, night: None) for name, other in (("core/a", "core/b"), ("core/b", "core/a"))}  # type: ignore[arg-type,return-value]
    with pytest.raises(SettingsWrong, match="in a circle"):
        graph.order(specs, ["core/a"])
