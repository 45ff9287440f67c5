"""Staff of practices and PCNs added up to areas, and per 100,000 people: registered, and weighted for need.

Whoever did not report is not a nought: a rate is of the people of those who did, and `covered_percent` says how many of the area's people these are.
A census has no sampling error; the limits say by how much so small a number of posts would differ by chance (Poisson limits of the posts at the
area's FTE a post; our own choice). What does not belong here: reading files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.methods.counts import count_interval
from fuller_popheath.methods.proportions import wilson_interval
from fuller_popheath.place.neighbourhood_practice import NO_PCN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pandas as pd

    from fuller_popheath.site import Geography

AREAS = ("icb", "place", "pcn")
ALL = "all"
GROUP = ["source", "census", "staff_group"]
PER = 100_000
FEWEST_WITH_AGE = 8
"""A share of fewer members of staff is not shown: it would be about single ones."""


def practice_areas(practices: pd.DataFrame, registered: Mapping[str, int]) -> pd.DataFrame:
    """One row per practice: practice_code, icb, place, pcn (None where it is in none) and its registered people tonight."""
    named = {"icb": "icb_code", "place": "place_code", "pcn": "pcn_code"}
    made = practices[["practice_code"]].assign(**{area: practices[column].astype(object) for area, column in named.items()})
    made["pcn"] = made["pcn"].where(made["pcn"] != NO_PCN, None)
    return made.assign(registered=made["practice_code"].map(registered).fillna(0).astype("int64"))


def pcn_areas(areas: pd.DataFrame, census: pd.DataFrame, geography: Geography) -> pd.DataFrame:
    """One row per PCN of tonight, and per PCN of the census that tonight's files no longer have and whose ICB is one of tonight's.

    Columns unit, icb, place, pcn, registered. So a PCN that was renamed or dissolved still counts in its ICB.
    """
    import pandas as pd

    ours = areas[areas["pcn"].notna()]
    known = ours.groupby("pcn", as_index=False).agg(icb=("icb", "first"), place=("place", "first"), registered=("registered", "sum"))
    strangers = census[~census["pcn_code"].isin(known["pcn"]) & census["icb_code"].isin(areas["icb"].dropna())].drop_duplicates("pcn_code")
    place = strangers["sub_icb_code"].map(lambda code: geography.place_of_sub_icb.get(code, code))
    others = pd.DataFrame({"pcn": strangers["pcn_code"], "icb": strangers["icb_code"], "place": place.where(place.isin(areas["place"]), None)})
    every = pd.concat([known, others.assign(registered=0)], ignore_index=True) if len(others) else known
    return every.assign(unit=every["pcn"])


def until_day(rows: pd.DataFrame, until: date) -> pd.DataFrame:
    """The rows of a census up to a day: what is later is not known on it."""
    import numpy as np

    return rows[np.array([day <= until for day in rows["census_date"]], dtype=bool)]


def pcn_posts(census: pd.DataFrame) -> pd.DataFrame:
    """The PCN census as posts: one row per PCN, staff group (and all of them) and role (and all of them)."""
    import pandas as pd

    rows = census.assign(source="pcn_workforce", unit=census["pcn_code"], census=census["census_date"].astype(str))
    levels = [rows, rows.assign(staff_role=ALL), rows.assign(staff_group=ALL, staff_role=ALL)]
    return pd.concat(levels, ignore_index=True)


def gp_posts(gp: pd.DataFrame, until: date) -> pd.DataFrame:
    """The GP file as posts: one row per practice and year up to that of `until` in which its full-time equivalents are known."""
    known = gp[gp["gp_fte"].notna() & (gp["year"] <= until.year)]
    return known.assign(
        source="gp_workforce",
        unit=known["practice_code"],
        census=known["year"].astype(str),
        staff_group="gp",
        staff_role=ALL,
        headcount=known["gp_headcount"],
        post_count=known["gp_headcount"].fillna(0),
        fte=known["gp_fte"],
        people=known["people_count"],
    )


def supplied_posts(workforce: pd.DataFrame, until: date) -> pd.DataFrame:
    """What is supplied as posts: one row per practice or PCN, census up to `until` and staff group."""
    rows = until_day(workforce, until)
    age_known = rows["headcount"].where(rows["aged_55_plus_count"].notna())
    return rows.assign(
        source="workforce",
        unit=rows["area_code"],
        census=rows["census_date"].astype(str),
        staff_role=ALL,
        post_count=rows["headcount"],
        aged=rows["aged_55_plus_count"],
        age_known=age_known,
    )


def summed(posts: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Posts added up to ICB, place and PCN. `units`: unit, icb, place, pcn, registered. Posts of other units are left out.

    Columns area_type, area_code, GROUP, staff_role, post_count, headcount, fte, people, reporting_registered, aged, age_known. Who reports in a
    census and has nobody of a staff group has none of it; a role that nobody of an area has makes no row.
    """
    import pandas as pd

    for name in ("people", "aged", "age_known"):
        posts = posts if name in posts.columns else posts.assign(**{name: float("nan")})
    numbers = {name: posts[name].astype("float64") for name in ("post_count", "headcount", "fte", "people", "aged", "age_known")}
    rows = posts.assign(**numbers)[[*GROUP, "staff_role", "unit", *numbers]].merge(units, on="unit", how="inner")
    frames = []
    for area in AREAS:
        by = [*GROUP, area]
        sums = rows.groupby([*by, "staff_role"]).sum(numeric_only=True, min_count=1)[["post_count", "headcount", "fte", "aged", "age_known"]]
        reporting = _reporting(rows).groupby(by).sum(numeric_only=True, min_count=1)[["people", "registered"]].reset_index()
        told = reporting.assign(staff_role=ALL)[[*by, "staff_role"]].merge(sums.reset_index(), on=[*by, "staff_role"], how="outer")
        made = told.merge(reporting.rename(columns={"registered": "reporting_registered"}), on=by, validate="many_to_one")
        frames.append(made.rename(columns={area: "area_code"}).assign(area_type=area))
    made = pd.concat(frames, ignore_index=True)
    is_nobody = made["fte"].isna()
    return made.assign(**{name: made[name].mask(is_nobody, 0.0) for name in ("post_count", "headcount", "fte")})


