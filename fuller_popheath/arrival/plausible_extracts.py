"""Statistical checks on what practices sent: are its rows those of people we know, and can sensitive codes be told in its code systems?

As in `plausible.py`: a `Finding` out, no row and no person named. What does not belong here: checks on tables made from extracts
(`plausible_people`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath.arrival.plausible import NO_LISTS, Finding, percent
from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from fuller_popheath.arrival.extract_store import ExtractStore

REGISTRATION: ContractId = "core/registration"
OF_PRACTICES: tuple[ContractId, ...] = ("core/event", "core/measurement", "core/medication_issue", "core/contact")
MOST_OF_NOBODY = 5.0
"""Percent of a table's rows in a practice: people who have left or died stay in records for a while. A local choice."""
FEWEST_ROWS = 20
"""Below, a practice's rows are strays in another's file, and their share tells nothing."""
NAMED = 5


def sensitive_codes_listed(listed: Mapping[str, int] | None, in_use: Mapping[str, int]) -> Finding:
    """Whether every code system that occurs has a sensitive code that could be withheld. Both arguments are counts a code system: codes, and rows.

    `listed` is None where the site takes in everything. A filter without codes for a system lets all its rows through, and says nothing by itself.
    """
    if listed is None:
        return Finding(True, "no code is withheld: arrival.drop_sensitive_codes is off", {"rows with a code": sum(in_use.values())})
    lacking = {system: rows for system, rows in sorted(in_use.items()) if rows and not listed.get(system)}
    told = ", ".join(f"{system} {codes:,}" for system, codes in sorted(listed.items())) or "none"
    sentence = f"sensitive codes listed, by code system: {told}"
    if lacking:
        shown = ", ".join(f"{system} ({rows:,} rows)" for system, rows in lacking.items())
        sentence += f"; none for {shown}: nothing sensitive is withheld there by its code, so put a list of the kind sensitive into codelists.folder"
    numbers = {f"sensitive codes {system}": codes for system, codes in sorted(listed.items())}
    return Finding(not lacking, sentence, {**numbers, **{f"rows {system}": rows for system, rows in sorted(in_use.items())}})


def rows_of_nobody(store: ExtractStore, as_of: date) -> tuple[Finding, bool]:
    """How many rows in use are of persons who are in no registration in use of any practice, by practice and table; and whether that is an error.

    Such rows count for nobody: records that came without the NHS number that the list has, or person ids made with another key. Doubtful above
    `MOST_OF_NOBODY` percent of a practice's rows in a table; an error where all of them are (from `FEWEST_ROWS` on).
    """
    known = _registered(store, as_of)
    if not len(known):
        return Finding(True, NO_LISTS, {"registrations in use": 0}), False
    rows, nobody = 0, 0
    doubtful: dict[tuple[str, str], float] = {}
    for core in OF_PRACTICES:
        counted: dict[str, tuple[int, int]] = {}
        for part in store.manifest(core, as_of)["parts"] if as_of in store.days(core) else ():
            own_rows, own_nobody = _counted(store.folder / part["path"], known)
            before = counted.get(part["practice_code"], (0, 0))
            counted[part["practice_code"]] = (before[0] + own_rows, before[1] + own_nobody)
        rows, nobody = rows + sum(each for each, _ in counted.values()), nobody + sum(each for _, each in counted.values())
        shares = {practice: percent(lost, own) for practice, (own, lost) in counted.items() if own >= FEWEST_ROWS}
        doubtful |= {(practice, core): share for practice, share in shares.items() if share > MOST_OF_NOBODY}
    practices = sorted({practice for practice, _ in doubtful})
    whole = sorted({practice for (practice, _), share in doubtful.items() if share == 100})
    told = f"{nobody:,} of {rows:,} rows ({percent(nobody, rows):.2f} %) are of people on no practice's list"
    if practices:
        worst = sorted(doubtful.items(), key=lambda each: (-each[1], each[0]))[:NAMED]
        shown = ", ".join(f"{practice} {core.partition('/')[2]} {share:.1f} %" for (practice, core), share in worst)
        told += (
            f"; more than {MOST_OF_NOBODY:g} % in {len(practices):,} practices, all rows of a table in {len(whole):,} ({shown}): they count for "
            "nobody. See whether their records and their list have the same NHS numbers or patient ids"
        )
    numbers = {"rows": rows, "rows of nobody": nobody, "practices with many": len(practices), "practices with nothing else": len(whole)}
    return Finding(not practices, told, numbers), bool(whole)


def _registered(store: ExtractStore, as_of: date) -> np.ndarray:
    """The person ids of all registrations in use, sorted."""
    import numpy as np

    if as_of not in store.days(REGISTRATION):
        return np.zeros(0, "S12")
    found = [_people(path)[0] for path in store.parts(REGISTRATION, as_of).paths]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, "S12")


def _counted(part: Path, known: np.ndarray) -> tuple[int, int]:
    """Rows of a part, and those of persons who are not `known`."""
    import numpy as np

    people, rows = _people(part)
    place = np.searchsorted(known, people).clip(max=len(known) - 1)
    return int(rows.sum()), int(rows[known[place] != people].sum())


def _people(part: Path) -> tuple[np.ndarray, np.ndarray]:
    """The person ids of a part, each once in each of its row groups at least, and how many rows each has."""
    import numpy as np
    import pyarrow.parquet as pq

    coded = pq.read_table(part, columns=["person_id"], read_dictionary=["person_id"], partitioning=None)["person_id"].chunks
    ids = [np.array(chunk.dictionary.to_pylist(), "S12") for chunk in coded]
    rows = [np.bincount(chunk.indices.to_numpy(), minlength=len(chunk.dictionary)) for chunk in coded]
    return (np.concatenate(ids), np.concatenate(rows)) if coded else (np.zeros(0, "S12"), np.zeros(0, np.int64))
