"""What a practice needs to mend its extract: which row of which file broke which rule, and what the rule asks. Never a value of a row.

What does not belong here: the quarantined rows themselves (`quarantine`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.arrival.quarantine import BLANKED, BROKEN, SENDER
from fuller_popheath.arrival.reading import SHAPE_RULE
from fuller_popheath.errors import InputMissing
from fuller_popheath.sources.csv_text import ROW
from fuller_popheath.specs import ContractId
from fuller_popheath.whole_files import PRIVATE_FILE, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("file", "table", "row", "rule", "what_it_asks")
SUMMARY = ("practice_code", "file", "contract_id", "rule", "rows")
EMPTIED = "cell left empty"
IN_USE = " The row is in use without this cell."
SHAPE_ASKS = "The row has as many fields as the header, and every quotation mark is closed."
MOST_SHEET_ROWS = 1_000_000
"""A worksheet ends at 1,048,576 rows."""


def quarantine_summary(quarantine_folder: Path, practice: str | None = None) -> list[Mapping[str, str | int]]:
    """Rows in quarantine by practice (or provider), file, contract and rule (`SUMMARY`), sorted; of one practice if asked.

    A row that broke two rules counts for both. Rows that are in use but for a cell are under a rule of their own name, `<rule> (cell left empty)`.
    Opens no quarantined row.
    """
    found = []
    for _, account in _accounts(quarantine_folder):
        emptied = [{**each, "rule": f"{each['rule']} ({EMPTIED})"} for each in account.get("blanked", ())]
        for each in [*account["broken"], *emptied]:
            if practice in (None, each["practice_code"]):
                row = (each["practice_code"], account["file"], account["contract"], each["rule"], each["rows"])
                found.append(dict(zip(SUMMARY, row, strict=True)))
    return sorted(found, key=lambda row: tuple(str(row[name]) for name in SUMMARY[:4]))


def _accounts(quarantine_folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for path in sorted(quarantine_folder.rglob("*.json")):
        yield path, json.loads(path.read_text(encoding="utf-8"))


def correction_rows(quarantine_folder: Path, practice: str) -> pa.Table:
    """One row a quarantined row of the practice and rule that it broke (`COLUMNS`), in the order of files and rows. Row 1 of a CSV is its header."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.int64() if name == "row" else pa.string()) for name in COLUMNS])
    made = [schema.empty_table()]
    for path, account in _accounts(quarantine_folder):
        if practice not in account["rows_quarantined"] and practice not in account.get("rows_blanked", ()):
            continue
        # Rows that were kept before cells could be left empty are all out of use.
        names = [ROW, BROKEN, SENDER, *([BLANKED] if "rows_blanked" in account else [])]
        rows = pq.read_table(path.with_suffix(".parquet"), columns=names, partitioning=None)
        rows = rows.filter(pc.equal(rows[SENDER], practice))
        which, rules = pc.list_parent_indices(rows[BROKEN]), pc.list_flatten(rows[BROKEN])
        asks = _asks(str(account["contract"]))
        table = str(account["contract"]).partition("/")[2]
        emptied = rows[BLANKED].take(which).to_pylist() if BLANKED in rows.column_names else [False] * len(rules)
        told = zip(rules.to_pylist(), emptied, strict=True)
        texts = pa.array([asks.get(rule, rule) + (IN_USE if is_empty else "") for rule, is_empty in told], pa.string())
        count = len(rules)
        cells = [pa.array([str(account["file"])] * count), pa.array([table] * count), rows[ROW].take(which), rules, texts]
        made.append(pa.table(cells, names=list(COLUMNS)).cast(schema))
    return pa.concat_tables(made).sort_by([("file", "ascending"), ("table", "ascending"), ("row", "ascending"), ("rule", "ascending")])


def _asks(contract: ContractId) -> Mapping[str, str]:
    from fuller_popheath.contracts import load_contract

    return {SHAPE_RULE: SHAPE_ASKS, **{rule.id: rule.description for rule in load_contract(contract).rules}}


def write_correction_sheet(quarantine_folder: Path, practice: str, folder: Path) -> tuple[Path, Path]:
    """Write the practice's sheet as CSV and as workbook (`corrections_<practice>.csv`, `.xlsx`), readable by their owner only. Returns both paths.

    Raises InputMissing where nothing of the practice is in quarantine.
    """
    table = correction_rows(quarantine_folder, practice)
    if table.num_rows == 0:
        raise InputMissing(f"nothing of {practice} is in quarantine, so there is nothing to correct")
    rows = [tuple(row.values()) for row in table.to_pylist()]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    sheet = replace_whole(folder / f"corrections_{practice}.csv", lambda path: path.write_text(text.getvalue(), encoding="utf-8"), PRIVATE_FILE)
    book = replace_whole(folder / f"corrections_{practice}.xlsx", lambda path: _write_book(path, rows), PRIVATE_FILE)
    return sheet, book


def _write_book(path: Path, rows: list[tuple[object, ...]]) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet("Corrections")
    bold = book.add_format({"bold": True})
    for column, (name, width) in enumerate(zip(COLUMNS, (40, 20, 10, 36, 90), strict=True)):
        page.set_column(column, column, width)
        page.write_string(0, column, name.replace("_", " ").capitalize(), bold)
    page.freeze_panes(1, 0)
    for at, row in enumerate(rows[:MOST_SHEET_ROWS], start=1):
        for column, cell in enumerate(row):
            page.write(at, column, cell)
    page.autofilter(0, 0, min(len(rows), MOST_SHEET_ROWS), len(COLUMNS) - 1)
    book.close()
