"""Every figure of a model: right for everybody and for each group, hidden where few people stand behind it, judged by stated limits."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.disclosure.small_numbers import rounded
from fuller_popheath.errors import ContractBroken
from fuller_popheath.methods.calibration import calibration_in_the_large, observed_over_expected_of_counts
from fuller_popheath.risk import evaluation
from fuller_popheath.risk.evaluation import Predictions
from fuller_popheath.risk.subgroups import Groups, groups_of
from fuller_popheath.risk.verdicts import Limits
from fuller_popheath.site import Site
from fuller_popheath.site_lists import Lists

AS_OF = date(2026, 8, 1)
SITE = Site()
LIMITS = Limits((0.8, 1.25), (0.8, 1.2), 0.88)
Row = dict[str, Any]


def dealt(people: int, rng: np.random.Generator) -> Groups:
    def pick(*labels: str) -> np.ndarray:
        return rng.choice(labels, people)

    kinds = {
        "imd_quintile": pick("1", "2", "3", "4", "5", "not_recorded"),
        "ethnic_group": pick("white", "asian", "black"),
        "sex": pick("female", "male"),
        "age_band": pick("18-29", "60-69", "90+"),
        "pcn": pick("U00001", "U00002", "U00003", "not_recorded"),
        "contact_level": pick("contact", "no_contact"),
    }
    return groups_of(kinds, {"carer": rng.random(people) < 0.3, "homelessness": rng.random(people) < 0.2}, "2025")


def predictions(people: int = 8_000, seed: int = 5, model: str = "additive", **changes: Any) -> Predictions:
    """Outcomes drawn from the very probabilities that are predicted: a model that is right."""
    rng = np.random.default_rng(seed)
    score = rng.normal(-2.5, 1.3, people)
    probability = 1 / (1 + np.exp(-score))
    given = {"has_outcome": rng.random(people) < probability, "probability": probability, "score": score, "groups": dealt(people, rng)}
    names = {"outcome": "emergency_admission_12m", "age_group": "adult", "model": model, "model_id": None, "validation": "temporal"}
    return Predictions(**{**names, **given, **changes})


def rows(table: pa.Table, kind: str = "all", subgroup: str | None = None) -> dict[str, Row]:
    refuse_if_broken(table, load_contract("risk/evaluation"))
    found = [row for row in table.to_pylist() if row["subgroup_kind"] == kind and row["subgroup"] == (subgroup or kind)]
    return {row["metric"]: row for row in found}


def evaluate(p: Predictions, **options: Any) -> pa.Table:
    return evaluation.evaluate(p, AS_OF, SITE, **{"limits": LIMITS, **options})


@pytest.fixture(scope="module")
def right() -> Predictions:
    return predictions()


@pytest.fixture(scope="module")
def evaluated(right: Predictions) -> pa.Table:
    return evaluate(right)


def test_figures_of_everybody_are_those_of_scikit_learn(right: Predictions, evaluated: pa.Table) -> None:
    of_all = rows(evaluated)
    assert of_all["auroc"]["value"] == pytest.approx(roc_auc_score(right.has_outcome, right.score), abs=1e-12)
    assert of_all["auprc"]["value"] == pytest.approx(average_precision_score(right.has_outcome, right.score), abs=1e-12)
    assert of_all["brier"]["value"] == pytest.approx(brier_score_loss(right.has_outcome, right.probability), abs=1e-12)
    assert of_all["observed_over_expected"]["value"] == pytest.approx(right.has_outcome.sum() / right.probability.sum())
    assert of_all["mean_probability"]["value"] == pytest.approx(right.probability.mean())


def test_a_model_that_is_right_is_green_for_everybody(evaluated: pa.Table) -> None:
    of_all = rows(evaluated)
    assert {metric: row["verdict"] for metric, row in of_all.items() if row["verdict"]} == {
        "auroc": "green",
        "observed_over_expected": "green",
        "calibration_slope": "green",
    }
    assert of_all["calibration_slope"]["lower"] < 1 < of_all["calibration_slope"]["upper"]
    assert of_all["calibration_in_the_large"]["lower"] < 0 < of_all["calibration_in_the_large"]["upper"]
    assert of_all["ici"]["value"] < 0.02


def test_figures_of_a_group_are_those_of_its_people(right: Predictions, evaluated: pa.Table) -> None:
    for kind, label in (("sex", "female"), ("imd_quintile", "not_recorded"), ("plus_group", "homelessness"), ("pcn", "U00002")):
        at = dict(right.groups.members(kind))[label]
        found = rows(evaluated, kind, label)
        had, risk = right.has_outcome[at], right.probability[at]
        # To three places; and as if the counts were the rounded ones, which a group this large hardly feels.
        assert found["auroc"]["value"] == round(roc_auc_score(had, right.score[at]), 3)
        assert found["brier"]["value"] == pytest.approx(brier_score_loss(had, risk), abs=2.5 / at.size)
        exact = calibration_in_the_large(had, risk)
        for end in ("value", "lower", "upper"):
            assert found["calibration_in_the_large"][end] == pytest.approx(getattr(exact, end), abs=0.005 + 3.5 / had.sum())
        assert found["observed_over_expected"]["value"] == pytest.approx(had.sum() / risk.sum(), abs=4 / had.sum())
        assert abs(found["auroc"]["people_count"] - at.size) <= 2
        assert abs(found["auroc"]["outcome_count"] - right.has_outcome[at].sum()) <= 2
        assert {row["imd_edition"] for row in found.values()} == {"2025" if kind == "imd_quintile" else None}


def test_every_kind_of_group_is_there_unless_everybody_alone_is_asked_for(right: Predictions, evaluated: pa.Table) -> None:
    kinds = ["all", "imd_quintile", "ethnic_group", "sex", "age_band", "plus_group", "pcn", "contact_level"]
    assert list(dict.fromkeys(evaluated["subgroup_kind"].to_pylist())) == kinds
    alone = evaluate(right, kinds=("all",))
    assert alone.to_pylist() == [row for row in evaluated.to_pylist() if row["subgroup_kind"] == "all"]


def test_who_is_among_the_five_percent_at_highest_risk(right: Predictions, evaluated: pa.Table) -> None:
    at_top = np.zeros(8_000, bool)
    at_top[np.argsort(-right.score)[:400]] = True
    of_all = rows(evaluated)
    assert of_all["flagged_share_top_5_percent"]["value"] == 0.05
    # Shares are made from counts rounded to 5: within two and a half people either way.
    assert of_all["ppv_top_5_percent"]["value"] == pytest.approx(right.has_outcome[at_top].mean(), abs=2.5 / 400)
    black = dict(right.groups.members("ethnic_group"))["black"]
    found = rows(evaluated, "ethnic_group", "black")
    flagged, events = at_top[black].sum(), right.has_outcome[black].sum()
    assert found["flagged_share_top_5_percent"]["value"] == pytest.approx(flagged / black.size, abs=3 / black.size)
    assert found["sensitivity_top_5_percent"]["value"] == pytest.approx((right.has_outcome[black] & at_top[black]).sum() / events, abs=5 / events)


def test_each_pcns_team_has_its_own_list_and_people_without_one_are_on_none(right: Predictions) -> None:
    site = Site(lists=Lists(slots=250))
    table = evaluation.evaluate(right, AS_OF, site, share_of_people=0.4)  # 100 a team
    assert rows(table)["flagged_share_team_capacity"]["value"] == pytest.approx(300 / 8_000)
    assert rows(table, "pcn", "not_recorded")["flagged_share_team_capacity"]["value"] == 0
    on_list = np.concatenate([at[np.argsort(-right.score[at])[:100]] for label, at in right.groups.members("pcn") if label != "not_recorded"])
    found, expected = right.has_outcome[on_list].sum(), right.probability[on_list].sum()
    assert rows(table)["observed_over_expected_team_capacity"]["value"] == 5 * round(found / 5) / round(expected)


def test_the_order_of_rows_changes_nothing(right: Predictions, evaluated: pa.Table) -> None:
    again = evaluate(right.take(np.random.default_rng(1).permutation(8_000)))
    for one, other in zip(evaluated.to_pylist(), again.to_pylist(), strict=True):
        assert one == {**other, **{n: pytest.approx(other[n], rel=1e-9, abs=1e-9) for n in ("value", "lower", "upper") if other[n] is not None}}


def test_with_outcomes_shuffled_the_order_means_nothing(right: Predictions) -> None:
    shuffled = predictions(has_outcome=np.random.default_rng(2).permutation(right.has_outcome))
    found = rows(evaluate(shuffled))["auroc"]
    assert found["lower"] < 0.5 < found["upper"]


def test_a_planted_leak_is_red(right: Predictions) -> None:
    score = right.score + 4.0 * right.has_outcome
    leaking = predictions(score=score, probability=1 / (1 + np.exp(-score)))
    table = evaluate(leaking)
    assert rows(table)["auroc"]["verdict"] == "red"
    assert rows(table, "sex", "male")["auroc"]["verdict"] is None  # a small group passes the limit by chance
    assert rows(evaluate(leaking, limits=None))["auroc"]["verdict"] is None


def test_a_group_that_the_model_fails_is_red_and_only_that_one(right: Predictions) -> None:
    poorest = dict(right.groups.members("imd_quintile"))["1"]
    probability = right.probability.copy()
    probability[poorest] /= 2
    table = evaluate(predictions(probability=probability))
    verdicts = {q: rows(table, "imd_quintile", q)["observed_over_expected"]["verdict"] for q in "12345"}
    assert verdicts["1"] == "red"
    assert set(verdicts.values()) - {verdicts["1"]} <= {"green", "amber"}


def test_a_group_without_events_has_no_auroc_and_nought_observed(right: Predictions) -> None:
    young = dict(right.groups.members("age_band"))["18-29"]
    outcome = right.has_outcome.copy()
    outcome[young] = False
    found = rows(evaluate(predictions(has_outcome=outcome)), "age_band", "18-29")
    assert (found["auroc"]["value"], found["auroc"]["is_hidden"]) == (None, False)
    assert found["calibration_slope"]["value"] is None and found["calibration_slope"]["verdict"] is None
    assert (found["observed_over_expected"]["value"], found["observed_over_expected"]["outcome_count"]) == (0, 0)


def test_a_pcn_of_three_people_is_hidden_in_every_figure(right: Predictions) -> None:
    pcns = np.array([f"U0000{n}" for n in range(6)])[np.arange(8_000) % 6]
    pcns[[10, 20, 30]] = "U00009"
    table = evaluate(predictions(groups=groups_of({"pcn": pcns})))
    hidden = rows(table, "pcn", "U00009").values()
    assert {row["is_hidden"] for row in hidden} == {True}
    assert {row[name] for row in hidden for name in ("value", "lower", "upper", "people_count", "outcome_count", "verdict")} == {None}
    assert rows(table, "pcn", "U00001")["auroc"]["is_hidden"] is False


def test_where_few_of_a_group_are_at_the_top_that_alone_is_hidden(right: Predictions) -> None:
    sexes = np.where(right.score < np.quantile(right.score, 0.5), "female", "male")
    sexes[np.argsort(-right.score)[:4]] = "female"
    found = rows(evaluate(predictions(groups=groups_of({"sex": sexes}))), "sex", "female")
    assert found["auroc"]["is_hidden"] is False
    assert {found[f"{name}_top_5_percent"]["is_hidden"] for name in ("flagged_share", "ppv", "sensitivity", "observed_over_expected")} == {True}
    assert found["ppv_top_5_percent"]["value"] is None and found["ppv_top_5_percent"]["people_count"] > 0


SIZES = st.lists(st.integers(1, 40).flatmap(lambda had: st.tuples(st.just(had), st.integers(1, 60))), min_size=1, max_size=4)
SMALL = st.integers(0, 4).flatmap(lambda had: st.tuples(st.just(had), st.integers(1, 7 - had)))


def of_sizes(sizes: list[tuple[int, int]], seed: int) -> Predictions:
    """Groups of so many people with and so many without the outcome."""
    has = np.concatenate([np.arange(had + had_not) < had for had, had_not in sizes])
    labels = np.repeat([f"U{number:05d}" for number in range(len(sizes))], [sum(size) for size in sizes])
    rng = np.random.default_rng(seed)
    score = rng.normal(-1.0, 1.0, has.size) + has
    return predictions(
        people=has.size, has_outcome=has, score=score, probability=1 / (1 + np.exp(-score)), groups=groups_of({"pcn": labels, "sex": labels})
    )


def inverted(row: Row) -> int:
    """The observed count that a ratio and its upper limit come from: value and upper are O / E and f(O) / E, so upper / value tells O."""
    ratios = {observed: observed_over_expected_of_counts(float(observed), 1.0) for observed in range(1, 300)}
    (found,) = [observed for observed, each in ratios.items() if row["upper"] / row["value"] == pytest.approx(each.upper / each.value, rel=1e-9)]
    return found


def window(shown: int) -> set[int]:
    return {count for count in range(shown - 4, shown + 5) if int(rounded(count)) == shown}


@given(small=SMALL, large=SIZES, seed=st.integers(0, 99))
@settings(max_examples=60)
def test_no_interval_gives_away_the_count_of_a_hidden_group(small: tuple[int, int], large: list[tuple[int, int]], seed: int) -> None:
    """Whoever inverts every ratio's limits, and takes what they find from the exact total, is left with four small counts or more."""
    p = of_sizes([small, *large], seed)
    table = evaluate(p, kinds=("all", "sex"))
    of_all = rows(table)
    if of_all["auroc"]["is_hidden"]:
        assert set(table["is_hidden"].to_pylist()) == {True}
        return
    total = inverted(of_all["observed_over_expected"])
    assert total == p.has_outcome.sum()
    lowest = highest = total
    hidden = 0
    for label, at in p.groups.members("sex"):
        found = rows(table, "sex", label)["observed_over_expected"]
        if found["is_hidden"]:
            hidden += int(p.has_outcome[at].sum())
        elif found["outcome_count"]:
            assert found["value"] is None or inverted(found) == found["outcome_count"]
            possible = window(found["outcome_count"])
            lowest, highest = lowest - max(possible), highest - min(possible)
    assert rows(table, "sex", "U00000")["auroc"]["is_hidden"]
    is_some_shown = (lowest, highest) != (total, total)
    assert not is_some_shown or hidden > 7 or len(range(max(lowest, 0), min(highest, 7) + 1)) >= 4


