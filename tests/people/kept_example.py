"""A make-believe house in small: a store, a vault, quarantine, lists and a signed release with a few people in all of them.

What does not belong here: what is expected of them.
"""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fuller_popheath.arrival.extract_store import ExtractStore, InUse, Loaded, SenderRows
from fuller_popheath.contracts import empty_table, load_contract
from fuller_popheath.people.audit_log import AuditLog, RunAudit
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.people.vault import Vault
from fuller_popheath.publish.lists import publish_lists
from fuller_popheath.publish.release import INTERNAL, Part, release
from fuller_popheath.publish.release_manifest import Statement
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.site import Folders, Site
from fuller_popheath.specs import Night

_spec = importlib.util.spec_from_file_location("list_example", Path(__file__).parents[1] / "publish" / "list_example.py")
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
sys.modules["list_example"] = example
_spec.loader.exec_module(example)

DAY, ISSUE, TEAM = example.DAY, example.ISSUE, example.TEAM
OTHER = "N-02"
SECRET, NEW_SECRET = b"a secret of thirty-two bytes long", b"another secret of thirty-two byte"
NUMBERS = ("9990000018", "9990000026", "9990000034", "9990000042")
"""Of the test range, with right check digits. The first two are listed at A81001, the third at B82001 by the other team; the fourth is on no list."""
PRACTICE = ("A81001", "A81001", "B82001", "A81001")
REFERENCE = ("BCDFGH", "JKMNPQ", "RSTVWX")
EXTRACT = "0" * 16
WHEN = "2026-11-16T06:00:00+00:00"


def site_of(folder: Path, **lists: Any) -> Site:
    """Settings with every folder below one."""
    folders = Folders(**{name: str(folder / name) for name in Folders.model_fields})
    return Site(folders=folders, pseudonyms={"key_version": 1, "data_is_synthetic": True, "key_file": str(folder / "key")}, lists=lists)  # type: ignore[arg-type]


def key_of(secret: bytes = SECRET) -> PseudonymKey:
    """A key, as its file gives it."""
    return PseudonymKey(secret, 1)


def set_key(folder: Path, secret: bytes, name: str = "key") -> Path:
    """Write a key where its owner alone can read it."""
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.write_text(secret.hex(), encoding="ascii")
    path.chmod(0o600)
    return path


def ids_of(key: PseudonymKey) -> list[str]:
    """The ids of the people, and of somebody without an NHS number at A81001."""
    return [*(key.person_id(f"nhs:{number}") for number in NUMBERS), key.person_id("local:A81001|77")]


def fill(folder: Path, key: PseudonymKey) -> Site:
    """Make the house."""
    site, ids = site_of(folder), ids_of(key)
    store, vault = site.folder("store"), site.folder("vault")
    _extract(store, vault, ids)
    tables = _lists(ids)
    coded = pa.array(ids).dictionary_encode()
    put(store, "core/person", pa.table({"as_of": pa.array([DAY] * 5), "person_id": pa.array(sorted(ids))}))
    put(store, "core/segment", pa.table({"person_id": coded, "segment": pa.array(["a", "b", "a", "b", "a"])}))
    reviews = pa.table(
        {"person_id": [ids[0], ids[2]], "issue_id": [ISSUE] * 2, "team_id": [TEAM, OTHER], "row_reference": [REFERENCE[0], REFERENCE[2]]}
    )
    put(store, "core/review", reviews)
    put(store, "inbound/review_outcome", reviews.drop_columns(["person_id"]).append_column("comment", pa.array(["asked for a call", "fine"])))
    for name, table in tables.items():
        put(store, name, table)
    rows = pa.table({"nhs_number": ["999 000 0018", "9990000026", None], "patient_id": ["1", "2", "1"], "_sender": ["A81001"] * 3})
    quarantine = site.folder("quarantine") / "inbound" / "clinical_event"
    quarantine.mkdir(parents=True)
    pq.write_table(rows, quarantine / "f.parquet")
    night = Night(as_of=DAY, site=site)
    lists = store / "lists" / "continuity" / f"as_of={DAY}"
    files = publish_lists(lists, tables, night, Vault(vault), RunAudit(AuditLog(vault), "run-1", WHEN), {})
    (lists.parent / "as_of=2026-11-15").mkdir()
    for path in files:
        (lists.parent / "as_of=2026-11-15" / path.name.replace("2026-11-16.", "2026-11-15.")).write_bytes(path.read_bytes())
    parts = [Part("direct_care", path.name, partial(_copy, path)) for path in files]
    for purpose in ("direct_care", INTERNAL):
        for name in (example.LIST, example.ACCOUNT):
            table = tables[name]
            parts.append(Part(purpose, f"{name.rpartition('/')[2]}.parquet", partial(pq.write_table, table), table.num_rows, name))
    parts.append(Part("open", "core20_by_pcn.csv", lambda path: path.write_text("pcn\n", encoding="utf-8"), 0))
    for run in ("run-1", "run-2"):
        release(site.folder("products"), folder / "releases", Statement(DAY, run, when=WHEN), parts, signing_key(vault))
    return site


