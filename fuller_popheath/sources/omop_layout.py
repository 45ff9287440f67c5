"""The tables of the OMOP Common Data Model 5.4 as they are used here, and those that are told but not read.

Source of the headers: OHDSI, OMOP CDM v5.4 (ohdsi.github.io/CommonDataModel/cdm54.html). What does not belong here: what the tables mean (`omop`).
"""

from __future__ import annotations

from dataclasses import dataclass

from fuller_popheath.sources.layouts import LayoutColumn
from fuller_popheath.sources.supplier_files import SupplierFile


def _columns(needed: str, optional: str = "") -> tuple[LayoutColumn, ...]:
    """Columns that are called here as in the model."""
    return (
        *(LayoutColumn(name, (name,)) for name in needed.split()),
        *(LayoutColumn(name, (name,), needed=False) for name in optional.split()),
    )


def _told(name: str, told_by: str, needed: str = "", optional: str = "") -> SupplierFile:
    return SupplierFile(name, tuple(told_by.split()), _columns(needed, optional))


@dataclass(frozen=True)
class EventTable:
    """A table of coded records; its columns are called record, person_id, concept_id, day, source_value and source_concept_id in every one.

    `word` begins the ids of its records, which are numbered in each table by itself.
    """

    file: SupplierFile
    word: str


def _event(name: str, word: str, day: str, told_as: str = "", optional: str = "") -> EventTable:
    """`told_as`: the beginning of the table's own column names, where that is not `word`."""
    own = told_as or word
    file = SupplierFile(
        name,
        (f"{own}_id", f"{word}_concept_id", day),
        (
            LayoutColumn("record", (f"{own}_id",)),
            LayoutColumn("person_id", ("person_id",)),
            LayoutColumn("concept_id", (f"{word}_concept_id",)),
            LayoutColumn("day", (day,)),
            LayoutColumn("source_value", (f"{word}_source_value",)),
            LayoutColumn("source_concept_id", (f"{word}_source_concept_id",)),
            *_columns("", optional),
        ),
    )
    return EventTable(file, word)


PERSON = _told(
    "PERSON",
    "person_id gender_concept_id year_of_birth",
    "person_id gender_concept_id year_of_birth",
    "month_of_birth day_of_birth birth_datetime location_id provider_id care_site_id race_source_value ethnicity_source_value",
)
OBSERVATION_PERIOD = _told(
    "OBSERVATION_PERIOD",
    "observation_period_id person_id observation_period_start_date",
    "person_id observation_period_start_date observation_period_end_date",
    "period_type_concept_id",
)
DEATH = _told("DEATH", "person_id death_date death_type_concept_id", "person_id death_date")
LOCATION = _told("LOCATION", "location_id address_1 zip", "location_id", "zip location_source_value")
CARE_SITE = _told("CARE_SITE", "care_site_id care_site_name place_of_service_concept_id", "care_site_id", "care_site_source_value")
PROVIDER = _told(
    "PROVIDER", "provider_id provider_name specialty_concept_id", "provider_id", "specialty_concept_id provider_source_value specialty_source_value"
)
VISIT = _told(
    "VISIT_OCCURRENCE",
    "visit_occurrence_id person_id visit_concept_id visit_start_date",
    "visit_occurrence_id person_id visit_concept_id visit_start_date visit_end_date",
    "visit_start_datetime provider_id care_site_id admitted_from_concept_id discharged_to_concept_id visit_source_value visit_source_concept_id",
)
CONCEPT = _told("CONCEPT", "concept_id concept_name vocabulary_id concept_code", "concept_id vocabulary_id concept_code", "concept_name")
CDM_SOURCE = _told("CDM_SOURCE", "cdm_source_name cdm_version", "", "source_release_date cdm_release_date")

_VALUE = "value_as_number value_as_concept_id unit_concept_id unit_source_value"
CONDITION = _event(
    "CONDITION_OCCURRENCE", "condition", "condition_start_date", "condition_occurrence", optional="visit_occurrence_id condition_status_concept_id"
)
OBSERVATION = _event("OBSERVATION", "observation", "observation_date", optional=_VALUE)
MEASUREMENT = _event("MEASUREMENT", "measurement", "measurement_date", optional=_VALUE)
PROCEDURE = _event("PROCEDURE_OCCURRENCE", "procedure", "procedure_date", "procedure_occurrence")
DRUG = _event("DRUG_EXPOSURE", "drug", "drug_exposure_start_date", "drug_exposure", optional="drug_type_concept_id")
CLINICAL = (CONDITION, OBSERVATION, MEASUREMENT, PROCEDURE)

# Tables about persons that nothing here is made from: their rows are counted as not mapped.
NOT_MAPPED = (
    _told("DEVICE_EXPOSURE", "device_exposure_id device_concept_id"),
    _told("EPISODE", "episode_id episode_concept_id episode_start_date"),
    _told("NOTE", "note_id note_date note_text"),
    _told("PAYER_PLAN_PERIOD", "payer_plan_period_id payer_plan_period_start_date"),
    _told("SPECIMEN", "specimen_id specimen_concept_id"),
    _told("VISIT_DETAIL", "visit_detail_id visit_detail_concept_id"),
)
# What is derived from other tables, describes the data, or is vocabulary: told, so that nobody takes it for a strange file.
NOT_ABOUT_RECORDS = (
    _told("COHORT", "cohort_definition_id subject_id"),
    _told("COHORT_DEFINITION", "cohort_definition_id cohort_definition_name"),
    _told("CONCEPT_ANCESTOR", "ancestor_concept_id descendant_concept_id"),
    _told("CONCEPT_CLASS", "concept_class_id concept_class_name"),
    _told("CONCEPT_RELATIONSHIP", "concept_id_1 concept_id_2"),
    _told("CONCEPT_SYNONYM", "concept_id concept_synonym_name"),
    _told("CONDITION_ERA", "condition_era_id condition_concept_id"),
    _told("COST", "cost_id cost_event_id"),
    _told("DOMAIN", "domain_id domain_name domain_concept_id"),
    _told("DOSE_ERA", "dose_era_id drug_concept_id"),
    _told("DRUG_ERA", "drug_era_id drug_concept_id"),
    _told("DRUG_STRENGTH", "drug_concept_id ingredient_concept_id"),
    _told("EPISODE_EVENT", "episode_id event_id"),
    _told("FACT_RELATIONSHIP", "domain_concept_id_1 fact_id_1"),
    _told("METADATA", "metadata_id metadata_concept_id"),
    _told("NOTE_NLP", "note_nlp_id note_id"),
    _told("RELATIONSHIP", "relationship_id relationship_name"),
    _told("SOURCE_TO_CONCEPT_MAP", "source_code source_vocabulary_id"),
    _told("VOCABULARY", "vocabulary_id vocabulary_name"),
)
READ = (PERSON, OBSERVATION_PERIOD, DEATH, LOCATION, CARE_SITE, PROVIDER, VISIT, CONCEPT, CDM_SOURCE, *(t.file for t in (*CLINICAL, DRUG)))
TOLD = (*READ, *NOT_MAPPED, *NOT_ABOUT_RECORDS)
