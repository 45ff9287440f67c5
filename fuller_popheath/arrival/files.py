"""What lies in the landing folder: every file, sheet, layer and zip member, with what it was recognised as or why it was not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from fuller_popheath import registry
from fuller_popheath.errors import FileRefused, FullerError, InputMissing
from fuller_popheath.site import ArrivalLimits
from fuller_popheath.sources.archives import unreadable
from fuller_popheath.sources.heads import OpenedHead, columns_shown, describe
from fuller_popheath.sources.layouts import NearMiss
from fuller_popheath.sources.names import FILE_WITHHELD, file_told, file_told_by_position
from fuller_popheath.sources.opening import KNOWN_KINDS, heads, is_known_kind, refuse_cut_short
from fuller_popheath.specs import ContractId, FileHead, Recognised, SourceSpec, SupplierSpec

Sources = Mapping[ContractId, SourceSpec]
Suppliers = Mapping[str, SupplierSpec]
AT_ONCE = 4
"""Files looked at side by side: reading and hashing them waits for the disk."""

FIRST_DAY, LAST_DAY = date(1948, 7, 5), date(2199, 12, 31)
"""A day outside these, the NHS's first and one far ahead, is a slip of the file and is not taken for its day."""


class State(StrEnum):
    """What the survey found: a layout, a file that is damaged or nearly a layout, or something else altogether."""

    RECOGNISED = "recognised"
    REFUSED = "refused"
    NOT_RECOGNISED = "not recognised"


@dataclass(frozen=True)
class LandingFile:
    """One thing that arrived. `file_name` is its path below the landing folder, `member` the sheet, layer or zip member, "" if the file is one thing;
    either is withheld where it looks like a person's number (`sources/names.py`).

    `contract` is what it fills, or would fill if it were sound; `problem` says, without any value of a row, why it cannot be used;
    `richness` and `size_bytes` choose between two of the same day. A file of a clinical system has its `supplier` and `supplier_file`, the system's
    name for it; its `contract` is given where one such file fills one table by itself.
    """

    path: Path
    file_name: str
    member: str
    content_hash: str
    size_bytes: int
    state: State
    head: FileHead | None = None
    contract: ContractId | None = None
    variant: str = ""
    extract_date: date | None = None
    richness: int = 0
    problem: str | None = None
    supplier: str | None = None
    supplier_file: str | None = None

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.file_name} ({self.member})" if self.member else self.file_name


def survey(
    landing: Path,
    sources: Sources | None = None,
    limits: ArrivalLimits | None = None,
    suppliers: Suppliers | None = None,
    passwords: Mapping[str, str] | None = None,
) -> tuple[LandingFile, ...]:
    """Look at every file below a folder, in the order of their names; hidden files and the lock files of office programs are passed over.

    `passwords`: those of lists' workbooks, by whose they are, with which encrypted workbooks are tried. Reads headers and content hashes only. Never
    raises for a bad file: its `problem` says what is wrong. Raises InputMissing where the folder is not there.
    """
    if not landing.is_dir():
        raise InputMissing(f"the landing folder {landing.name} is not there; make it and put the files in, or name another")
    known = registry.sources() if sources is None else sources
    systems = registry.suppliers() if suppliers is None else suppliers
    paths = sorted(path for path in landing.rglob("*") if _is_listed(path) and not _is_hidden(path.relative_to(landing)))
    limits = limits or ArrivalLimits()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(
            lambda each: survey_file(each[1], landing, known, limits, each[0], systems, is_surveyed=True, passwords=passwords),
            enumerate(paths, start=1),
        )
        return tuple(file for files in found for file in files)


def _is_listed(path: Path) -> bool:
    """Whether it is to be told about: all but folders, which are looked into; links to folders are not."""
    return path.is_symlink() or not path.is_dir()


def _not_followed(path: Path, landing: Path) -> str | None:
    """Why a link is not followed, in words; None where it is none, or one to a file of this folder."""
    if not path.is_symlink():
        return None
    target = Path(os.path.realpath(path))
    if target.is_dir():
        return "is a link to a folder, which is not followed; put its files in"
    is_here = target.is_relative_to(os.path.realpath(landing))
    return None if is_here else "is a link that leads out of the landing folder, which is not followed; put the file itself in"


