"""The hand-written SQL that the feature store is measured against gives the same cells, on records that are chance alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.features_by_hand import COLUMNS, by_feature_store, by_hand, codes_asked_for, differences
from fuller_popheath.specs import Night


def test_the_sql_and_the_feature_store_agree_in_every_cell(ics: dict[str, Any], night: Night, tmp_path: Path) -> None:
    sources = {**ics, "codelists": codes_asked_for()}
    ours, theirs = (make(sources, night, 2, tmp_path) for make in (by_feature_store, by_hand))
    assert ours.column_names == ["person_id", *(name for names in COLUMNS.values() for name in names)]
    # A column that is the same for everybody compares nothing.
    assert [name for name in ours.column_names if len(ours[name].unique()) < 2] == []
    assert differences(ours, theirs) == {}
