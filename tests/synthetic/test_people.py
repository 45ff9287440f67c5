"""Who the make-believe people are: valid test numbers, England's ages, and registrations that make sense."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.periods import completed_years, is_open_on
from fuller_popheath.synthetic.england_age_sex import england_shares
from fuller_popheath.synthetic.nhs_numbers import TEST_NUMBER_COUNT, UNISSUED_NUMBER_COUNT, check_digits, draw_test_numbers, every_test_number
from fuller_popheath.synthetic.people import make_people
from fuller_popheath.synthetic.place import Place, make_place
from fuller_popheath.synthetic.published import registered_on

from .conftest import AS_OF, SEED


def passes_modulus_11(number: str) -> bool:
    """The NHS Data Dictionary's rule, written a second time and digit by digit."""
    remainder = 11 - sum(int(digit) * weight for digit, weight in zip(number[:9], range(10, 1, -1), strict=True)) % 11
    return remainder != 10 and int(number[9]) == (0 if remainder == 11 else remainder)


def test_check_digits_against_published_examples() -> None:
    """9434765919, 9876544322 and 4000000020 (11 is written 0) are valid, 400000008 has no check digit (NHS Data Dictionary's rule)."""
    assert check_digits(np.array([943_476_591, 987_654_432, 400_000_002, 400_000_008])).tolist() == [9, 2, 0, 10]


def test_the_test_range_holds_what_we_say() -> None:
    numbers = every_test_number()
    assert len(numbers) == len(np.unique(numbers)) == TEST_NUMBER_COUNT
    assert all(passes_modulus_11(str(number)) for number in numbers[::9973])
    assert 9_999_999_999 not in numbers
    assert sum(len(every_test_number(prefix)) for prefix in range(990, 1000)) == UNISSUED_NUMBER_COUNT
    with pytest.raises(SettingsWrong, match="smaller"):
        draw_test_numbers(np.random.default_rng(1), UNISSUED_NUMBER_COUNT + 1)


