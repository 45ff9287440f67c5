"""`fuller check` and `fuller synth`."""

from __future__ import annotations

from pathlib import Path


def test_check_counts_rows_per_rule_and_never_shows_a_value(make_believe: Path, tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    lists = sorted((make_believe / "practice_lists").glob("*.csv"))[0]
    rows = lists.read_text().splitlines()
    header = rows[0].split(",")
    planted = "9434765919"
    spoiled = []
    for number, row in enumerate(rows[1:6]):
        cells = row.split(",")
        cells[header.index("sex")] = planted
        cells[header.index("nhs_number")] = f"{1111111110 + number}"
        spoiled.append(",".join(cells))
    faulty = tmp_path / "practice_list.csv"
    faulty.write_text("\n".join([rows[0], *spoiled, *rows[6:]]) + "\n")
    answer = fuller("check", faulty, "--contract", "practice_list")
    assert answer.code == 4
    assert "5 quarantined" in answer.out
    assert "sex.allowed" in answer.out
    assert "nhs_number.check_digit" in answer.out
    assert planted not in answer.out + answer.complaints


def test_check_of_a_good_file_is_0(make_believe: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    lists = sorted((make_believe / "practice_lists").glob("*.csv"))[0]
    assert fuller("check", lists, "--contract", "inbound/practice_list").code == 0


def test_check_of_an_unknown_contract_lists_those_there_are(make_believe: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    answer = fuller("check", next(make_believe.glob("*.csv")), "--contract", "practise_list")
    assert answer.code == 2
    assert "inbound/practice_list" in answer.complaints


def test_check_of_something_else_is_3(make_believe: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    answer = fuller("check", next(make_believe.glob("ePCN*")), "--contract", "practice_list")
    assert answer.code == 3
    assert "expected" in answer.complaints


def test_synth_says_what_it_made(tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    answer = fuller("synth", "--out", tmp_path / "place", "--people", 4000, "--seed", 3)
    assert answer.code == 0
    assert "PCNs" in answer.out
    assert len(list((tmp_path / "place" / "practice_lists").glob("*.csv"))) >= 1


def test_synth_refuses_more_people_than_there_are_names_and_codes_for(tmp_path: Path, fuller) -> None:  # type: ignore[no-untyped-def]
    answer = fuller("synth", "--out", tmp_path / "place", "--people", 3_000_000)
    assert answer.code == 2
    assert "at most 2,400,000" in answer.complaints


def test_an_unexpected_error_shows_its_place_and_not_its_text(tmp_path: Path, fuller, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from fuller_popheath import synthetic

    def broken(*_: object, **__: object) -> None:
        raise KeyError("9434765919")

    monkeypatch.setattr(synthetic, "write_landing", broken)
    answer = fuller("synth", "--out", tmp_path / "place", "--people", 4000)
    assert answer.code == 1
    assert "KeyError at fuller_popheath/cli.py:" in answer.complaints
    assert "9434765919" not in answer.out + answer.complaints
