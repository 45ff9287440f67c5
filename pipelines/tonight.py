"""What one run is about: the day, the landing folder, the edition and the ICB, resolved once and shared by every asset of the run.

What does not belong here: how files are recognised (`fuller_popheath.arrival`) or stored (`stores.py`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import dagster as dg
from pydantic import Field, PrivateAttr

from fuller_popheath.arrival.extract_store import ExtractStore, remove_unfinished
from fuller_popheath.errors import FullerError
from fuller_popheath.night_records import NIGHTS, status_folder
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.registry import LIST_TABLES
from fuller_popheath.site import load_site
from pipelines.late_files import fingerprint, remember
from pipelines.night_lock import one_night
from pipelines.stores import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.arrival.door import Taken
    from fuller_popheath.arrival.landing import Arrival, FileOutcome
    from fuller_popheath.site import Site
    from fuller_popheath.specs import Night


ACCOUNT = LIST_TABLES[1]
OF_EVERY_NIGHT = "core/person_objection"
JOBS_OF_THE_LAST_NIGHT = ("team_lists", "monthly_training", "monthly_scorecard", "release", "rollback")
"""Jobs that go on from what the last night left, whatever lies in the landing folder by now."""
Edition = Literal["both", "2019", "2025"]
"""Which Index of Multiple Deprivation the deprivation tables are made with."""
BOTH: Edition = "both"


@dataclass(frozen=True)
class Tonight:
    """A run's settings, resolved: the builders' Night, what arrived, and the folders."""

    night: Night
    arrival: Arrival
    landing: Path
    quarantine: Path
    store: Store
    edition: Edition
    outcomes: list[FileOutcome] = field(default_factory=list)
    """What became of the chosen files when their rows were read, as the steps of this run find out."""
    taken: list[Taken] = field(default_factory=list)
    """What was taken of each inbound table about persons, as the steps of this run find out."""

    @property
    def files_used(self) -> pa.Table:
        """The landing table's files that are used, without those that turned out to be unusable when they were read."""
        import pyarrow.compute as pc

        from fuller_popheath.arrival.door import with_extracts
        from fuller_popheath.arrival.landing import with_outcomes

        found = with_extracts(with_outcomes(self.arrival, self.outcomes), self.taken)
        return found.filter(pc.equal(found["use"], "used"))

    @property
    def extracts(self) -> ExtractStore:
        """The extracts of this store, with the landing folder to write down beside each night."""
        return ExtractStore(self.store.folder, str(self.landing))

    @property
    def as_of(self) -> date:
        """The day every table of the run is about."""
        return self.night.as_of

    def is_wanted(self, contract_id: str) -> bool:
        """Whether a table takes part: the other edition's deprivation file stays out where one edition was asked for."""
        of_editions = {f"reference/imd_{edition}" for edition in get_args(Edition)}
        return self.edition == BOTH or contract_id not in of_editions or contract_id == f"reference/imd_{self.edition}"

    def wanted_part(self, contract_id: str, table: pa.Table) -> pa.Table:
        """An upstream table as tonight's builders see it: without rows where it does not take part."""
        return table if self.is_wanted(contract_id) else table.slice(0, 0)

    def can_do_without(self, published: Iterable[str]) -> bool:
        """Whether the night goes on without these published files: practice lists came, and none of the files did, nor a damaged one that may be
        one of them."""
        from fuller_popheath.arrival.choice import PRACTICE_LIST
        from fuller_popheath.arrival.extracts import extracts_among
        from fuller_popheath.arrival.landing import State

        files, wanted = self.arrival.files, set(published)
        may_be_one = any(f.contract in wanted or (f.state is State.REFUSED and f.contract is None and f.supplier is None) for f in files)
        return not may_be_one and bool(extracts_among(files, PRACTICE_LIST)[0])

    def stored_or_empty(self, contract_id: str, day: date | None = None) -> pa.Table:
        """Tonight's table from the store, or another day's; its columns without rows where it could not be made."""
        from fuller_popheath import contracts
        from fuller_popheath.errors import InputMissing

        try:
            return self.wanted_part(contract_id, self.store.read(contract_id, day or self.as_of))
        except InputMissing:
            return contracts.empty_table(contracts.load_contract(contract_id))

    def stored(self, contract_ids: Iterable[str]) -> dict[str, pa.Table]:
        """Those of some tables that the store has for tonight's day, whole."""
        return {name: self.store.read(name, self.as_of) for name in contract_ids if self.store.has(name, self.as_of)}


