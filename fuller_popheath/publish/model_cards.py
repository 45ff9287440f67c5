"""The cards of all models of a training run, each beside its model, and the pictures that a run shows of its champions.

What does not belong here: what a card says (`model_card.py`), and how a picture is drawn (`model_pictures.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.publish import model_card, model_pictures
from fuller_popheath.publish.card_figures import model_figures
from fuller_popheath.risk.model_store import read_manifest

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import ContractId


def write_cards(site: Site, made: Mapping[ContractId, pa.Table]) -> list[Path]:
    """Write the card of every stored model of a run into its folder, from the run's tables; returns the pages."""
    ids = sorted({row["model_id"] for row in made["risk/model_run"].to_pylist() if row["model_id"]})
    return [write_card(site, model_id, made) for model_id in ids]


def write_card(site: Site, model_id: str, made: Mapping[ContractId, pa.Table]) -> Path:
    """Write the card of one model; returns the page. Raises SettingsWrong for an unknown id, FileRefused for a manifest that was changed."""
    folder = site.folder("models")
    manifest = read_manifest(folder, model_id)
    card = model_card.model_card(
        manifest,
        made["risk/evaluation"],
        made["risk/evaluation_curve"],
        outcome=registry.outcomes()[manifest["outcome"]],
        site=site,
        training_population=made.get("risk/training_population"),
        drift=made.get("risk/drift"),
    )
    return model_card.write(folder / model_id, card)


def pictures_of(run: Mapping[str, Any], evaluation: pa.Table, curves: pa.Table, site: Site) -> dict[str, bytes]:
    """The pictures of one model of a run (a row of risk/model_run) as {title: PNG}; a title says which model it is about."""
    outcome = registry.outcomes()[run["outcome"]]
    figures = model_figures(evaluation, curves, as_of=run["as_of"], outcome=outcome.name, age_group=run["age_group"], model=run["model"])
    drawn = model_pictures.draw(figures, site.monitoring.observed_over_expected)
    return {f"{run['outcome']}, {run['age_group']}: {title}": picture for title, picture in drawn.items()}
