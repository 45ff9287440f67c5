"""From the standard's objects to ours: what a contract declares becomes columns and rules, or is refused by name.

What does not belong here: files, and how a rule is computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts.custom_rules import rule_arguments
from fuller_popheath.contracts.model import LOGICAL_TYPES, TYPE_WORDS, Column, Contract, Reference, Rule
from fuller_popheath.errors import SettingsWrong

if TYPE_CHECKING:
    from open_data_contract_standard.model import DataQuality, OpenDataContractStandard, SchemaProperty

PURPOSES = ("open", "secondary_use", "direct_care", "internal")
CLASSIFICATIONS = ("identifier", "sensitive", "open")
API_VERSIONS = ("v3.1.0", "v3.2.0")
TYPE_OPTIONS = ("pattern", "minimum", "maximum", "format")
ON_BREACH = ("quarantine_row", "blank_cell")
OUR_ENGINE = "fuller_popheath"
NAME = re.compile(r"[a-z][a-z0-9_]*")
RULE_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
REFERENCE = re.compile(r"(?:\.\./(?P<folder>[a-z]+)/)?(?P<table>[a-z0-9_]+)\.yaml#/schema/(?P=table)/properties/(?P<column>[a-z0-9_]+)")
NOT_IN_ENGINES = re.compile(r"\(\?[=!<P]|\\[1-9]")
"""Look-around, named groups and back-references: the engines' regular expressions (RE2) have none."""

AN_NHS_NUMBER = "9434765919"
"""A made-up number with a right check digit: what must not pass for anything else in what practices send."""


def declared(standard: OpenDataContractStandard, contract_id: str) -> Contract:
    """The contract that a document of the standard declares. Raises SettingsWrong naming the column or rule that cannot be used."""
    if standard.id != contract_id:
        raise SettingsWrong(f"its id must be {contract_id}, the folder and the name of the file")
    if standard.apiVersion not in API_VERSIONS or standard.kind != "DataContract":
        raise SettingsWrong(f"kind must be DataContract and apiVersion one of {', '.join(API_VERSIONS)}")
    if len(standard.schema_ or []) != 1:
        raise SettingsWrong("it must describe exactly one table (one entry below schema)")
    table = (standard.schema_ or [])[0]
    properties = table.properties or []
    names = [p.name or "" for p in properties]
    if not names or len(set(names)) < len(names):
        raise SettingsWrong("its columns (schema.properties) must be there, and no name may stand twice")
    folder = contract_id.split("/")[0]
    columns = tuple(_column(p, folder) for p in properties)
    key = tuple(p.name or "" for p in sorted((p for p in properties if p.primaryKey), key=lambda p: p.primaryKeyPosition or 0))
    if not key:
        raise SettingsWrong("no column is marked primaryKey: say what makes a row the only one of its kind")
    purpose = _custom_property(standard.customProperties, "purpose")
    if purpose not in PURPOSES:
        raise SettingsWrong(f"the custom property purpose must be one of {', '.join(PURPOSES)}")
    about = standard.description
    rules = (*_rules_of_columns(columns, properties), *_rules_of_table(key, table.quality or [], columns))
    twice = sorted({r.id for r in rules if sum(other.id == r.id for other in rules) > 1})
    if twice:
        raise SettingsWrong(f"two rules have the same name: {', '.join(twice)}")
    return Contract(
        id=contract_id,
        title=table.businessName or contract_id,
        description=(about and about.purpose) or _missing("description.purpose"),
        purpose=str(purpose),
        columns=columns,
        rules=rules,
        primary_key=key,
        grain=table.dataGranularityDescription or _missing("dataGranularityDescription of the table"),
        limitations=(about and about.limitations) or "",
        usage=(about and about.usage) or "",
        source=str(_custom_property(standard.customProperties, "source") or ""),
        version=standard.version or "",
        known_by=_known_by(_custom_property(table.customProperties, "known_by"), columns),
    )


def _missing(what: str) -> str:
    raise SettingsWrong(f"{what} is missing")


def _custom_property(properties: Iterable[Any] | None, name: str) -> Any:
    return next((p.value for p in properties or () if p.property == name), None)


