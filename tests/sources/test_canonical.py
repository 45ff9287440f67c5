"""One spelling for dates, counts and numbers; what cannot be put right stays as it stands."""

from __future__ import annotations

import pyarrow as pa
import pytest

from fuller_popheath.sources.canonical import Reading, as_date, as_nhs_number, as_number, as_sex, as_text, as_whole, canonical


@pytest.mark.parametrize(
    ("reading", "sent", "one_spelling"),
    [
        (as_date, "01Jul2022", "2022-07-01"),
        (as_date, "01APR2020", "2020-04-01"),
        (as_date, "2026-08-01", "2026-08-01"),
        (as_date, "20191001", "2019-10-01"),
        (as_date, "01/04/1974", "1974-04-01"),
        (as_date, "1974-04-01 00:00:00", "1974-04-01"),
        (as_date, "01/04/1974 00:00", "1974-04-01"),
        (as_date, "1974-04-01T09:30:00", "1974-04-01T09:30:00"),
        (as_date, "31Feb2022", "31Feb2022"),
        (as_date, "soon", "soon"),
        (as_whole, "29,199", "29199"),
        (as_whole, "29199.0", "29199"),
        (as_whole, "1,234,567", "1234567"),
        (as_whole, "-12", "-12"),
        (as_whole, "12.5", "12.5"),
        (as_whole, "1,23", "1,23"),
        (as_whole, "twelve", "twelve"),
        (as_number, "1,234.56", "1234.56"),
        (as_number, "92.7", "92.7"),
        (as_nhs_number, "943 476 5919", "9434765919"),
        (as_nhs_number, "943-476-5919", "9434765919"),
        (as_nhs_number, "943476591", "943476591"),
        (as_nhs_number, "943 47X", "943 47X"),
        (as_sex, "Female", "female"),
        (as_sex, "M", "male"),
        (as_sex, "other", "other"),
        (as_text, "  The Surgery ", "The Surgery"),
    ],
)
def test_values_get_one_spelling_or_stay(reading: Reading, sent: str, one_spelling: str) -> None:
    assert canonical(pa.chunked_array([[sent]]), reading).to_pylist() == [one_spelling]


def test_blank_becomes_null_and_the_order_stays() -> None:
    column = pa.chunked_array([["01Jul2022", " ", None], ["", "01Jul2022"]], pa.string())
    assert canonical(column, as_date).to_pylist() == ["2022-07-01", None, None, None, "2022-07-01"]


def test_a_column_without_values_stays_without() -> None:
    assert canonical(pa.chunked_array([pa.nulls(3, pa.string())]), as_date).to_pylist() == [None, None, None]
    assert canonical(pa.chunked_array([], pa.string()), as_whole).to_pylist() == []
