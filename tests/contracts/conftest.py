"""What a contract says, judged a second time: slowly, in plain Python, row by row, and with no code of the engine.

`judge` is the oracle of the tests. `good_row` makes a row that breaks nothing, `bad_row` one that breaks exactly one rule: from the contract alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, find, settings
from hypothesis.errors import NoSuchExample

from fuller_popheath.codelists.layouts import has_check_digit
from fuller_popheath.contracts import Column, Contract, Rule

Row = dict[str, Any]
NUMBER_RULES = ("no_nhs_number", "no_nhs_number_as_code", "long_number_is_snomed")
BLANKS = " \t\n\r\v\f"
AS_DRAWN = settings(phases=[Phase.generate], derandomize=True, deadline=None, database=None)
SHAPE = b"\x01\x01\x00\x00\x00" + bytes(16)  # a point at 0, 0 as little-endian WKB


@cache
def examples(pattern: str) -> tuple[str, str]:
    """The simplest text that matches, and another. Hypothesis begins with the simplest; to make the other as simple takes it seconds a pattern."""
    texts = st.from_regex(re.compile(f"(?:{pattern[1:-1]})", re.ASCII), fullmatch=True)
    first = find(texts, lambda text: True, settings=AS_DRAWN)
    try:
        return first, find(texts, lambda text: text != first and 0 <= len(text) - len(first) <= 2 and text.isprintable(), settings=AS_DRAWN)
    except NoSuchExample:
        return first, find(texts, lambda text: text != first)


def value_of(column: Column, cell: Any) -> tuple[Any, bool]:
    """The value of a cell, and whether the cell is of the column's type."""
    if isinstance(cell, bytes) or cell is None:
        return cell, True
    text = cell.strip(BLANKS)
    if not text:
        return None, True
    try:
        match column.logical_type:
            case "string":
                return text, True
            case "integer" if re.fullmatch("-?[0-9]{1,15}", text):
                return int(text), True
            case "number" if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", text) and abs(float(text)) != float("inf"):
                return float(text), True
            case "date" if re.fullmatch(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", text):
                return date.fromisoformat(text), True
            case "boolean" if text.lower() in ("true", "false"):
                return text.lower() == "true", True
    except ValueError:
        pass
    return None, False


def outside(column: Column, value: Any) -> bool:
    low, high = ((date.fromisoformat(b) if isinstance(b, str) else b) for b in (column.minimum, column.maximum))
    return (low is not None and value < low) or (high is not None and value > high)


def check_digit_wrong(text: str) -> bool:
    digits = [int(d) for d in text]
    check = 11 - sum(d * weight for d, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return len(set(digits)) == 1 or {11: 0}.get(check, check) != digits[9]


def holds_number(text: str) -> bool:
    """Whether ten digits that stand together, in groups or not, are a person's number; a key made by a machine is none."""
    if re.fullmatch(r"\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?", text):
        return False
    runs = re.findall(r"(?<![0-9])[0-9](?:[ -]?[0-9]){9}(?![0-9])", text)
    return any(not check_digit_wrong(re.sub("[^0-9]", "", run)) for run in runs)


def number_rule_broken(rule: Rule, values: Mapping[str, Any]) -> bool:
    """Whether a row breaks a rule against numbers of persons in a column that is kept."""
    text = values[rule.arguments["column"]]
    system = values[rule.arguments["system"]] if "system" in rule.arguments else ("local", "snomed")[rule.arguments["snomed"]]
    of_snomed = system in ("snomed", "dmd")
    if text is None:
        return False
    if rule.kind == "long_number_is_snomed":
        return system is not None and re.fullmatch("[0-9]{9,}", text) is not None and not of_snomed
    return holds_number(text) and not (of_snomed and re.fullmatch("[0-9]{10}", text) and has_check_digit(text))


def between_columns_broken(rule: Rule, values: Mapping[str, Any]) -> bool:  # noqa: C901
    """Whether a row breaks a custom rule of one row; missing values break none."""
    given: Mapping[str, Any] = rule.arguments
    slack = given.get("tolerance", 0)

    def get(*names: str) -> list[Any]:
        return [values[given[name]] for name in names]

    if rule.kind == "in_order":
        pairs = itertools.pairwise(values[c] for c in given["columns"])
        return any(a is not None and b is not None and (a > b + slack if slack else a > b) for a, b in pairs)
    if rule.kind == "nhs_number":
        return values[given["column"]] is not None and check_digit_wrong(values[given["column"]])
    if rule.kind in NUMBER_RULES:
        return number_rule_broken(rule, values)
    if rule.kind == "one_given":
        return all(values[name] is None for name in given["columns"])
    if rule.kind == "flags_difference":
        flag, one, other = values[given["flag"]], *(values[c] for c in given["columns"])
        return None not in (flag, one, other) and flag != (one != other)
    if rule.kind == "sum_of":
        parts, total = [values[c] for c in given["parts"]], values[given["total"]]
        return None not in (total, *parts) and abs(sum(parts) - total) > slack
    if rule.kind == "percent_of":
        percent, part, whole = get("percent", "part", "whole")
        return None not in (percent, part, whole) and whole != 0 and abs(percent - 100 * part / whole) > (slack or 1e-9)
    if rule.kind == "decile_of_rank":
        decile, rank = get("decile", "rank")
        return None not in (decile, rank) and decile != -(-rank * 10 // given["areas"])
    if rule.kind == "at_most_for":
        value, by = get("column", "by")
        return None not in (value, by) and by in given["largest"] and value > given["largest"][by]
    if rule.kind == "half_of":
        half, whole = get("half", "whole")
        return None not in (half, whole) and half != -(-whole // 2)
    if rule.kind == "band_of_share":
        band, part, whole = get("band", "part", "whole")
        return None not in (band, part, whole) and whole > 0 and band != band_of(part, whole, given["lowest_tenths"])
    return False


def band_of(part: int, whole: int, lowest_tenths: Mapping[str, int]) -> str | None:
    tenths = (Fraction(1000 * part, whole) + Fraction(1, 2)).__floor__()
    return next((label for label, lowest in sorted(lowest_tenths.items(), key=lambda item: -item[1]) if tenths >= lowest), None)


def judge(contract: Contract, row: Row, known: Mapping[str, set[str]] | None = None) -> set[str]:
    """The rules of one row, and the references, that a row breaks."""
    broken: set[str] = set()
    sound: dict[str, Any] = {}
    for column in contract.columns:
        value, of_type = value_of(column, row.get(column.name))
        own = set()
        if not of_type:
            own.add("type")
        elif value is None:
            own |= {"required"} if column.required else set()
        else:
            own |= {"pattern"} if column.pattern and not re.fullmatch(f"(?:{column.pattern[1:-1]})", value) else set()
            own |= {"allowed"} if column.allowed and value not in column.allowed else set()
            own |= {"range"} if outside(column, value) else set()
        broken |= {f"{column.name}.{kind}" for kind in own}
        sound[column.name] = None if own else value
        to = column.references
        if to and known and to.contract_id in known and value is not None and value not in (*known[to.contract_id], *to.except_values):
            broken.add(f"{column.name}.reference")
    return broken | {rule.id for rule in contract.rules if between_columns_broken(rule, sound)}


def first_cell(column: Column, number: int = 0) -> Any:
    """A cell that is in order by itself; number 1 is another one."""
    if column.allowed:
        return str(column.allowed[min(number, len(column.allowed) - 1)])
    if column.logical_type == "binary":
        return SHAPE
    if column.logical_type == "boolean":
        return ("false", "true")[number]
    if column.logical_type == "date":
        return date(2022, 7, 1 + number).isoformat()
    if column.logical_type == "string":
        return examples(column.pattern)[number] if column.pattern else ("Somewhere", "Elsewhere")[number]
    wanted = 0 if column.minimum is None or column.minimum < 0 else max(10, int(column.minimum)) + number
    return str(min(wanted, int(column.maximum)) if isinstance(column.maximum, int | float) else wanted)


def moves(contract: Contract, row: Row, columns: Sequence[str]) -> Iterator[Row]:
    """The row with one of its cells changed a little, in every way that might mend or break a rule between columns."""
    for name in columns:
        column, cell = contract.column(name), row[name]
        value = value_of(column, cell)[0]
        cells: list[str] = []
        if column.allowed:
            cells = [str(v) for v in column.allowed]
        elif column.logical_type == "boolean":
            cells = ["true", "false"]
        elif any(r.arguments.get("column") == name and r.kind in NUMBER_RULES for r in contract.rules):
            cells = ["A9434765919", "943-476-591-9", "271649006"]
        elif column.logical_type == "string" and any(r.kind == "nhs_number" for r in contract.rules if r.column == name):
            cells = [f"{cell[:-2]}{last:02}" for last in range(100)]
        elif column.logical_type == "date" and value:
            cells = [(value + timedelta(days=days)).isoformat() for days in (-1, 1, 40)]
        elif column.logical_type == "integer" and value is not None:
            cells = [str(value + step) for step in (1, -1, 10, -10, 40, 50, 100)]
        elif column.logical_type == "number" and value is not None:
            cells = [repr(value + step) for step in (0.5, -0.5, 1, -1)] + list(fitting(contract, row, name))
        yield from ({**row, name: new} for new in cells if new != cell)
    yield from ({**row, **dict.fromkeys(rule.arguments["columns"])} for rule in contract.rules if rule.kind == "one_given")


def fitting(contract: Contract, row: Row, name: str) -> Iterator[str]:
    """Cells that a rule asks of a number: the exact percentage, and the numbers it must not be above or below, or is just above."""
    for rule in contract.rules:
        given = rule.arguments
        if given.get("percent") == name:
            part, whole = int(row[given["part"]]), int(row[given["whole"]])
            yield repr(100 * part / whole if whole else 0.0)
        if rule.kind == "at_most_for" and given["column"] == name:
            yield from (repr(float(most + 1)) for most in given["largest"].values())
        if rule.kind == "in_order" and name in given["columns"]:
            yield from (row[other] for other in given["columns"] if other != name)


def spoken_of(contract: Contract, broken: Collection[str]) -> set[str]:
    """The columns that these rules name."""
    found: set[str] = set()
    for rule in contract.rules:
        if rule.id in broken:
            values = [value if isinstance(value, list | tuple) else [value] for value in rule.arguments.values()]
            found |= {str(name) for name in (rule.column, *itertools.chain.from_iterable(values))}
    return found


@cache
def good_row(contract: Contract) -> Row:
    """A row that breaks nothing: cells that are in order, then mended step by step until the rules between them hold."""
    row: Row = {c.name: first_cell(c) for c in contract.columns}
    for step in range(60):
        broken = judge(contract, row)
        if not broken:
            return row
        # What no broken rule speaks of can mend none, so that the rest is tried only where those columns have not been enough.
        names = [c.name for c in contract.columns if step >= 30 or c.name in spoken_of(contract, broken)]
        row = min(moves(contract, row, names), key=lambda r: distance(contract, r))
    raise AssertionError(f"no good row of {contract.id} was found; still broken: {sorted(judge(contract, row))}")


def distance(contract: Contract, row: Row) -> tuple[int, float, int]:
    """How far a row is from a good one: cells that are wrong by themselves, then how far sums and deciles are off, then rules broken."""
    broken = judge(contract, row)
    off = 0.0
    for rule in contract.rules:
        given = rule.arguments
        if rule.kind == "sum_of":
            off += abs(sum(float(row[p]) for p in given["parts"]) - float(row[given["total"]]))
        if rule.kind == "percent_of":  # a percentage of nobody is not judged, so a good row has people
            whole = float(row[given["whole"]])
            off += abs(float(row[given["percent"]]) - 100 * float(row[given["part"]]) / whole) if whole else 1000
        if rule.kind == "decile_of_rank":
            off += abs(int(row[given["decile"]]) + int(-float(row[given["rank"]]) * 10 // given["areas"]))
    return sum(rule.column is not None and rule.kind != "nhs_number" for rule in contract.rules if rule.id in broken), off, len(broken)


def bad_row(contract: Contract, rule: Rule, good: Row) -> Row | None:
    """The good row changed so that it breaks exactly this rule; None for a rule that looks at several rows or at another table."""
    if rule.column and rule.kind != "nhs_number":
        column, cell = contract.column(rule.column), good[rule.column]
        tries: list[Any] = []
        if rule.kind == "type":
            tries = ["x?", "1.5" if column.logical_type == "integer" else "2022-02-30"]
        elif rule.kind == "required":
            tries = [None, "", " \t "]
        elif rule.kind == "pattern":
            tries = [f"{cell}0", f"x{cell}", f"{cell} ~"]
        elif rule.kind == "allowed":
            tries = [f"{cell}~"] if column.logical_type == "string" else [str(int(cell) + 100)]
        elif rule.kind == "range":
            tries = [beyond(b, s) for b, s in ((column.minimum, -1), (column.maximum, 1)) if b is not None]
        candidates: Iterator[Row] = ({**good, column.name: new} for new in tries)
    else:
        candidates = itertools.chain(*(changes(contract, good, names) for names in (sorted(spoken_of(contract, [rule.id])), contract.column_names)))
    return next((row for row in candidates if judge(contract, row) == {rule.id}), None)


def changes(contract: Contract, good: Row, names: Collection[str]) -> Iterator[Row]:
    """The row with one of these columns changed, then with two."""
    columns = [name for name in contract.column_names if name in names]
    yield from moves(contract, good, columns)
    yield from (again for row in moves(contract, good, columns) for again in moves(contract, row, columns))


def beyond(bound: float | str, step: int) -> str:
    return (date.fromisoformat(bound) + timedelta(days=step)).isoformat() if isinstance(bound, str) else str(bound + step)


@pytest.fixture(scope="session")
def oracle() -> SimpleNamespace:
    """The functions of this file for the tests beside it."""
    functions: tuple[Callable[..., Any], ...] = (judge, good_row, bad_row, first_cell, value_of)
    return SimpleNamespace(**{f.__name__: f for f in functions})
