"""How many people are in each segment, by area and by deprivation quintile or group of people: exact, and as it may leave the house.

Quintile and group of people are not crossed with each other. Every row says a whole too (segment "all"), because a percent would tell it anyway.
What does not belong here: who is in which segment (`segment.py`), and how small counts are hidden (`disclosure`).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.person_columns import PERSON
from fuller_popheath.disclosure.controlled_counts import Line, Same, adds_up, control, hierarchy, overlapping, percent_of
from fuller_popheath.disclosure.rules import rule_named
from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import Inputs, SegmentSpec

PRACTICES = "core/neighbourhood_practice"
PLUS = "core/person_plus"
SHOWN = "products/segment_count"
"""Made first: other products hide what they tell of the same people as it does (`hidden_in`)."""
SHOWN_COLUMNS = ("area_type", "area_code", "imd_edition", "imd_quintile", "people_group", "scheme", "segment", "people_count")
CONTACTS = "features/contacts"
EDITIONS = ("2019", "2025")
QUINTILES = ("1", "2", "3", "4", "5")
ALL = "all"
NOWHERE = "U"
"""Area of the people whom no file places, as the published files call it."""
AREAS = ("icb", "place", "pcn")
AGES: Mapping[str, tuple[int, int]] = {"under_18": (0, 18), "18_64": (18, 65), "65_plus": (65, 200)}
"""Ages in completed years, from and below: these groups do not overlap and are everybody."""
LOW_CONTACT = "low_contact"
KEY = ("area_type", "area_code", "imd_edition", "imd_quintile", "people_group", "scheme", "segment")
Names = Mapping[str, list[str]]
"""Of each scheme the names of its segments."""
Parents = dict[tuple[Hashable, ...], tuple[Hashable, ...]]
Positions = Mapping[str, "np.ndarray"]
"""Of each scheme, the position of each person's segment among its groups, in the order of core/person."""


