"""The list behind "people needed to close the gap": for each team its own people of Core20, and none whom it may not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from fuller_popheath.catalogue.products import care_gap_list
from fuller_popheath.cohorts.indicator_flags import people_behind
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken

from .indicator_example import INDICATORS, NIGHT, PEOPLE

if TYPE_CHECKING:
    import pyarrow as pa


def test_whom_it_would_take_to_close_the_gap_are_core20_people_a_team_may_see(inputs: dict[str, pa.Table]) -> None:
    import pyarrow as pa

    few = {name: INDICATORS[name] for name in ("copd_flu_vaccination", "smoking_current")}
    spec, person = care_gap_list.table_of(few), inputs["core/person"].to_pandas()
    people = person["person_id"].tolist()
    words = ["eligible", "below_points", "sensitive_record", "review", "team_excludes", "type_1_objection"]
    seen = [(team, who, words[at % len(words)]) for team in ("T1", "T2") for at, who in enumerate(people[:3_000])]
    candidate = pa.table({name: [row[at] for row in seen] for at, name in enumerate(("team_id", "person_id", "verdict"))})
    objects = np.arange(PEOPLE) % 10 == 0
    given = {**inputs, "core/list_candidate": candidate, "core/person_objection": pa.table({"person_id": people, "excluded_from_rule_list": objects})}
    made = refuse_if_broken(spec.build(given, NIGHT), load_contract("products/care_gap_list")).to_pandas()
    place = np.arange(PEOPLE)
    may = (place < 3_000) & np.isin(place % len(words), (0, 1)) & ~objects & (person["imd_2025_quintile"] == 1).to_numpy()
    behind = {name: set(people_behind(each, inputs, NIGHT)["person_id"].to_pylist()) for name, each in few.items()}
    expected = {who: sorted(name for name in behind if who in behind[name]) for who in np.array(people)[may]}
    expected = {who: names for who, names in expected.items() if names}
    assert set(made["gap_count"]) == {1, 2}, "some are missed in one and some in both"
    for _, rows in made.groupby("team_id"):
        assert dict(zip(rows["person_id"], (sorted(names.split(",")) for names in rows["indicators"]), strict=True)) == expected
        assert (rows["gap_count"] == rows["indicators"].str.count(",") + 1).all()
    with pytest.raises(ContractBroken, match="not about the same people"):
        spec.build({**given, "core/person_objection": given["core/person_objection"].slice(1)}, NIGHT)
