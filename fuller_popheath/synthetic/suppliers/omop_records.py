"""One practice's records as rows of OMOP tables, and the rows of all practices of an extract together with the concepts that they use.

What does not belong here: writing files, and what cannot be carried (`omop`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from fuller_popheath.codelists.loading import codelist
from fuller_popheath.sources.care_words import NATIONAL_CATEGORIES, NATIONAL_MODES
from fuller_popheath.synthetic.suppliers.made_up import renamed, row_number
from fuller_popheath.synthetic.suppliers.own_tables import APPOINTMENT, EVENT, ISSUE, LIST, ROLE_OF_TYPE, OwnTables

if TYPE_CHECKING:
    import pyarrow as pa

SPELL, ATTENDANCE = "inbound/hospital_spell", "inbound/ed_attendance"
SYNTHETIC = "Synthetic"
VOCABULARIES = {
    "snomed": "SNOMED",
    "read2": "Read",
    "ctv3": "CTV3",
    "icd10": "ICD10",
    "dmd": "dm+d",
    "multilex": "MultiLex",
    "local": "Local",
    "synthetic": SYNTHETIC,
}
"""What the vocabulary of a code system is called."""
MAKE_BELIEVE = "Make-believe codes and kinds, of no real vocabulary"
CONCEPT = {"domain_id": "Observation", "concept_class_id": "Undefined", "valid_start_date": "1970-01-01", "valid_end_date": "2099-12-31"}

# Standard concepts. Types: EHR, EHR prescription; an insurance enrolment is the enrolment that there is a type of.
EHR, PRESCRIPTION, ENROLMENT = "32817", "32838", "44814722"
GENDERS = {"male": "8507", "female": "8532", "indeterminate": "8521", "unknown": "8551"}
VISITS = {"face_to_face": "581477", "home_visit": "581476", "telephone": "5083", "video": "5083", "written": "5083", "unknown": "9202"}
INPATIENT, EMERGENCY_ROOM, FROM_EMERGENCY, TO_HOSPITAL, TO_HOME, STILL_IN = "9201", "9203", "8870", "8717", "8536", "32220"
MAIN_DIAGNOSIS = "32902"
THROUGH_EMERGENCY = "21"

REGISTRATIONS = {"regular": "Regular registration", "temporary": "Temporary registration", "other": "Other registration"}
ISSUES = {"true": "Repeat issue", "false": "Acute issue"}


def concept_id(vocabulary: str, code: str) -> str:
    """The number of a concept in our extracts: like all of a sender's own, above 2,000,000,000."""
    return row_number("concept", "", f"{vocabulary}|{code}")


