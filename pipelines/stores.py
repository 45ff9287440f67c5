"""The store: one Parquet file a table and day, refused before it is written if it breaks its contract, and replaced as a whole or not at all.

`store/<contract id>/as_of=YYYY-MM-DD/part.parquet` keeps every day; pages lie beside them. What leaves is released from here (`defs/releases.py`).
Files with sensitive columns, and whatever practices sent, are readable by their owner only. A table with a column classified
`identifier` is never taken. What does not belong here: what a table means.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from fuller_popheath.arrival.extract_store import ExtractStore
from fuller_popheath.errors import ContractBroken, FileRefused, InputMissing
from fuller_popheath.registry import extracts
from fuller_popheath.sound_parquet import read_sound, removing_damaged, write_sound
from fuller_popheath.specs import Parts
from fuller_popheath.whole_files import OPEN_FILE, PRIVATE_FILE, replace_whole
from pipelines.guard import guarded

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.contracts import Contract

AS_OF = "as_of="
LANDING_KEY, FROM_DAY_KEY = b"fuller.landing", b"fuller.from_day"
GEOMETRY = "geometry"
COLUMNS = "columns wanted"
"""The metadata of an input that names the columns a step wants of it; none named: all."""


@dataclass(frozen=True)
class Proven:
    """A table that has been held against its contract, so that it is not checked a second time on its way into the store.

    `from_day` is the day its files arrived, where an earlier day's table stands in.
    """

    table: pa.Table
    contract: Contract
    from_day: date | None = None


def prove(table: pa.Table, contract: Contract, references: Mapping[str, pa.Table] | None = None) -> Proven:
    """Check every rule on every row. Raises ContractBroken with counts a rule, or where the table would bring an identifier into the store.

    `references` are the tables at hand that its codes may refer to, by contract id.
    """
    from fuller_popheath import contracts

    refuse_identifiers(table, contract)
    return Proven(contracts.refuse_if_broken(table, contract, references or {}), contract)


def checked_on_arrival(table: pa.Table, contract: Contract, from_day: date | None = None) -> Proven:
    """Take rows that were checked one by one as they arrived: their shape is held against the contract, which may lack its identifiers by now."""
    refuse_identifiers(table, contract)
    left_out = identifiers(contract)
    expected = [(field.name, field.type) for field in contract.schema if field.name not in left_out]
    if [(field.name, field.type) for field in table.schema] != expected:
        raise ContractBroken(f"{contract.id}: it has other columns or types than its contract says")
    return Proven(table, contract, from_day)


def identifiers(contract: Contract) -> set[str]:
    """The columns that identify people."""
    return {column.name for column in contract.columns if column.classification == "identifier"}


def refuse_identifiers(table: pa.Table, contract: Contract) -> None:
    """Raises ContractBroken where a table has a column that identifies people, by its own contract, or leaves for others and tells of people."""
    from fuller_popheath.contracts.lanes import refuse_people

    refuse_people(table, contract)
    if present := identifiers(contract) & set(table.column_names):
        raise ContractBroken(f"{contract.id}: {', '.join(sorted(present))} identifies people, so the store does not take it; drop it first")


@dataclass(frozen=True)
class Store:
    """The folders a night writes to, the pointer to its products, and the rules of reading and writing them."""

    folder: Path
    products: Path

    @property
    def releases(self) -> Path:
        """Where releases lie: beside the pointer to the current one."""
        return self.products.parent / "releases"

    @property
    def extracts(self) -> ExtractStore:
        """What practices sent, kept a file a practice."""
        return ExtractStore(self.folder)

    def is_in_parts(self, contract_id: str) -> bool:
        """Whether a table is kept as extracts are: a file a practice, and a list of those in use for each day."""
        return any(contract_id in spec.becomes for spec in extracts().values())

    def has(self, contract_id: str, as_of: date) -> bool:
        """Whether a table is there for a day."""
        return as_of in self.extracts.days(contract_id) if self.is_in_parts(contract_id) else self.path(contract_id, as_of).is_file()

    def scan(self, contract_id: str, as_of: date) -> Parts:
        """The files of a table of one day, for an engine to read as far as it needs them. Raises InputMissing where there is none."""
        if self.is_in_parts(contract_id):
            return self.extracts.parts(contract_id, as_of)
        if not self.has(contract_id, as_of):
            raise InputMissing(f"{contract_id} is not in the store for {as_of}; materialise it for that day first")
        return Parts(contract_id, (self.path(contract_id, as_of),))

    def page_folder(self, page: str, as_of: date) -> Path:
        """Where the files of a page of one day lie, until they are released."""
        return self.folder / page / f"{AS_OF}{as_of.isoformat()}"

    def fresh_folder(self, page: str, as_of: date) -> Path:
        """As `page_folder`, without any file of an earlier run of the same day: a neighbourhood that is gone has no list."""
        folder = self.page_folder(page, as_of)
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def path(self, contract_id: str, as_of: date) -> Path:
        """Where a table of one day lies."""
        return self.folder / contract_id / f"{AS_OF}{as_of.isoformat()}" / "part.parquet"

    def days(self, contract_id: str) -> tuple[date, ...]:
        """The days a table is kept for, oldest first."""
        folders = (self.folder / contract_id).glob(f"{AS_OF}*")
        return tuple(sorted(date.fromisoformat(f.name.removeprefix(AS_OF)) for f in folders if (f / "part.parquet").is_file()))

    def read(self, contract_id: str, as_of: date, columns: list[str] | None = None) -> pa.Table:
        """The table of one day, or some columns of it. Raises InputMissing where there is none, FileRefused where it is damaged on the disk."""
        if self.is_in_parts(contract_id):
            found = self.extracts.read(contract_id, as_of)
            return found.select(columns) if columns else found
        path = self.path(contract_id, as_of)
        if not path.is_file():
            kept = ", ".join(day.isoformat() for day in self.days(contract_id)) or "no day"
            raise InputMissing(f"{contract_id} is not in the store for {as_of} (it is there for {kept}); materialise it for that day first")
        with removing_damaged(path, f"{contract_id} of {as_of}"):
            return read_sound(path, columns)

    def before(self, contract_id: str, as_of: date) -> date | None:
        """The last day before `as_of` that a table is kept for."""
        return max((day for day in self.days(contract_id) if day < as_of), default=None)

    def last_good(self, contract_id: str, as_of: date, landing: Path) -> tuple[date, pa.Table] | None:
        """The newest snapshot of up to `as_of` that came from the same landing folder (another folder's files are another place's), and the day
        its files arrived, which is an earlier one where it stood in for a file itself."""
        import pyarrow.parquet as pq

        for day in sorted((day for day in self.days(contract_id) if day <= as_of), reverse=True):
            try:
                with removing_damaged(self.path(contract_id, day), f"{contract_id} of {day}"):
                    noted = pq.read_schema(self.path(contract_id, day)).metadata or {}
                if noted.get(LANDING_KEY, b"").decode() != str(landing):
                    continue
                table = self.read(contract_id, day)
            except FileRefused:  # an earlier day's may be whole
                continue
            if table.num_rows:
                return date.fromisoformat(noted.get(FROM_DAY_KEY, day.isoformat().encode()).decode()), table
        return None

    def write(self, proven: Proven, as_of: date, landing: Path) -> Path:
        """Put a table in its place as a whole: temporary file in the same folder, flushed to disk, renamed."""
        contract = proven.contract
        table = _with_notes(proven, as_of, landing)
        path = self.path(contract.id, as_of)
        return replace_whole(path, lambda temporary: write_parquet(table, temporary), file_mode(contract))

    def write_in_parts(self, parts: Iterable[Proven], contract: Contract, as_of: date, landing: Path) -> Path:
        """As `write`, of a table that is too large to be held whole: its parts one after the other, which no key recurs in."""
        import pyarrow.parquet as pq

        from fuller_popheath import contracts

        schema = _with_notes(Proven(contracts.empty_table(contract), contract), as_of, landing).schema

        def write(temporary: Path) -> None:
            with pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer:
                for part in parts:
                    writer.write_table(part.table.cast(schema))

        return replace_whole(self.path(contract.id, as_of), write, file_mode(contract))


def with_columns_of(table: pa.Table, contract: Contract) -> pa.Table:
    """A stored table in the shape its contract says, without the store's notes: what was left out is there and empty."""
    import pyarrow as pa

    columns = [table[f.name] if f.name in table.column_names else pa.nulls(table.num_rows, f.type) for f in contract.schema]
    return pa.table(columns, schema=contract.schema)


