"""Answers to the items of TRIPOD+AI about methods (5 to 17), from the manifest, the results and the site's choices.

What does not belong here: the other items (`card_answers.py`), figures, layout.
"""

from __future__ import annotations

from dataclasses import dataclass

from fuller_popheath.publish import wording
from fuller_popheath.publish.card_facts import CardFacts, Part, count_text, sentence_list
from fuller_popheath.publish.card_statements import outcome_definition

ANSWERED, PARTLY, SITE, NOT_APPLICABLE = "answered", "partly", "the site must answer", "does not apply"
STATES = (ANSWERED, PARTLY, SITE, NOT_APPLICABLE)


@dataclass(frozen=True)
class Answer:
    """One item: its number, the section it belongs to, what it asks about, the answer, and how far it is one."""

    item: str
    section: str
    topic: str
    answer: str
    state: str = ANSWERED


def methods_answers(facts: CardFacts) -> tuple[Answer, ...]:
    """The 26 parts of the items 5 to 17, in their order."""
    return (
        *_data_and_participants(facts),
        *_outcome_and_predictors(facts),
        *_size_and_missing(facts),
        *_analysis(facts),
        *_design_choices(facts),
    )


def _data_and_participants(facts: CardFacts) -> list[Answer]:
    section = "Methods: data and participants"
    end_fit, end_check = facts.end_of_follow_up
    made_up = "Make-believe records of a synthetic ICS; they represent nobody. " if facts.is_synthetic else ""
    dates = (
        f"Fitted on what was known before {wording.day(facts.development)} and what happened until {wording.day(end_fit)}; recalibrated and judged "
        f"on what was known before {wording.day(facts.validation)} and what happened until {wording.day(end_check)}. Records as known on "
        f"{wording.day(facts.as_of)}."
    )
    return [
        Answer(
            "5a",
            section,
            "Data sources and why these",
            f"{made_up}Records of general practices (registrations, coded events, medicines, appointments) and of hospitals (stays, emergency "
            "attendances) as the practices and trusts send them every night: the same for fitting, judging and use. Lists hold registrations that "
            "have ended, so that those who died or left are there. Practices that sent nothing are missing.",
        ),
        Answer("5b", section, "Dates", dates),
        Answer(
            "6a",
            section,
            "Setting",
            f"General practice and hospital care of one Integrated Care System; {_pcns(facts)}. Which practices sent records is told each night.",
        ),
        Answer(
            "6b",
            section,
            "Who is included",
            f"{facts.age_words.capitalize()}, registered with a practice and alive on the index date, and able to have the outcome. Left out: who "
            "objects to it on the day the model was made, or of whom that is not known; who left every list before the outcome, death or the end. "
            "Nobody is left out for having little contact or an incomplete record.",
        ),
        Answer(
            "6c",
            section,
            "Treatments",
            "Care as it was given; medicines issued before the index date are among the predictors. No treatment is modelled.",
        ),
        Answer(
            "7",
            section,
            "Preparing and checking the data",
            "Each file is held against a published contract; rows that break it are set aside with the rule they broke, and counted. Features are "
            "made by one declaration for everybody and every date, only of what was known before the date. Whether practices record groups "
            "differently is not known; shares of missing values are watched month by month.",
            PARTLY,
        ),
    ]


def _pcns(facts: CardFacts) -> str:
    number = len(facts.figures.groups("pcn"))
    return wording.plural(number, "PCN", "PCNs") if number else "the number of PCNs was not recorded"


def _outcome_and_predictors(facts: CardFacts) -> list[Answer]:
    section = "Methods: outcome and predictors"
    return [
        Answer(
            "8a",
            section,
            "Outcome and horizon",
            f"{outcome_definition(facts.outcome)} Followed for {wording.plural(facts.outcome.horizon_days, 'day', 'days')} from the index date. The "
            "same records and rule for everybody; whether all groups go to the hospitals that send records is for the site to say.",
            PARTLY,
        ),
        Answer("8b", section, "Judgement in the outcome", "None: it is computed from recorded dates and codes.", NOT_APPLICABLE),
        Answer(
            "8c", section, "Blinding of the outcome", "Recorded for care and payment by people who did not know the prediction; computed by rule."
        ),
        Answer(
            "9a",
            section,
            "Choice of predictors",
            f"{_features(facts)}, chosen beforehand from what published admission models use and what practices record. None is selected by its "
            "relation to the outcome.",
        ),
        Answer(
            "9b",
            section,
            "Definition of predictors",
            "Each with unit, window and source in the data dictionary and in the list of predictors below. Every one is of before the index date, "
            "both by its own date and by the date it was recorded.",
        ),
        Answer(
            "9c",
            section,
            "Judgement in predictors",
            "Codes are entered by clinicians and staff of practices in daily work; who they are is not recorded.",
            PARTLY,
        ),
    ]


def _features(facts: CardFacts) -> str:
    number = len(facts.features)
    return f"{wording.count(number)} columns" if number else "The columns that the manifest lists"