@given(large=SIZES, seed=st.integers(0, 99))
@settings(max_examples=60)
def test_no_auroc_of_a_group_tells_its_counts(large: list[tuple[int, int]], seed: int) -> None:
    """An AUROC is k / (2 x with x without the outcome): what is shown fits a k for whatever counts the rounded ones may stand for."""
    table = evaluate(of_sizes([(30, 60), *large], seed), kinds=("all", "sex"))
    for row in table.to_pylist():
        if row["subgroup_kind"] == "all" or row["metric"] != "auroc" or row["value"] is None:
            continue
        places = 3 if round(row["value"], 2) != row["value"] else 2
        for people in window(row["people_count"]):
            for had in window(row["outcome_count"]):
                pairs = 2 * had * (people - had)
                if had > 7 and people - had > 7:
                    assert abs(round(row["value"] * pairs) / pairs - row["value"]) <= 0.5 * 10.0**-places + 1e-12


def test_counts_that_are_shown_alike_give_figures_alike() -> None:
    """The worst case, a rare outcome and predictions that hardly differ: Brier score, intercept and ratio are then functions of the counts alone."""
    told = set()
    for people in range(498, 503):
        for had in range(8, 13):
            p = of_sizes([(had, people - had), (50, 700)], 1)
            near = 0.03 + 1e-7 * np.arange(people + 750)
            found = rows(evaluate(predictions(has_outcome=p.has_outcome, score=near, probability=near, groups=p.groups)), "pcn", "U00000")
            told.add(tuple(found[m][end] for m in GIVEN_AWAY for end in ("value", "lower", "upper", "people_count", "outcome_count")))
    assert len(told) == 1
    assert None not in next(iter(told))