def file_mode(contract: Contract) -> int:
    """Owner only for what practices sent, for lists of people and for anything with a sensitive column."""
    private = contract.id.startswith("inbound/") or contract.purpose == "direct_care"
    return PRIVATE_FILE if private or any(c.classification != "open" for c in contract.columns) else OPEN_FILE


def content_hash(table: pa.Table) -> str:
    """A hash of what a table says: column names, types and values in order, whatever the chunks and buffers they are held in."""
    import pyarrow as pa

    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        digest.update(f"{name}:{column.type}:{len(column)};".encode())
        for part in (column.is_null().cast(pa.int8()), column.drop_null()):
            values = part.cast(pa.int8()) if pa.types.is_boolean(part.type) else part
            sink = pa.BufferOutputStream()
            whole = pa.table({"": values}).combine_chunks()
            with pa.ipc.new_stream(sink, whole.schema) as stream:
                stream.write_table(whole)
            digest.update(sink.getvalue())
    return digest.hexdigest()


def _with_notes(proven: Proven, as_of: date, landing: Path) -> pa.Table:
    from_day, table = proven.from_day or as_of, proven.table
    told = {
        b"fuller.contract": proven.contract.id,
        b"fuller.as_of": as_of.isoformat(),
        LANDING_KEY: str(landing),
        FROM_DAY_KEY: from_day.isoformat(),
    }
    notes = {name: text.encode() for name, text in told.items()}
    if GEOMETRY in table.column_names:
        notes[b"geo"] = json.dumps(geoparquet_notes()).encode()
    return table.replace_schema_metadata(notes)


