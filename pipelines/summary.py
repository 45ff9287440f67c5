"""What the terminal shows of a night: a line a step while it runs, and at its end what was read, what failed and where the products are.

What does not belong here: starting a run (`launch.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from fuller_popheath import errors

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EXIT_CODES = {kind.__name__: kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.FullerError)}
READ, ACCEPTED, QUARANTINED, FILES = "rows read", "rows accepted", "rows quarantined", "files"
IN_USE = "rows in use"
PRODUCTS = "products"


@dataclass(frozen=True)
class Problem:
    """Something that failed, as it is told: where, how bad, and in which words."""

    where: str
    is_error: bool
    words: str
    kind: str = ""

    @property
    def exit_code(self) -> int:
        """What a night with only this problem returns."""
        return EXIT_CODES.get(self.kind, errors.FullerError.exit_code) if self.is_error else 0


@dataclass
class NightReport:
    """Hears Dagster's events and keeps what the summary needs."""

    arrived: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    planned: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    _rows: dict[str, int] = field(default_factory=dict)
    _doubtful: set[str] = field(default_factory=set)

    def hear(self, event: Any) -> str | None:
        """Take one event; returns the line to show where a step ended."""
        kind = event.event_type
        if kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._hear_table(event)
        elif kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._hear_check(event)
        elif kind == dg.DagsterEventType.STEP_SUCCESS:
            self.ended.add(event.step_key)
            rows = self._rows.get(event.step_key)
            seconds = event.step_success_data.duration_ms / 1000
            mark = "[yellow]![/]" if event.step_key in self._doubtful else "[green]✓[/]"
            return f"{mark} {name_of(event.step_key):<46}{'' if rows is None else f'{rows:,} rows':>18} {seconds:>7.1f} s"
        elif kind == dg.DagsterEventType.STEP_FAILURE:
            return self._hear_failure(event)
        return None

    def _hear_table(self, event: Any) -> None:
        made = event.step_materialization_data.materialization
        contract_id = "/".join(made.asset_key.path)
        told = {name: value.value for name, value in made.metadata.items()}
        if "dagster/row_count" in told:
            self._rows[event.step_key] = told["dagster/row_count"]
        if READ in told:
            self.arrived[contract_id] = told
        self.products |= told.get(PRODUCTS, {})

    def _hear_check(self, event: Any) -> None:
        verdict = event.event_specific_data
        if not verdict.passed:
            self._doubtful.add(event.step_key)
            kind = verdict.metadata.get("error")
            self.problems.append(
                Problem(
                    where=f"{'/'.join(verdict.asset_key.path)} · {verdict.check_name}",
                    is_error=verdict.severity == dg.AssetCheckSeverity.ERROR,
                    words=verdict.description or "",
                    kind=str(kind.value) if kind else "",
                )
            )

    def _hear_failure(self, event: Any) -> str:
        failed = event.step_failure_data
        told = failed.user_failure_data
        words = (told.description if told else None) or f"{failed.error.cls_name if failed.error else 'an error'} outside the project's own code"
        kind = str(told.metadata["error"].value) if told and "error" in told.metadata else ""
        name = name_of(event.step_key)
        if not any(problem.words == words for problem in self.problems):
            self.problems.append(Problem(where=name, is_error=True, words=words, kind=kind))
        self.ended.add(event.step_key)
        return f"[red]✗[/] {name:<46}{'failed':>18}"

    @property
    def not_made(self) -> list[str]:
        """The tables whose step never started because one before it failed."""
        return sorted(name_of(step) for step in self.planned - self.ended)

    @property
    def exit_code(self) -> int:
        """0 where every product was made and no check failed as an error; else that of the first problem."""
        return next((problem.exit_code for problem in self.problems if problem.is_error), errors.InputMissing.exit_code if self.not_made else 0)


def name_of(step_key: str) -> str:
    """A step's table as people know it."""
    return step_key.replace("__", "/")


def print_summary(console: Console, report: NightReport) -> None:
    """The tables at the end of a night."""
    from rich.markup import escape

    console.print(arrivals_table(report))
    if report.problems:
        console.print("[bold]What needs looking at[/]")
    for problem in sorted(report.problems, key=lambda p: not p.is_error):
        colour, word = ("red", "error") if problem.is_error else ("yellow", "warning")
        console.print(f"[{colour}]{word}[/] [bold]{escape(problem.where)}[/]: {escape(problem.words)}", highlight=False)
    if report.not_made:
        console.print(f"[yellow]not made[/], because something before it failed: {', '.join(report.not_made)}", highlight=False)
    if report.products:
        console.print("[bold]Products[/]")
    for contract_id, path in sorted(report.products.items()):
        console.print(f"  {contract_id:<40} {path}", highlight=False, soft_wrap=True)


def arrivals_table(report: NightReport) -> Table:
    """What was read, accepted and quarantined: a line a contract, and a line a file where it has few."""
    from rich.table import Table

    table = Table(title="What arrived", title_justify="left", title_style="bold", expand=False)
    for heading, side in (("table, and file", "left"), ("rows read", "right"), ("accepted", "right"), ("quarantined", "right"), ("in use", "right")):
        table.add_column(heading, justify=side, overflow="fold")  # type: ignore[arg-type]
    for contract_id, told in sorted(report.arrived.items()):
        table.add_row(contract_id, *(f"{told[name]:,}" if name in told else "" for name in (READ, ACCEPTED, QUARANTINED, IN_USE)), style="bold")
        for file in told.get(FILES, []):
            table.add_row(f"  {file['file']}", *(f"{file[name]:,}" for name in (READ, ACCEPTED, QUARANTINED)), style="dim")
    return table