def test_a_whole_ics_takes_numbers_that_begin_with_99() -> None:
    """2.1 million people: three thousand-blocks, each number once and none repeating one digit; a smaller place stays within 999."""
    numbers = draw_test_numbers(np.random.default_rng(1), 2_133_000)
    assert len(np.unique(numbers)) == len(numbers)
    assert set(np.unique(numbers // 10_000_000)) == {997, 998, 999}
    assert all(passes_modulus_11(str(number)) for number in numbers[::9973])
    assert draw_test_numbers(np.random.default_rng(1), TEST_NUMBER_COUNT).min() > 9_990_000_000


def test_every_nhs_number_is_valid_and_nobodys(people: pa.Table) -> None:
    numbers = pc.unique(people["nhs_number"].drop_null()).to_pylist()
    assert all(number.startswith("999") and len(number) == 10 and passes_modulus_11(number) and len(set(number)) > 1 for number in numbers)
    present = registered_on(people, AS_OF)["nhs_number"]
    assert len(pc.unique(present.drop_null())) == len(present) - present.null_count, "nobody is registered twice on the day"
    assert 100 < present.null_count < 500, "one in a thousand has none"


def test_exactly_as_many_are_registered_as_were_asked_for(people: pa.Table) -> None:
    assert registered_on(people, AS_OF).num_rows == 240_000
    # The vectorised rule against the written one, row by row on a sample.
    sample = people.take(np.arange(0, people.num_rows, 97))
    by_hand = [
        is_open_on(AS_OF, row["registration_start_date"], row["registration_end_date"]) and (row["death_date"] is None or row["death_date"] > AS_OF)
        for row in sample.to_pylist()
    ]
    assert registered_on(sample, AS_OF).num_rows == sum(by_hand)


def test_ages_and_sexes_are_englands(people: pa.Table) -> None:
    """Largest difference in any of the 40 bands under 0.15 percentage points; share 65+ as published, 18.6 % (registered in August 2026)."""
    present = registered_on(people, AS_OF)
    ages = np.array([completed_years(born, AS_OF) for born in present["date_of_birth"].to_pylist()])
    sexes = np.array(present["sex"].to_pylist())
    bands = england_shares()
    for sex, first, last, share in zip(bands.sexes, bands.first_ages, bands.last_ages, bands.shares, strict=True):
        found = np.mean((sexes == sex) & (ages >= first) & (ages <= last))
        assert found == pytest.approx(share, abs=0.0015), (sex, first)
    assert np.mean(ages >= 65) == pytest.approx(0.186, abs=0.003)
    assert ages.min() == 0 and 95 < ages.max() <= 104
    assert 0 < np.mean(~np.isin(sexes, ["male", "female"])) < 0.001


def test_shipped_table_adds_up_to_england() -> None:
    """63,237,908 people on 1 August 2026 (NHS England, patients registered at a GP practice)."""
    import csv
    from importlib import resources

    text = resources.files("fuller_popheath.synthetic").joinpath("england_age_sex_2026.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 40
    assert sum(int(row["patients"]) for row in rows) == 63_237_908
    assert all("NHS England" in row["comment"] for row in rows)


def test_days_come_in_their_order(people: pa.Table) -> None:
    born, start, end, death = (
        people[name].combine_chunks() for name in ("date_of_birth", "registration_start_date", "registration_end_date", "death_date")
    )
    today = pa.scalar(AS_OF, pa.date32())
    assert pc.all(pc.less_equal(born, start)).as_py()
    assert pc.all(pc.less(start, end)).as_py(), "where there is an end"
    assert pc.all(pc.less_equal(born, death)).as_py()
    for column in (born, start, end, death):
        assert pc.all(pc.less_equal(column, today)).as_py()
    assert pc.min(born).as_py() > date(1900, 1, 1)
    five_years_ago = pa.scalar(date(2021, 7, 31), pa.date32())
    assert pc.all(pc.greater_equal(end, five_years_ago)).as_py()
    # The day itself occurs on each side of the rules, so that a wrong "<=" shows.
    assert all(pc.any(pc.equal(column, today)).as_py() for column in (start, end, death))


def test_the_dead_linger_a_little(people: pa.Table) -> None:
    dead = people.filter(pc.is_valid(people["death_date"]))
    assert 0.035 < dead.num_rows / 240_000 < 0.055
    still_listed = dead.filter(pc.is_null(dead["registration_end_date"]))
    assert 0 < still_listed.num_rows < 0.05 * dead.num_rows
    ages = [completed_years(row["date_of_birth"], row["death_date"]) for row in dead.to_pylist()]
    assert 75 < np.median(ages) < 87


def test_people_who_changed_practice_keep_their_number(people: pa.Table) -> None:
    counted = people.group_by("nhs_number").aggregate([([], "count_all"), ("practice_code", "count_distinct"), ("sex", "count_distinct")])
    twice = counted.filter(pc.and_(pc.greater(counted["count_all"], 1), pc.is_valid(counted["nhs_number"])))
    assert twice.num_rows > 10_000
    assert pc.all(pc.equal(twice["practice_code_count_distinct"], 2)).as_py()
    assert pc.all(pc.equal(twice["sex_count_distinct"], 1)).as_py()


def test_where_people_live_is_said_or_missing(place: Place, people: pa.Table) -> None:
    codes = people["lsoa_code"]
    assert 50 < codes.null_count < 400
    lived_in = set(pc.unique(codes.drop_null()).to_pylist())
    welsh = {code for code in lived_in if code.startswith("W01")}
    assert len(welsh) == 3
    assert lived_in - welsh == set(place.lsoa21.lsoa21_code), "every LSOA has people"


def test_catchments_overlap(people: pa.Table) -> None:
    """England: the median practice draws from 104 LSOAs, 46 of them with at least 8 people (counted in the published registrations by LSOA)."""
    cells = registered_on(people, AS_OF).group_by(["practice_code", "lsoa_code"]).aggregate([([], "count_all")])
    large = cells.filter(pc.greater_equal(cells["count_all"], 8))
    median = np.median(large.group_by("practice_code").aggregate([([], "count_all")])["count_all"].to_pylist())
    assert 25 < median < 70
    sizes = cells.group_by("practice_code").aggregate([("count_all", "sum")])["count_all_sum"].to_pylist()
    assert len(sizes) == 24 and min(sizes) > 2_000 and max(sizes) < 30_000


def test_columns_are_the_contracts(people: pa.Table) -> None:
    declared = [column.name for column in load_contract("inbound/practice_list").columns]
    assert people.column_names == [*(name for name in declared if name in people.column_names), "lsoa11_code"]


def test_about_as_many_were_registered_five_years_ago(people: pa.Table) -> None:
    """Real lists grow by one or two percent a year; a look-back over years needs people then, too."""
    past = registered_on(people, date(2021, 8, 10))
    assert 0.85 < past.num_rows / 240_000 < 1.02


@pytest.mark.parametrize("as_of", [date(2024, 2, 29), date(2023, 1, 1), date(2010, 1, 1)])
def test_any_day_will_do(as_of: date) -> None:
    place = make_place(SEED, as_of, 2_000)
    people = make_people(place, SEED, as_of)
    assert registered_on(people, as_of).num_rows == 2_000
    assert pc.min(people["date_of_birth"]).as_py() > date(1900, 1, 1)


def test_a_day_before_2010_is_refused() -> None:
    with pytest.raises(SettingsWrong, match="before 2010"):
        make_people(make_place(SEED, date(2009, 12, 31), 1_000), SEED, date(2009, 12, 31))
