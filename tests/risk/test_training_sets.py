"""Who is fitted on and judged on: nobody lost, and on the same people no model is ever fitted, on every day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fuller_popheath import registry
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.risk.fitting import dealt
from fuller_popheath.risk.geographic_folds import geographic_folds, pcn_groups
from fuller_popheath.risk.index_population import IndexPopulation
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.risk.training_sets import ADULT, AGE_GROUPS, UNDER_18, Rows, TrainingSet, index_dates, training_population, training_sets
from fuller_popheath.site import Site, Training

if TYPE_CHECKING:
    import pyarrow as pa

EMERGENCY, ED = "emergency_admission_12m", "ed_attendance_12m"
Populations = tuple[IndexPopulation, IndexPopulation]


@pytest.fixture(scope="module")
def made(risk_ics: Any, risk_populations: Populations) -> TrainingSet:
    return training_sets(*risk_populations, EMERGENCY, ADULT, risk_ics.night.site, risk_ics.night.as_of)


def ids(rows: Rows) -> set[str]:
    return set(rows.features["person_id"].to_pylist())


def test_a_persons_number_is_theirs_whatever_the_order_and_the_company() -> None:
    import pyarrow as pa

    people = pa.array([f"{chr(97 + n % 26)}{n:011d}" for n in range(5_000)])
    shares = person_share(people, 7, "a purpose")
    assert np.array_equal(person_share(people.take(pa.array([4_000, 3])), 7, "a purpose"), shares[[4_000, 3]])
    assert np.array_equal(person_share(pa.chunked_array([people[:10], people[10:]]), 7, "a purpose"), shares)
    assert shares.min() >= 0
    assert shares.max() < 1
    # Evenly spread: each tenth holds 500 of 5,000 to within five standard deviations (21 each).
    assert abs(np.histogram(shares, 10, (0, 1))[0] - 500).max() < 106
    for other in (person_share(people, 8, "a purpose"), person_share(people, 7, "another")):
        assert abs(np.corrcoef(shares, other)[0, 1]) < 5 / np.sqrt(5_000)


def test_a_persons_number_stays_what_it_is() -> None:
    """Written down on the day this was made: another number would move people who were fitted on among those who must be unseen."""
    import pyarrow as pa

    told = person_share(pa.array(["aaaaaaaaaaaa", "bbbbbbbbbbbb"]), 20_260_401, "use in training")
    assert told.tolist() == pytest.approx(GOLDEN, abs=1e-15)


GOLDEN = [0.013965486863489196, 0.6696964528495438]


def test_index_dates_are_one_and_two_years_before_the_day_less_the_lag() -> None:
    assert index_dates(date(2026, 8, 1), 0) == (date(2024, 8, 1), date(2025, 8, 1))
    assert index_dates(date(2026, 8, 1), 14) == (date(2024, 7, 18), date(2025, 7, 18))


def test_parts_are_of_both_dates_and_some_people_are_never_fitted_on(made: TrainingSet, risk_populations: Populations) -> None:
    development, validation = risk_populations
    assert (made.fit.index_date, made.validate.index_date) == (development.index_date, validation.index_date)
    fit, validate = (ids(rows) for rows in (made.fit, made.validate))
    # The same people at another date, on purpose: what was learned of them is held against what came later.
    assert len(fit & validate) > 0.7 * len(fit)
    unseen = {person for person, is_unseen in zip(made.validate.features["person_id"].to_pylist(), made.is_unseen, strict=True) if is_unseen}
    assert unseen
    assert not unseen & fit
    shares = person_share(made.validate.features["person_id"], 20_260_401, "use in training")
    assert np.array_equal(made.is_unseen, shares < 0.1)


def test_the_share_of_people_on_whom_no_model_is_fitted_is_the_sites(made: TrainingSet) -> None:
    assert made.is_unseen.mean() == pytest.approx(0.1, abs=5 * 0.3 / np.sqrt(len(made.is_unseen)))


def test_a_fit_gets_the_people_it_would_take(risk_ics: Any, risk_populations: Populations, made: TrainingSet) -> None:
    assert made.could_fit == len(made.fit.has_outcome)
    site = with_training(risk_ics.night.site, fit_people=700, minimum_events=20)
    few = training_sets(*risk_populations, EMERGENCY, ADULT, site, risk_ics.night.as_of)
    by_hand = made.fit.features["person_id"].take(dealt(made.fit, site.training.seed)[:700])
    assert ids(few.fit) == set(by_hand.to_pylist())
    assert len(few.fit.has_outcome) == 700
    assert few.could_fit == made.could_fit


def test_rows_are_whole_and_in_one_order(made: TrainingSet, risk_populations: Populations) -> None:
    columns = ["person_id"]
    for name in registry.features():
        columns += [column for column in load_contract(name).column_names if column not in ("as_of", "person_id")]
    told = {row["person_id"]: row for row in risk_populations[1].labels[EMERGENCY].to_pylist()}
    people = {row["person_id"]: row for row in risk_populations[1].people.to_pylist()}
    for rows in (made.validate,):
        assert rows.features.column_names == columns
        assert rows.places["person_id"].equals(rows.features["person_id"])
        chosen = [told[person] for person in rows.features["person_id"].to_pylist()]
        assert rows.has_outcome.tolist() == [row["has_outcome"] for row in chosen]
        assert all(row["is_at_risk"] and row["ended_by"] != "left" for row in chosen)
        assert rows.places["pcn_code"].to_pylist() == [people[row["person_id"]]["pcn_code"] for row in chosen]
        assert min(rows.features["age_years"].to_pylist()) >= 18


def test_children_have_sets_of_their_own(risk_ics: Any, risk_populations: Populations) -> None:
    children = training_sets(*risk_populations, ED, UNDER_18, risk_ics.night.site, risk_ics.night.as_of)
    assert max(children.validate.features["age_years"].to_pylist()) == 17
    assert children.fit.has_outcome.sum() > 100


def test_nobody_is_lost_between_the_lists_and_a_model(risk_ics: Any, risk_populations: Populations) -> None:
    development, validation = risk_populations
    account = refuse_if_broken(training_population(development, validation), load_contract("risk/training_population"))
    assert account.num_rows == 2 * len(registry.outcomes()) * len(AGE_GROUPS)
    for row in account.to_pylist():
        population = development if row["use"] == "development" else validation
        assert row["index_date"] == population.index_date
        if (row["outcome"], row["age_group"], row["use"]) == (EMERGENCY, ADULT, "validation"):
            made = training_sets(development, validation, EMERGENCY, ADULT, risk_ics.night.site, risk_ics.night.as_of)
            assert row["at_risk_count"] == len(made.validate.has_outcome)
            assert row["outcome_count"] == made.validate.has_outcome.sum()
    for population in risk_populations:
        both = [r["people_count"] for r in account.to_pylist() if r["index_date"] == population.index_date and r["outcome"] == EMERGENCY]
        assert sum(both) == population.people.num_rows + population.objected.num_rows
    readmitted = [row for row in account.to_pylist() if row["outcome"] == "readmission_12m" and row["age_group"] == ADULT]
    assert all(row["not_at_risk_count"] > row["at_risk_count"] > row["outcome_count"] > 0 < row["excluded_left_count"] for row in readmitted)


def with_training(site: Site, **settings: Any) -> Site:
    return site.model_copy(update={"training": Training(**settings)})


def test_too_few_events_are_refused_with_their_number(risk_ics: Any, risk_populations: Populations, made: TrainingSet) -> None:
    had = int(made.fit.has_outcome.sum())
    site, as_of = risk_ics.night.site, risk_ics.night.as_of
    assert training_sets(*risk_populations, EMERGENCY, ADULT, with_training(site, minimum_events=had), as_of).fit.has_outcome.sum() == had
    with pytest.raises(InputMissing, match=rf"adult: {had} of [\d,]+ people to fit a model with had the outcome, and at least {had + 1} must"):
        training_sets(*risk_populations, EMERGENCY, ADULT, with_training(site, minimum_events=had + 1), as_of)


def test_what_does_not_fit_together_is_refused(risk_ics: Any, risk_populations: Populations) -> None:
    development, validation = risk_populations
    site, as_of = risk_ics.night.site, risk_ics.night.as_of
    for given in ((validation, development), (development, development)):
        with pytest.raises(SettingsWrong, match="developed on people of one index date and judged on those of a later one"):
            training_sets(*given, EMERGENCY, ADULT, site, as_of)
    with pytest.raises(SettingsWrong, match="by what is known on that day"):
        training_sets(replace(development, as_of=as_of - timedelta(days=1)), validation, EMERGENCY, ADULT, site, as_of)
    with pytest.raises(SettingsWrong, match=r"fractures was not looked for at 2024-08-01; there are death_12m, ed_attendance_12m"):
        training_sets(development, validation, "fractures", ADULT, site, as_of)
    with pytest.raises(SettingsWrong, match="there are adult, under_18"):
        training_sets(development, validation, EMERGENCY, "pensioner", site, as_of)


def test_geographic_folds_keep_people_and_places_apart(made: TrainingSet) -> None:
    judged: list[str] = []
    places: list[str] = []
    for fold in geographic_folds(made, seed=1, groups=2):
        left_out = set(fold.pcn_codes)
        for rows, at in ((made.fit, fold.fit), (made.validate, fold.calibrate)):
            assert not left_out & set(rows.places["pcn_code"].take(at).to_pylist())
            assert len(at) > 100
        assert set(made.validate.places["pcn_code"].take(fold.validate).to_pylist()) <= left_out
        of_fold = made.validate.features["person_id"].take(fold.validate).to_pylist()
        assert not set(of_fold) & set(made.fit.features["person_id"].take(fold.fit).to_pylist())
        assert not set(fold.validate) & set(fold.calibrate)
        judged += of_fold
        places += fold.pcn_codes
    assert len(judged) == len(set(judged)) > 0.9 * len(made.validate.has_outcome)
    assert sorted(places) == sorted(set(made.fit.places["pcn_code"].to_pylist()) | set(made.validate.places["pcn_code"].to_pylist()))


def test_whoever_moved_to_another_groups_pcn_is_judged_in_neither(made: TrainingSet) -> None:
    import pyarrow as pa

    fitted = made.fit.features["person_id"].to_pylist()
    before = dict(zip(fitted, made.fit.places["pcn_code"].to_pylist(), strict=True))
    after = list(zip(made.validate.features["person_id"].to_pylist(), made.validate.places["pcn_code"].to_pylist(), strict=True))
    mover, home = next((person, pcn) for person, pcn in after if before.get(person) == pcn)
    other = next(pcn for _, pcn in after if pcn != home)
    moved: pa.Table = made.validate.places
    codes = pa.array([other if person == mover else pcn for person, pcn in after])
    moved = moved.set_column(moved.column_names.index("pcn_code"), "pcn_code", codes)
    given = replace(made, validate=replace(made.validate, places=moved))
    of = pcn_groups(pa.array([pcn for _, pcn in after]), seed=1, groups=2)
    assert of[home] != of[other] or len(of) > 2
    people = given.validate.features["person_id"].to_pylist()
    judged = [people[at] for fold in geographic_folds(given, seed=1, groups=2) for at in fold.validate]
    assert (mover in judged) == (of[home] == of[other])


def test_pcns_are_dealt_evenly_by_the_seed() -> None:
    import pyarrow as pa

    codes = pa.array([f"U{n:05d}" for n in range(41)] * 3)
    dealt = pcn_groups(codes, seed=1)
    assert sorted(np.bincount(list(dealt.values()))) == [8, 8, 8, 8, 9]
    assert dealt == pcn_groups(codes.take(pa.array(range(122, -1, -1))), seed=1)
    assert dealt != pcn_groups(codes, seed=2)


def test_one_pcn_alone_cannot_be_judged_elsewhere(made: TrainingSet) -> None:
    import pyarrow as pa

    def alone(rows: Rows) -> Rows:
        place = rows.places.column_names.index("pcn_code")
        return replace(rows, places=rows.places.set_column(place, "pcn_code", pa.array(["U00001"] * rows.places.num_rows)))

    given = replace(made, fit=alone(made.fit), validate=alone(made.validate))
    with pytest.raises(InputMissing, match="all people are of one PCN"):
        next(geographic_folds(given, seed=1))
