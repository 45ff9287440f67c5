"""Which practice belongs to which PCN, neighbourhood, place and ICB on the day, and from which snapshot that was read.

ODS rewrites history, so the snapshot stands beside every row. Codes join, names only show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import InputMissing, NothingArrived
from fuller_popheath.place.area_asked_for import practices_of
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    from datetime import date

    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.site import Geography

CONTRACT = "core/neighbourhood_practice"
MEMBERSHIP = "reference/pcn_membership"
MAP = "reference/practice_map"
ORGANISATION = "reference/organisation"
COUNTS = "core/registered_count"
NO_PCN = "U"
NO_PCN_NAME = "Unallocated"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per practice: every PCN member on the day, with a list or not, and every practice with a list and no PCN.

    A practice in a PCN has the PCN's place and ICB, so that each level is the sum of the one below. Restricted to site.geography.icb.
    Raises InputMissing where no file says who belongs to which PCN, or the ICB asked for is unknown.
    """
    import pyarrow as pa

    geography = night.site.geography
    practices = _everywhere(inputs, night)
    practices = practices[practices["practice_code"].isin(practices_of(geography.icb, _areas(practices)))]
    practices = _with_names(practices, inputs[MAP].to_pandas(), geography)
    practices = practices.assign(as_of=night.as_of).sort_values("practice_code", ignore_index=True)
    return conform(pa.Table.from_pandas(practices, preserve_index=False), load_contract(CONTRACT))


def practices_everywhere(inputs: Inputs, night: Night) -> pa.Table:
    """The practices of the whole country as `build` knows them before it keeps those of site.geography.icb, from the same inputs.

    One row per practice: practice_code, icb_code (empty where nothing tells it) and place_code (the sub-ICB). Raises InputMissing as build does.
    """
    return _areas(_everywhere(inputs, night))


def where_no_file_tells(practice_code: ir.StringColumn, geography: Geography) -> ir.StringValue:
    """The neighbourhood of practices that are not in `core/neighbourhood_practice`: the one that site.toml gives them, else `NO_PCN`."""
    import ibis

    by_site = geography.neighbourhood_of_practice
    if not by_site:
        return ibis.literal(NO_PCN)
    return ibis.cases(*((practice_code == code, name) for code, name in sorted(by_site.items())), else_=NO_PCN)


