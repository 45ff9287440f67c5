"""Counts of indicators as they may leave the house: small ones hidden, others with them, the rest rounded. Both products are made of this.

Besides the five quintiles there is `2-5`, everybody who lives in another quintile than the most deprived, so that Core20 can be held against the rest
where single quintiles are hidden. Equal denominators are one count: were one hidden and the other shown, nothing would be hidden.
It is made once and all products of it, so that they hide the same: those of practices and LSOAs too, which add up to the others.
What does not belong here: exact counts (`indicator_count.py`), rates, intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.cohorts.indicator_count import CONTRACT as COUNTS
from fuller_popheath.cohorts.indicator_count import PRACTICES
from fuller_popheath.cohorts.indicator_flags import Indicators
from fuller_popheath.cohorts.person_columns import PERSON
from fuller_popheath.cohorts.segment_counts import ALL, area_lines, smallest_areas
from fuller_popheath.cohorts.small_areas import COLUMNS, SMALL_AREAS, small_area_lines
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.disclosure.controlled_counts import Line, Same, control, hierarchy
from fuller_popheath.disclosure.rules import rule_named
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.site import Site

CONTRACT = "core/indicator_shown"
SUPPLEMENT = "inbound/indicator_supplement"
NO_QUINTILE, REST = "none", "2-5"
OTHERS = ("2", "3", "4", "5")
PLACE_KEY = ("imd_edition", "area_type", "area_code", "quintile")
KEY = (*PLACE_KEY, "indicator_id")
COUNTED = (*KEY, "numerator", "denominator")
GROUP, INNER = "denominator_of", "inner"


def build(indicators: Indicators, inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition, area, quintile (1 to 5, 2-5 and all; of practices and LSOAs all) and indicator. Raises as `shown_counts` does."""
    import pandas as pd
    import pyarrow as pa

    areas, at = smallest_areas(inputs[PERSON], inputs[PRACTICES])
    exact = pd.concat([inputs[COUNTS].to_pandas()[list(COUNTED)], supplied_counts(inputs[SUPPLEMENT], areas, indicators)], ignore_index=True)
    shown = shown_counts(exact, areas, indicators, night.site, small_area_lines(inputs, areas, at)).assign(as_of=night.as_of)
    shown["age_group"] = shown["indicator_id"].map({name: spec.age_group for name, spec in indicators.items()})
    return conform(pa.Table.from_pandas(shown, preserve_index=False), load_contract(CONTRACT))


def supplied_counts(supplement: pa.Table, areas: pd.DataFrame, indicators: Indicators) -> pd.DataFrame:
    """The supplied rows about areas of tonight. Raises SettingsWrong, naming them, for indicators that are not among those to be supplied."""
    rows = supplement.to_pandas()
    wanted = {name for name, spec in indicators.items() if spec.assign is None}
    if others := sorted(set(rows["indicator_id"]) - wanted):
        raise SettingsWrong(
            f"{SUPPLEMENT} has {', '.join(others[:5])}, which cannot be supplied; what can is {', '.join(sorted(wanted)) or 'nothing'}"
        )
    ours = {(kind, code) for kind in areas.columns for code in areas[kind]}
    is_ours = [place in ours for place in zip(rows["area_type"], rows["area_code"], strict=True)]
    return rows.loc[is_ours, list(COUNTED)]


