"""Continuity received: the table expressions give what the reference of methods/continuity.py gives; which contacts count; lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.methods.continuity import NOBODY, list_continuity, person_continuity
from fuller_popheath.people.list_continuity import TABLE

GROUP, CONTACT, PERSON, LISTS = "features/continuity", "core/contact", "core/person", "core/list_continuity"
INDICES = ("upc", "coc", "hhi", "secon", "mmci")
Build = Callable[..., Any]
GP = {letter: f"G100000{number}" for number, letter in enumerate("ABCDEFG")}


@pytest.fixture(scope="session")
def of(core_table: Build, persons: Build, night: Build, build: Build, ago: Build) -> Build:
    """The features of one person, whose usual GP is A, from visits in order, one a day ("AAB")."""

    def made(visits: str = "", contacts: list[dict[str, Any]] | None = None, usual: str | None = GP["A"], **choice: Any) -> dict[str, Any]:
        rows: list[dict[str, Any]] = [{"contact_date": ago(100 - at), "clinician_id": GP[v]} for at, v in enumerate(visits)]
        rows += contacts or []
        full = [{"person": 0, "clinician_type": "gp", "mode": "telephone", **row} for row in rows]
        people = persons(1, usual_gp_code=usual)
        return build(GROUP, {PERSON: people, CONTACT: core_table(CONTACT, full)}, night(**choice)).to_pylist()[0]

    return made


def test_a_worked_person(of: Build) -> None:
    person = of("AAABBC")
    assert (person["continuity_contact_count"], person["continuity_clinician_count"], person["has_usual_clinician"]) == (6, 3, True)
    assert (person["continuity_upc"], person["continuity_coc"]) == (3 / 6, 8 / 30)
    assert (person["continuity_hhi"], person["continuity_secon"]) == (14 / 36, 3 / 5)
    assert (person["usual_gp_contact_count"], person["usual_gp_share"], person["days_since_last_usual_gp_contact"]) == (3, 0.5, 98)


def test_order_matters_only_for_secon(of: Build) -> None:
    one, other = of("AABB"), of("ABAB")
    assert (one["continuity_secon"], other["continuity_secon"]) == (2 / 3, 0.0)
    differing = [name for name in one if one[name] != other[name]]
    assert differing == ["continuity_secon", "days_since_last_usual_gp_contact"]


def test_within_a_day_the_minute_orders_and_no_minute_comes_last(of: Build, ago: Build) -> None:
    minutes = {"A": (None, 600), "B": (540,)}
    rows = [{"contact_date": ago(9), "start_minute": m, "clinician_id": GP[v]} for v, all_of in minutes.items() for m in all_of]
    assert of(contacts=rows)["continuity_secon"] == 1 / 2  # B, A, A


def test_too_few_contacts_have_no_index_but_count(of: Build) -> None:
    person = of("AA")
    assert (person["continuity_contact_count"], person["usual_gp_contact_count"]) == (2, 2)
    assert [person[f"continuity_{name}"] for name in INDICES] == [None] * 5
    assert (person["has_usual_clinician"], person["usual_gp_share"]) == (None, None)
    assert of("AA", minimum_contacts=2)["continuity_upc"] == 1.0


def test_a_person_without_contacts_has_zeros_and_no_index(of: Build) -> None:
    person = of()
    for column in load_contract(GROUP).columns[2:]:
        assert person[column.name] == column.absent, column.name


def test_a_tie_names_no_usual_clinician(of: Build) -> None:
    assert of("BBBAAA")["has_usual_clinician"] is False
    assert of("ABCDEFG")["has_usual_clinician"] is False
    assert of("BBBAAAB")["has_usual_clinician"] is True


def test_who_has_no_named_gp_has_no_share_of_them(of: Build) -> None:
    person = of("AAAB", usual=None)
    assert (person["usual_gp_contact_count"], person["usual_gp_share"], person["continuity_upc"]) == (0, None, 0.75)


def test_a_gp_with_the_same_code_elsewhere_is_not_the_usual_gp_here(of: Build, ago: Build) -> None:
    elsewhere = [{"contact_date": ago(200), "clinician_id": GP["A"], "practice_code": "P99999"}]
    person = of("AAB", elsewhere)
    assert (person["continuity_contact_count"], person["continuity_practice_contact_count"], person["usual_gp_contact_count"]) == (4, 3, 2)


@pytest.mark.parametrize(
    "one",
    [
        {"category": "clinical_triage"},
        {"category": "group_consultation"},
        {"category": "external_service"},
        {"category": "non_contractual"},
        {"mode": "written"},
        {"clinician_type": "nurse"},
        {"clinician_type": "gp_locum"},
        {"clinician_id": None},
        {"status": "did_not_attend"},
        {"status": "booked"},
    ],
    ids=lambda one: "=".join(map(str, *one.items())),
)
def test_what_does_not_count_by_default(of: Build, ago: Build, one: dict[str, Any]) -> None:
    assert of("AAA", [{"contact_date": ago(5), "clinician_id": GP["B"], **one}]) == of("AAA")


def test_what_counts_is_the_sites_choice(of: Build, ago: Build) -> None:
    nurse = [{"contact_date": ago(5), "clinician_id": "nurse-1", "clinician_type": "nurse", "category": "clinical_triage"}]
    person = of("AAA", nurse, clinician_types=("gp", "nurse"), excluded_categories=())
    assert person["continuity_contact_count"] == 4
    assert of("AAAA", window_days=98)["continuity_contact_count"] == 2


RANDOM_VISITS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(1, 9), st.sampled_from([None, 500, 600])),
    max_size=60,
)


@given(RANDOM_VISITS, st.lists(st.sampled_from([None, 0, 1, 2]), min_size=6, max_size=6), st.integers(2, 4))
@settings(max_examples=25)
def test_equals_the_reference_and_its_lists(
    core_table: Build,
    build: Build,
    night: Build,
    ago: Build,
    visits: list[tuple[int, int, int, int | None]],
    usual: list[int | None],
    minimum: int,
) -> None:
    letters = list(GP.values())
    rows = [
        {"person": p, "clinician_id": letters[c], "contact_date": ago(10 - day), "start_minute": minute, "clinician_type": "gp"}
        for p, c, day, minute in visits
    ]
    people = core_table(PERSON, [{"person": p, "usual_gp_code": None if u is None else letters[u]} for p, u in enumerate(usual)])
    tonight = night(minimum_contacts=minimum)
    made = build(GROUP, {PERSON: people, CONTACT: core_table(CONTACT, rows)}, tonight)
    order = [(day * 2000 + (1999 if minute is None else minute)) * 10 + c for _, c, day, minute in visits]
    expected = person_continuity([p for p, *_ in visits], [c for _, c, *_ in visits], order, minimum)
    for name in INDICES:
        ours = made[f"continuity_{name}"].to_numpy(zero_copy_only=False)[expected.person]
        np.testing.assert_allclose(ours, getattr(expected, name), rtol=1e-14, atol=1e-15, err_msg=name)
    for name, theirs in (("continuity_contact_count", expected.visit_count), ("continuity_clinician_count", expected.clinician_count)):
        assert made[name].to_numpy()[expected.person].tolist() == theirs.tolist()
    has_usual = [made["has_usual_clinician"][int(p)].as_py() for p in expected.person]
    assert has_usual == [None if n < minimum else bool(u != NOBODY) for n, u in zip(expected.visit_count, expected.usual, strict=True)]
    lists = refuse_if_broken(TABLE.build({PERSON: people, GROUP: made}, tonight), load_contract(LISTS)).to_pylist()
    by_list = list_continuity([NOBODY if usual[p] is None else usual[p] for p, *_ in visits], [c for _, c, *_ in visits])
    found = {row["usual_gp_code"]: row for row in lists}
    for place, named in enumerate(by_list.named):
        row = found[letters[named]]
        assert (row["contact_count"], row["usual_gp_contact_count"]) == (by_list.visit_count[place], by_list.with_own_count[place])
        assert row["slicc"] == by_list.slicc[place]
    assert sum(row["person_count"] for row in lists) == 6
    assert found.get("none", {"contact_count": 0})["contact_count"] == by_list.unnamed_visit_count


def test_lists_count_single_contacts_and_leave_out_people_without_a_named_gp(core_table: Build, build: Build, night: Build, ago: Build) -> None:
    usual = [GP["A"], GP["A"], GP["B"], None, GP["C"]]
    seen = [(0, "A"), (1, "A"), (1, "B"), (1, "B"), (2, "A"), (3, "A")]
    people = core_table(PERSON, [{"person": p, "usual_gp_code": u} for p, u in enumerate(usual)])
    rows = [{"person": p, "clinician_id": GP[v], "contact_date": ago(9), "clinician_type": "gp"} for p, v in seen]
    made = build(GROUP, {PERSON: people, CONTACT: core_table(CONTACT, rows)}, night())
    lists = refuse_if_broken(TABLE.build({PERSON: people, GROUP: made}, night()), load_contract(LISTS)).to_pylist()
    shown = [(row["usual_gp_code"], row["person_count"], row["contact_count"], row["usual_gp_contact_count"], row["slicc"]) for row in lists]
    assert shown == [(GP["A"], 2, 4, 2, 0.5), (GP["B"], 1, 1, 0, 0.0), (GP["C"], 1, 0, 0, None), ("none", 1, 1, None, None)]
