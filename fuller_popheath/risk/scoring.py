"""Scores of one night: everybody's risk of what is predicted for lists, in words and bands, with the reasons.

Who objects to being scored has no row, and neither has who cannot have the outcome. A person's score and reasons do not depend on who else is scored.
What does not belong here: which model scores (`promotion.py`), how reasons come about (`explaining.py`), and what changed (`score_change.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import ContractBroken, InputMissing
from fuller_popheath.registry import outcomes, reasons
from fuller_popheath.risk.explaining import MOST_REASONS, NO_REASON, Explanation, explain
from fuller_popheath.risk.model_store import load
from fuller_popheath.risk.promotion import in_use
from fuller_popheath.risk.risk_words import WORDS, bands_of, words_of
from fuller_popheath.risk.training_sets import ADULT, ADULT_AGE, AGE_GROUPS

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.risk.fitted import FittedModel
    from fuller_popheath.site import Site

SCORE, SCORE_REASON = "risk/score", "risk/score_reason"
PEOPLE_AT_A_TIME = 100_000
DIRECTIONS = ("raises", "lowers")


_NO_CELLS = np.empty((0, 0))
_NOTHING_TOLD = Explanation((), (), np.empty(0), _NO_CELLS, _NO_CELLS, _NO_CELLS, _NO_CELLS)


@dataclass(frozen=True, eq=False)
class ScoringModel:
    """A model that scores tonight. `is_demonstration`: whatever it says is marked so."""

    model_id: str
    model: FittedModel
    is_demonstration: bool


@dataclass(frozen=True, eq=False)
class Scored:
    """`score`: one row a person and outcome; `reasons`: one row a person, outcome and place. Columns as in the contracts; texts that recur are
    dictionary-encoded, which `contracts.conform` undoes."""

    score: pa.Table
    reasons: pa.Table


def scoring_models(site: Site, folder: Path, is_synthetic: bool, as_of: date) -> tuple[ScoringModel, ...]:
    """The models in use for what may stand on a list, loaded; none where none is. Errors as in `promotion.in_use` and `model_store.load`."""
    wanted = [(outcome, group) for outcome, spec in outcomes().items() if spec.for_lists for group in AGE_GROUPS]
    found = [in_use(site, folder, outcome, group, is_synthetic, as_of) for outcome, group in wanted]
    return tuple(ScoringModel(each.model_id, load(folder, each.model_id).model, each.is_demonstration) for each in found if each is not None)


def score(
    models: Sequence[ScoringModel],
    features: pa.Table,
    person_objection: pa.Table,
    at_risk: Mapping[str, np.ndarray],
    site: Site,
    as_of: date,
    say: Callable[[str], object] = lambda _: None,
) -> Scored:
    """`scores_and_parts` as two whole tables."""
    import pyarrow as pa

    from fuller_popheath.contracts import empty_table, load_contract

    scores, parts = scores_and_parts(models, features, person_objection, at_risk, site, as_of, say)
    return Scored(scores, pa.concat_tables(parts) if parts else empty_table(load_contract(SCORE_REASON)))


def scores_and_parts(
    models: Sequence[ScoringModel],
    features: pa.Table,
    person_objection: pa.Table,
    at_risk: Mapping[str, np.ndarray],
    site: Site,
    as_of: date,
    say: Callable[[str], object] = lambda _: None,
) -> tuple[pa.Table, list[pa.Table]]:
    """All of `score_in_parts`: the scores as one table, with `risk_rank` (1 is the highest risk of an outcome among everybody scored; equal risks
    share it), and the reasons in parts, each of one outcome: a whole ICS has millions, and as texts they do not fit into memory at once."""
    import pyarrow as pa

    from fuller_popheath.contracts import empty_table, load_contract

    parts = list(score_in_parts(models, features, person_objection, at_risk, site, as_of, say))
    scores = pa.concat_tables([part.score for part in parts]) if parts else empty_table(load_contract(SCORE)).drop_columns(["risk_rank"])
    return with_ranks(scores), [part.reasons for part in parts]


def score_in_parts(
    models: Sequence[ScoringModel],
    features: pa.Table,
    person_objection: pa.Table,
    at_risk: Mapping[str, np.ndarray],
    site: Site,
    as_of: date,
    say: Callable[[str], object] = lambda _: None,
) -> Iterator[Scored]:
    """Scores and reasons of PEOPLE_AT_A_TIME people at a time, model by model; `score` of a part has no `risk_rank` yet (`with_ranks`).

    `features`: person_id and every feature column, one row for each person of core/person in its order (`index_population.beside`);
    `person_objection`: core/person_objection, in the same order. `at_risk`: for each outcome that not everybody can have, who can (bool, a person). A
    model that cannot be explained gives no reasons. Raises ContractBroken where the tables are about other people, InputMissing where it is not
    said who is at risk.
    """
    allowed = _may_be_scored(features, person_objection)
    is_adult = features["age_years"].to_numpy() >= ADULT_AGE
    for each in models:
        model = each.model
        who = allowed & (is_adult if model.age_group == ADULT else ~is_adult) & _at_risk(model.outcome, at_risk, len(allowed))
        places = np.flatnonzero(who)
        say(f"scoring {len(places):,} people: {model.outcome}, {model.age_group}")
        for start in range(0, len(places), PEOPLE_AT_A_TIME):
            yield _scored(each, _rows(features, places[start : start + PEOPLE_AT_A_TIME]), site, as_of)


def with_ranks(scores: pa.Table) -> pa.Table:
    """The scores of a night with `risk_rank`, by outcome."""
    import pyarrow as pa

    probability, rank = scores["probability"].to_numpy(), np.zeros(scores.num_rows, np.int64)
    coded = scores["outcome"].cast(pa.string()).combine_chunks().dictionary_encode()
    outcome = coded.indices.to_numpy()
    for place in range(len(coded.dictionary)):
        rows = np.flatnonzero(outcome == place)
        ordered = np.sort(probability[rows])
        rank[rows] = len(rows) - np.searchsorted(ordered, probability[rows], side="right") + 1
    return scores.append_column("risk_rank", pa.array(rank))


def _may_be_scored(features: pa.Table, person_objection: pa.Table) -> np.ndarray:
    if not features["person_id"].equals(person_objection["person_id"]):
        people = f"{features.num_rows:,} people with features and {person_objection.num_rows:,} of core/person_objection"
        raise ContractBroken(f"{people} are not the same, in the same order: build both from one core/person")
    excluded = person_objection["excluded_from_scoring"]
    # Who has no answer is left out: fail closed.
    return ~excluded.fill_null(True).to_numpy().astype(bool)


def _at_risk(outcome: str, at_risk: Mapping[str, np.ndarray], people: int) -> np.ndarray:
    if outcome in at_risk:
        who = np.asarray(at_risk[outcome], dtype=bool)
        if len(who) != people:
            raise ContractBroken(f"{outcome}: it is said of {len(who):,} people whether they are at risk, and there are {people:,}")
        return who
    spec = outcomes().get(outcome)
    if spec is None or spec.at_risk is not None:
        raise InputMissing(f"{outcome}: not everybody can have it, and it is not said who can; give at_risk for it")
    return np.ones(people, dtype=bool)


def _rows(features: pa.Table, places: np.ndarray) -> pa.Table:
    """Those rows; neighbours are sliced, not copied."""
    import pyarrow as pa

    if len(places) and places[-1] - places[0] + 1 == len(places):
        return features.slice(int(places[0]), len(places))
    return features.slice(int(places[0]), int(places[-1] - places[0]) + 1).take(pa.array(places - places[0]))


def _scored(each: ScoringModel, features: pa.Table, site: Site, as_of: date) -> Scored:
    import pyarrow as pa

    model = each.model
    told = explain(model, features, reasons(), MOST_REASONS) if model.can_explain else None
    log_odds = told.log_odds if told else model.log_odds(features)
    probability = model.probability_of(log_odds)
    bands = site.risk.bands
    people = features["person_id"].cast(pa.string()).combine_chunks()
    columns = {
        "as_of": pa.repeat(pa.scalar(as_of, pa.date32()), len(people)),
        "person_id": people,
        "outcome": _same(model.outcome, len(people)),
        "age_group": _same(model.age_group, len(people)),
        "model_id": _same(each.model_id, len(people)),
        "is_demonstration": pa.repeat(pa.scalar(each.is_demonstration), len(people)),
        "log_odds": pa.array(log_odds),
        "probability": pa.array(probability),
        "band": _coded(bands_of(probability, bands), tuple(bands)),
        "risk_words": _coded(words_of(probability), WORDS),
    }
    return Scored(pa.table(columns), _reasons(told or _NOTHING_TOLD, people, model.outcome, as_of))


def _reasons(told: Explanation, people: pa.Array, outcome: str, as_of: date) -> pa.Table:
    """The reasons of some people, one row each, in the order of the people and places."""
    import pyarrow as pa

    person, place = np.nonzero(told.reason != NO_REASON)
    cells = (person, place)
    contribution = told.contribution[cells]
    return pa.table(
        {
            "as_of": pa.repeat(pa.scalar(as_of, pa.date32()), len(person)),
            "person_id": pa.DictionaryArray.from_arrays(pa.array(person.astype(np.int32)), people),
            "outcome": _same(outcome, len(person)),
            "place": pa.array(place.astype(np.int64) + 1),
            "reason": _coded(told.reason[cells], told.reasons),
            "direction": _coded(contribution < 0, DIRECTIONS),
            "share_percent": pa.array(told.share_percent[cells].astype(np.int64)),
            "contribution": pa.array(contribution),
            "words": _coded(told.words[cells], told.texts),
        }
    )


def _same(text: str, rows: int) -> pa.DictionaryArray:
    return _coded(np.zeros(rows, np.int8), (text,))


def _coded(numbers: np.ndarray, texts: Sequence[str]) -> pa.DictionaryArray:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), pa.array(texts, pa.string()))
