"""What became of a person after an index date: each rule as a small story, and all of them together against a plain re-telling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuller_popheath import registry
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.engine import Engine
from fuller_popheath.errors import ContractBroken, InputMissing, SettingsWrong
from fuller_popheath.feature_store import build_feature
from fuller_popheath.risk.outcome_labels import label, labels, outcome_label
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

INDEX = date(2024, 8, 1)
AS_OF = INDEX + timedelta(days=365)
HOME, OTHER = "P81001", "P81002"
FITTING = {"practice_code": HOME, "provider_code": "RXN", "sex": "female", "settled_by": "only_registration", "registration_type": "regular"}
EMERGENCY, ED, DEATH, MONTH = "emergency_admission_12m", "ed_attendance_12m", "death_12m", "readmission_30d"


def day(after: int) -> date:
    return INDEX + timedelta(days=after)


def a_person(number: int) -> str:
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[number >> shift & 31] for shift in range(55, -1, -5))


def a_table(contract_id: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of a table from what matters; what is required and not said is something that fits."""
    import pyarrow as pa

    contract = load_contract(contract_id)

    def cell(row: Mapping[str, Any], name: str) -> Any:
        column = contract.column(name)
        if name in row or not column.required:
            return row.get(name)
        fitting = {"date": INDEX - timedelta(days=2000), "boolean": False, "integer": 0, "number": 0.0}
        return FITTING.get(name) or (column.allowed or (fitting.get(column.logical_type, "x"),))[0]

    full = [{"as_of": INDEX, "person_id": a_person(row.get("person", 0)), **row} for row in rows]
    return conform(pa.table({f.name: pa.array([cell(row, f.name) for row in full], f.type) for f in contract.schema}), contract)


@dataclass
class Story:
    """One person's lists, stays and attendances in days after the index date. Registrations: (practice, start, end, death, extract)."""

    registrations: list[tuple[str, int, int | None, int | None, int]] = field(default_factory=lambda: [(HOME, -900, None, None, 365)])
    stays: list[tuple[int, int | None, str, int]] = field(default_factory=list)
    attended: list[int] = field(default_factory=list)


def stay(admitted: int, discharged: int | None = None, method: str = "21", recorded: int | None = None) -> tuple[int, int | None, str, int]:
    return admitted, discharged, method, admitted if recorded is None else recorded


def lists(
    *registrations: tuple[str, int, int | None], died: int | None = None, told: int = 365
) -> list[tuple[str, int, int | None, int | None, int]]:
    return [(*registration, died, told) for registration in registrations]


LEAVER, DEAD = Story(lists((HOME, -900, 200))), Story(lists((HOME, -900, 300), died=300))
"""Somebody has to have left and died, or the lists are not believed."""


def the_tables(stories: list[Story]) -> dict[str, pa.Table]:
    told = [*stories, LEAVER, DEAD]
    registrations = [
        {
            "person": number,
            "practice_code": practice,
            "registration_start_date": day(start),
            "registration_end_date": None if end is None else day(end),
            "death_date": None if died is None else day(died),
            "extract_date": day(extract),
        }
        for number, story in enumerate(told)
        for practice, start, end, died, extract in story.registrations
    ]
    spells = [
        {
            "person": number,
            "admission_date": day(admitted),
            "discharge_date": None if discharged is None else day(discharged),
            "admission_method": method,
            "is_emergency": method.startswith("2"),
            "recorded_date": day(recorded),
        }
        for number, story in enumerate(told)
        for admitted, discharged, method, recorded in story.stays
    ]
    arrivals = [{"person": number, "arrival_date": day(on), "recorded_date": day(on)} for number, story in enumerate(told) for on in story.attended]
    return {
        "core/person": a_table("core/person", [{"person": number} for number in range(len(told))]),
        "core/registration": a_table("core/registration", registrations),
        "core/spell": a_table("core/spell", spells),
        "core/ed_attendance": a_table("core/ed_attendance", arrivals),
    }


