"""What a night left in the store, read for a command that looks at one team or one person. Nothing is written.

`<store>/<contract id>/as_of=YYYY-MM-DD/part.parquet`, as the pipelines keep it. What does not belong here: what practices sent, which is kept
otherwise (`arrival/extract_store.py`), and what any table means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import InputMissing
from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site

AS_OF, FILE = "as_of=", "part.parquet"
LET_THROUGH = "released_counts.json"
"""With nightly releases: of which days counts left (pipelines/release_days.py writes it)."""


@dataclass(frozen=True)
class StoredTables:
    """The folder of the store."""

    folder: Path

    def days(self, contract_id: ContractId) -> tuple[date, ...]:
        """The days a table is kept for, oldest first."""
        found = (self.folder / contract_id).glob(f"{AS_OF}*/{FILE}")
        return tuple(sorted(date.fromisoformat(path.parent.name.removeprefix(AS_OF)) for path in found))

    def newest(self, contract_id: ContractId, until: date | None = None) -> date:
        """The newest day a table is kept for, up to and including `until`. Raises InputMissing where there is none."""
        days = [day for day in self.days(contract_id) if until is None or day <= until]
        if not days:
            raise InputMissing(
                f"{contract_id} is not in the store{f' for {until} or a day before' if until else ''}: run a night first (fuller refresh)"
            )
        return days[-1]

    def released(self, contract_id: ContractId, as_of: date, site: Site) -> date:
        """The day of a table that was released for a day: counts of people leave once a month, or on the days that were let through.

        A command that makes a page must not show others: those of two nights could be held against each other (pipelines/release_days.py decides).
        """
        from fuller_popheath.contracts import load_contract

        if load_contract(contract_id).purpose != "secondary_use":
            return as_of
        kept = [day for day in self.days(contract_id) if day <= as_of and self.read(contract_id, day, ["as_of"]).num_rows]
        if site.disclosure.release == "nightly":
            passed = self._let_through()
            if days := [day for day in kept if day in passed]:
                return days[-1]
        return next((day for day in kept if (day.year, day.month) == (as_of.year, as_of.month)), as_of)

    def page_tables(
        self, contract_ids: Sequence[ContractId], needed: ContractId, day: date | None, site: Site, otherwise: str = ""
    ) -> tuple[dict[ContractId, pa.Table], date]:
        """The tables of a page of the newest night that `needed` is kept for, or of `day`, each of the day `released`; and that night.

        One that is not kept is left out. Raises InputMissing where there is no such night; `otherwise` says what else the caller can do.
        """
        as_of = self.newest(needed) if day is None else day
        if as_of not in self.days(needed):
            raise InputMissing(f"{needed} is not in the store for {as_of}; run that night first (fuller refresh){otherwise}")
        days = {name: self.released(name, as_of, site) for name in contract_ids}
        return {name: self.read(name, found) for name, found in days.items() if found in self.days(name)}, as_of

    def _let_through(self) -> frozenset[date]:
        path = self.folder / LET_THROUGH
        told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return frozenset(date.fromisoformat(day) for day, said in told.items() if said["leaves"])

    def read(
        self,
        contract_id: ContractId,
        as_of: date,
        columns: Sequence[str] | None = None,
        equal: Mapping[str, str] | None = None,
    ) -> pa.Table:
        """The table of one day, or some of its columns, or its rows with some values (`equal`: by column). Raises InputMissing where it is not."""
        import pyarrow.parquet as pq

        path = self.folder / contract_id / f"{AS_OF}{as_of.isoformat()}" / FILE
        if not path.is_file():
            kept = ", ".join(day.isoformat() for day in self.days(contract_id)) or "no day"
            raise InputMissing(f"{contract_id} is not in the store for {as_of} (it is there for {kept}); run that night first (fuller refresh)")
        wanted = [(name, "=", value) for name, value in (equal or {}).items()] or None
        return pq.read_table(path, columns=list(columns) if columns else None, filters=wanted, partitioning=None)
