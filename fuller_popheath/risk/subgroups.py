"""By what people are grouped when a model is judged: deprivation, ethnic group, sex, age, PLUS groups, PCN and how much contact they had.

Nobody is left out for want of a record: who has none is in the group `not_recorded`. What does not belong here: any statistic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import ContractBroken, InputMissing

if TYPE_CHECKING:
    import pyarrow as pa

ALL = "all"
PLUS_GROUP = "plus_group"
PCN = "pcn"
IMD_QUINTILE = "imd_quintile"
NOT_RECORDED = "not_recorded"
KINDS = (ALL, IMD_QUINTILE, "ethnic_group", "sex", "age_band", PLUS_GROUP, PCN, "contact_level")

AGE_BANDS = (0, 5, 10, 15, 18, 30, 40, 50, 60, 70, 80, 90)
"""From which age on a band is; the last has no end."""

PLUS_GROUPS: Mapping[str, tuple[str, ...]] = {
    "homelessness": ("has_homelessness",),
    "drug_or_alcohol_problems": ("has_substance_misuse", "has_alcohol_problems"),
    "learning_disability": ("has_learning_disability",),
    "autism": ("has_autism",),
    "severe_mental_illness": ("has_severe_mental_illness",),
    "multimorbidity": ("has_multimorbidity",),
    "care_home_or_housebound": ("has_care_home", "has_housebound"),
    "looked_after_child": ("has_looked_after_child",),
    "carer": ("has_carer",),
}
"""PLUS groups of NHS England's Core20PLUS5 (adults, and children and young people) that the features can tell, and people who are easily missed; each
by the flags of which one is enough. Which groups an ICS chooses is its own matter. Ethnic minority communities are judged group by group under
ethnic_group: their sum here would let a hidden ethnic group be worked out."""

EDITIONS = ("2025", "2019")
CONTACTS = "contact_count_365"


@dataclass(frozen=True, eq=False)
class Kind:
    """One way to deal everybody into groups: `labels` of the groups, and of each person the number of theirs (`codes`)."""

    labels: tuple[str, ...]
    codes: np.ndarray

    def members(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each group that has anybody: its label and the positions of its people, in order."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.searchsorted(self.codes[order], np.arange(len(self.labels) + 1))
        for number, label in enumerate(self.labels):
            if ends[number] < ends[number + 1]:
                yield label, order[ends[number] : ends[number + 1]]


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of so many people: `kinds` deal everybody, `plus` are masks (bool, one a person) that may overlap. The same for every model
    that is judged on these people, in their order. `imd_edition`: which Indices of Deprivation the quintiles rest on, or None."""

    people: int
    kinds: Mapping[str, Kind]
    plus: Mapping[str, np.ndarray] = field(default_factory=dict)
    imd_edition: str | None = None

    def members(self, kind: str) -> Iterator[tuple[str, np.ndarray]]:
        """The groups of one kind that have anybody: label and positions."""
        if kind == ALL:
            if self.people:
                yield ALL, np.arange(self.people)
        elif kind == PLUS_GROUP:
            yield from ((label, np.flatnonzero(mask)) for label, mask in self.plus.items() if mask.any())
        elif kind in self.kinds:
            yield from self.kinds[kind].members()

    def take(self, keep: np.ndarray) -> Groups:
        """The groups of the people that a mask or an array of positions keeps."""
        kinds = {name: Kind(kind.labels, kind.codes[keep]) for name, kind in self.kinds.items()}
        plus = {name: mask[keep] for name, mask in self.plus.items()}
        people = int(np.count_nonzero(keep)) if keep.dtype == bool else len(keep)
        return Groups(people, kinds, plus, self.imd_edition)


def groups_of(labels: Mapping[str, np.ndarray], plus: Mapping[str, np.ndarray] | None = None, imd_edition: str | None = None) -> Groups:
    """Groups from texts, one array a kind with a text a person, and masks for groups that may overlap. For what is not a table of features."""
    coded = {kind: np.unique(np.asarray(texts, dtype=str), return_inverse=True) for kind, texts in labels.items()}
    kinds = {kind: Kind(tuple(map(str, found)), codes.astype(np.int32)) for kind, (found, codes) in coded.items()}
    lengths = {len(kind.codes) for kind in kinds.values()} | {len(mask) for mask in (plus or {}).values()}
    if len(lengths) > 1:
        raise ContractBroken(f"groups of people: the kinds have {len(lengths)} different lengths; give each one text or mark a person")
    return Groups(next(iter(lengths), 0), kinds, {name: np.asarray(mask, dtype=bool) for name, mask in (plus or {}).items()}, imd_edition)


