"""Standardised rates and ratios: the worked examples of the public-health methods, keys in any order, and what there is no rate of."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.counts import byar_interval
from fuller_popheath.methods.standardised_rates import (
    NO_POPULATION,
    TOO_FEW,
    age_bands,
    directly_standardised_rates,
    european_standard_population,
    indirectly_standardised_ratios,
    repeated_events,
)

# Source of all three: PHEindicatormethods commit 093fd288, tests/testthat, testdata_DSR_ISR.xlsx, sheet testdata_multiarea (also in
# stats_examples.csv of the reference files). Expected per 10,000 at 95 %. Its 99.8 % limits (testdata_1976) are ten times too large: not used.
BANDS = european_standard_population()["age_band"].tolist()
PEOPLE = [636, 558, 609, 543, 384, 594, 669, 843, 660, 576, 606, 522, 426, 273, 300, 288, 153, 123, 207]
MANY = [127, 25, 18, 21, 12, 27, 48, 27, 29, 32, 32, 34, 45, 65, 38, 68, 74, 82, 91]
SOME = [12, 4, 3, 2, 3, 4, 8, 2, 2, 3, 4, 5, 6, 8, 5, 6, 5, 5, 4]
FEW = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 2, 3]
EXPECTED = {"many": (1043.0247991469423, 971.770906798568, 1117.894091547925), "some": (110.3212025300104, 87.7455767536709, 136.70882227251795)}


def example(order: int | None = None) -> pd.DataFrame:
    rows = [
        {"area": area, "age_band": band, "count": count, "population": people}
        for area, counts in (("some", SOME), ("many", MANY), ("few", FEW))
        for band, count, people in zip(BANDS, counts, PEOPLE, strict=True)
    ]
    frame = pd.DataFrame(rows)
    return frame if order is None else frame.sample(frac=1, random_state=order)


def test_the_worked_examples_come_out() -> None:
    made = directly_standardised_rates(example(), european_standard_population(), per=10_000).set_index("area")
    for area, expected in EXPECTED.items():
        np.testing.assert_allclose(made.loc[area, ["value", "lower", "upper"]].to_numpy(float), expected, rtol=1e-13)
    assert (made["count"].tolist(), made["reason"].tolist()) == ([9.0, 895.0, 91.0], [TOO_FEW, "", ""])
    assert made.loc["few", ["value", "lower", "upper"]].isna().all()


@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_the_order_of_rows_and_of_the_standard_changes_nothing_at_all(order: int, standard_order: int) -> None:
    standard = european_standard_population()
    shuffled = directly_standardised_rates(example(order), standard.sample(frac=1, random_state=standard_order), per=10_000)
    pd.testing.assert_frame_equal(shuffled, directly_standardised_rates(example(), standard, per=10_000), check_exact=True)


def test_several_columns_may_be_the_key_of_an_area() -> None:
    split = pd.concat([example().assign(sex="male"), example().assign(sex="female", count=lambda f: 2 * f["count"])])
    made = directly_standardised_rates(split.sample(frac=1, random_state=3), european_standard_population(), ["sex", "area"], per=10_000)
    assert made[["sex", "area"]].to_numpy().tolist()[:3] == [["female", "few"], ["female", "many"], ["female", "some"]]
    assert made["value"].iloc[1] == pytest.approx(2 * EXPECTED["many"][0])
    everybody = directly_standardised_rates(example().query("area == 'many'"), european_standard_population(), (), per=10_000)
    assert everybody["value"].tolist() == pytest.approx([EXPECTED["many"][0]])


def test_no_rate_where_a_band_has_nobody_or_no_row() -> None:
    frame = example().query("area == 'many'")
    empty = frame.assign(
        population=frame["population"].where(frame["age_band"] != "90+", 0), count=frame["count"].where(frame["age_band"] != "90+", 0)
    )
    for told in (empty, frame[frame["age_band"] != "0-4"]):
        made = directly_standardised_rates(told, european_standard_population())
        assert (made["reason"][0], math.isnan(made["value"][0])) == (NO_POPULATION, True)


def test_repeated_events_widen_the_limits_as_their_squares_say() -> None:
    # By hand, two bands of weight 1 and 3: 4 persons with 1 event and 4 with 2 among 100; 10 with 1 among 50. O = 22.
    standard = pd.DataFrame({"age_band": ["old", "young"], "weight": [3.0, 1.0]})
    told = pd.DataFrame({"age_band": ["young", "young", "old"], "times": [1, 2, 1], "persons": [4, 4, 10]})
    events = repeated_events(told, "age_band").assign(population=[50, 100])
    assert events["squares"].tolist() == [10.0, 20.0]
    made = directly_standardised_rates(events, standard, (), squares="squares", per=1.0).iloc[0]
    value = (1 * 12 / 100 + 3 * 10 / 50) / 4
    spread = math.sqrt(((1 / 100) ** 2 * 20 + (3 / 50) ** 2 * 10) / 16)
    lower, upper = byar_interval([22.0])
    assert made["value"] == pytest.approx(value)
    assert made["lower"] == pytest.approx(value + spread / math.sqrt(22) * (lower[0] - 22))
    assert made["upper"] == pytest.approx(value + spread / math.sqrt(22) * (upper[0] - 22))


def test_events_of_as_many_persons_are_the_independent_ones() -> None:
    frame = example().query("area != 'few'").assign(squares=lambda f: f["count"])
    standard = european_standard_population()
    repeated, plain = directly_standardised_rates(frame, standard, squares="squares"), directly_standardised_rates(frame, standard)
    pd.testing.assert_frame_equal(repeated, plain, check_exact=True)


def test_the_european_standard_population_has_its_published_weights() -> None:
    # Source: Eurostat, Revision of the European Standard Population (2013): 100,000 in 21 bands; 0-4 and 90+ merged for 19.
    assert european_standard_population(21)["weight"].sum() == european_standard_population()["weight"].sum() == 100_000
    made = european_standard_population().set_index("age_band")["weight"]
    assert (made["0-4"], made["55-59"], made["90+"]) == (5000, 6500, 1000)
    assert age_bands([0, 4, 5, 89, 90, 110]).tolist() == ["0-4", "0-4", "5-9", "85-89", "90+", "90+"]
    assert age_bands([0, 1, 95], 21).tolist() == ["<1", "1-4", "95+"]


def test_observed_over_expected_by_band_with_limits_at_zero() -> None:
    reference = pd.DataFrame({"age_band": ["young", "old"], "count": [10, 300], "population": [1000, 1000]})
    events = pd.DataFrame(
        {"area": ["b", "a", "a", "c"], "age_band": ["old", "old", "young", "young"], "count": [0, 40, 2, 0], "population": [10, 100, 200, 0]}
    )
    made = indirectly_standardised_ratios(events, reference, per=100).set_index("area")
    assert made["expected"].tolist() == [32.0, 3.0, 0.0]
    assert made["value"].tolist()[:2] == [131.25, 0.0]
    assert made.loc["b", "upper"] == pytest.approx(100 * 3.6888794541139363 / 3)
    assert math.isnan(made.loc["c", "value"])


STANDARD = european_standard_population()
WRONG = [
    (lambda f: pd.concat([f, f.head(1)]), STANDARD, "1 pairs of area and band"),
    (lambda f: f.assign(age_band=f["age_band"].replace("0-4", "0-3")), STANDARD, "3 rows have a age_band that the standard does not have"),
    (lambda f: f.assign(area=f["area"].where(f["area"] != "few")), STANDARD, "19 rows have no area"),
    (lambda f: f.assign(count=f["count"].where(f["count"] != 127)), STANDARD, "1 rows have no number in count"),
    (lambda f: f.assign(count=-f["count"]), STANDARD, "below 0"),
    (lambda f: f.assign(population=0), STANDARD, "nobody in them"),
    (lambda f: f, pd.concat([STANDARD, STANDARD.tail(1)]), "the standard has 1 rows more than one"),
    (lambda f: f, STANDARD.assign(weight=0), "weights of the standard"),
]


@pytest.mark.parametrize(("change", "standard", "words"), WRONG, ids=[words for *_, words in WRONG])
def test_what_cannot_be_joined_or_counted_is_refused(change: object, standard: pd.DataFrame, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        directly_standardised_rates(change(example()), standard)  # type: ignore[operator]
