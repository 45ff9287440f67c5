"""The electronic frailty index: 36 deficits, and categories that are decided on whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from fuller_popheath.catalogue.features import frailty
from fuller_popheath.site import Frailty, Site
from fuller_popheath.specs import Night

Build = Callable[..., Any]
FIRST_CLUSTERS = [clusters[0] for clusters in frailty.DEFICITS.values()]
MEDICINES = ("statin", "opioid", "ppi", "laxative", "antibiotic")


@pytest.fixture
def rows_of(core_table: Build, build: Build, night: Build, ago: Build) -> Callable[..., list[dict[str, Any]]]:
    """The rows of people by (age, clusters with the days since, medicines issued with the days since)."""

    def rows(people: Sequence[tuple[int, Sequence[tuple[str, int]], Sequence[tuple[str, int]]]], on: Night | None = None) -> list[dict[str, Any]]:
        numbered = list(enumerate(people))
        events = [{"person": n, "event_date": ago(d), "code": f"z.{name}.1"} for n, (_, codes, _) in numbered for name, d in codes]
        issues = [{"person": n, "issue_date": ago(d), "code": f"z.{name}.1"} for n, (_, _, issued) in numbered for name, d in issued]
        tables = {
            "core/person": core_table("core/person", [{"person": n, "age_years": age} for n, (age, _, _) in numbered]),
            "core/event": core_table("core/event", events),
            "core/medication_issue": core_table("core/medication_issue", issues),
        }
        return build("features/frailty", tables, on or night()).to_pylist()

    return rows


def test_there_are_36_deficits_one_of_them_polypharmacy() -> None:
    """Clegg and others, Age and Ageing 2016: 36 deficits, each counted once."""
    assert len(frailty.DEFICITS) + 1 == 36
    clusters = [name for names in frailty.DEFICITS.values() for name in names]
    assert len(set(clusters)) == len(clusters), "a cluster that counts for two deficits"


def test_each_count_has_the_category_of_its_whole_number(rows_of: Build) -> None:
    """0-4 fit, 5-8 mild, 9-12 moderate, 13 and more severe: 0.12, 0.24 and 0.36 of 36 are 4.32, 8.64 and 12.96 deficits."""
    counts = range(36)
    rows = rows_of([(80, [(name, 3000) for name in FIRST_CLUSTERS[:count]], ()) for count in counts])
    assert [row["efi_deficit_count"] for row in rows] == list(counts)
    assert [row["efi_category"] for row in rows] == ["fit"] * 5 + ["mild"] * 4 + ["moderate"] * 4 + ["severe"] * 23


def test_twelve_of_36_is_moderate_and_thirteen_severe(rows_of: Build) -> None:
    twelve, thirteen = rows_of([(80, [(name, 10) for name in FIRST_CLUSTERS[:n]], ()) for n in (12, 13)])
    assert (twelve["efi_category"], thirteen["efi_category"]) == ("moderate", "severe")


def test_each_cluster_alone_is_one_deficit(rows_of: Build) -> None:
    clusters = [name for names in frailty.DEFICITS.values() for name in names]
    assert {"diabetes_type_1", "bronchiectasis", "care_home"} <= set(clusters)
    assert [row["efi_deficit_count"] for row in rows_of([(80, [(name, 900)], ()) for name in clusters])] == [1] * len(clusters)
    # Whether the published lists have it as a disease of the urinary system could not be read.
    assert [row["efi_deficit_count"] for row in rows_of([(80, [("prostate_disease", 900)], ())])] == [0]


def test_two_codes_of_one_deficit_count_once(rows_of: Build) -> None:
    [row] = rows_of([(80, [("copd", 9), ("asthma", 9), ("bronchiectasis", 9), ("coronary_heart_disease", 9), ("myocardial_infarction", 9)], ())])
    assert row["efi_deficit_count"] == 2


def test_polypharmacy_is_five_medicines_in_a_year_or_what_the_site_says(rows_of: Build, night: Build) -> None:
    five = [(name, 365) for name in MEDICINES]
    four_and_an_old_one = [*five[:4], (MEDICINES[4], 366)]
    people = [(80, (), five), (80, (), four_and_an_old_one)]
    assert [row["efi_deficit_count"] for row in rows_of(people)] == [1, 0]
    four = Night(night().as_of, Site(frailty=Frailty(polypharmacy_medicines=4)))
    assert [row["efi_deficit_count"] for row in rows_of(people, four)] == [1, 1]


def test_there_is_no_category_below_65(rows_of: Build) -> None:
    deficits = [(name, 10) for name in FIRST_CLUSTERS[:9]]
    assert [(row["efi_deficit_count"], row["efi_category"]) for row in rows_of([(64, deficits, ()), (65, deficits, ())])] == [
        (9, None),
        (9, "moderate"),
    ]


def test_the_latest_coded_degree_counts_and_on_one_day_the_worse(rows_of: Build) -> None:
    said = [
        (("mild_frailty", 900), ("severe_frailty", 500), ("moderate_frailty", 20)),
        (("mild_frailty", 20), ("severe_frailty", 20)),
        (("frailty", 20),),
        (),
    ]
    assert [row["coded_frailty"] for row in rows_of([(80, codes, ()) for codes in said])] == ["moderate", "severe", None, None]
