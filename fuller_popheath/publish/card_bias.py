"""A self-assessment by PROBAST+AI: 16 questions about how the model was developed and 18 about how it was evaluated, and whether they fit the use.

Parts, domains and topics after Moons and others 2025, BMJ 388:e082505, in this project's own words. An assessment by whoever made a model is
no substitute for one by others, and says so. What does not belong here: TRIPOD+AI (`card_answers.py`), layout.
"""

from __future__ import annotations

from dataclasses import dataclass

from fuller_popheath.publish import wording
from fuller_popheath.publish.card_facts import CardFacts, count_text
from fuller_popheath.publish.card_figures import GEOGRAPHIC, UNSEEN

SOURCE = "Moons and others 2025, PROBAST+AI, BMJ 388:e082505"

YES, PROBABLY, UNKNOWN, NO, NOT_APPLICABLE = "yes", "probably yes", "not known", "no", "does not apply"
ANSWERS = (YES, PROBABLY, UNKNOWN, NO, NOT_APPLICABLE)
DEVELOPMENT, EVALUATION = "development", "evaluation"
PEOPLE, PREDICTORS, OUTCOME, ANALYSIS = "people and data sources", "predictors", "outcome", "analysis"
DOMAINS = (PEOPLE, PREDICTORS, OUTCOME, ANALYSIS)


@dataclass(frozen=True)
class Question:
    """One signalling question: its part and domain, what it asks about, the answer and why."""

    part: str
    number: str
    domain: str
    topic: str
    answer: str
    why: str


@dataclass(frozen=True)
class Concern:
    """The concern that is left in one domain of one part, `low`, `unclear` or `high`: the worst that its answers give."""

    part: str
    domain: str
    concern: str


Row = tuple[str, str, str, str]
"""Domain, topic, answer, why."""


def probast_questions(facts: CardFacts) -> tuple[Question, ...]:
    """All 34 questions: development, then evaluation, by domain."""
    shared = (*_people(facts), *_predictors(), *_outcome(facts))
    return (*_numbered(DEVELOPMENT, (*shared, *_development(facts))), *_numbered(EVALUATION, (*shared, *_evaluation(facts))))


def concerns(questions: tuple[Question, ...]) -> tuple[Concern, ...]:
    """By domain: high where an answer is no, unclear where one is not known, else low."""
    found = []
    for part in (DEVELOPMENT, EVALUATION):
        for domain in DOMAINS:
            answers = {q.answer for q in questions if (q.part, q.domain) == (part, domain)}
            found.append(Concern(part, domain, "high" if NO in answers else "unclear" if UNKNOWN in answers else "low"))
    return tuple(found)


def applicability(facts: CardFacts) -> tuple[tuple[str, str, str], ...]:
    """Whether people, predictors and outcome are those of the intended use: domain, concern, why."""
    whom = "Made-up people are not those of any use." if facts.is_synthetic else "The same lists that are scored, a year or two earlier."
    missed = "It stands for need only as far as need ends in what is counted: who cannot get care is missed."
    return (
        (PEOPLE, "high" if facts.is_synthetic else "low", whom),
        (PREDICTORS, "low", "The same columns from the same nightly files."),
        (OUTCOME, "unclear", f"The outcome is {facts.outcome.words}. {missed}"),
    )


def _numbered(part: str, rows: tuple[Row, ...]) -> list[Question]:
    """Numbered within their domain: 1.1, 1.2, 2.1 ..."""
    questions: list[Question] = []
    for domain, topic, answer, why in rows:
        place = 1 + sum(1 for q in questions if q.domain == domain)
        questions.append(Question(part, f"{DOMAINS.index(domain) + 1}.{place}", domain, topic, answer, why))
    return questions


def _people(facts: CardFacts) -> list[Row]:
    if facts.is_synthetic:
        source = (PEOPLE, "Data sources are fit for it", NO, "Make-believe records: fit to try the machinery, not to learn about people.")
        chosen = (PEOPLE, "Those included represent the people it is for", NO, "They represent nobody.")
    else:
        source = (
            PEOPLE,
            "Data sources are fit for it",
            PROBABLY,
            "Records of everybody registered, checked row by row; made for care, not for research.",
        )
        chosen = (
            PEOPLE,
            "Those included represent the people it is for",
            PROBABLY,
            "Everybody on the lists, little contact or not. Missing: people registered nowhere, practices that sent nothing, who objects, who left.",
        )
    return [
        source,
        (PEOPLE, "The design suits the question", YES, "A cohort at a fixed date, followed forward; lists with ended registrations."),
        chosen,
    ]


