"""Two vintages of the same small areas: the 2021 set is the 2011 set with a few areas split, merged or re-drawn.

Grain: a *piece* is the largest area that lies in one LSOA of each vintage; people live in pieces, so they can be counted on either vintage exactly.
Most LSOAs are one piece. The change codes are those of the ONS lookup: U unchanged, S split, M merged, X irregular.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

OFFSET = 0.3
"""How far apart the seeds of one area's pieces lie, as a share of the distance to its nearest neighbour: small enough that its pieces touch."""


@dataclass(frozen=True)
class Pieces:
    """One row a piece: its seed (km), the row of its 2011 and of its 2021 area, its people; and one change code per 2021 area.

    `area21` numbers the 2021 areas from 0; `change21[k]` is U, S, M or X.
    """

    seeds: np.ndarray
    area11: np.ndarray
    area21: np.ndarray
    people: np.ndarray
    change21: np.ndarray


@dataclass(frozen=True)
class _Plan:
    halves: list[int]
    thirds: list[int]
    mergers: list[tuple[int, int]]
    irregular: list[tuple[int, int]]


def cut_into_pieces(rng: np.random.Generator, seeds: np.ndarray, inland: np.ndarray) -> Pieces:
    """Decide which 2011 areas changed by 2021 and give every piece its seed and its people.

    `seeds`: one point a 2011 area (km); `inland`: whether the way from the area to its nearest neighbour stays on land, so that the two touch.
    About 5 % of areas split (England: 2.5 %), 4 % merge (0.6 %) and at least one pair is irregular: more change than in England, so that small
    places show all of it.
    """
    distances, neighbours = _nearest(seeds)
    plan = _plan(rng, neighbours, inland)
    people = _people_of_areas(rng, len(seeds), plan)
    points: list[np.ndarray] = []
    area11: list[int] = []
    share: list[float] = []
    new_area: list[str] = []  # a name for each 2021 area, so that pieces of two areas can say that they form one
    step = OFFSET * distances[:, 0]
    irregular_first = dict(plan.irregular)
    irregular_second = {second: first for first, second in plan.irregular}
    merged_into = {other: one for one, other in plan.mergers}
    for area, seed in enumerate(seeds):
        if area in plan.halves or area in plan.thirds:
            parts = 2 if area in plan.halves else 3
            turn = rng.uniform(0, 2 * np.pi) + np.arange(parts) * 2 * np.pi / parts
            points += list(seed + step[area] * np.column_stack([np.cos(turn), np.sin(turn)]))
            share += list(rng.dirichlet([12] * parts))
            new_area += [f"split {area} {part}" for part in range(parts)]
            area11 += [area] * parts
        elif area in irregular_first:
            towards = (seeds[irregular_first[area]] - seed) * OFFSET
            points += [seed + towards, seed - towards]
            share += [0.4, 0.6]
            new_area += [f"redrawn {area}", f"rest {area}"]
            area11 += [area] * 2
        else:
            points.append(seed)
            share.append(1.0)
            area11.append(area)
            if area in irregular_second:
                new_area.append(f"redrawn {irregular_second[area]}")
            elif area in merged_into or area in merged_into.values():
                new_area.append(f"merged {merged_into.get(area, area)}")
            else:
                new_area.append(f"unchanged {area}")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(new_area))}
    codes = {"unchanged": "U", "split": "S", "merged": "M", "redrawn": "X", "rest": "X"}
    rows = np.array(area11)
    return Pieces(
        seeds=np.array(points),
        area11=rows,
        area21=np.array([numbers[name] for name in new_area]),
        people=people[rows] * np.array(share),
        change21=np.array([codes[name.split()[0]] for name in numbers]),
    )


def _nearest(seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.spatial import cKDTree

    distances, neighbours = cKDTree(seeds).query(seeds, k=9)
    return distances[:, 1:], neighbours[:, 1:]


def _plan(rng: np.random.Generator, neighbours: np.ndarray, inland: np.ndarray) -> _Plan:
    """Choose areas far enough apart that one change never touches another; an area always touches its nearest neighbour (Gabriel graph)."""
    count = len(neighbours)
    quota = {"halves": max(2, count // 30), "thirds": max(1, count // 75), "mergers": max(1, count // 50), "irregular": max(1, count // 300)}
    plan = _Plan([], [], [], [])
    taken = np.zeros(count, dtype=bool)
    order = [int(area) for area in rng.permutation(count)]
    for kind in ("irregular", "mergers", "thirds", "halves"):
        for area in order:
            if len(getattr(plan, kind)) == quota[kind]:
                break
            other = int(neighbours[area, 0])
            around = neighbours[area, :3]
            if taken[area] or taken[other] or not inland[area]:
                continue
            getattr(plan, kind).append((area, other) if kind in ("mergers", "irregular") else area)
            taken[area] = taken[other] = True
            taken[around] = True
    return plan


def _people_of_areas(rng: np.random.Generator, count: int, plan: _Plan) -> np.ndarray:
    """Relative numbers of people: alike (1,000 to 3,000 is the ONS's rule), but many where an area was split and few where two were merged."""
    people = np.clip(rng.lognormal(0, 0.16, count), 0.65, 1.6)
    people[plan.halves] *= 1.5
    people[plan.thirds] *= 2.1
    people[[area for pair in plan.mergers for area in pair]] *= 0.5
    return people / people.sum()
