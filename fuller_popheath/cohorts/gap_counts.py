"""The continuity gap of whole populations: people with high need, and how many of them receive little continuity, by ICB, PCN and quintile.

Low is a place in the lower part of everybody's with as many contacts ([lists] low_continuity_below in site.toml, a local choice), so that by default
half of all people receive little: what counts is whether those with high need do more often. What does not belong here: the gap of single persons.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from fuller_popheath.cohorts.person_columns import PERSON, arrow_columns, values
from fuller_popheath.cohorts.segment_counts import ALL, EDITIONS, PRACTICES, SHOWN, hidden_in, quintile_rows, smallest_areas
from fuller_popheath.disclosure.controlled_counts import Same, adds_up, control, hierarchy, percent_of
from fuller_popheath.disclosure.rules import rule_named

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import Inputs

GAP, CONTINUITY = "core/continuity_gap", "features/continuity"
WANTED = {
    GAP: ("need_level", "received_percentile", "upc"),
    CONTINUITY: ("usual_gp_contact_count", "continuity_practice_contact_count"),
    PERSON: ("usual_gp_code",),
}
KEY = ("area_type", "area_code", "imd_edition", "imd_quintile")
COUNTS = ("high_need_count", "received_known_count", "low_received_count")
AREAS = ("icb", "pcn")
PRACTICE = "practice"
"""Told of all quintiles together: of one quintile of one practice little could be shown."""
FEWEST_IN_A_MEAN = 8
"""Means of fewer people are not shown (NHS England, HES and ECDS disclosure control since September 2018)."""


def gap_counts(inputs: Inputs, site: Site) -> pd.DataFrame:
    """As it may leave the house, one row per KEY: COUNTS (null: hidden), low_received_percent, mean_upc, slicc, is_hidden."""
    import numpy as np
    import pandas as pd

    person = inputs[PERSON]
    areas, area = smallest_areas(person, inputs[PRACTICES])
    sums = _per_person(inputs, site)
    frames = []
    for edition in EDITIONS:
        quintile = person[f"imd_{edition}_quintile"].fill_null(0).to_numpy()
        for area_type in AREAS:
            code = areas[area_type].to_numpy()[area] if len(areas) else []
            by_quintile = sums.groupby([code, quintile]).sum() if len(sums) else sums
            frames += quintile_rows(by_quintile, area_type, edition, bool(quintile.any())) if len(sums) else []
        by_practice = sums.groupby([person["practice_code"].to_numpy(), np.zeros(len(sums))]).sum() if len(sums) else sums
        frames += quintile_rows(by_practice, PRACTICE, edition, False) if len(sums) else []
    if not frames:
        return pd.DataFrame(columns=[*KEY, *COUNTS, "low_received_percent", "mean_upc", "slicc", "is_hidden"])
    pcns = areas["pcn"].to_numpy(dtype=object)[area]
    of_practice = pd.DataFrame({"practice": person["practice_code"].to_numpy(), "pcn": pcns}).drop_duplicates()
    return shown_of(pd.concat(frames, ignore_index=True), areas, site, inputs[SHOWN], of_practice)


def shown_of(
    exact: pd.DataFrame, areas: pd.DataFrame, site: Site, segments: pa.Table | None = None, of_practice: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Exact rows after disclosure control; a mean or share of contacts is shown only where everything of its row is.

    `areas`: columns icb and pcn; `of_practice`: columns practice and pcn; `segments`: products/segment_count, which tells of people with high need
    too. Means and shares of contacts rest on more people than 7, and say nothing exact of their number.
    """
    parent_of = _within("pcn", "icb", areas) | (_within(PRACTICE, "pcn", of_practice) if of_practice is not None else {})
    lines = (hierarchy(("area_type", "area_code"), parent_of), adds_up("imd_quintile"))
    same = (Same("imd_edition", {"imd_quintile": ALL}),)
    parts = {"low_received_count": "received_known_count", "received_known_count": "high_need_count"}
    high = {"people_group": ALL, "scheme": "continuity_need", "segment": "high"}
    elsewhere = {"high_need_count": hidden_in(segments, exact, **high)} if segments is not None else {}
    shown = control(exact, KEY, COUNTS, lines, rule_named(site.disclosure.rule), same, parts, elsewhere)
    is_told = ~shown["is_hidden"] & (exact["received_known_count"] >= FEWEST_IN_A_MEAN)
    made = shown.assign(
        low_received_percent=percent_of(shown["low_received_count"], shown["received_known_count"]),
        mean_upc=(exact["upc_sum"] / exact["received_known_count"]).where(is_told).round(3),
        slicc=(exact["own_contacts"] / exact["contacts"].where(exact["contacts"] > 0)).where(is_told).round(3),
    )
    return made.drop(columns=["upc_sum", "own_contacts", "contacts"])


def _within(kind: str, parent: str, pairs: pd.DataFrame) -> dict[tuple[Hashable, ...], tuple[Hashable, ...]]:
    """Which area of one kind adds up to which of another; one that lies in several adds up to none."""
    told = pairs[[kind, parent]].drop_duplicates()
    alone = told[~told[kind].duplicated(keep=False)]
    return {(kind, own): (parent, other) for own, other in zip(alone[kind], alone[parent], strict=True)}


def _per_person(inputs: Inputs, site: Site) -> pd.DataFrame:
    """What each person adds to the sums: nothing, unless their need is high."""
    import numpy as np
    import pandas as pd
    import pyarrow.compute as pc

    columns = arrow_columns(inputs, WANTED)
    has_usual_gp = pc.is_valid(columns.pop("usual_gp_code")).to_numpy()
    array: Mapping[str, np.ndarray] = {name: values(column) for name, column in columns.items()}
    high, received = array["need_level"] == "high", array["received_percentile"]
    known = high & ~np.isnan(received)
    return pd.DataFrame(
        {
            "high_need_count": high.astype(np.int64),
            "received_known_count": known.astype(np.int64),
            "low_received_count": (known & (received < site.lists.low_continuity_below)).astype(np.int64),
            "upc_sum": np.where(known, array["upc"], 0.0),
            "own_contacts": np.where(high & has_usual_gp, array["usual_gp_contact_count"], 0.0),
            "contacts": np.where(high & has_usual_gp, array["continuity_practice_contact_count"], 0.0),
        }
    )
