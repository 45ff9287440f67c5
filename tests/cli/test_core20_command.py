"""`fuller core20`, on the published files and on faulty ones.

The figures for Lancashire and South Cumbria are those of an independent count: registrations of 1 July 2022 x IMD 2019 x the ePCN workbook of
27 April 2022 (shared/data/README.md, end-to-end check).
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from fuller_popheath.place.bands import BANDS


@pytest.mark.open_data
def test_lancashire_and_south_cumbria_comes_out_exactly(open_data: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    import pandas as pd

    out = tmp_path / "report"
    answer = fuller(
        *("core20", "--registrations", open_data / "gp-reg-pat-prac-lsoa-all_2022-07.zip"),
        *("--imd", open_data / "File_1_-_IMD2019_Index_of_Multiple_Deprivation.xlsx"),
        *("--pcn", open_data / "ePCN_2022-04-27.xlsx", "--boundaries", open_data / "lsoa11_QE1.geojson"),
        *("--icb", "QE1", "--as-of", "2022-07-01", "--out", out),
    )
    assert answer.code == 0, answer.complaints
    by_pcn = pd.read_csv(out / "core20_by_pcn.csv", dtype={"imd_edition": str})
    assert len(by_pcn) == 41
    assert by_pcn["practice_count"].sum() == 200
    assert by_pcn["registered_count"].sum() == 1_818_958
    assert by_pcn["q1_count"].sum() == 556_212
    assert (by_pcn["matched_count"] + by_pcn["unmatched_count"] == by_pcn["registered_count"]).all()
    labels = [band.label for band in BANDS]
    assert by_pcn["band"].value_counts().reindex(labels, fill_value=0).tolist() == [1, 4, 4, 9, 1, 3, 5, 14]
    assert set(by_pcn["icb_code"]) == {"QE1"}
    assert set(by_pcn["membership_snapshot"]) == {"2022-04-27"}
    assert pd.read_parquet(out / "core20_by_pcn.parquet")["q1_count"].sum() == 556_212
    unplaced = pd.read_csv(out / "unplaced.csv")
    assert by_pcn["matched_count"].sum() + unplaced["registered_count"].sum() == 1_818_958
    assert {path.name for path in out.iterdir()} >= {"map.png", "map.svg", "core20.html", "core20_by_practice.csv", "core20_by_icb.csv"}
    assert not (out / "edition_comparison.csv").exists()
    page = (out / "core20.html").read_text(encoding="utf-8")
    assert "1,818,958" in page
    assert "556,212" in page


@pytest.mark.open_data
def test_the_sub_icbs_of_an_icb_give_the_same_and_an_unknown_icb_says_what_to_do(open_data: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    import pandas as pd

    files = (
        *("--registrations", open_data / "gp-reg-pat-prac-lsoa-all_2022-07.zip"),
        *("--imd", open_data / "File_1_-_IMD2019_Index_of_Multiple_Deprivation.xlsx", "--pcn", open_data / "ePCN_2022-04-27.xlsx"),
    )
    out = tmp_path / "report"
    answer = fuller("core20", *files, "--icb", "00Q,00R,00X,01A,01E,01K,02G,02M", "--as-of", "2022-07-01", "--out", out)
    assert answer.code == 0, answer.complaints
    assert pd.read_csv(out / "core20_by_pcn.csv")["q1_count"].sum() == 556_212
    unknown = fuller("core20", *files, "--icb", "QHM", "--as-of", "2022-07-01", "--out", tmp_path / "other")
    assert unknown.code == 5
    for way_out in ("QHM", "sub-ICB", "practice map", "site.toml"):
        assert way_out in unknown.complaints
    assert not (tmp_path / "other" / "core20_by_pcn.csv").exists()


def given(folder: Path) -> dict[str, Path]:
    """The make-believe files by option."""
    found = {
        "--registrations": "gp-reg-pat-prac-lsoa-all*",
        "--pcn": "ePCN*",
        "--lsoa-lookup": "LSOA_2011*",
        "--boundaries": "*lsoa21*.geojson",
        "--lsoa-population": "*population*.csv",
    }
    return {option: next(path for path in sorted(folder.iterdir()) if path.match(pattern)) for option, pattern in found.items()}


def imd_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if re.search(r"IMD|IoD", path.name))


def words(files: dict[str, Path], imd: list[Path], out: Path) -> list[object]:
    options = [word for option, path in files.items() for word in (option, path)]
    return ["core20", *options, *[word for path in imd for word in ("--imd", path)], "--as-of", "2026-10-01", "--out", out]


def test_both_editions_give_a_comparison_and_everyone_is_counted_once(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    import pandas as pd

    out = tmp_path / "report"
    answer = fuller(*words(given(make_believe), imd_files(make_believe), out))
    assert answer.code == 0, answer.complaints
    registered = pd.read_csv(given(make_believe)["--registrations"])["NUMBER_OF_PATIENTS"].sum()
    by_pcn = pd.read_csv(out / "core20_by_pcn.csv", dtype={"imd_edition": str})
    unplaced = pd.read_csv(out / "unplaced.csv", dtype={"imd_edition": str})
    for edition in ("2019", "2025"):
        placed = by_pcn.loc[by_pcn["imd_edition"] == edition, "matched_count"].sum()
        assert placed + unplaced.loc[unplaced["imd_edition"] == edition, "registered_count"].sum() == registered
    assert len(pd.read_csv(out / "edition_comparison.csv")) == by_pcn["pcn_code"].nunique()
    assert not list(out.glob(".making-*"))


def test_boundaries_in_the_wrong_projection_cost_the_map_and_nothing_else(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    files = given(make_believe)
    wrong = json.loads(files["--boundaries"].read_text())
    for feature in wrong["features"]:
        feature["geometry"] = {"type": "Polygon", "coordinates": [[[350000, 430000], [351000, 430000], [351000, 431000], [350000, 430000]]]}
    files["--boundaries"] = tmp_path / "metres.geojson"
    files["--boundaries"].write_text(json.dumps(wrong))
    out = tmp_path / "report"
    answer = fuller(*words(files, imd_files(make_believe), out))
    assert answer.code == 3
    assert "metres.geojson" in answer.complaints
    assert "27700" in answer.complaints
    assert (out / "core20_by_pcn.csv").exists()
    assert (out / "core20.html").exists()
    assert not (out / "map.png").exists()


def test_a_truncated_zip_is_refused_and_nothing_is_written(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    import zipfile

    files = given(make_believe)
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(files["--registrations"], "gp-reg-pat-prac-lsoa-all.csv")
    files["--registrations"] = tmp_path / "gp-reg-pat-prac-lsoa-all.zip"
    files["--registrations"].write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    answer = fuller(*words(files, imd_files(make_believe), tmp_path / "report"))
    assert answer.code == 3
    assert "gp-reg-pat-prac-lsoa-all.zip" in answer.complaints
    assert not (tmp_path / "report" / "core20_by_pcn.csv").exists()


def test_faulty_rows_go_to_quarantine_and_the_rest_is_counted(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    import pandas as pd

    files = given(make_believe)
    rows = files["--registrations"].read_text().splitlines()
    kept = pd.read_csv(files["--registrations"])["NUMBER_OF_PATIENTS"]
    rows[1] = rows[1].rsplit(",", 1)[0] + ",many"
    rows[2] = rows[2].rsplit(",", 1)[0] + ",-3"
    rows[4] = rows[4].rsplit(",", 1)[0] + ",9991234560"
    rows.append(rows[3])
    files["--registrations"] = tmp_path / "registrations.csv"
    files["--registrations"].write_text("\n".join(rows) + "\n")
    out = tmp_path / "report"
    answer = fuller(*words(files, imd_files(make_believe), out))
    assert answer.code == 0, answer.complaints
    assert "4 quarantined" in answer.out
    for rule in ("registered_count.type", "registered_count.range", "primary_key"):
        assert rule in answer.out
    by_icb = pd.read_csv(out / "core20_by_practice.csv", dtype={"imd_edition": str}).query("imd_edition == '2025'")
    assert by_icb["registered_count"].sum() == kept.sum() - kept[0] - kept[1] - kept[3]
    (quarantined,) = (out / "quarantine").rglob("*.parquet")
    assert pd.read_parquet(quarantined).shape[0] == 4
    assert quarantined.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("option", "wrong", "said"),
    [
        ("--pcn", "--registrations", "expected"),
        ("--registrations", "--pcn", "expected"),
        ("--lsoa-lookup", "--boundaries", "expected"),
    ],
)
def test_a_file_given_as_something_else_says_what_was_expected_and_found(
    make_believe: Path, tmp_path: Path, fuller, option: str, wrong: str, said: str
) -> None:  # type: ignore[no-untyped-def]
    files = given(make_believe)
    files[option] = files[wrong]
    answer = fuller(*words(files, imd_files(make_believe), tmp_path / "report"))
    assert answer.code == 3
    assert said in answer.complaints
    assert "found" in answer.complaints
    assert files[option].name in answer.complaints


def test_a_newer_edition_without_the_lookup_is_refused_not_half_matched(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    files = given(make_believe)
    del files["--lsoa-lookup"]
    old = [path for path in imd_files(make_believe) if "2019" in path.name]
    answer = fuller(*words(files, old, tmp_path / "report"))
    assert answer.code == 5
    assert "lookup" in answer.complaints


def test_a_day_that_is_none_is_a_wrong_option(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    line = words(given(make_believe), imd_files(make_believe), tmp_path / "report")
    line[line.index("2026-10-01")] = "01/10/2026"
    answer = fuller(*line)
    assert answer.code == 2
    assert "YYYY-MM-DD" in answer.complaints


def test_running_again_replaces_each_file_whole(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "report"
    line = words(given(make_believe), imd_files(make_believe), out)
    assert fuller(*line).code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    shutil.rmtree(out / "quarantine", ignore_errors=True)
    assert fuller(*line).code == 0
    after = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert after == before


def test_every_product_there_is_leaves_by_the_command_line() -> None:
    from fuller_popheath import contracts
    from fuller_popheath.core20_report import products

    assert set(products()) == {name for name in contracts.contract_ids("products") if contracts.load_contract(name).purpose == "open"}
    assert len(set(products().values())) == len(products())


def test_what_an_earlier_run_left_and_this_one_cannot_make_is_removed(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "report"
    files = given(make_believe)
    assert fuller(*words(files, imd_files(make_believe), out)).code == 0
    (out / "my notes.txt").write_text("kept")
    del files["--boundaries"]
    new = [path for path in imd_files(make_believe) if "2025" in path.name]
    assert fuller(*words(files, new, out)).code == 0
    left = {path.name for path in out.iterdir()}
    assert not left & {"map.png", "map.svg", "map_imd2019.png", "map_imd2019.svg", "edition_comparison.csv"}
    assert left >= {"core20_by_pcn.csv", "core20.html", "my notes.txt"}


def test_a_refusal_shows_the_section_of_the_settings_in_its_brackets(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    answer = fuller(*words(given(make_believe), imd_files(make_believe), tmp_path / "report"), "--icb", "QHM")
    assert answer.code == 5
    assert "[geography.icb_of_sub_icb]" in answer.complaints


def test_one_refused_edition_costs_that_edition_only(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    import pandas as pd

    old, new = imd_files(make_believe)
    faulty = tmp_path / old.name
    rows = old.read_text(encoding="utf-8").splitlines()
    faulty.write_text("\n".join([rows[0], *(row.replace(",", ",x", 5) for row in rows[1:])]) + "\n", encoding="utf-8")
    out = tmp_path / "report"
    answer = fuller(*words(given(make_believe), [faulty, new], out))
    assert answer.code == 3
    assert f"Problem: {old.name}" in answer.complaints
    assert set(pd.read_csv(out / "core20_by_pcn.csv")["imd_edition"]) == {2025}
    assert old.name not in (out / "core20.html").read_text(encoding="utf-8")


def test_boundaries_of_elsewhere_are_said(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    files = given(make_believe)
    features = json.loads(files["--boundaries"].read_text(encoding="utf-8"))
    files["--boundaries"] = tmp_path / "elsewhere.geojson"
    for number, feature in enumerate(features["features"]):
        feature["properties"]["lsoa21_code"] = f"E01{number:06d}"
    files["--boundaries"].write_text(json.dumps(features), encoding="utf-8")
    answer = fuller(*words(files, imd_files(make_believe), tmp_path / "report"))
    assert answer.code == 3
    assert "boundaries of the same part of the country" in answer.complaints
    assert not (tmp_path / "report" / "map.png").exists()


def test_a_practice_in_two_pcns_on_the_day_is_said_and_an_old_overlap_costs_nothing(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    import pandas as pd
    import xlsxwriter
    from python_calamine import CalamineWorkbook

    files = given(make_believe)
    rows = CalamineWorkbook.from_path(files["--pcn"]).get_sheet_by_name("PCN Core Partner Details").to_python()
    member = next(row for row in rows[1:] if row[9] == "")
    other = next(row for row in rows[1:] if row[4] != member[4])

    def with_row(name: str, start: str, end: str) -> Path:
        path = tmp_path / name
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet("PCN Core Partner Details")
            for at, row in enumerate([*rows, [*member[:4], *other[4:8], start, end, *member[10:]]]):
                sheet.write_row(at, 0, row)
        return path

    def by_practice(out: Path) -> pd.DataFrame:
        return pd.read_csv(out / "core20_by_practice.csv").query("imd_edition == 2025").set_index("practice_code")

    imd = imd_files(make_believe)
    assert fuller(*words(files, imd, tmp_path / "before")).code == 0
    old = fuller(*words({**files, "--pcn": with_row("ePCN_2026-09-01.xlsx", "20200101", "20200201")}, imd, tmp_path / "old"))
    assert (old.code, "in two PCNs" in old.out) == (0, False)
    pd.testing.assert_frame_equal(
        by_practice(tmp_path / "old").drop(columns="membership_snapshot"), by_practice(tmp_path / "before").drop(columns="membership_snapshot")
    )
    new = fuller(*words({**files, "--pcn": with_row("ePCN_2026-09-02.xlsx", "20260901", "")}, imd, tmp_path / "new"))
    assert "1 of" in new.out
    assert "in two PCNs on 2026-10-01" in new.out
    assert by_practice(tmp_path / "new").loc[member[0], "pcn_code"] == other[4]
