"""A file, sheet or member named after a person is in the account of the night, but its name is not."""

from __future__ import annotations

import zipfile
from datetime import date
from typing import Any

from fuller_popheath import registry
from fuller_popheath.arrival.choice import plan
from fuller_popheath.arrival.files import survey

NUMBER = "9434765919"


def test_the_landing_table_and_every_message_are_free_of_the_number(landing: Any) -> None:
    landing.registrations("counts.csv")
    landing.registrations(f"{NUMBER}.csv", day="01Apr2022")
    landing.workbook("book.xlsx", NUMBER, [["a", "b"], [1, 2]])
    landing.lines(f"notes {NUMBER}.txt", [NUMBER])
    with zipfile.ZipFile(landing.folder / "packed.zip", "w") as archive:
        archive.write(landing.registrations("older.csv", day="01Jan2022"), f"{NUMBER}.csv")
    (landing.folder / f"{NUMBER}.zip").write_bytes(b"PK\x03\x04 and no end")
    found = survey(landing.folder)
    arrival = plan(found, date(2022, 7, 1), registry.sources())
    rows = arrival.table.to_pylist()
    assert NUMBER not in repr(rows)
    assert not [file.problem for file in found if file.problem and NUMBER in file.problem]
    withheld = [row["file_name"] for row in rows if "name withheld: it looks like a person's number" in row["file_name"]]
    assert len(withheld) == len(set(withheld)) == 3
    assert {name.split(" (")[0] for name in withheld} == {"file 1", "file 2", "file 5"}, "its place among the names tells which file it is"
    assert ("packed.zip", "member 1") in [(row["file_name"], row["member"]) for row in rows]
    (refused,) = [file for file in found if file.file_name.startswith("file 2")]
    assert refused.problem is not None
    assert refused.problem.startswith("file 2 (name withheld")
