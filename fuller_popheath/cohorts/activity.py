"""How people use general practice: contacts, appointments not attended and continuity of whole populations, by ICB, place, PCN and quintile.

Counts of appointments are no counts of people, so a row in which any count is hidden is hidden whole: what few people did is not told either. The
two counts of bookings are hidden by themselves: in an area whose practices do not send days of booking, a few that moved in cost no row.
What does not belong here: workforce (`place/workforce.py`), and the continuity gap of people with high need (`gap_counts.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.person_columns import PERSON, arrow_columns, values
from fuller_popheath.cohorts.segment_counts import (
    ALL,
    AREAS,
    EDITIONS,
    LOW_CONTACT,
    PRACTICES,
    SHOWN,
    area_lines,
    hidden_in,
    quintile_rows,
    smallest_areas,
)
from fuller_popheath.disclosure.controlled_counts import Same, adds_up, control, percent_of
from fuller_popheath.disclosure.rules import rule_named
from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import Inputs

CONTACTS, CONTINUITY, BOOKING = "features/contacts", "features/continuity", "core/person_booking"
WANTED = {
    CONTACTS: ("contact_count_365", "gp_contact_count_365", "urgent_contact_count_365", "did_not_attend_count_365"),
    CONTINUITY: ("continuity_upc", "usual_gp_contact_count", "continuity_practice_contact_count"),
    PERSON: ("usual_gp_code",),
}
BOOKED = ("person_id", "booked", "contact_count_365")
KEY = ("area_type", "area_code", "imd_edition", "imd_quintile")
PEOPLE, SEEN, ATTENDED, GP, URGENT, MISSED, KNOWN, BOOKING_KNOWN, SAME_DAY = COUNTS = (
    "registered_count",
    "seen_count",
    "contact_count",
    "gp_contact_count",
    "urgent_contact_count",
    "did_not_attend_count",
    "continuity_known_count",
    "booking_known_count",
    "same_day_count",
)
OF_BOOKINGS = (BOOKING_KNOWN, SAME_DAY)
PARTS = {SEEN: PEOPLE, KNOWN: PEOPLE, GP: ATTENDED, URGENT: ATTENDED, SAME_DAY: BOOKING_KNOWN}
TREND = ("contacts_per_1000", "did_not_attend_percent", "same_day_percent", "mean_upc")
"""What is told of the last released month beside this one's."""
FEWEST_IN_A_MEAN = 8
"""Means of fewer people are not shown (NHS England, HES and ECDS disclosure control since September 2018)."""
FEWEST_WITH_LIMITS = 100
"""The limits rest on a normal approximation to a ratio of sums over people (our own choice of how many it takes)."""
Z = 1.959963984540054


def activity_counts(inputs: Inputs, site: Site) -> pd.DataFrame:
    """As it may leave the house, one row per KEY: COUNTS (null: hidden), rates and shares with limits, mean_upc, slicc, is_hidden."""
    import pandas as pd

    person = inputs[PERSON]
    areas, area = smallest_areas(person, inputs[PRACTICES])
    each = _per_person(inputs)
    frames: list[pd.DataFrame] = []
    for edition in EDITIONS:
        quintile = person[f"imd_{edition}_quintile"].fill_null(0).to_numpy()
        by_cell = each.groupby([area, quintile]).sum() if len(each) else each
        for area_type in AREAS if len(each) else ():
            code = areas[area_type].to_numpy()[by_cell.index.get_level_values(0)]
            by_quintile = by_cell.groupby([code, by_cell.index.get_level_values(1)]).sum()
            frames += quintile_rows(by_quintile, area_type, edition, bool(quintile.any()))
    if not frames:
        return pd.DataFrame(columns=[*KEY, *COUNTS, "is_hidden"])
    return shown_of(pd.concat(frames, ignore_index=True), areas, site, inputs[SHOWN])


def shown_of(exact: pd.DataFrame, areas: pd.DataFrame, site: Site, segments: pa.Table | None = None) -> pd.DataFrame:
    """Exact rows (KEY, COUNTS and the sums of `_per_person`) after disclosure control. `areas`: columns icb, place and pcn.

    `segments`: products/segment_count, which tells of the same registered people, and of those without a contact, whom `seen_count` leaves.
    """
    lines = (*area_lines(areas), adds_up("imd_quintile"))
    same = (Same("imd_edition", {"imd_quintile": ALL}),)
    cuts = {PEOPLE: ALL, SEEN: LOW_CONTACT} if segments is not None else {}
    elsewhere = {column: hidden_in(segments, exact, people_group=group, segment=ALL) for column, group in cuts.items()}
    shown = control(exact[[*KEY, *COUNTS]], KEY, COUNTS, lines, rule_named(site.disclosure.rule), same, PARTS, elsewhere)
    # A sum of people who are hidden is hidden with them, in both editions' rows of everybody alike.
    shown["is_hidden"] = shown[[name for name in COUNTS if name not in OF_BOOKINGS]].isna().any(axis=1)
    shown.loc[shown["is_hidden"], list(COUNTS)] = None
    shown.loc[shown[list(OF_BOOKINGS)].isna().any(axis=1), list(OF_BOOKINGS)] = None
    known = exact[KNOWN].where((exact[KNOWN] >= FEWEST_IN_A_MEAN) & ~shown["is_hidden"])
    counted = exact["countable"].where((exact["countable"] > 0) & known.notna())
    per_1000 = 1000 * shown[ATTENDED].astype("Float64") / shown[PEOPLE].astype("Float64").where(shown[PEOPLE] > 0)
    made = shown.assign(
        contacts_per_1000=per_1000.round(),
        gp_percent=percent_of(shown[GP], shown[ATTENDED]),
        urgent_percent=percent_of(shown[URGENT], shown[ATTENDED]),
        did_not_attend_percent=percent_of(shown[MISSED], shown[ATTENDED] + shown[MISSED]),
        same_day_percent=percent_of(shown[SAME_DAY], shown[BOOKING_KNOWN]),
        mean_upc=(exact["upc_sum"] / known).round(3),
        slicc=(exact["with_usual_gp"] / counted).round(3),
    )
    return _with_limits(made, exact)


