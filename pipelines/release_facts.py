"""What a release of tonight's store says of itself: figures to compare the next one with, models in use, code and contracts.

What does not belong here: judging it (`fuller_popheath/publish/release_limits.py`), and writing it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from fuller_popheath.contracts import contract_ids
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.night_coverage import coverage_of, in_lines
from fuller_popheath.night_records import Coverage
from fuller_popheath.publish.release import INTERNAL, OPEN, Part, current_as_of, current_release, earlier_release
from fuller_popheath.publish.release_limits import Figures, areas_of, broken_limits, figures_of
from fuller_popheath.publish.release_manifest import Place, Statement, code_in_use, contract_hashes, other_place, place_of, read_manifest
from fuller_popheath.publish.release_signature import SigningKey
from fuller_popheath.publish.rolling_back import FIGURES
from fuller_popheath.registry import LIST_TABLES
from pipelines.release_days import SECONDARY_USE
from pipelines.stores import write_parquet

if TYPE_CHECKING:
    from pipelines.tonight import Tonight

BY_PRACTICE, PERSON, SCORE = "products/core20_by_practice", "core/person", "risk/score"
MEMBER, COUNT = "core/neighbourhood_practice", "core/registered_count"
ABOUT = "about.txt"
COUNTS_OF_THE_MONTH = "Counts of people are those of the day in their own column as_of, which is the month's where they leave once a month."
WITHOUT_REASON = "to accept changes, say why: the reason stands in the manifest of the release (ops > releases__current > config > reason)"


@dataclass(frozen=True)
class Judgement:
    """What tonight's release is held against (its name; empty: nothing), and what differs by more than a limit."""

    against: str
    broken: tuple[str, ...]

    @property
    def words(self) -> str:
        """For the check."""
        beside = f"beside {self.against}" if self.against else "there is no release of an earlier day to compare it with"
        return (
            f"{len(self.broken)} beyond the limits of site.toml, [releases]: {'; '.join(self.broken)}" if self.broken else f"within limits; {beside}"
        )


def figures(tonight: Tonight, parts: Iterable[Part]) -> Figures:
    """What the next release is compared with."""
    store, as_of = tonight.store, tonight.as_of
    practices = store.read(BY_PRACTICE, as_of, ["icb_code", "pcn_code", "practice_code", "registered_count"])
    members, counted = (
        set(store.read(name, as_of, ["practice_code"])["practice_code"].to_pylist()) if store.has(name, as_of) else set() for name in (MEMBER, COUNT)
    )
    people = store.read(PERSON, as_of, ["neighbourhood_code", "practice_code"]) if store.has(PERSON, as_of) else None
    return Figures(
        published=areas_of(practices, "pcn_code", "icb_code", "registered_count") if practices.num_rows else {},
        lists=areas_of(people, "neighbourhood_code") if people is not None and people.num_rows else {},
        practices=(len(members), len(members & counted)),
        rows={
            part.made_of: part.rows for part in parts if part.rows is not None and part.made_of.startswith("products/") and part.purpose != INTERNAL
        },
    )


def judge(tonight: Tonight, now: Figures, key: SigningKey) -> Judgement:
    """Hold tonight's figures against the newest sound release of an earlier day. A release that would not become current is not judged."""
    store = tonight.store
    newest = current_as_of(store.products)
    if newest is not None and newest > tonight.as_of:
        return Judgement("", ())
    found = earlier_release(store.products, store.releases, tonight.as_of, key.public)
    before = figures_of(found / INTERNAL / FIGURES) if found else None
    current = current_release(store.products)
    elsewhere = other_place((read_manifest(current) or {}) if current else {}, place(tonight))
    broken = broken_limits(now, before, tonight.night.site.releases)
    return Judgement(found.name if found and before else "", (*([f"of the current release: {elsewhere}"] if elsewhere else []), *broken))


def place(tonight: Tonight) -> Place:
    """Whose data this run is about."""
    return place_of(tonight.night.site.geography.icb, tonight.landing)


def models_in_use(tonight: Tonight) -> tuple[str, ...]:
    """The ids of the models that scored tonight's people."""
    if not tonight.store.has(SCORE, tonight.as_of):
        return ()
    return tuple(sorted(set(tonight.store.read(SCORE, tonight.as_of, ["model_id"])["model_id"].unique().to_pylist())))


def refuse_no_reason(accept_changes: bool, reason: str) -> None:
    """Raises SettingsWrong where changes are to be accepted without saying why, or a reason is given for nothing."""
    if accept_changes != bool(reason.strip()):
        raise SettingsWrong(
            WITHOUT_REASON if accept_changes else "a reason was given, and nothing to accept: set accept_changes too, or leave it out"
        )


def statement(tonight: Tonight, run: str, when: str, parts: Iterable[Part]) -> Statement:
    """What a release of tonight's store says of itself."""
    contracts = contract_hashes(part.made_of for part in parts if part.made_of in contract_ids())
    found = coverage_of(tonight.store.folder, tonight.as_of)
    covered = {name: value for name, value in asdict(found).items() if name != "people"} if found else {}
    said = Statement(tonight.as_of, run, when=when, place=place(tonight), coverage=covered)
    return replace(said, code=code_in_use(), contracts=contracts, models=models_in_use(tonight))


def stamps(tonight: Tonight, parts: Iterable[Part]) -> list[Part]:
    """A file about the day and coverage beside the products of each purpose but direct care, whose workbooks say it themselves."""
    found = coverage_of(tonight.store.folder, tonight.as_of) or Coverage()
    text = "\n".join((*in_lines(found, tonight.as_of), COUNTS_OF_THE_MONTH)) + "\n"
    purposes = sorted({part.purpose for part in parts} & {OPEN, SECONDARY_USE})
    return [Part(purpose, ABOUT, lambda path: path.write_text(text, encoding="utf-8"), None, ABOUT) for purpose in purposes]


def internal_parts(tonight: Tonight, told: Figures) -> list[Part]:
    """What a release keeps for the house: its figures, and its lists whole, to go back to.

    Where others can look into the folder there are no lists: workbooks are encrypted there, and a table would lie open beside them.
    """
    kept = [Part(INTERNAL, FIGURES, lambda path: path.write_text(told.as_text(), encoding="utf-8"))]
    store, as_of = tonight.store, tonight.as_of
    if not tonight.night.site.lists.folder_is_access_controlled or not all(store.has(name, as_of) for name in LIST_TABLES):
        return kept
    tables = {name: store.read(name, as_of) for name in LIST_TABLES}
    return kept + [
        Part(INTERNAL, f"{name.rpartition('/')[2]}.parquet", partial(write_parquet, table), table.num_rows, name) for name, table in tables.items()
    ]
