"""`python -m pipelines.lineage --out FILE`: which table is made of which, as OpenLineage events that a data catalogue can read.

One JobEvent a table (spec 2-0-2): the job that makes it, its inputs, the table with its columns, and, by the name of the column, which column of
which input each comes from. Facts of the definitions alone: no run, no row, no count. What does not belong here: any table's name.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from fuller_popheath.contracts import contract_ids, load_contract
from fuller_popheath.registry import extracts, sources
from fuller_popheath.whole_files import replace_whole
from pipelines import describe

NAMESPACE = "fuller"
PRODUCER = "urn:fuller-popheath"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent"
FACETS = "https://openlineage.io/spec/facets"
SCHEMA_FACET = f"{FACETS}/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
LINEAGE_FACET = f"{FACETS}/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
DATASET_TEXT = f"{FACETS}/1-1-0/DocumentationDatasetFacet.json#/$defs/DocumentationDatasetFacet"
JOB_TYPE = f"{FACETS}/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"
ARRIVES = "inbound"
"""The part of the namespace of what arrives: files of a layout, which no step of ours makes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the events; returns the exit code."""
    from pipelines.definitions import defs

    options = argparse.ArgumentParser(prog="python -m pipelines.lineage", description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--out", required=True, help="the file to write")
    asked = options.parse_args(arguments)
    made = list(events(defs().resolve_asset_graph(), datetime.now(UTC)))
    text = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in made)
    replace_whole(Path(asked.out), lambda path: path.write_text(text, encoding="utf-8"))
    sys.stdout.write(f"{len(made)} tables and files in {asked.out}\n")
    return 0


def events(graph: Any, moment: datetime) -> Iterator[dict[str, Any]]:
    """One event an asset, in the order of their names. `graph`: Dagster's asset graph; `moment`: when the events are made."""
    for key in sorted(graph.get_all_asset_keys(), key=lambda each: each.path):
        node = graph.get(key)
        name = key.to_user_string()
        parents = sorted(parent.to_user_string() for parent in node.parent_keys)
        yield {
            "eventTime": moment.isoformat(),
            "producer": PRODUCER,
            "schemaURL": SPEC,
            "job": {"namespace": NAMESPACE, "name": name, "facets": {"jobType": _job_type()}},
            "inputs": [{"namespace": NAMESPACE, "name": parent} for parent in parents] + list(_arriving(name)),
            "outputs": [dataset(name, _lineage(node.metadata))],
        }


def dataset(name: str, lineage: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A table or file, with the columns of its contract where it has one."""
    facets: dict[str, Any] = {}
    if name in contract_ids():
        contract = load_contract(name)
        facets["schema"] = _facet(
            SCHEMA_FACET, fields=[{"name": c.name, "type": c.logical_type, "description": c.description} for c in contract.columns]
        )
        if contract.description:
            facets["documentation"] = _facet(DATASET_TEXT, description=contract.description.strip())
    if lineage:
        facets["columnLineage"] = _facet(LINEAGE_FACET, fields=lineage)
    return {"namespace": NAMESPACE, "name": name, "facets": facets}


def _arriving(name: str) -> Iterable[dict[str, Any]]:
    """What arrives from outside for a table: files of its layout, or of the inbound table it is taken in from."""
    layouts = [name] if name in sources() else [inbound for inbound, spec in extracts().items() if name in spec.becomes]
    for layout in layouts:
        yield {**dataset(layout), "namespace": f"{NAMESPACE}/{ARRIVES}"}


def _lineage(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Of each column the columns of the same name that it comes from."""
    told = metadata.get(describe.LINEAGE)
    told = getattr(told, "value", told)
    if not isinstance(told, dg.TableColumnLineage):
        return {}
    return {
        column: {
            "inputFields": [
                {"namespace": NAMESPACE, "name": dep.asset_key.to_user_string(), "field": dep.column_name, "transformations": []} for dep in deps
            ]
        }
        for column, deps in told.deps_by_column.items()
    }


def _job_type() -> dict[str, Any]:
    return _facet(JOB_TYPE, processingType="BATCH", integration="DAGSTER", jobType="ASSET")


def _facet(schema: str, **content: Any) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": schema, **content}


if __name__ == "__main__":
    sys.exit(main())
