"""Slope and relative index of inequality: the worked example, quantiles in any order, simulation against analysis, and regression on persons."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.inequality import AT_THE_END, NO_VALUE, ONE_QUANTILE, slope_by_quantile
from fuller_popheath.methods.inequality_by_person import NO_LINE, ONE_OUTCOME, ONE_RANK, slope_by_person, slope_of_counts

# Source: PHEindicatormethods commit 093fd288, tests/testthat, testdata_SII.xlsx, area 1 (also sii_area1 in stats_examples.csv of the reference
# files): quantile, population, value, standard error. SII 6.934616473668819, RII 1.0888180804446217. Of the two pairs of limits that are told of it,
# 3.13-10.76 is the simulated one (it does not lie evenly about the slope), 3.09-10.78 the normal one.
AREA_1 = [
    (1, 7291, 75.9334590103081, 1.638472426358545),
    (2, 7997, 78.3442382727843, 1.578192884542907),
    (3, 6105, 83.8360631041654, 1.5134355059640296),
    (4, 7666, 83.6375399664931, 1.7754906175801293),
    (5, 5790, 80.4655031529559, 1.7013390591981388),
    (6, 6934, 81.1156759857022, 1.56412107376755),
    (7, 5918, 81.6930835718562, 1.3681148366878566),
    (8, 5974, 84.1900062060987, 1.4001418005940802),
    (9, 7147, 80.5955641081472, 2.4328463975781616),
    (10, 7534, 86.2894349578624, 1.5665181695934678),
]
FRAME = pd.DataFrame(AREA_1, columns=["quantile", "population", "value", "standard_error"]).assign(area="area1")


def row(made: pd.DataFrame) -> pd.Series:
    assert len(made) == 1
    return made.iloc[0]


def test_the_worked_example_comes_out() -> None:
    made = row(slope_by_quantile(FRAME, "mean"))
    assert made["sii"] == pytest.approx(6.934616473668819, rel=1e-12)
    assert made["rii"] == pytest.approx(1.0888180804446217, rel=1e-12)
    assert (round(made["sii_lower_analytic"], 2), round(made["sii_upper_analytic"], 2)) == (3.09, 10.78)
    width = 10.76 - 3.13
    assert abs(made["sii_lower"] - 3.13) < 0.01 * width
    assert abs(made["sii_upper"] - 10.76) < 0.01 * width


@given(st.integers(0, 2**31))
def test_the_order_of_rows_changes_nothing_at_all(order: int) -> None:
    two = pd.concat([FRAME, FRAME.assign(area="area2", value=100 - FRAME["value"])])
    made = slope_by_quantile(two.sample(frac=1, random_state=order), "mean", draws=1000)
    pd.testing.assert_frame_equal(made, slope_by_quantile(two, "mean", draws=1000), check_exact=True)
    assert made["sii"].sum() == pytest.approx(0.0, abs=1e-12)


def test_simulated_limits_agree_with_the_analytic_ones_at_any_level_and_depend_on_the_seed_alone() -> None:
    for confidence in (0.8, 0.95, 0.998):
        made = row(slope_by_quantile(FRAME, "mean", confidence=confidence))
        width = made["sii_upper_analytic"] - made["sii_lower_analytic"]
        for end in ("lower", "upper"):
            assert abs(made[f"sii_{end}"] - made[f"sii_{end}_analytic"]) < 0.03 * width
            assert made[f"rii_{end}"] == pytest.approx(made[f"rii_{end}_analytic"], rel=0.01)
    assert row(slope_by_quantile(FRAME, "mean", seed=1))["sii_lower"] != row(slope_by_quantile(FRAME, "mean", seed=2))["sii_lower"]


def test_drawing_the_line_is_drawing_every_quantile_and_fitting_again() -> None:
    drawn = np.random.default_rng(4).normal(FRAME["value"], FRAME["standard_error"], (20_000, 10))
    share = FRAME["population"].to_numpy() / FRAME["population"].sum()
    middle = np.cumsum(share) - share / 2
    matrix = np.sqrt(share)[:, None] * np.column_stack([np.ones(10), middle])
    slopes = np.linalg.lstsq(matrix, (np.sqrt(share) * drawn).T, rcond=None)[0][1]
    made = row(slope_by_quantile(FRAME, "mean"))
    np.testing.assert_allclose(np.quantile(slopes, [0.025, 0.975]), [made["sii_lower"], made["sii_upper"]], atol=0.08)


def test_a_negative_multiplier_flips_the_slope_and_turns_the_ratio_over() -> None:
    plain, flipped = row(slope_by_quantile(FRAME, "mean")), row(slope_by_quantile(FRAME, "mean", multiplier=-2))
    assert flipped["sii"] == -2 * plain["sii"]
    assert (flipped["sii_lower"], flipped["sii_upper"]) == (-2 * plain["sii_upper"], -2 * plain["sii_lower"])
    np.testing.assert_allclose(
        [flipped["rii"], flipped["rii_lower"], flipped["rii_upper"]], [1 / plain[n] for n in ("rii", "rii_upper", "rii_lower")]
    )


# By hand: equal thirds, values that lie on a line on the scale of the fit, so that both ends are known: logit p = -1 + 2 b, log r = 3 - b.
@pytest.mark.parametrize(
    ("kind", "line", "back"),
    [("proportion", (-1.0, 2.0), lambda v: 1 / (1 + np.exp(-v))), ("rate", (3.0, -1.0), np.exp), ("mean", (5.0, 4.0), lambda v: v)],
)
def test_each_kind_is_fitted_on_its_scale(kind: str, line: tuple[float, float], back: object) -> None:
    on_line = line[0] + line[1] * np.array([1 / 6, 1 / 2, 5 / 6])
    frame = pd.DataFrame({"area": 1, "quantile": [1, 2, 3], "population": 30, "value": back(on_line)})  # type: ignore[operator]
    frame = frame.assign(lower=back(on_line - 0.1), upper=back(on_line + 0.1))  # type: ignore[operator]
    made = row(slope_by_quantile(frame, kind))
    low, high = back(np.array(line[0])), back(np.array(sum(line)))  # type: ignore[operator]
    assert made["sii"] == pytest.approx(high - low)
    assert made["rii"] == pytest.approx(high / low)
    assert made["sii_lower_analytic"] < made["sii"] < made["sii_upper_analytic"]
    if kind == "rate":
        # The logarithm of the ratio is the slope itself: error 0.1 / z each, spread of the midpoints 2 / 27, so variance e^2 / (3 x 2 / 27).
        reach = 0.1 * math.sqrt(27 / 6)
        assert (made["rii_lower_analytic"], made["rii_upper_analytic"]) == pytest.approx((np.exp(-1 - reach), np.exp(-1 + reach)))


def test_what_has_no_slope_says_why() -> None:
    limits = {"lower": lambda f: f["value"] - 0.05, "upper": lambda f: f["value"] + 0.05}
    frame = pd.DataFrame({"quantile": [1, 2, 3], "population": 10, "value": [0.3, 0.2, 0.1]}).assign(**limits)
    told = {
        "hidden": frame.assign(value=[np.nan, 0.2, 0.1]),
        "end": frame.assign(value=[0.3, 0.2, 0.0]),
        "one": frame.assign(population=[10, 0, 0]),
        "empty": frame.assign(population=[10, 10, 0], value=[0.3, 0.2, np.nan]),
    }
    made = slope_by_quantile(pd.concat([part.assign(area=name) for name, part in told.items()]), "proportion").set_index("area")
    assert made["reason"].to_dict() == {"empty": "", "end": AT_THE_END, "hidden": NO_VALUE, "one": ONE_QUANTILE}
    assert made.loc[["end", "hidden", "one"], ["sii", "sii_lower", "rii_upper_analytic"]].isna().all(axis=None)
    assert made.loc["empty", "sii"] < 0


# Persons at two ranks have a line through both shares, at the midpoints of the two groups: solved by hand on the scale of the fit.
def test_two_ranks_have_the_line_through_their_shares() -> None:
    counts = pd.DataFrame({"area": "a", "quantile": [2, 1], "numerator": [40, 30], "denominator": [100, 300]})
    made = row(slope_of_counts(counts))
    low, high = math.log(0.1 / 0.9), math.log(0.4 / 0.6)
    slope = (high - low) / (0.875 - 0.375)
    ends = [1 / (1 + math.exp(-(low + slope * (b - 0.375)))) for b in (0.0, 1.0)]
    assert made["sii"] == pytest.approx(ends[1] - ends[0])
    assert made["rii"] == pytest.approx(ends[1] / ends[0])
    assert (made["population"], made["count"]) == (400, 70)


def test_persons_and_their_counts_give_the_same_line_in_any_order() -> None:
    rng = np.random.default_rng(8)
    people = pd.DataFrame({"area": rng.choice(["x", "y"], 4000), "rank": rng.integers(1, 6, 4000)})
    people["outcome"] = (rng.random(4000) < 0.1 + 0.05 * people["rank"]).astype(int)
    counts = people.groupby(["area", "rank"])["outcome"].agg(numerator="sum", denominator="count").reset_index()
    by_person, by_count = slope_by_person(people, "proportion"), slope_of_counts(counts, quantile="rank")
    pd.testing.assert_frame_equal(by_person, by_count, rtol=1e-9)
    shuffled = slope_by_person(people.sample(frac=1, random_state=1), "proportion")
    pd.testing.assert_frame_equal(shuffled, by_person, check_exact=True)


@pytest.mark.parametrize("kind", ["mean", "rate", "proportion"])
def test_the_line_is_the_best_one_and_its_error_that_of_resampled_persons(kind: str) -> None:
    rng = np.random.default_rng(9)
    n = 3000
    people = pd.DataFrame({"area": 1, "rank": rng.integers(1, 400, n)})
    height = people["rank"] / 400
    if kind == "mean":
        people["outcome"] = 20 + 3 * height + rng.normal(0, 2, n) * (1 + height)
    elif kind == "proportion":
        people["outcome"] = (rng.random(n) < 1 / (1 + np.exp(1 - height))).astype(int)
    else:
        people["time"] = rng.uniform(0.2, 1, n)
        people["outcome"] = rng.poisson(people["time"] * np.exp(0.5 - height) * rng.gamma(1, 1, n))
    exposure = "time" if kind == "rate" else None
    made = row(slope_by_person(people, kind, exposure=exposure))
    again = [row(slope_by_person(people.sample(frac=1, replace=True, random_state=i), kind, exposure=exposure, draws=0))["sii"] for i in range(200)]
    reach = (made["sii_upper_analytic"] - made["sii_lower_analytic"]) / 2
    assert 1.96 * np.std(again) == pytest.approx(reach, rel=0.2)
    assert abs(made["sii_lower"] - made["sii_lower_analytic"]) < 0.1 * reach
    assert np.sign(made["sii"]) == (-1 if kind == "rate" else 1)


def test_persons_without_a_line_say_why() -> None:
    rows = [("all", 1, 5, 5), ("all", 2, 5, 5), ("none", 1, 0, 5), ("none", 2, 0, 5), ("one", 1, 2, 5), ("split", 1, 0, 5), ("split", 2, 5, 5)]
    made = slope_of_counts(pd.DataFrame(rows, columns=["area", "quantile", "numerator", "denominator"])).set_index("area")
    assert made["reason"].to_dict() == {"all": ONE_OUTCOME, "none": ONE_OUTCOME, "one": ONE_RANK, "split": NO_LINE}
    assert made[["sii", "rii", "sii_upper", "rii_lower_analytic"]].isna().all(axis=None)


def test_a_quantile_without_any_event_has_a_line_all_the_same() -> None:
    counts = pd.DataFrame({"area": "a", "quantile": [1, 2, 3], "numerator": [5, 2, 0], "denominator": 50})
    made = row(slope_of_counts(counts))
    assert made["reason"] == ""
    assert made["sii"] < 0


TWICE = pd.DataFrame({"area": "a", "quantile": [1, 1], "numerator": 1, "denominator": 2})
WRONG = [
    (lambda: slope_by_quantile(FRAME, "share"), "kind must be"),
    (lambda: slope_by_quantile(FRAME, "proportion"), "needs lower and upper"),
    (lambda: slope_by_quantile(pd.concat([FRAME, FRAME]), "mean"), "more than one row"),
    (lambda: slope_by_quantile(FRAME, "mean", draws=10), "1,000 draws"),
    (lambda: slope_by_quantile(FRAME, "mean", multiplier=0), "multiplier"),
    (lambda: slope_of_counts(TWICE), "more than one row"),
    (lambda: slope_of_counts(TWICE.assign(quantile=[1, 2], numerator=3)), "above their denominator"),
    (lambda: slope_by_person(pd.DataFrame({"area": 1, "rank": [1, 2], "outcome": [0, 2]}), "proportion"), "cannot be those of a proportion"),
]


@pytest.mark.parametrize(("made", "words"), WRONG, ids=[words for _, words in WRONG])
def test_what_has_no_slope_at_all_is_refused(made: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made()  # type: ignore[operator]