def _closed(path: Path) -> str | None:
    """Why a path is not opened, in words; None where it is a file. A pipe or a device waits for ever, or never ends."""
    if path.is_file():
        return None
    return "is a link to nothing" if path.is_symlink() else "is no file (a folder, a pipe, a socket or a device), so it is not opened"


def _is_hidden(below: Path) -> bool:
    return any(part.startswith((".", "~$", "__MACOSX")) for part in below.parts)


def survey_file(
    path: Path,
    landing: Path,
    sources: Sources,
    limits: ArrivalLimits,
    position: int = 1,
    suppliers: Suppliers | None = None,
    is_surveyed: bool = False,
    passwords: Mapping[str, str] | None = None,
) -> tuple[LandingFile, ...]:
    """The recognised things in one file; where none is, the file itself with why. `position` among the files, from 1. See `survey`.

    `is_surveyed`: it was found in the folder, and not named by a person, who may name a link to anywhere.
    """
    name = file_told_by_position(path.relative_to(landing).as_posix(), position)
    closed = (_not_followed(path, landing) if is_surveyed else None) or _closed(path)
    if closed is not None:
        no_content = hashlib.sha256(name.encode()).hexdigest()
        return (LandingFile(path, name, "", no_content, 0, State.NOT_RECOGNISED, problem=f"{name}: {closed}"),)
    try:
        with path.open("rb") as stream:
            content_hash = hashlib.file_digest(stream, "sha256").hexdigest()
            size_bytes = stream.tell()
    except OSError:
        return (LandingFile(path, name, "", hashlib.sha256().hexdigest(), 0, State.REFUSED, problem=str(unreadable(name))),)
    blank = LandingFile(path, name, "", content_hash, size_bytes, State.NOT_RECOGNISED)
    if not is_known_kind(path):
        return (replace(blank, problem=f"{name}: expected a {KNOWN_KINDS}; found a file of another kind, going by its name"),)
    try:
        opened = heads(path, limits.max_file_megabytes, passwords)
        found = [_recognise(replace(blank, member=head.member or ""), head, sources, suppliers or {}) for head in opened]
        for each in found:
            # An extract that is cut short shows itself when it is read, and an older one stands in; another layout is chosen before it is read.
            if each.head is not None and each.supplier is None and each.state is not State.NOT_RECOGNISED:
                refuse_cut_short(each.head)
    except FileRefused as refusal:
        return (replace(blank, state=State.REFUSED, problem=str(refusal).replace(FILE_WITHHELD, name)),)
    # Of a workbook or zip with something known in it, the notes beside it need no line of their own.
    known = [each for each in found if each.state is State.RECOGNISED] or [each for each in found if each.state is State.REFUSED]
    return tuple(known) if known else (_unknown(blank, [each.head for each in found if each.head], sources),)


def refuse_changed(files: Iterable[LandingFile]) -> None:
    """Hold files that have just been read against what they were when the folder was surveyed: what was read may be half of each.

    Raises FileRefused for the first that is another by now, or gone.
    """
    for path, file in {file.path: file for file in files}.items():
        try:
            with path.open("rb") as stream:
                is_same = hashlib.file_digest(stream, "sha256").hexdigest() == file.content_hash
        except OSError:
            is_same = False
        if not is_same:
            raise FileRefused(
                f"{file.name}: it changed while it was read, so none of it is used tonight; have files written under another name and renamed when "
                "they are whole"
            )


def _recognise(file: LandingFile, head: OpenedHead, sources: Sources, suppliers: Suppliers) -> LandingFile:
    answers: list[tuple[SourceSpec, Recognised]] = []
    for spec in sources.values():
        try:
            answer = spec.recognise(head)
        except FileRefused as refusal:
            return replace(file, head=head, state=State.REFUSED, contract=spec.contract, problem=str(refusal).replace(FILE_WITHHELD, file.file_name))
        if answer is not None:
            answers.append((spec, answer))
    lacking = min((len(answer.missing_columns) for _, answer in answers), default=None)
    if lacking != 0:
        of_system = _of_supplier(file, head, suppliers, lacking)
        if of_system is not None:
            return of_system
    if not answers:
        return replace(file, head=head)
    # A whole layout goes before a near miss, and the layout that explains more of the columns before one that explains fewer.
    spec, answer = max(answers, key=lambda each: (not each[1].missing_columns, each[1].richness))
    day = answer.extract_date if answer.extract_date and FIRST_DAY <= answer.extract_date <= LAST_DAY else None
    told = replace(file, head=head, contract=spec.contract, variant=answer.variant, extract_date=day, richness=answer.richness)
    if answer.missing_columns:
        return replace(told, state=State.REFUSED, problem=_lacks(file.name, spec, answer.missing_columns, head))
    return replace(told, state=State.RECOGNISED)


