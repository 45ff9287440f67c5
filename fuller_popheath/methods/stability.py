"""How much the same thing moved: a feature between then and now, and predictions between seeds.

What does not belong here: whether a prediction is right, and which features there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.methods.distinct_scores import distinct_scores
from fuller_popheath.methods.estimates import checked_score
from fuller_popheath.methods.top_of_list import flagged_part, flagged_size

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# An empty bin is taken as holding one in ten thousand, so that the index stays finite (the usual convention).
LEAST_SHARE = 1e-4
MOST_CATEGORIES = 50
EDGE_DIGITS = 2
"""An edge that is the value of few people is kept to so many significant digits, so that it is nobody's."""


@dataclass(frozen=True)
class ReferenceBins:
    """The bins of a feature and the share of people in each when it was the reference: small, of plain values, to be kept with a model.

    Numbers: bin i holds values above upper_edges[i - 1] and up to upper_edges[i], and a last one the rest. Words: one bin a category and a
    last one for any other. `shares` has one element a bin, and `missing_share` is beside them; all add up to 1. Empty for nobody.
    """

    upper_edges: tuple[float, ...]
    categories: tuple[str, ...]
    shares: tuple[float, ...]
    missing_share: float
    people_count: int


@dataclass(frozen=True)
class PopulationStability:
    """The index, and the shares of people without a value in the reference and now (0 to 1); not-a-number where either is nobody."""

    index: float
    missing_share_reference: float
    missing_share_now: float


@dataclass(frozen=True)
class SeedAgreement:
    """How far predictions of one model agree between seeds, over all pairs of seeds; not-a-number for fewer than two."""

    seeds: int
    lowest_rank_agreement: float
    mean_absolute_difference: float
    largest_mean_absolute_difference: float
    lowest_top_overlap: float


def reference_bins(values: ArrayLike, bins: int = 10, least_people: int = 1) -> ReferenceBins:
    """Bins fixed from the reference: numbers by their quantiles, words by category; missing has its own.

    A number that a bin's worth of people share has a bin of its own, so there may be up to twice as many. Missing: not-a-number, None.
    Numbers include truth values. Categories are kept by name, the 50 most frequent and the rest together; do not give a column of names of
    persons. With `least_people` every bin holds so many or nobody: small bins are merged, an edge that is the value of fewer is rounded to two
    digits, fewer of rare categories together count as the commonest, fewer beside one common value as having that, and fewer missing as none.
    Fewer people with a value than that have one bin. Raises ValueError for fewer than two bins.
    """
    if bins < 2:
        raise ValueError("there must be two bins at least")
    known, missing, people = _known(values)
    if missing < least_people:
        # Shares that lacked them would tell how many they are.
        missing, people = 0, known.size
    share_missing = missing / people if people else math.nan
    if known.dtype.kind in "US":
        categories, known = _frequent(known, least_people)
        return ReferenceBins((), categories, _shares_of_words(known, categories, people), share_missing, people)
    if least_people > 1:
        known = _without_few_others(known, least_people)
    upper_edges = _upper_edges(known, bins)
    if least_people > 1:
        upper_edges = _of_enough(known, upper_edges, least_people)
    return ReferenceBins(upper_edges, (), _shares_of_numbers(known, upper_edges, people), share_missing, people)


def stability_against(reference: ReferenceBins, now: ArrayLike) -> PopulationStability:
    """Population stability index of people now against the bins of the reference: sum of (now - then) x ln(now / then) over bins and missing.

    0 is no change. By a convention of credit scoring, below 0.1 is little and from 0.25 much (Siddiqi, Credit Risk Scorecards, 2006); it has
    no clinical standing. The statistic is Kullback's symmetric divergence (Information Theory and Statistics, 1959). Shares below 0.0001
    count as that. Raises ValueError for words where the reference is numbers.
    """
    known, missing, people = _known(now)
    if not people or not reference.people_count:
        return PopulationStability(math.nan, reference.missing_share, missing / people if people else math.nan)
    if known.dtype.kind in "US" and reference.upper_edges:
        raise ValueError(f"the reference is numbers, and {known.size:,} values now are words")
    if known.dtype.kind in "US" or reference.categories:
        shares = _shares_of_words(known.astype(np.str_), reference.categories, people)
    else:
        shares = _shares_of_numbers(known, reference.upper_edges, people)
    then, today = (np.maximum([*s, m], LEAST_SHARE) for s, m in ((reference.shares, reference.missing_share), (shares, missing / people)))
    return PopulationStability(float(((today - then) * np.log(today / then)).sum()), reference.missing_share, missing / people)


