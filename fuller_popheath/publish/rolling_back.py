"""Going back to an earlier release without bringing anybody back: what of it is taken as it was, and what is made anew from it for today.

Files for open and secondary use hold nobody and are taken as they are. Lists are pruned by today's deaths, departures, objections and reviews. Of any
other table of people only those stay who are in the same product today. Whatever else was for direct care is left out, and said so. What does not
belong here: reading the store, and moving the pointer.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.pruning import ACCOUNT, LISTS, LOG, roll_back
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.publish.csv_files import write_csv
from fuller_popheath.publish.release import INTERNAL, Part

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import ContractId, Inputs

DIRECT_CARE, WITHOUT_PEOPLE = "direct_care", ("open", "secondary_use")
PERSON, OF_WHOM = "person_id", ("person_id", "team_id", "practice_code")
FIGURES = "figures.json"
CSV, PARQUET = ".csv", ".parquet"


def chosen(releases: Sequence[Path], current: Path | None, to: str = "") -> Path:
    """The release to go back to: the one named, else the last one written before the current one. `releases`: from the newest to the oldest.

    Raises SettingsWrong where there is none.
    """
    if to:
        found = next((folder for folder in releases if folder.name == to), None)
        if found is None:
            raise SettingsWrong(f"--to: there is no such release; there are {', '.join(folder.name for folder in releases) or 'none'}")
        return found
    names = [folder.name for folder in releases]
    older = releases[names.index(current.name) + 1 :] if current is not None and current.name in names else []
    if not older:
        raise SettingsWrong("there is no release before the current one to go back to; fuller releases shows what there is")
    return older[0]


def carried_over(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Part]:
    """The files of an earlier release that hold nobody, as they are."""
    for file in manifest["files"]:
        if file["purpose"] in WITHOUT_PEOPLE or file["file"] == f"{INTERNAL}/{FIGURES}":
            name = file["file"].partition("/")[2]
            yield Part(file["purpose"], name, partial(shutil.copyfile, folder / file["file"]), file["rows"], file.get("made_of", ""))


def lists_kept(folder: Path, manifest: Mapping[str, Any]) -> dict[ContractId, pa.Table] | None:
    """The five tables of lists as they were released; None where the release does not hold them all (others can look into the folder)."""
    import pyarrow.parquet as pq

    files = {file.get("made_of"): folder / file["file"] for file in manifest["files"] if file["purpose"] == INTERNAL}
    if not set(LISTS) <= set(files):
        return None
    return {name: pq.read_table(files[name], partitioning=None) for name in LISTS}


def refuse_other_lists(folder: Path, stored: Mapping[ContractId, pa.Table]) -> None:
    """Raises ContractBroken where the store's lists of the day are not those of the release: another run of the same day has replaced them."""
    import pyarrow.parquet as pq

    path = folder / DIRECT_CARE / f"{ACCOUNT.rpartition('/')[2]}{PARQUET}"
    told = _issues(pq.read_table(path, partitioning=None)) if path.is_file() else set()
    if told != _issues(stored[ACCOUNT]):
        raise ContractBroken(
            f"the store's lists of the day are not those of {folder.name} ({len(told)} teams there): another run of that day has replaced them, so "
            "that release cannot be gone back to; take an earlier one"
        )


def _issues(account: pa.Table) -> set[tuple[str, str]]:
    return set(zip(account["issue_id"].to_pylist(), account["team_id"].to_pylist(), strict=True))


def lists_for_today(
    as_of: date, earlier: Mapping[ContractId, pa.Table], latest: Mapping[ContractId, pa.Table], tables: Inputs
) -> dict[ContractId, pa.Table]:
    """The earlier lists as they may be used today (`cohorts.pruning.roll_back`), each row as its contract says now.

    The log keeps what is gone back from, so that no id of an issue is used twice and a review of it still finds its row. Raises as `roll_back` does.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    made = roll_back(as_of, earlier, latest, tables)
    kept = _issues(made[LOG])
    others = latest[LOG].filter(pa.array([key not in kept for key in _keys(latest[LOG])], pa.bool_()))
    if others.num_rows:
        day = pa.repeat(pa.scalar(as_of, pa.date32()), others.num_rows)
        others = others.set_column(others.column_names.index("as_of"), "as_of", day)
        made[LOG] = pa.concat_tables([made[LOG], others.select(made[LOG].column_names).cast(made[LOG].schema)])
    late = int(pc.sum(pc.greater(made[LOG]["issued_on"], as_of)).as_py() or 0)
    if late:
        raise ContractBroken(f"{LOG}: {late} rows are of issues after {as_of}; take the newest night")
    return {name: conform(made[name], load_contract(name)) for name in LISTS}


def _keys(log: pa.Table) -> list[tuple[str, str]]:
    return list(zip(log["issue_id"].to_pylist(), log["team_id"].to_pylist(), strict=True))


def tables_of_people(manifest: Mapping[str, Any]) -> dict[ContractId, list[str]]:
    """Tables of people in a release, besides the lists: their files by contract."""
    found: dict[ContractId, list[str]] = {}
    for file in manifest["files"]:
        name = file.get("made_of", "")
        if file["purpose"] == DIRECT_CARE and name.startswith("products/") and name not in LISTS:
            found.setdefault(name, []).append(file["file"])
    return found


def people_of_today(folder: Path, contract_id: ContractId, files: Sequence[str], today: pa.Table | None) -> list[Part]:
    """A table of people as it was released, of those alone who are in the same product today; a table of no people as it was.

    Nothing where it cannot be told: no table of today, none that programs can read in the release, or one that is a file a team.
    """
    import pyarrow.parquet as pq

    contract = load_contract(contract_id)
    tables = [file for file in files if file.endswith(PARQUET)]
    stem = contract_id.rpartition("/")[2]
    if tables != [f"{DIRECT_CARE}/{stem}{PARQUET}"]:
        return []
    was = pq.read_table(folder / tables[0], partitioning=None)
    if PERSON in was.column_names:
        if today is None:
            return []
        was = still_there(was, today)
    writes = {CSV: write_csv, PARQUET: _write_parquet}
    endings = [ending for ending in writes if f"{DIRECT_CARE}/{stem}{ending}" in files]
    return [Part(contract.purpose, f"{stem}{ending}", partial(writes[ending], was), was.num_rows, contract_id) for ending in endings]


def still_there(was: pa.Table, today: pa.Table) -> pa.Table:
    """The rows of people who are in today's table too, of the same team and practice where both say which."""
    import pyarrow as pa

    by = [name for name in OF_WHOM if name in was.column_names and name in today.column_names]
    there = set(zip(*(today[name].to_pylist() for name in by), strict=True))
    return was.filter(pa.array([key in there for key in zip(*(was[name].to_pylist() for name in by), strict=True)], pa.bool_()))


def left_out(manifest: Mapping[str, Any], parts: Sequence[Part], made_anew: Sequence[str]) -> tuple[str, ...]:
    """What of the earlier release is not in the new one, and is not made anew either: contracts or pages, else files."""
    there = {part.made_of for part in parts} | {f"{part.purpose}/{part.name}" for part in parts}
    return tuple(
        sorted(
            {
                file.get("made_of") or file["file"]
                for file in manifest["files"]
                if file["purpose"] == DIRECT_CARE and not {file.get("made_of"), file["file"]} & {*there, *made_anew}
            }
        )
    )


def _write_parquet(table: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd")
