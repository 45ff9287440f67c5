"""Objections that somebody told the house itself: kept in the vault, and beside those of files on every night until they are taken back.

`<vault>/objections/people.json`, 0600 in a folder 0700: by kind of objection, keyed hashes of NHS numbers and practices' own numbers
(`register_key.py`) with the day each was told, and the person ids of then. By the first a person is found in tonight's lists whatever key ids are
made with; by the second also somebody who has left them, under the key of then or one that it was rotated to. What does not belong here: what an
objection keeps a person out of (`objections.py`), and the lists of today (`pipelines.objecting`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import ContractBroken
from fuller_popheath.people.person_rows import People
from fuller_popheath.people.pseudonyms import PseudonymKey, check_of, made_over
from fuller_popheath.people.register_key import KEY_BYTES, RegisterKey, coded, token, tokens_of
from fuller_popheath.people.vault import AS_OF, COLUMNS, IDENTITY, PARTS
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER, PEOPLE = "objections", "people.json"
TYPE_1, NATIONAL, NO_LISTS = "type_1", "national_data_opt_out", "no_lists"
KINDS = (TYPE_1, NATIONAL, NO_LISTS)
IN_TABLE = {TYPE_1: "told_type_1", NATIONAL: "told_national_data_opt_out", NO_LISTS: NO_LISTS}
"""How a kind is written in core/objection, so that it is not taken for a file's."""
DISSENT = "dissent"
CONTRACT = "core/objection"
TOKENS, IDS = "tokens", "ids"

Told = dict[str, dict[str, dict[str, Any]]]
"""By kind: `tokens` (token to day) and `ids` (person id to day, and by what its key is known again)."""


@dataclass(frozen=True)
class ObjectionRegister:
    """The register in a vault's folder. `draw_key` makes its key, where no other register has yet."""

    vault: Path
    draw_key: Callable[[], bytes] = field(default=lambda: token_bytes(KEY_BYTES), repr=False)

    def add(self, people: People, kind: str, day: date, key: PseudonymKey) -> None:
        """Write down that people object, as from a day. On the disk when this returns; who objects already does so from the day it was told first."""
        secret = RegisterKey(self.vault, self.draw_key).drawn()
        told = self._told()
        own = told.setdefault(kind, {TOKENS: {}, IDS: {}})
        for each in tokens_of(secret, people.numbers, people.records):
            own[TOKENS].setdefault(each, day.isoformat())
        made_with = check_of(key.secret)
        held = {now for _, _, now in _ids_now(own, key)}
        for person in sorted(people.ids - held):
            own[IDS][person] = {"day": day.isoformat(), "made_with": made_with}
        self._write(told)

    def take_back(self, people: People, kinds: Iterable[str], key: PseudonymKey) -> int:
        """Take people out again. Returns how many entries went: 0, where nobody of them was in it."""
        told = self._told()
        if not told:
            return 0
        tokens, gone = tokens_of(RegisterKey(self.vault).secret(), people.numbers, people.records), 0
        for kind in kinds:
            own = told.get(kind, {TOKENS: {}, IDS: {}})
            for name in [each for each in own[TOKENS] if each in tokens]:
                del own[TOKENS][name]
                gone += 1
            for written, _, now in list(_ids_now(own, key)):
                if {written, now} & people.ids:
                    del own[IDS][written]
                    gone += 1
        if gone:
            self._write(told)
        return gone

    def is_empty(self) -> bool:
        """Whether nobody objects by the register."""
        return not any(own[TOKENS] or own[IDS] for own in self._told().values())

    def rows(self, key: PseudonymKey, as_of: date) -> pa.Table:
        """The register as rows of core/objection, one a person and kind; the ids are those that `key` makes.

        Of whom the lists in use on `as_of` know by number, and of whom an id was kept. Raises ContractBroken where the register has lost its key.
        """
        import pyarrow as pa

        found: dict[tuple[str, str], str] = {}
        told = self._told()
        for kind, own in told.items():
            for _, entry, now in _ids_now(own, key):
                _first(found, (now, kind), entry["day"])
        if any(own[TOKENS] for own in told.values()):
            secret = RegisterKey(self.vault).secret()
            for person, own_tokens in _tokens_in_vault(self.vault, as_of, secret, {each for own in told.values() for each in own[TOKENS]}):
                for kind, own in told.items():
                    for each in own_tokens & own[TOKENS].keys():
                        _first(found, (person, kind), own[TOKENS][each])
        people = sorted(found)
        columns = {
            "person_id": pa.array([person for person, _ in people], pa.string()),
            "objection": pa.array([IN_TABLE[kind] for _, kind in people], pa.string()),
            "state": pa.array([DISSENT] * len(people), pa.string()),
            "recorded_date": pa.array([date.fromisoformat(found[each]) for each in people], pa.date32()),
        }
        return pa.table(columns)

    def _told(self) -> Told:
        path = self.vault / FOLDER / PEOPLE
        if not path.is_file():
            return {}
        try:
            return dict(json.loads(path.read_text(encoding="ascii")))
        except ValueError:
            raise ContractBroken(f"{FOLDER}/{PEOPLE} of the vault cannot be read, so nobody knows who objects; restore it from a backup") from None

    def _write(self, told: Told) -> None:
        folder = self.vault / FOLDER
        for level in (self.vault, folder):
            make_folder(level, PRIVATE_FOLDER)
        text = json.dumps(told, indent=0, sort_keys=True)
        replace_whole(folder / PEOPLE, lambda part: part.write_text(text, encoding="ascii"), PRIVATE_FILE)


def _first(found: dict[tuple[str, str], str], key: tuple[str, str], day: str) -> None:
    found[key] = min(day, found.get(key, day))


def _ids_now(own: Mapping[str, Mapping[str, Any]], key: PseudonymKey) -> Iterable[tuple[str, Mapping[str, str], str]]:
    """Each id that was written down, what stands beside it, and the id that `key` has for that person; those of a foreign key are passed over."""
    secrets = (*key.former, key.secret)
    known = {check_of(secret): place for place, secret in enumerate(secrets)}
    for written, entry in own[IDS].items():
        if entry["made_with"] not in known:
            continue
        now = written
        for secret in secrets[known[entry["made_with"]] + 1 :]:
            now = made_over(secret, now)
        yield written, entry, now


def _tokens_in_vault(vault: Path, as_of: date, secret: bytes, wanted: set[str]) -> Iterable[tuple[str, set[str]]]:
    """The people of the lists in use on a day who are known by one of the tokens: person id, and by which."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = vault / IDENTITY / f"{AS_OF}{as_of.isoformat()}" / PARTS
    for part in json.loads(path.read_text(encoding="utf-8"))["parts"] if path.is_file() else ():
        table = pq.read_table(vault / part, columns=list(COLUMNS), partitioning=None)
        table = table.cast(pa.schema([(name, pa.string()) for name in COLUMNS]))
        numbers, at = coded(table["nhs_number"])
        by_number = [token(secret, f"nhs:{number}") for number in numbers]
        is_wanted = np.array([each in wanted for each in by_number] + [True])
        rows = np.flatnonzero(is_wanted[at])
        people = table.take(pa.array(rows)).to_pylist()
        for row, place in zip(people, at[rows].tolist(), strict=True):
            own = {by_number[place]} if place < len(numbers) else tokens_of(secret, (), [(row["practice_code"], row["patient_id"] or "")])
            if own & wanted:
                yield row["person_id"], own