GIVEN_AWAY = ("brier", "calibration_in_the_large", "observed_over_expected", "outcome_share")


def test_where_a_group_has_few_different_predictions_what_is_a_table_of_counts_is_hidden() -> None:
    p = of_sizes([(60, 240), (50, 300)], 1)
    levels = np.where(np.arange(650) % 3 == 0, 0.1, 0.3)
    levels[300:] = np.random.default_rng(1).uniform(0.05, 0.4, 350)
    found = [
        rows(evaluate(predictions(has_outcome=p.has_outcome, score=levels, probability=levels, groups=p.groups)), "sex", label)
        for label in ("U00000", "U00001")
    ]
    for metric in ("auroc", "brier", "calibration_in_the_large", "calibration_slope"):
        assert [group[metric]["is_hidden"] for group in found] == [True, False]
        assert found[0][metric]["value"] is None and found[1][metric]["value"] is not None
    assert found[0]["observed_over_expected"]["value"] is not None
    assert "joint_intercept" not in found[0]


def test_a_plus_group_that_leaves_few_others_is_hidden() -> None:
    mask = np.ones(8_000, bool)
    mask[:5] = False
    table = evaluate(predictions(groups=groups_of({"sex": np.array(["male"] * 8_000)}, {"carer": mask})))
    assert rows(table, "plus_group", "carer")["auroc"]["is_hidden"] is True


def test_too_few_people_altogether_show_nothing_and_nobody_is_no_error() -> None:
    few = evaluate(predictions(people=30, seed=1))
    assert set(few["is_hidden"].to_pylist()) == {True}
    assert set(few["value"].to_pylist()) == {None}
    nobody = evaluate(predictions(people=0))
    assert set(nobody["value"].to_pylist()) == {None}
    assert set(nobody["subgroup"].to_pylist()) == {"all"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"probability": np.full(8_000, 1.5)}, "8000 of 8000 people have no probability between 0 and 1"),
        ({"score": np.append(np.zeros(7_999), np.nan)}, "1 of 8000 people have no probability"),
        ({"score": np.zeros(3)}, "8000 outcomes, 8000 probabilities, 3 scores"),
        ({"has_outcome": np.zeros(8_000)}, "must be true or false"),
        ({"validation": "on the training data"}, "one of temporal, unseen, geographic"),
    ],
)
def test_predictions_that_do_not_fit_are_refused_with_counts(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractBroken, match=words):
        predictions(**changes)
