"""Which extracts lie in the landing folder: the files that belong together, from which day and from whom they are, and what makes two the same.

What does not belong here: reading their rows (`loading`), and choosing among them (`door`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fuller_popheath import registry
from fuller_popheath.arrival.files import LandingFile, State
from fuller_popheath.errors import FullerError
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.specs import ContractId, FileHead, SupplierSpec

ADAPTER_VERSION = 4
"""Raise it when a reader, a rule that no contract holds, or the making of core rows changes: every extract is then read again."""
LINKED: tuple[ContractId, ...] = ("inbound/clinical_event", "inbound/medication_issue", "inbound/appointment", "inbound/objection")
"""The tables in which `patient_id` is the practice's own number, as in its list. Hospitals number people by themselves."""


@dataclass(frozen=True, eq=False)
class Extract:
    """The files that fill one inbound table together: one, or all of a supplier's in a folder; `sender` and `extract_date` where their heads tell."""

    contract: ContractId
    supplier: SupplierSpec
    files: tuple[LandingFile, ...]
    extract_date: date | None
    sender: str | None

    @property
    def heads(self) -> Mapping[str, tuple[FileHead, ...]]:
        """The heads of its files by the supplier's name for them."""
        found: dict[str, tuple[FileHead, ...]] = {}
        for file in self.files:
            if file.supplier_file is not None and file.head is not None:
                found[file.supplier_file] = (*found.get(file.supplier_file, ()), file.head)
        return found

    @property
    def name(self) -> str:
        """How messages call it."""
        if len(self.files) == 1:
            return self.files[0].name
        folder = Path(self.files[0].file_name).parent.as_posix()
        return f"the {self.supplier.name} extract in {'the landing folder' if folder == '.' else folder}"

    @property
    def content_hash(self) -> str:
        """One hash of the content of all its files."""
        told = sorted(f"{file.supplier_file}|{file.content_hash}|{file.member}" for file in self.files)
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def identity(self, version: str, key: PseudonymKey, *others: str) -> str:
        """Sixteen characters that are the same for the same content, read in the same way (contract version, adapters, key, settings in `others`)."""
        told = (self.content_hash, self.contract, version, self.supplier.name, key.fingerprint, str(ADAPTER_VERSION), *others)
        return hashlib.sha256("|".join(told).encode()).hexdigest()[:16]


def nearness(day: date | None, as_of: date) -> tuple[int, int]:
    """Sorts days: the newest up to `as_of` first; then no day; then, of those after it, the oldest."""
    if day is None:
        return 1, 0
    return (0, -day.toordinal()) if day <= as_of else (2, day.toordinal())


def extracts_among(surveyed: Iterable[LandingFile], contract: ContractId) -> tuple[tuple[Extract, ...], Mapping[LandingFile, str]]:
    """The extracts that can fill an inbound table, in the order of their names; and why files that might have are none (a copy, a file lacking)."""
    suppliers = registry.suppliers()
    reasons: dict[LandingFile, str] = {}
    together: dict[tuple[str, str], list[LandingFile]] = defaultdict(list)
    for file in surveyed:
        if file.state is not State.RECOGNISED or file.supplier is None or contract not in suppliers[file.supplier].contracts:
            continue
        if suppliers[file.supplier].is_set:
            together[file.supplier, _folder(file)].append(file)
        elif file.supplier_file in suppliers[file.supplier].needs[contract]:
            together[file.supplier, f"{file.content_hash}|{file.member}"].append(file)
    found = []
    for (supplier, _), files in together.items():
        spec = suppliers[supplier]
        if not spec.is_set:
            reasons.update(dict.fromkeys(files[1:], f"has the same content as {files[0].name}"))
            files = files[:1]
        lacking = [name for name in spec.needs[contract] if name not in {file.supplier_file for file in files}]
        if lacking:
            reasons.update({file: f"fills no {contract.partition('/')[2]} without {' and '.join(lacking)}" for file in files})
            continue
        found.append(_extract(contract, spec, files))
    return tuple(found), reasons


def _folder(file: LandingFile) -> str:
    head = file.head
    packed = getattr(head, "packing", "") == "zip"
    return str(file.path if packed else file.path.parent)


def _extract(contract: ContractId, spec: SupplierSpec, files: Sequence[LandingFile]) -> Extract:
    bare = Extract(contract, spec, tuple(files), None, None)
    try:
        day, sender = spec.extract_date(bare.heads), spec.practice_code(bare.heads)
    except FullerError:  # what is wrong with it is said when it is read
        return bare
    return Extract(contract, spec, tuple(files), day, sender)
