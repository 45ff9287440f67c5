"""What a night returns and what it tells of problems."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pipelines.summary import EXIT_CODES, NightReport, Problem, print_summary


@pytest.mark.parametrize(
    ("kind", "code"), [("SettingsWrong", 2), ("FileRefused", 3), ("ContractBroken", 4), ("InputMissing", 5), ("KeyError", 1), ("", 1)]
)
def test_the_exit_code_is_that_of_the_first_error(kind: str, code: int) -> None:
    warning = Problem("core/registered_count · list_size", False, "3 of 24 practices changed")
    report = NightReport(problems=[warning, Problem("x", True, "words", kind), Problem("y", True, "words", "SettingsWrong")])
    assert report.exit_code == code
    assert NightReport(problems=[warning]).exit_code == 0
    assert set(EXIT_CODES.values()) == {1, 2, 3, 4, 5}


def test_what_never_started_is_told_and_is_not_well() -> None:
    report = NightReport(planned={"core__a", "products__b"}, ended={"core__a"})
    assert report.not_made == ["products/b"] and report.exit_code == 5


def test_words_are_printed_as_they_are() -> None:
    shown = Console(file=io.StringIO(), width=200)
    report = NightReport(problems=[Problem("core/a", True, "set [geography.icb_of_sub_icb] in site.toml", "SettingsWrong")])
    print_summary(shown, report)
    assert "error core/a: set [geography.icb_of_sub_icb] in site.toml" in shown.file.getvalue()  # type: ignore[attr-defined]