def _column(declaration: SchemaProperty, folder: str) -> Column:
    name = declaration.name or ""
    try:
        if not NAME.fullmatch(name):
            raise SettingsWrong("its name must be lower case letters, digits and underscores")
        options = dict(declaration.logicalTypeOptions or {})
        unknown = sorted(set(options) - set(TYPE_OPTIONS))
        if unknown:
            raise SettingsWrong(f"the option {unknown[0]} is not understood; there are {', '.join(TYPE_OPTIONS)}")
        logical_type = "binary" if declaration.logicalType == "string" and options.get("format") == "binary" else declaration.logicalType
        if logical_type not in LOGICAL_TYPES:
            raise SettingsWrong(
                f"the type {logical_type} is not understood; there are {', '.join(LOGICAL_TYPES)} (binary: string with format binary)"
            )
        if declaration.classification not in CLASSIFICATIONS:
            raise SettingsWrong(f"its classification must be one of {', '.join(CLASSIFICATIONS)}")
        column = Column(
            name=name,
            logical_type=str(logical_type),
            description=(declaration.description or "").strip() or _missing("its description"),
            unit=_custom_property(declaration.customProperties, "unit"),
            required=bool(declaration.required),
            classification=str(declaration.classification),
            unique=bool(declaration.unique),
            primary_key=bool(declaration.primaryKey),
            pattern=_pattern(options.get("pattern")),
            allowed=_allowed(declaration.quality or []),
            minimum=_bound(options.get("minimum"), str(logical_type)),
            maximum=_bound(options.get("maximum"), str(logical_type)),
            references=_reference(declaration.relationships or [], folder),
            absent=_absent(_custom_property(declaration.customProperties, "absent"), str(logical_type)),
            blanks=_blanks(_custom_property(declaration.customProperties, "on_breach")),
        )
        _refuse_what_cannot_be(column, folder)
    except SettingsWrong as wrong:
        raise SettingsWrong(f"column {name}: {wrong}") from None
    return column


def _refuse_what_cannot_be(column: Column, folder: str) -> None:
    text = column.logical_type == "string"
    if (column.pattern or column.references) and not text:
        raise SettingsWrong("a pattern or a reference is for text only")
    if (column.minimum is not None or column.maximum is not None) and column.logical_type not in ("integer", "number", "date"):
        raise SettingsWrong("minimum and maximum are for numbers and dates only")
    if column.allowed and column.logical_type not in ("string", "integer"):
        raise SettingsWrong("validValues are for text and whole numbers only")
    if column.allowed and not all(isinstance(value, str if text else int) for value in column.allowed):
        raise SettingsWrong("its validValues must be of the column's own type: put quotes around text that looks like a number")
    if column.blanks and (folder != "inbound" or column.required or column.primary_key or column.unique):
        raise SettingsWrong("only cells of an optional column of an inbound table can be left empty, and none of a key (on_breach: blank_cell)")
    if folder != "inbound" or not text or column.classification == "identifier":
        return
    # A value in the wrong column is how identifiers get out: what practices send is declared so narrowly that none fits elsewhere.
    if not column.pattern and not column.allowed:
        raise SettingsWrong("a text column of an inbound table needs a pattern or validValues, unless it is classified identifier")
    if column.pattern and re.fullmatch(column.pattern, AN_NHS_NUMBER):
        raise SettingsWrong("its pattern is so wide that an NHS number passes; narrow it or classify the column identifier")


def _pattern(pattern: str | None) -> str | None:
    if pattern is None:
        return None
    if not (pattern.startswith("^") and pattern.endswith("$")) or NOT_IN_ENGINES.search(pattern):
        raise SettingsWrong("its pattern must begin with ^, end with $, and do without look-around, named groups and back-references")
    try:
        re.compile(pattern)
    except re.error:
        raise SettingsWrong("its pattern is not a regular expression") from None
    return pattern


def _bound(bound: Any, logical_type: str) -> float | str | None:
    if bound is None:
        return None
    try:
        return date.fromisoformat(bound).isoformat() if logical_type == "date" else bound + 0
    except (TypeError, ValueError):
        raise SettingsWrong("minimum and maximum must be numbers, or for a date a quoted YYYY-MM-DD") from None


def _absent(value: Any, logical_type: str) -> float | bool | str | None:
    """The value of a feature for persons without a record: a number for numbers, the text true or false for flags, a text for texts."""
    if value is None:
        return None
    if logical_type == "boolean" and value in ("true", "false"):
        return bool(value == "true")
    kinds: Mapping[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float)}
    if isinstance(value, bool) or not isinstance(value, kinds.get(logical_type, ())):
        raise SettingsWrong("its custom property absent must be a value of the column's own type: 0, a text, or for a flag 'true' or 'false'")
    return value  # type: ignore[return-value]


def _blanks(on_breach: Any) -> bool:
    """Whether a breach of the column empties the cell (blank_cell); said nothing, it quarantines the row."""
    if on_breach not in (None, *ON_BREACH):
        raise SettingsWrong(f"its custom property on_breach must be one of {', '.join(ON_BREACH)}")
    return bool(on_breach == ON_BREACH[1])


def _known_by(names: Any, columns: tuple[Column, ...]) -> tuple[str, ...]:
    """The dates by which a row is known. Raises SettingsWrong where they are not dates of the table."""
    dates = {column.name for column in columns if column.logical_type == "date"}
    if names is not None and (not isinstance(names, list) or not names or not set(map(str, names)) <= dates):
        raise SettingsWrong("the custom property known_by of the table must list columns of it that are dates")
    return tuple(names or ())


