"""The layouts in which a code list may arrive, and what makes one of its lines usable.

* ours: cluster, kind, code_system, code, term (and source);
* the primary-care domain reference sets of NHS England (one file, tab or comma between the fields): Cluster_ID, Cluster_Description, SNOMED_code,
  SNOMED_code_description, PCD_Refset_ID, Service_and_Ruleset; and the simple reference sets of a SNOMED CT release (RF2: active, refsetId,
  referencedComponentId), of which the active rows count;
* OpenCodelists: one file a list, a column of codes (`code`, or a header that names the code system, such as `CTV3Code`) and mostly a `term`.

In all but the first, a mapping says which published list is which of our clusters. What does not belong here: which files there are (`loading.py`).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fuller_popheath.errors import SettingsWrong

KINDS = ("condition", "resolved", "measure", "medicine", "objection", "sensitive", "ethnicity", "other")
CODE_SYSTEMS = ("snomed", "dmd", "read2", "ctv3", "icd10", "multilex", "local", "synthetic")
CLUSTER = re.compile(r"[a-z][a-z0-9_]{0,59}")
OUR_COLUMNS = ("cluster", "kind", "code_system", "code")
REFSET_COLUMNS = ("cluster_id", "snomed_code")
RELEASE_COLUMNS = ("refsetid", "referencedcomponentid", "active")
MAPPING_COLUMNS = ("published_list", "cluster", "kind")
PATTERNS = {
    "snomed": re.compile(r"[1-9]\d{5,17}"),
    "dmd": re.compile(r"[1-9]\d{5,17}"),
    "read2": re.compile(r"[0-9A-Za-z.]{5}([0-9A-Za-z]{2})?"),
    "ctv3": re.compile(r"[0-9A-Za-z.]{5}"),
    "icd10": re.compile(r"[A-Z]\d[0-9A-Z]{1,4}"),
    "multilex": re.compile(r"[0-9A-Za-z.-]{1,20}"),
    "local": re.compile(r"[!-~]{1,40}"),
    "synthetic": re.compile(r"z\.[a-z0-9_]+\.[0-9]+"),
}
# The headers of codes that OpenCodelists lists have been published with, and the code system that each names (None: the mapping says it).
# Source: docs.opensafely.org, "Creating codelists", CSV column names; older lists use the id headers.
CODE_HEADERS: Mapping[str, str | None] = {
    "snomedcode": "snomed",
    "snomed_id": "snomed",
    "snomedct": "snomed",
    "ctv3code": "ctv3",
    "ctv3id": "ctv3",
    "read2code": "read2",
    "icd10code": "icd10",
    "icd": "icd10",
    "dmdcode": "dmd",
    "dmd_id": "dmd",
    "dmd": "dmd",
    "code": None,
    "id": None,
}
REFSET_PREFIX = "nhsd-primary-care-domain-refsets-"
"""OpenCodelists publishes each primary-care refset as a list of that name and the cluster id."""


@dataclass(frozen=True)
class Entry:
    """A code of a cluster, and the file and line where it says so (line 1 is the header)."""

    cluster: str
    kind: str
    code_system: str
    code: str
    file: str
    line: int

    @property
    def place(self) -> str:
        """For a message."""
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True)
class PublishedList:
    """Which of our clusters a published list is, as what kind, and the code system where its file does not say."""

    cluster: str
    kind: str
    code_system: str = "snomed"


@dataclass
class ListRead:
    """What a file held: its usable lines, and by published list how many codes no mapping asks for."""

    entries: list[Entry] = field(default_factory=list)
    not_mapped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Lines:
    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]

    def value(self, row: list[str], column: str) -> str:
        at = self.header.index(column) if column in self.header else len(row)
        return row[at].strip() if at < len(row) else ""


def read_list(path: Path, mapping: Mapping[str, tuple[PublishedList, ...]], known: Mapping[str, str]) -> ListRead:
    """Read one list in whichever of the three layouts it is.

    `mapping`: published lists by their name in small letters; `known`: the kind of each cluster of ours, so that a file may simply be called
    by it (`asthma.csv`, `asthma_resolved.csv`). Raises SettingsWrong naming the file, the line and the column; for a file without any code too:
    a list that fell empty must not pass as one that nobody's record matches.
    """
    lines = _lines(path)
    if set(OUR_COLUMNS) <= set(lines.header):
        found = ListRead([_ours(lines, number, row) for number, row in lines.rows])
    elif set(REFSET_COLUMNS) <= set(lines.header):
        found = _refsets(lines, mapping, ("cluster_id", "pcd_refset_id"), "snomed_code")
    elif set(RELEASE_COLUMNS) <= set(lines.header):
        found = _refsets(lines, mapping, ("refsetid",), "referencedcomponentid")
    else:
        found = _open_codelist(path, lines, mapping, known)
    if not found.entries and not found.not_mapped:
        raise SettingsWrong(f"{lines.name}: holds no code; put the list in again, or take the file out")
    return found


def read_mapping(path: Path, known: Mapping[str, str]) -> dict[str, tuple[PublishedList, ...]]:
    """Read a mapping file: published_list (a refset cluster id or the name of an OpenCodelists file), cluster, kind, and code_system if not SNOMED.

    A published list may stand for several clusters, one a line. Raises SettingsWrong naming the file, the line and the column.
    """
    lines = _lines(path)
    missing = [column for column in MAPPING_COLUMNS if column not in lines.header]
    if missing:
        raise SettingsWrong(f"{lines.name}: expected the columns {', '.join(MAPPING_COLUMNS)}; {', '.join(missing)} is missing")
    found: dict[str, tuple[PublishedList, ...]] = {}
    for number, row in lines.rows:
        place = f"{lines.name}, line {number}"
        name, cluster, kind = (lines.value(row, column) for column in MAPPING_COLUMNS)
        system = lines.value(row, "code_system") or "snomed"
        if not name:
            raise SettingsWrong(f"{place}, column published_list: is empty; give the refset cluster id or the name of the file")
        _check_meaning(place, cluster, kind, system)
        if kind == "resolved" and known and cluster not in known:
            raise SettingsWrong(f"{place}, column cluster: resolves a cluster that is not known")
        found[name.lower()] = (*found.get(name.lower(), ()), PublishedList(cluster, kind, system))
    return found


def has_check_digit(code: str) -> bool:
    """Whether the last digit of a SNOMED CT or dm+d identifier is its Verhoeff check digit.

    A spreadsheet keeps 15 digits and turns the rest into zeros: this finds such codes. Source: SNOMED CT Release File Specification, "Check-digit
    computation" (J. Verhoeff, Error Detecting Decimal Codes, 1969): the dihedral group D5 and the powers of one permutation.
    """
    check = 0
    for position, digit in enumerate(reversed(code)):
        permuted = int(digit)
        for _ in range(position % 8):
            permuted = _PERMUTATION[permuted]
        check = _in_d5(check, permuted)
    return check == 0


_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _in_d5(left: int, right: int) -> int:
    """The product of two elements of the dihedral group of order ten: 0-4 are rotations, 5-9 reflections."""
    turned = left % 5 + (right if left < 5 else -right) % 5
    return turned % 5 + (5 if (left < 5) != (right < 5) else 0)


def _lines(path: Path) -> _Lines:
    try:
        content = path.read_bytes()
    except OSError:
        raise SettingsWrong(f"{path.name}: cannot be read; check that this user may read it") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    try:
        reader = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
        rows = tuple((reader.line_num, row) for row in reader)
    except csv.Error:
        raise SettingsWrong(f"{path.name}, line {reader.line_num}: a quotation mark is not closed or stands in the wrong place") from None
    if not rows:
        raise SettingsWrong(f"{path.name}: is empty; put the list in again, or take the file out")
    header = tuple(re.sub(r"[\s_]+", "_", name.strip()).lower() for name in rows[0][1])
    return _Lines(path.name, header, tuple((number, row) for number, row in rows[1:] if any(cell.strip() for cell in row)))


def _check_meaning(place: str, cluster: str, kind: str, system: str) -> None:
    if not CLUSTER.fullmatch(cluster):
        raise SettingsWrong(f"{place}, column cluster: expected a name in small letters, digits and underscores")
    if kind not in KINDS:
        raise SettingsWrong(f"{place}, column kind: expected one of {', '.join(KINDS)}")
    if system not in CODE_SYSTEMS:
        raise SettingsWrong(f"{place}, column code_system: expected one of {', '.join(CODE_SYSTEMS)}")


def _entry(lines: _Lines, number: int, meant: PublishedList, code: str, column: str) -> Entry:
    place = f"{lines.name}, line {number}, column {column}"
    if not PATTERNS[meant.code_system].fullmatch(code):
        raise SettingsWrong(f"{place}: is not a code of {meant.code_system} as it should be written")
    if meant.code_system in ("snomed", "dmd") and not has_check_digit(code):
        raise SettingsWrong(f"{place}: the check digit of this code is wrong; a spreadsheet may have rounded it: take the list as it was published")
    return Entry(meant.cluster, meant.kind, meant.code_system, code, lines.name, number)


def _ours(lines: _Lines, number: int, row: list[str]) -> Entry:
    cluster, kind, system, code = (lines.value(row, column) for column in OUR_COLUMNS)
    _check_meaning(f"{lines.name}, line {number}", cluster, kind, system)
    return _entry(lines, number, PublishedList(cluster, kind, system), code, "code")


def _refsets(lines: _Lines, mapping: Mapping[str, tuple[PublishedList, ...]], names: tuple[str, ...], column: str) -> ListRead:
    """Rows of many reference sets in one file, each told by the first of its `names` that the mapping knows."""
    found = ListRead()
    for number, row in lines.rows:
        if "active" in lines.header and lines.value(row, "active") != "1":
            continue
        told = [lines.value(row, name) for name in names]
        meanings = next((mapping[name.lower()] for name in told if name.lower() in mapping), ())
        for meant in meanings:
            snomed = PublishedList(meant.cluster, meant.kind, "snomed")
            found.entries.append(_entry(lines, number, snomed, lines.value(row, column), column))
        if not meanings:
            found.not_mapped[told[0]] += 1
    return found


def _open_codelist(path: Path, lines: _Lines, mapping: Mapping[str, tuple[PublishedList, ...]], known: Mapping[str, str]) -> ListRead:
    column = next((header for header in CODE_HEADERS if header in lines.header), None)
    if column is None:
        raise SettingsWrong(
            f"{lines.name}: is no code list that is known; expected the columns {', '.join(OUR_COLUMNS)}, or those of the primary-care "
            f"reference sets ({', '.join(REFSET_COLUMNS)}), or a column of codes ({', '.join(CODE_HEADERS)})"
        )
    name = path.stem.lower().removeprefix(REFSET_PREFIX)
    meanings = mapping.get(path.stem.lower()) or mapping.get(name) or _by_own_name(name, known)
    found = ListRead()
    for number, row in lines.rows:
        for meant in meanings:
            told = PublishedList(meant.cluster, meant.kind, CODE_HEADERS[column] or meant.code_system)
            found.entries.append(_entry(lines, number, told, lines.value(row, column), column))
    if lines.rows and not meanings:
        found.not_mapped[path.stem] = len(lines.rows)
    return found


def _by_own_name(name: str, known: Mapping[str, str]) -> tuple[PublishedList, ...]:
    resolves = name.removesuffix("_resolved")
    if resolves != name and resolves in known:
        return (PublishedList(resolves, "resolved"),)
    return (PublishedList(name, known[name]),) if name in known else ()
