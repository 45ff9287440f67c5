"""A folder in which everything that can be wrong is wrong: each file gets its message or its quarantine rows, the sound ones are used,
and no text holds a value of a row."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fuller_popheath import registry
from fuller_popheath.arrival.landing import Arrived, plan, read_and_check, read_file, survey
from fuller_popheath.errors import FileRefused, FullerError

PLANTED = "9434765919"
REGISTRATIONS = "reference/practice_lsoa_count"
DAY = date(2022, 7, 1)


def _truncated_zip(landing: Any) -> Path:
    whole = landing.registrations("whole.csv", rows=3000)
    path = landing.folder / "reg.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(whole, "gp-reg-pat-prac-lsoa-all.csv")
    whole.unlink()
    path.write_bytes(path.read_bytes()[:-400])
    return path


def _missing_column(landing: Any) -> Path:
    path = landing.registrations("reg_no_count.csv", rows=5)
    path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()) + "\n")
    return path


def _overlapping(landing: Any, practices: int = 30) -> Path:
    sound = [(f"A8{at:04d}", "U11111", "20191001", "") for at in range(practices)]
    return landing.epcn("ePCN_2022-04-27.xlsx", [*sound, ("F82001", "U22222", "20191001", "20210630"), ("F82001", "U33333", "20210401", "")])


REFUSED: list[tuple[str, Callable[[Any], Path], str, str]] = [
    ("a truncated zip", _truncated_zip, REGISTRATIONS, r"^reg\.zip: the zip or workbook is cut short"),
    (
        "a missing column",
        _missing_column,
        REGISTRATIONS,
        r"^reg_no_count\.csv: practice x LSOA registrations \(.*\) needs the column NUMBER_OF_PATIENTS; found 6 columns: PUBLICATION, EXTRACT_DATE, ",
    ),
    ("an IMD file of 2015", lambda landing: landing.imd("imd.csv", "2011", "2013"), "reference/imd_2019", r"^imd\.csv: looks like IMD 2015"),
    (
        "an IMD file of the other edition",
        lambda landing: landing.imd("imd.csv", "2011", "2019"),
        "reference/imd_2025",
        r"^imd\.csv: expected IMD 2025 .*; found IMD 2019 by LSOA 2011",
    ),
    (
        "an IMD file whose ranks are of another edition",
        lambda landing: landing.lines(
            "imd.csv",
            [
                "LSOA code (2011),Local Authority District code (2019),"
                + ",".join(f"Index of Multiple Deprivation (IMD) {x}" for x in ("Rank", "Decile")),
                # Ranks of 2025 at the upper edges of its tenths, where those of 2019 are narrower.
                *[f"E01{at:06d},E06000001,{33755 * at // 40 - 1},{(at + 3) // 4}" for at in range(1, 41)],
            ],
        ),
        "reference/imd_2019",
        r"^imd\.csv: \d+ of 40 rows break the contract reference/imd_2019.*decile_of_rank: \d+ rows",
    ),
    (
        "boundaries in the wrong projection",
        lambda landing: landing.boundaries("lsoa.geojson", "21", 340_000.0, 430_000.0, step=500.0),
        "reference/lsoa_boundary",
        r"^lsoa\.geojson: its coordinates look like British National Grid \(EPSG:27700\), in metres, declared as degrees .*save it again",
    ),
]


@pytest.mark.parametrize(("make", "contract", "said"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_a_file_that_cannot_be_used_says_what_is_wrong_and_what_to_do(landing: Any, make: Callable[[Any], Path], contract: str, said: str) -> None:
    with pytest.raises(FileRefused, match=said):
        read_file(make(landing), contract)


QUARANTINED: list[tuple[str, list[str], str, int]] = [
    ("letters in the count", ["GP,01Jul2022,A81001,THE SURGERY,E01999999,ALL,12a", "GP,01Jul2022,A81001,THE SURGERY,E01999998,ALL,n/a"], "type", 2),
    ("negative counts", ["GP,01Jul2022,A81001,THE SURGERY,E01999999,ALL,-4"], "range", 1),
    # Two rows that differ under one key: neither can be believed. The copy of a row is quarantined alone.
    ("a duplicated practice and LSOA", ["GP,01Jul2022,A81001,THE SURGERY,E01000000,ALL,11"], "primary_key", 2),
    ("a row that came twice", ["GP_PRAC_PAT_LIST,01Jul2022,A81001,THE SURGERY,E01000000,ALL,10"], "primary_key", 1),
    ("no count", ["GP,01Jul2022,A81001,THE SURGERY,E01999999,ALL,"], "required", 1),
    ("a field too many", ["GP,01Jul2022,A81001,THE SURGERY, LONDON,E01999999,ALL,5"], "shape", 1),
    ("a quote never closed", ['GP,01Jul2022,A81001,"THE SURGERY,E01999999,ALL,5'], "shape", 1),
]


@pytest.mark.parametrize(("extra", "rule", "rows"), [each[1:] for each in QUARANTINED], ids=[each[0] for each in QUARANTINED])
def test_broken_rows_go_to_quarantine_and_nothing_else_is_lost(landing: Any, quarantine: Path, extra: list[str], rule: str, rows: int) -> None:
    arrived = read_file(landing.registrations(rows=200, extra=extra), REGISTRATIONS, quarantine)
    assert (arrived.rows_read, arrived.rows_quarantined, arrived.rows_accepted) == (200 + len(extra), rows, 200 + len(extra) - rows)
    (broken,) = arrived.counts
    assert rule in broken
    (outcome,) = arrived.files
    assert outcome.quarantined_in is not None
    kept = pq.read_table(outcome.quarantined_in)
    assert kept.num_rows == rows
    assert kept["broken_rules"].to_pylist() == [[broken]] * rows


def test_overlapping_memberships_are_both_kept_because_the_day_decides(landing: Any, quarantine: Path) -> None:
    arrived = read_file(_overlapping(landing), "reference/pcn_membership", quarantine)
    assert (arrived.rows_read, arrived.rows_accepted, arrived.counts) == (32, 32, {})


def test_in_one_folder_the_broken_files_take_nothing_from_the_sound_ones(landing: Any, quarantine: Path) -> None:
    _truncated_zip(landing)
    _missing_column(landing)
    _overlapping(landing)
    landing.registrations("reg.csv", rows=200, extra=QUARANTINED[0][1] + QUARANTINED[1][1])
    landing.imd("imd_2015.csv", "2011", "2013")
    landing.imd("imd_2019.csv")
    landing.boundaries("bng.geojson", "21", 340_000.0, 430_000.0, step=500.0)
    landing.boundaries("lsoa.geojson", "21")
    arrival = plan(survey(landing.folder))
    assert arrival.as_of == DAY
    uses = {row["file_name"]: row["use"] for row in arrival.table.to_pylist()}
    assert uses == {
        "reg.zip": "refused",
        "reg_no_count.csv": "refused",
        "ePCN_2022-04-27.xlsx": "used",
        "reg.csv": "used",
        "imd_2015.csv": "refused",
        "imd_2019.csv": "used",
        "bng.geojson": "refused",
        "lsoa.geojson": "used",
    }
    assert all(row["reason"] for row in arrival.table.to_pylist() if row["use"] == "refused")
    accepted = {contract: read_and_check(arrival, contract, quarantine).rows_accepted for contract in arrival.used}
    assert accepted == {REGISTRATIONS: 200, "reference/imd_2019": 40, "reference/lsoa_boundary": 3, "reference/pcn_membership": 32}


def _poisoned(landing: Any) -> list[Path]:
    """Files with the same number planted wherever a row can be wrong."""
    n = PLANTED
    rows = [
        f"2026-08-01,P81001,{n},{n},{n},{n},{n},{n},{n},{n},{n}",
        f"{n},{n},{n[:9]}8,1950-01-01,female,A,E01012345,2001-01-01,,,",
        f"2026-08-01,P81001,{n},1950-01-01,female,A,E01012345,2001-01-01,,,,,{n}",
        f'2026-08-01,P81001,"{n},1950-01-01,female,A,E01012345,2001-01-01,,,',
    ]
    header = (landing.practice_list("P00000", people=0)).read_text().splitlines()[0]
    poor = landing.lines("practice_lists/P81001.csv", [header, *rows])
    headerless = landing.lines("practice_lists/P81002.csv", rows)
    short = landing.lines("practice_lists/P81003.csv", [header.replace(",death_date", ""), rows[1]])
    cut = landing.folder / "practice_lists" / "P81004.csv.gz"
    cut.write_bytes(gzip.compress("\n".join([header, *rows]).encode())[:-12])
    shapes = landing.boundaries("lsoa.geojson", "21")
    shapes.write_text(shapes.read_text().replace("Town 1", n).replace('"coordinates": [[[', f'"coordinates": [[["{n}", ', 1))
    book = landing.workbook("book.xlsx", n, [[n, n], [n, n]])
    epraccur = landing.lines("epraccur.csv", [",".join([n] * 27)] * 3)
    registrations = landing.registrations(rows=2, extra=[f"{n},{n},{n},{n},{n},{n},{n}"] * 2)
    imd = landing.lines("imd.csv", [f"LSOA code (2021),{n},Index of Multiple Deprivation (IMD) Rank", f"{n},{n},{n}"])
    return [poor, headerless, short, cut, shapes, book, epraccur, registrations, imd]


def test_no_error_and_no_account_holds_a_value_that_was_sent(
    landing: Any, night: Any, quarantine: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    paths = _poisoned(landing)
    arrival = plan(survey(landing.folder), DAY)
    said = [str(value) for row in arrival.table.drop_columns(["content_hash"]).to_pylist() for name, value in row.items() if name != "member"]
    published = (REGISTRATIONS, "reference/lsoa_boundary", "reference/organisation", "reference/imd_2025")
    contracts = ("inbound/practice_list", *published)
    refusals = 0
    taken = night.take()
    said += [str(taken.account.to_pylist()), str(list(taken.files.values())), str(taken.counts)]
    for attempt in [lambda c=c: read_and_check(arrival, c, quarantine) for c in published] + [
        lambda p=p, c=c: read_file(p, c, quarantine) for p in paths for c in contracts
    ]:
        try:
            arrived: Arrived = attempt()
        except FullerError as refusal:
            refusals += 1
            said.append(repr(refusal))
            assert refusal.__cause__ is None
            assert refusal.__context__ is None or refusal.__suppress_context__
        else:
            said += [str(dict(arrived.counts)), *(f"{outcome.reason} {outcome.counts}" for outcome in arrived.files)]
            assert PLANTED not in str(arrived.table.to_pylist())
    assert refusals >= 40
    shown = "\n".join(said) + "".join(capfd.readouterr()) + caplog.text
    assert PLANTED not in shown
    assert PLANTED[:9] not in shown


def test_gdal_prints_nothing_in_a_thread_that_did_not_import_it(tmp_path: Path) -> None:
    ring = f'[["{PLANTED}", 0], [1, 0], [1, 1], [0, 0]]'
    shape = f'{{"type": "Feature", "properties": {{"a": "1"}}, "geometry": {{"type": "Polygon", "coordinates": [{ring}]}}}}'
    path = tmp_path / "lsoa.geojson"
    path.write_text(f'{{"type": "FeatureCollection", "features": [{shape}]}}')
    program = """if True:
        import contextlib, importlib, pathlib, sys, threading
        first = threading.Thread(target=importlib.import_module, args=("pyogrio",))
        first.start()
        first.join()
        from fuller_popheath.errors import FileRefused
        from fuller_popheath.sources.boundary_files import layers
        with contextlib.suppress(FileRefused):
            layers(pathlib.Path(sys.argv[1]), "lsoa.geojson")
    """
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_a_fault_in_a_reader_tells_its_kind_and_not_its_words(landing: Any) -> None:
    def faulty(head: object) -> Any:
        raise ValueError(f"could not convert {PLANTED}")

    landing.registrations()
    sources = {**registry.sources(), REGISTRATIONS: replace(registry.sources()[REGISTRATIONS], read=faulty)}
    arrival = plan(survey(landing.folder, sources), DAY, sources)
    with pytest.raises(FileRefused, match=r"^reg\.csv: reading it as reference/practice_lsoa_count failed with ValueError") as refused:
        read_and_check(arrival, REGISTRATIONS, sources=sources)
    assert PLANTED not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__
