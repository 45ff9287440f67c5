"""core/person_plus: the groups that the site counts, its own local ones, and one that is a new file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fuller_popheath import registry
from fuller_popheath.cohorts import person_plus
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.site import Site
from fuller_popheath.site_lists import Plus
from fuller_popheath.specs import Night, PlusGroupSpec

DAY = date(2026, 8, 1)
CONTRACT = "core/person_plus"
PEOPLE = (
    {"name": "a", "age_years": 9, "has_looked_after_child": True, "ethnic_category": "A"},
    {"name": "b", "age_years": 40, "has_looked_after_child": True, "has_carer": True},
    {"name": "c", "age_years": 80, "condition_count": 5, "ethnic_category": "K"},
)


def plus_of(table: Callable[..., Any], site: Site, clusters: tuple[tuple[str, str, bool], ...] = (), **more: PlusGroupSpec) -> list[tuple[str, ...]]:
    """(group, first letter of the person, membership) as they stand; `clusters`: (person, cluster, is_current)."""
    groups = {**registry.plus_groups(), **more}
    spec = person_plus.table_of(groups)
    usual = {"practice_code": "A00001", "sex": "female", "registration_type": "regular", "registration_start_date": date(2010, 1, 1)}
    rows = [{**usual, "date_of_birth": date(1986, 1, 1), **person, "person_id": str(person["name"]).ljust(12, "a")} for person in PEOPLE]
    inputs = {name: table(name, rows) for name in spec.inputs if name != person_plus.CLUSTER}
    coded = [{"person_id": who.ljust(12, "a"), "cluster": cluster, "is_current": is_current} for who, cluster, is_current in clusters]
    inputs[person_plus.CLUSTER] = table(person_plus.CLUSTER, coded)
    made = refuse_if_broken(spec.build(inputs, Night(DAY, site)), load_contract(CONTRACT))
    return [(row["plus_group"], row["person_id"][0], row["membership"]) for row in made.to_pylist()]


def test_yes_and_not_recorded_have_a_row_each_and_no_has_none(table: Callable[..., Any]) -> None:
    assert sorted(plus_of(table, Site())) == [
        ("carer", "b", "yes"),
        ("ethnic_minority", "b", "not_recorded"),
        ("ethnic_minority", "c", "yes"),
        ("looked_after_child", "a", "yes"),
        ("severe_multimorbidity", "c", "yes"),
    ]


def test_only_the_groups_that_the_site_names_count_in_its_order(table: Callable[..., Any]) -> None:
    site = Site(plus=Plus(groups=("severe_multimorbidity", "carer")))
    assert plus_of(table, site) == [("severe_multimorbidity", "c", "yes"), ("carer", "b", "yes")]


def test_groups_by_place_are_looked_up_by_lsoa_and_count_only_where_the_site_names_them(table: Callable[..., Any]) -> None:
    spec = person_plus.TABLE
    lsoas = {"a": "E01000001", "b": "E01000002", "c": None}
    usual = {"practice_code": "A00001", "sex": "female", "registration_type": "regular", "registration_start_date": date(2010, 1, 1)}
    people = [
        {**usual, "date_of_birth": date(1986, 1, 1), "age_years": 40, "person_id": who.ljust(12, "a"), "lsoa_code": lsoas[who]} for who in "abc"
    ]
    inputs = {name: table(name, people if name == "core/person" else [{"person_id": each["person_id"]} for each in people]) for name in spec.inputs}
    said = [{"lsoa_code": "E01000001", "lsoa_vintage": "2021", "classification": word} for word in ("coastal", "urban")]
    said.append({"lsoa_code": "E01000002", "lsoa_vintage": "2021", "classification": "inland"})
    inputs |= {"reference/lsoa_classification": table("reference/lsoa_classification", said)}
    inputs |= {name: table(name, []) for name in ("reference/lsoa_2011_2021", person_plus.CLUSTER)}
    made = spec.build(inputs, Night(DAY, Site(plus=Plus(groups=("coastal", "rural")))))
    assert [(row["plus_group"], row["person_id"][0], row["membership"]) for row in made.to_pylist()] == [
        ("coastal", "a", "yes"),
        ("coastal", "c", "not_recorded"),
        ("rural", "b", "not_recorded"),
        ("rural", "c", "not_recorded"),
    ]
    assert set(spec.build(inputs, Night(DAY, Site()))["plus_group"].to_pylist()).isdisjoint({"coastal", "rural"})


def test_a_local_group_is_who_has_a_code_of_its_cluster_that_is_in_force(table: Callable[..., Any]) -> None:
    site = Site(plus=Plus(groups=("carer",), local={"veterans": "veteran"}))
    clusters = (("a", "veteran", False), ("c", "veteran", True), ("b", "homelessness", True))
    assert plus_of(table, site, clusters) == [("carer", "b", "yes"), ("veterans", "c", "yes")]


@pytest.mark.parametrize(
    ("plus", "said"),
    [
        ({"groups": ["carer", "sailors"]}, "there is no PLUS group sailors; there are carer, coastal"),
        ({"local": {"carer": "carer"}}, "carer is the name of a declared group"),
    ],
)
def test_a_group_that_nobody_declares_and_a_name_twice_are_refused(table: Callable[..., Any], plus: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsWrong, match=said):
        plus_of(table, Site(plus=Plus(**plus)))


def test_a_group_that_leaves_somebody_out_is_refused(table: Callable[..., Any]) -> None:
    short = PlusGroupSpec("short", "Short", {"core/person": ("age_years",)}, lambda values, site: np.ones(2), "None.", "None.")
    with pytest.raises(SettingsWrong, match="the PLUS group short does not say yes"):
        plus_of(table, Site(plus=Plus(groups=("short",))), short=short)


def test_an_input_about_others_is_refused(table: Callable[..., Any]) -> None:
    group = registry.plus_groups()["carer"]
    inputs = {
        "core/person": table("core/person", []),
        "features/conditions": table("features/conditions", [{"person_id": "a" * 12}]),
        person_plus.CLUSTER: table(person_plus.CLUSTER, []),
    }
    with pytest.raises(ContractBroken, match="not about the same people"):
        person_plus.build({"carer": group}, inputs, Night(DAY, Site(plus=Plus(groups=("carer",)))))


PLANTED = """from fuller_popheath.specs import PlusGroupSpec
PLUS_GROUP = PlusGroupSpec(
    "many_medicines", "Many medicines", {"features/medicines": ("medicine_count_365",)},
    lambda values, site: values["medicine_count_365"] > 9, "None.", "None.",
)
"""


def test_a_group_is_one_new_file_which_is_read_and_counted_without_a_setting(tmp_path: Path) -> None:
    (tmp_path / "many_medicines.py").write_text(PLANTED)
    asked = """
import sys
import fuller_popheath.catalogue.plus_groups as package
package.__path__.append(sys.argv[1])
import numpy as np
import pyarrow as pa
from fuller_popheath import registry
from fuller_popheath.cohorts.segment_counts import people_groups
from fuller_popheath.site import Site
table = registry.tables()["core/person_plus"]
people = pa.table({"person_id": ["a", "b"], "age_years": [40, 50]})
plus = pa.table({"person_id": ["b"], "plus_group": ["many_medicines"], "membership": ["yes"]})
contacts = pa.table({"person_id": ["a", "b"], "contact_count_365": [1, 1]})
groups = people_groups({"core/person": people, "core/person_plus": plus, "features/contacts": contacts}, Site())
print(*table.columns["features/medicines"], *Site().plus.groups, *groups["many_medicines"].tolist())
"""
    # In a process of its own: the table is declared once, when it is imported.
    run = [sys.executable, "-c", asked, str(tmp_path)]
    said = subprocess.run(run, cwd=Path(registry.__file__).parents[1], capture_output=True, text=True, check=True).stdout.split()
    assert said[:2] == ["person_id", "medicine_count_365"]
    assert said[-2:] == ["False", "True"]
    assert {"many_medicines", "carer"} <= set(said)
