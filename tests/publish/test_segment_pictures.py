"""Pictures of segments and of the continuity gap: what is drawn is what is shown, and what is hidden stays white."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fuller_popheath import registry
from fuller_popheath.publish import gap_pictures, segment_pictures
from fuller_popheath.publish.gap_pictures import gap_scene
from fuller_popheath.publish.scene import Box, Dot, Scene, Words
from fuller_popheath.publish.segment_pictures import LEFT, RIGHT, segment_scene
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

NIGHT = Night(as_of=date(2026, 8, 1), site=Site())
FULLER, CHILDREN = registry.segments()["fuller_split"], registry.segments()["children"]
NAMES = {"U00001": "NORTH PCN", "U": "In no PCN"}


def counts(scheme: str, told: dict[str, int | None], **where: str) -> list[dict[str, Any]]:
    """Rows of one bar: people by segment, "all" among them."""
    usual = {"area_type": "icb", "area_code": "QE1", "imd_edition": "2025", "imd_quintile": "all", "people_group": "all", "scheme": scheme}
    return [{**usual, **where, "segment": name, "people_count": count} for name, count in told.items()]


TOWN = [
    *counts("fuller_split", {"continuity": 20, "prevention": 30, "same_day_and_episodic": 50, "all": 100}),
    *counts("fuller_split", {"continuity": None, "prevention": 30, "same_day_and_episodic": 20, "all": 60}, imd_quintile="1"),
    *counts("fuller_split", {"continuity": 0, "prevention": 0, "same_day_and_episodic": 0, "all": 0}, imd_quintile="2"),
    *counts("fuller_split", {"continuity": None, "prevention": None, "same_day_and_episodic": None, "all": None}, people_group="carer"),
    *counts("fuller_split", {"continuity": 20, "prevention": 30, "same_day_and_episodic": 50, "all": 100}, area_type="pcn", area_code="U00001"),
]


def sections(rows: list[dict[str, Any]], scheme: Any) -> Any:
    import pandas as pd

    table = pd.DataFrame(rows).astype({"people_count": "Int64"})
    return segment_pictures.sections_of(table, scheme, "2025", NAMES)


def words(scene: Scene) -> list[str]:
    return [mark.text for mark in scene.marks if isinstance(mark, Words)]


def bars(scene: Scene) -> list[list[float]]:
    """The widths of the coloured parts of each bar, as shares."""
    rows: dict[float, list[float]] = {}
    for mark in scene.marks:
        if isinstance(mark, Box) and mark.fill != "#ffffff" and mark.x >= LEFT and mark.y > 100:
            rows.setdefault(mark.y, []).append(round(mark.width / (RIGHT - LEFT), 3))
    return list(rows.values())


def test_bars_are_shares_and_what_is_hidden_is_left_white() -> None:
    scene = segment_scene(FULLER, sections(TOWN, FULLER), ("Below.",))
    assert bars(scene) == [[0.2, 0.3, 0.5], [0.5, 0.333], [0.2, 0.3, 0.5]]
    said = words(scene)
    assert {"Everybody", "1 (most deprived)", "Unpaid carers", "hidden", "NORTH PCN", "Below."} <= set(said)
    assert "2" not in said  # nobody lives in quintile 2: no bar


def test_rounded_parts_that_exceed_their_whole_still_fit() -> None:
    rows = counts("fuller_split", {"continuity": 35, "prevention": 35, "same_day_and_episodic": 35, "all": 100})
    assert bars(segment_scene(FULLER, sections(rows, FULLER), ())) == [[0.333, 0.333, 0.333]]


def test_adults_do_not_dwarf_the_children() -> None:
    told = {"adult": 900, "complex": 10, "looked_after": 0, "disability": 10, "mental_health": 0, "long_term_condition": 20, "high_use": 10}
    scene = segment_scene(CHILDREN, sections(counts("children", {**told, "generally_well": 50, "all": 1000}), CHILDREN), ())
    assert bars(scene) == [[0.1, 0.1, 0.2, 0.1, 0.5]]
    assert "Adults" not in words(scene) and "100" in words(scene)


def test_one_picture_a_scheme_with_the_rule_of_need_where_it_rests_on_it() -> None:
    import pandas as pd
    import pyarrow as pa

    table = pa.Table.from_pandas(pd.DataFrame(TOWN).astype({"people_count": "Int64"}), preserve_index=False)
    practices = pa.table({"pcn_code": ["U00001"], "pcn_name": ["NORTH PCN"]})
    pictures = segment_pictures.draw(table, {"core/neighbourhood_practice": practices}, NIGHT)
    assert list(pictures) == ["The Fuller split"]
    assert pictures["The Fuller split"].startswith(b"\x89PNG")
    notes = segment_pictures.notes_of(FULLER, NIGHT)
    assert notes[0] == FULLER.limits and any("not validated" in note for note in notes[1:])
    assert segment_pictures.notes_of(registry.segments()["risk_tier"], NIGHT) == (registry.segments()["risk_tier"].limits,)


def gap_rows() -> list[dict[str, Any]]:
    usual = {"area_type": "icb", "area_code": "QE1", "imd_edition": "2025", "imd_quintile": "all"}
    told = [({}, 60, 100), ({"imd_quintile": "1"}, 30, 40), ({"imd_quintile": "2"}, 0, 0), ({"imd_quintile": "3"}, None, 20)]
    told += [({"area_type": "pcn", "area_code": "U"}, 10, 40), ({"area_type": "pcn", "area_code": "U00001"}, 50, 60)]
    return [{**usual, **where, "low_received_count": low, "received_known_count": known} for where, low, known in told]


@pytest.fixture
def gap_table() -> Any:
    import pandas as pd

    return pd.DataFrame(gap_rows()).astype({"low_received_count": "Int64", "received_known_count": "Int64"})


def test_the_gap_is_a_dot_for_what_is_shown_widest_first(gap_table: Any) -> None:
    found = gap_pictures.sections_of(gap_table, "2025", NAMES)
    assert {heading: [(row.label, row.low, row.known) for row in rows] for heading, rows in found.items()} == {
        "": [("Everybody with high need", 60, 100)],
        "Deprivation quintile (IMD 2025)": [("1 (most deprived)", 30, 40), ("3", None, 20)],
        "PCN": [("NORTH PCN", 50, 60), ("In no PCN", 10, 40)],
    }
    scene = gap_scene(found, Site())
    assert sum(isinstance(mark, Dot) for mark in scene.marks) == 4
    assert {"60% of 100", "83% of 60", "hidden"} <= set(words(scene))
    assert any("not validated" in text for text in words(scene))


def test_practices_stand_under_their_pcn_widest_first() -> None:
    import pandas as pd
    import pyarrow as pa

    practices = pa.table(
        {
            "practice_code": ["A00001", "A00002", "A00003", "A00004"],
            "practice_name": ["HIGH STREET", "LOW STREET", None, "NOBODY"],
            "pcn_code": ["U00001", "U00001", None, "U00001"],
            "pcn_name": ["NORTH PCN", "NORTH PCN", None, "NORTH PCN"],
        }
    )
    told = [("A00001", 10, 40), ("A00002", 30, 40), ("A00003", None, 20), ("A00004", 0, 0)]
    rows = [
        {"area_type": "practice", "area_code": c, "imd_edition": "2025", "low_received_count": low, "received_known_count": n} for c, low, n in told
    ]
    table = pd.DataFrame(rows).astype({"low_received_count": "Int64", "received_known_count": "Int64"})
    found = gap_pictures.practice_sections(table, "2025", practices)
    assert {heading: [(row.label, row.low, row.known) for row in rows] for heading, rows in found.items()} == {
        "In no PCN": [("A00003", None, 20)],
        "NORTH PCN": [("LOW STREET", 30, 40), ("HIGH STREET", 10, 40)],
    }
    assert gap_pictures.BY_PRACTICE in words(gap_scene(found, Site(), gap_pictures.BY_PRACTICE))


def test_nothing_to_draw_is_no_picture(gap_table: Any) -> None:
    import pyarrow as pa

    nothing = pa.Table.from_pandas(gap_table, preserve_index=False).slice(0, 0)
    practices = pa.table({"pcn_code": pa.array([], pa.string()), "pcn_name": pa.array([], pa.string())})
    assert gap_pictures.draw(nothing, {"core/neighbourhood_practice": practices}, NIGHT) == {}
