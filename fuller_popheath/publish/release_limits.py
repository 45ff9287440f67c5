"""Whether tonight's products differ so much from the last release that somebody has to look first: registered people, rows, and practices.

A PCN is compared over the practices that belong to it both times, and whole: only where both changed it is told, so that a merger of PCNs, or a
practice that closes or moves, with or without its people, is no alarm; an ICB is compared whole. What does not belong here: reading a table of the
store, and moving the pointer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.site_releases import Releases

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST_PEOPLE, FEWEST_ROWS, FEWEST_PRACTICES = 100, 20, 2
"""A change of fewer is no alarm, whatever it is in percent."""
GROWS = ("products/review_acceptance",)
"""What has more rows the longer it is in use: only a fall is told."""
LIST, ACCOUNT = "products/cohort_list", "products/cohort_list_account"
SHOWN = 5
NO_ICB = ""

Areas = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Registered people by ICB, PCN (or neighbourhood) and practice."""


@dataclass(frozen=True)
class Figures:
    """What is compared. `published`: from published counts; `lists`: from the lists that practices sent (one ICB, NO_ICB, for all).

    `practices`: those of a PCN, and of these the ones with a published count. `rows`: by product.
    """

    published: Areas = field(default_factory=dict)
    lists: Areas = field(default_factory=dict)
    practices: tuple[int, int] = (0, 0)
    rows: Mapping[str, int] = field(default_factory=dict)

    def as_text(self) -> str:
        """As a file of the release holds it."""
        return json.dumps(asdict(self), sort_keys=True) + "\n"


