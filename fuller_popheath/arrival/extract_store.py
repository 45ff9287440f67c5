"""Where the rows of extracts lie: immutable parts, one a sender and extract, with an account of each extract; and which of them a night is made of.

`<core id>/parts/<sender>/<identity>.parquet` are rows, `<inbound id>/extracts/<identity>.json` says what became of the rows of an extract, once all
its parts stand. `<core id>/as_of=<day>/parts.json` names the parts of a table on a day, `<inbound id>/as_of=<day>/extracts.json` the extracts it was
made of, and the account of the night. What does not belong here: which extract is chosen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import InputMissing
from fuller_popheath.registry import PRACTICE_EXTRACT
from fuller_popheath.sound_parquet import read_sound, write_sound
from fuller_popheath.specs import ContractId, Parts
from fuller_popheath.whole_files import OPEN_FILE, PRIVATE_FILE, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

AS_OF = "as_of="
PARTS, EXTRACTS = "parts.json", "extracts.json"


@dataclass(frozen=True)
class SenderRows:
    """What became of one sender's rows of an extract. `parts`: rows a core table; None where they were not kept (too many of them were faulty).

    `code_systems`: accepted rows a code system. `without_number`: rows that came without an NHS number and got none from the practice's list.
    `blanked`: cells of accepted rows that were left empty, a rule; `rows_blanked`: rows that have such a cell.
    """

    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rules: Mapping[str, int] = field(default_factory=dict)
    withheld: Mapping[str, int] = field(default_factory=dict)
    code_systems: Mapping[str, int] = field(default_factory=dict)
    without_number: int = 0
    parts: Mapping[ContractId, int] | None = None
    blanked: Mapping[str, int] = field(default_factory=dict)
    rows_blanked: int = 0

    @property
    def rows_faulty(self) -> int:
        """Rows that break a rule, whether it costs the row or a cell of it."""
        return self.rows_quarantined + self.rows_blanked

    @property
    def rows_in_use(self) -> int:
        """Rows that became rows of core tables."""
        return sum((self.parts or {}).values())


@dataclass(frozen=True)
class Loaded:
    """The account of one extract: its files by name, the day it was made, and its senders.

    `key` tells the key its person ids were made with, `withheld` the codes that were withheld from it (fingerprints of both), `content` its files.
    """

    identity: str
    contract: ContractId
    supplier: str
    name: str
    extract_date: str | None
    senders: Mapping[str, SenderRows]
    key: str = ""
    withheld: str = ""
    content: str = ""

    @property
    def day(self) -> date | None:
        """The day it was made."""
        return date.fromisoformat(self.extract_date) if self.extract_date else None


@dataclass(frozen=True)
class InUse:
    """Which extract a sender's rows are of on a day."""

    sender: str
    extract: str
    extract_date: str | None
    parts: Mapping[ContractId, int]

    @property
    def day(self) -> date | None:
        """The day it was made."""
        return date.fromisoformat(self.extract_date) if self.extract_date else None