class NightSettings(dg.ConfigurableResource):
    """What this run is about. Everything may be left as it is: the newest day in the landing folder, both editions, the whole of it."""

    as_of: str = Field(default="", description="The day the tables are about, as YYYY-MM-DD. Empty: the newest extract date in the landing folder.")
    landing: str = Field(default="", description="The folder the files are in, relative to the project or absolute. Empty: the one site.toml names.")
    edition: Edition = Field(
        default=BOTH, description='Which Index of Multiple Deprivation: both, or "2019" or "2025" in quotation marks (it is a text).'
    )
    icb: str = Field(default="", description="Keep only this Integrated Care Board: its code. Empty: the one site.toml names, or all.")

    _resolved: Tonight | None = PrivateAttr(default=None)
    _refused: FullerError | None = PrivateAttr(default=None)
    _job: str = PrivateAttr(default="")

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[NightSettings]:
        """Hold the store's lock as long as the run lasts, however it was started. A refusal is kept for the first step, which tells it guarded."""
        self._job = context.run.job_name if context.run else ""
        with ExitStack() as held:
            try:
                held.enter_context(one_night(load_site().folder("store")))
            except FullerError as refused:
                self._refused = refused
            yield self

    def tonight(self) -> Tonight:
        """Resolve once a run.

        Raises SettingsWrong for a day or folder that cannot be used or where another night is running, InputMissing where no file tells the day.
        """
        if self._refused is not None:
            raise self._refused
        if self._resolved is None:
            self._resolved = self._resolve()
        return self._resolved

    def _resolve(self) -> Tonight:
        from fuller_popheath.arrival.landing import plan, survey
        from fuller_popheath.errors import SettingsWrong
        from fuller_popheath.registry import sources
        from fuller_popheath.specs import Night

        asked = read_day(self.as_of)
        site = with_icb(load_site(), self.icb)
        landing = read_folder(self.landing, site)
        store = Store(site.folder("store"), site.folder("products"))
        for folder in (store.folder, status_folder(site)):  # this run has the store's lock, so nobody is writing
            remove_unfinished(folder)
        if asked is None and self._job in JOBS_OF_THE_LAST_NIGHT:
            asked = max(store.days(OF_EVERY_NIGHT), default=None)
        if self._job in NIGHTS:
            remember(status_folder(site), landing, fingerprint(landing))
        arrived = plan(survey(landing, sources(), site.arrival, passwords=passwords_of(site, store)), asked)
        if asked is None and arrived.as_of > datetime.now(UTC).date() + timedelta(days=1):
            raise SettingsWrong(
                f"the newest extract date in the landing folder, {arrived.as_of}, has not come yet: correct the file that says so, or name the "
                "day with as_of"
            )
        return Tonight(
            night=Night(as_of=arrived.as_of, site=site),
            arrival=arrived,
            landing=landing,
            quarantine=site.folder("quarantine"),
            store=store,
            edition=self.edition,
        )


def passwords_of(site: Site, store: Store) -> Mapping[str, str] | None:
    """The passwords with which encrypted workbooks may come back: those of the teams that last had a list. None where nothing is encrypted."""
    from fuller_popheath.publish.workbook_password import passwords

    days = store.days(ACCOUNT)
    if site.lists.folder_is_access_controlled or not days:
        return None
    teams = store.read(ACCOUNT, days[-1], ["team_id", "neighbourhood_code"]).to_pylist()
    held = passwords(site, os.environ, (team["team_id"] for team in teams if team["neighbourhood_code"] != NO_PCN))
    return held.of if held else None


def read_day(text: str) -> date | None:
    """A day written as YYYY-MM-DD; None for none. Raises SettingsWrong for anything else."""
    from fuller_popheath.errors import SettingsWrong

    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise SettingsWrong("as_of is not a day written as YYYY-MM-DD; correct it (in the launchpad: resources > night > config)") from None


def read_folder(text: str, site: Site) -> Path:
    """The landing folder. Raises SettingsWrong where it is not there."""
    from fuller_popheath.errors import SettingsWrong
    from fuller_popheath.site import PROJECT_ROOT

    folder = (PROJECT_ROOT / text.strip()).resolve() if text.strip() else site.folder("landing").resolve()
    if not folder.is_dir():
        raise SettingsWrong(f"the landing folder {folder} is not there; make it and put the files in, or name another")
    return folder


def with_icb(site: Site, icb: str) -> Site:
    """The site's settings with the ICB of this run, where one is given."""
    if not icb.strip():
        return site
    return site.model_copy(update={"geography": site.geography.model_copy(update={"icb": icb.strip()})})
