"""What a model card says beside the figures: what the model is for and not for, its limits, local choices, and what the site has to do first.

Every published figure that is told has its source beside it. What does not belong here: TRIPOD+AI and PROBAST+AI, layout.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from fuller_popheath.publish import wording
from fuller_popheath.publish.card_facts import CardFacts, count_text, sentence_list
from fuller_popheath.specs import OutcomeSpec


@dataclass(frozen=True)
class Published:
    """What is published of another model: beside it a reader sees what is plausible, not what is better: people, places and years differ."""

    model: str
    population: str
    figure: str
    source: str


_ADMISSION = (
    Published("SPARRAv4", "Scotland, 12.9 million person-dates, one year", "AUROC 0.799", "SPARRAv4 repository, auc.txt"),
    Published("QAdmissions", "England, CPRD, 2.48 million people, two years", "AUROC 0.783 and 0.769 (the two sexes)", "BMJ Open 2013"),
    Published("Cambridge score (37 conditions)", "England, CPRD, one year", "C 0.742", "Payne 2020, CMAJ 192:E107"),
    Published("PEONY refitted", "New Zealand, 1.41 million people, one year", "C 0.72", "Journal of Primary Health Care 2016"),
)
_PUBLISHED = {
    "emergency_admission_12m": _ADMISSION,
    "readmission_30d": (Published("PARR-30", "England, 576,868 stays, 30 days", "AUROC 0.70 (0.69 to 0.70)", "Billings 2012, BMJ Open 2:e001667"),),
    "death_12m": (
        Published("Cambridge score (37 conditions)", "England, CPRD, one year", "C 0.912", "Payne 2020, CMAJ 192:E107"),
        Published("Charlson", "England, CPRD, one year", "C 0.907", "Payne 2020, CMAJ 192:E107"),
    ),
}
_PUBLISHED_UNDER_18 = (Published("SPARRAv4, under 16", "Scotland, one year", "AUROC 0.732", "SPARRAv4 repository, performance_by files"),)


def published(facts: CardFacts) -> tuple[Published, ...]:
    """Published figures of models of the same outcome and age group; none where none was found."""
    if facts.age_group == "under_18":
        return _PUBLISHED_UNDER_18 if facts.outcome.name == "emergency_admission_12m" else ()
    return _PUBLISHED.get(facts.outcome.name, ())


def outcome_definition(outcome: OutcomeSpec) -> str:
    """What counts as the outcome, and of whom: the words at the head of the file that declares it."""
    module = inspect.getmodule(outcome.events)
    text = (module.__doc__ if module else None) or f"{outcome.words}."
    return re.sub(r"\s+", " ", text.replace("`", "")).strip()


def intended_use(facts: CardFacts) -> tuple[str, ...]:
    """What the model may be used for, by whom."""
    if not facts.outcome.for_lists:
        return (
            "Checking the other models: how much of a predicted risk is a risk of dying first, and whether lists leave out people near the end of "
            "life.",
            "It stands on no list and is shown to no team: the project refuses to score people with it for one.",
        )
    return (
        f"To help a neighbourhood team that cannot see everybody decide whom to look at first, among {facts.age_words} registered with its "
        f"practices, by the risk of {facts.outcome.words}.",
        "Used by clinicians and care co-ordinators who already look after these people, beside explicit rules and their own judgement. The list "
        "shows the risk in words (“about 1 in 6”), a band, and the main reasons; a person decides, and what they decide is recorded.",
        "By analysts, as counts and rates by area and group, with small numbers hidden.",
    )


def not_for(facts: CardFacts) -> tuple[str, ...]:
    """What the model must not be used for."""
    others = "children and young people" if facts.age_group == "adult" else "adults"
    return (
        "Deciding alone: nobody is offered, refused or discharged from anything because of the score without a person who has looked.",
        "Urgent decisions: it looks a long way ahead and knows nothing of today.",
        "Coding: a score is no diagnosis and is never written into a record as frailty, a condition or a test result.",
        f"People it was not made for: {others}, people registered elsewhere, people whose objection keeps them out of scoring.",
        "Payment, performance of practices or clinicians, insurance, employment, or any purpose other than care.",
        "Concluding what would help: the reasons say what the record shows, not what causes the outcome or what would prevent it.",
        "Promising fewer admissions. Being at high risk is not being able to benefit: where general practices were given risk scores (PRISMATIC, "
        "230,099 people; BMJ Quality & Safety 2019), emergency admissions rose by 0.011 for each participant and year (0.010 to 0.013).",
    )


def limits(facts: CardFacts) -> tuple[str, ...]:
    """What a reader has to know before believing the figures."""
    told = [
        "The data are make-believe, made by rules that this project wrote: every figure on this card shows that the machinery works and nothing else."
    ] * facts.is_synthetic
    told += [
        "It is fitted to this place. Scores that are moved lose: eFI2 fell from a C of 0.803 in Bradford to 0.723 in Wales (Best 2025, Age and "
        "Ageing). Elsewhere it has to be evaluated, and most likely fitted, anew.",
        "It predicts what happens under today’s care. Where a list helps people, fewer have the outcome than predicted, and a model that is fitted "
        "again on that time may learn to overlook them.",
        "What is not in the files did not happen for it: admissions to hospitals that send nothing, care paid for privately, illness nobody "
        "recorded. People who have little contact with services look healthier than they are; how well it does for them is shown among the groups.",
        "Deprivation is that of the small area where somebody lives, not their own.",
        "Intervals are of 95% and one at a time: among a hundred groups a few lie apart by chance alone. They hold what sampling does, and neither "
        "faults of the records nor changes to come.",
        "The figures for everybody are of mostly the same people and practices a year later. Those for people never fitted on, and for PCNs never "
        "seen, stand beside them.",
    ]
    if not facts.outcome.name.startswith("death"):
        told.append("Whoever died without the outcome counts as not having had it: the risk is that of having it while alive.")
    told += _told_limits(facts)
    if not facts.outcome.for_lists:
        told.append("It is for checking only and may stand on no list.")
    return tuple(told)


def _told_limits(facts: CardFacts) -> list[str]:
    """Limits that come with numbers of this run."""
    told = []
    flow = facts.flow.get("validation")
    if flow:
        told.append(
            f"Left out at the validation date: {count_text(flow['excluded_objection_count'])} people who object or of whom that is not known, and "
            f"{count_text(flow['excluded_left_count'])} who left every list before the end of follow-up. They differ from the others, and nobody "
            "can say how."
        )
        if flow["later_list_count"]:
            told.append(
                f"Of {count_text(flow['later_list_count'])} people the address or practice at the validation date is taken from a list that was "
                "made later, so that it may be a later one."
            )
    hidden = sum(1 for key, figure in facts.figures.figures.items() if key[0] == facts.model and figure.is_hidden)
    if hidden:
        told.append("Figures of small groups are hidden, so that nobody can be recognised: that a group is fine there cannot be seen from this card.")
    low = facts.figures.figure("auroc", kind="contact_level", group="no_contact")
    if low.value is None and not low.is_hidden:
        told.append("How well it does for people without any contact in a year was not judged.")
    return told


@dataclass(frozen=True)
class Choice:
    """Something that no published source settles: what it is, what was chosen, and where it is set."""

    what: str
    chosen: str
    where: str


def local_choices(facts: CardFacts) -> tuple[Choice, ...]:
    """Every choice that was made here and could have been made otherwise."""
    site, outcome = facts.site, facts.outcome
    training, monitoring = facts.training, site.monitoring
    bands = "; ".join(f"{name} from {share:.0%}" for name, share in site.risk.bands.items())
    low, high = monitoring.observed_over_expected
    slope_low, slope_high = monitoring.calibration_slope
    objections = {"Type 1": site.objections.type_1, "National data opt-out": site.objections.national_data_opt_out}
    kept_out = "; ".join(f"{name}: {sentence_list([p.replace('_', ' ') for p in of]) or 'nothing'}" for name, of in objections.items())
    return (
        Choice("How far ahead", wording.plural(outcome.horizon_days, "day", "days"), "the outcome’s file"),
        Choice("Names of the risk bands", bands, "site.toml [risk]"),
        Choice(
            "How many people a team can see",
            count_text(site.lists.slots) + " in each neighbourhood",
            "site.toml [lists]",
        ),
        Choice(
            "When observed over expected is red or amber",
            f"its interval wholly outside {low:g} to {high:g}; across an edge",
            "site.toml [monitoring]",
        ),
        Choice("When the calibration slope is", f"the same with {slope_low:g} to {slope_high:g}", "site.toml [monitoring]"),
        Choice("When the AUROC is suspected of a leak", f"above {facts.highest_auroc:g}", "the outcome’s file"),
        Choice("What an objection keeps a person out of", f"{kept_out} (awaits the site’s sign-off)", "site.toml [objections]"),
        Choice(
            "Who is never fitted on",
            f"{training.unseen_share:.0%} of people, for good",
            "site.toml [training]",
        ),
        Choice("How long outcomes take to be told", wording.plural(training.outcome_lag_days, "day", "days"), "site.toml [training]"),
        Choice(
            "How much is tried",
            f"{wording.plural(training.trials, 'seeded trial', 'seeded trials')} of hyper-parameters on at most {training.trial_people:,} people; "
            f"one fit on at most {training.fit_people:,}",
            "site.toml [training]",
        ),
        Choice("How few outcomes are too few to model", f"fewer than {training.minimum_events:,}", "site.toml [training]"),
        Choice(
            "When a challenger takes the default model’s place",
            f"when its AUROC is higher by {training.challenger_margin:g} or more, by a reviewed line",
            "site.toml [training]",
        ),
        Choice(
            "The red-amber-green rule it is compared with", "not validated, from no source but the limits of the frailty index", "the model’s file"
        ),
    )


def before_use(facts: CardFacts) -> tuple[str, ...]:
    """What the site has to settle before the model is used for anybody, in the order of a decision."""
    told = ["Not on this model: it is a demonstration. What follows is for one that is made from the site’s own records."] * facts.is_synthetic
    return (
        *told,
        "Clinical safety: a hazard log and safety case under DCB0129 and DCB0160, and the clinical safety officer’s view on whether showing a "
        "person’s risk makes this a medical device. Those are separate questions.",
        "Lawful basis: the template of NHS England (edited 7 May 2026) says that risk stratification is not a direct care purpose, and each ICB "
        "applies for its own support under section 251. Whether lists for a person’s own team are covered is for the site’s information-governance "
        "lead.",
        "A data protection impact assessment, a privacy notice that names this use, and sign-off of what objections do.",
        "A clinical owner, a date for review, and who stops it when a check turns red.",
        f"One reviewed line in site.toml: [models] promoted, “{facts.outcome.name}.{facts.age_group}”.",
    )
