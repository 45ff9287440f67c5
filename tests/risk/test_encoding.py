"""A model's matrix: fixed columns, order and categories, whatever the table of the day looks like."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from fuller_popheath.errors import ContractBroken
from fuller_popheath.risk.encoding import CATEGORY, FLAG, MOST_CATEGORIES, NUMBER, encoding_of

PEOPLE = pa.table(
    {
        "as_of": pa.array([date(2026, 1, 1)] * 4, pa.date32()),
        "person_id": ["a", "b", "c", "d"],
        "age_years": pa.array([80, 3, None, 41], pa.int64()),
        "latest_bmi": pa.array([None, 21.5, float("nan"), 30.0], pa.float64()),
        "has_copd": pa.array([True, False, None, True], pa.bool_()),
        "sex": pa.array(["male", None, "female", "male"], pa.string()),
    }
)


def test_numbers_flags_and_categories_become_one_matrix_without_who_and_when() -> None:
    encoding = encoding_of(PEOPLE)
    assert encoding.columns == ("age_years", "latest_bmi", "has_copd", "sex")
    assert encoding.kinds == (NUMBER, NUMBER, FLAG, CATEGORY)
    assert encoding.is_categorical == (False, False, False, True)
    assert encoding.categories == {"sex": ("female", "male")}
    expected = [[80, np.nan, 1, 1], [3, 21.5, 0, np.nan], [np.nan, np.nan, np.nan, 0], [41, 30, 1, 1]]
    matrix = encoding.encode(PEOPLE)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, expected)


def test_another_order_more_columns_and_an_unseen_category_change_nothing_else() -> None:
    encoding = encoding_of(PEOPLE)
    other = PEOPLE.select(["sex", "has_copd", "latest_bmi", "age_years"]).append_column("new", pa.array([1.0] * 4))
    np.testing.assert_array_equal(encoding.encode(other), encoding.encode(PEOPLE))
    unseen = other.set_column(0, "sex", pa.array(["indeterminate", "male", "female", None]))
    np.testing.assert_array_equal(encoding.encode(unseen)[:, 3], [np.nan, 1, 0, np.nan])


def test_the_same_rows_whatever_pieces_they_come_in() -> None:
    encoding = encoding_of(PEOPLE)
    pieces = pa.concat_tables([PEOPLE.slice(3), PEOPLE.slice(0, 0), PEOPLE.slice(0, 3)])
    np.testing.assert_array_equal(encoding.encode(pieces)[[1, 2, 3, 0]], encoding.encode(PEOPLE))
    told = PEOPLE.set_column(5, "sex", PEOPLE["sex"].dictionary_encode())
    np.testing.assert_array_equal(encoding.encode(told), encoding.encode(PEOPLE))
    assert encoding.encode(PEOPLE.slice(0, 0)).shape == (0, 4)


def test_only_the_columns_a_model_asks_for() -> None:
    assert encoding_of(PEOPLE, ("sex", "age_years")).columns == ("sex", "age_years")


def test_of_too_many_categories_the_commonest_are_kept() -> None:
    common = [f"v{number:03}" for number in range(MOST_CATEGORIES)]
    encoding = encoding_of(pa.table({"place": [*common, *common, "a rare one", "another"]}))
    assert encoding.categories["place"] == tuple(common)
    assert np.isnan(encoding.encode(pa.table({"place": ["another"]}))).all()


def test_a_column_that_is_gone_or_changed_its_kind_is_refused_by_name() -> None:
    encoding = encoding_of(PEOPLE)
    with pytest.raises(ContractBroken, match="1 of the model's 4 columns are not in the features: has_copd"):
        encoding.encode(PEOPLE.drop_columns(["has_copd"]))
    with pytest.raises(ContractBroken, match="1 columns are no longer of the kind the model was fitted on: age_years"):
        encoding.encode(PEOPLE.set_column(2, "age_years", pa.array(["80", "3", "5", "41"])))


def test_columns_that_no_model_can_use_are_refused_at_the_fit() -> None:
    with pytest.raises(ContractBroken, match="neither numbers, flags nor text: day"):
        encoding_of(PEOPLE.append_column("day", PEOPLE["as_of"]))
    with pytest.raises(ContractBroken, match="not in the features: hair"):
        encoding_of(PEOPLE, ("age_years", "hair"))