def _areas(practices: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    text = pa.schema([(name, pa.string()) for name in ("practice_code", "icb_code", "place_code")])
    areas = practices[["practice_code", "icb_code"]].assign(place_code=practices["sub_icb_code"])
    return pa.Table.from_pandas(areas, schema=text, preserve_index=False)


def _everywhere(inputs: Inputs, night: Night) -> pd.DataFrame:
    import pandas as pd

    practice_map = inputs[MAP].to_pandas()
    organisation = inputs[ORGANISATION].to_pandas()
    if inputs[MEMBERSHIP].num_rows:
        members = _members_of_epcn(inputs[MEMBERSHIP].to_pandas(), night.as_of)
    elif len(practice_map):
        members = _members_of_map(practice_map)
    else:
        raise NothingArrived(
            "no file says which practice belongs to which PCN: give the ePCN workbook of ODS, or a practice map (gp-reg-pat-prac-map)",
            (MEMBERSHIP, MAP),
            f"PCN, place or ICB of any practice, and no Core20; everybody is in neighbourhood {NO_PCN}, which has no team and so nobody on its list, "
            "but for the practices of [geography.neighbourhood_of_practice] in site.toml",
        )
    alone = _without_pcn(inputs[COUNTS], members, practice_map, organisation)
    practices = pd.concat([members, alone], ignore_index=True) if len(alone) else members
    return _with_icb(practices, practice_map, organisation, night.site.geography)


def _members_of_epcn(membership: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Memberships open on the day: start <= day < end. Of two that are open, the later start counts."""
    import pandas as pd

    starts, ends = (pd.to_datetime(membership[name]) for name in ("start_date", "end_date"))
    day = pd.Timestamp(as_of)
    is_open = (starts <= day) & (ends.isna() | (day < ends))
    if not is_open.any():
        raise InputMissing(f"none of the {len(membership):,} memberships in the ePCN file is open on {as_of}: give the workbook of another date")
    members = membership[is_open].sort_values(["practice_code", "start_date", "pcn_code"]).drop_duplicates("practice_code", keep="last")
    members = members.rename(columns={"pcn_sub_icb_code": "sub_icb_code", "pcn_sub_icb_name": "sub_icb_name"})
    columns = ["practice_code", "practice_name", "pcn_code", "pcn_name", "sub_icb_code", "sub_icb_name", "membership_snapshot", "start_date"]
    return members[columns].assign(membership_source="epcn", known_icb=None)


def _members_of_map(practice_map: pd.DataFrame) -> pd.DataFrame:
    """Members as the map has them: its PCN's sub-ICB is the one of most of its practices (of equals, the lower code), because it names none."""
    columns = ["practice_code", "practice_name", "pcn_code", "pcn_name", "sub_icb_code", "sub_icb_name", "icb_code", "extract_date"]
    members = practice_map[columns].rename(columns={"icb_code": "known_icb"})
    in_pcn = members[members["pcn_code"] != NO_PCN]
    commonest = (
        in_pcn.groupby(["pcn_code", "sub_icb_code", "sub_icb_name", "known_icb"], as_index=False)
        .size()
        .sort_values(["pcn_code", "size", "sub_icb_code"], ascending=[True, False, True])
        .drop_duplicates("pcn_code")
        .set_index("pcn_code")
    )
    for name in ("sub_icb_code", "sub_icb_name", "known_icb"):
        members[name] = _first_known(members["pcn_code"].map(commonest[name]), members[name])
    snapshot = members["extract_date"].astype(str)
    return members.drop(columns="extract_date").assign(membership_snapshot=snapshot, membership_source="practice_map", start_date=None)


def _without_pcn(counts: pa.Table, members: pd.DataFrame, practice_map: pd.DataFrame, organisation: pd.DataFrame) -> pd.DataFrame:
    """Practices with a list and no PCN: code "U", name "Unallocated"; their own sub-ICB and ICB where the map or epraccur knows them."""
    practices = counts.group_by("practice_code").aggregate([("practice_name", "min")]).to_pandas()
    practices = practices.rename(columns={"practice_name_min": "practice_name"})
    alone = practices[~practices["practice_code"].isin(members["practice_code"])].copy()
    by_map, by_ods = practice_map.set_index("practice_code"), organisation.set_index("practice_code")
    for name, source in (("sub_icb_code", "sub_icb_code"), ("known_icb", "icb_code")):
        alone[name] = _first_known(alone["practice_code"].map(by_map[source]), alone["practice_code"].map(by_ods[source]))
    return alone.assign(
        pcn_code=NO_PCN,
        pcn_name=NO_PCN_NAME,
        sub_icb_name=None,
        membership_snapshot=members["membership_snapshot"].max(),
        membership_source=members["membership_source"].iloc[0],
        start_date=None,
    )


def _with_icb(practices: pd.DataFrame, practice_map: pd.DataFrame, organisation: pd.DataFrame, geography: Geography) -> pd.DataFrame:
    """ICB by sub-ICB: as the practice map says, else site.toml, else epraccur's practices in use; last, the practice's own."""
    sub_icb = practices["sub_icb_code"]
    by_map = practice_map.sort_values(["sub_icb_code", "icb_code"]).drop_duplicates("sub_icb_code").set_index("sub_icb_code")["icb_code"]
    in_use = organisation[organisation["status_code"].eq("A") & organisation["icb_code"].notna() & organisation["sub_icb_code"].notna()]
    by_ods = in_use.sort_values(["sub_icb_code", "icb_code"]).drop_duplicates("sub_icb_code").set_index("sub_icb_code")["icb_code"]
    icb = _first_known(practices["known_icb"], sub_icb.map(by_map), sub_icb.map(geography.icb_of_sub_icb), sub_icb.map(by_ods))
    return practices.assign(icb_code=icb)


def _with_names(practices: pd.DataFrame, practice_map: pd.DataFrame, geography: Geography) -> pd.DataFrame:
    """Place and neighbourhood as site.toml maps them, else sub-ICB and PCN; a name that site.toml gives is preferred to a file's."""
    by_map = practice_map.sort_values(["sub_icb_code", "sub_icb_name"]).drop_duplicates("sub_icb_code").set_index("sub_icb_code")["sub_icb_name"]
    icb_names = practice_map.sort_values(["icb_code", "icb_name"]).drop_duplicates("icb_code").set_index("icb_code")["icb_name"]
    sub_icb = practices["sub_icb_code"]
    place = _first_known(sub_icb.map(geography.place_of_sub_icb), sub_icb)
    sub_icb_name = _first_known(practices["sub_icb_name"], sub_icb.map(by_map)).where(place.eq(sub_icb))
    neighbourhood = practices["practice_code"].map(geography.neighbourhood_of_practice)
    icb = practices["icb_code"]
    return practices.assign(
        place_code=place,
        place_name=_first_known(place.map(geography.place_names), sub_icb_name, place),
        icb_name=_first_known(icb.map(geography.icb_names), icb.map(icb_names)),
        neighbourhood_code=_first_known(neighbourhood, practices["pcn_code"]),
        neighbourhood_name=_first_known(neighbourhood.map(geography.neighbourhood_names), neighbourhood, practices["pcn_name"]),
    )


def _first_known(*columns: pd.Series) -> pd.Series:
    """Per row, the first value that is not missing. As objects: a column that is missing throughout has no text type to fill."""
    known = columns[0].astype(object)
    for column in columns[1:]:
        known = known.where(known.notna(), column.astype(object))
    return known.where(known.notna(), None)


TABLE = TableSpec(contract=CONTRACT, inputs=(MEMBERSHIP, MAP, ORGANISATION, COUNTS), build=build)
