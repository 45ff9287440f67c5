"""Which counts of a table are hidden, and that whoever adds, takes away and compares shares cannot work out what is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from fuller_popheath.disclosure.controlled_counts import Same, adds_up, control, hierarchy, overlapping, percent_of
from fuller_popheath.disclosure.rules import Rule, rule_named, rules
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.site_disclosure import DISCLOSURE_RULES

RULE = rule_named("redact_1_7_round_5")


def shown(counts: dict[str, int], rule: Rule = RULE) -> dict[str, int | None]:
    """One line: groups, and all of them together."""
    table = pd.DataFrame({"group": list(counts), "people_count": list(counts.values())})
    made = control(table, ("group",), ("people_count",), (adds_up("group"),), rule)
    return {str(g): None if pd.isna(n) else int(n) for g, n in zip(made["group"], made["people_count"], strict=True)}


def test_one_small_group_among_large_ones_costs_nobody_else() -> None:
    assert shown({"a": 3, "b": 1_001, "c": 998, "d": 1_003, "all": 3_005}) == {"a": None, "b": 1_000, "c": 1_000, "d": 1_005, "all": 3_005}


def test_where_rounding_tells_its_sibling_or_the_total_is_hidden_too() -> None:
    # 100 is 98 to 102, and so is the other 100: from 1 to 4 are left for the hidden one, four counts.
    assert shown({"a": 2, "b": 98, "all": 100}) == {"a": None, "b": 100, "all": 100}
    # 95 is 93 to 97 and 105 is 103 to 107: 6 at least, so 6 or 7. Its sibling goes, and says no more than that it is not small.
    assert shown({"a": 7, "b": 97, "all": 104}) == {"a": None, "b": None, "all": 105}
    # Twelve times 1: the total of 12 is shown as 10, so at most 12, and nobody could be more than 1. The total goes.
    twelve = {f"g{n}": 1 for n in range(12)}
    assert shown({**twelve, "all": 12}) == dict.fromkeys((*twelve, "all"))


def test_nothing_is_told_of_a_few_people_not_even_who_is_none_of_them() -> None:
    assert shown({"a": 5, "b": 0, "all": 5}) == {"a": None, "b": None, "all": None}
    assert shown({"a": 50, "b": 0, "all": 50}) == {"a": 50, "b": 0, "all": 50}


def test_people_missing_from_the_parts_are_protected_as_well() -> None:
    # Three people have no quintile: with one quintile exactly known they could be told, so it is as if they were a group.
    exact = rule_named("hide_1_5")
    assert shown({"a": 100, "b": 200, "all": 303}, exact) == {"a": None, "b": 200, "all": 303}
    assert shown({"a": 100, "b": 200, "all": 300}, exact) == {"a": 100, "b": 200, "all": 300}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("redact_1_7_round_5", [0, None, None, 10, 10, 15]),
        ("redact_0_7_round_5", [None, None, None, 10, 10, 15]),
        ("hide_1_5", [0, None, 7, 8, 12, 13]),
        ("hide_1_4", [0, None, 7, 8, 12, 13]),
        ("none", [0, 3, 7, 8, 12, 13]),
    ],
)
def test_each_rule(rule: str, expected: list[int | None]) -> None:
    # 8 becomes 10, 12 becomes 10, 13 becomes 15: the examples of NHS England's rule for HES.
    table = pd.DataFrame({"area": list("abcdef"), "people_count": [0, 3, 7, 8, 12, 13]})
    made = control(table, ("area",), ("people_count",), (), rule_named(rule))
    assert [None if pd.isna(n) else int(n) for n in made["people_count"]] == expected
    assert made["is_hidden"].tolist() == [n is None for n in expected]


def test_the_rules_that_a_site_can_choose_are_those_for_areas_and_each_has_a_source() -> None:
    assert tuple(rule.name for rule in rules().values() if rule.is_for_areas) == DISCLOSURE_RULES
    assert all(rule.source and rule.words for rule in rules().values())
    with pytest.raises(SettingsWrong, match="there is no disclosure rule nhs; there are redact_1_7_round_5"):
        rule_named("nhs")


def test_a_group_that_overlaps_others_is_held_against_everybody() -> None:
    table = pd.DataFrame({"group": ["all", "core", "nearly_all", "few", "half"], "people_count": [1_000, 200, 995, 4, 500]})
    made = control(table, ("group",), ("people_count",), (overlapping("group"),), RULE).set_index("group")["people_count"]
    assert made.isna().to_dict() == {"all": False, "core": False, "nearly_all": False, "few": True, "half": False}
    # Unrounded, the five who are not in it could be read off.
    exact = control(table, ("group",), ("people_count",), (overlapping("group"),), rule_named("hide_1_5")).set_index("group")["people_count"]
    assert exact.isna().to_dict() == {"all": False, "core": False, "nearly_all": True, "few": True, "half": False}


def test_the_same_count_twice_is_hidden_in_both_places_or_in_neither() -> None:
    rows = [(e, q, n) for e, cut in (("2019", (3, 40, 57)), ("2025", (45, 50, 5))) for q, n in zip("123", cut, strict=True)]
    table = pd.DataFrame([*rows, ("2019", "all", 100), ("2025", "all", 100)], columns=["edition", "quintile", "people_count"])
    same = (Same("edition", {"quintile": "all"}),)
    for rule in map(rule_named, DISCLOSURE_RULES):
        made = control(table, ("edition", "quintile"), ("people_count",), (adds_up("quintile"),), rule, same)
        both = made[made["quintile"] == "all"]
        assert both["people_count"].isna().nunique() == 1
        assert made[table["people_count"].between(1, 4)]["is_hidden"].all()
    wrong = table.assign(people_count=table["people_count"].where(table.index != len(table) - 1, 101))
    with pytest.raises(ContractBroken, match="said to be the same count differ"):
        control(wrong, ("edition", "quintile"), ("people_count",), (adds_up("quintile"),), RULE, same)


@pytest.mark.parametrize(
    ("numerator", "denominator", "is_hidden"),
    [(0, 50, False), (3, 50, True), (8, 50, False), (42, 50, False), (43, 50, True), (50, 50, True), (0, 5, True), (0, 0, False), (4, 6, True)],
)
def test_a_share_of_few_or_of_nearly_everybody_is_hidden(numerator: int, denominator: int, is_hidden: bool) -> None:
    table = pd.DataFrame({"area": ["U0"], "with": [numerator], "of": [denominator]})
    made = control(table, ("area",), ("with", "of"), (), RULE, parts={"with": "of"})
    assert bool(made["with"].isna().iloc[0]) is is_hidden
    assert bool(made["of"].isna().iloc[0]) is (1 <= denominator <= 7)


def test_percents_are_made_of_what_is_shown() -> None:
    numerator, denominator = pd.Series([10, None, 30, 0, 55], dtype="Int64"), pd.Series([40, 40, None, 0, 50], dtype="Int64")
    made = percent_of(numerator, denominator)
    assert made.isna().tolist() == [False, True, True, True, False]
    assert made.dropna().tolist() == [25.0, 100.0]


def test_what_cannot_be_controlled_is_refused_with_counts_and_no_values() -> None:
    table = pd.DataFrame({"group": ["a", "b", "all"], "people_count": [60, 70, 100]})
    lines = (adds_up("group"),)
    with pytest.raises(ContractBroken, match="1 totals are smaller than the sum of their parts"):
        control(table, ("group",), ("people_count",), lines, RULE)
    with pytest.raises(ContractBroken, match="1 rows have the key of another row in group"):
        control(table.assign(group=["a", "a", "all"]), ("group",), ("people_count",), lines, RULE)
    with pytest.raises(ContractBroken, match="whole numbers from 0 on"):
        control(table.assign(people_count=[1.5, 2, 3.5]), ("group",), ("people_count",), lines, RULE)
    with pytest.raises(ContractBroken, match="has no column deaths"):
        control(table, ("group",), ("deaths",), lines, RULE)
    with pytest.raises(SettingsWrong, match="deaths is given as a numerator or denominator"):
        control(table, ("group",), ("people_count",), lines, RULE, parts={"deaths": "people_count"})


PCNS, QUINTILES = tuple(f"U{n}" for n in range(4)), ("1", "2", "3")
KEY = ("kind", "area", "quintile")
COUNTS = ("of", "asthma", "copd")
LINES = (hierarchy(("kind", "area"), {("pcn", pcn): ("icb", "Q") for pcn in PCNS}), adds_up("quintile"))
PARTS = {"asthma": "of", "copd": "of"}


def indicators(seed: int) -> pd.DataFrame:
    """Two indicators of the same people, by PCN and quintile, with totals."""
    rng = np.random.default_rng(seed)
    rows = []
    for pcn, quintile in product(PCNS, QUINTILES):
        people = int(rng.choice([4, 15, 60, 400]))
        values = [people, *(int(rng.binomial(people, share)) for share in (0.15, 0.9))]
        rows += [(*area, q, *values) for area in (("pcn", pcn), ("icb", "Q")) for q in (quintile, "all")]
    return pd.DataFrame(rows, columns=[*KEY, *COUNTS]).groupby(list(KEY), as_index=False).sum()


def left_by_an_attack(table: pd.DataFrame, told: pd.DataFrame, within: int) -> list[int]:
    """How many small counts remain possible of each small numerator and denominator, and of few people without a condition.

    The attacker has linear programming, and knows of every shown count how far it can be from the truth, and of every hidden one whether it is small.
    """
    places = {(tuple(row), column): n * len(COUNTS) + k for n, row in enumerate(table[list(KEY)].to_numpy()) for k, column in enumerate(COUNTS)}
    truth, seen = table[list(COUNTS)].to_numpy().reshape(-1), told[list(COUNTS)].to_numpy(float, na_value=np.nan).reshape(-1)
    is_small = truth <= 7
    low = np.where(np.isnan(seen), np.where(is_small, 0, 8), np.where(seen == 0, 0, np.maximum(seen - within, 8)))
    high = np.where(np.isnan(seen), np.where(is_small, 7, np.inf), np.where(seen == 0, 0, seen + within))
    equal, smaller = [], []
    for ((kind, area, quintile), column), place in places.items():
        if quintile == "all":
            equal.append({place: -1} | {places[(kind, area, q), column]: 1 for q in QUINTILES})
        if kind == "icb":
            equal.append({place: -1} | {places[("pcn", pcn, quintile), column]: 1 for pcn in PCNS})
        if column != "of":
            smaller.append({place: 1, places[(kind, area, quintile), "of"]: -1})
    matrices = []
    for sums in (equal, smaller):
        matrix = np.zeros((len(sums), len(truth)))
        for row, entries in enumerate(sums):
            matrix[row, list(entries)] = list(entries.values())
        matrices.append(matrix)
    wanted = [{place: 1} for place in places.values() if 1 <= truth[place] <= 7]
    of_parts = [(entries, truth[next(iter(entries))], truth[list(entries)[1]]) for entries in smaller]
    wanted += [{place: -sign for place, sign in entries.items()} for entries, part, whole in of_parts if whole and whole - part <= 7]
    left = []
    for entries in wanted:
        gain = np.zeros(len(truth))
        gain[list(entries)] = list(entries.values())
        ends = []
        for sign in (1, -1):
            found = linprog(sign * gain, matrices[1], np.zeros(len(smaller)), matrices[0], np.zeros(len(equal)), np.column_stack([low, high]))
            ends.append(sign * found.fun if found.status == 0 else np.inf)
        left.append(int(np.floor(min(ends[1], 7) + 1e-6) - np.ceil(ends[0] - 1e-6)) + 1)
    return left


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_numerators_and_denominators_of_several_indicators_give_nothing_away(seed: int) -> None:
    table = indicators(seed)
    left = left_by_an_attack(table, control(table, KEY, COUNTS, LINES, RULE, parts=PARTS), 2)
    assert len(left) > 10
    assert min(left) >= 4


def test_with_small_counts_blanked_and_nothing_else_they_give_many_away() -> None:
    left: list[int] = []
    for seed in (1, 2, 3, 4):
        table = indicators(seed)
        counts = table[list(COUNTS)].astype("Int64")
        blanked = table.assign(**{name: counts[name].mask(counts[name].between(1, 7)) for name in COUNTS})
        left += left_by_an_attack(table, blanked, 0)
    assert sum(n == 1 for n in left) > len(left) / 3


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from([0, 0, 1, 2, 5, 7, 8, 9, 12, 40, 300]), min_size=3, max_size=3), min_size=2, max_size=5))
def test_any_table_can_be_controlled_and_the_order_of_rows_does_not_matter(counts: list[list[int]]) -> None:
    rows = [(f"U{i}", str(j), n) for i, line in enumerate(counts) for j, n in enumerate(line)]
    table = pd.DataFrame(rows, columns=["area", "segment", "n"])
    table = pd.concat([table, *(table.groupby(by, as_index=False)["n"].sum() for by in (["area"], ["segment"]))]).fillna("all")
    table = pd.concat([table, pd.DataFrame({"area": ["all"], "segment": ["all"], "n": [sum(map(sum, counts))]})], ignore_index=True)
    lines = (adds_up("area"), adds_up("segment"))
    made = control(table, ("area", "segment"), ("n",), lines, RULE)
    told = made["n"].dropna().astype(int)
    assert made.loc[table["n"].between(1, 7), "is_hidden"].all()
    assert (told % 5 == 0).all()
    assert (abs(told - table.loc[told.index, "n"]) <= 2).all()
    backwards = control(table.iloc[::-1], ("area", "segment"), ("n",), lines, RULE)
    assert backwards.loc[table["n"].between(1, 7), "is_hidden"].all()
