"""A team's list, cut to what the team can take on: exactly so many people, the best by its priority that meet its floors, with what the floors cost.

Rules, all of them local choices (site.toml, [lists], and the team's own file): places less those kept free; floors under the shares of Core20, PLUS
groups, under-18s and people without a contact in a year; a quota of newly surfaced people; a buffer on both sides of the margin, so that a list is
steady (whoever comes well within the places goes first, then stays who stood on the last list and is near enough still, then come all others); ties,
and the band at the margin where a site has one, are drawn by lot. Floors and quota go before staying on. What does not belong here: who could be
listed (`list_candidate.py`), what is kept of a list (`issuing.py`), how the best selection is found (`methods/selection.py`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.methods import poisson_binomial, selection

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from fuller_popheath.site_lists import Lists

FLOORS: Mapping[str, tuple[str, str]] = {
    "core20": ("is_core20", "core20_floor"),
    "plus": ("is_plus", "plus_floor"),
    "under_18": ("is_under_18", "under_18_floor"),
    "low_contact": ("is_low_contact", "low_contact_floor"),
}
"""Each group that can have a floor: its column of core/list_candidate, and the column of core/team_capacity with the floor."""
QUOTA = "newly_surfaced"
OTHERS: Mapping[str, str] = {QUOTA: "is_newly_surfaced"}
AGE_BANDS = ("18_64", "65_plus")
"""Groups that are counted beside those with floors."""

BY_SCORE, BY_DRAW, BY_STAY_ON, BY_FLOOR, BY_QUOTA = "score", "draw", "stay_on", "floor", "quota"
MARGIN_SHOWN = 5
"""So many people on either side of the margin are told."""
EXPECTED_LEVEL = 0.95
ROUNDING = 1e-9
"""A floor that asks for 12.000000001 people asks for 12."""

Groups = Mapping[str, "NDArray[np.bool_]"]


@dataclass(frozen=True)
class Expected:
    """Of those listed, how many are expected to have an emergency admission in a year, with the interval of a sum of independent events (95 %), if
    the risks are right; of how many the risk is known."""

    admissions: float
    lower: int
    upper: int
    scored_count: int


@dataclass(frozen=True)
class TeamChoice:
    """A team's list, and what decided. Arrays have one entry a candidate, in the order in which they were given.

    `places`: slots less reserve; `shortfall_count`: places with nobody left for them. `chosen`, `rank` on the list (0: not listed), `rank_by_score`
    among all. `draw`: the lot that decides ties; `lot`: the one that alone decided about those in the margin band. `decided_by`: of those listed
    score, draw (a tie, or the margin band), stay_on, floor or quota, of others empty. `by_score_alone`, `threshold`: who would be listed, and the
    lowest score among them, if only score and draw counted. `value`: sum of scores of the list. `minimum`: how many people each floor and the quota
    ask for; `unmet`: by how many the nearest selection misses it, where they cannot all be met; `prices`: the value of the list that would have been
    chosen without it less that of this one, both before any lot at the margin (below nought where it took places of people who stay on);
    `admissions_given_up`: the same of the expected admissions of people whose risk is known, of no floor where it is of nobody. `groups`: rows of
    core/selection_group without their key. `last_in`, `first_out`: positions of those nearest to the margin, the nearest first.
    """

    places: int
    shortfall_count: int
    chosen: NDArray[np.bool_]
    rank: NDArray[np.int64]
    rank_by_score: NDArray[np.int64]
    draw: NDArray[np.float64]
    lot: NDArray[np.float64]
    is_in_margin_band: NDArray[np.bool_]
    decided_by: tuple[str, ...]
    by_score_alone: NDArray[np.bool_]
    threshold: float
    value: float
    prices: Mapping[str, float]
    admissions_given_up: Mapping[str, float]
    minimum: Mapping[str, int]
    unmet: Mapping[str, int]
    groups: tuple[dict[str, Any], ...]
    expected: Expected | None
    last_in: tuple[int, ...]
    first_out: tuple[int, ...]


def choose_team(
    candidates: pa.Table,
    team: Mapping[str, Any],
    on_last_list: Collection[str],
    issue_id: str,
    lists: Lists,
    plus_groups: Sequence[str] = (),
) -> TeamChoice:
    """Who is on the list of one team.

    `candidates`: the team's rows of core/list_candidate that are eligible and on no other list of the issue. `team`: its row of core/team_capacity.
    `on_last_list`: the person ids of its last list. `plus_groups`: every PLUS group that is to be counted, also where nobody is in it. Fewer people
    than places: all of them. Floors that cannot all be met are relaxed to the nearest that can. The same arguments give the same list.
    """
    people = candidates["person_id"].to_pylist()
    risk = candidates["risk"].to_numpy().astype(np.float64)
    groups = _groups(candidates, plus_groups)
    asked = _minimum(team, groups, min(_places(team), len(people)))
    task = _task(candidates, team, on_last_list, issue_id, lists, {name: groups[name] for name in asked})
    order, places, rank_by_score = task.order, task.places, _places_in(task.order)
    best = task.best(asked)
    prices, admissions = _given_up(task, asked, best, risk)
    unmet = {name: count - best.minimum[name] for name, count in asked.items() if count > best.minimum[name]}
    chosen, is_in_band, chances = _with_margin_drawn(best.found.chosen, best.stays, order, task.groups, people, issue_id, lists.margin_band)
    listed, out = order[chosen[order]], order[~chosen[order]]
    rank = np.zeros(len(people), np.int64)
    rank[listed] = np.arange(1, len(listed) + 1)
    return TeamChoice(
        places=places,
        shortfall_count=places - len(listed),
        chosen=chosen,
        rank=rank,
        rank_by_score=rank_by_score,
        draw=task.lots,
        lot=chances,
        is_in_margin_band=is_in_band,
        decided_by=_decided_by(chosen, best.found, is_in_band, best.stays, task.score, task.groups, prices),
        by_score_alone=best.found.by_score_alone,
        threshold=best.found.threshold,
        value=math.fsum(task.score[chosen].tolist()),
        prices=prices,
        admissions_given_up=admissions,
        minimum=asked,
        unmet=unmet,
        groups=_group_rows(groups, chosen, team, asked, prices, admissions, unmet),
        expected=expected_admissions(risk[chosen]),
        last_in=tuple(listed[::-1][:MARGIN_SHOWN].tolist()),
        first_out=tuple(out[:MARGIN_SHOWN].tolist()),
    )


def who_stays(candidates: pa.Table, team: Mapping[str, Any], on_last_list: Collection[str], issue_id: str, lists: Lists) -> frozenset[str]:
    """The people of a team's last list who would be on the next one; arguments as for `choose_team`."""
    groups = _groups(candidates, ())
    asked = _minimum(team, groups, min(_places(team), candidates.num_rows))
    task = _task(candidates, team, on_last_list, issue_id, lists, {name: groups[name] for name in asked})
    if not task.may_stay.any():
        return frozenset()
    stays = task.best(asked).stays
    return frozenset(person for person, is_kept in zip(candidates["person_id"].to_pylist(), stays, strict=True) if is_kept)


