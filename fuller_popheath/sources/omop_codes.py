"""What an OMOP concept is called here: a code system of ours and its code, or a `local` code that names the vocabulary it came from.

What does not belong here: which table holds which concept (`omop`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fuller_popheath.sources import omop_layout as tables
from fuller_popheath.sources.opening import text_table
from fuller_popheath.sources.supplier_files import Heads, Keys, by_distinct, fetched, read_file
from fuller_popheath.specs import FileHead

if TYPE_CHECKING:
    import pyarrow as pa

LOCAL, SYNTHETIC = "Local", "Synthetic"
_OWN_VOCABULARIES = {"CTV3": "ctv3", LOCAL: "local", SYNTHETIC: "synthetic"}
"""Vocabularies that OHDSI does not give out, so that a sender adds them to CONCEPT (a convention of ours): CTV3, a practice's own codes, and the
make-believe codes of our synthetic place, which no real extract has."""
CLINICAL_SYSTEMS: Mapping[str, str] = {"SNOMED": "snomed", "Read": "read2", "ICD10": "icd10", **_OWN_VOCABULARIES}
"""Vocabularies of OMOP that are a code system of ours (by vocabulary_id; ICD10 is the WHO's, ICD10CM is another)."""
MEDICINE_SYSTEMS: Mapping[str, str] = {"dm+d": "dmd", "SNOMED": "snomed", "Read": "read2", "MultiLex": "multilex", **_OWN_VOCABULARIES}
NO_VOCABULARY = "none"
"""Stands for the vocabulary where the sender could map a record to no concept: only its own text of the code is there."""
ANSWER = "answer:"


def concepts(files: Heads) -> pa.Table:
    """The vocabulary of an extract, without concept 0 ("no matching concept"): concept_id, vocabulary_id, concept_code, concept_name."""
    import pyarrow.compute as pc

    table = read_file(tables.CONCEPT, files)
    return table.filter(pc.fill_null(pc.not_equal(table["concept_id"], "0"), False))


def coded(rows: pa.Table, known: pa.Table, systems: Mapping[str, str]) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """(code system, code) of each record.

    What was recorded (the source concept) goes before what it was mapped to (the standard concept), where its vocabulary is one of ours. A code of
    another vocabulary is `local`, its vocabulary's name before it (`LOINC_8480-6`) unless that is `LOCAL`; one without any concept is its own text
    behind `none_`.
    """
    import pyarrow.compute as pc

    vocabulary, code = told(rows, known, systems)
    system = pc.fill_null(by_distinct(vocabulary, systems.get), "local")
    word = by_distinct(code, _word)
    as_local = pc.if_else(pc.equal(vocabulary, LOCAL), word, pc.binary_join_element_wise(by_distinct(vocabulary, _word), word, "_"))
    return system, pc.if_else(pc.equal(system, "local"), as_local, code)


def unmapped_of(rows: pa.Table, known: pa.Table, systems: Mapping[str, str], table: str) -> pa.Table:
    """The codes that `coded` makes local, and the coded answers, with how many rows have each: as `unmapped_schema`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    vocabulary, code = told(rows, known, systems)
    is_local = pc.invert(pc.is_in(vocabulary, value_set=pa.array(list(systems))))
    found = [_counted(vocabulary.filter(is_local), code.filter(is_local), table)]
    if "value_as_concept_id" in rows.column_names:
        answers = pc.drop_null(rows["value_as_concept_id"])
        found.append(concepts_counted(answers.filter(pc.not_equal(answers, "0")), known, table, ANSWER))
    return pa.concat_tables(found)


def concepts_counted(ids: pa.ChunkedArray, known: pa.Table, table: str, before: str = "") -> pa.Table:
    """How many rows have each of these concepts; one that the vocabulary does not hold is told by its id."""
    import pyarrow as pa
    import pyarrow.compute as pc

    at = Keys(known["concept_id"]).find(ids)
    vocabulary = pc.fill_null(fetched(known["vocabulary_id"], at), NO_VOCABULARY)
    told = pc.binary_join_element_wise(pa.scalar(before), vocabulary, "")
    return _counted(told, pc.coalesce(fetched(known["concept_code"], at), ids), table)


def rows_counted(heads: Iterable[FileHead], table: str) -> pa.Table:
    """How many rows a table has that is not read: one row without vocabulary and code, or none."""
    import pyarrow as pa

    rows = sum(text_table(head, [0]).num_rows for head in heads)
    return pa.table([[None], [None], [table], [rows]] if rows else [[], [], [], []], schema=unmapped_schema())


def units(rows: pa.Table, known: pa.Table) -> pa.ChunkedArray:
    """The UCUM code of each record's unit, else the sender's text; the square brackets of UCUM (`mm[Hg]`) left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    at = Keys(known["concept_id"]).find(rows["unit_concept_id"])
    is_ucum = pc.fill_null(pc.equal(fetched(known["vocabulary_id"], at), "UCUM"), False)
    ucum = pc.if_else(is_ucum, fetched(known["concept_code"], at), pa.scalar(None, pa.string()))
    return by_distinct(pc.coalesce(ucum, rows["unit_source_value"]), lambda text: re.sub(r"[\[\]]", "", text))


def unmapped_schema() -> pa.Schema:
    """The columns of what cannot be mapped: vocabulary and code (null: whole rows), table, rows (how many)."""
    import pyarrow as pa

    return pa.schema([("vocabulary", pa.string()), ("code", pa.string()), ("table", pa.string()), ("rows", pa.int64())])


def told(rows: pa.Table, known: pa.Table, systems: Mapping[str, str]) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """(vocabulary, code) that tells each record best, in the vocabulary's own spelling."""
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = Keys(known["concept_id"])
    source, standard = keys.find(rows["source_concept_id"]), keys.find(rows["concept_id"])
    ours = pa.array(list(systems))

    def is_ours(at: pa.Array) -> pa.ChunkedArray:
        return pc.fill_null(pc.is_in(fetched(known["vocabulary_id"], at), value_set=ours), False)

    source_first = pc.or_(is_ours(source), pc.invert(is_ours(standard)))
    source_at, standard_at = pa.chunked_array([source]), pa.chunked_array([standard])
    at = pc.if_else(source_first, pc.coalesce(source_at, standard_at), standard_at).combine_chunks()
    vocabulary = pc.fill_null(fetched(known["vocabulary_id"], at), NO_VOCABULARY)
    return vocabulary, pc.if_else(pc.equal(vocabulary, NO_VOCABULARY), rows["source_value"], fetched(known["concept_code"], at))


def _word(text: str) -> str:
    """A text as a local code may be written: every other sign a hyphen."""
    return re.sub(r"[^0-9A-Za-z_-]", "-", text)


def _counted(vocabulary: pa.ChunkedArray, code: pa.ChunkedArray, table: str) -> pa.Table:
    import pyarrow as pa

    groups = pa.table({"vocabulary": vocabulary, "code": code}).group_by(["vocabulary", "code"]).aggregate([([], "count_all")])
    names = pa.chunked_array([pa.repeat(pa.scalar(table), groups.num_rows)])
    return pa.table([groups["vocabulary"], groups["code"], names, groups["count_all"]], schema=unmapped_schema())
