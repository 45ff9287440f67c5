"""Workbooks are XML in a zip: what an XML reader can be made to do, this one does not."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.opening import heads, text_table

SECRET = "a line of a file that nobody sent"
GROWING = "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))


def with_shared_strings(path: Path, doctype: str, reference: str) -> Path:
    """A workbook of one table whose first cell is a reference to an entity."""
    plain = path.with_name("plain.xlsx")
    with xlsxwriter.Workbook(plain) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate((("code", "name"), ("first", "x"), ("second", "y"))):
            sheet.write_row(at, 0, row)
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            content = given.read(name)
            if name == "xl/sharedStrings.xml":
                head, _, rest = content.decode().partition("?>")
                content = f"{head}?>{doctype}{rest.replace('first', reference)}".encode()
            made.writestr(name, content)
    return path


@pytest.mark.parametrize("attack", ["grows", "file", "address", "parameter"])
def test_entities_in_a_workbook_neither_grow_nor_read_files(tmp_path: Path, attack: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text(SECRET, encoding="utf-8")
    doctype = {
        "grows": f'<!DOCTYPE x [<!ENTITY a "{"z" * 100}">{GROWING}]>',
        "file": f'<!DOCTYPE x [<!ENTITY i SYSTEM "{outside.as_uri()}">]>',
        "address": '<!DOCTYPE x [<!ENTITY i SYSTEM "http://127.0.0.1:9/x">]>',
        "parameter": f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{outside.as_uri()}"> %p; <!ENTITY i "&#37;p;">]>',
    }[attack]
    path = with_shared_strings(tmp_path / "given.xlsx", doctype, "&i;")
    try:
        (head,) = heads(path)
        table = text_table(head, [0, 1])
    except FileRefused as refused:
        assert SECRET not in str(refused)
        return
    cells = [cell or "" for name in ("c0", "c1") for cell in table[name].to_pylist()]
    assert max(map(len, cells)) < 1_000 and SECRET not in "".join(cells)