def shown_counts(exact: pd.DataFrame, areas: pd.DataFrame, indicators: Indicators, site: Site, small: Sequence[Line] = ()) -> pd.DataFrame:
    """KEY, numerator, denominator (null: hidden) and is_hidden, for quintiles 1 to 5, 2-5 and all.

    `exact`: rows of core/indicator_count, and supplied ones (which may lack single quintiles). `areas`: the smallest areas of tonight's people
    (`segment_counts.smallest_areas`); `small`: how practices and LSOAs add up (`small_areas.small_area_lines`).
    Raises ContractBroken where the counts hold an indicator that is not declared, or do not add up.
    """
    if strangers := sorted(set(exact["indicator_id"]) - set(indicators)):
        raise ContractBroken(f"core/indicator_count holds {len(strangers)} indicators that no file declares (any more): make it again")
    counts = _with_the_rest(exact)
    if not len(counts):
        return counts.assign(is_hidden=False)
    places = _columns(counts, indicators)
    counts = counts.merge(places, on="indicator_id", validate="many_to_one")
    wide = counts.pivot(index=[*PLACE_KEY, GROUP], columns="column", values="numerator")
    columns = [str(name) for name in wide.columns]
    denominators = counts.drop_duplicates([*PLACE_KEY, GROUP]).set_index([*PLACE_KEY, GROUP])["denominator"]
    table = wide.join(denominators).reset_index()
    parts = {name: "n1" if name == INNER else "denominator" for name in columns}
    lines = [*area_lines(areas), _quintiles(), *small]
    same = (Same("imd_edition", {"quintile": ALL}),)
    made = control(table, (*PLACE_KEY, GROUP), ("denominator", *columns), lines, rule_named(site.disclosure.rule), same, parts)
    long = made.melt([*PLACE_KEY, GROUP, "denominator"], columns, "column", "numerator")
    result = counts[[*KEY, GROUP, "column"]].merge(long, on=[*PLACE_KEY, GROUP, "column"], validate="one_to_one")
    result = result[[*KEY, "numerator", "denominator"]].astype({"numerator": "Int64", "denominator": "Int64"})
    # Rounded apart, a part may come out larger than its whole.
    result["numerator"] = result["numerator"].where(~(result["numerator"] > result["denominator"]).fillna(False), result["denominator"])
    is_hidden = result["numerator"].isna() | result["denominator"].isna()
    return result.assign(is_hidden=is_hidden).sort_values(list(KEY), ignore_index=True)


def _with_the_rest(exact: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    wanted = exact[exact["quintile"] != NO_QUINTILE]
    others = wanted[wanted["quintile"].isin(OTHERS)]
    by_place = others.groupby([name for name in KEY if name != "quintile"], as_index=False)
    rest = by_place.agg(numerator=("numerator", "sum"), denominator=("denominator", "sum"), parts=("quintile", "size"))
    rest = rest[rest["parts"] == len(OTHERS)].assign(quintile=REST)
    # Whoever supplies the rest supplies it before we add it up.
    both = pd.concat([wanted[list(COUNTED)], rest[list(COUNTED)]], ignore_index=True).drop_duplicates(list(KEY))
    return both.astype({"numerator": "int64", "denominator": "int64"}).sort_values(list(KEY), ignore_index=True)


def _columns(counts: pd.DataFrame, indicators: Indicators) -> pd.DataFrame:
    """Where each indicator's counts stand: indicators with the same denominator in every row are one group, and each has a column of its own.

    One that is within another of its group stands in the column `inner`, and that other in `n1`.
    """
    import pandas as pd

    groups: dict[bytes, list[str]] = {}
    for name, rows in counts.groupby("indicator_id", sort=True):
        groups.setdefault(rows["denominator"].to_numpy().tobytes(), []).append(str(name))
    told = []
    for names in groups.values():
        inner = [name for name in names if indicators[name].within in names][:1]
        first = [indicators[name].within for name in inner]
        others = [name for name in names if name not in (*inner, *first)]
        told += [(name, names[0], f"n{turn}") for turn, name in enumerate((*first, *others), start=1)]
        told += [(name, names[0], INNER) for name in inner]
    return pd.DataFrame(told, columns=["indicator_id", GROUP, "column"])


def _quintiles() -> Line:
    rest: dict[Any, Any] = {(quintile,): (REST,) for quintile in OTHERS}
    return hierarchy(("quintile",), {("1",): (ALL,), (REST,): (ALL,), **rest})


def table_of(indicators: Indicators) -> TableSpec:
    """The table of these indicators."""
    columns = {PERSON: COLUMNS}
    return TableSpec(contract=CONTRACT, inputs=(COUNTS, SUPPLEMENT, PERSON, PRACTICES), build=partial(build, indicators), columns=columns)


def areas_shown(table: pa.Table, are_small: bool) -> pd.DataFrame:
    """The rows of core/indicator_shown about practices and LSOAs, or those about all other areas."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_small = pc.is_in(table["area_type"], value_set=pa.array(SMALL_AREAS))
    return table.filter(is_small if are_small else pc.invert(is_small)).to_pandas()


TABLE = table_of(registry.indicators())