@dataclass(frozen=True)
class ExtractStore:
    """The store's folder, and what it knows of extracts. A store is one place's: another place's practices have other codes, and its own store.

    `landing` is written down with each night, to be read by people; nothing hangs on it.
    """

    folder: Path
    landing: str = ""

    def part_path(self, core: ContractId, sender: str, identity: str) -> Path:
        """Where a sender's rows of an extract lie."""
        return self.folder / core / "parts" / sender / f"{identity}.parquet"

    def has_sent(self, core: ContractId, sender: str) -> bool:
        """Whether rows of a sender were ever kept here, and still are."""
        return any((self.folder / core / "parts" / sender).glob("*.parquet"))

    def write_part(self, core: ContractId, sender: str, identity: str, rows: pa.Table) -> Path:
        """Put a part in its place, whole, readable by its owner only; one that is there already is the same and stays."""
        path = self.part_path(core, sender, identity)
        if path.is_file():
            return path
        return replace_whole(path, lambda temporary: write_sound(rows, temporary, level=1), PRIVATE_FILE)

    def loaded(self, contract: ContractId, identity: str) -> Loaded | None:
        """What became of an extract; None where it was never read to its end, or one of its parts is gone."""
        path = self.folder / contract / "extracts" / f"{identity}.json"
        if not path.is_file():
            return None
        told = json.loads(path.read_text(encoding="utf-8"))
        loaded = Loaded(**{**told, "senders": {sender: SenderRows(**rows) for sender, rows in told["senders"].items()}})
        kept = [self.part_path(core, sender, identity) for sender, rows in loaded.senders.items() for core in rows.parts or {}]
        return loaded if all(part.is_file() for part in kept) else None

    def write_loaded(self, loaded: Loaded) -> None:
        """The last thing that is written of an extract."""
        _write_json(self.folder / loaded.contract / "extracts" / f"{loaded.identity}.json", asdict(loaded))

    def without_numbers(self, contract: ContractId, identity: str) -> tuple[str, ...]:
        """The practices whose rows of an extract came without NHS numbers, as was found when it was read; `identity`: without their lists."""
        path = self.folder / contract / "extracts" / f"{identity}.without_numbers.json"
        return tuple(json.loads(path.read_text(encoding="utf-8"))["practices"]) if path.is_file() else ()

    def write_without_numbers(self, contract: ContractId, identity: str, practices: Sequence[str]) -> None:
        """Say of which practices rows came without NHS numbers: what becomes of the extract then hangs on their lists."""
        _write_json(self.folder / contract / "extracts" / f"{identity}.without_numbers.json", {"practices": sorted(practices)})

    def days(self, contract: ContractId) -> tuple[date, ...]:
        """The days for which a core table has its parts, or an inbound one its extracts, oldest first."""
        found = (path.parent.name for name in (PARTS, EXTRACTS) for path in (self.folder / contract).glob(f"{AS_OF}*/{name}"))
        return tuple(sorted(date.fromisoformat(name.removeprefix(AS_OF)) for name in found))

    def last_in_use(self, contract: ContractId, as_of: date) -> tuple[InUse, ...]:
        """The extracts that were in use on the newest day up to `as_of`, from whichever landing folder: some sites make one a night."""
        return self._last(contract, as_of, "in_use")

    def last_set_aside(self, contract: ContractId, as_of: date) -> tuple[InUse, ...]:
        """What senders with nothing in use on that day had sent before, which another key makes useless; so that they are not forgotten."""
        return self._last(contract, as_of, "set_aside")

    def _last(self, contract: ContractId, as_of: date, name: str) -> tuple[InUse, ...]:
        day = max((day for day in self.days(contract) if day <= as_of), default=None)
        if day is None:
            return ()
        told = json.loads(self._night(contract, day, EXTRACTS).read_text(encoding="utf-8"))
        return tuple(InUse(**each) for each in told.get(name, ()))

    def manifest(self, core: ContractId, as_of: date) -> Mapping[str, Any]:
        """What `parts.json` says of a table and day. Raises InputMissing where there is none."""
        path = self._night(core, as_of, PARTS)
        if not path.is_file():
            kept = ", ".join(day.isoformat() for day in self.days(core)) or "no day"
            raise InputMissing(f"{core} is not in the store for {as_of} (it is there for {kept}); materialise it for that day first")
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def keys(self, contract: ContractId, core: ContractId, as_of: date) -> frozenset[str]:
        """The fingerprints of the keys that the person ids of a core table of a day were made with; `contract`: the inbound table it comes from."""
        identities = {Path(part["path"]).stem for part in self.manifest(core, as_of)["parts"]}
        return frozenset(loaded.key for identity in identities if (loaded := self.loaded(contract, identity)) is not None)

    def parts(self, core: ContractId, as_of: date) -> Parts:
        """The files that are a core table on a day. Raises InputMissing where the table has not been made for the day."""
        return Parts(core, tuple(self.folder / part["path"] for part in self.manifest(core, as_of)["parts"]))

    def read(self, core: ContractId, as_of: date) -> pa.Table:
        """All rows of a core table on a day, in the order of its parts. Raises InputMissing where the table has not been made for the day."""
        import pyarrow as pa

        from fuller_popheath.contracts import empty_table, load_contract

        contract = load_contract(core)
        paths = self.parts(core, as_of).paths
        optional = {column.name for column in contract.columns if not column.required}
        tables = [_with_columns(read_sound(path), contract.schema, optional).cast(contract.schema) for path in paths]
        return pa.concat_tables(tables) if tables else empty_table(contract)

    def account(self, contract: ContractId, as_of: date) -> pa.Table:
        """The account of a night of one inbound table, as core/practice_extract wants it; no rows where nothing was taken on the day."""
        import pyarrow as pa

        from fuller_popheath.contracts import load_contract

        schema, path = load_contract(PRACTICE_EXTRACT).schema, self._night(contract, as_of, EXTRACTS)
        told = json.loads(path.read_text(encoding="utf-8"))["account"] if path.is_file() else []
        days = ("as_of", "extract_date")
        rows = [{name: date.fromisoformat(cell) if name in days and cell else cell for name, cell in row.items()} for row in told]
        return pa.Table.from_pylist(rows, schema=schema)

    def write_night(
        self,
        contract: ContractId,
        cores: Sequence[ContractId],
        as_of: date,
        in_use: Sequence[InUse],
        account: pa.Table,
        set_aside: Sequence[InUse] = (),
    ) -> None:
        """Say which extracts, and so which parts, the tables are made of on a day: each list whole, the extracts and the account last."""
        in_use = sorted(in_use, key=lambda each: (each.sender, each.extract_date or "", each.extract))
        for core in cores:
            parts = [
                {
                    "practice_code": each.sender,
                    "path": self.part_path(core, each.sender, each.extract).relative_to(self.folder).as_posix(),
                    "rows": each.parts[core],
                    "extract_date": each.extract_date,
                    "extract": each.extract,
                }
                for each in in_use
                if each.parts.get(core)
            ]
            _write_json(self._night(core, as_of, PARTS), {"landing": self.landing, "as_of": as_of.isoformat(), "parts": parts})
        rows = [{name: cell.isoformat() if isinstance(cell, date) else cell for name, cell in row.items()} for row in account.to_pylist()]
        told = {
            "landing": self.landing,
            "as_of": as_of.isoformat(),
            "in_use": [asdict(each) for each in in_use],
            "set_aside": [asdict(each) for each in set_aside],
            "account": rows,
        }
        _write_json(self._night(contract, as_of, EXTRACTS), told)

    def _night(self, contract: ContractId, as_of: date, name: str) -> Path:
        return self.folder / contract / f"{AS_OF}{as_of.isoformat()}" / name


def _with_columns(part: pa.Table, schema: pa.Schema, optional: set[str]) -> pa.Table:
    """A part in the order of the schema; what it was written without, and need not be filled, is empty."""
    import pyarrow as pa

    for column in schema:
        if column.name in optional and column.name not in part.column_names:
            part = part.append_column(column, pa.nulls(part.num_rows, column.type))
    return part.select(schema.names) if set(schema.names) == set(part.column_names) else part


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed run left of files it was writing. Not while another run writes."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    replace_whole(path, lambda temporary: temporary.write_text(json.dumps(content, indent=1), encoding="utf-8"), OPEN_FILE)