def with_hospital(tables: dict[str, pa.Table], engine: Engine) -> dict[str, pa.Table]:
    return {**tables, "features/hospital": build_feature(registry.features()["features/hospital"], engine, tables, Night(INDEX, Site()))}


def told(outcome: str, *stories: Story, as_of: date = AS_OF) -> list[dict[str, Any]]:
    """What `label` says of each story's person."""
    tables = the_tables(list(stories))
    with Engine.duckdb() as engine:
        tables = with_hospital(tables, engine) if outcome.startswith("readmission") else tables
        made = label(registry.outcomes()[outcome], engine, tables, Night(INDEX, Site()), as_of)
    assert made["person_id"].equals(tables["core/person"]["person_id"])
    refuse_if_broken(outcome_label(INDEX, as_of, {outcome: made}), load_contract("risk/outcome_label"))
    return made.to_pylist()[: len(stories)]


def ends(outcome: str, *stories: Story) -> list[tuple[bool, int, str]]:
    return [(row["has_outcome"], row["followed_days"], row["ended_by"]) for row in told(outcome, *stories)]


def test_what_is_declared_is_what_the_project_promised() -> None:
    outcomes = registry.outcomes()
    assert {name: spec.horizon_days for name, spec in outcomes.items()} == {EMERGENCY: 365, ED: 365, MONTH: 30, "readmission_12m": 365, DEATH: 365}
    assert [name for name, spec in outcomes.items() if not spec.for_lists] == [DEATH]
    assert (outcomes[EMERGENCY].highest_auroc, outcomes[EMERGENCY].highest_auroc_synthetic) == (0.85, 0.88)
    assert all(0.7 < spec.highest_auroc < spec.highest_auroc_synthetic < 1 for spec in outcomes.values())


def test_follow_up_begins_on_the_index_date_and_ends_before_the_horizon() -> None:
    on = [Story(stays=[stay(days, days + 2)]) for days in (-1, 0, 364)]
    assert ends(EMERGENCY, *on) == [(False, 365, "horizon"), (True, 0, "event"), (True, 364, "event")]
    assert ends(ED, Story(attended=[-1, 365]), Story(attended=[200, 40])) == [(False, 365, "horizon"), (True, 40, "event")]


def test_planned_stays_births_and_transfers_are_no_emergencies() -> None:
    assert ends(EMERGENCY, Story(stays=[stay(10, 12, "11"), stay(20, 22, "31"), stay(30, 32, "81")])) == [(False, 365, "horizon")]


def test_a_stay_that_is_told_later_is_not_known_yet() -> None:
    late, known = Story(stays=[stay(360, 364, recorded=365)]), Story(stays=[stay(360, 364, recorded=364)])
    assert [row["has_outcome"] for row in told(EMERGENCY, late, known)] == [False, True]


def test_death_ends_follow_up_without_the_outcome_and_is_one_itself() -> None:
    died = lists((HOME, -900, 100), died=100)
    stories = [Story(died), Story(died, stays=[stay(90, 100)]), Story(died, stays=[stay(100)]), Story(died, stays=[stay(101)])]
    assert ends(EMERGENCY, *stories) == [(False, 100, "death"), (True, 90, "event"), (True, 100, "event"), (False, 100, "death")]
    assert ends(DEATH, *stories[:1], Story(lists((HOME, -900, None)))) == [(True, 100, "event"), (False, 365, "horizon")]


def test_who_leaves_every_list_is_out_whatever_happened_before() -> None:
    left = lists((HOME, -900, 100))
    stories = [Story(left), Story(left, stays=[stay(99)]), Story(left, stays=[stay(100)]), Story(left, stays=[stay(150)])]
    assert ends(EMERGENCY, *stories) == [(False, 100, "left")] * 4


