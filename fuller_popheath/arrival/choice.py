"""Which of the files that arrived count for a day, and why the others do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.arrival.extracts import extracts_among
from fuller_popheath.arrival.files import LandingFile, Sources, State
from fuller_popheath.errors import InputMissing
from fuller_popheath.specs import ContractId, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

PRACTICE_LIST: ContractId = "inbound/practice_list"
REGISTRATIONS: tuple[ContractId, ...] = ("reference/practice_lsoa_count", PRACTICE_LIST)
LANDING_FILE: ContractId = "core/landing_file"
PROBLEMS_SHOWN = 5


@dataclass(frozen=True)
class Arrival:
    """The night's choice: `used` files by contract, in order of name, and `table`, the contract `core/landing_file`: one row per file or part."""

    as_of: date
    used: Mapping[ContractId, tuple[LandingFile, ...]]
    files: tuple[LandingFile, ...]
    table: pa.Table


@dataclass(frozen=True)
class _Offer:
    """Files that fill a place together: one file, or the parts of a whole."""

    files: tuple[LandingFile, ...]

    @property
    def day(self) -> date | None:
        return self.files[0].extract_date

    @property
    def label(self) -> str:
        return " and ".join(file.name for file in self.files)

    def rank(self, as_of: date) -> tuple[int, int, int, int, str]:
        # Newest of those up to the day; then those without a date; then, of those after it, the oldest. Then the one with more in it.
        nearness = (1, 0) if self.day is None else (0, -self.day.toordinal()) if self.day <= as_of else (2, self.day.toordinal())
        return (*nearness, -sum(f.richness for f in self.files), -sum(f.size_bytes for f in self.files), self.label)


def plan(files: Sequence[LandingFile], as_of: date | None = None, sources: Sources | None = None) -> Arrival:
    """Choose the files for a day. Per contract and variant the newest up to `as_of` counts (if all are later, the oldest), of one day the richest;
    of a source whose files add up (`all_files`) every one.

    A source whose tags name a `whole` and its `parts` (variants, with commas between) is filled by a whole, or by all parts of one day.
    Without `as_of` the day is the newest extract date among registrations. Raises InputMissing where there is none to take it from.
    """
    known = registry.sources() if sources is None else sources
    reasons: dict[tuple[str, str], str | None] = {}
    by_contract: dict[ContractId, list[LandingFile]] = defaultdict(list)
    extracts = [file for file in files if file.supplier is not None and file.state is State.RECOGNISED]
    for file in _without_copies([file for file in files if file.supplier is None], reasons):
        if file.contract is not None:
            by_contract[file.contract].append(file)
    places = {contract: _places(found, known.get(contract), reasons) for contract, found in by_contract.items()}
    day = as_of or _newest_registration(places, files, reasons)
    used = {contract: tuple(file for place in found for file in _choose(place, day, reasons)) for contract, found in sorted(places.items())}
    used = {contract: tuple(sorted(chosen, key=lambda file: file.name)) for contract, chosen in used.items() if chosen}
    taken = _choose_extracts(extracts, day, reasons)
    return Arrival(day, used, tuple(files), _table(files, day, {**used, "": taken}, reasons))


def _choose_extracts(files: Sequence[LandingFile], as_of: date, reasons: dict[tuple[str, str], str | None]) -> tuple[LandingFile, ...]:
    """Of files that fill a table by themselves the newest a sender, as the door will try them first; of sets all: the door tells them apart."""
    taken, rivals = [], []
    for file in files:
        spec = registry.suppliers()[str(file.supplier)]
        if not spec.is_set and not any(file.supplier_file in names for names in spec.needs.values()):
            reasons[_key(file)] = "no table is made of it"
        elif spec.is_set or spec.files_add_up or file.contract is None:
            taken.append(file)
        else:
            rivals.append(file)
    alone: dict[tuple[ContractId | None, str], list[_Offer]] = defaultdict(list)
    for file in _without_copies(rivals, reasons):
        alone[file.contract, file.variant or f"/{file.name}"].append(_Offer((file,)))
    return (*taken, *(file for place in alone.values() for file in _choose(place, as_of, reasons)))


def _key(file: LandingFile) -> tuple[str, str]:
    return file.file_name, file.member


def _without_copies(files: Iterable[LandingFile], reasons: dict[tuple[str, str], str | None]) -> list[LandingFile]:
    # The same bytes under two dated names are two snapshots: the name says from which day each is.
    first: dict[tuple[str, str, date | None], LandingFile] = {}
    for file in files:
        if file.state is not State.RECOGNISED:
            continue
        same = first.setdefault((file.content_hash, file.member, file.extract_date), file)
        if same is not file:
            reasons[_key(file)] = f"has the same content as {same.name}"
    return list(first.values())


