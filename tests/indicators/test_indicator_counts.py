"""From people to indicators of areas: values, counts that add up, what is shown of them, and gaps."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from fuller_popheath.catalogue.products import core20plus5_by_pcn, indicator_by_small_area, inequality_by_area
from fuller_popheath.cohorts import indicator_count, indicators_shown
from fuller_popheath.cohorts.indicator_flags import flags, people_behind
from fuller_popheath.cohorts.indicator_gaps import gaps
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.site import Site
from fuller_popheath.specs import IndicatorSpec, as_it_left

from .indicator_example import DAY, INDICATORS, NIGHT, PRACTICES, UNPLACED

if TYPE_CHECKING:
    import pyarrow as pa


@pytest.fixture(scope="module")
def exact(inputs: dict[str, pa.Table]) -> pa.Table:
    return refuse_if_broken(indicator_count.TABLE.build(inputs, NIGHT), load_contract("core/indicator_count"))


def test_counts_are_those_of_people_looked_at_one_by_one(inputs: dict[str, pa.Table], exact: pa.Table) -> None:
    """Copd flu vaccination by hand in pandas, from the tables and not from the rule."""
    person, conditions = inputs["core/person"].to_pandas(), inputs["features/conditions"].to_pandas()
    flu = inputs["core/person_cluster"].to_pandas().query("cluster == 'flu_vaccination'")
    vaccinated = set(flu.loc[pd.to_datetime(flu["last_date"]) >= pd.Timestamp(DAY) - pd.Timedelta(days=365), "person_id"])
    on = person[conditions["has_copd"].to_numpy(dtype=bool) & (person["age_years"] >= 18)]
    counted = on.assign(done=on["person_id"].isin(vaccinated)).groupby(["pcn_code", "imd_2025_quintile"])["done"].agg(["sum", "count"])
    rows = exact.to_pandas().query("indicator_id == 'copd_flu_vaccination' and area_type == 'pcn' and imd_edition == '2025'")
    made = rows[rows["quintile"].isin(list("12345"))].set_index(["area_code", "quintile"])[["numerator", "denominator"]]
    assert len(made) == 20
    for (pcn, quintile), (done, everybody) in zip(counted.index, counted.to_numpy(), strict=True):
        assert made.loc[(pcn, str(int(quintile)))].tolist() == [done, everybody]


def test_every_indicator_adds_up_from_pcns_to_the_icb_and_from_quintiles_to_all(exact: pa.Table) -> None:
    frame = exact.to_pandas()
    assert set(frame["indicator_id"]) == {name for name, spec in INDICATORS.items() if spec.assign is not None}
    numbers = ["numerator", "denominator"]
    key = ["imd_edition", "indicator_id", "quintile"]
    by_type = {kind: rows.groupby(key)[numbers].sum() for kind, rows in frame.groupby("area_type")}
    pd.testing.assert_frame_equal(by_type["pcn"], by_type["icb"])
    pd.testing.assert_frame_equal(by_type["place"], by_type["icb"])
    area = ["imd_edition", "area_type", "area_code", "indicator_id"]
    large = frame[~frame["area_type"].isin(["practice", "lsoa"])]
    parts = large[large["quintile"] != "all"].groupby(area)[numbers].sum()
    pd.testing.assert_frame_equal(parts, large[large["quintile"] == "all"].set_index(area)[numbers].sort_index())
    everybody = frame[frame["quintile"] == "all"].pivot(index=area[1:], columns="imd_edition", values=numbers)
    assert (everybody["denominator", "2019"] == everybody["denominator", "2025"]).all()


def test_practices_add_up_to_their_pcn_and_everybody_of_an_lsoa_is_in_its_quintile(inputs: dict[str, pa.Table], exact: pa.Table) -> None:
    frame, numbers = exact.to_pandas(), ["numerator", "denominator"]
    whole = frame[frame["quintile"] == "all"]
    pcn_of = {code: area[0] for code, area in PRACTICES.items()} | {UNPLACED: "U"}
    practices = whole[whole["area_type"] == "practice"].assign(area_code=lambda rows: rows["area_code"].map(pcn_of))
    key = ["imd_edition", "area_code", "indicator_id"]
    of_pcn = whole[whole["area_type"] == "pcn"].set_index(key)[numbers].sort_index()
    pd.testing.assert_frame_equal(practices.groupby(key)[numbers].sum(), of_pcn)
    lsoas = whole[(whole["area_type"] == "lsoa") & (whole["imd_edition"] == "2025")]
    person = inputs["core/person"].to_pandas()
    ours = person[person["practice_code"] != UNPLACED]
    people = ours["lsoa_code"].value_counts()
    assert set(lsoas["area_code"]) == set(people[people >= 100].index)
    assert (people < 100).any()
    adults = ours[(ours["age_years"] >= 18) & inputs["features/conditions"].to_pandas().loc[ours.index, "has_copd"]]
    expected = adults["lsoa_code"].value_counts()
    for row in lsoas[lsoas["indicator_id"] == "copd_flu_vaccination"].to_dict("records"):
        assert row["denominator"] == expected.get(row["area_code"], 0)


def test_the_order_of_facts_changes_nothing(inputs: dict[str, pa.Table], exact: pa.Table) -> None:
    rng = np.random.default_rng(1)
    shuffled = {name: table.take(rng.permutation(table.num_rows)) if name.startswith("core/person_") else table for name, table in inputs.items()}
    assert indicator_count.TABLE.build(shuffled, NIGHT).equals(exact)


FEW = {name: spec for name, spec in INDICATORS.items() if name.startswith(("smi_", "copd_", "child_dental"))}
"""Enough to show every way in which counts hang together: one denominator of several, one numerator within another, very small counts."""


@pytest.fixture(scope="module")
def shown(inputs: dict[str, pa.Table], exact: pa.Table) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    few = exact.filter(pc.is_in(exact["indicator_id"], pa.array(list(FEW))))
    made = indicators_shown.table_of(FEW).build({**inputs, "core/indicator_count": few}, NIGHT)
    return refuse_if_broken(made, load_contract("core/indicator_shown"))


def test_what_is_shown_hides_small_counts_and_keeps_its_contract(shown: pa.Table, exact: pa.Table) -> None:
    built = core20plus5_by_pcn.TABLE.build({"core/indicator_shown": shown}, NIGHT)
    made = refuse_if_broken(built, load_contract("products/core20plus5_by_pcn")).to_pandas()
    assert set(made["quintile"]) == {"1", "2", "3", "4", "5", "all"}
    key = ["imd_edition", "area_type", "area_code", "quintile", "indicator_id"]
    both = made.merge(exact.to_pandas(), on=key, suffixes=("", "_exact"), validate="one_to_one")
    assert len(both) == len(made)
    for name in ("numerator", "denominator"):
        small = both[f"{name}_exact"].between(1, 7)
        assert small.any()
        assert both.loc[small, name].isna().all()
        known = both[both[name].notna()]
        assert (known[name] % 5 == 0).all()
        assert ((known[name] - known[f"{name}_exact"]).abs() <= 5).all()
    known = made[made["value"].notna()]
    assert 0.2 < len(known) / len(made) < 0.9
    np.testing.assert_allclose(known["value"], 100 * known["numerator"] / known["denominator"])
    assert made.loc[made["is_hidden"], ["value", "lower", "upper"]].isna().all(axis=None)
    assert known.loc[known["indicator_id"] == "smi_all_six_checks", "target"].eq(60).all()


def test_what_is_shown_of_small_areas_keeps_its_contract_and_rests_on_the_same_hiding(shown: pa.Table, exact: pa.Table) -> None:
    built = indicator_by_small_area.TABLE.build({"core/indicator_shown": shown}, NIGHT)
    made = refuse_if_broken(built, load_contract("products/indicator_by_small_area")).to_pandas()
    assert set(made["area_type"]) == {"practice", "lsoa"}
    key = ["area_type", "area_code", "indicator_id"]
    told = exact.to_pandas().query("imd_edition == '2019' and quintile == 'all'")
    both = made.merge(told, on=key, suffixes=("", "_exact"), validate="one_to_one")
    assert len(both) == len(made)
    for name in ("numerator", "denominator"):
        assert both.loc[both[f"{name}_exact"].between(1, 7), name].isna().all()
    assert made["is_hidden"].any()
    assert (~made["is_hidden"]).any()


def test_a_practice_that_is_hidden_does_not_follow_from_its_pcn_and_the_others(shown: pa.Table) -> None:
    """U00001 has two practices: where one of them is hidden, so is the other or their PCN."""
    rows = shown.to_pandas().query("imd_edition == '2025' and quintile == 'all' and area_type in ('practice', 'pcn')")
    hidden = rows.set_index(["indicator_id", "area_code"])["numerator"].isna().unstack()
    one_of_two = hidden["A00001"] != hidden["A00002"]
    assert hidden["A00002"].any()
    assert hidden.loc[one_of_two, "U00001"].all()


def test_the_value_that_left_in_an_earlier_month_stands_beside_and_nothing_that_did_not(shown: pa.Table) -> None:
    import pyarrow as pa

    now = core20plus5_by_pcn.TABLE.build({"core/indicator_shown": shown}, NIGHT)
    assert now["previous_value"].null_count == now["previous_as_of"].null_count == now.num_rows
    left, day = now.slice(0, now.num_rows // 2), date(2026, 7, 1)
    left = left.set_column(0, left.schema.field(0), pa.array([day] * left.num_rows, pa.date32()))
    halved = left.set_column(
        left.schema.get_field_index("value"), left.schema.field("value"), pa.array(left["value"].to_numpy() / 2, from_pandas=True)
    )
    built = core20plus5_by_pcn.TABLE.build({"core/indicator_shown": shown, as_it_left("products/core20plus5_by_pcn"): halved}, NIGHT)
    made = refuse_if_broken(built, load_contract("products/core20plus5_by_pcn"))
    assert made.drop_columns(["previous_as_of", "previous_value"]).equals(now.drop_columns(["previous_as_of", "previous_value"]))
    rows = made.to_pandas(date_as_object=True)
    first, then = rows.iloc[: left.num_rows], rows.iloc[left.num_rows :]
    known = first["value"].notna()
    assert known.any()
    np.testing.assert_allclose(first.loc[known, "previous_value"], first.loc[known, "value"] / 2)
    assert set(first.loc[known, "previous_as_of"]) == {day}
    assert first.loc[~known, ["previous_as_of", "previous_value"]].isna().all(axis=None)
    assert then[["previous_as_of", "previous_value"]].isna().all(axis=None)


def test_equal_denominators_are_hidden_together(shown: pa.Table) -> None:
    """Seven indicators of severe mental illness have one denominator: were it hidden in one and shown in another, nothing would be hidden."""
    made = shown.to_pandas()
    told = made[made["indicator_id"].str.startswith("smi_")].groupby(["imd_edition", "area_type", "area_code", "quintile"])["denominator"]
    assert (told.nunique(dropna=False) == 1).all()


def test_gaps_of_areas_keep_their_contract_and_rest_on_what_is_shown(shown: pa.Table) -> None:
    built = inequality_by_area.TABLE.build({"core/indicator_shown": shown}, NIGHT)
    made = refuse_if_broken(built, load_contract("products/inequality_by_area")).to_pandas()
    known = made[~made["is_hidden"] & (made["core20_denominator"] > 0) & (made["rest_denominator"] > 0)]
    assert len(known) > len(made) / 4
    np.testing.assert_allclose(known["gap"], known["core20_value"] - known["rest_value"], atol=1e-9)
    assert known["people_to_close_gap"].notna().all()
    assert made.loc[made["is_hidden"], ["gap", "ratio", "people_to_close_gap"]].isna().all(axis=None)
    assert made.loc[made["area_code"] == "QZZ", "sii"].notna().any()


def supplement(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    contract = load_contract("inbound/indicator_supplement")
    same = {
        "imd_edition": "2025",
        "area_type": "icb",
        "area_code": "QZZ",
        "indicator_id": "cancer_stage_1_or_2",
        "period_end_date": DAY,
        "supplied_by": "ndrs",
    }
    return refuse_if_broken(pa.Table.from_pylist([{**same, **row} for row in rows], schema=contract.schema), contract)


def test_supplied_counts_stand_beside_our_own_and_are_hidden_as_they_are(inputs: dict[str, pa.Table], exact: pa.Table) -> None:
    few = {name: spec for name, spec in INDICATORS.items() if spec.assign is None}
    rows = [("1", 40, 100), ("2-5", 311, 500), ("all", 352, 603)]
    counts = [{"quintile": q, "numerator": x, "denominator": n} for q, x, n in rows]
    counts += [{"area_type": "pcn", "area_code": "U00001", "quintile": "all", "numerator": 3, "denominator": 30}]
    counts += [{"area_code": "QYY", "quintile": "all", "numerator": 3, "denominator": 30}]
    given = {**inputs, "core/indicator_count": exact.slice(0, 0), "inbound/indicator_supplement": supplement(counts)}
    shown = indicators_shown.table_of(few).build(given, NIGHT)
    made = refuse_if_broken(core20plus5_by_pcn.TABLE.build({"core/indicator_shown": shown}, NIGHT), load_contract("products/core20plus5_by_pcn"))
    told = {(row["area_code"], row["quintile"]): row for row in made.to_pylist()}
    assert set(told) == {("QZZ", "1"), ("QZZ", "all"), ("U00001", "all")}
    assert (told["QZZ", "1"]["numerator"], told["QZZ", "all"]["denominator"], told["QZZ", "all"]["target"]) == (40, 605, 75)
    assert told["QZZ", "all"]["method"].endswith("supplied")
    assert told["U00001", "all"]["is_hidden"]
    gap = refuse_if_broken(inequality_by_area.TABLE.build({"core/indicator_shown": shown}, NIGHT), load_contract("products/inequality_by_area"))
    (row,) = (row for row in gap.to_pylist() if row["area_code"] == "QZZ")
    assert (row["core20_value"], row["rest_value"], row["people_to_target"]) == (40.0, 62.0, 104)
    with pytest.raises(SettingsWrong, match="has smoking_current, which cannot be supplied"):
        wrong = supplement([{"indicator_id": "smoking_current", "quintile": "all", "numerator": 1, "denominator": 2}])
        indicators_shown.table_of(few).build({**given, "inbound/indicator_supplement": wrong}, NIGHT)


def test_without_anybody_there_are_no_rows(inputs: dict[str, pa.Table]) -> None:
    nobody = {name: table.slice(0, 0) for name, table in inputs.items()}
    counted = indicator_count.TABLE.build(nobody, NIGHT)
    told = indicators_shown.TABLE.build({**nobody, "core/indicator_count": counted}, NIGHT)
    assert (counted.num_rows, told.num_rows) == (0, 0)
    assert core20plus5_by_pcn.TABLE.build({"core/indicator_shown": told}, NIGHT).num_rows == 0
    assert inequality_by_area.TABLE.build({"core/indicator_shown": told}, NIGHT).num_rows == 0


def shown_of(counts: dict[str, tuple[int | None, int | None]]) -> pd.DataFrame:
    place = {"imd_edition": "2025", "area_type": "pcn", "area_code": "U00001", "indicator_id": "smi_all_six_checks"}
    rows = [{**place, "quintile": q, "numerator": x, "denominator": n, "is_hidden": x is None or n is None} for q, (x, n) in counts.items()]
    return pd.DataFrame(rows).astype({"numerator": "Int64", "denominator": "Int64"})


def test_a_gap_by_hand() -> None:
    """40 of 100 in Core20, 150 of 200 in the rest (75 %): 35 people close the gap; 60 % of 300 is 180 (nobody lacks), of 100 it is 60: 20 more."""
    counts: dict[str, tuple[int | None, int | None]] = {
        "1": (40, 100), "2": (30, 50), "3": (35, 50), "4": (40, 50), "5": (45, 50), "2-5": (150, 200), "all": (190, 300)
    }  # fmt: skip
    made = gaps(shown_of(counts), INDICATORS).iloc[0]
    assert (made["core20_value"], made["rest_value"], made["gap"]) == (40.0, 75.0, -35.0)
    assert made["gap_lower"] < -35 < made["gap_upper"] < 0
    assert made["ratio"] == pytest.approx(40 / 75)
    assert (made["people_to_close_gap"], made["people_to_target"], made["core20_people_to_target"]) == (35, 0, 20)
    assert 0 < made["sii_lower"] < made["sii"] < made["sii_upper"]
    assert made["rii"] > 1


def test_a_hidden_count_hides_what_rests_on_it_and_no_more() -> None:
    counts: dict[str, tuple[int | None, int | None]] = {
        "1": (40, 100), "2": (None, 50), "3": (35, 50), "4": (40, 50), "5": (45, 50), "2-5": (150, 200), "all": (None, 300)
    }  # fmt: skip
    made = gaps(shown_of(counts), INDICATORS).iloc[0]
    assert made["gap"] == -35.0
    assert made[["sii", "rii", "sii_lower", "people_to_target"]].isna().all()
    assert gaps(shown_of({**counts, "1": (None, 100)}), INDICATORS).iloc[0][["gap", "gap_lower", "ratio", "people_to_close_gap"]].isna().all()


def test_the_people_behind_a_figure_are_those_it_lacks(inputs: dict[str, pa.Table], exact: pa.Table) -> None:
    frame = exact.to_pandas().query("area_type == 'icb' and quintile == 'all' and imd_edition == '2025'")
    everywhere = frame.groupby("indicator_id")[["numerator", "denominator"]].sum()
    for name in ("copd_flu_vaccination", "child_asthma_relievers_3_plus"):
        done, whole = everywhere.loc[name]
        found = people_behind(INDICATORS[name], inputs, NIGHT)
        assert found.num_rows == (whole - done if INDICATORS[name].direction == "higher_is_better" else done)
        assert found.column_names == ["person_id", "practice_code", "pcn_code"]


def test_tables_about_others_are_refused(inputs: dict[str, pa.Table]) -> None:
    import pyarrow as pa

    facts = inputs["core/person_cluster"]
    stranger = facts.set_column(1, "person_id", pa.array(["zzzzzzzzzzzz", *facts["person_id"].to_pylist()[1:]]))
    with pytest.raises(ContractBroken, match="1 rows about people who are not in core/person"):
        indicator_count.TABLE.build({**inputs, "core/person_cluster": stranger}, NIGHT)
    with pytest.raises(ContractBroken, match="about people who have one already"):
        indicator_count.TABLE.build({**inputs, "core/person_cluster": pa.concat_tables([facts, facts])}, NIGHT)
    with pytest.raises(ContractBroken, match="not about the same people"):
        indicator_count.TABLE.build({**inputs, "features/medicines": inputs["features/medicines"].slice(1)}, NIGHT)


def test_a_rule_that_does_not_answer_for_everybody_is_refused(inputs: dict[str, pa.Table]) -> None:
    def assign(values: Any, site: Site) -> tuple[np.ndarray, np.ndarray]:
        return values["age_years"] > 5, values["age_years"]

    told = dict.fromkeys(("title", "numerator", "denominator", "exclusions", "source", "limits"), "x")
    spec = IndicatorSpec(
        name="half", area="smoking", age_group="adult", direction="x", assign=assign, columns={"core/person": ("age_years",)}, **told
    )
    with pytest.raises(SettingsWrong, match="does not say true or false of each of 6,000 people for its numerator"):
        list(flags({"half": spec}, inputs, NIGHT))