def with_trend(shown: pd.DataFrame, earlier: pa.Table | None) -> pd.DataFrame:
    """Add what was released of the same rows in the newest earlier month: previous_as_of and TREND as it left. `earlier`: that release, or none."""
    names = {name: f"previous_{name}" for name in ("as_of", *TREND)}
    if earlier is None or not len(shown):
        return shown.assign(**dict.fromkeys(names.values()))
    known = [name for name in names if name in earlier.column_names]
    before: pd.DataFrame = earlier.select([*KEY, *known]).to_pandas(date_as_object=True).rename(columns=names)
    made = shown.merge(before, on=list(KEY), how="left", validate="one_to_one")
    return made.assign(**{name: None for name in names.values() if name not in made})


def _with_limits(shown: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    """Limits around what is shown: value -+ z x standard error, a share within 0 and 100, a rate from 0 on."""
    import numpy as np

    people, contacts = exact[PEOPLE], exact[ATTENDED]
    errors = {
        "contacts": ("contacts_per_1000", 1000, np.inf, _standard_error(exact["cc"], exact[ATTENDED], people, contacts, people), 0),
        "urgent": ("urgent_percent", 100, 100, _standard_error(exact["uu"], exact["uc"], exact["cc"], exact[URGENT], contacts), 1),
        "did_not_attend": (
            "did_not_attend_percent",
            100,
            100,
            _standard_error(exact["mm"], exact["mb"], exact["bb"], exact[MISSED], contacts + exact[MISSED]),
            1,
        ),
        "same_day": ("same_day_percent", 100, 100, _standard_error(exact["ss"], exact["sk"], exact["kk"], exact[SAME_DAY], exact[BOOKING_KNOWN]), 1),
    }
    made = shown
    for name, (column, per, most, error, decimals) in errors.items():
        is_told = ~shown["is_hidden"] & (people >= FEWEST_WITH_LIMITS)
        half = (per * Z * error).where(is_told)
        value = shown[column].astype("float64")
        ends = {"lower": (value - half).clip(0, most), "upper": (value + half).clip(0, most)}
        made = made.assign(**{f"{name}_{end}": limit.round(decimals) for end, limit in ends.items()})
    return made


def _standard_error(xx: pd.Series, xy: pd.Series, yy: pd.Series, x: pd.Series, y: pd.Series) -> pd.Series:
    """Standard error of sum x / sum y over people, from sums of squares and products over people: sqrt(sum (x - r y)^2) / sum y.

    Source: the linearised variance of a ratio estimate, W. G. Cochran, Sampling Techniques, 3rd ed. (1977) section 6.3, without finite correction.
    """
    whole = y.where(y > 0)
    r = x / whole
    error: pd.Series = ((xx - 2 * r * xy + r**2 * yy).clip(lower=0) ** 0.5) / whole
    return error


def _per_person(inputs: Inputs) -> pd.DataFrame:
    """What each person adds to the sums; cc, uu, uc, mm, mb, bb, ss, sk, kk are squares and products of contacts, urgent ones, missed and both
    together, of those booked on the day and of those whose booking is known."""
    import numpy as np
    import pandas as pd
    import pyarrow.compute as pc

    columns = arrow_columns(inputs, WANTED)
    has_usual_gp = pc.is_valid(columns.pop("usual_gp_code")).to_numpy()
    array: dict[str, np.ndarray] = {name: values(column) for name, column in columns.items()}
    c, gp, u, m = (array[name] for name in WANTED[CONTACTS])
    upc, both = array["continuity_upc"], c + m
    s, k = _booked(inputs, len(c))
    whole = {PEOPLE: np.ones(len(c)), SEEN: c > 0, ATTENDED: c, GP: gp, URGENT: u, MISSED: m, KNOWN: ~np.isnan(upc), BOOKING_KNOWN: k, SAME_DAY: s}
    squares = {"cc": c * c, "uu": u * u, "uc": u * c, "mm": m * m, "mb": m * both, "bb": both * both, "ss": s * s, "sk": s * k, "kk": k * k}
    continuity = {
        "upc_sum": np.nan_to_num(upc),
        "with_usual_gp": np.where(has_usual_gp, array["usual_gp_contact_count"], 0.0),
        "countable": np.where(has_usual_gp, array["continuity_practice_contact_count"], 0.0),
    }
    return pd.DataFrame({**{name: column.astype(np.int64) for name, column in whole.items()}, **squares, **continuity})


def _booked(inputs: Inputs, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each person the contacts that were booked on their own day, and all whose day of booking is known. Raises ContractBroken for strangers."""
    import numpy as np
    import pyarrow.compute as pc

    booking = inputs[BOOKING]
    place = pc.index_in(booking["person_id"], value_set=inputs[PERSON]["person_id"].combine_chunks())
    if place.null_count:
        raise ContractBroken(f"{BOOKING} has {place.null_count:,} rows about people who are not in {PERSON}: make it again from tonight's people")
    at, contacts = place.to_numpy(), booking["contact_count_365"].to_numpy().astype(np.float64)
    is_same_day = pc.equal(booking["booked"], "same_day").to_numpy().astype(np.float64)
    return np.bincount(at, weights=contacts * is_same_day, minlength=people), np.bincount(at, weights=contacts, minlength=people)
