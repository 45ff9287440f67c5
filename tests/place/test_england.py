"""The published files end to end: known figures, and what must hold in all of England."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fuller_popheath.place.bands import BAND_LABELS
from fuller_popheath.place.editions import EDITIONS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

pytestmark = pytest.mark.open_data

Tables = dict[str, "pa.Table"]
Q_COLUMNS = [f"q{quintile}_count" for quintile in range(1, 6)]


def of(tables: Tables, contract_id: str, edition: str | None = None) -> pd.DataFrame:
    frame = tables[contract_id].to_pandas()
    return frame if edition is None else frame[frame["imd_edition"] == edition]


def test_lancashire_and_south_cumbria_is_as_worked_out_outside_this_code(lancashire: Tables) -> None:
    # Worked out once from the published files, outside this code: registrations of 1 July 2022 x IMD 2019 x ePCN of 27 April 2022.
    pcns = of(lancashire, "products/core20_by_pcn", "2019")
    assert len(pcns) == 41
    assert pcns["practice_count"].sum() == 200
    assert pcns["registered_count"].sum() == 1_818_958
    assert pcns["q1_count"].sum() == 556_212
    assert [int((pcns["band"] == label).sum()) for label in BAND_LABELS] == [1, 4, 4, 9, 1, 3, 5, 14]
    assert set(pcns["membership_snapshot"]) == {"2022-04-27"}
    (icb,) = of(lancashire, "products/core20_by_icb", "2019").to_dict("records")
    assert (icb["icb_code"], icb["pcn_count"], icb["practice_count"]) == ("QE1", 41, 200)
    assert round(icb["core20_percent"], 2) == 30.58
    # Counted likewise: from 0.0 % to 76.3 %.
    assert (round(pcns["core20_percent"].min(), 1), round(pcns["core20_percent"].max(), 1)) == (0.0, 76.3)


def test_one_icb_alone_gives_what_it_has_in_all_of_england(england: Tables, lancashire: Tables) -> None:
    for product in ("products/core20_by_pcn", "products/core20_by_practice", "products/core20_by_place", "products/core20_edition_comparison"):
        everywhere, alone = of(england, product), of(lancashire, product)
        assert everywhere[everywhere["icb_code"] == "QE1"].reset_index(drop=True).equals(alone.reset_index(drop=True))


def test_the_eight_sub_icbs_are_the_icb(real_files: Tables, england: Tables, lancashire: Tables, build: Any, night: Any) -> None:
    # Without a map the membership file knows sub-ICBs only (reference lsc_sub_icb.csv); their list is as good as the ICB's code.
    arrived = {name: table for name, table in real_files.items() if name != "reference/practice_map"}
    arrived |= {name: england[name] for name in ("core/registered_count", "core/area_deprivation")}
    made = build(arrived, ["products/core20_by_pcn"], night("00Q,00R,00X,01A,01E,01K,02G,02M"))
    columns = ["pcn_code", "imd_edition", "registered_count", "q1_count"]
    assert of(made, "products/core20_by_pcn")[columns].equals(of(lancashire, "products/core20_by_pcn")[columns])
    assert made["products/core20_by_pcn"]["icb_code"].null_count == 82
    assert made["products/core20_by_pcn"]["rank_in_icb"].null_count == 82, "a rank in no known ICB means nothing"


def test_the_quintiles_of_england_are_as_worked_out_outside_this_code(england: Tables) -> None:
    practices = of(england, "core/practice_quintile", "2019")
    assert practices[Q_COLUMNS].sum().tolist() == [12_814_773, 12_883_402, 12_394_278, 11_974_445, 11_660_743]
    assert practices["unmatched_count"].sum() == 41_301
    assert practices["registered_count"].sum() == 61_768_942
    assert len(practices) == 6_484


def test_people_in_no_pcn_are_as_worked_out_outside_this_code(england: Tables) -> None:
    unplaced = of(england, "products/core20_unplaced", "2019")
    no_pcn = unplaced[unplaced["reason"] == "no_pcn"]
    assert (no_pcn["practice_code"].nunique(), no_pcn["registered_count"].sum()) == (78, 332_411)
    # Counted in the published file: 13,886 in Wales. Its 27,415 without LSOA include those of practices in no PCN, who count there.
    by_reason = unplaced.groupby("reason")["registered_count"].sum()
    assert by_reason["wales"] == 13_886
    without_lsoa = of(england, "core/registered_count").query("lsoa_code == 'NO2011'")["registered_count"].sum()
    assert without_lsoa == 27_415
    assert by_reason["no_lsoa"] == without_lsoa - no_pcn.loc[no_pcn["lsoa_code"] == "NO2011", "registered_count"].sum()


@pytest.mark.parametrize("edition", ["2019", "2025"])
def test_everyone_is_in_a_pcn_figure_or_unplaced(england: Tables, edition: str) -> None:
    matched = of(england, "products/core20_by_pcn", edition)["matched_count"].sum()
    unplaced = of(england, "products/core20_unplaced", edition)["registered_count"].sum()
    assert matched + unplaced == of(england, "core/registered_count")["registered_count"].sum()


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.name)
def test_the_decile_of_a_rank_is_the_published_one_everywhere(real_files: Tables, england: Tables, edition: Any) -> None:
    published = real_files[edition.contract].to_pandas().set_index(edition.code_column)["imd_decile"]
    computed = of(england, "core/area_deprivation", edition.name).query("derivation == 'published'").set_index("lsoa_code")
    assert len(published) == edition.lsoa_count == len(computed)
    assert int((computed["imd_decile"] != published.reindex(computed.index)).sum()) == 0


def test_either_file_1_or_file_7_gives_the_same_quintiles(england: Tables, read_real: Any, build: Any, night: Any) -> None:
    ranks_only = {
        "reference/imd_2019": read_real("reference/imd_2019", "File_1_-_IMD2019_Index_of_Multiple_Deprivation.xlsx"),
        "reference/imd_2025": read_real("reference/imd_2025", "File_1_IoD2025_Index_of_Multiple_Deprivation.xlsx"),
    }
    columns = ["imd_edition", "lsoa_code", "imd_quintile"]
    by_rank = of(build(ranks_only, ["core/area_deprivation"], night()), "core/area_deprivation")[columns]
    full = of(england, "core/area_deprivation")
    by_score = full[full["derivation"] == "published"][columns]
    assert by_rank.reset_index(drop=True).equals(by_score.reset_index(drop=True))


def test_how_many_codes_are_derived_and_how(england: Tables) -> None:
    # reference lsoa_change_codes.csv: England has 31,810 U; 834 split into 1,842; 194 merged into 97; X 10 rows of 6 and 6.
    rows = of(england, "core/area_deprivation").groupby(["imd_edition", "derivation", "change_code"]).size().to_dict()
    assert rows == {
        ("2019", "published", "U"): 31_810,
        ("2019", "published", "S"): 834,
        ("2019", "published", "M"): 194,
        ("2019", "published", "X"): 6,
        ("2019", "inherited", "S"): 1_842,
        ("2019", "inherited", "X"): 2,
        ("2019", "weighted_mean_score", "M"): 97,
        ("2019", "weighted_mean_score", "X"): 4,
        ("2025", "published", "U"): 31_810,
        ("2025", "published", "S"): 1_842,
        ("2025", "published", "M"): 97,
        ("2025", "published", "X"): 6,
        ("2025", "inherited", "M"): 194,
        ("2025", "inherited", "X"): 2,
        ("2025", "shared_equally", "S"): 1_842,
        ("2025", "shared_equally", "X"): 8,
    }


def test_a_split_child_is_its_parent_and_a_merged_one_lies_between_its_parents(real_files: Tables, england: Tables) -> None:
    imd = real_files["reference/imd_2019"].to_pandas().set_index("lsoa11_code")
    derived = of(england, "core/area_deprivation", "2019").set_index("lsoa_code")
    lookup = real_files["reference/lsoa_2011_2021"].to_pandas()
    lookup = lookup[lookup["lsoa11_code"].isin(imd.index)]
    split = lookup[lookup["change_code"] == "S"]
    children, parents = derived.loc[split["lsoa21_code"]], imd.loc[split["lsoa11_code"]]
    assert (children["imd_rank"].to_numpy() == parents["imd_rank"].to_numpy()).all()
    assert (children["imd_score"].to_numpy() == parents["imd_score"].to_numpy()).all()
    merged = lookup[lookup["change_code"] == "M"].merge(imd[["imd_rank", "imd_score"]], left_on="lsoa11_code", right_index=True)
    bounds = merged.groupby("lsoa21_code")[["imd_rank", "imd_score"]].agg(["min", "max"])
    for name in ("imd_rank", "imd_score"):
        value = derived.loc[bounds.index, name]
        assert ((value >= bounds[name, "min"]) & (value <= bounds[name, "max"])).all()


def test_counts_on_2011_codes_keep_each_practice_whole_in_the_2025_edition(england: Tables) -> None:
    old, new = (of(england, "core/practice_quintile", edition).set_index("practice_code") for edition in ("2019", "2025"))
    assert old.index.equals(new.index)
    for column in ("registered_count", "matched_count", "unmatched_count"):
        assert (old[column] == new[column]).all()
    for frame in (old, new):
        assert (frame[Q_COLUMNS].sum(axis=1) == frame["matched_count"]).all()
        assert np.allclose(frame["scored_count"], frame["matched_count"], atol=1e-3)


@pytest.fixture(scope="module")
def england_later(real_files: Tables, england: Tables, read_real: Callable[[str, str], pa.Table], build: Any, night: Any) -> Tables:
    """The same England on the same day, with the membership as ODS had rewritten it half a year later."""
    later = {**real_files, "reference/pcn_membership": read_real("reference/pcn_membership", "ePCN_2023-01-26.xlsx")}
    later |= {name: england[name] for name in ("core/registered_count", "core/area_deprivation")}
    return build(later, ["products/core20_by_pcn"], night())


def test_a_practice_that_moves_on_the_day_counts_in_its_new_pcn_only(england_later: Tables) -> None:
    # F82001 ends in U86966 and starts in U11211 on 1 July 2022; an inclusive end date counts it twice.
    memberships = of(england_later, "reference/pcn_membership").query("practice_code == 'F82001'").set_index("pcn_code")
    assert str(memberships.loc["U86966", "end_date"]) == str(memberships.loc["U11211", "start_date"]) == "2022-07-01"
    practices = of(england_later, "core/neighbourhood_practice")
    assert practices.loc[practices["practice_code"] == "F82001", "pcn_code"].tolist() == ["U11211"]
    assert not practices["practice_code"].duplicated().any()


def test_leyland_changes_band_between_two_snapshots_of_the_same_day(england: Tables, england_later: Tables) -> None:
    # ODS rewrote the membership of 99 practices as at 2022-07-01; no patient moved.
    old, new = (of(tables, "products/core20_by_pcn", "2019").set_index("pcn_name").loc["LEYLAND PCN"] for tables in (england, england_later))
    assert old["pcn_code"] == new["pcn_code"]
    assert (old["membership_snapshot"], new["membership_snapshot"]) == ("2022-04-27", "2023-01-26")
    assert (old["band"], new["band"]) == ("Up to 9.9%", "10.0% to 19.9%")
    codes = [of(tables, "core/neighbourhood_practice").set_index("practice_code")["pcn_code"] for tables in (england, england_later)]
    codes = [code[code != "U"].rename(name) for name, code in zip(("old", "new"), codes, strict=True)]
    both = codes[0].to_frame().join(codes[1], how="outer")
    assert int((both["old"].fillna("-") != both["new"].fillna("-")).sum()) == 99


def test_dormant_members_are_members_without_a_list(england: Tables) -> None:
    practices = of(england, "core/neighbourhood_practice")
    with_list = set(england["core/registered_count"]["practice_code"].to_pylist())
    dormant = practices[~practices["practice_code"].isin(with_list)]
    assert len(dormant) > 0
    assert (dormant["pcn_code"] != "U").all()
    counted = of(england, "products/core20_by_pcn", "2019")["practice_count"].sum()
    assert counted == (practices["pcn_code"] != "U").sum() - len(dormant)


def test_places_and_icbs_are_the_sums_of_their_pcns(england: Tables) -> None:
    pcns, practices = of(england, "products/core20_by_pcn"), of(england, "core/neighbourhood_practice")
    place = practices[practices["pcn_code"] != "U"].drop_duplicates("pcn_code").set_index("pcn_code")["place_code"]
    pcns = pcns.assign(place_code=pcns["pcn_code"].map(place))
    counts = ["practice_count", "registered_count", "matched_count", "unmatched_count", *Q_COLUMNS]
    for level in ("place", "icb"):
        key = ["imd_edition", f"{level}_code"]
        summed = pcns.groupby(key)[counts].sum().assign(pcn_count=pcns.groupby(key).size())
        shown = of(england, f"products/core20_by_{level}").set_index(key)
        assert shown[[*counts, "pcn_count"]].sort_index().equals(summed[[*counts, "pcn_count"]].sort_index())
    assert of(england, "products/core20_by_icb", "2019")["icb_code"].nunique() == 42


def test_without_a_lookup_the_wrong_vintage_is_refused(england: Tables, real_files: Tables, build: Any, night: Any) -> None:
    from fuller_popheath.errors import InputMissing

    arrived = {name: real_files[name] for name in ("reference/imd_2025", "reference/pcn_membership")}
    arrived["core/registered_count"] = england["core/registered_count"]
    with pytest.raises(InputMissing, match=r"33,755 of 33,755 LSOAs\), and 3,520,308 of 61,768,942 .* \(5\.7 %\).*--lsoa-lookup"):
        build(arrived, ["core/practice_quintile"], night())
    right = {**arrived, "reference/imd_2019": real_files["reference/imd_2019"]}
    del right["reference/imd_2025"]
    assert build(right, ["core/practice_quintile"], night())["core/practice_quintile"].num_rows == 6_484
