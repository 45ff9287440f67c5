"""Who objects to statistics is in no count of people that is not for their own care, and only where the site has switched that on."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import contract_ids, load_contract
from fuller_popheath.people.statistics import OBJECTION, of_statistics, without
from fuller_popheath.site import Objections, Site
from fuller_popheath.specs import Night, TableSpec

PEOPLE = pa.table({"person_id": ["a", "b", "c", "d"], "practice_code": ["A81001"] * 4})
FACTS = pa.table({"person_id": ["a", "a", "b", "d"], "subject": ["x", "y", "x", "x"]})
PLACES = pa.table({"practice_code": ["A81001"]})
TOLD = pa.table({"person_id": ["a", "b", "c", "d"], "excluded_from_statistics": [False, True, None, False]})
ON = Site(objections=Objections(type_1=("statistics",), national_data_opt_out=()))


def counting(inputs: Any, night: Night) -> pa.Table:
    return pa.table({"people": [inputs["core/person"].num_rows], "facts": [inputs["core/facts"].num_rows], "places": [inputs["core/place"].num_rows]})


SPEC = of_statistics(TableSpec("products/planted", ("core/person", "core/facts", "core/place"), counting))
INPUTS = {"core/person": PEOPLE, "core/facts": FACTS, "core/place": PLACES}


def test_nobody_who_objects_is_in_a_numerator_or_a_denominator() -> None:
    made = SPEC.build({**INPUTS, OBJECTION: TOLD}, Night(date(2026, 11, 16), ON))
    assert made.to_pylist() == [{"people": 2, "facts": 3, "places": 1}], "b objects, and of c it is not known"


def test_it_is_off_until_the_site_says_so_and_reads_nothing_then() -> None:
    assert SPEC.build(INPUTS, Night(date(2026, 11, 16), Site())).to_pylist() == [{"people": 4, "facts": 4, "places": 1}]
    assert SPEC.inputs == (*INPUTS, OBJECTION)
    assert SPEC.columns[OBJECTION] == ("person_id", "excluded_from_statistics")


def test_the_order_of_those_who_are_left_is_kept_and_other_tables_are_the_same_object() -> None:
    shuffled = PEOPLE.take(pa.array([3, 1, 0, 2]))
    assert without(shuffled, TOLD)["person_id"].to_pylist() == ["d", "a"]
    assert without(PLACES, TOLD) is PLACES
    coded = pa.table({"person_id": PEOPLE["person_id"].dictionary_encode()})
    assert without(coded, TOLD)["person_id"].to_pylist() == ["a", "d"]


JUDGED_OTHERWISE = {
    "products/review_acceptance": "what clinicians said of lists, told back to them",
    "products/workforce_by_pcn": "practices and staff, no persons",
}


def test_every_table_for_secondary_use_that_counts_people_goes_this_way() -> None:
    """Of tables made from persons, those that leave for secondary use; what is made from counts that did so already needs nothing."""
    from_people = {"core/indicator_count"}
    for name, spec in registry.tables().items():
        personal = any("person_id" in load_contract(each).column_names for each in spec.inputs if each in contract_ids() and each != OBJECTION)
        if load_contract(name).purpose == "secondary_use" and personal and name not in JUDGED_OTHERWISE:
            from_people.add(name)
    assert {"products/segment_count", "products/activity_by_pcn", "products/continuity_gap_by_pcn"} <= from_people
    assert [name for name in sorted(from_people) if OBJECTION not in registry.tables()[name].inputs] == []


@pytest.mark.parametrize("purpose", ["list_size", "core20"])
def test_what_no_objection_can_reach_is_refused_rather_than_ignored(purpose: str) -> None:
    with pytest.raises(ValueError, match="made from published counts of whole practices, out of which nobody can be taken"):
        Objections(type_1=(purpose,))
