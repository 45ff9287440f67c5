"""Looking at a practice's own tables (the columns of the inbound contracts) column by column, the way both writers need them.

What does not belong here: one supplier's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import pyarrow as pa

LIST, EVENT, ISSUE, APPOINTMENT = "inbound/practice_list", "inbound/clinical_event", "inbound/medication_issue", "inbound/appointment"

ROLE_OF_TYPE = {
    "gp": ("R0260", "General Medical Practitioner"),
    "gp_locum": ("R0262", "Locum GP"),
    "nurse": (None, "Practice Nurse"),
    "pharmacist": (None, "Clinical Pharmacist"),
    "physiotherapist": (None, "First Contact Physiotherapist"),
    "healthcare_assistant": (None, "Healthcare Assistant"),
    "other": (None, "Social Prescribing Link Worker"),
    "unknown": (None, None),
}
"""What a clinician of each type is called: SDS role code (GPs only; github ncl-icb-analytics/dbt-ncl-analytics, commit 213ca054) and role name."""

LETTER_OF_SEX = {"male": "M", "female": "F", "indeterminate": "I", "unknown": "U"}


class OwnTables:
    """The tables of one practice; a table or an optional column that is not given is empty."""

    def __init__(self, tables: Mapping[ContractId, pa.Table]) -> None:
        self._tables = dict(tables)

    def shuffled(self, rng: np.random.Generator) -> OwnTables:
        """The same rows in an order that says nothing."""
        return OwnTables({name: table.take(rng.permutation(table.num_rows)) for name, table in self._tables.items()})

    def with_table(self, contract: ContractId, table: pa.Table) -> OwnTables:
        """The same tables, and this one for its contract."""
        return OwnTables({**self._tables, contract: table})

    def table(self, contract: ContractId) -> pa.Table:
        """The rows of a contract."""
        import pyarrow as pa

        return self._tables.get(contract, pa.table({}))

    def rows(self, contract: ContractId) -> int:
        """How many rows a contract has."""
        return self.table(contract).num_rows

    def column(self, contract: ContractId, name: str) -> pa.ChunkedArray:
        """A column as it is; null throughout where it is not given."""
        import pyarrow as pa

        table = self.table(contract)
        return table[name] if name in table.column_names else pa.chunked_array([pa.nulls(table.num_rows, pa.string())])

    def text(self, contract: ContractId, name: str) -> pa.ChunkedArray:
        """A column as text (true and false in small letters, numbers as short as they are exact)."""
        import pyarrow as pa

        return self.column(contract, name).cast(pa.string())

    def day(self, contract: ContractId, name: str, style: str = "%Y-%m-%d") -> pa.ChunkedArray:
        """A column of days as text in this style; days given as ISO text are read first."""
        import pyarrow as pa
        import pyarrow.compute as pc

        return pc.strftime(self.column(contract, name).cast(pa.date32()), format=style)

    def words(self, contract: ContractId, name: str, vocabulary: Mapping[str, Any]) -> pa.ChunkedArray:
        """A column in the words of a vocabulary; null for null and for what it does not hold."""
        import pyarrow as pa

        coded = self.text(contract, name).combine_chunks().dictionary_encode()
        said = pa.array([vocabulary.get(each) for each in coded.dictionary.to_pylist()], pa.string())
        return pa.chunked_array([said.take(coded.indices)])

    def staff(self) -> dict[str, str]:
        """The type of every clinician that contacts and registrations name; usual GPs whom nobody saw are GPs."""
        import pyarrow as pa

        found = dict.fromkeys((gp for gp in self.text(LIST, "usual_gp_code").unique().to_pylist() if gp), "gp")
        pairs = pa.table({name: self.text(APPOINTMENT, name) for name in ("clinician_id", "clinician_type")})
        each = pairs.group_by(["clinician_id", "clinician_type"]).aggregate([]).sort_by("clinician_type")
        for clinician, kind in zip(each["clinician_id"].to_pylist(), each["clinician_type"].to_pylist(), strict=True):
            if clinician:
                found[clinician] = kind or "unknown"
        return dict(sorted(found.items()))

    def identified_list(self) -> pa.Table:
        """The practice list with a patient_id in every row: a row without one is a patient of its own."""
        import pyarrow as pa
        import pyarrow.compute as pc

        ids = self.text(LIST, "patient_id")
        numbered = pa.array([f"row-{at}" for at in range(len(ids))], pa.string())
        table = self.table(LIST)
        table = table.drop_columns(["patient_id"]) if "patient_id" in table.column_names else table
        return table.append_column("patient_id", pc.coalesce(ids, numbered))

    def newest_registrations(self) -> pa.Table:
        """One row a patient of the practice list: their registration with the latest start."""
        import pyarrow as pa
        import pyarrow.compute as pc

        newest = self.identified_list().sort_by([("patient_id", "ascending"), ("registration_start_date", "descending")])
        named = newest["patient_id"].combine_chunks()
        first = np.ones(len(named), dtype=bool)
        first[1:] = pc.not_equal(named[1:], named[:-1]).to_numpy(zero_copy_only=False)
        return newest.filter(pa.array(first))

    def ethnicity_entries(self) -> pa.Table:
        """patient_id, day, code: one coded entry for each patient whose list names a category and whose record has no entry of one yet."""
        import pyarrow as pa
        import pyarrow.compute as pc

        people = self.newest_registrations()
        if "ethnic_category" not in people.column_names:
            people = people.append_column("ethnic_category", pa.nulls(people.num_rows, pa.string()))
        said = pc.fill_null(pc.starts_with(self.text(EVENT, "code"), "z.ethnicity_"), False)
        who = self.text(EVENT, "patient_id").filter(said).unique()
        people = people.filter(pc.and_(pc.is_valid(people["ethnic_category"]), pc.invert(pc.is_in(people["patient_id"], value_set=who))))
        code = pc.binary_join_element_wise("z.ethnicity_", pc.utf8_lower(people["ethnic_category"]), ".1", "")
        return pa.table({"patient_id": people["patient_id"], "day": people["registration_start_date"].cast(pa.date32()), "code": code})
