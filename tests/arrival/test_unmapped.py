"""What no table can say of a feed in the OMOP Common Data Model is written down once and listed, without words that somebody typed."""

from __future__ import annotations

from typing import Any

from fuller_popheath.arrival.door import with_extracts
from fuller_popheath.arrival.unmapped import unmapped_summary

EVENT = "person_id,{0}_concept_id,{0}_source_value,{0}_source_concept_id"
VALUES = "value_as_number,value_as_concept_id,unit_concept_id,unit_source_value"
TYPED = "Smith of Acacia Avenue"
FEED = {
    "person": (
        "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,location_id,provider_id,care_site_id,race_source_value",
        "1,8507,1960,2,29,,,,,A",
    ),
    "observation_period": (
        "observation_period_id,person_id,observation_period_start_date,observation_period_end_date,period_type_concept_id",
        "1,1,2001-01-01,2022-10-10,44814724",
    ),
    "death": ("person_id,death_date,death_type_concept_id",),
    "concept": ("concept_id,concept_name,vocabulary_id,concept_code", "11,Frailty,SNOMED,248279007", "13,Weight,LOINC,29463-7"),
    "cdm_source": ("cdm_source_name,cdm_version,source_release_date,cdm_release_date", "x,5.4,2022-10-10,2022-11-01"),
    "condition_occurrence": (
        "condition_occurrence_id,condition_start_date," + EVENT.format("condition"),
        "1,2020-01-01,1,11,x,11",
        f"2,2020-01-02,1,0,{TYPED},0",
    ),
    "observation": (f"observation_id,observation_date,{EVENT.format('observation')},{VALUES}", "1,2020-02-01,1,13,x,13,,,0,"),
    "measurement": (f"measurement_id,measurement_date,{EVENT.format('measurement')},{VALUES}", "1,2020-03-01,1,13,x,13,80.5,0,0,kg"),
    "procedure_occurrence": ("procedure_occurrence_id,procedure_date," + EVENT.format("procedure"),),
    "drug_exposure": ("drug_exposure_id,drug_exposure_start_date," + EVENT.format("drug"),),
    "visit_occurrence": (
        "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date,visit_start_datetime,provider_id,care_site_id,"
        "admitted_from_concept_id,discharged_to_concept_id",
        "1,1,9202,2020-06-01,2020-06-01,2020-06-01 09:30:00,,,0,0",
    ),
    "provider": ("provider_id,provider_name,specialty_concept_id,provider_source_value,specialty_source_value", "7,,0,x,Practice nurse"),
    "care_site": ("care_site_id,care_site_name,place_of_service_concept_id,care_site_source_value",),
    "note": ("note_id,person_id,note_date,note_text", "1,1,2020-01-01,words"),
}


def _land(landing: Any, **others: tuple[str, ...]) -> None:
    for name, lines in {**FEED, **others}.items():
        landing.lines(f"omop/{name}.csv", lines)


def test_what_is_unmapped_is_listed_for_the_extracts_in_use(landing: Any, night: Any) -> None:
    _land(landing)
    night.take("2022-10-10")
    taken = night.take("2022-10-10", table="clinical_event", known=["P81001"])
    assert night.states(taken) == {"P81001": "never", "V81999": "new"}
    rows = {(row["table"], row["vocabulary"], row["code"]): row["rows"] for row in unmapped_summary(night.store)}
    assert rows[("MEASUREMENT", "LOINC", "29463-7")] == rows[("OBSERVATION", "LOINC", "29463-7")] == 1
    assert rows[("CONDITION_OCCURRENCE", "none", "")] == 1
    assert rows[("NOTE", "", "")] == 1
    written = list((night.store.folder / "unmapped").iterdir())
    assert len(written) == 1 and written[0].stat().st_mode & 0o777 == 0o600
    assert TYPED not in written[0].read_text()


def test_a_feed_without_hospital_visits_sends_no_hospital_table(landing: Any, night: Any) -> None:
    """V81999 is a practice: it stands in no hospital table, and nothing is asked for again."""
    from fuller_popheath.arrival.choice import plan
    from fuller_popheath.arrival.files import survey

    _land(landing)
    taken = [night.take("2022-10-10", table=table) for table in ("hospital_spell", "practice_list")]
    assert taken[0].account.num_rows == 0
    assert {use for use, _ in taken[0].files.values()} == {"not used"}
    uses = {row["use"] for row in with_extracts(plan(survey(landing.folder)).table, taken).to_pylist() if row["file_name"] == "omop/person.csv"}
    assert uses == {"used"}


def test_files_of_which_nothing_can_be_told_do_not_cost_the_extract(landing: Any, night: Any) -> None:
    from dataclasses import replace

    from fuller_popheath.arrival.extracts import extracts_among
    from fuller_popheath.arrival.files import survey
    from fuller_popheath.arrival.unmapped import write_unmapped

    def fail(_: Any) -> Any:
        raise ValueError(TYPED)

    _land(landing)
    extract = extracts_among(survey(landing.folder), "inbound/practice_list")[0][0]
    write_unmapped(replace(extract, supplier=replace(extract.supplier, unmapped=fail)), night.store)
    (written,) = (night.store.folder / "unmapped").iterdir()
    assert '"problem": "ValueError"' in written.read_text() and TYPED not in written.read_text()
