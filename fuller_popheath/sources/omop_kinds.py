"""What an OMOP extract says in the sender's own concepts and words: the kind of a registration, an issue or a visit, and a spell's diagnoses.

OMOP keeps concept ids from 2,000,000,000 on for senders' own concepts; only those are read by their names here, and only in words that are known: a
standard concept keeps its standard meaning, and nothing is guessed. What does not belong here: codes of records (`omop_codes`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fuller_popheath.sources import omop_codes
from fuller_popheath.sources import omop_layout as tables
from fuller_popheath.sources.care_words import category_of, mode_of, plain_words
from fuller_popheath.sources.supplier_files import Heads, Keys, by_distinct, fetched, read_file

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_OWN_CONCEPT = 2_000_000_000
"""Source: OHDSI, OMOP CDM v5.4, custom concepts ("2-billionaires")."""
PRIMARY = ("32902", "32903")
"""Condition status: primary diagnosis, primary discharge diagnosis."""
MOST_DIAGNOSES = 40
ICD10 = "ICD10"
SPELL_DIAGNOSIS = "spell_diagnosis"
"""Why a row of CONDITION_OCCURRENCE is no clinical event: it stands among its spell's diagnoses."""

_REGISTRATION = re.compile(r"(regular|temporary|other) registration")
_ISSUE = re.compile(r"(acute|repeat)( dispensing)?( issue)?")
_ADMISSION = re.compile(r"admission method ([0-9][0-9a-z])")
_DEPARTMENT = re.compile(r"(?:emergency care )?department type 0?([1-4])")
_DIAGNOSIS = re.compile(r"[A-Z][0-9]{2}[.]?[0-9A-Z]{0,3}")


def own_words(ids: pa.ChunkedArray, concepts: pa.Table) -> pa.ChunkedArray:
    """The names of the sender's own concepts among these, as plain words; null for standard concepts and for none."""

    def is_own(concept: str) -> str | None:
        return concept if concept.isdecimal() and int(concept) >= FIRST_OWN_CONCEPT else None

    at = Keys(concepts["concept_id"]).find(by_distinct(ids, is_own))
    return by_distinct(fetched(concepts["concept_name"], at), plain_words)


def _found(pattern: re.Pattern[str], words: pa.ChunkedArray) -> pa.ChunkedArray:
    def read(text: str) -> str | None:
        told = pattern.fullmatch(text)
        return told[1].upper() if told else None

    return by_distinct(words, read)


def registration_types(ids: pa.ChunkedArray, concepts: pa.Table) -> pa.ChunkedArray:
    """`regular`, `temporary` or `other` of observation periods whose type says so; null for any other type."""
    import pyarrow.compute as pc

    return pc.utf8_lower(_found(_REGISTRATION, own_words(ids, concepts)))


def repeats(ids: pa.ChunkedArray, concepts: pa.Table) -> pa.ChunkedArray:
    """Whether issues whose type says so are of a repeat medicine: true, false or null. `refills` tells nothing: many write 0 for all."""
    return by_distinct(_found(_ISSUE, own_words(ids, concepts)), lambda word: "true" if word == "REPEAT" else "false")


def admission_methods(ids: pa.ChunkedArray, concepts: pa.Table) -> pa.ChunkedArray:
    """The national code of the method of admission (NHS Data Dictionary) of visits whose own concept says it."""
    return _found(_ADMISSION, own_words(ids, concepts))


def department_types(ids: pa.ChunkedArray, concepts: pa.Table) -> pa.ChunkedArray:
    """The type of the emergency department, 1 to 4 (NHS Data Dictionary), of visits whose own concept says it."""
    return _found(_DEPARTMENT, own_words(ids, concepts))


def categories(ids: pa.ChunkedArray, concepts: pa.Table) -> pa.ChunkedArray:
    """The national category of appointments whose own concept names one."""
    return by_distinct(own_words(ids, concepts), category_of)


def modes(source_values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The way of contact that the sender's own word for a visit names, null where it names none."""
    return by_distinct(source_values, mode_of)


def diagnoses(conditions: pa.Table, spells: pa.ChunkedArray, concepts: pa.Table) -> pa.Table:
    """Which conditions are the diagnoses of which spells: at (the condition's position), visit, code; each spell's main one first, then as recorded.

    ICD-10 codes of a visit among `spells` (visit ids) are; others, such as what was also recorded during the stay, are clinical events.
    At most `MOST_DIAGNOSES` a spell.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    vocabulary, codes = omop_codes.told(conditions, concepts, omop_codes.CLINICAL_SYSTEMS)
    codes = by_distinct(codes, lambda code: code if _DIAGNOSIS.fullmatch(code) else None)
    of_spell = pc.fill_null(pc.is_in(conditions["visit_occurrence_id"], value_set=pc.unique(spells).drop_null(), skip_nulls=True), False)
    is_one = pc.and_(pc.and_(pc.equal(vocabulary, ICD10), pc.is_valid(codes)), of_spell)
    at = np.flatnonzero(pc.fill_null(is_one, False).to_numpy(zero_copy_only=False))
    chosen = pa.table({"at": at, "visit": conditions["visit_occurrence_id"].take(at), "code": codes.take(at)})
    rank = pc.if_else(pc.is_in(conditions["condition_status_concept_id"].take(at), value_set=pa.array(PRIMARY)), 0, 1)
    number = conditions["record"].take(at)
    chosen = chosen.append_column("rank", rank).append_column("length", pc.utf8_length(number)).append_column("number", number)
    chosen = chosen.sort_by([(name, "ascending") for name in ("visit", "rank", "length", "number")])
    visits = chosen["visit"].combine_chunks().dictionary_encode().indices.to_numpy()
    first = np.flatnonzero(np.diff(visits, prepend=-1))
    place = np.arange(len(visits)) - np.repeat(first, np.diff(first, append=len(visits)))
    return chosen.filter(pa.array(place < MOST_DIAGNOSES)).select(["at", "visit", "code"])


def spell_diagnoses(visits: pa.ChunkedArray, files: Heads, concepts: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """(main diagnosis, all diagnoses with semicolons between) of each of these spells, by visit id; null for a spell without any.

    The main one is that whose status says so; without one there is no main diagnosis, and all stand in the order of their record numbers.
    """
    import pyarrow as pa

    conditions = read_file(tables.CONDITION.file, files)
    found = diagnoses(conditions, visits, concepts)
    status = conditions["condition_status_concept_id"].take(found["at"]).to_pylist()
    every: dict[str, list[str]] = {}
    main: dict[str, str] = {}
    for visit, code, said in zip(found["visit"].to_pylist(), found["code"].to_pylist(), status, strict=True):
        every.setdefault(visit, []).append(code)
        if said in PRIMARY:
            main.setdefault(visit, code)
    wanted = visits.to_pylist()
    texts = [";".join(every[visit]) if visit in every else None for visit in wanted]
    return pa.chunked_array([pa.array(list(map(main.get, wanted)), pa.string())]), pa.chunked_array([pa.array(texts, pa.string())])
