"""What Dagster's page shows of a table, from its contract: description, columns, lineage, numbers, the first rows and pictures.

What does not belong here: anything that a contract or a table does not already say.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.contracts import Column, Contract

LINEAGE = "dagster/column_lineage"
OWNERS = ("team:population-health",)
COLUMNS_SHOWN = ("pcn_name", "practice_name", "place_name", "icb_name", "imd_edition", "registered_count", "core20_percent", "band", "wave", "reason")
IMAGE_TYPES = ((b"\x89PNG", "image/png"), (b"<svg", "image/svg+xml"), (b"<?xml", "image/svg+xml"))


def key_of(contract_id: str) -> dg.AssetKey:
    """Contract id = asset key."""
    return dg.AssetKey(contract_id.split("/"))


def argument_of(contract_id: str) -> str:
    """The name of a step's argument for a table: an identifier, which a contract id is not."""
    return contract_id.replace("/", "__")


def description(contract: Contract) -> str:
    """A plain first sentence (the catalogue shows it raw), then what a row is, what not to conclude, and the rules that no single column shows."""
    texts = (contract.description, contract.grain, contract.limitations, contract.usage, contract.source)
    key = ", ".join(f"`{name}`" for name in contract.primary_key) or "none"
    of_rows = [f"- `{rule.id}`: {rule.description}" for rule in contract.rules if rule.column is None]
    of_columns = len(contract.rules) - len(of_rows)
    rules = "\n".join([*of_rows, f"- and {of_columns} of single columns, which stand beside them below"])
    told = "\n\n".join(text.strip() for text in texts if text)
    return f"{told}\n\n**Purpose** {contract.purpose} · **Key** {key}\n\n**Rules**\n\n{rules}\n"


def references_of(contract: Contract) -> dict[str, str]:
    """The rules that look into another table, and the contract id of that table."""
    return {rule.id: rule.arguments["reference"].contract_id for rule in contract.rules if rule.kind == "reference"}


def column_schema(contract: Contract) -> dg.TableSchema:
    """The contract's columns as Dagster's Columns table shows them."""
    return dg.TableSchema(columns=[_column(column, contract) for column in contract.columns])


def _column(column: Column, contract: Contract) -> dg.TableColumn:
    limits = [
        f"one of {', '.join(map(str, column.allowed))}" if column.allowed else "",
        f"matches {column.pattern}" if column.pattern else "",
        f"at least {column.minimum}" if column.minimum is not None else "",
        f"at most {column.maximum}" if column.maximum is not None else "",
        "part of the key" if column.name in contract.primary_key else "",
    ]
    return dg.TableColumn(
        name=column.name,
        type=column.logical_type,
        description=f"{column.description} Unit: {column.unit}." if column.unit else column.description,
        constraints=dg.TableColumnConstraints(nullable=not column.required, unique=bool(column.unique), other=[text for text in limits if text]),
        tags={"classification": column.classification},
    )


def lineage(contract: Contract, inputs: Iterable[Contract]) -> dg.TableColumnLineage:
    """For each column the columns of the same name that the inputs have: a name means one thing everywhere."""
    sources = [(key_of(source.id), {column.name for column in source.columns}) for source in inputs]
    deps = {
        column.name: [dg.TableColumnDep(asset_key=key, column_name=column.name) for key, names in sources if column.name in names]
        for column in contract.columns
    }
    return dg.TableColumnLineage(deps_by_column={name: found for name, found in deps.items() if found})


def lineage_table(contract: Contract, told: dg.TableColumnLineage) -> dg.MetadataValue:
    """The same as a table to read: the open-source page has no view of column lineage."""
    rows = [
        f"| {column.name} | {', '.join(d.asset_key.to_user_string() for d in told.deps_by_column.get(column.name, ())) or 'made here'} |"
        for column in contract.columns
    ]
    return dg.MetadataValue.md("\n".join(["| column | comes from the column of this name in |", "| --- | --- |", *rows]))


def definition_metadata(contract: Contract, inputs: Iterable[Contract] = ()) -> dict[str, Any]:
    """What is known of a table before it is made."""
    told = lineage(contract, tuple(inputs))
    shown: dict[str, Any] = {"dagster/column_schema": column_schema(contract), "contract": f"data_contracts/{contract.id}.yaml"}
    if told.deps_by_column:
        shown |= {LINEAGE: told, "columns come from": lineage_table(contract, told)}
    return shown


def builder(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that stands in a file, where arguments were bound to it or another was put around it."""
    within = function.func if isinstance(function, functools.partial) else getattr(function, "__wrapped__", None)
    return builder(within) if within is not None else function


def code_version(function: Callable[..., Any]) -> str:
    """Changes when the file that builds a table changes."""
    return hashlib.sha256(Path(inspect.getfile(builder(function))).read_bytes()).hexdigest()[:12]


def table_metadata(table: pa.Table, contract: Contract) -> dict[str, Any]:
    """Numbers of a table that was made, rounded because they are plotted and printed raw; the first rows where they may leave the house."""
    from fuller_popheath.arrival.plausible import core20_shares

    numbers: dict[str, Any] = {"dagster/row_count": table.num_rows}
    numbers |= {f"Core20 percent {edition}": share for edition, share in core20_shares(table).items()}
    if contract.purpose == "open" and contract.id.startswith("products/") and table.num_rows:
        numbers["first rows"] = dg.MetadataValue.md(first_rows(table))
    return numbers


def first_rows(table: pa.Table) -> str:
    """Up to ten rows of a product, of its newest edition, highest Core20 first, as markdown short enough to be shown in place."""
    import pyarrow.compute as pc

    from fuller_popheath.publish.tables import markdown

    if "imd_edition" in table.column_names:
        table = table.filter(pc.equal(table["imd_edition"], pc.max(table["imd_edition"])))
    shown = [name for name in COLUMNS_SHOWN if name in table.column_names]
    if "core20_percent" in table.column_names:
        table = table.sort_by([("core20_percent", "descending")])
    return markdown(table, shown)


def pictures(drawn: Mapping[str, bytes]) -> dict[str, dg.MetadataValue]:
    """Pictures as data: links in markdown, the one form in which Dagster's page shows them; what is no picture is left out."""
    shown: dict[str, dg.MetadataValue] = {}
    for title, content in drawn.items():
        kind = next((name for start, name in IMAGE_TYPES if content.startswith(start)), None)
        if kind:
            shown[title] = dg.MetadataValue.md(f"![{title}](data:{kind};base64,{base64.b64encode(content).decode()})")
    return shown
