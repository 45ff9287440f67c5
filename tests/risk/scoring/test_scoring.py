"""Scores of a night: who has a row, what it says, and that nothing but the person's own record decides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken, InputMissing
from fuller_popheath.risk import scoring
from fuller_popheath.risk.fitted import FittedModel
from fuller_popheath.risk.model_store import load, save
from fuller_popheath.risk.scoring import Scored, ScoringModel, score, score_in_parts, scoring_models
from fuller_popheath.site import Models, Site

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2026, 8, 1)
People = Callable[[int, int], "pa.Table"]
Manifest = Callable[..., dict[str, Any]]


def in_night(model: FittedModel, is_demonstration: bool = True) -> ScoringModel:
    return ScoringModel(f"{model.outcome}.{model.age_group}.{model.model}.2026-08-01.0123abcd0123abcd", model, is_demonstration)


def objections(people: pa.Table, excluded: tuple[int, ...] = ()) -> pa.Table:
    import pyarrow as pa

    is_out = np.zeros(people.num_rows, dtype=bool)
    is_out[list(excluded)] = True
    return pa.table({"person_id": people["person_id"], "excluded_from_scoring": pa.array(is_out)})


def everybody(models: list[ScoringModel], people: pa.Table, excluded: tuple[int, ...] = (), **at_risk: np.ndarray) -> Scored:
    return score(models, people, objections(people, excluded), at_risk, Site(), DAY)


def by_person(table: pa.Table) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        rows.setdefault(row.pop("person_id"), []).append(row)
    return rows


def test_both_tables_keep_their_contracts(additive: FittedModel, children: FittedModel, some_people: People) -> None:
    people = some_people(300, 41)
    made = everybody([in_night(additive), in_night(children)], people)
    scores = refuse_if_broken(made.score, load_contract("risk/score"))
    reasons = refuse_if_broken(made.reasons, load_contract("risk/score_reason"))
    assert sorted(scores["person_id"].to_pylist()) == sorted(people["person_id"].to_pylist())
    assert set(reasons["person_id"].to_pylist()) <= set(scores["person_id"].to_pylist())
    assert scores["is_demonstration"].to_pylist() == [True] * 300


def test_adults_and_children_have_their_own_model(additive: FittedModel, children: FittedModel, some_people: People) -> None:
    people = some_people(300, 42)
    made = by_person(everybody([in_night(additive), in_night(children)], people).score)
    for person, age in zip(people["person_id"].to_pylist(), people["age_years"].to_pylist(), strict=True):
        assert [row["age_group"] for row in made[person]] == ["adult" if age >= 18 else "under_18"]


def test_scores_are_the_models_own(additive: FittedModel, some_people: People) -> None:
    import pyarrow.compute as pc

    people = some_people(300, 43)
    people = people.filter(pc.greater_equal(people["age_years"], 18))
    made = everybody([in_night(additive)], people).score
    assert (made["log_odds"].to_numpy() == additive.log_odds(people)).all()
    assert (made["probability"].to_numpy() == additive.probability(people)).all()
    ranks, probability = made["risk_rank"].to_numpy(), made["probability"].to_numpy()
    assert [1 + int((probability > own).sum()) for own in probability] == ranks.tolist()


def test_who_objects_to_being_scored_has_no_row(additive: FittedModel, children: FittedModel, some_people: People) -> None:
    import pyarrow as pa

    people = some_people(40, 44)
    ids = people["person_id"].to_pylist()
    made = everybody([in_night(additive), in_night(children)], people, excluded=(3, 17))
    assert set(ids) - set(made.score["person_id"].to_pylist()) == {ids[3], ids[17]}
    assert not {ids[3], ids[17]} & set(made.reasons["person_id"].to_pylist())
    unknown = pa.table({"person_id": people["person_id"], "excluded_from_scoring": pa.array([None, *[False] * 39])})
    assert ids[0] not in score([in_night(additive), in_night(children)], people, unknown, {}, Site(), DAY).score["person_id"].to_pylist()


def test_a_person_alone_and_in_any_order_scores_as_in_the_crowd(
    additive: FittedModel, children: FittedModel, some_people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow as pa

    people = some_people(60, 45)
    models = [in_night(additive), in_night(children)]
    crowd = everybody(models, people)
    monkeypatch.setattr(scoring, "PEOPLE_AT_A_TIME", 7)
    shuffled = everybody(models, people.take(pa.array(np.random.default_rng(1).permutation(60))))
    assert by_person(shuffled.score) == by_person(crowd.score)
    assert by_person(shuffled.reasons) == by_person(crowd.reasons)
    whole = by_person(crowd.score)
    for place in range(5):
        alone = everybody(models, people.slice(place, 1))
        [(person, [row])] = by_person(alone.score).items()
        assert {**row, "risk_rank": 0} == {**whole[person][0], "risk_rank": 0}
        assert by_person(alone.reasons).get(person) == by_person(crowd.reasons).get(person)


def test_a_stored_model_scores_the_same(additive: FittedModel, some_people: People, manifest: Manifest, tmp_path: Path) -> None:
    people = some_people(100, 46)
    again = load(tmp_path, save(tmp_path, additive, manifest(additive))).model
    first, second = (everybody([in_night(model)], people) for model in (additive, again))
    assert first.score.equals(second.score)
    assert first.reasons.equals(second.reasons)


def test_only_who_can_have_the_outcome_is_scored(additive: FittedModel, some_people: People) -> None:
    from dataclasses import replace

    people = some_people(80, 47)
    model = in_night(replace(additive, outcome="readmission_30d"))
    with pytest.raises(InputMissing, match="readmission_30d: not everybody can have it"):
        everybody([model], people)
    who = np.zeros(80, dtype=bool)
    who[10:30] = True
    adults = people["age_years"].to_numpy() >= 18
    made = everybody([model], people, readmission_30d=who)
    assert made.score["person_id"].to_pylist() == [i for i, is_in in zip(people["person_id"].to_pylist(), who & adults, strict=True) if is_in]
    with pytest.raises(ContractBroken, match="said of 79 people"):
        everybody([model], people, readmission_30d=who[:79])


def test_a_model_that_cannot_be_explained_gives_scores_without_reasons(every_model: Mapping[str, FittedModel], some_people: People) -> None:
    people = some_people(50, 48)
    made = everybody([in_night(every_model["boosting"])], people)
    assert made.score.num_rows == int((people["age_years"].to_numpy() >= 18).sum())
    assert made.reasons.num_rows == 0
    mixed = everybody([in_night(every_model["boosting"]), in_night(every_model["additive"])], people)
    assert mixed.reasons.num_rows > 0


def test_no_model_means_no_scores(some_people: People) -> None:
    made = everybody([], some_people(5, 49))
    for table, name in ((made.score, "risk/score"), (made.reasons, "risk/score_reason")):
        assert refuse_if_broken(table, load_contract(name)).num_rows == 0


def test_objections_of_other_people_are_refused(additive: FittedModel, some_people: People) -> None:
    people = some_people(20, 50)
    with pytest.raises(ContractBroken, match="are not the same, in the same order"):
        score([in_night(additive)], people, objections(people).slice(1), {}, Site(), DAY)
    with pytest.raises(ContractBroken, match="are not the same, in the same order"):
        score([in_night(additive)], people, objections(people).take(list(range(19, -1, -1))), {}, Site(), DAY)


def test_parts_hold_the_same_rows(additive: FittedModel, children: FittedModel, some_people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    people = some_people(50, 51)
    models = [in_night(additive), in_night(children)]
    monkeypatch.setattr(scoring, "PEOPLE_AT_A_TIME", 9)
    parts = list(score_in_parts(models, people, objections(people), {}, Site(), DAY))
    assert len(parts) > 4
    assert sum(part.score.num_rows for part in parts) == 50


def test_what_is_told_of_each_person_is_in_order_and_in_words(additive: FittedModel, some_people: People) -> None:
    made = everybody([in_night(additive)], some_people(60, 52))
    for rows in by_person(made.reasons).values():
        assert [row["place"] for row in rows] == list(range(1, len(rows) + 1))
        shares = [row["share_percent"] for row in rows]
        assert shares == sorted(shares, reverse=True)
        for row in rows:
            assert row["direction"] == ("raises" if row["contribution"] > 0 else "lowers")
            assert row["words"]


def test_the_models_of_a_night_are_those_in_use(additive: FittedModel, children: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    adult = save(tmp_path, additive, manifest(additive))
    child = save(tmp_path, children, manifest(children, as_of="2026-07-01"))
    found = scoring_models(Site(), tmp_path, is_synthetic=True, as_of=DAY)
    assert [(model.model_id, model.is_demonstration) for model in found] == [(adult, True), (child, True)]
    assert scoring_models(Site(), tmp_path, is_synthetic=False, as_of=DAY) == ()
    real = save(tmp_path, additive, manifest(additive, is_synthetic=False))
    site = Site(models=Models(promoted={"emergency_admission_12m.adult": real}))
    assert [(model.model_id, model.is_demonstration) for model in scoring_models(site, tmp_path, is_synthetic=False, as_of=DAY)] == [(real, False)]


def test_what_is_for_checking_only_never_scores(additive: FittedModel, manifest: Manifest, tmp_path: Path) -> None:
    from dataclasses import replace

    death = replace(additive, outcome="death_12m")
    save(tmp_path, death, manifest(death))
    assert scoring_models(Site(), tmp_path, is_synthetic=True, as_of=DAY) == ()
