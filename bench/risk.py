"""Risk models of a make-believe ICS: what training and scoring cost, and how close the risks come to the truth that only the generator knows.

    python -m bench.risk [--people 240000] [--seed 5] [--keep]

Steps: generate, load, person (as in bench.ics), train (populations at both index dates, every model of every outcome), score (tonight's people with
reasons), truth (predicted against true probabilities by tenth; everything the acceptance of the models names). Each runs in its own process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.ics import DAY, WORK, features, generate, keep, kept, load, measured, path_of, person, site_of, table_of

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import Parts

PEOPLE, SEED = 240_000, 5


class Place:
    """The store of one bench folder: tables of the day by contract id, made when they are asked for."""

    def __init__(self, base: Path, day: date) -> None:
        from fuller_popheath.specs import Night

        self.base, self.day = base, day
        self.site: Site = site_of(base)
        self.night = Night(day, self.site)

    def source_of(self, contract_id: str) -> Parts | pa.Table:
        """A table of the day: files where it is big, else whole."""
        from fuller_popheath import registry
        from fuller_popheath.arrival.extract_store import ExtractStore
        from fuller_popheath.specs import Parts

        extracts = ExtractStore(self.site.folder("store"))
        if contract_id in {core for spec in registry.extracts().values() for core in spec.becomes}:
            return extracts.parts(contract_id, self.day)
        path = path_of(self.base, contract_id, self.day)
        if not path.is_file():
            keep(self.base, contract_id, self.day, self._made(contract_id))
        return Parts(contract_id, (path,)) if contract_id in {**registry.facts(), **registry.features()} else kept(self.base, contract_id, self.day)

    def _made(self, contract_id: str) -> pa.Table:
        import pyarrow as pa

        from fuller_popheath import registry
        from fuller_popheath.arrival.extract_store import ExtractStore
        from fuller_popheath.engine import Engine
        from fuller_popheath.feature_store import build_fact

        extracts = ExtractStore(self.site.folder("store"))
        if contract_id == registry.PRACTICE_EXTRACT:
            return pa.concat_tables([extracts.account(inbound, self.day) for inbound in registry.extracts()])
        if contract_id in registry.facts():
            spec = registry.facts()[contract_id]
            with Engine.from_site(self.site) as engine:
                return build_fact(spec, engine, {name: self.source_of(name) for name in ("core/person", *spec.inputs)}, self.night)
        made: Any = registry.tables()[contract_id]
        inputs = {name: self._whole(name) for name in made.inputs}
        return made.build(inputs, self.night)

    def _whole(self, contract_id: str) -> pa.Table:
        from fuller_popheath.arrival.extract_store import ExtractStore

        given = self.source_of(contract_id)
        if hasattr(given, "paths"):
            extracts = ExtractStore(self.site.folder("store"))
            return extracts.read(contract_id, self.day) if contract_id.startswith("core/") and extracts.days(contract_id) else kept(self.base, contract_id, self.day)
        return given


def train_all(base: Path, day: date) -> str:
    """Populations at both index dates, then every model of every outcome."""
    from fuller_popheath.engine import Engine
    from fuller_popheath.risk.index_population import build
    from fuller_popheath.risk.training import train
    from fuller_popheath.risk.training_sets import index_dates

    place = Place(base, day)
    started = time.perf_counter()

    def say(text: str) -> None:
        print(f"  {time.perf_counter() - started:6.1f} s  {text}", file=sys.stderr, flush=True)

    development, validation = (
        build(lambda: Engine.from_site(place.site), place.source_of, place.night, index_date, say=say) for index_date in index_dates(day)
    )
    run = train(development, validation, place.night, base / "models", True, say)
    for name, table in run.tables.items():
        keep(base, name, day, table)
    return f"{len(run.stored)} models stored"
