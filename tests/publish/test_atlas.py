"""The atlas as text and data: its figures are the products', it holds without indicators or map, and with hostile names."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.contracts import empty_table, load_contract
from fuller_popheath.errors import InputMissing
from fuller_popheath.publish import atlas
from fuller_popheath.publish.atlas_measures import _class_of, _classes, _gap_class
from fuller_popheath.publish.atlas_shapes import _moved_apart, atlas_map

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night

_spec = importlib.util.spec_from_file_location("atlas_example", Path(__file__).with_name("atlas_example.py"))
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(example)


@pytest.fixture(scope="module")
def tables(
    products: dict[str, pa.Table], registered_count: pa.Table, neighbourhood_practice: pa.Table, lsoa_boundary: pa.Table, night: Night
) -> dict[str, pa.Table]:
    return dict(example.tables(products, registered_count, neighbourhood_practice, lsoa_boundary, night))


@pytest.fixture(scope="module")
def data(tables: dict[str, pa.Table], night: Night) -> dict[str, Any]:
    return _data(atlas.atlas_page(tables, night))


def _data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def test_small_areas_keep_everybody_and_a_divided_code_says_so(tables: dict[str, pa.Table]) -> None:
    by_lsoa = tables["products/core20_by_lsoa"].to_pandas()
    for _, rows in by_lsoa.groupby("imd_edition"):
        assert rows["registered_count"].sum() == 14_634
        assert set(rows["lsoa_vintage"]) <= {"2011", "2021", "both"}
    divided = by_lsoa[(by_lsoa["imd_edition"] == "2025") & (by_lsoa["lsoa_code"] == "E01000003")].iloc[0]
    assert divided["imd_quintile"] == 2, "60 % of its people live in quintile 2"
    assert divided["core20_percent"] == pytest.approx(40)
    assert divided["lsoa_part_count"] == 2
    assert divided["imd_rank"] != divided["imd_rank"]
    assert by_lsoa.set_index(["imd_edition", "lsoa_code"]).loc[("2019", "E01000006"), "practice_count"] == 2


def test_the_figures_are_those_of_the_products(data: dict[str, Any], tables: dict[str, pa.Table]) -> None:
    core20, pcns = data["measures"][0], data["levels"]["pcn"]["codes"]
    for row in tables["products/core20_by_pcn"].to_pylist():
        series = core20["series"][f"all|pcn|{row['imd_edition']}"]
        at = pcns.index(row["pcn_code"])
        assert (series["n"][at], series["d"][at]) == (row["q1_count"], row["registered_count"])
        assert core20["classes"]["all"][series["c"][at]]["label"] == row["band"]
    for row in tables["products/core20plus5_by_pcn"].to_pylist():
        if row["area_type"] == "pcn" and row["quintile"] in ("all", "1"):
            one = next(each for each in data["measures"] if each["id"] == row["indicator_id"])
            series = one["series"][f"{'all' if row['quintile'] == 'all' else 'core20'}|pcn|{row['imd_edition']}"]
            at = pcns.index(row["area_code"])
            assert (series["n"][at], series["d"][at]) == (row["numerator"], row["denominator"])
            assert (series["c"][at] == -1) == row["is_hidden"]


def test_every_series_is_as_long_as_its_level(data: dict[str, Any]) -> None:
    assert set(data["levels"]) == {"lsoa", "practice", "pcn"}, "one place is no level"
    for one in data["measures"]:
        for key, series in one["series"].items():
            view, level, edition = key.split("|")
            assert edition in (*data["editions"], "either")
            assert {len(values) for values in series.values()} == {len(data["levels"][level]["codes"])}
            kind = "gap" if view == "gap" else level if level in one["classes"] else "all"
            assert all(-1 <= at < len(one["classes"][kind]) for at in series["c"])


def test_an_indicator_is_there_by_practice_and_small_area_for_everybody(data: dict[str, Any], tables: dict[str, pa.Table]) -> None:
    one = next(each for each in data["measures"] if each["id"] == "smoking_current")
    small = [row for row in tables["products/indicator_by_small_area"].to_pylist() if row["indicator_id"] == "smoking_current"]
    assert len(small) == 15
    for row in small:
        series, at = one["series"][f"all|{row['area_type']}|either"], data["levels"][row["area_type"]]["codes"].index(row["area_code"])
        assert (series["n"][at], series["d"][at]) == (row["numerator"], row["denominator"])
        assert (series["c"][at] == -1) == row["is_hidden"]
    labels = [each["label"] for each in one["classes"]["lsoa"]]
    assert labels[0] == "60.0% to 69.9%", "of smoking the highest share is the worst; 60 % of 200 people in E01000006"
    assert {key.split("|")[0] for key in one["series"] if "lsoa" in key or "practice" in key} == {"all"}, "no quintiles and no gaps in small areas"


def test_without_small_areas_an_indicator_has_none(tables: dict[str, pa.Table], night: Night) -> None:
    without = _data(atlas.atlas_page({name: table for name, table in tables.items() if name != "products/indicator_by_small_area"}, night))
    assert not [key for one in without["measures"][1:] for key in one["series"] if key.endswith("either")]


def test_both_ends_of_the_line_follow_from_the_two_indices(data: dict[str, Any]) -> None:
    """Regression of U00001's five equal quintiles (50 to 70 %) on the ridit by Newton steps, done here by hand."""
    import math

    at = str([area["code"] for area in data["slopes"]["areas"]].index("U00001"))
    entry = data["slopes"]["of"]["hypertension_on_target"]["2025"][at]
    a, b = 0.0, 0.0
    for _ in range(30):
        g0 = g1 = h00 = h01 = h11 = 0.0
        for ridit, share in zip((0.1, 0.3, 0.5, 0.7, 0.9), (0.50, 0.55, 0.60, 0.65, 0.70), strict=True):
            p = 1 / (1 + math.exp(-a - b * ridit))
            w = p * (1 - p)
            g0, g1, h00, h01, h11 = g0 + share - p, g1 + (share - p) * ridit, h00 + w, h01 + w * ridit, h11 + w * ridit**2
        det = h00 * h11 - h01**2
        a, b = a + (h11 * g0 - h01 * g1) / det, b + (h00 * g1 - h01 * g0) / det
    first, last = 1 / (1 + math.exp(-a)), 1 / (1 + math.exp(-a - b))
    sii, rii = entry["sii"][0] / 100, entry["rii"][0]
    assert sii / (rii - 1) == pytest.approx(first, abs=1e-4)
    assert sii / (rii - 1) + sii == pytest.approx(last, abs=1e-4)


