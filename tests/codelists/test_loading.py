"""Which codes stand for what: the shipped lists, and a site's own in each layout it may come in, refused where they cannot be used."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fuller_popheath.arrival.plausible import code_lists_used
from fuller_popheath.codelists.layouts import CODE_SYSTEMS, KINDS, has_check_digit
from fuller_popheath.codelists.loading import HERE, clusters_of, codelist, codes_of, entries, lists_not_mapped
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import PROJECT_ROOT, Codelists, Site

WriteList = Callable[..., Path]

PCD_HEADER = ("Cluster_ID", "Cluster_Description", "SNOMED_code", "SNOMED_code_description", "PCD_Refset_ID", "Service_and_Ruleset")
HYPERTENSION, FRAILTY = "38341003", "248279007"  # SNOMED CT: hypertensive disorder; frailty


@pytest.fixture
def write_list(tmp_path: Path) -> WriteList:
    def write(name: str, *rows: tuple[str, ...], between: str = ",", encoding: str = "utf-8") -> Path:
        (tmp_path / name).write_bytes(("\n".join(between.join(row) for row in rows) + "\n").encode(encoding))
        return tmp_path

    return write


def rows_of(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_made_up_code_says_so_and_is_of_our_own_system() -> None:
    for row in rows_of("synthetic.csv"):
        assert row["code_system"] == "synthetic"
        assert re.fullmatch(r"z\.[a-z0-9_]+\.[0-9]+", row["code"])
        assert row["term"].startswith("Make-believe code for ")


def test_every_real_code_names_its_source_and_the_unverified_ones_are_not_shipped() -> None:
    real = rows_of("verified.csv")
    assert all(row["source"] and row["code_system"] != "synthetic" for row in real)
    # Codes of the Type 1 objection that nobody could verify, and one of the retired Type 2 objection: a site loads those from its own folder.
    unverified = {"827241000000103", "827261000000102", "9Nu1.", "XaZ8A", "9Nu4.", "XaaVL", "881561000000100"}
    assert not unverified & {row["code"] for row in real}
    assert codes_of("type_1_dissent") >= {("read2", "9Nu0."), ("ctv3", "XaZ89")}
    assert {system for system, _ in codes_of("type_1_withdrawn")} == {"synthetic"}


def test_the_table_is_sorted_and_says_nothing_twice() -> None:
    rows = codelist().to_pylist()
    keys = [(row["kind"], row["cluster"], row["code_system"], row["code"]) for row in rows]
    assert keys == sorted(set(keys))
    assert codelist().column_names == ["cluster", "kind", "code_system", "code"]
    assert {row["kind"] for row in rows} == set(KINDS)
    assert {row["code_system"] for row in rows} <= set(CODE_SYSTEMS)


def test_kinds_are_kept_apart() -> None:
    resolved = codelist(["resolved"])
    assert set(resolved["kind"].to_pylist()) == {"resolved"}
    assert set(resolved["cluster"].to_pylist()) <= set(clusters_of("condition"))
    assert not codes_of("hypertension") & codes_of("hypertension", kind="resolved")
    assert len(codes_of("hypertension", kind="resolved")) == 2
    with pytest.raises(SettingsWrong, match="no kind of code list diagnosis"):
        codelist(["diagnosis"])


def test_what_is_part_of_something_is_that_something_too() -> None:
    for part, whole in (("diabetes_type_1", "diabetes"), ("myocardial_infarction", "coronary_heart_disease"), ("metastatic_cancer", "cancer")):
        assert codes_of(part) < codes_of(whole)


def test_a_cluster_without_a_code_is_empty_and_not_an_error() -> None:
    assert codes_of("no_such_cluster") == frozenset()


def test_our_own_layout_adds_to_what_is_shipped(write_list: WriteList) -> None:
    folder = write_list("ours.csv", ("cluster", "kind", "code_system", "code", "term"), ("type_1_withdrawn", "objection", "local", "ABC1", "x"))
    assert ("local", "ABC1") in codes_of("type_1_withdrawn", folder)
    assert codes_of("type_1_withdrawn", folder) > codes_of("type_1_withdrawn")


@pytest.mark.parametrize("between", ["\t", ","])
def test_the_primary_care_reference_sets(write_list: WriteList, between: str) -> None:
    folder = write_list(
        "PCD_Refset_Content.txt",
        PCD_HEADER,
        ("HYP_COD", "Hypertension diagnosis codes", HYPERTENSION, "Hypertensive disorder", "999009771000230104", "QOF"),
        ("HYPRES_COD", "Hypertension resolved codes", "404904002", "Resolved", "999009771000230104", "QOF"),
        ("SEVFRAIL_COD", "Severe frailty", "925861000000102", "Severe frailty", "999009771000230104", "DES"),
        ("ABPMDEC_COD", "Declined", FRAILTY, "whatever", "999009771000230104", "QOF"),
        between=between,
        encoding="cp1252",
    )
    assert ("snomed", HYPERTENSION) in codes_of("hypertension", folder)
    assert ("snomed", "404904002") in codes_of("hypertension", folder, kind="resolved")
    assert ("snomed", "404904002") not in codes_of("hypertension", folder)
    assert ("snomed", "925861000000102") in codes_of("severe_frailty", folder) & codes_of("frailty", folder)
    assert lists_not_mapped(folder) == (("PCD_Refset_Content.txt", "ABPMDEC_COD", 1),)
    # Of a file of many lists most are left on purpose.
    assert code_lists_used(folder).is_as_expected
    assert "(1 published lists are not used)" in code_lists_used(folder).sentence


def test_a_reference_set_of_a_release_counts_its_active_rows(write_list: WriteList) -> None:
    header = ("id", "effectiveTime", "active", "moduleId", "refsetId", "referencedComponentId")
    row = ("u", "20260101", "1", "999000011000000103", "999004351000000109")
    folder = write_list("der2_Refset.txt", header, (*row, FRAILTY), ("u", "20260101", "0", *row[3:], HYPERTENSION), between="\t")
    found = codes_of("gender_related", folder)
    assert ("snomed", FRAILTY) in found
    assert ("snomed", HYPERTENSION) not in found


def test_open_codelists_by_file_name_by_mapping_and_by_refset_name(write_list: WriteList) -> None:
    write_list("heart_failure.csv", ("code", "term"), (HYPERTENSION, "not really"))
    write_list("asthma_resolved.csv", ("CTV3ID", "CTV3PreferredTermDesc"), ("XE2Nb", "x"))
    write_list("nhsd-primary-care-domain-refsets-ast_cod.csv", ("code", "term"), (FRAILTY, "x"))
    write_list("someone-blood-thinners.csv", ("code", "term"), ("I48X", "x"))
    write_list("someone-else.csv", ("code", "term"), ("I48X", "x"), ("I49X", "y"))
    folder = write_list(
        "clusters.csv", ("published_list", "cluster", "kind", "code_system"), ("someone-blood-thinners", "anticoagulant", "medicine", "icd10")
    )
    assert ("snomed", HYPERTENSION) in codes_of("heart_failure", folder)
    assert ("ctv3", "XE2Nb") in codes_of("asthma", folder, kind="resolved")
    assert ("snomed", FRAILTY) in codes_of("asthma", folder)
    assert ("icd10", "I48X") in codes_of("anticoagulant", folder)
    assert lists_not_mapped(folder) == (("someone-else.csv", "someone-else", 2),)
    found = code_lists_used(folder)
    assert not found.is_as_expected
    assert found.numbers == {"files of code lists": 5, "files not used": 1, "published lists not used": 1}
    assert "1 of 5 files of the site's code lists stand for no cluster: someone-else.csv; say in clusters.csv" in found.sentence
    (folder / "someone-else.csv").unlink()
    assert code_lists_used(folder).is_as_expected
    assert code_lists_used(None).is_as_expected


OURS = ("cluster", "kind", "code_system", "code")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((OURS, ("Asthma", "condition", "snomed", HYPERTENSION)), "wrong.csv, line 2, column cluster"),
        ((OURS, ("asthma", "illness", "snomed", HYPERTENSION)), "wrong.csv, line 2, column kind: expected one of condition, "),
        ((OURS, ("asthma", "condition", "SNOMED", HYPERTENSION)), "wrong.csv, line 2, column code_system: expected one of snomed, "),
        ((OURS, ("asthma", "condition", "snomed", "3.83E+07")), "wrong.csv, line 2, column code: is not a code of snomed"),
        ((OURS, ("asthma", "condition", "snomed", "925791000000000")), "wrong.csv, line 2, column code: the check digit of this code is wrong"),
        (
            (OURS, ("bmi", "measure", "local", "BP"), ("weight", "measure", "local", "BP")),
            "wrong.csv, line 3: this code stands for weight, and for bmi",
        ),
        ((OURS, ("type_1_withdrawn", "objection", "read2", "9Nu0.")), "stands for type_1_withdrawn, and for type_1_dissent in verified.csv, line"),
        ((OURS,), "wrong.csv: holds no code"),
        ((("code", "term"),), "wrong.csv: holds no code"),
        ((("disease", "text"), ("a", "b")), "wrong.csv: is no code list that is known"),
        ((("code", "term"), ('"a', "b")), "wrong.csv, line 2: a quotation mark"),
        ((PCD_HEADER, ("HYP_COD", "", "38341004", "", "", "")), "wrong.csv, line 2, column snomed_code: the check digit"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(write_list: WriteList, rows: tuple[tuple[str, ...], ...], said: str) -> None:
    folder = write_list("wrong.csv", *rows)
    with pytest.raises(SettingsWrong, match=re.escape(said)) as refused:
        entries(folder)
    assert "925791000000000" not in str(refused.value)


def test_a_mapping_that_says_nothing_usable_is_refused(write_list: WriteList) -> None:
    write_list("lists.csv", ("code", "term"), (HYPERTENSION, "x"))
    folder = write_list("clusters.csv", ("published_list", "cluster", "kind"), ("lists", "no_such_cluster", "resolved"))
    with pytest.raises(SettingsWrong, match=r"clusters\.csv, line 2, column cluster: resolves a cluster that is not known"):
        codelist(extra_folder=folder)
    write_list("clusters.csv", ("list", "cluster"), ("lists", "asthma"))
    with pytest.raises(SettingsWrong, match="published_list, kind is missing"):
        codelist(extra_folder=folder)


def test_the_site_says_where_its_own_lists_lie(tmp_path: Path) -> None:
    assert Site().codelists_folder() is None
    assert Site(codelists=Codelists(folder="lists")).codelists_folder() == PROJECT_ROOT / "lists"
    assert Site(codelists=Codelists(folder=str(tmp_path))).codelists_folder() == tmp_path


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"codelists\.folder: none_here is not a folder"):
        codelist(extra_folder=tmp_path / "none_here")


def test_the_check_digit_of_published_identifiers() -> None:
    """SNOMED CT International: 138875005 root, 404684003 clinical finding, 73211009 diabetes; UK edition: 999000011000000103 its module."""
    for code in ("138875005", "404684003", "73211009", "999000011000000103", FRAILTY, HYPERTENSION):
        assert has_check_digit(code)
        assert not any(has_check_digit(code[:-1] + digit) for digit in "0123456789" if digit != code[-1])
        swapped = code[:2] + code[3] + code[2] + code[4:]
        assert code[2] == code[3] or not has_check_digit(swapped)
