"""The small frozen objects that one file declares to add one thing; `registry.py` finds them.

A file under `sources/` declares `SOURCE` (a published layout, one file one table) or `SUPPLIER` (the extracts of one clinical system), a file under
`people/`, `place/`, `cohorts/` or `catalogue/products/` that makes a table declares `TABLE`, one under `arrival/becoming/` declares `EXTRACT`, one
under `catalogue/facts/` declares `FACT`, one under `catalogue/features/` declares `FEATURE`, one under `catalogue/outcomes/` declares `OUTCOME`,
one under `catalogue/models/` declares `MODEL`, one under `catalogue/reasons/` declares `REASON`, one under `catalogue/segments/` declares `SEGMENT`,
one under `catalogue/plus_groups/` declares `PLUS_GROUP`, one under `catalogue/indicators/` declares `INDICATOR`.
What does not belong here: behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.site import Site

ContractId = str
"""`core/person`, `products/core20_by_pcn`: the one name of a table, everywhere (docs/architecture.md, law 1)."""


@dataclass(frozen=True)
class Night:
    """What every table of one night is made with: the day it is about and the site's settings. Time is an argument (docs/architecture.md, law 4)."""

    as_of: date
    site: Site


Inputs = Mapping[ContractId, "pa.Table"]
"""The tables a builder asked for, by contract id; one that has not arrived is there with its columns and no rows."""


@dataclass(frozen=True)
class TableSpec:
    """A table that is made from other tables.

    `contract` is its id, `inputs` the ids of what it is made from, `build` the pure function that makes it. `picture` names a module of
    `fuller_popheath.publish` whose `draw(table, inputs, night)` returns {title: PNG or SVG bytes}; its extra tables stand in `picture_inputs`.
    `columns` names the columns that are wanted of an input that has many more: no more than these need be there.
    `earlier` names released tables that `build` also finds as they left in the newest earlier month, under `as_it_left(id)`; absent where none did.
    """

    contract: ContractId
    inputs: tuple[ContractId, ...]
    build: Callable[[Inputs, Night], pa.Table]
    picture: str | None = None
    picture_inputs: tuple[ContractId, ...] = ()
    columns: Mapping[ContractId, tuple[str, ...]] = field(default_factory=dict)
    earlier: tuple[ContractId, ...] = ()


def as_it_left(contract_id: ContractId) -> ContractId:
    """The name under which a builder finds a released table of an earlier month (`TableSpec.earlier`)."""
    return f"{contract_id}@earlier"


@dataclass(frozen=True)
class FileHead:
    """The beginning of one readable thing in a file: a CSV, one sheet of a workbook, or one layer of a boundary file.

    `columns` are the header texts with BOM, line breaks and repeated blanks removed (for a file without header: the first row);
    `first_row` the row below it; `member` the file inside a zip, the sheet or the layer; `saved_on` the date the file itself carries
    (its name or document properties), where it carries one.
    """

    path: Path
    kind: str  # csv | sheet | boundaries
    member: str | None
    columns: tuple[str, ...]
    first_row: tuple[str, ...] = field(repr=False)  # may be about a person: never in a log
    saved_on: date | None = None


@dataclass(frozen=True)
class Recognised:
    """A source's answer that a file is its own: how sure, which variant (an edition or vintage where one contract has several), from which day."""

    variant: str = ""
    extract_date: date | None = None
    missing_columns: tuple[str, ...] = ()
    richness: int = 0
    """Prefer the file with more of it, between two of the same day: File 7 over File 1, England over one ICB."""


@dataclass(frozen=True)
class SourceSpec:
    """One published or inbound layout: what it looks like and how it is read into text columns named as in its contract.

    `recognise` looks at a head only. `read` returns one row per row of the file, every column text (geometry: WKB), plus `_row`, the row's
    number in the file (the header is row 1). It canonicalises what can be (dates to ISO, thousands separators dropped) and leaves
    the rest as it stands, so that the contract quarantines it. `expects` completes the sentence "expected ...". `per_practice`: one file a practice.
    `all_files`: files do not replace each other, so every one counts, whatever its day, and none is refused for how many of its rows are faulty.
    """

    contract: ContractId
    expects: str
    recognise: Callable[[FileHead], Recognised | None]
    read: Callable[[FileHead], pa.Table]
    required: bool = False
    per_practice: bool = False
    all_files: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SupplierSpec:
    """How the extracts of one clinical system (or trust feed) are read: one supplier, one file under `sources/`.

    `contracts` are the inbound tables it fills. `recognise` tells from a head alone which of the supplier's files it is ("Admin_Patient"), or None.
    Where `is_set`, all files of a supplier in one folder are one extract, else each file is one. `needs` says which files must be there to fill a
    contract. `extract_date` and `practice_code` tell what they can from the heads (None: after reading). `read` returns the rows of one inbound
    contract: columns named as in it (text, or typed already), `_row` (row number in the file) and `_file` (the supplier's name of the file it
    stood in); rows that cannot be mapped come too, so that the contract quarantines them, and rows that the system itself calls no record have the
    reason in `_removed`. Its last argument are the code lists in use, shipped and the site's own: text columns cluster, kind, code_system, code.
    `is_one_scope`: its patient ids mean the same person at all its senders. `files_add_up`: a file of another day is not a newer version of an older
    one, but stands beside it. `unmapped` counts what the files hold that none of our tables can say: columns vocabulary, code, table, rows.
    """

    name: str
    expects: str
    contracts: tuple[ContractId, ...]
    recognise: Callable[[FileHead], str | None]
    needs: Mapping[ContractId, tuple[str, ...]]
    read: Callable[[ContractId, Mapping[str, tuple[FileHead, ...]], pa.Table], pa.Table]
    extract_date: Callable[[Mapping[str, tuple[FileHead, ...]]], date | None]
    practice_code: Callable[[Mapping[str, tuple[FileHead, ...]]], str | None]
    is_set: bool = True
    is_one_scope: bool = False
    files_add_up: bool = False
    unmapped: Callable[[Mapping[str, tuple[FileHead, ...]]], pa.Table] | None = None