def test_a_move_between_our_lists_is_no_leaving_even_with_a_gap() -> None:
    moved, back = lists((HOME, -900, 100), (OTHER, 160, None)), lists((HOME, -900, 100), (OTHER, 160, 300))
    assert ends(EMERGENCY, Story(moved, stays=[stay(120)]), Story(moved), Story(back)) == [
        (True, 120, "event"),
        (False, 365, "horizon"),
        (False, 300, "left"),
    ]


def test_a_registration_that_an_old_list_still_shows_is_over_when_the_next_begins() -> None:
    stale = [(HOME, -900, None, None, 50), (OTHER, 100, 200, None, 365)]
    newer = [(HOME, -900, None, None, 365), (OTHER, 100, 200, None, 365)]
    elsewhere_for_a_while = [(HOME, -900, None, None, 50)]
    assert ends(EMERGENCY, Story(stale), Story(newer), Story(elsewhere_for_a_while)) == [
        (False, 200, "left"),
        (False, 365, "horizon"),
        (False, 365, "horizon"),
    ]


def test_a_registration_that_ends_shortly_before_a_death_ended_because_of_it() -> None:
    near, far = Story(lists((HOME, -900, 100), died=190)), Story(lists((HOME, -900, 100), died=191))
    assert ends(EMERGENCY, near, far) == [(False, 190, "death"), (False, 100, "left")]
    assert ends(DEATH, near, far) == [(True, 190, "event"), (False, 100, "left")]
    # Of a month's follow-up: left on the 20th day, died after its end.
    later = Story(lists((HOME, -900, 20), died=60))
    assert ends(MONTH, later, Story(lists((HOME, -900, 20), died=111))) == [(False, 30, "horizon"), (False, 20, "left")]


def test_a_death_of_another_practices_list_counts() -> None:
    told_elsewhere = [(HOME, -900, None, None, 50), (OTHER, -2000, -900, 80, 365)]
    assert ends(EMERGENCY, Story(told_elsewhere)) == [(False, 80, "death")]


def test_at_risk_of_a_readmission_is_who_came_home_in_the_month_before() -> None:
    stories = [
        Story(stays=[stay(-40, -30)]),
        Story(stays=[stay(-40, -31)]),
        Story(stays=[stay(-5, -1, "11")]),
        Story(stays=[stay(-20, -10), stay(-4, None)]),
        Story(stays=[stay(-20, 5)]),
        Story(stays=[stay(-20, -10, recorded=0)]),
        Story(),
    ]
    assert [row["is_at_risk"] for row in told(MONTH, *stories)] == [True, False, True, False, False, False, False]
    assert [row["is_at_risk"] for row in told("readmission_12m", *stories)] == [True, True, True, False, False, False, False]
    assert all(row["is_at_risk"] for row in told(EMERGENCY, *stories))


def test_a_readmission_within_thirty_days() -> None:
    home = stay(-20, -10)
    stories = [Story(stays=[home, stay(29)]), Story(stays=[home, stay(30)]), Story(stays=[home, stay(3, 4, "12")])]
    assert [(row["has_outcome"], row["days_to_event"]) for row in told(MONTH, *stories)] == [(True, 29), (False, None), (False, None)]


def test_follow_up_must_be_over() -> None:
    assert told(EMERGENCY, Story(), as_of=AS_OF)[0]["ended_by"] == "horizon"
    with pytest.raises(SettingsWrong, match=r"ends on 2025-08-01, and records go to 2025-07-31; take an index date 365 days before that"):
        told(EMERGENCY, Story(), as_of=AS_OF - timedelta(days=1))


@pytest.mark.parametrize(("gone", "what"), [("registration_end_date", "has left"), ("death_date", "has died")])
def test_lists_of_survivors_are_refused(gone: str, what: str) -> None:
    import pyarrow as pa

    tables = the_tables([Story(), Story()])
    lists_ = tables["core/registration"]
    tables["core/registration"] = lists_.set_column(lists_.column_names.index(gone), gone, pa.nulls(lists_.num_rows, pa.date32()))
    with Engine.duckdb() as engine, pytest.raises(InputMissing, match=rf"of 4 people registered on 2024-08-01 nobody {what} by 2025-08-01"):
        label(registry.outcomes()[EMERGENCY], engine, tables, Night(INDEX, Site()), AS_OF)


