"""The model card: one page of HTML that needs nothing else, the same as JSON, and every picture with the data behind it.

Written from the manifest of a stored model and the results of its run: nothing is typed in, and the same input gives the same bytes. What
does not belong here: the sentences (`card_*.py`), drawing (`model_pictures.py`), and any computing of results.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.publish import card_answers, card_bias, card_methods, card_statements, card_views
from fuller_popheath.publish.card_facts import SHORT_AGE_GROUPS, CardFacts, card_facts
from fuller_popheath.publish.card_figures import VALIDATIONS, Figure, model_figures, spread_evenly
from fuller_popheath.publish.card_words import interval_text, number, percent_interval
from fuller_popheath.publish.csv_files import as_csv
from fuller_popheath.publish.model_pictures import Picture, pictures
from fuller_popheath.publish.scene import svg_marks
from fuller_popheath.publish.templating import asset, content_hash, environment
from fuller_popheath.whole_files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import ModelSpec, OutcomeSpec

HTML_FILE, JSON_FILE, FIGURES = "card.html", "card.json", "figures"
MOST_ROWS_SHOWN = 12
"""A curve's table on the page has at most so many rows; the CSV has all."""
FORMAT = 1


@dataclass(frozen=True)
class ModelCard:
    """A card in memory: `html` is the page, `content` what card.json holds, `pictures` the figures."""

    html: str
    content: Mapping[str, Any]
    pictures: tuple[Picture, ...]


def model_card(
    manifest: Mapping[str, Any],
    evaluation: pa.Table,
    curves: pa.Table,
    *,
    outcome: OutcomeSpec,
    site: Site,
    models: Mapping[str, ModelSpec] | None = None,
    training_population: pa.Table | None = None,
    drift: pa.Table | None = None,
) -> ModelCard:
    """The card of one stored model.

    `manifest` as `risk/model_store.py` reads it (what `card_facts` says it may hold); `evaluation`, `curves`, `training_population` and `drift` as
    the contracts risk/evaluation, risk/evaluation_curve, risk/training_population and risk/drift: rows of other models and runs do no harm.
    `models`: the catalogue's where not given. Raises FileRefused for a manifest that tells too little, InputMissing where the model was not
    evaluated.
    """
    from fuller_popheath import registry

    key = {name: str(manifest.get(name)) for name in ("age_group", "model")}
    known = registry.models() if models is None else models
    day = _as_of(manifest)
    figures = model_figures(evaluation, curves, as_of=day, outcome=outcome.name, **key)
    facts = card_facts(manifest, figures, outcome=outcome, models=known, site=site, training_population=training_population)
    drawn = pictures(figures, site.monitoring.observed_over_expected)
    context = _context(facts, drawn, _drift_rows(drift, facts))
    return ModelCard(_html(context), _content(facts, context, drawn), drawn)


