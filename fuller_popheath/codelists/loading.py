"""Code lists: which codes stand for which cluster, from the lists shipped here and from those a site has put into a folder of its own.

Shipped are `synthetic.csv` (our make-believe code system, marked as such in every term) and `verified.csv` (the few real codes whose meaning was read
in a public source, which the file names). A site adds its own in any of the three layouts of `layouts.py`. What does not belong here: what a cluster
is used for, and which records carry its codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.codelists.layouts import KINDS, Entry, PublishedList, read_list, read_mapping
from fuller_popheath.errors import SettingsWrong

if TYPE_CHECKING:
    import pyarrow as pa

HERE = Path(__file__).resolve().parent
SHIPPED = ("synthetic.csv", "verified.csv")
MAPPING = "clusters.csv"
COLUMNS = ("cluster", "kind", "code_system", "code")
LIST_NAMES = (".csv", ".txt")

EXCLUSIVE_KINDS = ("measure", "objection", "ethnicity")
"""A code of these kinds means one thing: were it in two clusters, a reading would be two measurements, a dissent also its withdrawal. A condition's
code may stand in several (type 1 diabetes is diabetes), and so may a medicine's (aspirin is an antiplatelet and an analgesic)."""


def codelist(kinds: Iterable[str] | None = None, extra_folder: Path | None = None) -> pa.Table:
    """Every code and what it stands for: text columns cluster, kind, code_system, code; sorted by kind, cluster, code system, code; no row twice.

    Grain: one row a kind, cluster and code; a code may stand in several clusters, except in the `EXCLUSIVE_KINDS`. `kinds` keeps some of `KINDS`
    (kind `resolved` names the cluster that the code resolves). `extra_folder`: the site's own lists, which add to those shipped.
    Raises SettingsWrong naming the file, the line and the column for a list that cannot be used, or for an unknown kind.
    """
    import pyarrow as pa

    wanted = set(KINDS if kinds is None else kinds)
    if wanted - set(KINDS):
        raise SettingsWrong(f"there is no kind of code list {', '.join(sorted(wanted - set(KINDS)))}; there are {', '.join(KINDS)}")
    rows = sorted({(e.kind, e.cluster, e.code_system, e.code) for e in entries(extra_folder) if e.kind in wanted})
    text = pa.string()
    by_name = {"kind": [r[0] for r in rows], "cluster": [r[1] for r in rows], "code_system": [r[2] for r in rows], "code": [r[3] for r in rows]}
    return pa.table({name: pa.array(by_name[name], text) for name in COLUMNS})


def codes_of(cluster: str, extra_folder: Path | None = None, kind: str | None = None) -> frozenset[tuple[str, str]]:
    """The codes of a cluster as (code_system, code): empty where no list has any, so that whoever depends on it can refuse to go on.

    Codes that resolve the cluster are left out unless `kind="resolved"` asks for them.
    """
    found = entries(extra_folder)
    return frozenset((e.code_system, e.code) for e in found if e.cluster == cluster and (e.kind == kind if kind else e.kind != "resolved"))


def clusters_of(kind: str, extra_folder: Path | None = None) -> tuple[str, ...]:
    """The clusters of one kind that have a code, sorted."""
    return tuple(sorted({e.cluster for e in entries(extra_folder) if e.kind == kind}))


def entries(extra_folder: Path | None = None) -> tuple[Entry, ...]:
    """Every line of every list, shipped and the site's own, with where it stands. Raises SettingsWrong as `codelist` does."""
    found = (*_shipped(), *(_of_folder(extra_folder) if extra_folder is not None else ()))
    _refuse_two_meanings(found)
    return found


def lists_not_mapped(extra_folder: Path) -> tuple[tuple[str, str, int], ...]:
    """What stands in the site's folder and is not used, because no line of a `clusters.csv` says which cluster it is: (file, published list, codes).

    The primary-care domain file holds several hundred clusters, most of which nobody here asks for: they are left, and listed here.
    """
    mapping = _mapping(extra_folder)
    unused: dict[tuple[str, str], int] = {}
    for path in _list_files(extra_folder):
        for name, count in read_list(path, mapping, _known()).not_mapped.items():
            unused[(path.name, name)] = count
    return tuple((file, name, count) for (file, name), count in sorted(unused.items()))


def files_in_use(extra_folder: Path) -> dict[str, bool]:
    """Every file of lists in the site's folder, and whether any line of it stands for one of our clusters."""
    mapping = _mapping(extra_folder)
    return {path.name: bool(read_list(path, mapping, _known()).entries) for path in _list_files(extra_folder)}


@cache
def _shipped() -> tuple[Entry, ...]:
    return tuple(entry for name in SHIPPED for entry in read_list(HERE / name, {}, {}).entries)


@cache
def _known() -> dict[str, str]:
    """The kind of each cluster that is shipped; for one that can be resolved, its own kind."""
    return {entry.cluster: entry.kind for entry in _shipped() if entry.kind != "resolved"}


def _mapping(folder: Path) -> dict[str, tuple[PublishedList, ...]]:
    """Published lists by their name in small letters; a line of the site's own `clusters.csv` goes before the shipped ones of that name."""
    own = folder / MAPPING
    return {**read_mapping(HERE / MAPPING, _known()), **(read_mapping(own, _known()) if own.is_file() else {})}


def _list_files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise SettingsWrong(f"codelists.folder: {folder.name} is not a folder; create it, or leave the setting empty")
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in LIST_NAMES and path.name != MAPPING and not path.name.startswith((".", "~")):
            yield path


def _of_folder(folder: Path) -> tuple[Entry, ...]:
    found: list[Entry] = []
    mapping = None
    for path in _list_files(folder):
        mapping = _mapping(folder) if mapping is None else mapping
        found.extend(read_list(path, mapping, _known()).entries)
    return tuple(found)


def _refuse_two_meanings(found: Iterable[Entry]) -> None:
    first: dict[tuple[str, str, str], Entry] = {}
    for entry in found:
        if entry.kind not in EXCLUSIVE_KINDS:
            continue
        before = first.setdefault((entry.kind, entry.code_system, entry.code), entry)
        if before.cluster != entry.cluster:
            raise SettingsWrong(
                f"{entry.place}: this code stands for {entry.cluster}, and for {before.cluster} in {before.place}; "
                f"a code of the kind {entry.kind} means one thing: keep one of the two lines"
            )