def groups(features: pa.Table, places: pa.Table) -> Groups:
    """The groups of people, from their features and `person_id, pcn_code`, both in the same order.

    A person without a recorded IMD quintile, ethnic group, sex or PCN is in the group `not_recorded` of that kind; quintiles are of the edition of
    2025 where anybody has one, else of 2019, never mixed. Raises InputMissing for a column that is not there, ContractBroken where the rows of the
    two tables are not of the same people.
    """
    needed = {"age_years", "sex", "ethnic_group", CONTACTS, *(f"imd_{edition}_quintile" for edition in EDITIONS)}
    needed |= {flag for flags in PLUS_GROUPS.values() for flag in flags}
    missing = sorted(needed - set(features.column_names)) + [name for name in ("person_id", "pcn_code") if name not in places.column_names]
    if missing:
        raise InputMissing(f"people cannot be grouped: the columns {', '.join(missing)} are not there; build every feature group first")
    _refuse_other_people(features, places)
    edition = next((e for e in EDITIONS if features[f"imd_{e}_quintile"].null_count < features.num_rows), None)
    kinds = {
        IMD_QUINTILE: _by_value(features[f"imd_{edition or EDITIONS[0]}_quintile"]),
        "ethnic_group": _by_value(features["ethnic_group"]),
        "sex": _by_value(features["sex"]),
        "age_band": _age_bands(features["age_years"]),
        PCN: _by_value(places["pcn_code"]),
        "contact_level": _contact_levels(features[CONTACTS]),
    }
    plus = {name: np.logical_or.reduce([_flag(features[flag]) for flag in flags]) for name, flags in PLUS_GROUPS.items()}
    return Groups(features.num_rows, kinds, plus, edition)


def _refuse_other_people(features: pa.Table, places: pa.Table) -> None:
    import pyarrow.compute as pc

    if features.num_rows != places.num_rows:
        raise ContractBroken(
            f"people cannot be grouped: {features.num_rows} rows of features and {places.num_rows} of places; give both of the same people"
        )
    if "person_id" in features.column_names:
        other = features.num_rows - (pc.sum(pc.equal(features["person_id"], places["person_id"])).as_py() or 0)
        if other:
            raise ContractBroken(f"people cannot be grouped: in {other} rows person_id differs between features and places; put both in one order")


def _by_value(cells: pa.ChunkedArray) -> Kind:
    """A group a value; missing, empty and `unknown` are not recorded."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.fill_null(cells.cast(pa.string()), NOT_RECORDED)
    texts = pc.if_else(pc.is_in(texts, value_set=pa.array(["", "unknown"])), NOT_RECORDED, texts)
    coded = pc.dictionary_encode(texts).unify_dictionaries().combine_chunks()
    coded = coded if isinstance(coded, pa.Array) else pa.concat_arrays(coded.chunks)
    found = coded.dictionary.to_pylist()
    labels = tuple(sorted((label for label in found), key=lambda label: (label == NOT_RECORDED, label)))
    place = np.array([labels.index(label) for label in found], dtype=np.int32)
    return Kind(labels, place[coded.indices.to_numpy()] if len(found) else np.zeros(0, np.int32))


def _age_bands(cells: pa.ChunkedArray) -> Kind:
    ends = (*AGE_BANDS[1:], None)
    labels = (*(f"{start}-{end - 1}" if end else f"{start}+" for start, end in zip(AGE_BANDS, ends, strict=True)), NOT_RECORDED)
    ages = _numbers(cells)
    codes = np.searchsorted(AGE_BANDS, np.nan_to_num(ages), side="right") - 1
    return Kind(labels, np.where(np.isnan(ages), len(AGE_BANDS), codes).astype(np.int32))


def _contact_levels(cells: pa.ChunkedArray) -> Kind:
    counts = _numbers(cells)
    return Kind(("no_contact", "contact", NOT_RECORDED), np.where(np.isnan(counts), 2, np.nan_to_num(counts) > 0).astype(np.int32))


def _numbers(cells: pa.ChunkedArray) -> np.ndarray:
    import pyarrow as pa

    return np.asarray(cells.cast(pa.float64()).to_numpy())


def _flag(cells: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(cells.fill_null(False).to_numpy(), dtype=bool)