@dataclass(frozen=True)
class ExtractSpec:
    """What an inbound table about persons becomes at the door: one or more core tables.

    `to_core` gets the accepted rows with `person_id` and `is_linked` in place of the identifiers, and returns the rows of every table in `becomes`,
    which together are as many as it was given.
    """

    contract: ContractId
    becomes: tuple[ContractId, ...]
    to_core: Callable[[pa.Table], Mapping[ContractId, pa.Table]]


@dataclass(frozen=True)
class Parts:
    """A table that is too big to be held: the Parquet files that are its rows together. No file: no rows."""

    contract: ContractId
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class FactSpec:
    """Facts about persons as at a date, in long form: one row a person and subject (a condition, a medicine, a measurement).

    `build` gets Ibis tables by contract id and the night. Every table comes already limited to what was known on the day (its own date and its
    recorded date lie before `as_of`) and to persons of `core/person`, with `person_row`, the person's position in it, in place of `person_id`.
    Returns an Ibis table with `person_row` and the contract's columns but `as_of` and `person_id`. `sees_all`: rows of any day; for what protects
    people, never for features: such a fact says itself which of its rows count on the day.
    """

    contract: ContractId
    inputs: tuple[ContractId, ...]
    build: Callable[[Mapping[ContractId, ir.Table], Night], ir.Table]
    sees_all: bool = False


@dataclass(frozen=True)
class Pivot:
    """How a long result becomes columns: the value of `values[i]` for the subject `s` stands in the column `columns[(values[i], s)]`."""

    subject: str
    columns: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class FeatureSpec:
    """A group of columns about each person as at a date: its contract (`features/<name>`, key as_of and person_id) declares them.

    `build` gets the tables as `FactSpec.build` does (facts among them, and `core/person`, which is always there), and returns `person_row` with
    the contract's other columns, one row a person at most; or, where there is a `pivot`, `person_row`, the subject and the values. Persons
    without a row get null, or what the contract's column says under `absent`.
    """

    contract: ContractId
    inputs: tuple[ContractId, ...]
    build: Callable[[Mapping[ContractId, ir.Table], Night], ir.Table]
    pivot: Pivot | None = None


@dataclass(frozen=True)
class OutcomeSpec:
    """What is predicted about a person from an index date on.

    `words` completes "risk of ..."; follow-up is `[index, index + horizon_days)`. `events` gets Ibis tables as a `FactSpec` that sees all does (with
    `person_row`, rows of any day) and a night whose `as_of` is the index date; it returns `person_row` and `event_date`, one row an event, of any
    day: the framework keeps those within follow-up. `at_risk` gets what was known on the index date and returns `person_row` of those
    who can have the outcome (None: everybody registered). Death ends follow-up without the outcome (unless it is the outcome), leaving censors.
    An AUROC above `highest_auroc` (of real data; `highest_auroc_synthetic` of make-believe data) is a leak until proven otherwise.
    `for_lists`: may stand on a list; what may not is for checking only.
    """

    name: str
    words: str
    horizon_days: int
    inputs: tuple[ContractId, ...]
    events: Callable[[Mapping[ContractId, ir.Table], Night], ir.Table]
    highest_auroc: float
    highest_auroc_synthetic: float
    at_risk: Callable[[Mapping[ContractId, ir.Table], Night], ir.Table] | None = None
    for_lists: bool = True


Parameters = Mapping[str, float]
"""Hyper-parameters of one fit, by name."""