def test_an_area_with_a_hidden_quintile_has_dots_and_no_line(data: dict[str, Any]) -> None:
    codes = [area["code"] for area in data["slopes"]["areas"]]
    assert codes[:1] == ["QA1"], "the whole area first"
    of = data["slopes"]["of"]["smoking_current"]["2019"]
    partly = of[str(codes.index("U00006"))]
    assert partly["q"][4] is None
    assert partly["q"][0][:2] == [300, 1000]
    assert "sii" not in partly
    assert str(codes.index("U00007")) not in of


@pytest.mark.parametrize(
    ("gap", "lower", "upper", "higher", "expected"),
    [
        (-12.0, -15.0, -9.0, True, 0),
        (-4.0, -6.0, -2.0, True, 1),
        (-4.0, -9.0, 1.0, True, 2),
        (4.0, 2.0, 6.0, True, 3),
        (4.0, 2.0, 6.0, False, 1),
        (12.0, 9.0, 15.0, False, 0),
        (0.0, 0.0, 1.0, False, 2),
        (None, None, None, True, -1),
    ],
)
def test_a_gap_is_clear_only_where_its_interval_says_so(
    gap: float | None, lower: float | None, upper: float | None, higher: bool, expected: int
) -> None:
    assert _gap_class(gap, lower, upper, higher) == expected


def test_classes_cover_every_share_and_begin_with_the_worst() -> None:
    import pandas as pd

    rows = pd.DataFrame({"numerator": [100, 999, 1000, None], "denominator": [1000, 1000, 1000, None]}).astype("Int64")
    labels, edges = _classes(rows, True)
    assert labels[0] == "0.0% to 19.9%"
    assert labels[-1] == "100.0% to 100.0%"
    assert [_class_of(n, 1000, edges, True) for n in (100, 199, 200, 1000)] == [0, 0, 1, len(edges) - 1]
    assert _classes(rows, False)[0] == labels[::-1]
    assert _class_of(1000, 1000, edges, False) == 0
    assert _class_of(None, None, edges, True) == _class_of(0, 0, edges, True) == -1