def _allowed(qualities: Iterable[DataQuality]) -> tuple[str | int, ...] | None:
    lists = [q for q in qualities if q.type in (None, "library")]
    if not lists:
        return None
    if len(lists) > 1 or lists[0].metric != "invalidValues" or lists[0].mustBe != 0 or set(lists[0].arguments or {}) != {"validValues"}:
        raise SettingsWrong("of the library metrics only invalidValues with arguments.validValues and mustBe 0 is understood, once")
    values = (lists[0].arguments or {})["validValues"]
    if not isinstance(values, list) or not values:
        raise SettingsWrong("its validValues are empty")
    return tuple(values)


def _reference(relationships: Iterable[Any], folder: str) -> Reference | None:
    found = list(relationships)
    if not found:
        return None
    to = REFERENCE.fullmatch(str(found[0].to)) if len(found) == 1 else None
    if to is None:
        raise SettingsWrong(
            "one relationship is understood, to <table>.yaml#/schema/<table>/properties/<column> (../<folder>/ before it for another folder)"
        )
    except_values = _custom_property(found[0].customProperties, "exceptValues") or []
    return Reference(f"{to['folder'] or folder}/{to['table']}", to["column"], tuple(except_values))


def _rules_of_columns(columns: tuple[Column, ...], properties: Iterable[SchemaProperty]) -> Iterator[Rule]:
    for column, declaration in zip(columns, properties, strict=True):
        yield from _standard_rules(column)
        for quality in declaration.quality or []:
            if quality.type not in (None, "library"):
                yield _custom_rule(quality, columns, column)


def _standard_rules(column: Column) -> Iterator[Rule]:
    name = column.name
    if column.logical_type != "string":
        how = {"date": "as YYYY-MM-DD", "integer": "in digits, without separators or decimals", "number": "in digits, without separators"}.get(
            column.logical_type
        )
        yield Rule(f"{name}.type", name, f"{name} is a {TYPE_WORDS[column.logical_type]}" + (f", {how}." if how else "."), "type")
    if column.required:
        yield Rule(f"{name}.required", name, f"{name} is filled in.", "required")
    if column.pattern:
        yield Rule(f"{name}.pattern", name, f"{name} matches {column.pattern}", "pattern", {"pattern": column.pattern})
    if column.allowed:
        yield Rule(f"{name}.allowed", name, f"{name} is one of {', '.join(map(str, column.allowed))}.", "allowed", {"values": column.allowed})
    if column.minimum is not None or column.maximum is not None:
        low, high = (
            (f"at least {column.minimum}" if column.minimum is not None else ""),
            (f"at most {column.maximum}" if column.maximum is not None else ""),
        )
        words = " and ".join(part for part in (low, high) if part)
        yield Rule(f"{name}.range", name, f"{name} is {words}.", "range", {"minimum": column.minimum, "maximum": column.maximum})
    if column.references:
        to = column.references
        but = f", or is {', '.join(to.except_values)}" if to.except_values else ""
        yield Rule(f"{name}.reference", name, f"{name} occurs in {to.contract_id}, column {to.column}{but}.", "reference", {"reference": to})
    if column.unique:
        yield Rule(f"{name}.unique", name, f"No two rows have the same {name}; where they do, all of them are refused.", "unique", {"by": (name,)})


def _rules_of_table(key: tuple[str, ...], qualities: Iterable[DataQuality], columns: tuple[Column, ...]) -> Iterator[Rule]:
    yield Rule(
        "primary_key",
        None,
        f"No two rows have the same {', '.join(key)}. Of rows that are copies of each other the first is kept; rows that differ are all refused, "
        "because to choose one of them would be silent. Rows with an empty part of the key are not compared.",
        "primary_key",
        {"by": key},
    )
    for quality in qualities:
        yield _custom_rule(quality, columns, None)


def _custom_rule(quality: DataQuality, columns: tuple[Column, ...], column: Column | None) -> Rule:
    name = quality.name or ""
    if not RULE_NAME.fullmatch(name):
        raise SettingsWrong("a custom rule needs a name in lower case letters, digits and underscores")
    implementation = quality.implementation
    if quality.type != "custom" or quality.engine != OUR_ENGINE or not isinstance(implementation, dict) or not quality.description:
        raise SettingsWrong(f"rule {name}: needs type custom, engine {OUR_ENGINE}, a description and an implementation with its rule and arguments")
    given: Mapping[str, object] = {key: value for key, value in implementation.items() if key != "rule"}
    kind = str(implementation.get("rule"))
    arguments = rule_arguments(name, kind, {"column": column.name, **given} if column else given, {c.name: c.logical_type for c in columns})
    return Rule(f"{column.name}.{name}" if column else name, column.name if column else None, quality.description.strip(), kind, arguments)
