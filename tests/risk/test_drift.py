"""What goes into a model is compared with what it was made with, from a reference that is small and can be kept."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken
from fuller_popheath.risk.drift import PREDICTED_RISK, drift, reference_of
from fuller_popheath.site import Monitoring

AS_OF = date(2026, 8, 1)
ABOUT = {"outcome": "death_12m", "age_group": "adult", "model_id": "death_12m.adult.additive.2026-08-01.0123abcd0123abcd"}
PEOPLE = 5_000


def features(seed: int = 1, **changes: Any) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns = {
        "as_of": [AS_OF] * PEOPLE,
        "person_id": [f"p{n}" for n in range(PEOPLE)],
        "age_years": pa.array(rng.integers(18, 95, PEOPLE), pa.int64()),
        "latest_bmi": pa.array(rng.normal(27, 4, PEOPLE), mask=rng.random(PEOPLE) < 0.3),
        "has_autism": pa.array(rng.random(PEOPLE) < 0.02, pa.bool_()),
        "sex": rng.choice(["female", "male"], PEOPLE),
        "never_there": pa.array([None] * PEOPLE, pa.float64()),
    }
    return pa.table({**columns, **changes})


def risks(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).beta(1, 12, PEOPLE)


REFERENCE = reference_of(features(), risks())


def found(table: pa.Table, probability: np.ndarray | None = None) -> dict[str, dict[str, Any]]:
    rows = drift(REFERENCE, table, risks() if probability is None else probability, ABOUT, AS_OF, Monitoring())
    refuse_if_broken(rows, load_contract("risk/drift"))
    return {row["feature"]: row for row in rows.to_pylist()}


def test_the_same_people_have_not_changed() -> None:
    rows = found(features())
    assert set(rows) == {"age_years", "latest_bmi", "has_autism", "sex", PREDICTED_RISK}  # nobody has never_there: there is nothing to compare
    assert {row["verdict"] for row in rows.values()} == {"green"}
    assert all(row["population_stability_index"] < 1e-6 for row in rows.values())


def test_other_people_of_the_same_kind_are_green() -> None:
    assert {row["verdict"] for row in found(features(seed=2), risks(seed=2)).values()} == {"green"}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("age_years", pa.array(np.random.default_rng(3).integers(60, 95, PEOPLE), pa.int64())),
        ("sex", ["male"] * PEOPLE),
        ("sex", ["recorded otherwise now"] * PEOPLE),
        ("has_autism", pa.array([True] * PEOPLE, pa.bool_())),
        ("latest_bmi", pa.array([None] * PEOPLE, pa.float64())),
    ],
)
def test_a_feature_that_changed_is_red_and_no_other(name: str, values: Any) -> None:
    verdicts = {feature: row["verdict"] for feature, row in found(features(**{name: values})).items()}
    assert verdicts == {feature: "red" if feature == name else "green" for feature in verdicts}


def test_a_missing_share_that_moved_is_told_in_percentage_points() -> None:
    bmi = features()["latest_bmi"].to_numpy()
    fewer = pa.array(np.where(np.arange(PEOPLE) % 10 == 0, np.nan, bmi), from_pandas=True)
    row = found(features(latest_bmi=fewer))["latest_bmi"]
    assert row["missing_percent_training"] == pytest.approx(100 * np.isnan(bmi).mean(), abs=0.1)
    assert row["missing_percent_now"] == round(100 * (5 * round(fewer.null_count / 5)) / PEOPLE, 1)
    assert row["verdict"] == "amber"  # about seven points of ten


def test_the_reference_survives_a_manifest_and_names_no_person() -> None:
    text = json.dumps(REFERENCE, allow_nan=False)
    assert json.loads(text) == REFERENCE
    assert "p17" not in text and "as_of" not in REFERENCE


def rare(values: dict[int, Any], kind: Any) -> pa.Array:
    """A column in which few people have a value."""
    return pa.array([values.get(n) for n in range(PEOPLE)], kind)


def test_the_reference_holds_nobody_by_their_value() -> None:
    of_few = features(
        days_since_first_palliative_care=rare({7: 138.0, 17: 339.0, 27: 401.0}, pa.float64()),
        days_since_something=rare({n: 1000.0 + 7 * n for n in range(45)}, pa.float64()),
        has_rare_thing=pa.array([n < 3 for n in range(PEOPLE)], pa.bool_()),
        sex=["indeterminate"] + ["female", "male"] * (PEOPLE // 2 - 1) + ["male"],
        smoking_status=pa.array([None] * 4 + ["never"] * (PEOPLE - 4)),
    )
    kept = reference_of(of_few, risks())
    assert "days_since_first_palliative_care" not in kept
    assert kept["sex"]["categories"] == ["female", "male"]
    assert kept["sex"]["shares"][-1] == kept["smoking_status"]["missing_share"] == 0
    assert sum(kept["smoking_status"]["shares"]) == pytest.approx(1)
    assert kept["has_rare_thing"]["shares"] == [0, 1, 0]
    # 45 people of whom each has a value of their own: ranges of ten or more, whose edges are nobody's.
    assert kept["days_since_something"]["upper_edges"] == [1100, 1200]
    assert all(float(f"{edge:.2g}") == edge for edge in kept[PREDICTED_RISK]["upper_edges"])
    for name, bins in kept.items():
        assert all(share == 0 or round(share * PEOPLE) >= 10 for share in bins["shares"]), name


def test_a_rare_thing_that_became_common_is_still_seen() -> None:
    few, many = (pa.array([n < count for n in range(PEOPLE)], pa.bool_()) for count in (3, 1_500))
    kept = reference_of(features(has_autism=few))
    for today, verdict in ((few, "green"), (many, "red")):
        rows = drift(kept, features(has_autism=today), None, ABOUT, AS_OF, Monitoring()).to_pylist()
        assert {row["verdict"] for row in rows if row["feature"] == "has_autism"} == {verdict}


@pytest.mark.parametrize(("there", "told"), [(0, 100.0), (1, None), (7, None), (8, 99.8), (PEOPLE - 8, 0.2), (PEOPLE - 7, None), (PEOPLE, 0.0)])
def test_a_missing_share_that_tells_of_few_people_is_hidden_and_judged_all_the_same(there: int, told: float | None) -> None:
    row = found(features(latest_bmi=rare(dict.fromkeys(range(there), 27.0), pa.float64())))["latest_bmi"]
    assert row["missing_percent_now"] == told
    assert row["verdict"] == "red"


def test_a_missing_share_of_an_older_reference_is_hidden_too() -> None:
    older = {"latest_bmi": {"upper_edges": [20.0], "categories": [], "shares": [0.0002, 0.0002], "missing_share": 0.9996, "people_count": 7_500}}
    (row,) = drift(older, features(), None, ABOUT, AS_OF, Monitoring()).to_pylist()
    assert row["missing_percent_training"] is None
    assert row["verdict"] == "red"


def test_a_feature_that_is_gone_is_refused_by_name_and_a_new_one_is_no_matter() -> None:
    with pytest.raises(ContractBroken, match="1 features it was made with are not there: latest_bmi"):
        found(features().drop_columns(["latest_bmi"]))
    assert "new" not in found(features(new=pa.array([1.0] * PEOPLE)))


def test_nobody_today_is_not_compared() -> None:
    rows = found(features().slice(0, 0), np.zeros(0))
    assert {(row["population_stability_index"], row["verdict"], row["missing_percent_now"]) for row in rows.values()} == {(None, None, None)}


def test_where_no_risks_were_kept_none_are_judged() -> None:
    rows = drift(reference_of(features()), features(), risks(), ABOUT, AS_OF, Monitoring())
    assert PREDICTED_RISK not in rows["feature"].to_pylist()
