"""What is written: the same bytes from the same seed, counts that agree with the lists, and files that the pipeline itself accepts whole."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from fuller_popheath import registry
from fuller_popheath.arrival.choice import plan
from fuller_popheath.arrival.files import survey
from fuller_popheath.arrival.reading import read_and_check
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.periods import is_open_on
from fuller_popheath.synthetic import SyntheticSummary, write_landing

from .conftest import AS_OF, SEED, through_the_door


def hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def counted_by_hand(folder: Path) -> Counter[tuple[str, str]]:
    """Registered and alive on the day, by practice and LSOA, straight from the written lists."""
    counts: Counter[tuple[str, str]] = Counter()
    for path in (folder / "practice_lists").glob("*.csv"):
        for row in rows(path):
            start, end, death = (
                date.fromisoformat(row[name]) if row[name] else None for name in ("registration_start_date", "registration_end_date", "death_date")
            )
            if is_open_on(AS_OF, start, end) and (death is None or death > AS_OF):
                counts[row["practice_code"], row["lsoa_code"] or "NO2011"] += 1
    return counts


def test_same_seed_same_bytes_other_seed_others(written: tuple[Path, SyntheticSummary], tmp_path: Path) -> None:
    folder, _ = written
    write_landing(tmp_path / "again", seed=SEED, as_of=AS_OF, people=12_000)
    assert hashes(tmp_path / "again") == hashes(folder), "the workbook too: its dates are fixed"
    write_landing(tmp_path / "other", seed=SEED + 1, as_of=AS_OF, people=12_000)
    unlike = [name for name, value in hashes(tmp_path / "other").items() if hashes(folder).get(name) != value]
    assert len(unlike) == len(hashes(folder))


def test_summary_says_what_is_there(written: tuple[Path, SyntheticSummary]) -> None:
    folder, summary = written
    assert sorted(summary.files) == sorted(path for path in folder.rglob("*") if path.is_file()), "and no half-written file is left"
    assert (summary.people, summary.practices, summary.pcns, summary.lsoas_2011) == (12_000, 8, 4, 40)
    assert summary.registrations == sum(len(rows(path)) for path in (folder / "practice_lists").glob("*.csv"))


def test_lists_and_published_counts_are_the_same_people(written: tuple[Path, SyntheticSummary]) -> None:
    folder, summary = written
    published = {(row["PRACTICE_CODE"], row["LSOA_CODE"]): int(row["NUMBER_OF_PATIENTS"]) for row in rows(folder / "gp-reg-pat-prac-lsoa-all.csv")}
    assert published == dict(counted_by_hand(folder))
    assert sum(published.values()) == summary.people


def test_counts_on_2011_areas_are_the_same_people_too(written: tuple[Path, SyntheticSummary], tmp_path: Path) -> None:
    folder, _ = written
    write_landing(tmp_path, seed=SEED, as_of=AS_OF, people=12_000, lsoa_vintage="2011")
    new, old = (rows(place / "gp-reg-pat-prac-lsoa-all.csv") for place in (folder, tmp_path))
    lookup = rows(folder / "LSOA_2011_to_LSOA_2021_lookup.csv")
    assert {row["LSOA_CODE"] for row in old if row["LSOA_CODE"].startswith("E")} == {row["LSOA11CD"] for row in lookup}

    def totals(counts: list[dict[str, str]], kind: str, column: str) -> Counter[str]:
        codes = {row[column] for row in lookup if row["CHGIND"] == kind}
        people: Counter[str] = Counter()
        for row in counts:
            if row["LSOA_CODE"] in codes:
                people[row["PRACTICE_CODE"]] += int(row["NUMBER_OF_PATIENTS"])
        return people

    for kind in "USMX":
        assert totals(old, kind, "LSOA11CD") == totals(new, kind, "LSOA21CD") != Counter(), kind
    lists = {name: value for name, value in hashes(tmp_path).items() if name.startswith("practice_lists")}
    assert lists == {name: value for name, value in hashes(folder).items() if name.startswith("practice_lists")}


def test_the_pipeline_takes_every_row_of_every_file(written: tuple[Path, SyntheticSummary], tmp_path: Path) -> None:
    folder, summary = written
    sources = registry.sources()
    arrival = plan(survey(folder, sources), None)
    assert arrival.as_of == AS_OF
    assert set(arrival.table["use"].to_pylist()) == {"used"}
    comes_back = {"inbound/review_outcome", "inbound/indicator_supplement"}
    assert set(arrival.used) == set(sources) - comes_back, "there is a file for every source that a place is first filled with, and none besides"
    read = {contract: read_and_check(arrival, contract, None) for contract in arrival.used}
    assert {contract: arrived.rows_quarantined for contract, arrived in read.items() if arrived.rows_quarantined} == {}
    taken = through_the_door(folder, "inbound/practice_list", tmp_path)
    assert (taken.rows_accepted, taken.rows_quarantined) == (summary.registrations, 0)


def test_the_pcn_workbook_has_the_layout_of_2023(written: tuple[Path, SyntheticSummary]) -> None:
    folder, _ = written
    book = CalamineWorkbook.from_path(folder / "ePCN.xlsx")
    assert book.sheet_names == ["PCNDetails", "PCN Core Partner Details"]
    members = book.get_sheet_by_name("PCN Core Partner Details").to_python()
    assert members[0][0] == "Partner\nOrganisation\nCode"
    assert str(members[0][-1]).endswith(" "), "the published heading ends in a blank"
    assert all(len(row) == 11 and len(str(row[8])) == 8 for row in members[1:])
    ended = [row for row in members[1:] if row[9]]
    assert [row[9] for row in ended] == [row[8] for row in members[1:] if row[0] == ended[0][0] and not row[9]], "ends on the day the next one starts"


def test_open_data_files_have_the_published_columns(written: tuple[Path, SyntheticSummary], open_data: Path) -> None:
    import gzip
    import io
    import zipfile

    folder, _ = written

    def header_in_zip(name: str) -> list[str]:
        with zipfile.ZipFile(open_data / name) as archive, archive.open(archive.namelist()[0]) as file:
            return next(csv.reader(io.TextIOWrapper(file, "utf-8-sig")))

    def header(name: str) -> list[str]:
        return list(rows(folder / name)[0])

    assert header("gp-reg-pat-prac-lsoa-all.csv") == header_in_zip("gp-reg-pat-prac-lsoa-all_2022-07.zip")
    assert header("gp-reg-pat-prac-map.csv") == header_in_zip("gp-reg-pat-prac-map_2026-08.zip")
    real_2019 = header_in_zip("File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_RECONSTRUCTED.zip")
    assert header("File_7_IoD2019_All_Ranks_Deciles_and_Scores.csv") == real_2019
    real_2025 = header_in_zip("File_7_IoD2025_All_Ranks_Scores_Deciles_RECONSTRUCTED.zip")
    # The copy there has no populations, and spells out the one heading that is cut in the publication.
    assert [name[:80] for name in header("File_7_IoD2025_All_Ranks_Deciles_and_Scores.csv")[:52]] == [name[:80] for name in real_2025]
    lookup = next(open_data.glob("LSOA_(2011)*.csv.gz"))
    with gzip.open(lookup, "rt", encoding="utf-8-sig") as file:
        assert header("LSOA_2011_to_LSOA_2021_lookup.csv") == next(csv.reader(file))
    with gzip.open(open_data / "epraccur_2023-02.csv.gz", "rt", encoding="cp1252") as file:
        real = next(csv.reader(file))
    with (folder / "epraccur.csv").open(encoding="utf-8", newline="") as file:
        ours = next(csv.reader(file))
    assert len(ours) == len(real) == 27
    assert [bool(value) for value in (ours[12], ours[25], ours[9], ours[10])] == [bool(value) for value in (real[12], real[25], real[9], real[10])]
    book, theirs = (CalamineWorkbook.from_path(path) for path in (folder / "ePCN.xlsx", open_data / "ePCN_2023-01-26.xlsx"))
    for sheet in theirs.sheet_names:
        assert book.get_sheet_by_name(sheet).to_python()[0] == theirs.get_sheet_by_name(sheet).to_python()[0]


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "practice_lists").mkdir()
    (tmp_path / "practice_lists" / "A81001.csv").write_text("extract_date\n")
    with pytest.raises(SettingsWrong, match="1 other files"):
        write_landing(tmp_path, seed=SEED, as_of=AS_OF, people=1_000)
    assert [path.name for path in tmp_path.rglob("*.csv")] == ["A81001.csv"], "and nothing was written"


def test_the_same_folder_can_be_written_again(tmp_path: Path) -> None:
    said: list[str] = []
    write_landing(tmp_path, seed=SEED, as_of=AS_OF, people=1_000)
    summary = write_landing(tmp_path, seed=SEED, as_of=AS_OF, people=1_000, progress=said.append)
    assert summary.people == 1_000
    assert said[0].startswith("Drawing") and said[-1] == f"Wrote {len(summary.files)} files"


def test_an_unknown_vintage_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match='"2001"'):
        write_landing(tmp_path / "landing", seed=SEED, as_of=AS_OF, people=1_000, lsoa_vintage="2001")
    assert not (tmp_path / "landing").exists()
