"""A CSV from anywhere becomes a table to fit on, or is refused with a word that says what to do and shows no cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fuller_popheath.errors import FileRefused, FullerError, SettingsWrong
from fuller_popheath.risk.csv_table import OneTable, read_table

ROWS = 60


def write(path: Path, columns: dict[str, list[object]], sign: str = ",", encoding: str = "utf-8") -> Path:
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    path.write_text("\n".join(sign.join(str(cell) for cell in row) for row in rows) + "\n", encoding=encoding)
    return path


def sound(rows: int = ROWS) -> dict[str, list[object]]:
    rng = np.random.default_rng(rows)
    return {
        "age": [round(float(value), 3) for value in rng.uniform(18, 90, rows)],
        "colour": [("red", "green", "blue")[number % 3] for number in range(rows)],
        "died": [number % 2 for number in range(rows)],
    }


def read(path: Path, outcome: str = "died", seed: int = 1) -> tuple[OneTable, list[str]]:
    said: list[str] = []
    return read_table(path, outcome, seed, said.append), said


def by_row(table: OneTable, column: str) -> list[object]:
    return [value for _, value in sorted(zip(table.row_number.tolist(), table.features[column].to_pylist(), strict=True))]


def test_numbers_are_numbers_text_is_categories_and_blanks_are_missing(tmp_path: Path) -> None:
    columns = sound() | {"bmi": ["", "NA", "nan", "?", " 21.5 ", "1e1", "-3", ".5", *range(ROWS - 8)], "answer": ["none", "", "N/A", "a"] * 15}
    table, said = read(write(tmp_path / "t.csv", columns))
    assert table.features.column_names == ["person_id", "age", "colour", "bmi", "answer"]
    assert by_row(table, "bmi")[:8] == [None, None, None, None, 21.5, 10, -3, 0.5]
    assert by_row(table, "answer")[:4] == ["none", None, None, "a"]
    assert table.has_outcome[np.argsort(table.row_number)].tolist() == [number % 2 == 1 for number in range(ROWS)]
    assert not table.left_out
    assert not said


@pytest.mark.parametrize(("sign", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "cp1252"), ("|", "utf-8")])
def test_other_signs_between_cells_and_other_encodings(tmp_path: Path, sign: str, encoding: str) -> None:
    columns = sound() | {"place": ["Glyn Café", "Bröd"] * 30}
    table, _ = read(write(tmp_path / "t.csv", columns, sign, encoding))
    assert by_row(table, "place")[:2] == ["Glyn Café", "Bröd"]


def test_a_decimal_comma_where_semicolons_cut(tmp_path: Path) -> None:
    columns = sound() | {"bmi": [f"{20 + number},5" for number in range(ROWS)]}
    assert by_row(read(write(tmp_path / "t.csv", columns, ";"))[0], "bmi")[:2] == [20.5, 21.5]


def test_quoted_cells_may_hold_the_sign_and_line_breaks_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,age,died\r\n" + "".join(f'"a, ""b""\n{number % 3}",{number + 0.5},{number % 2}\r\n\r\n' for number in range(ROWS)))
    assert by_row(read(path)[0], "text")[:2] == ['a, "b"\n0', 'a, "b"\n1']


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("1.0", "0.0"), ("TRUE", "False"), ("Yes", "no"), ("y", "N"), ("T", "f")])
def test_outcomes_that_say_yes_or_no(tmp_path: Path, yes: str, no: str) -> None:
    table, _ = read(write(tmp_path / "t.csv", sound() | {"died": [yes, no] * 30}))
    assert table.has_outcome.sum() == 30


def test_rows_that_do_not_say_the_outcome_are_left_out_with_a_word(tmp_path: Path) -> None:
    table, said = read(write(tmp_path / "t.csv", sound(120) | {"died": ["1", "", "0", "NA"] * 30}))
    assert said == ["60 of 120 rows do not say whether died happened and are left out."]
    assert sorted(table.row_number.tolist()) == [row for row in range(1, 121) if row % 2]


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("", list(range(ROWS)), "row number or an identifier"),
        ("id", [number * 17 + 3 for number in range(ROWS)], "row number or an identifier"),
        ("patient_id", [number * 17 + 3 for number in range(ROWS)], "row number or an identifier"),
        ("index", list(range(ROWS)), "row number or an identifier"),
        ("anything", list(range(100, 100 + ROWS)), "row number or an identifier"),
        ("code", [f"X{number}" for number in range(ROWS)], "an identifier, or free text"),
        ("seen", ["2026-01-05", "05/01/2026"] * 30, "a date; make it a number"),
        ("when", ["2026-01-05 10:11", "5 Jan 2026"] * 30, "a date; make it a number"),
        ("same", ["x"] * ROWS, "same value"),
        ("empty", ["", "NA"] * 30, "empty"),
        ("as_of", list(range(30)) * 2, "the day of a table"),
    ],
)
def test_what_cannot_be_a_feature_is_left_out_with_a_word(tmp_path: Path, name: str, cells: list[object], why: str) -> None:
    table, said = read(write(tmp_path / "t.csv", {name: cells, **sound()}))
    told = name or "unnamed_1"
    assert list(table.left_out) == [told]
    assert why in table.left_out[told]
    assert len(said) == 1
    assert told in said[0]
    assert table.features.column_names == ["person_id", "age", "colour"]


def test_measures_that_differ_in_every_row_stay(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    columns = sound() | {
        "biopsy_index": list(rng.normal(size=ROWS)),
        "platelets": [int(v) for v in rng.permutation(10_000)[:ROWS]],
        "died2": ["x", ""] * 30,
    }
    assert set(read(write(tmp_path / "t.csv", columns))[0].features.column_names) >= {"biopsy_index", "platelets", "died2"}


def test_a_few_cells_that_are_no_numbers_count_as_missing_with_a_word(tmp_path: Path) -> None:
    table, said = read(write(tmp_path / "t.csv", sound(100) | {"crp": ["<5", ">90", "inf", *[v / 2 for v in range(97)]]}))
    assert said == ["crp: 3 of 100 cells are not numbers and count as missing."]
    assert by_row(table, "crp")[:4] == [None, None, None, 0.0]


def test_the_order_of_the_rows_changes_nothing(tmp_path: Path) -> None:
    columns = sound(90) | {"person_id": [f"p{number // 2}" for number in range(90)]}
    columns = {name: [*cells, *cells[:20]] for name, cells in columns.items()}
    order = np.random.default_rng(1).permutation(110)
    one, _ = read(write(tmp_path / "a.csv", columns))
    two, _ = read(write(tmp_path / "b.csv", {name: [cells[place] for place in order] for name, cells in columns.items()}))
    assert one.features.equals(two.features)
    assert np.array_equal(one.has_outcome, two.has_outcome)


def test_rows_without_a_person_are_persons_of_their_own(tmp_path: Path) -> None:
    table, _ = read(write(tmp_path / "t.csv", sound() | {"person_id": ["anna", "", "NA", *["bo"] * (ROWS // 2 - 3), *range(ROWS // 2)]}))
    persons = table.features["person_id"].to_pylist()
    assert table.has_persons
    assert persons.count("bo") == ROWS // 2 - 3
    assert len(set(persons)) == 3 + 1 + ROWS // 2
    assert len(set(read(write(tmp_path / "u.csv", sound()))[0].features["person_id"].to_pylist())) == ROWS


def test_an_unknown_outcome_is_refused_with_the_columns_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"t\.csv has no column dead; it has age, colour, died"):
        read(write(tmp_path / "t.csv", sound()), "dead")


REFUSED: list[tuple[dict[str, list[object]], str]] = [
    ({"died": ["SECRET", "OTHER"] * 30}, r"60 of 60 cells of died \(2 different values\) are neither 1/0, true/false nor yes/no; write 1"),
    ({"died": [2, 1] * 30}, r"30 of 60 cells of died \(1 different values\)"),
    ({"died": [1] * 5 + [0] * 55}, "died happened in 5 of 60 rows, of 5 persons; at least 10 persons"),
    ({"died": [0] * 5 + [1] * 55}, "died did not happen in 5 of 60 rows"),
    ({"died": [1] * 30 + [0] * 30, "person_id": ["SECRET"] * 30 + list(range(30))}, "died happened in 30 of 60 rows, of 1 persons"),
    ({"age": ["SECRET"] * 60, "colour": [""] * 60}, "none of its 2 other columns can be a feature"),
]


@pytest.mark.parametrize(("columns", "words"), REFUSED)
def test_a_table_that_says_too_little_is_refused_without_a_cell(tmp_path: Path, columns: dict[str, list[object]], words: str) -> None:
    with pytest.raises(FileRefused, match=words) as refusal:
        read(write(tmp_path / "t.csv", sound() | columns))
    assert "SECRET" not in str(refusal.value)


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="has 49 rows that can be used; 50 are the least"):
        read(write(tmp_path / "t.csv", sound(49)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no rows"),
        ("died\n" + "0\n1\n" * 50, "has no column but died"),
        ("age,died\n", "has no rows"),
        ("age,age,died\n1,2,0\n", "more than one column age"),
        ("age,died\n1,0\nSECRET,0,7\n2\n", r"2 of 3 rows do not have 2 fields"),
        ('age,died\n1,0\n"SECRET,0\n' + "x" * 200_000, "not a CSV that can be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused_without_a_cell(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(FileRefused, match=words) as refusal:
        read(path)
    assert "SECRET" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FullerError, match=r"nowhere\.csv cannot be read"):
        read(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("first", ["Doris Smith,9434765919,1,0", "Doris Smith,x,943 476 5919,y", "Doris Smith,f,2020-01-05,y", "Doris Smith,f,3.5,y"])
def test_a_first_line_that_is_a_row_is_refused_without_a_cell(tmp_path: Path, first: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(first + "\n" + "Ann Jones,f,2,y\nBob Hill,m,3,n\n" * 40)
    for outcome in ("y", "died"):
        with pytest.raises(FileRefused, match="the first line looks like a row, not names") as refusal:
            read(path, outcome)
        assert not any(cell in str(refusal.value) for cell in ("Doris", "943", "2020", "3.5"))


NHS = ["9434765919", "9434765870", "4505577104", "943 476 5919"]


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("PatientID", [number % 30 for number in range(ROWS)], "identifier"),
        ("HospitalNo", [number % 30 for number in range(ROWS)], "identifier"),
        ("nhs", [number % 30 for number in range(ROWS)], "identifier"),
        ("surname", ["Smith", "Jones", "Hill"] * 20, "identifies persons"),
        ("GPName", ["Dr Smith", "Dr Jones", "Dr Hill"] * 20, "identifies persons"),
        ("whose", NHS[:3] * 20, "NHS numbers"),
        ("note", ["fine", "well", "ill"] * 19 + ["well", "ill", "call 943 476 5919"], "1 of its cells hold an NHS number"),
        ("key", [100_000_000 + number % 7 for number in range(ROWS)], "nine digits or more"),
        ("town", [f"town {number % 25}" for number in range(ROWS)], None),
        ("street", [f"street {number % 35}" for number in range(ROWS)], "different values"),
        ("number_of_visits", [number % 9 for number in range(ROWS)], None),
        ("visit_number", [number % 9 for number in range(ROWS)], None),
        ("nhs_funded", ["yes", "no", "no"] * 20, None),
        ("platelets", [150_000 + 37 * number for number in range(ROWS)], None),
        ("postcode_decile", [number % 10 for number in range(ROWS)], None),
    ],
)
def test_what_may_identify_persons_is_left_out_and_clinical_numbers_stay(tmp_path: Path, name: str, cells: list[object], why: str | None) -> None:
    table, said = read(write(tmp_path / "t.csv", sound() | {name: cells}))
    assert (name in table.features.column_names) == (why is None)
    assert why is None or (why in table.left_out[name] and name in said[0])
    assert "Smith" not in "".join(said)


def test_an_nhs_number_among_measures_counts_as_missing(tmp_path: Path) -> None:
    table, said = read(write(tmp_path / "t.csv", sound() | {"crp": [9434765919, *[number / 4 for number in range(ROWS - 1)]]}))
    assert by_row(table, "crp")[:2] == [None, 0.0]
    assert said == ["crp: 1 of 60 cells are not numbers and count as missing."]


@pytest.mark.parametrize("name", ["Person_ID", "PERSON_ID", "person id", "PersonId"])
def test_whose_row_it_is_however_it_is_written(tmp_path: Path, name: str) -> None:
    table, _ = read(write(tmp_path / "t.csv", sound() | {name: [number // 2 for number in range(ROWS)]}))
    assert table.has_persons
    assert len(set(table.features["person_id"].to_pylist())) == ROWS // 2
    with pytest.raises(FileRefused, match="2 columns that say whose row it is"):
        read(write(tmp_path / "t.csv", sound() | {name: [1] * ROWS, "PERSON.ID": [1] * ROWS}))


def test_an_identifier_that_repeats_is_said_to_be_perhaps_a_person(tmp_path: Path) -> None:
    table, _ = read(write(tmp_path / "t.csv", sound() | {"PatientID": [number // 2 for number in range(ROWS)]}))
    assert any("PatientID has the same value in several rows" in words for words in table.warnings)


def test_copies_of_a_row_are_one_person_and_people_of_the_same_category_are_not(tmp_path: Path) -> None:
    table, said = read(write(tmp_path / "t.csv", {name: cells * 2 for name, cells in sound().items()}))
    assert len(set(table.features["person_id"].to_pylist())) == ROWS
    assert any("120 of 120 rows are the same as another" in words and "share a fold" in words for words in said)
    coarse, said = read(write(tmp_path / "u.csv", {"sex": ["f", "m", "m"] * 40, "died": [0, 1] * 60}))
    assert len(set(coarse.features["person_id"].to_pylist())) == 120
    assert any("taken as different persons" in words for words in said)


@pytest.mark.parametrize("end", ['x"y', 'x"'])
def test_a_quotation_mark_that_does_not_close_is_refused_with_counts(tmp_path: Path, end: str) -> None:
    columns = sound(600)
    columns["colour"][100], columns["colour"][200] = '"SECRET', end
    for last in (200, 101):
        columns["colour"][200] = "red"
        columns["colour"][last] = end
        with pytest.raises(FileRefused, match=r"after \d+ rows a cell is too long|1 cells hold \d+ line ends") as refusal:
            read(write(tmp_path / "t.csv", columns))
        assert "SECRET" not in str(refusal.value)


@pytest.mark.parametrize(
    ("cells", "others", "value"),
    [
        (["12,345", "950"], ["20.5", "7.25"], 12_345),
        (["12,345", "950"], ["20,5", "7,25"], 12.345),
        (["12,345", "1,5"], ["20.5", "7.25"], 12.345),
        (["1,234.5", "2.25"], ["a", "b"], 1_234.5),
        (["1.234,5", "2,25"], ["a", "b"], 1_234.5),
        (["1.234", "950"], ["20,5", "7,25"], 1_234),
        (["1.234", "950"], ["20.5", "7.25"], 1.234),
        (["20,5", "20.7"], ["a", "b"], 20.5),
    ],
)
def test_each_column_has_a_decimal_sign_of_its_own(tmp_path: Path, cells: list[object], others: list[object], value: float) -> None:
    table, _ = read(write(tmp_path / "t.csv", sound() | {"age": [str(n) for n in range(ROWS)], "crp": cells * 30, "other": others * 30}, ";"))
    assert by_row(table, "crp")[0] == value


def test_a_column_with_both_decimal_signs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="60 of 60 cells of crp have a comma or a point"):
        read(write(tmp_path / "t.csv", sound() | {"crp": ["12,345", "20.5", "20,5"] * 20}, ";"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(FileRefused, match="wrong encoding"):
        read(write(tmp_path / "t.csv", sound(), encoding=encoding))
