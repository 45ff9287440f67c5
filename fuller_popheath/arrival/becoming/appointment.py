"""Appointments become core/contact, row for row, whatever became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, ExtractSpec

if TYPE_CHECKING:
    import pyarrow as pa


def to_core(rows: pa.Table) -> Mapping[ContractId, pa.Table]:
    """An appointment that is still booked is known from the day it was booked; what became of one is known on its own day, not before."""
    import pyarrow.compute as pc

    is_booked = pc.equal(rows["status"].cast("string"), "booked")
    known = pc.if_else(is_booked, pc.coalesce(rows["booked_date"], rows["appointment_date"]), rows["appointment_date"])
    names = {"appointment_date": "contact_date"}
    made = rows.rename_columns([names.get(name, name) for name in rows.column_names])
    return {
        "core/contact": made.drop_columns(["booked_date"])
        .append_column("start_minute", _minute(rows["start_time"]))
        .append_column("booked_date", _booked(rows))
        .append_column("recorded_date", known)
    }


def _booked(rows: pa.Table) -> pa.ChunkedArray:
    """The day of the booking; none where it would lie after the appointment, which was then entered afterwards."""
    import pyarrow as pa
    import pyarrow.compute as pc

    booked = rows["booked_date"]
    return pc.if_else(pc.less_equal(booked, rows["appointment_date"]), booked, pa.scalar(None, booked.type))


def _minute(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Minutes after midnight of times as 09:30."""
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = (times if pa.types.is_dictionary(times.type) else times.dictionary_encode()).unify_dictionaries()
    made = []
    for part in coded.chunks:
        words = part.dictionary
        # A dictionary may hold words that no accepted row says.
        text = pc.if_else(pc.match_substring_regex(words, "^[0-9]{2}:[0-9]{2}$"), words, pa.scalar(None, words.type))
        hours = pc.cast(pc.utf8_slice_codeunits(text, 0, 2), pa.int64())
        minutes = pc.add(pc.multiply(hours, 60), pc.cast(pc.utf8_slice_codeunits(text, 3, 5), pa.int64()))
        made.append(minutes.take(part.indices))
    return pa.chunked_array(made, pa.int64())


EXTRACT = ExtractSpec(contract="inbound/appointment", becomes=("core/contact",), to_core=to_core)