def coded(column: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """The different texts of a column in order, and for each row which one it is; a missing text is NOWHERE."""
    import numpy as np
    import pyarrow.compute as pc

    cells = pc.fill_null(column, NOWHERE).combine_chunks().dictionary_encode()
    texts = cells.dictionary.to_pylist()
    order = np.argsort(np.array(texts, dtype=object)) if texts else np.zeros(0, np.int64)
    place = np.empty(len(texts), np.int64)
    place[order] = np.arange(len(texts))
    return sorted(texts), place[cells.indices.to_numpy()] if texts else np.zeros(0, np.int64)


def segment_positions(segment: pa.Table, people: pa.ChunkedArray, schemes: Mapping[str, SegmentSpec]) -> dict[str, np.ndarray]:
    """Positions of everybody's segments, from core/segment. Raises ContractBroken where a scheme is about others, or has segments of old."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[str, np.ndarray] = {}
    for name, scheme in schemes.items():
        rows = segment.filter(pc.equal(segment["scheme"], name))
        if not rows["person_id"].equals(people):
            raise ContractBroken(f"core/segment is not about the people of {PERSON} in their order in the scheme {name}: make it again")
        places = pc.index_in(rows["segment"], value_set=pa.array([group.name for group in scheme.groups]))
        if places.null_count:
            raise ContractBroken(f"core/segment has {places.null_count:,} people in segments that {name} does not declare (any more): make it again")
        found[name] = places.to_numpy().astype(np.int64)
    return found


def people_groups(inputs: Inputs, site: Site) -> dict[str, np.ndarray]:
    """Who is in each group of people: true or false for everybody of core/person. PLUS groups overlap; "not recorded" is not in the group."""
    import numpy as np
    import pyarrow.compute as pc

    people, plus = inputs[PERSON]["person_id"], inputs[PLUS]
    if not inputs[CONTACTS]["person_id"].equals(people):
        raise ContractBroken(f"{CONTACTS} is not about the same people in the same order as {PERSON}: make it again from tonight's people")
    age = inputs[PERSON]["age_years"].to_numpy()
    groups = {name: (age >= start) & (age < end) for name, (start, end) in AGES.items()}
    groups[LOW_CONTACT] = inputs[CONTACTS]["contact_count_365"].to_numpy() == 0
    is_in = plus.filter(pc.equal(plus["membership"], "yes"))
    place = pc.index_in(is_in["person_id"], value_set=people.combine_chunks())
    if place.null_count:
        raise ContractBroken(f"{PLUS} has {place.null_count:,} rows about people who are not in {PERSON}: make it again")
    for name in dict.fromkeys((*site.plus.groups, *site.plus.local)):
        groups[name] = np.zeros(len(age), bool)
        groups[name][place.to_numpy()[pc.equal(is_in["plus_group"], name).to_numpy()]] = True
    return groups


def smallest_areas(person: pa.Table, practices: pa.Table) -> tuple[pd.DataFrame, np.ndarray]:
    """The areas that all others are made of (columns icb, place, pcn), and for each person the position of theirs."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    of_practice = practices.select(["practice_code", "icb_code"]).to_pandas().drop_duplicates("practice_code").set_index("practice_code")["icb_code"]
    names, practice = coded(person["practice_code"])
    icb_names = pd.Series(names).map(of_practice).fillna(NOWHERE).to_numpy(dtype=object)
    icb_codes, icb = coded(pa.chunked_array([pa.array(icb_names, pa.string())]))
    (places, place), (pcns, pcn) = coded(person["place_code"]), coded(person["pcn_code"])
    number = (icb[practice] * max(len(places), 1) + place) * max(len(pcns), 1) + pcn if len(practice) else np.zeros(0, np.int64)
    found, which = np.unique(number, return_inverse=True)
    parts = np.unravel_index(found, (max(len(icb_codes), 1), max(len(places), 1), max(len(pcns), 1)))
    codes = zip(AREAS, (icb_codes, places, pcns), parts, strict=True)
    return pd.DataFrame({name: np.array(texts, dtype=object)[part] if len(part) else [] for name, texts, part in codes}), which


def exact_counts(
    areas: pd.DataFrame,
    area: np.ndarray,
    quintile: Mapping[str, np.ndarray],
    groups: Mapping[str, np.ndarray],
    positions: Positions,
    names: Names,
) -> pd.DataFrame:
    """One row per key with the column people_count, nought included. `quintile`: of each edition 1 to 5, 0: none; `names`: a scheme's segments.

    Rows of all quintiles stand once for each edition; rows of a quintile are of everybody. An edition that places nobody has none.
    """
    import pandas as pd

    frames = []
    for scheme, segment in positions.items():
        cuts, counts = _counts_of_cuts(area * len(names[scheme]) + segment, (len(areas), len(names[scheme])), quintile, groups)
        for area_type in AREAS:
            frames.append(_rows(cuts, counts, areas[area_type].to_numpy(), [*names[scheme], ALL]).assign(area_type=area_type, scheme=scheme))
    return pd.concat(frames, ignore_index=True)[[*KEY, "people_count"]]


def _counts_of_cuts(
    cell: np.ndarray, shape: tuple[int, int], quintile: Mapping[str, np.ndarray], groups: Mapping[str, np.ndarray]
) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """Every cut of a scheme (edition, quintile, group) and the counts of each: cuts x areas x segments and their sum. `cell`: of each person."""
    import numpy as np

    size = shape[0] * shape[1]
    of_group = {name: np.bincount(cell[is_in], minlength=size) for name, is_in in groups.items()}
    cuts = {(edition, ALL, ALL): np.bincount(cell, minlength=size) for edition in EDITIONS}
    cuts |= {(edition, ALL, name): counted for name, counted in of_group.items() for edition in EDITIONS}
    for edition, number in ((edition, number) for edition, number in quintile.items() if number.any()):
        by_quintile = np.bincount(number * size + cell, minlength=6 * size).reshape(6, size)
        cuts |= {(edition, q, ALL): by_quintile[int(q)] for q in QUINTILES}
    counts = np.stack(list(cuts.values())).reshape(len(cuts), *shape)
    return list(cuts), np.concatenate([counts, counts.sum(axis=2, keepdims=True)], axis=2)


def _rows(cuts: list[tuple[str, str, str]], counts: np.ndarray, code: np.ndarray, segments: list[str]) -> pd.DataFrame:
    """Counts of the smallest areas summed up to those with these codes, as rows."""
    import numpy as np
    import pandas as pd

    codes, which = np.unique(code, return_inverse=True)
    summed = (np.eye(len(codes), dtype=np.int64)[which].T @ counts) if len(codes) else counts
    names = [np.array(values, dtype=object) for values in (*zip(*cuts, strict=True), codes, segments)]
    each = np.indices((len(cuts), len(codes), len(segments))).reshape(3, -1)
    return pd.DataFrame(
        {
            **{column: names[place][each[0]] for place, column in enumerate(("imd_edition", "imd_quintile", "people_group"))},
            "area_code": names[3][each[1]],
            "segment": names[4][each[2]],
            "people_count": summed.reshape(-1),
        }
    )


def area_lines(areas: pd.DataFrame) -> list[Line]:
    """How areas add up: a PCN to its place and a place to its ICB, and a PCN that lies in several places (or none) to the ICB alone."""

    def parents(child: str, parent: str) -> Parents:
        pairs = areas[[child, parent]].drop_duplicates()
        alone = pairs[~pairs[child].duplicated(keep=False)]
        return {(child, own): (parent, other) for own, other in zip(alone[child], alone[parent], strict=True)}

    to_place, to_icb = parents("pcn", "place"), parents("pcn", "icb")
    scattered = {pcn: icb for pcn, icb in to_icb.items() if pcn not in to_place}
    lines = [hierarchy(("area_type", "area_code"), {**to_place, **parents("place", "icb")})]
    return [*lines, hierarchy(("area_type", "area_code"), to_icb)] if scattered else lines


def nested_lines(positions: Positions, names: Names, age: np.ndarray) -> list[Line]:
    """Segments of one scheme that are together one of another (high and some need: continuity), so that each tells of the others.

    Found in the people themselves, so that a scheme that is added needs no list: where segments share people with one other segment only, and
    that with no further one, they add up to it in every area and group. `age`: position in AGES: segments can be made of ages too (adults).
    """
    import itertools

    lines = []
    for one, other in itertools.permutations(positions, 2):
        within = _made_of(positions[one], positions[other])
        pairs: Parents = {(one, names[one][part]): (other, names[other][whole]) for part, whole in within.items()}
        lines.append(hierarchy(("scheme", "segment"), pairs))
    some, bands = next(iter(positions)), tuple(AGES)
    for scheme, segment in positions.items():
        of_ages: Parents = {(bands[part], some, ALL): (ALL, scheme, names[scheme][whole]) for part, whole in _made_of(age, segment).items()}
        in_ages: Parents = {(ALL, scheme, names[scheme][part]): (bands[whole], some, ALL) for part, whole in _made_of(segment, age).items()}
        lines += [hierarchy(("people_group", "scheme", "segment"), pairs) for pairs in (of_ages, in_ages)]
    return [line for line in lines if line.parent_of]


def _made_of(part: np.ndarray, whole: np.ndarray) -> dict[int, int]:
    """Which numbers of `part` are, together with others, all the people of which number of `whole`; empty where `whole` is one number for all."""
    import numpy as np

    if not len(part) or (whole == whole[0]).all():
        return {}
    columns = int(whole.max()) + 1
    crossed = np.bincount(part * columns + whole, minlength=(int(part.max()) + 1) * columns).reshape(-1, columns) > 0
    within = crossed.sum(axis=1) == 1
    wholes = [place for place in range(columns) if crossed[:, place].any() and within[crossed[:, place]].all()]
    return {int(number): place for place in wholes for number in np.flatnonzero(crossed[:, place])}


def lines_of(areas: pd.DataFrame, groups: Mapping[str, np.ndarray], positions: Positions, names: Names, age: np.ndarray) -> list[Line]:
    """Every way in which the counts add up."""
    ages: Parents = {(name,): (ALL,) for name in AGES}
    return [
        *area_lines(areas),
        adds_up("imd_quintile"),
        adds_up("segment"),
        hierarchy(("people_group",), ages),
        overlapping("people_group"),
        *nested_lines(positions, names, age),
    ]


def segment_counts(inputs: Inputs, site: Site, positions: Positions, names: Names) -> pd.DataFrame:
    """As it may leave the house: KEY, people_count (null: hidden), percent of the people of the same area, quintile and group, is_hidden."""
    import numpy as np

    person = inputs[PERSON]
    areas, area = smallest_areas(person, inputs[PRACTICES])
    groups = people_groups(inputs, site)
    quintile = {edition: person[f"imd_{edition}_quintile"].fill_null(0).to_numpy().astype(np.int64) for edition in EDITIONS}
    exact = exact_counts(areas, area, quintile, groups, positions, names)
    if not len(exact):
        return exact.assign(percent=None, is_hidden=False)
    age = np.select([groups[name] for name in AGES], range(len(AGES)))
    same = (Same("imd_edition", {"imd_quintile": ALL}), Same("scheme", {"segment": ALL}))
    shown = control(exact, KEY, ("people_count",), lines_of(areas, groups, positions, names, age), rule_named(site.disclosure.rule), same)
    return with_percent(shown)


def hidden_in(shown: pa.Table, rows: pd.DataFrame, **cut: str) -> pd.Series:
    """Of each row (area_type, area_code, imd_edition, imd_quintile) whether products/segment_count hides the same count; null: it has none.

    `cut`: which of its counts it is: people_group, segment and, unless the segment is all, scheme. What is told of the same people in two products
    is hidden in both or in none.
    """
    import pandas as pd
    import pyarrow.compute as pc

    found = shown
    for column, value in cut.items():
        found = found.filter(pc.equal(found[column], value))
    where = ["area_type", "area_code", "imd_edition", "imd_quintile"]
    told = found.select([*where, "people_count"]).to_pandas(types_mapper={found.schema.field("people_count").type: pd.Int64Dtype()}.get)
    hides = told.assign(hides=told["people_count"].isna()).drop_duplicates(where).set_index(where)["hides"]
    at = pd.MultiIndex.from_frame(rows[where].astype(object))
    return pd.Series(hides.reindex(at).astype("boolean").to_numpy(), index=rows.index, dtype="boolean")


def with_percent(shown: pd.DataFrame) -> pd.DataFrame:
    """Add the percent of the whole, from what is shown: null where either is hidden."""
    whole = [column for column in KEY if column != "segment"]
    totals: Any = shown[shown["segment"] == ALL].set_index(whole)["people_count"]
    of_row = shown.merge(totals.rename("whole"), left_on=whole, right_index=True, how="left", validate="many_to_one")
    return shown.assign(percent=percent_of(of_row["people_count"], of_row["whole"]).to_numpy())


def quintile_rows(by_quintile: pd.DataFrame, area_type: str, edition: str, is_known: bool) -> list[pd.DataFrame]:
    """Of sums by area and quintile (0: none): the rows of all, and of every quintile of an edition that knows any, nobody's too.

    Indexed by area code and quintile; grain out: one row per area and quintile (or all), with area_type and imd_edition.
    """
    import pandas as pd

    everybody = by_quintile.groupby(level=0).sum().rename_axis("area_code").reset_index()
    rows = [everybody.assign(imd_quintile=ALL)]
    if is_known:
        full = pd.MultiIndex.from_product([everybody["area_code"], [int(q) for q in QUINTILES]], names=["area_code", "imd_quintile"])
        quintiles = by_quintile.reindex(full, fill_value=0).reset_index()
        rows.append(quintiles.assign(imd_quintile=quintiles["imd_quintile"].astype(str)))
    return [part.assign(area_type=area_type, imd_edition=edition) for part in rows]
