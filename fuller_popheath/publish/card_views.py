"""The tables of a model card, row by row, as a template prints them: every figure is a text already, beside the words that say what it is.

What does not belong here: HTML, and figures that no table carries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fuller_popheath.publish import wording
from fuller_popheath.publish.card_facts import CardFacts, count_text
from fuller_popheath.publish.card_figures import ALL, GEOGRAPHIC, KINDS, TEMPORAL, UNSEEN, VALIDATIONS, Figure
from fuller_popheath.publish.card_words import METRICS, group_name, interval_text, kind_name, metric_of, number, percent_interval, slope_text
from fuller_popheath.risk import verdicts

PLOT_FROM, PLOT_TO = 0.5, 2.0
"""Observed over expected is drawn between these, on a logarithm, so that half and double are as far from 1."""

RATIO = "observed_over_expected"
CUTS = {
    "top_0_5_percent": "0.5% at highest risk",
    "top_1_percent": "1% at highest risk",
    "top_2_percent": "2% at highest risk",
    "top_5_percent": "5% at highest risk",
    "team_capacity": "as many as each team can see",
}
VALIDATION_WORDS = {
    TEMPORAL: "A year later",
    UNSEEN: "People never fitted on",
    GEOGRAPHIC: "PCNs never seen",
}


@dataclass(frozen=True)
class Check:
    """One check: what is judged, what was found, what it is held against, the verdict (empty: none), and whether that decides for the model."""

    what: str
    found: str
    limit: str
    verdict: str
    decides: bool = True


QUINTILES = ("1", "2", "3", "4", "5")
"""Who has no quintile recorded is a group, and no quintile."""

ONLY_SHOWN = "shown, most too small to tell"


def checks(facts: CardFacts, drift: tuple[int, int, int] | None = None) -> tuple[Check, ...]:
    """Every check of the model; `drift` counts red, amber and green features, where drift was looked at.

    What decides is what decides in risk/model_run: discrimination, overall calibration, IMD quintiles, and the model in use before. Other groups have
    verdicts of their own in the table of groups: of a hundred, some lie apart by chance, and most intervals are too wide to lie within.
    """
    figures, monitoring = facts.figures, facts.site.monitoring
    auroc, ratio, slope = (figures.figure(metric) for metric in ("auroc", RATIO, "calibration_slope"))
    low, high = monitoring.observed_over_expected
    each = f"each within {low:g} to {high:g}"
    kinds = [kind for kind in KINDS if kind not in (ALL, "imd_quintile", "pcn") and figures.groups(kind)]
    found = [
        Check("Too good to be true? AUROC", interval_text(auroc), f"at most {facts.highest_auroc:g}: above it, a leak is likelier", auroc.verdict),
        Check("Observed over expected, everybody", interval_text(ratio, 2), f"within {low:g} to {high:g}", ratio.verdict),
        Check("Calibration slope", interval_text(slope, 2), "within {:g} to {:g}".format(*monitoring.calibration_slope), slope.verdict),
        _grouped(facts, "Observed over expected by deprivation quintile", ["imd_quintile"], each),
        _against_predecessor(facts),
        _grouped(facts, "Observed over expected by ethnic group, sex, age, PLUS group, contact", kinds, each, decides=False),
        _grouped(facts, "… by PCN", ["pcn"], each, decides=False),
        _grouped(facts, "… everybody and by quintile, people never fitted on", [ALL, "imd_quintile"], each, UNSEEN, decides=False),
    ]
    if drift is not None:
        red, amber, green = drift
        verdict = "red" if red else "amber" if amber else "green" if green else ""
        limit = f"stability index up to {monitoring.population_stability:g}, missing moved by up to {monitoring.missing_points:g} points"
        told = f"{red} features red, {amber} amber, {green} green"
        found.append(Check("Have the people or records changed since?", told, limit, verdict, decides=False))
    return tuple(found)


def worst(found: tuple[Check, ...]) -> str:
    """The worst verdict of the checks that decide; empty where none of them was judged."""
    return verdicts.worst(check.verdict for check in found if check.decides) or ""


def _grouped(facts: CardFacts, what: str, kinds: list[str], limit: str, validation: str = TEMPORAL, decides: bool = True) -> Check:
    """One check for the groups of some kinds: how many are red, amber, green or hidden; the red ones by name. What does not decide has no verdict."""
    keys = [(kind, group) for kind in kinds for group in facts.figures.groups(kind, validation) if kind != "imd_quintile" or group in QUINTILES]
    groups = {(kind, group): facts.figures.figure(RATIO, kind=kind, group=group, validation=validation) for kind, group in keys}
    by_verdict = {colour: [key for key, figure in groups.items() if figure.verdict == colour] for colour in ("red", "amber", "green")}
    hidden = sum(1 for figure in groups.values() if figure.is_hidden)
    if not groups:
        return Check(what, "not evaluated", limit, "", decides)
    told = ", ".join(f"{len(found)} {colour}" for colour, found in by_verdict.items() if found) or "none judged"
    told += f", {hidden} hidden" if hidden else ""
    if by_verdict["red"]:
        named = ["everybody" if kind == ALL else group_name(kind, group) for kind, group in by_verdict["red"]]
        told += f" (red: {', '.join(named[:5])}{', …' if len(named) > 5 else ''})"
    verdict = next((colour for colour, found in by_verdict.items() if found), "") if decides else ""
    return Check(what, told, limit if decides else f"{limit}; {ONLY_SHOWN}", verdict, decides)


def _against_predecessor(facts: CardFacts) -> Check:
    """The differences to the model in use before, AUROC and Brier score; the worse verdict of both."""
    auroc, brier = (facts.figures.figure(f"{metric}_difference_to_predecessor") for metric in ("auroc", "brier"))
    known = [f"{name} {interval_text(f, places)}" for name, f, places in (("AUROC", auroc, 3), ("Brier", brier, 5)) if f.value is not None]
    limit = "on the same people, interval of AUROC not wholly below 0, of Brier score not wholly above"
    verdict = verdicts.worst((auroc.verdict, brier.verdict)) or ""
    return Check("Worse than the model in use before?", "; ".join(known) or "no model was in use before", limit, verdict)


@dataclass(frozen=True)
class MetricRow:
    """One metric of everybody together, in each way of validation."""

    title: str
    meaning: str
    values: tuple[str, ...]


def metric_rows(facts: CardFacts) -> tuple[MetricRow, ...]:
    """The metrics that have a name of their own, in the order of `METRICS`; a dash where a validation did not ask for it."""
    rows = []
    for name in METRICS:
        found = [facts.figures.figure(name, validation=validation) for validation in VALIDATIONS]
        if any(figure.value is not None or figure.is_hidden for figure in found):
            metric = metric_of(name)
            rows.append(MetricRow(metric.title, metric.meaning, tuple(metric.text(figure) for figure in found)))
    return tuple(rows)


def validation_people(facts: CardFacts) -> tuple[str, ...]:
    """How many people were judged in each way of validation, and how many of them had the outcome."""
    found = [facts.figures.figure("auroc", validation=validation) for validation in VALIDATIONS]
    return tuple(f"{wording.count(f.people)} people, {wording.count(f.outcomes)} with the outcome" if f.people else "not evaluated" for f in found)


@dataclass(frozen=True)
class TopRow:
    """The top of a list: who is on it and what became of them."""

    name: str
    ppv: str
    sensitivity: str
    ratio: str
    lift: str


def top_rows(facts: CardFacts) -> tuple[TopRow, ...]:
    """By cut, those that were asked for."""
    rows = []
    for cut, name in CUTS.items():
        ppv, found, ratio, lift = (facts.figures.figure(f"{metric}_{cut}") for metric in ("ppv", "sensitivity", RATIO, "lift"))
        if ppv.value is not None or ppv.is_hidden:
            lift_text = f"{number(lift.value, 1)} times" if lift.value is not None else interval_text(lift)
            rows.append(TopRow(name, percent_interval(ppv), percent_interval(found), interval_text(ratio, 2), lift_text))
    return tuple(rows)


@dataclass(frozen=True)
class Plot:
    """Observed over expected as a share (in percent) of the width of a small plot; None where it lies outside or is hidden."""

    value: float | None
    lower: float
    upper: float


@dataclass(frozen=True)
class GroupRow:
    """One group of people."""

    name: str
    people: str
    outcomes: str
    auroc: str
    ratio: str
    slope: str
    flagged: str
    plot: Plot | None
    is_hidden: bool
    verdict: str
    slope_verdict: str


@dataclass(frozen=True)
class GroupTable:
    """The groups of one kind."""

    kind: str
    title: str
    rows: tuple[GroupRow, ...]


def group_tables(facts: CardFacts) -> tuple[GroupTable, ...]:
    """A table for each kind of group that was judged, everybody first, PCNs last."""
    edition = facts.figures.imd_edition
    return tuple(
        GroupTable(kind, kind_name(kind, edition), tuple(_group_row(facts, kind, group) for group in _in_order(kind, facts.figures.groups(kind))))
        for kind in KINDS
        if facts.figures.groups(kind)
    )


def _in_order(kind: str, groups: tuple[str, ...]) -> list[str]:
    """The order of the table, but ages by number; who has no record last."""
    return sorted(
        groups, key=lambda group: (group == "not_recorded", int("".join(filter(str.isdigit, group.split("-")[0])) or 0) if kind == "age_band" else 0)
    )


def _group_row(facts: CardFacts, kind: str, group: str) -> GroupRow:
    auroc, ratio, slope, flagged = (
        facts.figures.figure(m, kind=kind, group=group) for m in ("auroc", RATIO, "calibration_slope", "flagged_share_top_5_percent")
    )
    known = next((figure for figure in (ratio, auroc) if figure.people is not None), ratio)
    hidden = ratio.is_hidden
    return GroupRow(
        name="Everybody" if kind == ALL else group_name(kind, group),
        people="hidden" if hidden else wording.count(known.people),
        outcomes="hidden" if hidden else wording.count(known.outcomes),
        auroc=interval_text(auroc, 2),
        ratio=interval_text(ratio, 2),
        slope=slope_text(slope),
        flagged=percent_interval(flagged),
        plot=None if hidden else plot_of(ratio),
        is_hidden=hidden,
        verdict=ratio.verdict,
        slope_verdict=slope.verdict,
    )


def plot_of(figure: Figure) -> Plot | None:
    """Where a figure and its interval lie in the small plot; None without an interval."""
    if figure.lower is None or figure.upper is None or figure.value is None:
        return None
    inside = figure.value if PLOT_FROM <= figure.value <= PLOT_TO else None
    return Plot(position(inside) if inside is not None else None, position(figure.lower), position(figure.upper))


def position(value: float) -> float:
    """The place of a ratio in the small plot, 0 to 100; what lies outside is at its edge."""
    kept = min(max(value, PLOT_FROM), PLOT_TO)
    return round(100 * math.log(kept / PLOT_FROM) / math.log(PLOT_TO / PLOT_FROM), 2)


@dataclass(frozen=True)
class ComparedModel:
    """One way to predict, on the same people."""

    name: str
    role: str
    auroc: str
    difference: str
    scaled_brier: str
    ratio: str
    slope: str
    top: str
    is_this: bool


def compared_models(facts: CardFacts) -> tuple[ComparedModel, ...]:
    """Every model judged on the same people, the highest AUROC first."""
    figures, rows = facts.figures, []
    for model in figures.models():
        auroc, difference, brier, ratio, slope, top = (
            figures.figure(m, model=model) for m in ("auroc", "auroc_difference", "scaled_brier", RATIO, "calibration_slope", "ppv_top_1_percent")
        )
        role = facts.models[model].role if model in facts.models else ""
        shown = ComparedModel(
            facts.words_of(model),
            role,
            interval_text(auroc),
            interval_text(difference),
            number(brier.value),
            interval_text(ratio, 2),
            wording.NOT_GIVEN if slope_text(slope) == wording.NOT_GIVEN else number(slope.value, 2),
            percent_interval(top),
            model == facts.model,
        )
        rows.append((-(auroc.value or 0.0), shown))
    return tuple(shown for _, shown in sorted(rows, key=lambda row: row[0]))


FLOW_WORDS = {
    "people_count": "Registered and alive on the day, of this age group, and kept for modelling",
    "excluded_objection_count": "Left out: object to it, or nobody can tell",
    "excluded_left_count": "Left out: left every list before the end",
    "not_at_risk_count": "Left out: could not have the outcome",
    "at_risk_count": "Used",
    "outcome_count": "… of them, had the outcome",
    "later_list_count": "… of them, told of by a later list",
}


def flow_rows(facts: CardFacts) -> tuple[tuple[str, str, str], ...]:
    """Who was there and who was left out: words, at the development date, at the validation date. Empty where the table was not given."""
    if not facts.flow:
        return ()
    sides = [facts.flow.get(use, {}) for use in ("development", "validation")]
    return tuple((words, *(count_text(side.get(name)) for side in sides)) for name, words in FLOW_WORDS.items())  # type: ignore[misc]


@dataclass(frozen=True)
class Predictor:
    """One column the model looks at."""

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class PredictorGroup:
    """The columns of one feature contract."""

    title: str
    predictors: tuple[Predictor, ...]


def predictor_groups(facts: CardFacts) -> tuple[PredictorGroup, ...]:
    """What the model looks at, by feature contract; a column that no contract declares stands under its own name, last."""
    from fuller_popheath import registry
    from fuller_popheath.contracts import load_contract

    wanted = dict.fromkeys(facts.features)
    groups = []
    for name in registry.features():
        contract = load_contract(name)
        found = [Predictor(c.name, c.unit or "", re_spaced(c.description)) for c in contract.columns if c.name in wanted]
        if found:
            groups.append(PredictorGroup(contract.title, tuple(found)))
    known = {predictor.name for group in groups for predictor in group.predictors}
    others = tuple(Predictor(name, "", "declared by no contract of this project") for name in wanted if name not in known)
    return (*groups, PredictorGroup("Other columns", others)) if others else tuple(groups)


def re_spaced(text: str) -> str:
    """The text with its line breaks and repeated blanks as single blanks."""
    return " ".join(text.split())