def _size_and_missing(facts: CardFacts) -> list[Answer]:
    section = "Methods: size and missing data"
    return [
        Answer(
            "10",
            section,
            "Sample size",
            f"Everybody there is, up to limits in site.toml: fitted on {people_text(facts.fit)}, judged on {people_text(facts.validate)}. An "
            f"outcome with fewer than {facts.training.minimum_events:,} events is not modelled. No size was computed beforehand; the learning curve "
            "shows whether more people would help, and the intervals how sure the figures are.",
        ),
        Answer(
            "11",
            section,
            "Missing data",
            "Nobody is left out for a missing value, and nothing is filled in: that a measurement was not taken is information, and the model "
            "gives a missing value its own effect (in the logistic model an indicator). Shares missing then and now are watched (drift).",
        ),
    ]


def people_text(part: Part) -> str:
    """How many people a part has, and how many of them with the outcome, as may be shown."""
    return f"{count_text(part.people)} people, {count_text(part.outcomes)} of them with the outcome"


def _analysis(facts: CardFacts) -> list[Answer]:
    section = "Methods: analysis"
    training = facts.training
    return [
        Answer(
            "12a",
            section,
            "How data were split",
            "By time and by person. Each person has a fixed number that decides for good whether models may be fitted on them or never see them "
            f"({training.unseen_share:.0%}). Fitted at the earlier date, recalibrated and judged at the later one: people are dealt into five "
            "groups, and each is judged by a recalibration (intercept and slope) of the four others; the one in use rests on all. So observed over "
            "expected of everybody together is close to 1 by design; how far the level had moved since the earlier date is told before "
            "recalibration (24). For the geographic evaluation PCNs are dealt into five groups, and each is judged by a model that never saw it.",
        ),
        Answer(
            "12b",
            section,
            "How predictors were handled",
            "Numbers as numbers and categories as categories; no value is cut into bands beforehand. The default model learns a step curve for "
            "each column, the logistic one has splines.",
        ),
        Answer(
            "12c",
            section,
            "Type and building of the model",
            f"{facts.model_words.capitalize()}. Hyper-parameters by {wording.plural(training.trials, 'seeded trial', 'seeded trials')}, judged by "
            f"log-loss on people of the fitting date held aside; chosen: {_parameters(facts)}. Seed {facts.told('seed')}. An additive model is "
            "preferred because each person’s reasons are then exact, and published gains of more complex ones are small.",
        ),
        *_judging(),
    ]


def _judging() -> list[Answer]:
    section = "Methods: analysis"
    return [
        Answer(
            "12d",
            section,
            "Differences between places",
            "Performance is shown for each PCN, and in PCNs the model never saw; no parameter differs by place.",
        ),
        Answer(
            "12e",
            section,
            "Measures and plots",
            "Order (AUROC, precision and recall), error (Brier score), calibration (in the large, slope, flexible curve, ICI, E50, E90), yield at "
            "the top of the list and at the team’s capacity, net benefit over thresholds; all with 95% intervals where there is a method, against "
            "today’s rules on the same people.",
        ),
        Answer(
            "12f",
            section,
            "Updating",
            "Recalibrated once, by intercept and slope, at the later date, the same for all groups; each person is judged by a recalibration of "
            "others. It keeps the order of people. Made anew each month; put to use by a reviewed line only.",
        ),
        Answer(
            "12g",
            section,
            "How predictions are computed",
            "By the stored model itself, the whole of it, through one function; somebody scored alone has the same risk as in a crowd.",
        ),
    ]


def _parameters(facts: CardFacts) -> str:
    chosen = facts.manifest.get("parameters", {})
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in chosen.items()) or "none to choose"


def _protected(facts: CardFacts) -> str:
    """Whether the model looks at what people must not be treated worse for."""
    looked_at = {"sex": "sex", "ethnic_group": "ethnic group", "ethnic_category": "ethnic group", "imd_2025_quintile": "deprivation"}
    seen = list(dict.fromkeys(words for column, words in looked_at.items() if column in facts.features))
    if not seen:
        return "Sex, ethnic group and deprivation are not among the predictors."
    return (
        f"Among the predictors: {sentence_list(seen)}, so that risks come nearer the truth for those who have less recorded; as reasons they are "
        "named in neutral words."
    )


def _design_choices(facts: CardFacts) -> list[Answer]:
    section = "Methods: choices"
    bands = ", ".join(f"{name} from {share:.0%}" for name, share in facts.site.risk.bands.items())
    return [
        Answer(
            "13",
            section,
            "Class imbalance",
            "Nothing was re-weighted or re-sampled: that would spoil the risks, and their order does not need it.",
            NOT_APPLICABLE,
        ),
        Answer(
            "14",
            section,
            "Fairness",
            "One model for all groups, judged in each: red where a deprivation quintile’s observed over expected lies wholly outside the limits. "
            f"Low-contact people are kept. {_protected(facts)} Whether this is right for the use in question is for the site’s equality impact "
            "assessment.",
            PARTLY,
        ),
        Answer(
            "15",
            section,
            "Output and thresholds",
            f"A probability, shown as “about 1 in 6” and a band ({bands}: a local choice). No threshold decides: a list is as long as the team has "
            "places.",
        ),
        Answer(
            "16",
            section,
            "Fitting against evaluation data",
            "Same places, rules and predictors, a year apart; shares with the outcome at both dates are in the table of people. Records change: "
            "see drift.",
        ),
        Answer(
            "17",
            section,
            "Ethical approval and consent",
            "Objections are honoured as the site has set. Approval or its waiver, and support under section 251: name them.",
            SITE,
        ),
    ]