@dataclass(frozen=True)
class ModelSpec:
    """One way to predict an outcome from features.

    `role`: `default` (champion unless a challenger wins by the site's margin), `challenger`, or `baseline` (what teams use today, scored on the same
    people). `make` returns an unfitted estimator for a numeric matrix with NaN for missing: `fit(matrix, outcome, sample_weight=None)` and
    `decision_function(matrix)`, log-odds or any score that rises with risk; it gets the names of the matrix's columns, which of them are categories,
    the hyper-parameters and a seed. `columns`: the only features it looks at; none: all. `tries` are the values that seeded trials draw from.
    """

    name: str
    words: str
    role: str
    make: Callable[[tuple[str, ...], tuple[bool, ...], Parameters, int], object]
    columns: tuple[str, ...] = ()
    tries: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class ReasonSpec:
    """A plain-English reason for a score: the feature columns whose contributions it adds up, and what it says of a person.

    Every feature column belongs to one reason and no more. `title` names the reason on a page. `words` gets those columns of many people and
    returns a number for each, and the texts the numbers stand for: what clinicians read, without the score and without jargon.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    words: Callable[[pd.DataFrame], tuple[np.ndarray, tuple[str, ...]]]


@dataclass(frozen=True)
class Group:
    """One group of a segmentation: its name in tables, its title on a page, and in one sentence who is in it."""

    name: str
    title: str
    meaning: str


@dataclass(frozen=True)
class SegmentSpec:
    """A scheme that puts everybody, adults and children, in exactly one of a few groups.

    `groups` stand in the order of precedence: of the groups that fit a person the first counts. `columns` says what is read, by contract. `assign`
    gets those columns by name, one entry a person (a missing number is NaN, a missing text empty, missing true-or-false is false), and the
    site's settings; it returns for each person the position of their group, and the position of the rule that decided in `rules`, the sentences that
    say why. `limits` says what the scheme cannot tell; it is printed beside every result.
    """

    name: str
    title: str
    groups: tuple[Group, ...]
    rules: tuple[str, ...]
    columns: Mapping[ContractId, tuple[str, ...]]
    assign: Callable[[Mapping[str, np.ndarray], Site], tuple[np.ndarray, np.ndarray]]
    limits: str


@dataclass(frozen=True)
class PlusGroupSpec:
    """One PLUS group of Core20PLUS5: people whom an average hides. Which of them count is the site's choice ([plus] groups).

    `columns` says what is read, by contract. `assign` gets those columns by name, one entry a person, as a `SegmentSpec` does, and the site's
    settings;
    it returns for each person 1 (yes), 0 (no) or -1 (not recorded, so that nobody can say). `source` says where the group and its rule come from;
    `limits` what the rule cannot tell.
    """

    name: str
    title: str
    columns: Mapping[ContractId, tuple[str, ...]]
    assign: Callable[[Mapping[str, np.ndarray], Site], np.ndarray]
    source: str
    limits: str


INDICATOR_AREAS: Mapping[str, tuple[str, ...]] = {
    "adult": ("maternity", "severe_mental_illness", "respiratory", "cancer", "hypertension", "smoking", "prevention"),
    "child": ("asthma", "diabetes", "epilepsy", "oral_health", "mental_health", "prevention"),
}
"""The five clinical areas of Core20PLUS5 for adults (smoking is the thread through them) and for children; `prevention` is what is recorded
besides."""


@dataclass(frozen=True)
class IndicatorSpec:
    """A share of people: those of a denominator for whom something was done, found or happened. Every indicator is a proportion.

    `name` is its id, `area` one of INDICATOR_AREAS of its `age_group` (adult: 18 or over; child: under 18). `direction`: higher_is_better or
    lower_is_better. `target`: a proportion, None where no number is stated; `is_target_published` says that a public source states it. `numerator`,
    `denominator` and `exclusions` are sentences for a reader. `columns` says what is read of tables with one row a person. `facts` says what is read
    of long facts: by contract, then by subject (a cluster, measure, medicine or reason), the columns, which the rule finds as "<subject>.<column>".
    `assign` gets both by name, one entry a person, and the site's settings, and returns who is in the denominator and who in the
    numerator (which is looked at within the denominator only). A missing number is NaN, a missing text empty, missing true-or-false false; a day is
    told as days before `as_of` (NaN: never), and a count of somebody without a row is 0. None: the record cannot tell; areas' counts are supplied
    (inbound/indicator_supplement). `is_proxy`: it stands for something that the record does not hold, which `limits` names. `source`: where
    the rule comes from. `unit`: who or what is counted. `within`, for disclosure control: another indicator of the same denominator
    whose numerator holds everybody of this one's.
    """

    name: str
    title: str
    area: str
    age_group: str
    direction: str
    numerator: str
    denominator: str
    exclusions: str
    source: str
    limits: str
    assign: Callable[[Mapping[str, np.ndarray], Site], tuple[np.ndarray, np.ndarray]] | None
    columns: Mapping[ContractId, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[ContractId, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    target: float | None = None
    is_target_published: bool = False
    is_proxy: bool = False
    unit: str = "people"
    within: str = ""
