"""Use of general practice by area: counts by hand, rows hidden whole, and limits that know that appointments belong to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fuller_popheath.catalogue.products import activity_by_pcn
from fuller_popheath.cohorts.activity import COUNTS, _booked, _standard_error, with_trend
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

DAY = date(2026, 8, 1)
CONTRACT = "products/activity_by_pcn"
USUAL = {"practice_code": "A00001", "pcn_code": "U00001", "place_code": "00Q", "imd_2019_quintile": 1, "imd_2025_quintile": 1, "usual_gp_code": None}
KEY = ("area_type", "area_code", "imd_edition", "imd_quintile")
Rows = Sequence[Mapping[str, Any]]
Made = dict[tuple[str, ...], dict[str, Any]]


def a_table(contract_id: str, rows: Rows) -> pa.Table:
    """Rows of a contract; of what is not said, required numbers are 0, required marks false, and everything else is empty."""
    contract = load_contract(contract_id)
    nothing = {c.name: {"integer": 0, "number": 0.0, "boolean": False}.get(c.logical_type) if c.required else None for c in contract.columns}
    full = [{**nothing, "as_of": DAY, **row} for row in rows]
    return conform(pa.table({f.name: pa.array([row[f.name] for row in full], f.type) for f in contract.schema}), contract)


def made(people: Rows) -> Made:
    """The product of people, each told by what is not usual about them, by area_type, area_code, edition and quintile."""
    letters = str.maketrans("0123456789", "abcdefghij")
    rows = [{**USUAL, **person, "person_id": f"{number:05d}".translate(letters).ljust(12, "a")} for number, person in enumerate(people)]
    inputs = {name: a_table(name, rows) for name in ("core/person", "features/contacts", "features/continuity")}
    booked = [(row["person_id"], kind, row.get(kind)) for row in rows for kind in ("earlier", "same_day")]
    told = [{"person_id": who, "booked": kind, "contact_count_365": count} for who, kind, count in booked if count]
    inputs["core/person_booking"] = a_table("core/person_booking", told)
    inputs["products/segment_count"] = load_contract("products/segment_count").schema.empty_table()
    practices = [{"practice_code": code, "icb_code": "QE1"} for code in ("A00001", "A00002")]
    inputs["core/neighbourhood_practice"] = a_table("core/neighbourhood_practice", practices)
    product = refuse_if_broken(activity_by_pcn.build(inputs, Night(DAY, Site())), load_contract(CONTRACT))
    return {tuple(row[name] for name in KEY): row for row in product.to_pylist()}


def seen(times: int, **other: Any) -> dict[str, Any]:
    return {"contact_count_365": times, **other}


def test_counts_and_shares_by_hand() -> None:
    often = seen(6, gp_contact_count_365=3, urgent_contact_count_365=2, did_not_attend_count_365=1, continuity_upc=0.5)
    named = {**often, "usual_gp_code": "G1", "usual_gp_contact_count": 2, "continuity_practice_contact_count": 5}
    never = {"usual_gp_contact_count": 4, "continuity_practice_contact_count": 5}  # nobody's usual GP is named, so that this counts nowhere
    rows = made([often] * 50 + [named] * 50 + [never] * 100)
    row = rows["pcn", "U00001", "2025", "all"]
    assert [row[name] for name in COUNTS] == [200, 100, 600, 300, 200, 100, 100, 0, 0]
    # 600 contacts of 200 people; 300 with a GP, 200 urgent; 100 of 700 appointments missed; 2 of 5 with the usual GP.
    assert (row["contacts_per_1000"], row["gp_percent"], row["urgent_percent"], row["did_not_attend_percent"]) == (3000, 50, 33.3, 14.3)
    assert (row["mean_upc"], row["slicc"]) == (0.5, 0.4)
    # Everybody who is seen is seen alike, so the shares are certain; half are not seen at all, so the rate is not: 6 x 0.5 / sqrt(200) = 0.2121.
    assert (row["urgent_lower"], row["urgent_upper"]) == pytest.approx((33.3, 33.3))
    assert (row["contacts_lower"], row["contacts_upper"]) == (3000 - 416, 3000 + 416)
    assert rows["icb", "QE1", "2019", "1"]["contact_count"] == 600
    assert not any(row["is_hidden"] for row in rows.values())


def test_a_row_with_a_small_count_is_hidden_whole() -> None:
    many = [seen(4 * (number % 2), imd_2025_quintile=quintile) for quintile in (2, 3) for number in range(60)]
    rows = made(many + [seen(9, imd_2025_quintile=1)] * 3)
    few = rows["pcn", "U00001", "2025", "1"]
    # 27 contacts are no small count, but they are those of three people.
    assert {value for name, value in few.items() if name not in ("as_of", *KEY)} == {None, True}
    assert rows["pcn", "U00001", "2025", "all"]["registered_count"] == 125


def test_the_same_day_share_is_of_contacts_whose_booking_is_known() -> None:
    told = [seen(6, same_day=3, earlier=1)] * 60 + [seen(6), seen(0)] * 60  # half of those seen are of a practice that does not say
    rows = made(told)
    row = rows["pcn", "U00001", "2025", "all"]
    assert (row["contact_count"], row["booking_known_count"], row["same_day_count"], row["same_day_percent"]) == (720, 240, 180, 75)
    assert (row["same_day_lower"], row["same_day_upper"]) == pytest.approx((75, 75)), "everybody of whom it is known is booked alike"


def test_where_few_bookings_are_known_they_alone_are_hidden() -> None:
    row = made([seen(4)] * 60 + [seen(0)] * 60 + [seen(4, earlier=2, same_day=1)])["pcn", "U00001", "2025", "all"]
    assert (row["contact_count"], row["is_hidden"]) == (245, False)
    assert {row[name] for name in ("booking_known_count", "same_day_count", "same_day_percent", "same_day_lower")} == {None}
    none = made([seen(4), seen(0)] * 60)["pcn", "U00001", "2025", "all"]
    assert (none["booking_known_count"], none["same_day_count"], none["same_day_percent"]) == (0, 0, None)


def test_bookings_of_people_who_are_not_there_are_refused() -> None:
    person = a_table("core/person", [{**USUAL, "person_id": "aaaaaaaaaaaa"}])
    stranger = a_table("core/person_booking", [{"person_id": "bbbbbbbbbbbb", "booked": "earlier", "contact_count_365": 1}])
    with pytest.raises(ContractBroken, match="core/person_booking has 1 rows about people who are not in core/person"):
        _booked({"core/person": person, "core/person_booking": stranger}, 1)


def test_the_same_people_hidden_in_one_edition_are_not_shown_by_the_other() -> None:
    rows = made([seen(2), seen(0)] * 40 + [seen(2, practice_code="A00002", pcn_code="U00002")] * 5)
    hidden = {edition: {key[:2]: row["is_hidden"] for key, row in rows.items() if key[2:] == (edition, "all")} for edition in ("2019", "2025")}
    assert hidden["2019"] == hidden["2025"]
    assert hidden["2025"]["pcn", "U00002"]


def test_the_last_released_month_stands_beside_this_one_row_by_row() -> None:
    now = pd.DataFrame({**dict.fromkeys(KEY, "x"), "area_code": ["U1", "U2"], "contacts_per_1000": [10.0, 20.0]})
    then = {**dict.fromkeys(KEY, "x"), "as_of": date(2026, 7, 1), "contacts_per_1000": 8.0, "mean_upc": None}
    earlier = pa.Table.from_pylist([{**then, "area_code": "U2"}, {**then, "area_code": "U3"}])
    made = with_trend(now, earlier)
    assert made["area_code"].tolist() == ["U1", "U2"]
    assert made["previous_contacts_per_1000"].isna().tolist() == [True, False]
    assert (made["previous_as_of"][1], made["previous_contacts_per_1000"][1]) == (date(2026, 7, 1), 8.0)
    assert made["previous_same_day_percent"].isna().all(), "it was not told then"
    assert with_trend(now, None)["previous_as_of"].isna().all()


def test_nobody_gives_no_rows() -> None:
    assert made([]) == {}


def test_the_standard_error_of_a_mean_is_that_of_a_mean() -> None:
    x = np.random.default_rng(3).poisson(4, 500).astype(float)
    sums = [pd.Series([value]) for value in ((x * x).sum(), x.sum(), 500.0, x.sum(), 500.0)]
    assert float(_standard_error(*sums).iloc[0]) == pytest.approx(x.std() / np.sqrt(500))


def test_the_standard_error_of_a_share_is_that_of_resampled_people() -> None:
    rng = np.random.default_rng(4)
    y = rng.poisson(3, 2_000).astype(float)
    x = rng.binomial(y.astype(int), rng.beta(1, 3, 2_000)).astype(float)  # some people's appointments are mostly urgent ones
    sums = [pd.Series([value]) for value in ((x * x).sum(), (x * y).sum(), (y * y).sum(), x.sum(), y.sum())]
    error = float(_standard_error(*sums).iloc[0])
    drawn = rng.integers(0, 2_000, (2_000, 2_000))
    resampled = x[drawn].sum(axis=1) / y[drawn].sum(axis=1)
    assert error == pytest.approx(resampled.std(), rel=0.06)
    share = x.sum() / y.sum()
    assert error > 1.2 * np.sqrt(share * (1 - share) / y.sum()), "taking appointments for people would claim too much"
