"""`python -m pipelines.model_review`: judge a stored model again, or write its card again, from what the last night left in the store.

What does not belong here: training, which is a job (`night.py`).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import FullerError, InputMissing
from fuller_popheath.registry import TRAINING_TABLES
from fuller_popheath.site import load_site
from pipelines.stores import Store, write_parquet

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

SHOWN = ("auroc", "auprc", "brier", "scaled_brier", "calibration_in_the_large", "calibration_slope", "observed_over_expected", "ici")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; returns the exit code."""
    from rich.console import Console

    asked = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    try:
        if asked.what == "card":
            page = card(asked.model)
            console.print(f"Wrote {os.path.relpath(page)}")
        else:
            told = evaluate(asked.model, asked.as_of)
            _show(console, told["risk/evaluation"])
            if asked.out:
                for name, table in told.items():
                    path = Path(asked.out) / f"{name.rpartition('/')[2]}.parquet"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_parquet(table, path)
                    console.print(f"Wrote {os.path.relpath(path)}")
    except FullerError as refused:
        console.print(f"[red]{type(refused).__name__}[/]: {refused}")
        return refused.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m pipelines.model_review", description="Judge a stored model again, or write its card again.")
    options.add_argument("what", choices=("evaluate", "card"))
    options.add_argument("--model", required=True, help="id of a stored model")
    options.add_argument("--as-of", default="", help="the day of the store's tables (evaluate only; default: the newest)")
    options.add_argument("--out", default="", help="folder for the tables (evaluate only)")
    return options


def card(model_id: str) -> Path:
    """Write the card of a stored model from the tables of the run that made it. Raises InputMissing where these are gone."""
    from fuller_popheath.publish.model_cards import write_card
    from fuller_popheath.risk.model_store import read_manifest

    site = load_site()
    day = date.fromisoformat(read_manifest(site.folder("models"), model_id)["as_of"])
    store = Store(site.folder("store"), site.folder("products"))
    made = {name: store.read(name, day) for name in TRAINING_TABLES}
    return write_card(site, model_id, made | _drift(store))


def _drift(store: Store) -> dict[str, pa.Table]:
    days = store.days("risk/drift")
    return {"risk/drift": store.read("risk/drift", days[-1])} if days else {}


def evaluate(model_id: str, as_of: str) -> Mapping[str, pa.Table]:
    """Judge a stored model on the people of a year before a day whose tables are in the store. Raises InputMissing where there is no such day."""
    from fuller_popheath.risk.judging import judge
    from fuller_popheath.risk.model_manifest import settings_of
    from fuller_popheath.risk.model_store import load
    from fuller_popheath.risk.training_sets import index_dates
    from fuller_popheath.specs import Night
    from pipelines.scores import population_of
    from pipelines.tonight import read_day

    site = load_site()
    stored = load(site.folder("models"), model_id)
    store = Store(site.folder("store"), site.folder("products"))
    days = store.days("core/person_objection")
    asked = read_day(as_of)
    if not days or (asked is not None and asked not in days):
        raise InputMissing(f"the store has no people of {asked or 'any day'}; run the night of that day first (fuller refresh)")
    day = asked or days[-1]
    site = site.model_copy(update={"training": site.training.model_copy(update={"outcomes": (stored.model.outcome,)})})
    index_date = index_dates(day, settings_of(stored.manifest).outcome_lag_days)[1]
    population = population_of(store, Night(day, site), index_date, lambda _: None)
    return judge(stored, population, site, day)


def _show(console: Console, table: pa.Table) -> None:
    from rich.table import Table

    shown = Table("metric", "value", "95 % interval", "verdict", box=None, header_style="bold")
    rows = {row["metric"]: row for row in table.to_pylist() if row["subgroup_kind"] == "all" and row["validation"] == "temporal"}
    for row in (rows[name] for name in SHOWN if name in rows):
        interval = "" if row["lower"] is None else f"{row['lower']:.3f} to {row['upper']:.3f}"
        shown.add_row(row["metric"], "hidden" if row["value"] is None else f"{row['value']:.3f}", interval, row["verdict"] or "")
    console.print(shown)
    found = [row for row in table.to_pylist() if row["subgroup_kind"] != "all" and row["verdict"]]
    for row in (row for row in found if row["verdict"] == "red"):
        console.print(f"red: {row['metric']} in {row['subgroup_kind']} {row['subgroup']} ({row['validation']})", markup=False)
    counted = {verdict: sum(row["verdict"] == verdict for row in found) for verdict in ("red", "amber", "green")}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
    console.print(f"In groups of people: {told} of {len(found)} figures that are judged; --out writes them all.")


if __name__ == "__main__":
    sys.exit(main())
