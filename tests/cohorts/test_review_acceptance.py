"""How many of the people whom lists proposed are accepted, and that nothing that predicts reads what was said of them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fuller_popheath import registry
from fuller_popheath.cohorts import review_acceptance
from fuller_popheath.cohorts.review_words import LISTS_AGAIN
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.methods.proportions import wilson_interval
from fuller_popheath.site_disclosure import Disclosure
from fuller_popheath.specs import Night

ISSUE, DAY = "list-2026-11-16", date(2026, 11, 16)
LETTERS = "BCDFGHJKMNPQRSTVWXYZ"


def reference(at: int) -> str:
    return f"BCDF{LETTERS[at // 20]}{LETTERS[at % 20]}"


def person(at: int) -> str:
    return f"person{LETTERS[at // 20]}{LETTERS[at % 20]}".lower().ljust(12, "a")


def acceptance(rows: Sequence[Mapping[str, Any]], as_of: date = date(2026, 12, 31)) -> dict[tuple[str, str, str], dict[str, Any]]:
    import pyarrow as pa

    contract = load_contract("core/review")
    full: list[dict[str, Any]] = [
        {"as_of": as_of, "row_reference": reference(at % 400), "issue_id": ISSUE, "reviewed_on": DAY, "is_wish": False, "received_on": DAY}
        | dict(row)
        for at, row in enumerate(rows)
    ]
    site = SimpleNamespace(disclosure=Disclosure())
    made = review_acceptance.build({"core/review": pa.Table.from_pylist(full, schema=contract.schema)}, Night(as_of, site))  # type: ignore[arg-type]
    refuse_if_broken(made, load_contract("products/review_acceptance"))
    return {(row["team_id"], row["reason_code"], row["k"]): row for row in made.to_pylist()}


def said(team: str, first: int, people: int, accepted: int, rank: int = 1, reason: str | None = "dementia") -> list[dict[str, Any]]:
    """So many people of one place on one team's lists, of whom so many were accepted and the others declined."""
    return [
        {
            "team_id": team,
            "person_id": person(first + at),
            "review_outcome": "accepted" if at < accepted else "declined",
            "rank": rank,
            "reason_codes": reason,
        }
        for at in range(people)
    ]


def test_acceptance_at_k_by_team_and_reason_with_its_interval() -> None:
    rows = [
        *said("U1", 0, 40, 20),
        *said("U1", 40, 60, 10, rank=15, reason="housebound"),
        *said("U1", 100, 100, 20, rank=30, reason=None),
        *said("U2", 200, 100, 80),
    ]
    made = acceptance(rows)
    counts = {key: (made[key]["reviewed_count"], made[key]["accepted_count"], made[key]["accepted_percent"]) for key in made}
    assert counts["U1", "all", "10"] == (40, 20, 50.0)
    assert counts["U1", "all", "20"] == (100, 30, 30.0)
    assert counts["U1", "all", "all"] == (200, 50, 25.0)
    assert counts["U1", "dementia", "all"] == (40, 20, 50.0)
    assert counts["all", "all", "all"] == (300, 130, 43.3)
    assert counts["U2", "housebound", "10"] == (0, 0, None)
    low, high = wilson_interval([20], [40])
    row = made["U1", "all", "10"]
    # The interval's own golden numbers stand in tests/methods/test_proportions.py.
    assert (row["lower"], row["upper"]) == (round(100 * float(low[0]), 1), round(100 * float(high[0]), 1))


def test_what_says_nothing_of_a_proposal_is_not_counted_and_a_person_counts_once_a_team() -> None:
    rows = said("U1", 0, 40, 20)
    rows += [
        row | {"review_outcome": word, "person_id": person(100 + at)}
        for at, word in enumerate(("later", "no_lists_please", LISTS_AGAIN))
        for row in said("U1", 0, 1, 0)
    ]
    rows += [
        row | {"reviewed_on": DAY + timedelta(days=1), "review_outcome": "accepted", "issue_id": "list-2026-11-16-2"} for row in said("U1", 20, 10, 0)
    ]
    rows += [row | {"reviewed_on": date(2025, 12, 30)} for row in said("U1", 200, 50, 50)]
    rows += [row | {"reviewed_on": date(2026, 12, 31)} for row in said("U1", 300, 50, 50)]
    assert acceptance(rows)["U1", "all", "all"]["reviewed_count"] == 40
    assert acceptance(rows)["U1", "all", "all"]["accepted_count"] == 30


def test_a_corrected_verdict_counts_as_corrected() -> None:
    rows = said("U1", 0, 40, 20)
    rows += [
        {**row, "row_reference": reference(at), "review_outcome": word, "received_on": DAY + timedelta(days=1)}
        for at, word in ((0, "declined"), (30, "accepted"), (31, "accepted"), (1, "later"))
        for row in rows[at : at + 1]
    ]
    made = acceptance(rows)["U1", "all", "all"]
    assert (made["reviewed_count"], made["accepted_count"]) == (40, 20)  # 39, to the nearest 5; 20 - 1 + 2 - 1


def test_small_numbers_of_reviews_are_hidden_with_whatever_is_made_of_them() -> None:
    made = acceptance([*said("U1", 0, 5, 2), *said("U2", 100, 60, 30), *said("U3", 200, 60, 30)])
    hidden = made["U1", "all", "all"]
    assert (hidden["is_hidden"], hidden["reviewed_count"], hidden["accepted_percent"], hidden["lower"]) == (True, None, None, None)
    assert made["all", "all", "all"]["reviewed_count"] == 125


JUDGEMENT = ("core/review", "inbound/review_outcome", "products/review_acceptance")
PACKAGE = Path(__file__).resolve().parents[2] / "fuller_popheath"


@pytest.mark.parametrize(
    "folder", ["risk", "catalogue/features", "catalogue/facts", "catalogue/outcomes", "catalogue/models", "catalogue/reasons", "methods"]
)
def test_nothing_that_trains_or_predicts_reads_a_review(folder: str) -> None:
    """Reviews are judgements of people who were listed: as labels they would teach a model to list whom it listed."""
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        imports = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not texts & set(JUDGEMENT), path.name
        assert not any("review" in module and "model_review" not in module for module in imports), path.name


def test_no_feature_fact_or_outcome_is_made_from_a_review() -> None:
    declared = [*registry.features().values(), *registry.facts().values(), *registry.outcomes().values()]
    assert not [spec for spec in declared if set(spec.inputs) & set(JUDGEMENT)]