def _of_supplier(file: LandingFile, head: OpenedHead, suppliers: Suppliers, lacking: int | None) -> LandingFile | None:
    """The file as one of a clinical system's, or why it is nearly one; None where it is none of theirs, or where it is nearer to a published
    layout, of which it lacks so many columns."""
    refused = None
    for spec in suppliers.values():
        try:
            told = spec.recognise(head)
        except FileRefused as refusal:
            if lacking is not None and isinstance(refusal, NearMiss) and refusal.missing > lacking:
                continue
            problem = str(refusal).replace(FILE_WITHHELD, file.file_name)
            refused = refused or replace(file, head=head, state=State.REFUSED, supplier=spec.name, problem=problem)
            continue
        if told is None:
            continue
        made = replace(file, head=head, state=State.RECOGNISED, supplier=spec.name, supplier_file=told, richness=len(head.columns))
        if spec.is_set:
            return made
        fills = [contract for contract, names in spec.needs.items() if told in names]
        return replace(made, contract=fills[0] if len(fills) == 1 else None, **_told_by_head(spec, told, head))
    return refused


def _told_by_head(spec: SupplierSpec, told: str, head: FileHead) -> dict[str, Any]:
    try:
        day, sender = spec.extract_date({told: (head,)}), spec.practice_code({told: (head,)})
    except FullerError:  # what is wrong with it is said when it is read
        return {}
    return {"extract_date": day if day and FIRST_DAY <= day <= LAST_DAY else None, "variant": sender or ""}


def _lacks(name: str, spec: SourceSpec, missing: Iterable[str], head: FileHead) -> str:
    lacking = list(missing)
    plural = "s" if len(lacking) > 1 else ""
    return (
        f"{name}: {spec.expects} needs the column{plural} {', '.join(lacking)}; found {columns_shown(head.columns)}; "
        "ask for the file again or name the column as published"
    )


def _unknown(file: LandingFile, found: list[FileHead], sources: Sources) -> LandingFile:
    shown = "; and ".join(describe(head) for head in found[:3])
    more = f", and {len(found) - 3} more" if len(found) > 3 else ""
    known = ", ".join(contract.partition("/")[2] for contract in sources)
    return replace(file, problem=f"{file.name}: is none of the layouts that are read here ({known}); found {shown}{more}")


def survey_one(path: Path, expected: tuple[ContractId, ...], sources: Sources, limits: ArrivalLimits) -> tuple[LandingFile, ...]:
    """The parts of one named file that are what was asked for.

    Raises FileRefused where the file is damaged, lacks a column, or is something else: "expected ...; found ...".
    """
    asked = {contract: sources[contract] for contract in expected}
    if not path.is_file():
        raise FileRefused(f"{file_told(path.name)}: there is no such file; check its name and folder")
    if not is_known_kind(path):
        raise FileRefused(f"{file_told(path.name)}: expected {_wanted(asked)}; found a file of another kind, going by its name")
    found = survey_file(path, path.parent, asked, limits)
    usable = tuple(each for each in found if each.state is State.RECOGNISED)
    if usable:
        return usable
    refused = next((each for each in found if each.state is State.REFUSED and each.problem), None)
    if refused is not None:
        raise FileRefused(refused.problem)
    raise FileRefused(f"{file_told(path.name)}: expected {_wanted(asked)}; found {_what_else(path, sources, limits)}")


def _wanted(asked: Sources) -> str:
    return " or ".join(spec.expects for spec in asked.values())


def _what_else(path: Path, sources: Sources, limits: ArrivalLimits) -> str:
    found = survey_file(path, path.parent, sources, limits)[0]
    if found.state is State.REFUSED and found.problem:
        return f"this: {found.problem}"
    if found.contract is not None:
        return f"{sources[found.contract].expects}; use it where such a file is asked for"
    return "; and ".join(describe(head) for head in heads(path, limits.max_file_megabytes)[:3])
