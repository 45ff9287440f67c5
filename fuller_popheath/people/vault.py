"""The one table that knows whose a person id is. Only re-identification for direct care reads it.

`<vault>/identity/parts/<practice>/<extract>.parquet` (person_id, nhs_number, practice_code, patient_id, key_version), files 0600 in folders 0700;
`<vault>/identity/as_of=<day>/parts.json` says which of them are in use. Only what the last nights use is kept: who a person was in a list that has
been superseded for longer is forgotten. What does not belong here: making ids, and deciding who may ask.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import ContractBroken, FileRefused, InputMissing
from fuller_popheath.sound_parquet import write_sound
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, refuse_others, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

DIRECT_CARE = "direct_care"
IDENTITY, AS_OF, PARTS = "identity", "as_of=", "parts.json"
COLUMNS = ("person_id", "nhs_number", "practice_code", "patient_id")
NIGHTS_KEPT = 10
"""For how many nights people can still be re-identified: long enough to make a list again, no longer than that."""


@dataclass(frozen=True)
class Vault:
    """The vault's folder. Raises SettingsWrong where others than its owner may enter it."""

    folder: Path

    def __post_init__(self) -> None:
        refuse_others(self.folder, "the vault's folder")

    def part_path(self, practice: str, extract: str) -> Path:
        """Where the identities of a practice's list lie."""
        return self.folder / IDENTITY / "parts" / practice / f"{extract}.parquet"

    def write_part(self, practice: str, extract: str, identities: pa.Table) -> Path:
        """Keep the identities of a list: `COLUMNS` and key_version, one row a person and number. Whole, readable by its owner only."""
        path = self.part_path(practice, extract)
        for level in (self.folder, self.folder / IDENTITY, self.folder / IDENTITY / "parts", path.parent):
            make_folder(level, PRIVATE_FOLDER)
        return replace_whole(path, lambda temporary: write_sound(identities, temporary), PRIVATE_FILE)

    def write_night(self, as_of: date, in_use: Sequence[tuple[str, str]]) -> None:
        """Say which (practice, extract) are in use on a day, as far as they are here; on the newest day, forget what no kept night uses."""
        own = [self.part_path(practice, extract) for practice, extract in in_use]
        paths = [path.relative_to(self.folder).as_posix() for path in own if path.is_file()]
        folder = self.folder / IDENTITY / f"{AS_OF}{as_of.isoformat()}"
        for level in (self.folder, self.folder / IDENTITY, folder):
            make_folder(level, PRIVATE_FOLDER)
        replace_whole(folder / PARTS, lambda temporary: temporary.write_text(json.dumps({"parts": sorted(paths)}), encoding="utf-8"), PRIVATE_FILE)
        if as_of == max(self._days()):
            self._forget()

    def _forget(self) -> None:
        """Remove all but the last nights, then the parts that none of those uses: a kill in between leaves what the next night removes."""
        days = sorted(self._days())
        for day in days[:-NIGHTS_KEPT]:
            gone = self.folder / IDENTITY / f"{AS_OF}{day.isoformat()}"
            (gone / PARTS).unlink(missing_ok=True)
            if not any(gone.iterdir()):
                gone.rmdir()
        used = {part for day in days[-NIGHTS_KEPT:] for part in self._parts(day)}
        for path in (self.folder / IDENTITY / "parts").glob("*/*.parquet"):
            if path.relative_to(self.folder).as_posix() not in used:
                path.unlink(missing_ok=True)

    def numbers(self, practice: str, extract: str) -> pa.Table:
        """Whose number a practice's own number for a person is: patient_id, nhs_number; one row a patient_id that has just one number in the list.

        For the door, which gives records without a number that of the list. No rows where the list is not here.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        path, names = self.part_path(practice, extract), ["patient_id", "nhs_number"]
        schema = pa.schema([(name, pa.string()) for name in names])
        if not path.is_file():
            return schema.empty_table()
        pairs = pq.read_table(path, columns=names, partitioning=None).cast(schema).drop_null().group_by(names, use_threads=False).aggregate([])
        counted = pairs.group_by("patient_id", use_threads=False).aggregate([("nhs_number", "count"), ("nhs_number", "min")])
        return counted.filter(pc.equal(counted["nhs_number_count"], 1)).select(["patient_id", "nhs_number_min"]).rename_columns(names)

    def refuse_double(self, as_of: date) -> None:
        """Raises FileRefused where two NHS numbers of the lists in use have one person id: then nobody could say who is meant."""
        import pyarrow.compute as pc

        linked = self._read(as_of, ("person_id", "nhs_number"))
        pairs = linked.filter(pc.is_valid(linked["nhs_number"])).group_by(["person_id", "nhs_number"]).aggregate([])
        double = pairs.num_rows - len(pc.unique(pairs["person_id"]))
        if double:
            raise FileRefused(f"{double} person ids stand for two NHS numbers each; take a new key and raise pseudonyms.key_version")

    def reidentify(self, person_ids: pa.Array | pa.ChunkedArray, purpose: str, as_of: date | None = None) -> pa.Table:
        """Who the persons are: person_id, nhs_number, practice_code, patient_id; one row a person and practice, those who are not known left out.

        `purpose` must be "direct_care". From the lists in use on `as_of` (None: the newest day). Raises ContractBroken for another purpose,
        InputMissing where no list was taken, FileRefused where an id stands for two NHS numbers.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if purpose != DIRECT_CARE:
            raise ContractBroken("people are re-identified for direct care only; ask with the purpose direct_care, or do without names")
        day = as_of or max(self._days(), default=None)
        if day is None:
            raise InputMissing("the vault holds no list: nobody can be re-identified before practice lists have been taken")
        self.refuse_double(day)
        known = self._read(day, COLUMNS)
        wanted = person_ids.combine_chunks() if isinstance(person_ids, pa.ChunkedArray) else person_ids
        found = known.filter(pc.is_in(known["person_id"], value_set=wanted.cast(pa.string())))
        return found.group_by(list(COLUMNS), use_threads=False).aggregate([]).select(list(COLUMNS)).sort_by([(name, "ascending") for name in COLUMNS])

    def _days(self) -> list[date]:
        return [date.fromisoformat(path.parent.name.removeprefix(AS_OF)) for path in (self.folder / IDENTITY).glob(f"{AS_OF}*/{PARTS}")]

    def _parts(self, as_of: date) -> list[str]:
        path = self.folder / IDENTITY / f"{AS_OF}{as_of.isoformat()}" / PARTS
        return list(json.loads(path.read_text(encoding="utf-8"))["parts"])

    def _read(self, as_of: date, columns: Sequence[str]) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder / IDENTITY / f"{AS_OF}{as_of.isoformat()}" / PARTS
        if not path.is_file():
            raise InputMissing(f"the vault holds no lists for {as_of}; take the practice lists of that day first")
        schema = pa.schema([(name, pa.string()) for name in columns])
        parts = [pq.read_table(self.folder / part, columns=list(columns), partitioning=None).cast(schema) for part in self._parts(as_of)]
        return pa.concat_tables(parts) if parts else schema.empty_table()