def _predictors() -> list[Row]:
    return [
        (PREDICTORS, "Defined and assessed alike for all", PROBABLY, "One declaration for all; practices differ in what and how they record."),
        (PREDICTORS, "Prepared alike for all", YES, "One code path for every person and date; no value of a group is treated apart."),
        (
            PREDICTORS,
            "Assessed without knowing the outcome",
            YES,
            "Recorded, and known, before the index date; rows recorded later change no feature (tested).",
        ),
        (PREDICTORS, "There when the model is used", YES, "The same nightly files; the model refuses to score where a column is missing."),
    ]


def _outcome(facts: CardFacts) -> list[Row]:
    return [
        (
            OUTCOME,
            "Defined and assessed properly",
            PROBABLY,
            "By national codes of hospital records, declared beforehand; admissions elsewhere may be missed.",
        ),
        (OUTCOME, "Alike for all", PROBABLY, "One rule; whether all groups use the hospitals that send records is not known."),
        (OUTCOME, "Assessed without the predictors", YES, "By rule from later records. Earlier admissions predict; none is part of the outcome."),
        (
            OUTCOME,
            "After the right time",
            YES,
            f"{wording.plural(facts.outcome.horizon_days, 'day', 'days')}, for all alike; death ends it, leaving is left out and counted.",
        ),
    ]


def _development(facts: CardFacts) -> list[Row]:
    events = facts.fit.outcomes
    size = (
        (UNKNOWN, "The manifest does not say.") if events is None else (YES, f"{count_text(events)} people with the outcome; see the learning curve.")
    )
    if events is not None and facts.features and events < 10 * len(facts.features):
        size = (PROBABLY, f"{count_text(events)} people with the outcome for {len(facts.features)} columns; regularised; see the learning curve.")
    return [
        (ANALYSIS, "Enough people", *size),
        (ANALYSIS, "Numbers and categories handled well", YES, "Nothing is cut into bands; curves are learnt."),
        (
            ANALYSIS,
            "Missing and unfinished handled well",
            PROBABLY,
            "Missing values have an effect of their own; death is followed through; who left before the end is left out, which may select.",
        ),
        (ANALYSIS, "Recalibrated if classes were balanced", NOT_APPLICABLE, "They were not."),
        (
            ANALYSIS,
            "Over-fitting guarded against",
            YES,
            "No selection by outcome; regularised; hyper-parameters on people held aside; recalibrated on others.",
        ),
    ]


def _evaluation(facts: CardFacts) -> list[Row]:
    events = facts.validate.outcomes
    size = (
        (UNKNOWN, "The manifest does not say.")
        if events is None
        else (YES if events >= 200 else NO, f"{count_text(events)} people with the outcome.")
    )
    unseen, elsewhere = (facts.figures.value("auroc", validation=v) is not None for v in (UNSEEN, GEOGRAPHIC))
    leak = (
        (
            PROBABLY,
            "A person is fitted on at the earlier date or judged as one never seen; most of those judged were fitted on a year before. Shown apart.",
        )
        if unseen
        else (UNKNOWN, "People never fitted on were not judged apart in this run.")
    )
    resampled = (
        (YES, "Each group of PCNs is judged by a model that was fitted without it, by the same steps.")
        if elsewhere
        else (NOT_APPLICABLE, "No evaluation by re-fitting in this run.")
    )
    return [
        (ANALYSIS, "Not judged on the people it was fitted on alone", YES, "A year later in time; people and PCNs never seen stand beside it."),
        (ANALYSIS, "Enough people", *size),
        (ANALYSIS, "Missing and unfinished handled well", PROBABLY, "As in fitting."),
        (ANALYSIS, "Judged without balancing of classes", NOT_APPLICABLE, "There was none."),
        (ANALYSIS, "No leak between fitting and judging", *leak),
        (ANALYSIS, "Every step repeated when re-fitted", *resampled),
        (
            ANALYSIS,
            "Fit measures of performance",
            YES,
            "Calibration curve and slope, AUROC, yield at the top, net benefit, with intervals, by group.",
        ),
    ]