def figures_of(path: Path) -> Figures | None:
    """What `as_text` wrote; None where that is not there or cannot be read."""
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
        members, with_people = told["practices"]
        return Figures(told["published"], told["lists"], (int(members), int(with_people)), told["rows"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def areas_of(table: pa.Table, area: str, icb: str = "", count: str = "") -> Areas:
    """Registered people by ICB, area and practice, from a table with those columns. `icb`: "" where it has none; `count`: "" to count its rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    by = [name for name in (icb, area, "practice_code") if name]
    # Rows of one practice are the same figure once an edition; those of a table of people are one each.
    measure = (count, "max") if count else ("practice_code", "count")
    plain = pa.table(
        {name: table[name].cast(pa.string()) if name in by else table[name] for name in dict.fromkeys([*by, *([count] if count else [])])}
    )
    found = plain.filter(pc.is_valid(plain[area])).group_by(by, use_threads=False).aggregate([measure]).to_pylist()
    made: dict[str, dict[str, dict[str, int]]] = {}
    for row in found:
        own = made.setdefault(row[icb] or NO_ICB if icb else NO_ICB, {}).setdefault(row[area], {})
        own[row["practice_code"]] = own.get(row["practice_code"], 0) + row[f"{measure[0]}_{measure[1]}"]
    return made


def broken_limits(now: Figures, before: Figures | None, limits: Releases) -> tuple[str, ...]:
    """What differs by more than a limit, in plain words with counts; `before`: of the newest earlier day, None where there is none."""
    found = [*_coverage(now, limits.practice_coverage_percent)]
    if before is not None:
        most = limits.registered_change_percent
        found += _icbs(before.published, now.published, most)
        found += _pcns("registered people (published counts)", before.published, now.published, most)
        found += _pcns("people on the practices' lists", before.lists, now.lists, most)
        found += _lists_kept(before.lists, now.lists, limits.practice_coverage_percent)
        found += _rows(before, now, limits.rows_change_percent)
    return tuple(found)


def _coverage(now: Figures, least: float) -> Iterator[str]:
    members, with_people = now.practices
    if now.published and members - with_people >= FEWEST_PRACTICES and 100 * with_people < least * members:
        percent = 100 * with_people / members
        yield f"{with_people:,} of {members:,} practices of PCNs have published counts ({percent:.1f} %, at least {least:g} % wanted)"


def _icbs(before: Areas, now: Areas, most: float) -> Iterator[str]:
    for icb, own in before.items():
        if icb not in now:
            yield f"ICB {icb or 'without a code'} is gone, with {_total(own):,} registered people"
        elif told := _changed(f"registered people of ICB {icb or 'without a code'}", _total(own), _total(now[icb]), most, FEWEST_PEOPLE):
            yield told


def _pcns(what: str, before: Areas, now: Areas, most: float) -> Iterator[str]:
    there, then = _by_area(now), _by_area(before)
    told = []
    for area in sorted(set(there) & set(then)):
        both = set(there[area]) & set(then[area])
        was, is_now = (sum(own[practice] for practice in both) for own in (then[area], there[area]))
        if not _changed(area, sum(then[area].values()), sum(there[area].values()), most, FEWEST_PEOPLE):
            continue  # people went from one of its practices to another, as where one closed
        told.append(_changed(f"{what} of {area} ({len(both)} practices)", was, is_now, most, FEWEST_PEOPLE))
    yield from _first([words for words in told if words], f"areas with another number of {what}")


def _lists_kept(before: Areas, now: Areas, least: float) -> Iterator[str]:
    then, there = _practices(before), _practices(now)
    kept = len(then & there)
    if len(then) - kept >= FEWEST_PRACTICES and 100 * kept < least * len(then):
        yield f"of {len(then):,} practices whose lists were in use {kept:,} still are ({100 * kept / len(then):.1f} %, at least {least:g} % wanted)"


def _rows(before: Figures, now: Figures, most: float) -> Iterator[str]:
    """A table has rows by PCN among others: where there are fewer or more PCNs than before, as many fewer or more rows are no alarm.

    A list has as many as its teams have places, and follows a merger only with its next issue: it is held against its teams.
    """
    gone = sorted(name for name, rows in before.rows.items() if rows and name not in now.rows)
    if gone:
        yield f"{_list(gone)} {'is' if len(gone) == 1 else 'are'} in the last release and would not be in this one"
    then, there = (len(_by_area(each.published or each.lists)) for each in (before, now))
    share = there / then if then and there else 1.0
    told = []
    for name in sorted(name for name in before.rows.keys() & now.rows.keys() if before.rows[name]):
        was, is_now = before.rows[name], now.rows[name]
        least, largest = sorted((was, round(was * (_teams(before, now) if name == LIST else share))))
        if not (least <= is_now <= largest or (is_now > was and name in GROWS)):
            beside = least if is_now < least else largest
            words = "" if beside == was else f" (for as many {'teams' if name == LIST else 'PCNs'} as now)"
            told.append(_changed(f"rows of {name}{words}", beside, is_now, most, FEWEST_ROWS))
    yield from _first([words for words in told if words], "products with another number of rows")


def _teams(before: Figures, now: Figures) -> float:
    then, there = (each.rows.get(ACCOUNT, 0) for each in (before, now))
    return there / then if then and there else 1.0


def _changed(what: str, before: int, now: int, most: float, fewest: int) -> str:
    if abs(now - before) < fewest or 100 * abs(now - before) <= most * before:
        return ""
    by = f"by {100 * abs(now - before) / before:.1f} %" if before else "from none"
    return f"{what} {'rose' if now > before else 'fell'} from {before:,} to {now:,}, {by} (at most {most:g} %)"


def _first(told: list[str], what: str) -> Iterable[str]:
    return told if len(told) <= SHOWN else [*told[:SHOWN], f"and {len(told) - SHOWN} more {what}"]


def _list(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _total(areas: Mapping[str, Mapping[str, int]]) -> int:
    return sum(sum(practices.values()) for practices in areas.values())


def _by_area(areas: Areas) -> dict[str, Mapping[str, int]]:
    return {area: practices for own in areas.values() for area, practices in own.items()}


def _practices(areas: Areas) -> set[str]:
    return {practice for practices in _by_area(areas).values() for practice in practices}