def draw(issue_id: str, person_id: str) -> float:
    """A number from 0 up to 1 that looks like chance and can be drawn again: from the SHA-256 of the issue and the person."""
    return int.from_bytes(hashlib.sha256(f"{issue_id}|{person_id}".encode()).digest()[:6], "big") / 2**48


def expected_admissions(risk: NDArray[np.float64]) -> Expected | None:
    """The expected number of people with an emergency admission, of those whose risk is known (a missing one is NaN); None where none is."""
    known = risk[~np.isnan(risk)]
    if not len(known):
        return None
    return Expected(poisson_binomial.mean(known), *poisson_binomial.interval(known, EXPECTED_LEVEL), scored_count=len(known))


def _places_in(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each person in an order, from 1."""
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(1, len(order) + 1)
    return places


def _groups(candidates: pa.Table, plus_groups: Sequence[str]) -> Groups:
    """Who is in each group that is counted; first those that can have a floor."""
    import pyarrow.compute as pc

    flags = {**{name: column for name, (column, _) in FLOORS.items()}, **OTHERS}
    found = {name: np.asarray(candidates[column].to_numpy()).astype(np.bool_) for name, column in flags.items()}
    for band in AGE_BANDS:
        found[band] = np.asarray(pc.equal(candidates["age_band"], band).to_numpy()).astype(np.bool_)
    coded = pc.fill_null(candidates["plus_groups"], "").combine_chunks().dictionary_encode()
    held = [set(filter(None, text.split(","))) for text in coded.dictionary.to_pylist()]
    which = coded.indices.to_numpy()
    for group in sorted({*plus_groups, *(name for names in held for name in names)}):
        found[group] = np.array([group in names for names in held], np.bool_)[which] if held else np.zeros(len(which), np.bool_)
    return found


def _minimum(team: Mapping[str, Any], groups: Groups, listed_count: int) -> dict[str, int]:
    """How many people each floor asks for on a list of this length, and the quota."""
    asked = {}
    for name, (_, column) in FLOORS.items():
        if (floor := _floor(team, column)) > 0:
            share = float(groups[name].mean()) if len(groups[name]) else 0.0
            asked[name] = math.ceil(floor * share * listed_count - ROUNDING)
    if team["newly_surfaced_percent"] > 0:
        asked[QUOTA] = math.ceil(team["newly_surfaced_percent"] / 100 * listed_count - ROUNDING)
    return asked


def _floor(team: Mapping[str, Any], column: str) -> float:
    """A team's floor; 0 where it is of a night before there was such a floor."""
    return float(team.get(column) or 0)


@dataclass(frozen=True)
class _Best:
    """The nearest floors that can be met, who stays on from the last list, and the selection."""

    minimum: Mapping[str, int]
    stays: NDArray[np.bool_]
    found: selection.Selection


@dataclass(frozen=True)
class _Task:
    """What a team's list is chosen by, one entry a person.

    `goes_first`: comes well within the places by score; `may_stay`: stood on the last list and is near enough still; `groups`: those with a floor or
    quota; `order`: positions by score and draw.
    """

    score: NDArray[np.float64]
    lots: NDArray[np.float64]
    order: NDArray[np.int64]
    places: int
    goes_first: NDArray[np.bool_]
    may_stay: NDArray[np.bool_]
    groups: Groups

    def best(self, asked: Mapping[str, int]) -> _Best:
        """The list under some floors: missed by as few people as can be, whoever stays. Under them nobody who goes first, and would be listed if no
        one stayed on, makes room for somebody who stays; and then as many stay as can, of several such lists on that with the highest value."""
        nobody = np.zeros(len(self.score), np.bool_)
        minimum = selection.relaxed(self.score, self.places, self.groups, asked, nobody, self.lots)

        def chosen(score: NDArray[np.float64], keep: NDArray[np.bool_]) -> selection.Selection:
            return selection.select(score, self.places, self.groups, minimum, keep, self.lots)

        found = chosen(self.score, nobody)
        if not self.may_stay.any() or not (self.may_stay & ~found.chosen).any():
            return _Best(minimum, self.may_stay & found.chosen, found)
        first = self.goes_first & found.chosen
        span = float(np.ptp(self.score)) or 1.0
        # One more who stays counts for more than all scores together, which add up to a half at most.
        steady = self.may_stay + (self.score - self.score.min()) / (2 * span * max(self.places, 1))
        stays = self.may_stay & chosen(steady, first).chosen
        return _Best(minimum, stays, chosen(self.score, first | stays))


def _places(team: Mapping[str, Any]) -> int:
    return max(int(team["slots_count"]) - int(team["reserve_count"]), 0)


def _task(candidates: pa.Table, team: Mapping[str, Any], on_last_list: Collection[str], issue_id: str, lists: Lists, groups: Groups) -> _Task:
    people = candidates["person_id"].to_pylist()
    score = candidates["score"].to_numpy().astype(np.float64)
    lots = np.array([draw(issue_id, person) for person in people], np.float64)
    order = np.lexsort((lots, -score))
    rank, places = _places_in(order), _places(team)
    on_last = np.array([person in on_last_list for person in people], np.bool_)
    goes_first = rank <= places / lists.stay_on_factor + ROUNDING
    return _Task(score, lots, order, places, goes_first, on_last & (rank <= places * lists.stay_on_factor + ROUNDING), groups)


def _given_up(task: _Task, asked: Mapping[str, int], best: _Best, risk: NDArray[np.float64]) -> tuple[dict[str, float], dict[str, float]]:
    """What each floor costs in value, and in expected admissions where any risk is known of who is chosen with it or without: all is chosen anew."""

    def worth(chosen: NDArray[np.bool_]) -> tuple[float, float]:
        return math.fsum(task.score[chosen].tolist()), math.fsum(np.nan_to_num(risk[chosen]).tolist())

    value, expected = worth(best.found.chosen)
    prices, admissions = dict.fromkeys(asked, 0.0), {}
    for name, count in asked.items():
        others = {other: least for other, least in asked.items() if other != name}
        without = task.best(others).found.chosen if count else best.found.chosen
        value_without, expected_without = worth(without)
        prices[name] = value_without - value
        if not np.isnan(risk[without | best.found.chosen]).all():
            admissions[name] = expected_without - expected
    return prices, admissions


def _with_margin_drawn(
    chosen: NDArray[np.bool_],
    keep: NDArray[np.bool_],
    order: NDArray[np.int64],
    groups: Groups,
    people: Sequence[str],
    issue_id: str,
    size: int,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """The list after the lot at the margin: who is on it, about whom the lot decided, and their lots (NaN for all others).

    Each of the last `size` people listed who do not stay on is paired with the first who is not listed and is in the same groups with a
    floor or quota; of each pair the lower lot is listed. So everybody in the band has one chance in two, and every floor holds.
    """
    drawn, is_in_band, chances = chosen.copy(), np.zeros(len(people), np.bool_), np.full(len(people), np.nan)
    cell = np.zeros(len(people), np.int64)
    for bit, members in enumerate(groups.values()):
        cell |= members.astype(np.int64) << bit
    out: dict[int, list[int]] = {}
    for at in order[~chosen[order]][::-1].tolist() if size else ():
        out.setdefault(int(cell[at]), []).append(at)
    pairs = 0
    for at in order[(chosen & ~keep)[order]][::-1].tolist():
        if pairs < size and out.get(int(cell[at])):
            other = out[int(cell[at])].pop()
            is_in_band[[at, other]] = True
            chances[[at, other]] = [draw(f"{issue_id}|lot", people[each]) for each in (at, other)]
            drawn[[at, other]] = chances[at] <= chances[other], chances[at] > chances[other]
            pairs += 1
    return drawn, is_in_band, chances


def _decided_by(
    chosen: NDArray[np.bool_],
    found: selection.Selection,
    is_in_band: NDArray[np.bool_],
    keep: NDArray[np.bool_],
    score: NDArray[np.float64],
    groups: Groups,
    prices: Mapping[str, float],
) -> tuple[str, ...]:
    """What gave each listed person the place. A floor that costs something goes before the quota, and the quota before a floor that costs nothing."""
    at_threshold = score == found.threshold
    is_tie = (at_threshold & ~found.by_score_alone).any()
    nobody = np.zeros(len(score), np.bool_)
    floors = {name: members for name, members in groups.items() if name != QUOTA}
    by_costly_floor = np.logical_or.reduce([nobody, *(members for name, members in floors.items() if prices[name] > 0)])
    reasons = {
        "": ~chosen,
        BY_DRAW: is_in_band | (found.by_score_alone & at_threshold & is_tie),
        BY_SCORE: found.by_score_alone,
        BY_STAY_ON: keep,
        BY_FLOOR: by_costly_floor,
        BY_QUOTA: groups.get(QUOTA, nobody),
    }
    return tuple(np.select(list(reasons.values()), list(reasons), default=BY_FLOOR).tolist())


def _group_rows(
    groups: Groups,
    chosen: NDArray[np.bool_],
    team: Mapping[str, Any],
    asked: Mapping[str, int],
    prices: Mapping[str, float],
    admissions: Mapping[str, float],
    unmet: Mapping[str, int],
) -> tuple[dict[str, Any], ...]:
    eligible, listed = len(chosen), int(chosen.sum())
    rows = []
    for name, members in groups.items():
        of_eligible, of_listed = int(members.sum()), int((members & chosen).sum())
        rows.append(
            {
                "group": name,
                "eligible_count": of_eligible,
                "eligible_percent": 100 * of_eligible / eligible if eligible else None,
                "listed_count": of_listed,
                "listed_percent": 100 * of_listed / listed if listed else None,
                "floor": _floor(team, FLOORS[name][1]) if name in asked and name in FLOORS else None,
                "minimum_count": asked.get(name),
                "value_given_up": prices.get(name),
                "admissions_given_up": admissions.get(name),
                "shortfall_count": unmet.get(name, 0),
            }
        )
    return tuple(rows)