class Drop:
    """The rows of an extract as they are added, and every concept that one of them names."""

    def __init__(self, extract_date: date) -> None:
        self.extract_date = extract_date
        self._rows: dict[str, list[pa.Table]] = {}
        self._concepts: dict[str, tuple[str, str, str]] = {}

    def add(self, table: str, columns: Mapping[str, pa.ChunkedArray | str], rows: int) -> None:
        """Rows of an OMOP table; a column given as a text has it in every row."""
        import pyarrow as pa

        made = {name: pa.repeat(pa.scalar(value), rows) if isinstance(value, str) else value for name, value in columns.items()}
        self._rows.setdefault(table, []).append(pa.table(made))

    def coded(self, system: pa.ChunkedArray, code: pa.ChunkedArray) -> pa.ChunkedArray:
        """The concept of each code."""
        import pyarrow as pa
        import pyarrow.compute as pc

        pairs = pa.table({"system": system, "code": code}).group_by(["system", "code"]).aggregate([])
        for each, text in zip(pairs["system"].to_pylist(), pairs["code"].to_pylist(), strict=True):
            vocabulary = VOCABULARIES[each]
            self._concepts[concept_id(vocabulary, text)] = (vocabulary, text, text)
        names = [VOCABULARIES[each] for each in system.unique().to_pylist()]
        vocabularies = pa.chunked_array([pa.array(names, pa.string()).take(pc.index_in(system, value_set=system.unique()).combine_chunks())])
        return renamed(pc.binary_join_element_wise(vocabularies, code, "|"), row_number, "concept", "")

    def kinds(self, words: pa.ChunkedArray, otherwise: str) -> pa.ChunkedArray:
        """The concept of our own that each of these words names; `otherwise` where there is none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        coded = words.combine_chunks().dictionary_encode()
        ids = [concept_id(SYNTHETIC, word) for word in coded.dictionary.to_pylist()]
        self._concepts.update({each: (SYNTHETIC, word, word) for each, word in zip(ids, coded.dictionary.to_pylist(), strict=True)})
        return pc.fill_null(pa.chunked_array([pa.array(ids, pa.string()).take(coded.indices)]), otherwise)

    def tables(self) -> dict[str, pa.Table]:
        """Every table with its rows; places of care stand in it once, however many practices name them."""
        import pyarrow as pa

        made = {name: pa.concat_tables(parts, promote_options="default") for name, parts in self._rows.items()}
        made["CARE_SITE"] = made["CARE_SITE"].group_by(made["CARE_SITE"].column_names, use_threads=False).aggregate([])
        concepts = [("0", "No matching concept", "None", "No matching concept")]
        concepts += [(each, name, vocabulary, code) for each, (vocabulary, code, name) in sorted(self._concepts.items())]
        columns = (pa.array(values, pa.string()) for values in zip(*concepts, strict=True))
        named = dict(zip(("concept_id", "concept_name", "vocabulary_id", "concept_code"), columns, strict=True))
        made["CONCEPT"] = pa.table({**named, **{name: pa.repeat(pa.scalar(value), len(concepts)) for name, value in CONCEPT.items()}})
        used = sorted({vocabulary for vocabulary, _, _ in self._concepts.values()})
        told = [MAKE_BELIEVE if each == SYNTHETIC else "The codes that occur in this extract" for each in used]
        made["VOCABULARY"] = pa.table({"vocabulary_id": pa.array(used, pa.string()), "vocabulary_name": pa.array(told, pa.string())})
        day = self.extract_date.isoformat()
        source = {"cdm_source_name": "Make-believe ICS", "source_description": "Generated; nobody in it is real", "cdm_version": "5.4"}
        source |= {"source_release_date": day, "cdm_release_date": day, "vocabulary_version": SYNTHETIC}
        made["CDM_SOURCE"] = pa.table({name: [value] for name, value in source.items()})
        return made


class PracticeRecords:
    """The tables of one practice, added to a drop. Rows of hospitals among them have the practice's own patient_id."""

    def __init__(self, drop: Drop, practice_code: str, own: OwnTables) -> None:
        self.drop, self.practice_code = drop, practice_code
        self.own = own.with_table(LIST, own.identified_list())
        self.care_site = row_number("care site", "", practice_code)

    def add(self) -> None:
        """Add the rows of every table that there is."""
        self._places_and_staff()
        self._persons()
        self._periods()
        self._events()
        self._issues()
        self._appointments()
        self._spells()
        self._attendances()

    def _numbers(self, kind: str, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        return renamed(ids, row_number, kind, self.practice_code)

    def _patients(self, contract: str) -> pa.ChunkedArray:
        return self._numbers("patient", self.own.text(contract, "patient_id"))

    def _location_ids(self, lsoas: pa.ChunkedArray, postcodes: pa.ChunkedArray) -> pa.ChunkedArray:
        import pyarrow as pa
        import pyarrow.compute as pc

        told = pc.or_(pc.is_valid(lsoas), pc.is_valid(postcodes))
        keys = pc.binary_join_element_wise(pc.fill_null(lsoas, ""), pc.fill_null(postcodes, ""), "|")
        return self._numbers("location", pc.if_else(told, keys, pa.scalar(None, pa.string())))

    def _places_and_staff(self) -> None:
        import pyarrow as pa

        own, text = self.own, pa.string()
        providers = [code for name in (SPELL, ATTENDANCE) for code in own.text(name, "provider_code").unique().to_pylist() if code]
        codes = [self.practice_code, *sorted(set(providers))]
        names = [f"Make-believe {'practice' if code == self.practice_code else 'hospital'} {code}" for code in codes]
        sites = {"care_site_id": pa.array([row_number("care site", "", code) for code in codes], text)}
        sites |= {"care_site_name": pa.array(names, text), "care_site_source_value": pa.array(codes, text)}
        self.drop.add("CARE_SITE", {**sites, "place_of_service_concept_id": "0"}, len(codes))
        places = pa.table({name: own.text(LIST, name) for name in ("lsoa_code", "postcode")})
        places = places.append_column("id", self._location_ids(places["lsoa_code"], places["postcode"])).filter(pa.compute.field("id").is_valid())
        places = places.group_by(["id", "lsoa_code", "postcode"], use_threads=False).aggregate([])
        of_places = {"location_id": places["id"], "zip": places["postcode"], "location_source_value": places["lsoa_code"]}
        self.drop.add("LOCATION", of_places, places.num_rows)
        staff = own.staff()
        columns = {
            "provider_id": self._numbers("staff", pa.chunked_array([pa.array(list(staff), text)])),
            "care_site_id": self.care_site,
            "specialty_concept_id": "0",
            "provider_source_value": pa.chunked_array([pa.array(list(staff), text)]),
            "specialty_source_value": pa.chunked_array([pa.array([ROLE_OF_TYPE[kind][1] for kind in staff.values()], text)]),
        }
        self.drop.add("PROVIDER", columns, len(staff))

    def _persons(self) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        people = self.own.newest_registrations()
        own = self.own.with_table(LIST, people)
        born = own.column(LIST, "date_of_birth").cast(pa.date32())
        columns = {
            "person_id": self._numbers("patient", own.text(LIST, "patient_id")),
            "gender_concept_id": pc.fill_null(own.words(LIST, "sex", GENDERS), "0"),
            **{f"{part}_of_birth": getattr(pc, part)(born).cast(pa.string()) for part in ("year", "month", "day")},
            "birth_datetime": own.day(LIST, "date_of_birth", "%Y-%m-%d 00:00:00"),
            "location_id": self._location_ids(own.text(LIST, "lsoa_code"), own.text(LIST, "postcode")),
            "provider_id": self._numbers("staff", own.text(LIST, "usual_gp_code")),
            "care_site_id": self.care_site,
            "ethnicity_source_value": own.text(LIST, "ethnic_category"),
            **dict.fromkeys(("race_concept_id", "ethnicity_concept_id"), "0"),
        }
        self.drop.add("PERSON", columns, people.num_rows)
        deaths = pa.table({"person_id": columns["person_id"], "death_date": own.day(LIST, "death_date")}).filter(pc.field("death_date").is_valid())
        self.drop.add("DEATH", {**{name: deaths[name] for name in deaths.column_names}, "death_type_concept_id": EHR}, deaths.num_rows)

    def _periods(self) -> None:
        """Registrations, which reach the day of the extract where they have no end. Our last day is outside, that of a period inside."""
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self.own
        start, end = (own.column(LIST, name).cast(pa.date32()) for name in ("registration_start_date", "registration_end_date"))
        last = pc.max_element_wise(pc.subtract(end.cast(pa.int32()), pa.scalar(1, pa.int32())).cast(pa.date32()), start)
        last = pc.if_else(pc.is_valid(end), last, pa.scalar(self.drop.extract_date))
        key = pc.binary_join_element_wise(own.text(LIST, "patient_id"), own.day(LIST, "registration_start_date"), "|")
        columns = {
            "observation_period_id": self._numbers("registration", key),
            "person_id": self._patients(LIST),
            "observation_period_start_date": start.cast(pa.string()),
            "observation_period_end_date": last.cast(pa.string()),
            "period_type_concept_id": self.drop.kinds(own.words(LIST, "registration_type", REGISTRATIONS), ENROLMENT),
        }
        self.drop.add("OBSERVATION_PERIOD", columns, own.rows(LIST))

    @cached_property
    def _codelists(self) -> pa.Table:
        return codelist()

    def _codes_of(self, kind: str) -> pa.Array:
        import pyarrow.compute as pc

        lists = self._codelists
        return lists.filter(pc.equal(lists["kind"], kind))["code"].combine_chunks()

    def _said_openly(self, contract: str) -> OwnTables:
        """The tables without the confidential rows of one, which OMOP could not mark; objections are never left out."""
        import pyarrow.compute as pc

        own = self.own
        is_objection = pc.is_in(own.text(contract, "code"), value_set=self._codes_of("objection"))
        is_confidential = pc.equal(pc.fill_null(own.text(contract, "is_confidential"), "false"), "true")
        return own.with_table(contract, own.table(contract).filter(pc.or_(is_objection, pc.invert(is_confidential))))

    def _events(self) -> None:
        """Entries with a number are measurements, codes of conditions are conditions, and all others observations."""
        import pyarrow as pa
        import pyarrow.compute as pc

        own = self._said_openly(EVENT)
        every = pa.table(
            {
                "id": self._numbers("event", own.text(EVENT, "record_id")),
                "person_id": self._numbers("patient", own.text(EVENT, "patient_id")),
                "day": own.day(EVENT, "event_date"),
                "concept": self.drop.coded(own.text(EVENT, "code_system"), own.text(EVENT, "code")),
                "code": own.text(EVENT, "code"),
                "value": own.text(EVENT, "value"),
                "unit": own.text(EVENT, "unit"),
            }
        )
        has_value = pc.or_(pc.is_valid(every["value"]), pc.is_valid(every["unit"]))
        is_condition = pc.and_(pc.invert(has_value), pc.is_in(every["code"], value_set=self._codes_of("condition")))
        rest = pc.invert(pc.or_(has_value, is_condition))
        for name, begin, chosen in (
            ("MEASUREMENT", "measurement", has_value),
            ("CONDITION_OCCURRENCE", "condition", is_condition),
            ("OBSERVATION", "observation", rest),
        ):
            rows = every.filter(chosen)
            is_told_apart = begin == "condition"
            columns = {
                f"{begin}_occurrence_id" if is_told_apart else f"{begin}_id": rows["id"],
                "person_id": rows["person_id"],
                f"{begin}_concept_id": "0",
                f"{begin}_start_date" if is_told_apart else f"{begin}_date": rows["day"],
                f"{begin}_type_concept_id": EHR,
                f"{begin}_source_value": rows["code"],
                f"{begin}_source_concept_id": rows["concept"],
            }
            values = {} if is_told_apart else {"value_as_number": rows["value"], "unit_source_value": rows["unit"]}
            self.drop.add(name, {**columns, **values}, rows.num_rows)

    def _issues(self) -> None:
        own = self._said_openly(ISSUE)
        columns = {
            "drug_exposure_id": self._numbers("issue", own.text(ISSUE, "record_id")),
            "person_id": self._numbers("patient", own.text(ISSUE, "patient_id")),
            "drug_concept_id": "0",
            "drug_exposure_start_date": own.day(ISSUE, "issue_date"),
            "drug_exposure_end_date": own.day(ISSUE, "issue_date"),
            "drug_type_concept_id": self.drop.kinds(own.words(ISSUE, "is_repeat", ISSUES), PRESCRIPTION),
            "drug_source_value": own.text(ISSUE, "code"),
            "drug_source_concept_id": self.drop.coded(own.text(ISSUE, "code_system"), own.text(ISSUE, "code")),
        }
        self.drop.add("DRUG_EXPOSURE", columns, own.rows(ISSUE))

    def _appointments(self) -> None:
        """Those that took place."""
        import pyarrow.compute as pc

        came = pc.equal(self.own.text(APPOINTMENT, "status"), "attended")
        own = self.own.with_table(APPOINTMENT, self.own.table(APPOINTMENT).filter(came))
        day = own.day(APPOINTMENT, "appointment_date")
        time = pc.binary_join_element_wise(pc.fill_null(own.text(APPOINTMENT, "start_time"), "00:00"), "00", ":")
        columns = {
            "visit_occurrence_id": self._numbers("appointment", own.text(APPOINTMENT, "record_id")),
            "person_id": self._numbers("patient", own.text(APPOINTMENT, "patient_id")),
            "visit_concept_id": pc.fill_null(own.words(APPOINTMENT, "mode", VISITS), VISITS["unknown"]),
            "visit_start_date": day,
            "visit_start_datetime": pc.binary_join_element_wise(day, time, " "),
            "visit_end_date": day,
            "visit_type_concept_id": EHR,
            "provider_id": self._numbers("staff", own.text(APPOINTMENT, "clinician_id")),
            "care_site_id": self.care_site,
            "visit_source_value": own.words(APPOINTMENT, "mode", NATIONAL_MODES),
            "visit_source_concept_id": self.drop.kinds(own.words(APPOINTMENT, "category", NATIONAL_CATEGORIES), "0"),
            **dict.fromkeys(("admitted_from_concept_id", "discharged_to_concept_id"), "0"),
        }
        self.drop.add("VISIT_OCCURRENCE", columns, own.rows(APPOINTMENT))

    def _hospital_visits(self, contract: str, kind: str) -> dict[str, pa.ChunkedArray | str]:
        import pyarrow.compute as pc

        own = self.own
        record = pc.binary_join_element_wise(own.text(contract, "provider_code"), own.text(contract, "record_id"), "|")
        return {
            "visit_occurrence_id": self._numbers(kind, record),
            "person_id": self._patients(contract),
            "visit_type_concept_id": EHR,
            "care_site_id": renamed(own.text(contract, "provider_code"), row_number, "care site", ""),
        }

    def _spells(self) -> None:
        """A stay that goes on ends with the extract, and says that the patient is still in."""
        import pyarrow.compute as pc

        own, method, discharged = self.own, self.own.text(SPELL, "admission_method"), self.own.day(SPELL, "discharge_date")
        columns = {
            **self._hospital_visits(SPELL, "spell"),
            "visit_concept_id": INPATIENT,
            "visit_start_date": own.day(SPELL, "admission_date"),
            "visit_end_date": pc.fill_null(discharged, self.drop.extract_date.isoformat()),
            "visit_source_concept_id": self.drop.kinds(pc.binary_join_element_wise("Admission method", method, " "), "0"),
            "admitted_from_concept_id": pc.if_else(pc.equal(method, THROUGH_EMERGENCY), FROM_EMERGENCY, "0"),
            "discharged_to_concept_id": pc.if_else(pc.is_valid(discharged), "0", STILL_IN),
        }
        self.drop.add("VISIT_OCCURRENCE", columns, own.rows(SPELL))
        self._diagnoses(columns)

    def _diagnoses(self, spells: Mapping[str, pa.ChunkedArray | str]) -> None:
        """A condition for each diagnosis of each stay, numbered in their order."""
        import pyarrow as pa

        main, every = (self.own.text(SPELL, name).to_pylist() for name in ("primary_diagnosis_code", "diagnosis_codes"))
        named = ("visit_occurrence_id", "person_id", "visit_start_date")
        told = zip(*(column.to_pylist() for name in named if not isinstance(column := spells[name], str)), main, every, strict=True)
        rows = []
        for visit, person, day, first, several in told:
            codes = several.split(";") if several else [first] if first else []
            at_main = codes.index(first) if first in codes else None
            rows += [(f"{visit[:13]}{at:02d}", person, visit, day, code, MAIN_DIAGNOSIS if at == at_main else "0") for at, code in enumerate(codes)]
        names = ("condition_occurrence_id", "person_id", "visit_occurrence_id", "condition_start_date", "condition_source_value")
        table = pa.table(
            [pa.chunked_array([pa.array([row[at] for row in rows], pa.string())]) for at in range(6)], [*names, "condition_status_concept_id"]
        )
        code = table["condition_source_value"]
        columns = {
            **{name: table[name] for name in table.column_names},
            "condition_source_concept_id": self.drop.coded(pa.chunked_array([pa.repeat("icd10", len(rows))]), code),
            "condition_concept_id": "0",
            "condition_type_concept_id": EHR,
        }
        self.drop.add("CONDITION_OCCURRENCE", columns, len(rows))

    def _attendances(self) -> None:
        import pyarrow.compute as pc

        own, day = self.own, self.own.day(ATTENDANCE, "arrival_date")
        kind = pc.binary_join_element_wise("Emergency care department type", own.text(ATTENDANCE, "department_type"), " ")
        columns = {
            **self._hospital_visits(ATTENDANCE, "attendance"),
            "visit_concept_id": EMERGENCY_ROOM,
            "visit_start_date": day,
            "visit_end_date": day,
            "visit_source_concept_id": self.drop.kinds(kind, "0"),
            "admitted_from_concept_id": "0",
            "discharged_to_concept_id": pc.fill_null(own.words(ATTENDANCE, "is_admitted", {"true": TO_HOSPITAL, "false": TO_HOME}), "0"),
        }
        self.drop.add("VISIT_OCCURRENCE", columns, own.rows(ATTENDANCE))
