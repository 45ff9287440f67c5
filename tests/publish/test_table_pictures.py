"""Pictures of indicators, gaps, staff, activity and PLUS groups: what is drawn is what is shown, and what is hidden has no dot."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.publish import activity_pictures, indicator_pictures, inequality_pictures, plus_pictures, workforce_pictures
from fuller_popheath.publish.dotted_rows import Row, Rows, rows_scene
from fuller_popheath.publish.scene import Dot, Line, Scene, Words
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

DAY = date(2026, 8, 1)
NIGHT = Night(DAY, Site())
ICB = {"imd_edition": "2025", "area_type": "icb", "area_code": "QE1"}


def words(scene: Scene) -> list[str]:
    return [mark.text for mark in scene.marks if isinstance(mark, Words)]


def rows_of(drawn: Rows) -> dict[str, Row]:
    return {row.label: row for rows in drawn.sections.values() for row in rows}


def test_dots_stand_where_their_values_are_and_rows_without_one_say_so() -> None:
    some = [Row("low", 10.0, 5.0, 20.0, 15.0, "10"), Row("none", None), Row("high", 50.0, said="50")]
    scene = rows_scene(Rows("Title", "Below it", {"": some[:1], "Heading": some[1:]}, ("A note.",), lambda value: f"{value:g}", begins_at=0.0))
    dots = [mark for mark in scene.marks if isinstance(mark, Dot)]
    assert len(dots) == 3
    beside, low, high = (dot.x for dot in dots)
    # 10, 15 and 50 on one axis
    assert (high - low) / (beside - low) == pytest.approx(8)
    whisker = next(mark for mark in scene.marks if isinstance(mark, Line) and mark.y1 == mark.y2 == dots[1].y and mark.stroke_width == 1.6)
    assert (whisker.x2 - whisker.x1) / (beside - low) == pytest.approx(3)
    assert words(scene).count("hidden") == 1
    assert {"Heading", "A note.", "low", "none", "high"} <= set(words(scene))


def test_every_indicator_of_an_icb_has_core20_beside_everybody() -> None:
    usual = {**ICB, "indicator_id": "smoking_current", "lower": 15.0, "upper": 25.0}
    rows = [{**usual, "quintile": "1", "value": 20.0}, {**usual, "quintile": "all", "value": 14.0}]
    rows += [{**usual, "indicator_id": "smi_all_six_checks", "quintile": q, "value": None, "lower": None, "upper": None} for q in ("1", "all")]
    rows += [{**rows[0], "area_type": "pcn", "area_code": "U00001", "value": 99.0}, {**rows[0], "imd_edition": "2019", "value": 98.0}]
    (adults,) = indicator_pictures.pictures_of(pd.DataFrame(rows), "2025")
    found, specs = rows_of(adults), registry.indicators()
    assert set(found) == {specs["smoking_current"].title, specs["smi_all_six_checks"].title}
    assert found[specs["smoking_current"].title] == Row(specs["smoking_current"].title, 20.0, 15.0, 25.0, 14.0, "20.0% / 14.0%")
    assert found[specs["smi_all_six_checks"].title].value is None


def test_a_gap_is_turned_so_that_worse_is_left_whatever_is_better() -> None:
    ends = {"gap": 6.0, "gap_lower": 2.0, "gap_upper": 10.0, "people_to_close_gap": 1_250}
    rows = [{**ICB, **ends, "indicator_id": name} for name in ("smoking_current", "smi_all_six_checks")]
    (adults,) = inequality_pictures.pictures_of(pd.DataFrame(rows), "2025")
    smoking, checks = (rows_of(adults)[registry.indicators()[name].title] for name in ("smoking_current", "smi_all_six_checks"))
    assert (smoking.value, smoking.lower, smoking.upper, smoking.said) == (-6.0, -10.0, -2.0, "−6.0; 1,250 people")
    assert (checks.value, checks.lower, checks.upper) == (6.0, 2.0, 10.0)


def test_staff_are_those_of_the_newest_census_the_fewest_first() -> None:
    usual = {"source": "gp_workforce", "staff_group": "gp", "staff_role": "all", "is_newest": True, "census": "2025", "lower": None, "upper": None}
    told = [
        ("pcn", "U00001", 60.0, True),
        ("pcn", "U00002", 40.0, True),
        ("pcn", "U00001", 1.0, False),
        ("icb", "QE1", 50.0, True),
        ("pcn", "U", 9.0, True),
    ]
    rows = [
        {**usual, "area_type": kind, "area_code": code, "area_name": code, "fte_per_100k": fte, "is_newest": new} for kind, code, fte, new in told
    ]
    (drawn,) = workforce_pictures.pictures_of(pd.DataFrame(rows))
    assert [row.value for row in drawn.sections[""]] == [40.0, 60.0]
    assert drawn.line_at == 50.0


def test_activity_has_everybody_quintiles_of_one_edition_and_pcns() -> None:
    contacts = activity_pictures.MEASURES[0]
    usual = {"imd_edition": "2025", contacts.lower: 90.0, contacts.upper: 4_000.0}
    told = [("icb", "QE1", "all", 3_000.0), ("icb", "QE1", "1", 3_500.0), ("pcn", "U00001", "all", 100.0), ("pcn", "U00002", "all", None)]
    rows = [{**usual, "area_type": kind, "area_code": code, "imd_quintile": q, contacts.column: value} for kind, code, q, value in told]
    drawn = activity_pictures.picture_of(contacts, pd.DataFrame(rows), "2025", {"U00001": "NORTH PCN"})
    assert [[row.said for row in each] for each in drawn.sections.values()] == [["3,000"], ["3,500"], ["100", "hidden"]]


def test_plus_groups_hide_small_counts_and_the_shares_of_everybody_are_of_what_is_shown() -> None:
    import pyarrow as pa

    contract = load_contract("core/person_plus")
    letters = "abcdefghijklmnopqrstuvwxyz"
    ids = [f"aaaaaaaaaa{one}{other}" for one in letters for other in letters]
    told = [("carer", 200, "yes"), ("ethnic_minority", 3, "yes"), ("ethnic_minority", 100, "not_recorded")]
    members = [(group, who, word) for group, count, word in told for who in ids[:count]]
    rows = [{"as_of": DAY, "person_id": who, "plus_group": group, "membership": word} for group, who, word in members]
    table = conform(pa.Table.from_pylist(rows, schema=contract.schema), contract)
    shown = plus_pictures.counted(table, ("carer", "ethnic_minority"), 1_000, NIGHT.site.disclosure.rule)
    found = rows_of(plus_pictures.picture_of(shown))
    assert (found["Unpaid carers"].value, found["Unpaid carers"].said) == (20.0, "20.0%")
    assert next(row for name, row in found.items() if name != "Unpaid carers").value is None
    pictures = plus_pictures.draw(table, {"core/person": pa.table({"person_id": ids[:500] + ids[:500]})}, NIGHT)
    assert [picture[:4] for picture in pictures.values()] == [b"\x89PNG"]


@pytest.mark.parametrize("of", ["products/core20plus5_by_pcn", "products/inequality_by_area", "products/workforce_by_pcn", "core/person_plus"])
def test_a_table_without_rows_has_no_picture(of: str) -> None:
    from importlib import import_module

    from fuller_popheath.contracts import empty_table

    spec = registry.tables()[of]
    inputs: dict[str, Any] = {name: empty_table(load_contract(name)) for name in spec.inputs}
    assert import_module(f"fuller_popheath.publish.{spec.picture}").draw(empty_table(load_contract(of)), inputs, NIGHT) == {}
