"""The 27 items of TRIPOD+AI (52 with their parts), answered one by one from the manifest, the results and the site's choices.

Items by topic after Collins and others 2024, BMJ 385:e078378; topics and answers are in this project's own words. What the project cannot know is
answered "the site must answer", never guessed. What does not belong here: PROBAST+AI (`card_bias.py`), figures, layout.
"""

from __future__ import annotations

from fuller_popheath.publish import card_views, wording
from fuller_popheath.publish.card_facts import CardFacts
from fuller_popheath.publish.card_figures import GEOGRAPHIC, UNSEEN
from fuller_popheath.publish.card_methods import ANSWERED, PARTLY, SITE, Answer, methods_answers, people_text
from fuller_popheath.publish.card_statements import published
from fuller_popheath.publish.card_words import interval_text

SOURCE = "Collins and others 2024, TRIPOD+AI statement, BMJ 385:e078378"


def tripod_answers(facts: CardFacts) -> tuple[Answer, ...]:
    """All 52 parts of the 27 items, in their order."""
    return (
        *_introduction(facts),
        *methods_answers(facts),
        *_open_science(facts),
        *_results(facts),
        *_performance(facts),
        *_discussion(facts),
    )


def _introduction(facts: CardFacts) -> list[Answer]:
    outcome, top = facts.outcome, "Title, abstract, introduction"
    others = "; ".join(f"{p.model}: {p.figure} ({p.source})" for p in published(facts))
    context = f"Published models of the same outcome: {others}." if others else "No published figures of the same outcome and age group were found."
    return [
        Answer(
            "1", top, "Title", f"Development and evaluation of a model of the risk of {outcome.words}, for {facts.age_words}: the title of this card."
        ),
        Answer(
            "2",
            top,
            "Abstract",
            "The first screen of this card: what, for whom, how good, on how many people, of which dates, and what gives concern.",
        ),
        Answer(
            "3a",
            top,
            "Context and why",
            "Neighbourhood teams have fewer places than people who might gain from them. A model that is fitted to the place ranks its people with "
            f"risks that are right on average; scores made elsewhere lose when they are moved. {context}",
        ),
        Answer("3b", top, "Who it is for, for what, used by whom", "See intended use, and what it is not for, above."),
        Answer(
            "3c",
            top,
            "Known health inequalities",
            "Emergency admission is commoner where deprivation is deeper, at every age: in one English area 282 against 202 for 1,000 people of 67 "
            "and over, most against least deprived (Pereira Gray 2017, BMJ Open 7:e014045). Some groups are also recorded less. Each figure is "
            "therefore shown by deprivation, ethnic group, sex, age, PLUS group and contact with the practice.",
        ),
        Answer(
            "4",
            top,
            "Objectives",
            "To fit a model, to recalibrate it, and to evaluate it later in time, in people never fitted on, and in PCNs never seen.",
        ),
    ]


def _open_science(facts: CardFacts) -> list[Answer]:
    section = "Open science and involvement"
    return [
        Answer("18a", section, "Funding", "Name who pays for this use and what part they have in it.", SITE),
        Answer("18b", section, "Conflicts of interest", "Declare those of the people who fit, judge and promote the model.", SITE),
        Answer(
            "18c",
            section,
            "Protocol",
            "The outcome, the predictors, the models and every limit are files that were there before the run; no other protocol.",
        ),
        Answer("18d", section, "Registration", "Not registered by this project.", SITE),
        Answer(
            "18e",
            section,
            "Availability of data",
            "Synthetic records can be made by anyone with the same seed."
            if facts.is_synthetic
            else "Records of persons are not shared; figures are, as on this card.",
        ),
        Answer(
            "18f", section, "Availability of code", f"All of it, under the project’s licence; this model by version {facts.told('code_version')}."
        ),
        Answer("19", section, "Patients and the public", "None that this project records. Say who was involved in deciding on this use.", SITE),
    ]