def _places(files: Sequence[LandingFile], spec: SourceSpec | None, reasons: dict[tuple[str, str], str | None]) -> list[list[_Offer]]:
    """The offers for each place that is to be filled: one a variant, where the source does not say that variants are parts of one whole."""
    if spec is not None and "whole" in spec.tags:
        return [_wholes(files, spec.tags["whole"], spec.tags["parts"].split(","), reasons)]
    grouped: dict[str, list[_Offer]] = defaultdict(list)
    for file in files:
        # A practice list whose practice cannot be told stands for itself: two of them are not two versions of one. Nor are files that add up.
        own_place = spec is not None and (spec.all_files or (spec.per_practice and not file.variant))
        grouped[f"/{file.name}" if own_place else file.variant].append(_Offer((file,)))
    return list(grouped.values())


def _wholes(files: Sequence[LandingFile], whole: str, parts: Sequence[str], reasons: dict[tuple[str, str], str | None]) -> list[_Offer]:
    offers = [_Offer((file,)) for file in files if file.variant == whole]
    by_day: dict[date | None, dict[str, LandingFile]] = defaultdict(dict)
    for file in sorted((f for f in files if f.variant in parts), key=lambda f: _Offer((f,)).rank(date.max)):
        kept = by_day[file.extract_date].setdefault(file.variant, file)
        if kept is not file:
            reasons[_key(file)] = f"{kept.name}, of the same day, holds as much or more"
    whole_days = {offer.day for offer in offers}
    for day, found in by_day.items():
        lacking = [part for part in parts if part not in found]
        if day in whole_days:
            why = "is a part only, and the whole of the same day is here"
        elif lacking:
            why = f"is a part only ({' and '.join(found)}), and the file of the same day for {' and '.join(lacking)} is not here"
        else:
            offers.append(_Offer(tuple(found[part] for part in parts)))
            continue
        reasons.update({_key(file): why for file in found.values()})
    return offers


def _newest_registration(
    places: Mapping[ContractId, list[list[_Offer]]], files: Sequence[LandingFile], reasons: Mapping[tuple[str, str], str | None]
) -> date:
    days = [offer.day for contract in REGISTRATIONS for place in places.get(contract, []) for offer in place if offer.day]
    days += [extract.extract_date for extract in extracts_among(files, PRACTICE_LIST)[0] if extract.extract_date]
    if days:
        return max(days)
    problems = [file.problem for file in files if file.state is State.REFUSED and file.problem]
    problems += [f"{file.name} {reasons[_key(file)]}" for file in files if file.contract in REGISTRATIONS and reasons.get(_key(file))]
    refused = f" What is wrong with others: {'; '.join(problems[:PROBLEMS_SHOWN])}." if problems else ""
    raise InputMissing(
        f"no registrations (practice x LSOA counts or practice lists) that can be used are among the {len(files)} files of the landing folder, "
        f"so there is no day to take; put them in or give --as-of.{refused}"
    )


def _choose(place: Sequence[_Offer], as_of: date, reasons: dict[tuple[str, str], str | None]) -> tuple[LandingFile, ...]:
    ranked = sorted(place, key=lambda offer: offer.rank(as_of))
    if not ranked:
        return ()
    best = ranked[0]
    for offer in ranked[1:]:
        reasons.update({_key(file): _why_not(offer, best, as_of) for file in offer.files})
    if best.day is not None and best.day > as_of:
        reasons.update({_key(file): f"nothing up to {as_of} is here; of what is later this is the earliest" for file in best.files})
    return best.files


def _why_not(offer: _Offer, best: _Offer, as_of: date) -> str:
    if offer.day is not None and offer.day > as_of:
        return f"is of {offer.day}, after {as_of}; {best.label} is used"
    if offer.day == best.day:
        return f"{best.label}{', of the same day,' if best.day else ''} holds as much or more"
    if offer.day is None:
        return f"does not say of which day it is; {best.label} does"
    return f"is of {offer.day}, older than {best.label} of {best.day}"


def _table(
    files: Sequence[LandingFile],
    as_of: date,
    used: Mapping[ContractId, tuple[LandingFile, ...]],
    reasons: Mapping[tuple[str, str], str | None],
) -> pa.Table:
    chosen = {_key(file) for found in used.values() for file in found}
    uses = {State.REFUSED: "refused", State.NOT_RECOGNISED: "not recognised"}
    rows = [
        {
            "as_of": as_of,
            "file_name": file.file_name,
            "member": file.member,
            "contract_id": file.contract,
            "variant": file.variant or None,
            "extract_date": file.extract_date,
            "content_hash": file.content_hash,
            "size_bytes": file.size_bytes,
            "use": uses.get(file.state, "used" if _key(file) in chosen else "not used"),
            "reason": file.problem or reasons.get(_key(file)),
        }
        for file in files
    ]
    return landing_table(rows)


def landing_table(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """Rows of `core/landing_file` as its contract wants them."""
    import pyarrow as pa

    from fuller_popheath.contracts import conform, empty_table, load_contract

    contract = load_contract(LANDING_FILE)
    return conform(pa.Table.from_pylist(rows, schema=contract.schema), contract) if rows else empty_table(contract)
