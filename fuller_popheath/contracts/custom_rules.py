"""The named rules that the standard has no words for: which arguments each takes, and how it is computed.

A rule of a row gets the typed values of the row's columns and says where it is broken; null (a value is missing) counts as not broken, because
`required` and `type` speak for that. A rule of rows together gets the table with `_position` and returns the positions of the rows to refuse.
What does not belong here: knowledge of any one table; that stands in its contract as the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add, and_, or_
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fuller_popheath.errors import SettingsWrong

if TYPE_CHECKING:
    import ibis.expr.types as ir

Values = Mapping[str, Any]
"""The typed Ibis value of each column, by name."""
Arguments = Mapping[str, Any]

POSITION = "_position"
"""Where a row stands in the table that is checked, from 0: how rules of rows together name rows."""

NUMBERS = ("integer", "number")


@dataclass(frozen=True)
class Kind:
    """One named implementation. `arguments`: name -> what it must be (see ARGUMENT_KINDS); a number may be left out and is then 0."""

    arguments: Mapping[str, str]
    row: Callable[[Values, Arguments], Any] | None = None
    together: Callable[[Any, Arguments], Any] | None = None


def _in_order(values: Values, arguments: Arguments) -> Any:
    slack = arguments["tolerance"]
    return reduce(
        or_, ((values[low] > (values[high] + slack if slack else values[high])).fill_null(False) for low, high in pairwise(arguments["columns"]))
    )


def _sum_of(values: Values, arguments: Arguments) -> Any:
    gap = reduce(add, (values[part] for part in arguments["parts"])) - values[arguments["total"]]
    return gap.abs() > arguments["tolerance"] if arguments["tolerance"] else gap != 0


def _percent_of(values: Values, arguments: Arguments) -> Any:
    whole = values[arguments["whole"]].nullif(0)
    return (values[arguments["percent"]] - 100 * values[arguments["part"]] / whole).abs() > (arguments["tolerance"] or 1e-9)


def _decile_of_rank(values: Values, arguments: Arguments) -> Any:
    # decile = ceiling(10 x rank / areas), said without a division so that it is exact.
    tenfold, decile = values[arguments["rank"]] * 10, values[arguments["decile"]]
    return (tenfold > decile * arguments["areas"]) | (tenfold <= (decile - 1) * arguments["areas"])


def _at_most_for(values: Values, arguments: Arguments) -> Any:
    value, by = values[arguments["column"]], values[arguments["by"]]
    return reduce(or_, (((by == label) & (value > most)).fill_null(False) for label, most in arguments["largest"].items()))


def _half_of(values: Values, arguments: Arguments) -> Any:
    return ~(2 * values[arguments["half"]] - values[arguments["whole"]]).isin([0, 1])


def _band_of_share(values: Values, arguments: Arguments) -> Any:
    import ibis

    # Tenths of a percent, half up, are (2000 part + whole) div (2 whole); comparing with a band's lowest tenth needs no division.
    part, whole = values[arguments["part"]], values[arguments["whole"]].nullif(0)
    bands = sorted(arguments["lowest_tenths"].items(), key=lambda item: -item[1])
    expected = ibis.cases(*((2000 * part + whole >= 2 * lowest * whole, label) for label, lowest in bands))
    return values[arguments["band"]] != expected


def _flags_difference(values: Values, arguments: Arguments) -> Any:
    one, other = (values[name] for name in arguments["columns"])
    return values[arguments["flag"]] != (one != other)


def _nhs_number(values: Values, arguments: Arguments) -> Any:
    # NHS Data Dictionary: weights 10 to 2, check digit 11 - remainder, 11 -> 0, 10 never issued. That is the same as: with weight 1 for the
    # check digit itself, the sum divides by 11. Numbers of one repeated digit pass it, and are the multiples of 1111111111.
    number = values[arguments["column"]].try_cast("int64")
    weighted = reduce(add, ((number // 10**place) % 10 * (place + 1) for place in range(10)))
    return (weighted % 11 != 0) | (number % 1_111_111_111 == 0)


def _one_given(values: Values, arguments: Arguments) -> Any:
    return reduce(and_, (values[name].isnull() for name in arguments["columns"]))


def _no_identifier(table: ir.Table, arguments: Arguments) -> Any:
    identifiers = table.select(_identifier=table[arguments["identifier"]]).filter(lambda rows: rows._identifier.notnull()).distinct()
    return table.semi_join(identifiers, [(arguments["column"], "_identifier")]).select(POSITION)


def _no_overlap(table: ir.Table, arguments: Arguments) -> Any:
    import ibis

    by, start, end, day = (arguments[name] for name in ("by", "start", "end", "day"))
    # Only what is open on the day: an old period that was closed long ago must not cost the one that counts today.
    is_open = (table[start] <= table[day]) & (table[end].isnull() | (table[day] < table[end]))
    # Who has no key is nobody's rival: people without an NHS number are each somebody else.
    periods = table.filter([is_open, *(table[name].notnull() for name in by)])
    window = ibis.window(group_by=list(by))
    beside = periods.mutate(_latest=periods[start].max().over(window))
    return beside.filter(beside[start] < beside._latest).select(POSITION)


def _group_total(table: ir.Table, arguments: Arguments) -> Any:
    totals = table.group_by(list(arguments["by"])).agg(_total=table[arguments["column"]].sum())
    wrong = totals.filter((totals._total - arguments["total"]).abs() > arguments["tolerance"])
    return table.semi_join(wrong, list(arguments["by"])).select(POSITION)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "in_order": Kind({"columns": "columns", "tolerance": "number"}, row=_in_order),
        "sum_of": Kind({"total": "number column", "parts": "number columns", "tolerance": "number"}, row=_sum_of),
        "percent_of": Kind({"percent": "number column", "part": "number column", "whole": "number column", "tolerance": "number"}, row=_percent_of),
        "decile_of_rank": Kind({"decile": "number column", "rank": "number column", "areas": "number"}, row=_decile_of_rank),
        "at_most_for": Kind({"column": "number column", "by": "text column", "largest": "labels"}, row=_at_most_for),
        "half_of": Kind({"half": "number column", "whole": "number column"}, row=_half_of),
        "band_of_share": Kind(
            {"band": "text column", "part": "number column", "whole": "number column", "lowest_tenths": "labels"}, row=_band_of_share
        ),
        "flags_difference": Kind({"flag": "flag column", "columns": "columns"}, row=_flags_difference),
        "nhs_number": Kind({"column": "text column"}, row=_nhs_number),
        "one_given": Kind({"columns": "columns"}, row=_one_given),
        "no_identifier": Kind({"column": "text column", "identifier": "text column"}, together=_no_identifier),
        # Judged by value in `number_rules`, not by the engine.
        "no_nhs_number": Kind({"column": "text column", "snomed": "number"}),
        "no_nhs_number_as_code": Kind({"column": "text column", "system": "text column"}),
        "long_number_is_snomed": Kind({"column": "text column", "system": "text column"}),
        "no_overlap": Kind({"by": "columns", "start": "date column", "end": "date column", "day": "date column"}, together=_no_overlap),
        "group_total": Kind({"by": "columns", "column": "number column", "total": "number", "tolerance": "number"}, together=_group_total),
    }
)

COLUMN_TYPES = {"number": NUMBERS, "text": ("string",), "date": ("date",), "flag": ("boolean",)}


def rule_arguments(rule: str, kind: str, given: Mapping[str, object], types: Mapping[str, str]) -> Arguments:
    """The arguments of a custom rule as the engine takes them. `types`: logical type of every column of the table.

    Raises SettingsWrong naming the rule for an unknown kind, an argument too many or too few, and a column that is not there or of another type.
    """
    if kind not in KINDS:
        raise SettingsWrong(f"rule {rule}: no implementation is called {kind}; there are {', '.join(sorted(KINDS))}")
    expected = KINDS[kind].arguments
    unknown = sorted(set(given) - set(expected))
    missing = sorted(name for name, what in expected.items() if name not in given and what != "number")
    if unknown or missing:
        raise SettingsWrong(
            f"rule {rule}: {kind} takes {', '.join(expected)}; " + (f"{unknown[0]} is not one" if unknown else f"{missing[0]} is missing")
        )
    return MappingProxyType({name: _argument(rule, name, what, given.get(name, 0), types) for name, what in expected.items()})


def _argument(rule: str, name: str, what: str, value: Any, types: Mapping[str, str]) -> Any:
    if what == "number":
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif what == "labels":
        fits = isinstance(value, dict) and bool(value) and all(isinstance(k, str) and isinstance(v, int) for k, v in value.items())
    else:
        several = what.endswith("columns")
        names = value if several and isinstance(value, list) else () if several else (value,)
        wanted = COLUMN_TYPES.get(what.split(" ")[0], tuple(set(types.values())))
        fits = len(names) > 0 and all(types.get(str(n)) in wanted for n in names)
        value = tuple(names) if several else value
    if not fits:
        raise SettingsWrong(f"rule {rule}: its {name} must be a {what} (columns are named as in the table)")
    return value