def test_dots_do_not_cover_each_other_and_stay_near() -> None:
    import numpy as np

    points = np.array([[50.0, 50.0]] * 12 + [[80.0, 50.0]])
    radius = np.full(13, 4.0)
    moved = _moved_apart(points, radius)
    apart = np.hypot(*(moved[:, None, :] - moved[None, :, :]).transpose(2, 0, 1)) + 100 * np.eye(13)
    assert apart.min() > 7.5
    assert np.hypot(*(moved - points).T).max() < 25
    assert (_moved_apart(points, radius) == moved).all()


def test_the_map_draws_what_the_practices_mostly_serve(tables: dict[str, pa.Table]) -> None:
    empty = empty_table(load_contract("reference/lsoa_2011_2021"))
    drawn = atlas_map(
        tables["products/core20_by_lsoa"],
        tables["core/registered_count"],
        tables["core/neighbourhood_practice"],
        tables["reference/lsoa_boundary"],
        empty,
    )
    assert drawn is not None
    assert sorted(drawn.lsoa) == [f"E0100000{i}" for i in range(1, 8)]
    assert drawn.vintage == "2021"
    assert drawn.leads["E01000006"] == "U00005", "1,234 people against 900"
    assert "U00006" not in drawn.pcn
    assert len(drawn.practice) == 8
    assert drawn.undrawn_people == 0


def test_a_code_of_the_other_census_is_drawn_from_the_areas_it_became(tables: dict[str, pa.Table]) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    boundary = tables["reference/lsoa_boundary"]
    boundary = boundary.filter(pc.equal(boundary["lsoa_vintage"], "2021"))
    renamed = pc.replace_substring(boundary["lsoa_code"], "E01000003", "E01000099")
    boundary = boundary.set_column(boundary.schema.get_field_index("lsoa_code"), "lsoa_code", renamed)
    schema = load_contract("reference/lsoa_2011_2021").schema
    row = {"lsoa11_code": "E01000003", "lsoa21_code": "E01000099", "change_code": "X"}
    lookup = pa.Table.from_pylist([{name: row.get(name) for name in schema.names}], schema=schema)
    given = (tables["products/core20_by_lsoa"], tables["core/registered_count"], tables["core/neighbourhood_practice"], boundary)
    drawn, without = atlas_map(*given, lookup), atlas_map(*given, empty_table(load_contract("reference/lsoa_2011_2021")))
    assert drawn is not None
    assert without is not None
    assert "E01000003" in drawn.lsoa
    assert "U00002" in drawn.pcn
    assert "E01000003" not in without.lsoa
    assert without.undrawn_people == 2_000


def test_published_data_alone_make_a_page_that_says_so(tables: dict[str, pa.Table], night: Night, tmp_path: Path) -> None:
    only = {name: tables[name] for name in atlas.OPEN_TABLES if name in tables}
    (written,) = atlas.publish_atlas(tmp_path / "open", only, night)
    page = written.read_text(encoding="utf-8")
    assert "no indicators" in page
    assert len(_data(page)["measures"]) == 1
    assert written.stat().st_mode & 0o777 == 0o644
    (whole,) = atlas.publish_atlas(tmp_path / "whole", tables, night)
    assert whole.stat().st_mode & 0o777 == 0o600, "with indicators it belongs in the secondary-use lane"


def test_without_boundaries_there_is_a_page_without_a_map(tables: dict[str, pa.Table], night: Night) -> None:
    page = atlas.atlas_page({name: table for name, table in tables.items() if name != "reference/lsoa_boundary"}, night)
    assert "There is no map" in page
    assert "lsoa" not in _data(page)["levels"]


def test_nothing_to_show_is_refused(night: Night) -> None:
    with pytest.raises(InputMissing, match="core20_by_pcn"):
        atlas.atlas_page({}, night)


def test_names_cannot_become_markup_and_nothing_is_fetched(tables: dict[str, pa.Table], night: Night) -> None:
    page = atlas.atlas_page(tables, night)
    assert page == atlas.atlas_page(tables, night)
    assert page.count("<script") == 2
    assert "<script>alert" not in page
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "style=" not in page.replace("style-src", ""), "the page's own policy refuses styles on elements"