def _reporting(rows: pd.DataFrame) -> pd.DataFrame:
    """Who reports what: every unit of a PCN census reports on every staff group that occurs in it; others on those that they have a row of."""
    one = rows.drop_duplicates([*GROUP, "unit"])
    is_pcn = one["source"] == "pcn_workforce"
    import pandas as pd

    units = one[is_pcn].drop_duplicates(["source", "census", "unit"]).drop(columns="staff_group")
    groups = one.loc[is_pcn, GROUP].drop_duplicates()
    return pd.concat([one[~is_pcn], units.merge(groups, on=["source", "census"])], ignore_index=True)


def need_weights(payments: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Weighted people a registered one, by area: area_type, area_code, need_weight, of the practices that the payments file has with people."""
    import pandas as pd

    rows = payments[payments["registered_mean"] > 0].merge(areas, on="practice_code")
    frames = []
    for area in AREAS:
        sums = rows.groupby(area)[["registered_mean", "weighted_mean"]].sum()
        frames.append(
            pd.DataFrame({"area_code": sums.index.astype(object), "need_weight": (sums["weighted_mean"] / sums["registered_mean"]).to_numpy()})
        )
        frames[-1]["area_type"] = area
    return pd.concat(frames, ignore_index=True)


def with_rates(sums: pd.DataFrame) -> pd.DataFrame:
    """Add fte_per_100k with lower and upper, the same per need-weighted head, and the share aged 55 or over with its interval.

    `sums`: as `summed` gives them, with people_count (missing or 0: no rate) and need_weight (may be missing).
    """
    import numpy as np

    posts, fte = sums["post_count"].to_numpy(dtype="float64"), sums["fte"].to_numpy(dtype="float64")
    of_source = sums[sums["post_count"] > 0].groupby(GROUP)[["fte", "post_count"]].sum()
    usual = (of_source["fte"] / of_source["post_count"]).rename("usual")
    a_post = sums.merge(usual, left_on=GROUP, right_index=True, how="left")["usual"].fillna(1.0).to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        a_post = np.where(posts > 0, fte / posts, a_post)
    # A correction below nought (the census has one) is no number of posts.
    a_post = np.where(a_post > 0, a_post, np.nan)
    people = sums["people_count"].where(sums["people_count"] > 0).to_numpy(dtype="float64")
    lower, upper = (PER * a_post * end / people for end in count_interval(posts))
    rate = PER * fte / people
    return _with_ages(sums.assign(fte_per_100k=rate, lower=lower, upper=upper, fte_per_100k_weighted=rate / sums["need_weight"].to_numpy()))


def _with_ages(sums: pd.DataFrame) -> pd.DataFrame:
    import numpy as np

    known, aged = sums["age_known"].fillna(0).to_numpy(), sums["aged"].fillna(0).to_numpy()
    lower, upper = wilson_interval(np.minimum(aged, known), known)
    is_shown = known >= FEWEST_WITH_AGE
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {"aged_55_plus_percent": aged / known, "aged_55_plus_lower": lower, "aged_55_plus_upper": upper}
        return sums.assign(**{name: np.where(is_shown, 100 * share, np.nan) for name, share in shares.items()})
