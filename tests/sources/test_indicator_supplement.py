"""Counts of indicators that somebody supplies as a CSV."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from fuller_popheath.arrival.landing import plan, read_and_check, survey
from fuller_popheath.site import ArrivalLimits
from fuller_popheath.sources import indicator_supplement

CONTRACT = "inbound/indicator_supplement"
HEADER = "Indicator,Area type,Area code,Edition,IMD quintile,Numerator,Denominator,Period end,Supplied by\n"


def test_a_csv_is_recognised_and_read_and_a_wrong_row_is_quarantined(tmp_path: Path) -> None:
    folder = tmp_path / "landing"
    folder.mkdir()
    rows = [
        'cancer_stage_1_or_2,ICB,QE1,2025,all,"1,352",2603,31/03/2026,NDRS',
        "child-insulin-pump,pcn,u00001,2025,2-5,12,40,2026-03-31,npda",
        "child_insulin_pump,pcn,U00001,2025,all,41,40,2026-03-31,npda",
    ]
    (folder / "indicator_supplement_2026-05-01.csv").write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    arrival = plan(survey(folder, {CONTRACT: indicator_supplement.SOURCE}), date(2026, 5, 2))
    arrived = read_and_check(arrival, CONTRACT, tmp_path / "quarantine", ArrivalLimits(max_quarantined_percent=50))
    told = arrived.table.select(["indicator_id", "area_type", "area_code", "quintile", "numerator", "denominator", "supplied_by"]).to_pylist()
    assert [tuple(row.values()) for row in told] == [
        ("cancer_stage_1_or_2", "icb", "QE1", "all", 1352, 2603, "ndrs"),
        ("child_insulin_pump", "pcn", "U00001", "2-5", 12, 40, "npda"),
    ]
