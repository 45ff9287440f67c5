"""Statistical checks on whole tables: is what arrived what a night like this one should bring? They warn; contracts refuse.

Every function takes tables of one night and returns a `Finding`; nothing here names a row. Limits come from `[arrival]` in site.toml
and are local choices. What does not belong here: rules about single rows (they stand in the contracts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

    from fuller_popheath.site import ArrivalLimits

NO_LISTS = "no practice list arrived: the figures rest on published counts alone"
NOT_PUBLISHED = "no published counts or no neighbourhoods arrived: there is nothing to compare with"
MOST_NAMED = 5
"""How many files a sentence names."""


@dataclass(frozen=True)
class Finding:
    """Whether a table is as expected, in one sentence, with the numbers it rests on."""

    is_as_expected: bool
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)


def percent(part: float, whole: float) -> float:
    """100 x part / whole; 0 of nothing."""
    return 100.0 * part / whole if whole else 0.0


def totals(table: pa.Table, count: str, by: str = "practice_code") -> dict[str, int]:
    """The sum of a count column for each code: one entry a code that has a row."""
    summed = table.group_by(by).aggregate([(count, "sum")])
    return dict(zip(summed[by].to_pylist(), summed[f"{count}_sum"].to_pylist(), strict=True))


def practice_coverage(neighbourhood_practice: pa.Table, registered_count: pa.Table, limits: ArrivalLimits) -> Finding:
    """Share of the practices that belong to a neighbourhood which also have registered people."""
    members = set(neighbourhood_practice["practice_code"].unique().to_pylist())
    if not members or not registered_count.num_rows:
        return Finding(True, NOT_PUBLISHED, {"practices": len(members), "practices with people": 0})
    with_people = members & set(registered_count["practice_code"].unique().to_pylist())
    share, wanted = percent(len(with_people), len(members)), limits.practice_coverage_percent
    in_words = f"{share:.1f} %; at least {wanted:.1f} % expected"
    return Finding(
        share >= wanted,
        f"{len(with_people):,} of {len(members):,} practices in a neighbourhood have registered people ({in_words})",
        {"practices": len(members), "practices with people": len(with_people), "percent with people": round(share, 2)},
    )


def code_lists_used(folder: Path | None) -> Finding:
    """Whether every file in the site's folder of code lists stands for a cluster; `folder`: None where the site has no lists of its own.

    Of a published file with hundreds of lists most are left on purpose: they are counted, and no doubt. A file of which nothing is used is one that
    somebody put in and nobody reads.
    """
    from fuller_popheath.codelists.loading import MAPPING, files_in_use, lists_not_mapped

    if folder is None:
        return Finding(True, "the site has no code lists of its own", {"files of code lists": 0})
    files, left = files_in_use(folder), len(lists_not_mapped(folder))
    unused = [name for name, is_used in files.items() if not is_used]
    named = ", ".join(unused[:MOST_NAMED]) + (" and others" if len(unused) > MOST_NAMED else "")
    what_to_do = f": {named}; say in {MAPPING} which cluster each is, or take it out" if unused else ""
    return Finding(
        not unused,
        f"{len(unused):,} of {len(files):,} files of the site's code lists stand for no cluster{what_to_do} ({left:,} published lists are not used)",
        {"files of code lists": len(files), "files not used": len(unused), "published lists not used": left},
    )


def one_membership(pcn_membership: pa.Table, day: date) -> Finding:
    """How many practices have two PCN memberships open on the day (start <= day < end); the one that started last is the one that counts."""
    import pyarrow.compute as pc

    starts, ends = pcn_membership["start_date"], pcn_membership["end_date"]
    is_open = pc.and_(pc.less_equal(starts, day), pc.fill_null(pc.less(day, ends), True))
    members = pcn_membership.filter(is_open)["practice_code"]
    double = len(members) - len(members.unique())
    return Finding(
        not double,
        f"{double:,} of {len(members.unique()):,} practices are in two PCNs on {day}; the membership that started last was taken",
        {"practices": len(members.unique()), "practices in two PCNs": double},
    )


def lists_sent(listed_count: pa.Table, registered_count: pa.Table, limits: ArrivalLimits) -> Finding:
    """Share of the practices with published counts that sent a patient-level list, where any did."""
    published = set(registered_count["practice_code"].unique().to_pylist())
    sent = published & set(listed_count["practice_code"].unique().to_pylist())
    if not listed_count.num_rows:
        return Finding(True, NO_LISTS, {"practice lists": 0})
    if not published:
        return Finding(True, NOT_PUBLISHED, {"practices": 0})
    share, wanted = percent(len(sent), len(published)), limits.practice_coverage_percent
    return Finding(
        share >= wanted,
        f"{len(sent):,} of {len(published):,} practices with published counts sent a list ({share:.1f} %; at least {wanted:.1f} % expected)",
        {"practices": len(published), "practice lists": len(sent), "percent sent": round(share, 2)},
    )


def lists_agree(listed_count: pa.Table, registered_count: pa.Table, limits: ArrivalLimits) -> Finding:
    """How far each practice's own list, counted, is from the published file, practice by LSOA.

    Cells are compared, not Core20: where every cell of a practice agrees, so does each of its quintiles, because they are made from cells alone.
    As expected where the people in cells that differ are at most `reconcile_percent` of a practice: registrations that were not ended in time
    are in the list and not in the published count.
    """
    if not listed_count.num_rows:
        return Finding(True, NO_LISTS, {"practices compared": 0})
    if not registered_count.num_rows:
        return Finding(True, NOT_PUBLISHED, {"practices compared": 0})
    in_lists, published = _cells(listed_count, "listed_count"), _cells(registered_count, "registered_count")
    both = {code for code, _ in in_lists} & {code for code, _ in published}
    apart, size = dict.fromkeys(both, 0), dict.fromkeys(both, 0)
    for key in (key for key in in_lists.keys() | published.keys() if key[0] in both):
        apart[key[0]] += abs(in_lists.get(key, 0) - published.get(key, 0))
        size[key[0]] += published.get(key, 0)
    differing = sum(people > 0 for people in apart.values())
    limit = limits.reconcile_percent
    beyond = sum(percent(apart[code], size[code]) > limit for code in both)
    people = sum(apart.values())
    return Finding(
        not beyond,
        f"{differing:,} of {len(both):,} practices count differently in their list and in the published file ({people:,} people in all); "
        f"{beyond:,} by more than {limit:g} %",
        {"practices compared": len(both), "practices that differ": differing, "people of difference": people, "practices beyond the limit": beyond},
    )


def _cells(table: pa.Table, count: str) -> dict[tuple[str, str], int]:
    keys = zip(table["practice_code"].to_pylist(), table["lsoa_code"].to_pylist(), strict=True)
    return dict(zip(keys, table[count].to_pylist(), strict=True))


def list_size_change(now: pa.Table, last_time: pa.Table | None, limits: ArrivalLimits) -> Finding:
    """How many practices grew or shrank by more than the limit since the last night, appeared or vanished."""
    if last_time is None:
        return Finding(True, "there is no earlier night to compare with", {"practices compared": 0})
    new, old = totals(now, "registered_count"), totals(last_time, "registered_count")
    both, limit = new.keys() & old.keys(), limits.list_size_change_percent
    changed = [code for code in both if abs(percent(new[code] - old[code], old[code])) > limit]
    gone, come = old.keys() - new.keys(), new.keys() - old.keys()
    return Finding(
        not changed and not gone,
        f"{len(changed):,} of {len(both):,} practices changed by more than {limit:g} % since last time; {len(gone):,} have gone, "
        f"{len(come):,} are new",
        {"practices compared": len(both), "practices changed": len(changed), "practices gone": len(gone), "practices new": len(come)},
    )


def unmatched_share(practice_quintile: pa.Table, limits: ArrivalLimits) -> Finding:
    """Share of registered people whose LSOA has no deprivation, for the edition where it is largest."""
    registered = totals(practice_quintile, "registered_count", by="imd_edition")
    unmatched = totals(practice_quintile, "unmatched_count", by="imd_edition")
    shares = {edition: percent(unmatched[edition], registered[edition]) for edition in sorted(registered)}
    limit = limits.unmatched_percent
    said = "; ".join(f"{edition}: {unmatched[edition]:,} of {registered[edition]:,} ({share:.2f} %)" for edition, share in shares.items())
    return Finding(
        all(share <= limit for share in shares.values()),
        f"people without deprivation by edition: {said or 'no edition'}; up to {limit:g} % expected",
        {f"unmatched percent {edition}": round(share, 3) for edition, share in shares.items()},
    )


def core20_shares(table: pa.Table) -> dict[str, float]:
    """Core20 in percent of registered people, for each edition, of a table that has both counts; nothing for any other table."""
    if not {"imd_edition", "q1_count", "registered_count"} <= set(table.column_names):
        return {}
    core20, registered = totals(table, "q1_count", by="imd_edition"), totals(table, "registered_count", by="imd_edition")
    return {edition: round(percent(core20[edition], registered[edition]), 2) for edition in sorted(registered)}