def test_people_of_another_day_and_missing_lists_are_refused() -> None:
    tables = the_tables([Story()])
    with Engine.duckdb() as engine:
        with pytest.raises(ContractBroken, match=r"core/person: 3 of 3 rows are not as at the index date, 2024-07-31"):
            label(registry.outcomes()[EMERGENCY], engine, tables, Night(day(-1), Site()), AS_OF)
        with pytest.raises(InputMissing, match="outcomes need core/registration"):
            label(registry.outcomes()[EMERGENCY], engine, {"core/person": tables["core/person"]}, Night(INDEX, Site()), AS_OF)


@pytest.mark.parametrize(("days", "what"), [(range(31, 365), "first 31 days"), (range(334), "last 31 days")])
def test_records_that_do_not_cover_follow_up_are_refused(days: range, what: str) -> None:
    stories = [Story(attended=[on]) for on in days]
    with pytest.raises(InputMissing, match=rf"of 33\d outcomes in the 365 days from 2024-08-01 none fell into the {what}: .* core/ed_attendance"):
        told(ED, *stories)


def test_records_that_nearly_cover_it_are_not() -> None:
    assert sum(row["has_outcome"] for row in told(ED, *(Story(attended=[on]) for on in range(30, 335)))) == 305


def plainly(story: Story, horizon: int, events: list[int]) -> tuple[bool, int, str]:
    """The rules of one person, re-told without a table. Registrations: regular, lists all told on `as_of`."""
    died = min((death for *_, death, _ in story.registrations if death is not None and death < 365), default=None)
    stop = min(horizon, horizon if died is None else died)
    last_end = max(10**4 if end is None or end >= 365 else end for _, start, end, _, _ in story.registrations if start < stop)
    left = last_end if last_end < stop and (died is None or died - last_end > 90) else None
    first = min((event for event in events if 0 <= event < horizon), default=None)
    if left is not None:
        return False, left, "left"
    if first is not None and (died is None or first <= died):
        return True, first, "event"
    return (False, died, "death") if died is not None and died < horizon else (False, horizon, "horizon")


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Somebody who is registered on the index date, maybe elsewhere before or after, and who may die."""
    ahead = st.none() | st.integers(1, 500)
    died = draw(st.none() | st.integers(1, 400))
    own = [(HOME, draw(st.integers(-900, 0)), draw(ahead), died, 365)]
    if draw(st.booleans()):
        start = draw(st.integers(-400, 364))
        own.append((OTHER, start, draw(st.none() | st.integers(start + 1, 600)), None, 365))
    return Story(own, [stay(on) for on in draw(st.lists(st.integers(-60, 364), max_size=4))], draw(st.lists(st.integers(-60, 364), max_size=4)))


def test_all_rules_together() -> None:
    happened: Mapping[str, Callable[[Story], list[int]]] = {
        EMERGENCY: lambda story: [on for on, *_ in story.stays],
        ED: lambda story: story.attended,
        DEATH: lambda story: [death for *_, death, _ in story.registrations if death is not None and death < 365],
        MONTH: lambda story: [on for on, *_ in story.stays],
    }

    @settings(max_examples=6)
    @given(st.lists(stories(), min_size=60, max_size=80))
    def holds(drawn: list[Story]) -> None:
        with Engine.duckdb() as engine:
            tables = with_hospital(the_tables(drawn), engine)
            made = labels([registry.outcomes()[name] for name in happened], engine, tables, Night(INDEX, Site()), AS_OF)
        for outcome, days in happened.items():
            columns = (made[outcome][name].to_pylist() for name in ("has_outcome", "followed_days", "ended_by"))
            horizon = registry.outcomes()[outcome].horizon_days
            assert list(zip(*columns, strict=True))[: len(drawn)] == [plainly(story, horizon, days(story)) for story in drawn]

    holds()
