"""One file of a practice held against its inbound contract, and nothing kept of it: what a person asks before the file goes to the landing folder.

What does not belong here: taking it in (`door`), and published files (`reading.read_file`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.arrival.extracts import Extract, extracts_among
from fuller_popheath.arrival.files import State, survey_file
from fuller_popheath.arrival.guarding import refusing
from fuller_popheath.arrival.reading import SHAPE_RULE, counts_per_rule
from fuller_popheath.errors import FileRefused
from fuller_popheath.site import ArrivalLimits
from fuller_popheath.sources.csv_text import SHAPE
from fuller_popheath.sources.names import file_told
from fuller_popheath.sources.supplier_files import REMOVED
from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Held:
    """What holding a file against a contract gave: `rows_read == rows_accepted + rows_quarantined`; `counts`: rows a rule id.

    `cells_blanked`: cells of accepted rows that would be left empty, a rule id.
    """

    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    counts: Mapping[str, int]
    cells_blanked: Mapping[str, int]


def hold(path: Path, inbound: ContractId, limits: ArrivalLimits, codelists: pa.Table) -> Held:
    """Check every row of one file, of whichever clinical system's layout, read with the code lists in use (cluster, kind, code_system, code).

    Raises FileRefused where it is no extract of that table by itself.
    """
    found = survey_file(path, path.parent, registry.sources(), limits, suppliers=registry.suppliers())
    extracts, lacking = extracts_among(found, inbound)
    if not extracts:
        problems = [file.problem for file in found if file.problem and file.state is not State.RECOGNISED]
        problems += [f"{file.name} {reason}: check the folder it belongs to" for file, reason in lacking.items()]
        others = [registry.sources()[file.contract].expects for file in found if file.contract and file.contract in registry.sources()]
        others += [f"an extract of {file.contract.partition('/')[2]}" for file in found if file.contract in registry.extracts() and file.contract]
        told = "; ".join([*problems, *others]) or "something else"
        raise FileRefused(f"{file_told(path.name)}: expected an extract of {inbound.partition('/')[2]}; found {told}")
    with refusing(extracts[0].name, inbound):
        return _held(extracts[0], inbound, codelists)


def _held(extract: Extract, inbound: ContractId, codelists: pa.Table) -> Held:
    import pyarrow.compute as pc

    from fuller_popheath.contracts import load_contract
    from fuller_popheath.contracts.by_value import check_by_value

    raw = extract.supplier.read(inbound, extract.heads, codelists)
    misshapen = raw.filter(pc.is_valid(raw[SHAPE])).num_rows if SHAPE in raw.column_names else 0
    rows = raw.filter(pc.is_null(raw[SHAPE])) if misshapen else raw
    removed = rows.filter(pc.is_valid(rows[REMOVED])).num_rows if REMOVED in rows.column_names else 0
    rows = rows.filter(pc.is_null(rows[REMOVED])) if removed else rows
    rows = rows.drop_columns([name for name in (SHAPE, REMOVED) if name in rows.column_names])
    checked = check_by_value(rows, load_contract(inbound), {}, extract.name)
    counts = dict(counts_per_rule(checked.quarantined)) if checked.quarantined.num_rows else {}
    if misshapen:
        counts[SHAPE_RULE] = misshapen
    faulty = checked.quarantined.num_rows + misshapen
    return Held(raw.num_rows, raw.num_rows - faulty, faulty, counts, checked.cells_blanked)
