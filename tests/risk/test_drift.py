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
ABOUT = {"outcome": "death_12m", "age_group": "adult", "model_id": "death_12m.adult.additive.20260801.0123abcd"}
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
    assert set(rows) == {"age_years", "latest_bmi", "has_autism", "sex", "never_there", PREDICTED_RISK}
    assert {row["verdict"] for row in rows.values()} == {"green"}
    assert all(row["population_stability_index"] < 1e-6 for row in rows.values())
    assert rows["never_there"]["missing_percent_now"] == 100


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
    assert row["missing_percent_training"] == pytest.approx(100 * np.isnan(bmi).mean(), abs=0.01)
    assert row["missing_percent_now"] == pytest.approx(100 * fewer.null_count / PEOPLE)
    assert row["verdict"] == "amber"  # about seven points of ten


def test_the_reference_survives_a_manifest_and_names_no_person() -> None:
    text = json.dumps(REFERENCE, allow_nan=False)
    assert json.loads(text) == REFERENCE
    assert "p17" not in text and "as_of" not in REFERENCE


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
