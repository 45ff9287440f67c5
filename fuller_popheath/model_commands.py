"""`fuller train`, `evaluate` and `card`: risk models from the command line, as Dagster's jobs make them, and models of any table.

What belongs here: options and exit codes. What does not: fitting or judging anything.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import PROJECT_ROOT, load_site

Say = Callable[[str], None]
Model = Annotated[str, typer.Option(help="Id of a stored model: the name of its folder below var/models")]


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the commands to the command line."""

    @app.command()
    def train(
        table: Annotated[
            Path | None, typer.Option(exists=True, dir_okay=False, help="A CSV to fit and judge every model on, in place of the store")
        ] = None,
        outcome: Annotated[
            list[str] | None, typer.Option(help="With --table: the column to predict. Else: an outcome to train; may be repeated")
        ] = None,
        out: Annotated[Path | None, typer.Option(file_okay=False, help="With --table: folder to write evaluation.json and the models to")] = None,
        seed: Annotated[int | None, typer.Option(help="With --table: the same seed gives the same folds and models")] = None,
        as_of: Annotated[str, typer.Option(help="The night whose tables to train on, YYYY-MM-DD; default: the newest")] = "",
        people: Annotated[int, typer.Option(help="At most so many people at each index date; default: site.toml's", min=0)] = 0,
        trials: Annotated[int, typer.Option(help="Trials of hyper-parameters; 0: site.toml's", min=0)] = 0,
    ) -> None:
        """Train and judge every risk model on what the last night left in the store; or every model on a table of your own."""
        if table is not None:
            if as_of or people:
                raise SettingsWrong("--as-of and --people go with the models of the store; a --table is used whole, and has no night")
            _train_on_table(table, outcome or [], out, seed, trials, say)
            return
        if out is not None or seed is not None:
            raise SettingsWrong("--out and --seed go with --table; the models of the store lie in its models folder, and their seed is in site.toml")
        words = ["--job", "monthly_training", "--training-people", str(people), "--training-trials", str(trials)]
        words += ["--as-of", as_of] if as_of else []
        raise typer.Exit(_run("pipelines.night", *words, *(word for name in outcome or [] for word in ("--training-outcome", name))))

    @app.command()
    def evaluate(
        model: Model,
        as_of: Annotated[str, typer.Option(help="The night whose tables to judge it on, YYYY-MM-DD; default: the newest")] = "",
        out: Annotated[Path | None, typer.Option(file_okay=False, help="Folder for the whole evaluation as tables")] = None,
    ) -> None:
        """Judge a stored model again on the newest people it can be judged on: overall, and in each group."""
        words = ["evaluate", "--model", model, *(["--as-of", as_of] if as_of else []), *(["--out", str(out.resolve())] if out else [])]
        raise typer.Exit(_run("pipelines.model_review", *words))

    @app.command()
    def card(model: Model) -> None:
        """Write the card of a stored model again, beside the model: a page, its data, and the data behind each figure."""
        raise typer.Exit(_run("pipelines.model_review", "card", "--model", model))


def _run(module: str, *words: str) -> int:
    # A process of its own: the domain does not know the orchestrator.
    return subprocess.run([sys.executable, "-m", module, *words], cwd=PROJECT_ROOT, check=False).returncode


def _train_on_table(table: Path, outcome: list[str], out: Path | None, seed: int | None, trials: int, say: Say) -> None:
    from fuller_popheath.risk.one_table import train_on_table

    if len(outcome) != 1 or out is None:
        raise SettingsWrong("--table needs one --outcome, the column to predict, and --out, the folder to write to")
    training = load_site().training
    if trials:
        training = training.model_copy(update={"trials": trials})
    told = train_on_table(table, outcome[0], out, training.seed if seed is None else seed, training, say)
    for name, found in told["models"].items():
        interval = f"{_told(found['auroc_lower'], 3)} to {_told(found['auroc_upper'], 3)}"
        brier, slope = _told(found["brier"], 4), _told(found["calibration_slope"], 2)
        say(f"{name}: AUROC {_told(found['auroc'], 3)} ({interval}), Brier {brier}, calibration slope {slope}")
    say(f"Intervals: {told['intervals']}; where a person has several rows they are too narrow.")
    for warning in told["warnings"]:
        say(f"Warning: {warning}")
    say(f"Wrote {out / 'evaluation.json'}")


def _told(value: float | None, decimals: int) -> str:
    """A figure, or a dash where it is undefined."""
    return "-" if value is None else f"{value:.{decimals}f}"