def geoparquet_notes() -> Mapping[str, Any]:
    """The GeoParquet 1.0 declaration of a WKB column in longitude and latitude (no `crs` means OGC:CRS84, which is what our contracts say)."""
    return {"version": "1.0.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: {"encoding": "WKB", "geometry_types": []}}}


def write_parquet(table: pa.Table, path: Path) -> None:
    """A table as one compressed Parquet file."""
    write_sound(table, path)


class ParquetStore(dg.IOManager):
    """Dagster's hand to the store: the asset key is the contract id, the day and the folders come from the `night` resource."""

    @guarded
    def handle_output(self, context: dg.OutputContext, obj: Proven | pa.Table) -> None:
        """Write a table, checked if it has not been; nothing is written where it breaks its contract."""
        from fuller_popheath import contracts

        tonight = context.resources.night.tonight()
        contract_id = "/".join(context.asset_key.path)
        proven = obj if isinstance(obj, Proven) else prove(obj, contracts.load_contract(contract_id))
        if proven.contract.id != contract_id:
            raise ContractBroken(f"{contract_id} was given a table of {proven.contract.id}")
        path = tonight.store.write(proven, tonight.as_of, tonight.landing)
        stored = {"as of": tonight.as_of.isoformat(), "stored at": dg.MetadataValue.path(str(path)), "size in bytes": path.stat().st_size}
        context.add_output_metadata(stored)

    @guarded
    def load_input(self, context: dg.InputContext) -> pa.Table:
        """The upstream table of the same day, with every column of its contract: identifiers, which are not kept, come back empty.

        Raises Failure (InputMissing) where it has not been materialised for the day.
        """
        from fuller_popheath import contracts

        tonight = context.resources.night.tonight()
        contract = contracts.load_contract("/".join(context.asset_key.path))
        wanted = list((context.definition_metadata or {}).get(COLUMNS, ()))
        if wanted:
            return tonight.store.read(contract.id, tonight.as_of, wanted)
        return with_columns_of(tonight.store.read(contract.id, tonight.as_of), contract)


@dg.io_manager(required_resource_keys={"night"}, description="Parquet and GeoParquet under var/store; refuses a table that breaks its contract.")
def parquet_store() -> ParquetStore:
    """One for every asset of the location."""
    return ParquetStore()