def put(store: Path, contract: str, table: pa.Table) -> Path:
    """A table of the day."""
    path = store / contract / f"as_of={DAY}" / "part.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({b"fuller.landing": b"x"}), path)
    path.chmod(0o600)
    return path


def _copy(source: Path, path: Path) -> None:
    path.write_bytes(source.read_bytes())


def _extract(store: Path, vault: Path, ids: list[str]) -> None:
    """Two practices' lists as the door leaves them."""
    known = ExtractStore(store, "x")
    in_use = []
    account = empty_table(load_contract("core/practice_extract"))
    for practice in ("A81001", "B82001"):
        own = [n for n, each in enumerate(PRACTICE) if each == practice] + ([4] if practice == "A81001" else [])
        rows = pa.table({"person_id": pa.array(sorted(ids[n] for n in own)).dictionary_encode(), "registered": pa.array([DAY] * len(own))})
        known.write_part("core/registration", practice, EXTRACT, rows)
        identities = {
            "person_id": pa.array([ids[n] for n in own]),
            "nhs_number": pa.array([NUMBERS[n] if n < 4 else None for n in own], pa.string()),
            "patient_id": pa.array([str(n + 1) if n < 4 else "77" for n in own]),
            "practice_code": pa.array([practice] * len(own)),
            "key_version": pa.array([1] * len(own), pa.int64()),
        }
        Vault(vault).write_part(practice, EXTRACT, pa.table(identities))
        in_use.append(InUse(practice, EXTRACT, DAY.isoformat(), {"core/registration": len(own)}))
    counted = {each.sender: SenderRows(each.parts["core/registration"], each.parts["core/registration"], 0, parts=each.parts) for each in in_use}
    known.write_loaded(Loaded(EXTRACT, "inbound/practice_list", "own", "lists.csv", DAY.isoformat(), counted, key_of().fingerprint))
    known.write_night("inbound/practice_list", ["core/registration"], DAY, in_use, account)
    Vault(vault).write_night(DAY, [(each.sender, EXTRACT) for each in in_use])


def _lists(ids: list[str]) -> dict[str, pa.Table]:
    own = [{"person_id": ids[n], "row_reference": REFERENCE[n]} for n in (0, 1)]
    others = {"person_id": ids[2], "row_reference": REFERENCE[2], "practice_code": "B82001", "practice_name": "OTHER ROAD"}
    listed = pa.concat_tables([example.a_list(*own), example.a_list(others, team=OTHER)])
    accounts = [example.an_account(listed_count=2), example.an_account(team=OTHER, team_name="Other team", listed_count=1)]
    return dict(
        example.tables_of(listed, accounts, [example.a_change(ids[0], "joined", "place 1 by score", row_reference=REFERENCE[0])], B82001=OTHER)
    )


def texts_of(folder: Path) -> Iterator[tuple[Path, str]]:
    """Everything that every file below a folder says: its bytes, its cells, the words of its dictionaries, and what is packed in it."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        told = [path.read_bytes().decode("latin-1")]
        if path.suffix == ".parquet":
            for column in pq.read_table(path, partitioning=None).columns:
                chunks = column.chunks
                told += [str(chunk.dictionary.to_pylist()) for chunk in chunks if pa.types.is_dictionary(column.type)]
                told.append(str(column.to_pylist()))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                told += [packed.read(name).decode("latin-1") for name in packed.namelist()]
        yield path, "\n".join(told)


def holding(folder: Path, *words: str) -> list[str]:
    """The files below a folder that say any of some words."""
    return [path.relative_to(folder).as_posix() for path, told in texts_of(folder) if any(word in told for word in words)]


def table_of(store: Path, contract: str, day: date = DAY) -> list[Mapping[str, Any]]:
    """The rows of a table of the day."""
    return list(pq.read_table(store / contract / f"as_of={day}" / "part.parquet", partitioning=None).to_pylist())