def write(folder: Path, card: ModelCard) -> Path:
    """Write `card.html`, `card.json` and `figures/<name>.png` and `.csv` into a folder, which may hold the model; returns the path of the page.

    Files are whole or not there, and readable by their owner only: figures about groups of people are for secondary use. Figures of an earlier
    card that this one has not are removed.
    """
    make_folder(folder / FIGURES, PRIVATE_FOLDER)
    for picture in card.pictures:
        _write_bytes(folder / FIGURES / f"{picture.name}.png", picture.png())
        _write_bytes(folder / FIGURES / f"{picture.name}.csv", as_csv(picture.data).encode())
    names = {picture.name for picture in card.pictures}
    for old in (folder / FIGURES).iterdir():
        if old.suffix in {".png", ".csv"} and old.stem not in names:
            old.unlink()
    _write_bytes(folder / JSON_FILE, (json.dumps(card.content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
    return _write_bytes(folder / HTML_FILE, card.html.encode())


def _write_bytes(path: Path, content: bytes) -> Path:
    return replace_whole(path, lambda temporary: temporary.write_bytes(content), PRIVATE_FILE)


def _as_of(manifest: Mapping[str, Any]) -> Any:
    from datetime import date

    from fuller_popheath.errors import FileRefused

    try:
        return date.fromisoformat(str(manifest["as_of"]))
    except (KeyError, ValueError):
        raise FileRefused(
            "the manifest of a model names no day (as_of), so its results cannot be found; a card is of a model of a nightly run"
        ) from None


def _context(facts: CardFacts, drawn: Sequence[Picture], drift: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Everything the template prints."""
    counted = tuple(sum(1 for row in drift if row["verdict"] == colour) for colour in ("red", "amber", "green"))
    found = card_views.checks(facts, counted if drift else None)  # type: ignore[arg-type]
    questions = card_bias.probast_questions(facts)
    answers = card_answers.tripod_answers(facts)
    return {
        "facts": facts,
        "title": f"Risk of {facts.outcome.words}, {SHORT_AGE_GROUPS.get(facts.age_group, facts.age_group)}",
        "headline": headline(facts),
        "checks": found,
        "worst": card_views.worst(found),
        "figures": {picture.name: _figure_view(picture) for picture in drawn},
        "metrics": card_views.metric_rows(facts),
        "validations": [card_views.VALIDATION_WORDS[name] for name in VALIDATIONS],
        "validation_people": card_views.validation_people(facts),
        "top": card_views.top_rows(facts),
        "groups": card_views.group_tables(facts),
        "plot_ticks": [(f"{value:g}", card_views.position(value)) for value in (0.5, 0.75, 1, 1.5, 2)],
        "plot_limits": [card_views.position(value) for value in facts.site.monitoring.observed_over_expected],
        "compared": card_views.compared_models(facts),
        "published": card_statements.published(facts),
        "flow": card_views.flow_rows(facts),
        "predictors": card_views.predictor_groups(facts),
        "intended": card_statements.intended_use(facts),
        "not_for": card_statements.not_for(facts),
        "limits": card_statements.limits(facts),
        "choices": card_statements.local_choices(facts),
        "before_use": card_statements.before_use(facts),
        "definition": card_statements.outcome_definition(facts.outcome),
        "tripod": answers,
        "tripod_states": [(state, sum(1 for answer in answers if answer.state == state)) for state in card_methods.STATES],
        "tripod_source": card_answers.SOURCE,
        "probast": questions,
        "concerns": card_bias.concerns(questions),
        "applicability": card_bias.applicability(facts),
        "probast_source": card_bias.SOURCE,
        "drift": drift[:MOST_ROWS_SHOWN],
        "drift_counts": counted,
        "made_with": _made_with(facts),
        "trials": _trials(facts),
    }


@dataclass(frozen=True)
class Headline:
    """The first screen in words."""

    auroc: Figure
    auroc_words: str
    ratio: Figure
    slope: str
    ratio_words: str
    fitted: str
    judged: str
    share: str
    top: str


def headline(facts: CardFacts) -> Headline:
    """What the first screen says: how good, on how many people, and what it comes to at the top of the list."""
    figures = facts.figures
    auroc, ratio, top, found = (figures.figure(m) for m in ("auroc", card_views.RATIO, "ppv_top_1_percent", "sensitivity_top_1_percent"))
    times = f"{number(100 * auroc.value, 0)} times in 100" if auroc.value is not None else "not judged"
    per_100 = f"{number(100 * ratio.value, 0)} had it for every 100 predicted" if ratio.value is not None else "not judged"
    top_words = ""
    if top.value is not None and found.value is not None:
        missed = number(100 * (1 - found.value), 0)
        top_words = (
            f"Of the 1% at highest predicted risk of {facts.outcome.words}, {percent_interval(top)} had it. They were {percent_interval(found)} of "
            f"everybody who had it: {missed} of every 100 were not among them."
        )
    return Headline(
        auroc=auroc,
        auroc_words=f"Of two people, one with the outcome and one without, it ranks the first higher {times}",
        ratio=ratio,
        slope=interval_text(figures.figure("calibration_slope"), 2),
        ratio_words=per_100,
        fitted=card_methods.people_text(facts.fit),
        judged=card_methods.people_text(facts.validate) if facts.validate.people else card_views.validation_people(facts)[0],
        share=percent_interval(figures.figure("outcome_share")),
        top=top_words,
    )


def _figure_view(picture: Picture) -> dict[str, Any]:
    """A picture as the template prints it: marks, words, a table of at most MOST_ROWS_SHOWN rows a curve, and the CSV as a link that holds it."""
    from markupsafe import Markup

    table = picture.data
    rows = table.to_pylist()
    curves = list(dict.fromkeys(row["curve"] for row in rows)) if "curve" in table.column_names else []
    shown = [row for curve in curves for row in spread_evenly([r for r in rows if r["curve"] == curve], MOST_ROWS_SHOWN)]
    return {
        "name": picture.name,
        "title": picture.title,
        "alternative": picture.alternative,
        "width": picture.scene.width,
        "height": picture.scene.height,
        # our own drawing: its texts are escaped where it is painted
        "marks": Markup(svg_marks(picture.scene)),
        "rows": [[row["curve"].replace("_", " "), *(number(row[name], 4) for name in ("x", "y", "lower", "upper"))] for row in shown],
        "total": len(rows),
        "csv": "data:text/csv;charset=utf-8;base64," + base64.b64encode(as_csv(table).encode()).decode("ascii"),
    }


def _drift_rows(drift: pa.Table | None, facts: CardFacts) -> list[dict[str, Any]]:
    """The rows of the newest look at this model, the most changed first."""
    mine = [row for row in (drift.to_pylist() if drift is not None else []) if row["model_id"] == facts.model_id and row["verdict"]]
    newest = max((row["as_of"] for row in mine), default=None)
    kept = [row for row in mine if row["as_of"] == newest]
    order = {"red": 0, "amber": 1, "green": 2}
    kept.sort(key=lambda row: (order[row["verdict"]], -(row["population_stability_index"] or 0.0), row["feature"]))
    return kept


def _made_with(facts: CardFacts) -> tuple[tuple[str, str], ...]:
    libraries = facts.manifest.get("library_versions", {})
    return (
        ("Model", facts.model_id),
        ("Kind", facts.model_words),
        (
            "Hyper-parameters",
            ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in facts.manifest.get("parameters", {}).items()) or "none",
        ),
        ("Recalibration", f"intercept {facts.told('recalibration', 'intercept')}, slope {facts.told('recalibration', 'slope')}"),
        ("Seed", facts.told("seed")),
        ("Code", facts.told("code_version")),
        ("Features’ contract", facts.told("feature_contract_hash")),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in libraries.items()) or "not recorded"),
    )


def _parameters(chosen: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in chosen.items()) or "none"


def _trials(facts: CardFacts) -> list[tuple[str, str, str]]:
    """The trials of hyper-parameters, best first: what was tried, log-loss, AUROC."""
    tried = sorted(facts.manifest.get("trials", ()), key=lambda trial: trial.get("log_loss", 0.0))
    return [
        (
            _parameters(trial.get("parameters", {})),
            number(trial.get("log_loss"), 5),
            number(trial.get("auroc"), 4),
        )
        for trial in tried
    ]


def _html(context: Mapping[str, Any]) -> str:
    from markupsafe import Markup

    style = asset("core20.css") + asset("model_card.css") + (asset("model_card_demo.css") if context["facts"].is_synthetic else "")
    made = environment()
    # our own files, not data: the only text that goes in as it is
    return made.get_template("model_card.html.jinja").render(**{**context, "style": Markup(style), "style_hash": content_hash(style)})


def _content(facts: CardFacts, context: Mapping[str, Any], drawn: Sequence[Picture]) -> dict[str, Any]:
    """What card.json holds: the same as the page, figures unrounded, for programs."""
    rows = [
        {"model": m, "validation": v, "subgroup_kind": k, "subgroup": g, "metric": metric, **asdict(figure)}
        for (m, v, k, g, metric), figure in facts.figures.figures.items()
    ]
    return {
        "format": FORMAT,
        "model_id": facts.model_id,
        "title": context["title"],
        "is_demonstration": facts.is_synthetic,
        "promoted_model_id": facts.promoted_id,
        "outcome": {
            "name": facts.outcome.name,
            "words": facts.outcome.words,
            "definition": context["definition"],
            "for_lists": facts.outcome.for_lists,
        },
        "age_group": facts.age_group,
        "headline": asdict(context["headline"]),
        "verdict": context["worst"],
        "checks": [asdict(check) for check in context["checks"]],
        "intended_use": list(context["intended"]),
        "not_for": list(context["not_for"]),
        "limits": list(context["limits"]),
        "before_use": list(context["before_use"]),
        "local_choices": [asdict(choice) for choice in context["choices"]],
        "tripod_ai": {"source": card_answers.SOURCE, "items": [asdict(answer) for answer in context["tripod"]]},
        "probast_ai": {
            "source": card_bias.SOURCE,
            "questions": [asdict(question) for question in context["probast"]],
            "concerns": [asdict(concern) for concern in context["concerns"]],
            "applicability": [{"domain": d, "concern": c, "why": why} for d, c, why in context["applicability"]],
        },
        "figures": [
            {"name": p.name, "title": p.title, "alternative": p.alternative, "png": f"{FIGURES}/{p.name}.png", "csv": f"{FIGURES}/{p.name}.csv"}
            for p in drawn
        ],
        "evaluation": rows,
        "people": {words: {"development": d, "validation": v} for words, d, v in context["flow"]},
        # the manifest's own counts are exact: on a card they stand as on the page
        "manifest": json.loads(json.dumps({k: v for k, v in facts.manifest.items() if k not in ("people", "reference", "metrics")}, default=str)),
    }
