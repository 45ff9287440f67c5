"""What suppliers' files hold that none of our tables can say: codes of vocabularies that nobody mapped, and tables that are not read, with counts.

Written down once for the files of an extract, readable by their owner only, and listed for whoever maps codes. What does not belong here: telling
what is unmapped (each supplier's reader does).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.arrival.extract_store import ExtractStore
from fuller_popheath.arrival.extracts import ADAPTER_VERSION, Extract
from fuller_popheath.whole_files import PRIVATE_FILE, replace_whole

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

FOLDER = "unmapped"
SUMMARY = ("supplier", "extract", "table", "vocabulary", "code", "rows")
NO_VOCABULARY = "none"
"""What readers call the vocabulary of a record that has no concept: its code is then whatever somebody wrote, and is not repeated."""


def write_unmapped(extract: Extract, store: ExtractStore) -> None:
    """Write down what cannot be mapped of an extract's files, unless it was before; a supplier that cannot tell has nothing written.

    A reader that fails at it does not cost the extract: the kind of its error is written in place of rows.
    """
    tell, path = extract.supplier.unmapped, _path(store, extract.content_hash)
    if tell is None or (path.is_file() and json.loads(path.read_text(encoding="utf-8"))["made_by"] == ADAPTER_VERSION):
        return
    told: dict[str, Any] = {"made_by": ADAPTER_VERSION, "supplier": extract.supplier.name, "extract": extract.name, "problem": None, "rows": []}
    try:
        told["rows"] = _rows(tell(extract.heads))
    except Exception as wrong:  # its text may quote the file: its kind is told
        told["problem"] = type(wrong).__name__
    replace_whole(path, partial(_write, json.dumps(told, indent=1)), PRIVATE_FILE)


def unmapped_summary(store: ExtractStore) -> list[Mapping[str, str | int]]:
    """What cannot be mapped in the extracts that are in use (`SUMMARY`): one row a supplier, extract, table, vocabulary and code, most rows first.

    Vocabulary and code are empty for the rows of a table that is not read, and the code where the record had no concept. Of the newest day on which
    each inbound table of this landing folder was taken.
    """
    contents = set()
    for inbound in registry.extracts():
        day = max(store.days(inbound), default=None)
        for each in store.last_in_use(inbound, day) if day is not None else ():
            known = store.loaded(inbound, each.extract)
            contents.add(known.content if known else "")
    found: list[Mapping[str, str | int]] = []
    for path in (_path(store, content) for content in contents if content):
        if path.is_file():
            told = json.loads(path.read_text(encoding="utf-8"))
            found += [{"supplier": told["supplier"], "extract": told["extract"], **row} for row in told["rows"]]
    return sorted(found, key=lambda row: (-int(row["rows"]), *(str(row[name]) for name in SUMMARY[:5])))


def _path(store: ExtractStore, content_hash: str) -> Path:
    return store.folder / FOLDER / f"{content_hash}.json"


def _rows(unmapped: pa.Table) -> Sequence[Mapping[str, str | int]]:
    counted: Counter[tuple[str, str, str]] = Counter()
    for row in unmapped.to_pylist():
        vocabulary = str(row["vocabulary"] or "")
        code = "" if vocabulary.lower() == NO_VOCABULARY else str(row["code"] or "")
        counted[str(row["table"]), vocabulary, code] += int(row["rows"])
    return [{"table": table, "vocabulary": vocabulary, "code": code, "rows": rows} for (table, vocabulary, code), rows in sorted(counted.items())]


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