def _results(facts: CardFacts) -> list[Answer]:
    section = "Results: people and model"
    told = "The table of people shows who was there, who was left out and why, and who had the outcome, at both dates."
    flow = Answer("20a", section, "Flow of people", told)
    if not facts.flow:
        flow = Answer("20a", section, "Flow of people", "How many were left out, and why, was not given to this card.", PARTLY)
    return [
        flow,
        Answer(
            "20b",
            section,
            "Characteristics",
            "People and outcomes in each group are in the table of groups; shares missing are in the table of drift. There is no table of every "
            "predictor by group.",
            PARTLY,
        ),
        Answer(
            "20c",
            section,
            "Difference to the fitting data",
            "Shares with the outcome at both dates are shown; predictors are compared in the table of drift.",
            PARTLY,
        ),
        Answer(
            "21",
            section,
            "People and events in each step",
            f"Fitted: {people_text(facts.fit)}. Recalibrated and judged: {people_text(facts.validate)}. Trials on at most "
            f"{facts.training.trial_people:,} people of the fitting date.",
        ),
        Answer(
            "22",
            section,
            "The full model",
            f"Stored whole as {facts.model_id}, without code that could run when it is read; anyone with access to the site’s store can score with "
            "it. It holds no record of a person. Others need the site’s leave.",
        ),
    ]


def _performance(facts: CardFacts) -> list[Answer]:
    section = "Results: performance"
    figures = facts.figures
    told = [f"later in time {interval_text(figures.figure('auroc'))}"]
    for validation, words in ((UNSEEN, "people never fitted on"), (GEOGRAPHIC, "PCNs never seen")):
        figure = figures.figure("auroc", validation=validation)
        told += [f"{words} {interval_text(figure)}"] if figure.value is not None else [f"{words}: not evaluated"]
    slope, ratio = interval_text(figures.figure("calibration_slope"), 2), interval_text(figures.figure("observed_over_expected"), 2)
    seeds = figures.value("seed_mean_difference")
    refitted = (
        f"Fitted again with other seeds, risks differ by {wording.decimals(100 * seeds, 2)} percentage points on average."
        if seeds is not None
        else ""
    )
    as_fitted = figures.figure("observed_over_expected_as_fitted")
    before = f"Before it, observed over expected was {interval_text(as_fitted, 2)}." if as_fitted.value is not None else ""
    return [
        Answer(
            "23a",
            section,
            "Performance",
            f"AUROC {'; '.join(told)}. Observed over expected {ratio}; calibration slope {slope}. Groups: in the table of groups.",
        ),
        Answer("23b", section, "Differences between places", f"By PCN in the table of groups; PCNs never seen as above. {refitted}".strip()),
        Answer(
            "24",
            section,
            "Result of updating",
            f"Intercept {facts.told('recalibration', 'intercept')}, slope {facts.told('recalibration', 'slope')}; all figures are after it. "
            f"{before}".strip(),
            ANSWERED if "recalibration" in facts.manifest else PARTLY,
        ),
    ]


def _discussion(facts: CardFacts) -> list[Answer]:
    section = "Discussion and use"
    verdicts = [check.verdict for check in card_views.checks(facts) if check.decides and check.verdict]
    checks = f"Of {wording.plural(len(verdicts), 'check that decides', 'checks that decide')}, {verdicts.count('red')} red and "
    checks += f"{verdicts.count('amber')} amber. Groups beside the deprivation quintiles are {card_views.ONLY_SHOWN}: see the table of groups."
    reading = (
        "Nothing follows from it for real people."
        if facts.is_synthetic
        else "What it means for this use, and for groups that come off worse, is for the site."
    )
    return [
        Answer("25", section, "Interpretation", f"{checks} {reading}", PARTLY),
        Answer("26", section, "Limitations", "See the limits near the top of this card."),
        Answer(
            "27a",
            section,
            "Poor or missing input",
            "A missing value is scored as missing. Faulty rows never reach a feature; a practice whose extract is stale or refused is named each "
            "night; a change in what is recorded turns a check amber or red.",
        ),
        Answer(
            "27b",
            section,
            "What users have to do",
            "Nothing is typed in. Teams need to know what a risk and a reason are and what they are not; analysts need this card and what it is "
            "made of.",
        ),
        Answer(
            "27c",
            section,
            "What next",
            "Whether lists change what happens to people is not answered by any figure here: a trial or a design with a cut-off can.",
            PARTLY,
        ),
    ]
