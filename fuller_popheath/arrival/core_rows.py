"""Accepted rows as they are kept: without identifiers, placed by postcode where nothing else places them, sorted by person and day.

What does not belong here: what becomes of a table (`becoming`), and where rows are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.contracts import Contract
    from fuller_popheath.people.pseudonyms import Pseudonymised

POSTCODE_LSOA = "reference/postcode_lsoa"
DAY_BITS = 20


def with_lsoa(rows: pa.Table, postcode_lsoa: pa.Table | None) -> pa.Table:
    """The rows of a practice list, the LSOA of the postcode where the list gives none. `postcode_lsoa` has postcodes without blanks."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if postcode_lsoa is None or "postcode" not in rows.column_names:
        return rows
    given = rows["lsoa_code"].cast(pa.string())
    asked = pc.replace_substring(rows["postcode"].cast(pa.string()), " ", "")
    at = pc.index_in(asked, value_set=postcode_lsoa["postcode"].combine_chunks(), skip_nulls=True)
    found = postcode_lsoa["lsoa_code"].combine_chunks().take(at.combine_chunks())
    return rows.set_column(rows.column_names.index("lsoa_code"), "lsoa_code", pc.coalesce(given, pa.chunked_array([found])))


def with_persons(rows: pa.Table, persons: Pseudonymised, inbound: Contract) -> pa.Table:
    """The rows with `person_id` and `is_linked` in place of what identifies people; what only tells clinicians apart stays."""
    import pyarrow as pa

    identifying = [c.name for c in inbound.columns if c.classification == "identifier" and c.name != "clinician_id"]
    kept = rows.drop_columns([name for name in identifying if name in rows.column_names])
    kept = kept.append_column("person_id", pa.chunked_array([persons.person_id]))
    return kept.append_column("is_linked", pa.chunked_array([pa.array(persons.is_linked)]))


def own_words(rows: pa.Table) -> pa.Table:
    """The same rows, dictionaries without the words that no row says: Parquet writes a dictionary whole, and its statistics speak of all of it."""
    import pyarrow as pa

    columns = ((name, rows[name]) for name in rows.column_names)
    return pa.table({name: _own_words(column) if pa.types.is_dictionary(column.type) else column for name, column in columns})


def _own_words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa

    whole = column.unify_dictionaries().combine_chunks()
    whole = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
    words = len(whole.dictionary)
    at = whole.indices.fill_null(words).to_numpy(zero_copy_only=False)
    is_said = np.zeros(words + 1, bool)
    is_said[at] = True
    if is_said[:words].all():
        return column
    place = np.append(np.cumsum(is_said[:words]) - 1, 0).astype(np.int32)
    indices = pa.array(place[at], mask=at == words)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, whole.dictionary.filter(pa.array(is_said[:words])))])


def as_part(rows: pa.Table, core: Contract) -> pa.Table:
    """The core table's columns in order, sorted by person and then by the first day of its key (then as they came); text may stay coded."""
    import pyarrow as pa

    columns = {}
    for column in core.columns:
        cells = rows[column.name]
        coded = pa.types.is_dictionary(cells.type) and column.logical_type == "string"
        columns[column.name] = cells if coded else cells.cast(column.arrow_type)
    table = pa.table(columns)
    return table.take(pa.array(_order(table, core))) if table.num_rows else table


def _order(table: pa.Table, core: Contract) -> np.ndarray:
    import pyarrow as pa

    coded = table["person_id"] if pa.types.is_dictionary(table["person_id"].type) else table["person_id"].dictionary_encode()
    whole = coded.unify_dictionaries().combine_chunks()
    whole = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
    ids = np.array(whole.dictionary.to_pylist(), dtype="S12")
    rank = np.empty(len(ids), np.int64)
    rank[np.argsort(ids)] = np.arange(len(ids))
    day = next(name for name in core.primary_key if core.column(name).logical_type == "date")
    days = table[day].cast(pa.int32()).to_numpy().astype(np.int64) + (1 << (DAY_BITS - 1))
    return np.argsort((rank[whole.indices.to_numpy()] << DAY_BITS) + days, kind="stable")
