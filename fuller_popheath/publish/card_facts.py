"""What a model card is written from, read once: the manifest of the stored model, the run's tables, and the site's choices, under plain names.

What does not belong here: wording of whole sentences, layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from fuller_popheath.disclosure.small_numbers import LARGEST_HIDDEN, ROUNDED_TO, rounded
from fuller_popheath.errors import FileRefused
from fuller_popheath.publish import wording
from fuller_popheath.publish.card_figures import ModelFigures
from fuller_popheath.risk.model_manifest import settings_of
from fuller_popheath.site import Training

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import ModelSpec, OutcomeSpec

AGE_GROUPS = {"adult": "adults (18 and older)", "under_18": "children and young people under 18"}
SHORT_AGE_GROUPS = {"adult": "adults", "under_18": "under 18"}
REQUIRED = ("outcome", "age_group", "model", "as_of", "is_synthetic")
"""Without these a manifest tells too little for a card."""

YEAR = 365
"""Validation is so many days before the day a model is made, development as many before that, for every outcome."""

FLOW = ("people_count", "excluded_objection_count", "excluded_left_count", "not_at_risk_count", "at_risk_count", "outcome_count", "later_list_count")


@dataclass(frozen=True)
class Part:
    """The people of one part of the making of a model (fit, validate), to the nearest 5; None where the manifest does not say."""

    people: int | None = None
    outcomes: int | None = None


@dataclass(frozen=True)
class CardFacts:
    """Everything a card says that is not a figure of the evaluation."""

    model_id: str
    outcome: OutcomeSpec
    age_group: str
    model: str
    models: Mapping[str, ModelSpec]
    site: Site
    as_of: date
    development: date
    validation: date
    is_synthetic: bool
    manifest: Mapping[str, Any]
    fit: Part
    validate: Part
    flow: Mapping[str, Mapping[str, int]]
    figures: ModelFigures

    @property
    def age_words(self) -> str:
        """Whom the model is about."""
        return AGE_GROUPS.get(self.age_group, self.age_group)

    @property
    def model_words(self) -> str:
        """What kind of model it is."""
        return self.words_of(self.model)

    @property
    def is_default(self) -> bool:
        """Whether it is of the kind that is used unless a challenger wins."""
        return self.model in self.models and self.models[self.model].role == "default"

    @property
    def promoted_id(self) -> str:
        """The model that site.toml names for this outcome and age group; empty: none."""
        return self.site.models.promoted.get(f"{self.outcome.name}.{self.age_group}", "")

    @property
    def training(self) -> Training:
        """The settings it was made with: those of the manifest, else of today."""
        return settings_of(self.manifest) if self.manifest.get("settings") else self.site.training

    @property
    def end_of_follow_up(self) -> tuple[date, date]:
        """Until when people were followed: from the development date, and from the validation date."""
        horizon = timedelta(days=self.outcome.horizon_days)
        return self.development + horizon, self.validation + horizon

    @property
    def highest_auroc(self) -> float:
        """Above it, a leak is likelier than a good model."""
        return self.outcome.highest_auroc_synthetic if self.is_synthetic else self.outcome.highest_auroc

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the columns it looks at."""
        return tuple(self.manifest.get("columns", ()))

    def words_of(self, model: str) -> str:
        """What a kind of model is called in words."""
        return self.models[model].words if model in self.models else model.replace("_", " ")

    def told(self, *names: str) -> str:
        """One value of the manifest as text (fractions to four decimals), however deep it lies; `not recorded` where it is not there."""
        found: Any = self.manifest
        for name in names:
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, float):
            return f"{found:.4f}".replace("-", "−")
        return "not recorded" if found is None or found == "" else str(found)


def card_facts(
    manifest: Mapping[str, Any],
    figures: ModelFigures,
    *,
    outcome: OutcomeSpec,
    models: Mapping[str, ModelSpec],
    site: Site,
    training_population: pa.Table | None = None,
) -> CardFacts:
    """Read a manifest (`risk/model_store.py`) and the rows of `risk/training_population` that belong to it.

    Read where they are there, else told as not recorded: model_id, columns, code_version, library_versions, feature_contract_hash, seed, settings
    (`[training]` of the day it was made), parameters, trials (a list of {parameters, log_loss, auroc}), recalibration {intercept, slope},
    development_index_date and validation_index_date (ISO; else 730 and 365 days before as_of), people {fit, validate: {people,
    with_outcome}}. Raises FileRefused where the manifest lacks what no card can do without, or is of another outcome.
    """
    missing = [name for name in REQUIRED if manifest.get(name) is None]
    if missing or manifest["outcome"] != outcome.name:
        what = f"it does not say {', '.join(missing)}" if missing else "it is of another outcome than the one given"
        raise FileRefused(f"the manifest of a model cannot be told on a card: {what}; train the model anew, or give its own outcome")
    as_of = _day(manifest["as_of"])
    counts = manifest.get("people", {})
    return CardFacts(
        model_id=str(manifest.get("model_id", "")),
        outcome=outcome,
        age_group=str(manifest["age_group"]),
        model=str(manifest["model"]),
        models=models,
        site=site,
        as_of=as_of,
        development=_day(manifest.get("development_index_date") or as_of - timedelta(days=2 * YEAR)),
        validation=_day(manifest.get("validation_index_date") or as_of - timedelta(days=YEAR)),
        is_synthetic=bool(manifest["is_synthetic"]),
        manifest=manifest,
        fit=_part(counts.get("fit")),
        validate=_part(counts.get("validate")),
        flow=_flow(training_population, as_of, outcome.name, str(manifest["age_group"])),
        figures=figures,
    )


def count_text(number: int | None) -> str:
    """A count of people as it may be shown: to the nearest 5, 1 to 7 as `1 to 7`, nought as it is, a dash for none."""
    if number is None:
        return wording.NOT_GIVEN
    if 0 < number <= LARGEST_HIDDEN:
        return f"1 to {LARGEST_HIDDEN}"
    return wording.count(int(rounded([number])[0]))


def sentence_list(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _part(counts: Mapping[str, Any] | None) -> Part:
    """The counts of a manifest, which are exact, as they may leave the store."""
    return Part(_to_show(counts.get("people")), _to_show(counts.get("with_outcome"))) if counts else Part()


def _to_show(number: int | None) -> int | None:
    """A count to the nearest 5; any of 1 to 7 as 5, which `count_text` writes as `1 to 7`."""
    if number is None:
        return None
    return ROUNDED_TO if 0 < number <= LARGEST_HIDDEN else int(rounded(number))


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _flow(table: pa.Table | None, as_of: date, outcome: str, age_group: str) -> dict[str, dict[str, int]]:
    """The counts of `development` and `validation`, where the table is there."""
    rows = [] if table is None else table.to_pylist()
    mine = [row for row in rows if (row["as_of"], row["outcome"], row["age_group"]) == (as_of, outcome, age_group)]
    return {row["use"]: {name: row[name] for name in FLOW} for row in mine}