def population_stability_index(reference: ArrayLike, now: ArrayLike, bins: int = 10) -> float:
    """The index of two sets of values, with bins from the first. See reference_bins and stability_against."""
    return stability_against(reference_bins(reference, bins), now).index


def rank_agreement(score_a: ArrayLike, score_b: ArrayLike) -> float:
    """Spearman's correlation of two scores of the same people, ties sharing the mean rank; not-a-number where either is constant."""
    ranks = [_centred_ranks(values) for values in _of_the_same_people(score_a, score_b)]
    spread = math.sqrt(float(ranks[0] @ ranks[0]) * float(ranks[1] @ ranks[1]))
    return max(-1.0, min(1.0, float(ranks[0] @ ranks[1]) / spread)) if spread > 0 else math.nan


def _centred_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean ranks of tied values, about their middle so that nothing is lost in the sums of a million squares."""
    distinct = distinct_scores(np.zeros(values.size, dtype=bool), values)
    middle = np.cumsum(distinct.people) - distinct.people / 2 - values.size / 2
    return middle[distinct.place]


def mean_absolute_difference(probability_a: ArrayLike, probability_b: ArrayLike) -> float:
    """Mean over people of |a - b|; not-a-number for nobody."""
    a, b = _of_the_same_people(probability_a, probability_b)
    return float(np.abs(a - b).mean()) if a.size else math.nan


def top_overlap(score_a: ArrayLike, score_b: ArrayLike, *, share: float | None = None, count: int | None = None) -> float:
    """Which share of the people at the top of one score is at the top of the other too: 1 the same people, 0 none.

    People tied at the cut count in part, and the smaller of both parts is shared. Exactly one of share and count, as top_of_list.
    Not-a-number where nobody is at the top.
    """
    a, b = _of_the_same_people(score_a, score_b)
    size = flagged_size(a.size, share, count)
    if not size:
        return math.nan
    return float(np.minimum(flagged_part(a, size)[0], flagged_part(b, size)[0]).sum()) / size


def seed_agreement(probabilities: ArrayLike, share: float = 0.05) -> SeedAgreement:
    """Agreement between predictions of the same people (columns) fitted with different seeds (rows); the overlap is of the top `share`."""
    rows = np.asarray(probabilities, dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError("probabilities must be seeds x people")
    pairs = [(rows[i], rows[j]) for i in range(len(rows)) for j in range(i)]
    if not pairs or not rows.shape[1]:
        return SeedAgreement(len(rows), math.nan, math.nan, math.nan, math.nan)
    differences = [mean_absolute_difference(a, b) for a, b in pairs]
    return SeedAgreement(
        seeds=len(rows),
        lowest_rank_agreement=min(rank_agreement(a, b) for a, b in pairs),
        mean_absolute_difference=sum(differences) / len(differences),
        largest_mean_absolute_difference=max(differences),
        lowest_top_overlap=min(top_overlap(a, b, share=share) for a, b in pairs),
    )


def _of_the_same_people(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first = checked_score(a, np.asarray(a).size)
    return first, checked_score(b, first.size)


def _known(values: ArrayLike) -> tuple[NDArray[Any], int, int]:
    """The values that are there (numbers, or words), how many are missing, and how many people there are."""
    given = np.asarray(values)
    if given.dtype.kind == "O":
        is_there = np.array([value is not None and value == value for value in given], dtype=bool)
        there = given[is_there]
        is_words = any(isinstance(value, str) for value in there)
        return there.astype(np.str_ if is_words else np.float64), int((~is_there).sum()), given.size
    if given.dtype.kind in "US":
        return given.astype(np.str_), 0, given.size
    numbers = given.astype(np.float64)
    is_missing = np.isnan(numbers)
    return numbers[~is_missing], int(is_missing.sum()), given.size


def _upper_edges(known: NDArray[np.float64], bins: int) -> tuple[float, ...]:
    distinct, counts = np.unique(known, return_counts=True)
    if distinct.size < 2:
        # Whatever differs from the one value there was, to either side, is a change.
        return tuple(float(edge) for value in distinct for edge in (np.nextafter(value, -np.inf), value))
    at_quantiles = np.searchsorted(np.cumsum(counts), known.size * np.arange(1, bins) / bins)
    own_bin = at_quantiles[counts[at_quantiles] * bins >= known.size]
    edges = np.union1d(at_quantiles, np.maximum(own_bin - 1, 0))
    return tuple(distinct[edges[edges < distinct.size - 1]].tolist())


def _frequent(known: NDArray[np.str_], least_people: int) -> tuple[tuple[str, ...], NDArray[np.str_]]:
    """The categories that have a bin, and the words with the few others as the commonest category, where they are too few to be told."""
    # The most frequent, and among equals the first by name: the order of the rows says nothing.
    most = sorted(_counted(known).items(), key=lambda item: (-item[1], item[0]))[:MOST_CATEGORIES]
    most = [(name, count) for name, count in most if count >= least_people]
    categories = tuple(sorted(name for name, _ in most))
    is_other = ~np.isin(known, np.array(categories, np.str_))
    if most and 0 < int(is_other.sum()) < least_people:
        known = np.where(is_other, most[0][0], known)
    return categories, known


def _without_few_others(known: NDArray[np.float64], least_people: int) -> NDArray[np.float64]:
    """The numbers, all of them the commonest where fewer than so many people have another."""
    distinct, counts = np.unique(known, return_counts=True)
    is_common = known.size >= least_people and known.size - counts.max() < least_people
    return np.full_like(known, distinct[counts.argmax()]) if is_common else known


def _of_enough(known: NDArray[np.float64], upper_edges: tuple[float, ...], least_people: int) -> tuple[float, ...]:
    """The edges, rounded where fewer than so many people have that value, less those that would leave a bin with 1 to so many people."""
    distinct, counts = np.unique(known, return_counts=True)
    if distinct.size < 2:
        return upper_edges if known.size >= least_people else ()
    shared = set(distinct[counts >= least_people].tolist())
    edges = sorted({edge if edge in shared else float(f"{edge:.{EDGE_DIGITS}g}") for edge in upper_edges})
    people_up_to = np.searchsorted(np.sort(known), edges, side="right")
    kept: list[float] = []
    before = 0
    for edge, up_to in zip(edges, people_up_to.tolist(), strict=True):
        if up_to - before >= least_people and known.size - up_to >= least_people:
            kept.append(edge)
            before = up_to
    return tuple(kept)


def _shares_of_numbers(known: NDArray[np.float64], upper_edges: tuple[float, ...], people: int) -> tuple[float, ...]:
    if not people:
        return ()
    counts = np.bincount(np.searchsorted(np.asarray(upper_edges), known, side="left"), minlength=len(upper_edges) + 1)
    return tuple((counts / people).tolist())


def _shares_of_words(known: NDArray[np.str_], categories: tuple[str, ...], people: int) -> tuple[float, ...]:
    if not people:
        return ()
    counted = _counted(known)
    counts = [counted.get(category, 0) for category in categories]
    return tuple(count / people for count in (*counts, known.size - sum(counts)))


def _counted(words: NDArray[np.str_]) -> dict[str, int]:
    import pandas as pd

    codes, names = pd.factorize(words.astype(object))
    return {str(name): int(count) for name, count in zip(names, np.bincount(codes, minlength=len(names)), strict=True)}
