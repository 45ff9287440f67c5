"""A small make-believe ICS with four years of records, loaded through the door once a session: what models are made from in every test here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath import graph, registry
from fuller_popheath.arrival.door import take_extracts
from fuller_popheath.arrival.extract_store import ExtractStore
from fuller_popheath.arrival.landing import plan, read_and_check, survey
from fuller_popheath.engine import Engine
from fuller_popheath.feature_store import build_fact, build_feature
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.risk.index_population import IndexPopulation, build
from fuller_popheath.risk.training_sets import index_dates
from fuller_popheath.site import Folders, Pseudonyms, Site, Training
from fuller_popheath.specs import Night, Parts
from tests.conftest import Once

if TYPE_CHECKING:
    import pyarrow as pa

AS_OF = date(2026, 8, 1)
PEOPLE, SEED = 10_000, 11
KEY = PseudonymKey(b"a key of the tests, long enough")
PLACES = ("core/neighbourhood_practice", "core/registered_count", "core/area_deprivation")
TRUTH = "truth/truth.parquet"
FROM_EXTRACTS = {core for spec in registry.extracts().values() for core in spec.becomes}


@dataclass
class RiskIcs:
    """The store of one night, without an orchestrator. Read only: a test that changes a table makes its own `source_of` around this one.

    `truth`: true probabilities (`index_date`, `person_id`, ..._probability) on the development and the validation index date.
    """

    night: Night
    extracts: ExtractStore
    arrived: dict[str, pa.Table]
    truth_file: Path
    made: dict[str, Any] = field(default_factory=dict)

    def engine_factory(self) -> Engine:
        """A fresh engine."""
        return Engine.duckdb(threads=2)

    def source_of(self, contract_id: str) -> Parts | pa.Table:
        """A table of tonight: files of extracts, else whole; core/person, facts and features as at tonight are made when they are asked for."""
        if contract_id in FROM_EXTRACTS:
            return self.extracts.parts(contract_id, self.night.as_of)
        if contract_id not in self.made:
            self.made[contract_id] = self._make(contract_id)
        return self.made[contract_id]

    def _make(self, contract_id: str) -> pa.Table:
        specs: Any = {**registry.tables(), **registry.facts(), **registry.features()}
        if contract_id in self.arrived:
            return self.arrived[contract_id]
        if contract_id == registry.PRACTICE_EXTRACT:
            return self._account()
        spec = specs[contract_id]
        if contract_id in registry.tables():
            inputs = {i: self.extracts.read(i, self.night.as_of) if i in FROM_EXTRACTS else self.source_of(i) for i in spec.inputs}
            return spec.build(inputs, self.night)
        one = build_feature if contract_id in registry.features() else build_fact
        with self.engine_factory() as engine:
            return one(spec, engine, {i: self.source_of(i) for i in ("core/person", *spec.inputs)}, self.night)

    def _account(self) -> pa.Table:
        import pyarrow as pa

        return pa.concat_tables([self.extracts.account(inbound, self.night.as_of) for inbound in registry.extracts()])

    @cached_property
    def truth(self) -> pa.Table:
        """The probabilities behind what happened, with our person ids in place of numbers; people with a number only."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        told = pq.read_table(self.truth_file)
        told = told.filter(told["nhs_number"].is_valid())
        ids = pa.array([KEY.person_id(f"nhs:{number}") for number in told["nhs_number"].to_pylist()])
        return told.append_column("person_id", ids).drop_columns(["nhs_number", "patient_id"])

    def population(self, index_date: date) -> IndexPopulation:
        """Everybody at an index date, with features and labels; made once."""
        key = f"population {index_date}"
        if key not in self.made:
            self.made[key] = build(self.engine_factory, self.source_of, self.night, index_date)
        return self.made[key]

    @property
    def index_dates(self) -> tuple[date, date]:
        """Of development and validation."""
        return index_dates(self.night.as_of, self.night.site.training.outcome_lag_days)

    @property
    def development(self) -> IndexPopulation:
        """The people models are fitted on."""
        return self.population(self.index_dates[0])

    @property
    def validation(self) -> IndexPopulation:
        """The people models are recalibrated and judged on."""
        return self.population(self.index_dates[1])


@pytest.fixture(scope="session")
def risk_ics(once: Once, tmp_path_factory: pytest.TempPathFactory) -> RiskIcs:
    """About 8,000 people; see `RiskIcs`. Its files are made and loaded once for all test processes."""
    base = once("risk_ics", load)
    night = night_in(base)
    return RiskIcs(night, ExtractStore(base / "store", str(base / "landing")), places_in(base, night, tmp_path_factory.mktemp("q")), base / TRUTH)


def night_in(base: Path) -> Night:
    """Without a lag, so that the index dates are those of the truth file."""
    folders = {name: str(base / name) for name in ("landing", "store", "quarantine", "products", "vault", "spill", "models")}
    training = Training(fit_people=8_000, trial_people=2_000, trials=2, minimum_events=40, outcome_lag_days=0)
    return Night(AS_OF, Site(folders=Folders(**folders), pseudonyms=Pseudonyms(data_is_synthetic=True), training=training))


def places_in(base: Path, night: Night, quarantine: Path) -> dict[str, pa.Table]:
    """The tables of places, from what is published."""
    arrival = plan(survey(base / "landing", registry.sources(), night.site.arrival), AS_OF)
    published = [name for name in arrival.used if name.startswith("reference/") and name != "reference/lsoa_boundary"]
    arrived = {name: read_and_check(arrival, name, quarantine, night.site.arrival).table for name in published}
    made = graph.build(PLACES, arrived, night)
    return {name: made[name] for name in PLACES}


def load(base: Path) -> None:
    """Write the landing folder and take its extracts through the door."""
    from fuller_popheath.synthetic import write_landing

    made = write_landing(base / "landing", seed=SEED, as_of=AS_OF, people=PEOPLE, records=True, file_format="parquet", workers=1)
    assert made.truth_file == base / TRUTH
    night = night_in(base)
    practices = frozenset(places_in(base, night, base / "quarantine")[PLACES[0]]["practice_code"].to_pylist())
    files = plan(survey(base / "landing", registry.sources(), night.site.arrival), AS_OF).files
    store = ExtractStore(base / "store", str(base / "landing"))
    for inbound in sorted(registry.extracts(), key=lambda name: name != "inbound/practice_list"):
        take_extracts(inbound, files, AS_OF, night.site, store, base / "vault", base / "quarantine", practices, {}, KEY)


@pytest.fixture(scope="session")
def risk_populations(risk_ics: RiskIcs) -> tuple[IndexPopulation, IndexPopulation]:
    """The development and the validation population."""
    return risk_ics.development, risk_ics.validation
