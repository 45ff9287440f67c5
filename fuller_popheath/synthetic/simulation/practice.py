"""One practice put together: its people simulated, and the inbound tables that its system and the hospitals would send.

Grain: one call a practice; the same job gives the same tables in any process. What does not belong here: files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.synthetic.simulation import care, contacts, events, hospital, medicines, truth
from fuller_popheath.synthetic.simulation.cohort import Cohort, PracticeJob, form_cohort
from fuller_popheath.synthetic.simulation.conditions import live_with_conditions
from fuller_popheath.synthetic.simulation.hazards import burden_on
from fuller_popheath.synthetic.simulation.tables import medicines as every_medicine

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_PATIENT = 10_001
"""Local patient ids count from here, in the order of the list."""
NATIONAL_SHARE, NATIONAL_WITHDRAWN = 0.053, 0.06
"""People with a national data opt-out, and how many of them took it back: near the published 5 %."""
NATIONAL_SINCE = 17_676
"""25 May 2018, when the national data opt-out began."""


@dataclass(frozen=True)
class PracticeTables:
    """What one practice's people leave behind.

    `practice`: clinical_event, medication_issue, appointment and objection as the practice sends them; `trusts`: hospital_spell and ed_attendance of
    its people, in whichever trust; `national`: their rows of the national objection file; `truth`: the probabilities behind it all.
    """

    practice: Mapping[str, pa.Table]
    trusts: Mapping[str, pa.Table]
    national: pa.Table
    truth: pa.Table


def patient_ids(count: int) -> pa.Array:
    """The local ids of the people on a list of so many rows."""
    import pyarrow as pa

    return pa.array(np.arange(FIRST_PATIENT, FIRST_PATIENT + count)).cast(pa.string())


def simulate_practice(job: PracticeJob) -> PracticeTables:
    """Simulate everyone on one practice's list and write down what would be recorded."""
    rng = np.random.default_rng([job.seed, *f"records {job.code}".encode()])
    # Checks, vaccines and screening have chance of their own: what else is recorded does not depend on them.
    chance = np.random.default_rng([job.seed, *f"care {job.code}".encode()])
    cohort = form_cohort(job)
    history = live_with_conditions(cohort)
    steps = cohort.steps()
    burdens = [burden_on(history, int(day)) for day in steps]
    ways = contacts.practice_ways(rng)
    pregnancies = hospital.make_pregnancies(rng, cohort)
    emergencies = hospital.make_emergencies(rng, cohort, burdens)
    objections = events.make_objections(cohort)
    columns = _Columns(cohort)
    spells = hospital.make_spells(rng, cohort, history, emergencies, pregnancies)
    attendances = hospital.make_attendances(rng, cohort, burdens, emergencies)
    return PracticeTables(
        practice={
            "clinical_event": columns.clinical_event(
                events.together(events.make_events(rng, cohort, history, pregnancies, objections), care.make_care(chance, cohort, history))
            ),
            "medication_issue": columns.renumbered(
                columns.medication_issue(rng, medicines.make_issues(rng, cohort, history)),
                columns.medication_issue(chance, care.make_sensors(chance, cohort, history)),
            ),
            "appointment": columns.appointment(contacts.make_appointments(rng, cohort, history, burdens, ways)),
            "objection": columns.type_1(objections),
        },
        trusts={"hospital_spell": columns.hospital_spell(rng, spells), "ed_attendance": columns.ed_attendance(attendances)},
        national=columns.national(),
        truth=columns.truth([truth.truth_on(cohort, burdens[at], emergencies.lately[at], int(steps[at])) for at in (-3, -1)]),
    )


class _Columns:
    """Turns positions and day numbers into the columns of the inbound contracts."""

    def __init__(self, cohort: Cohort) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self.job = cohort.job
        self.cohort = cohort
        self.patient = patient_ids(len(cohort))
        self.number = pa.array(cohort.job.number).cast(pa.string())
        self.number = pc.if_else(pa.array(cohort.job.has_number), self.number, pa.scalar(None, pa.string()))

    def same(self, value: str | int, count: int) -> pa.Array:
        """One value in every row; a whole number is a day."""
        import pyarrow as pa

        scalar = pa.scalar(value, pa.string()) if isinstance(value, str) else pa.scalar(value, pa.int32()).cast(pa.date32())
        return pa.repeat(scalar, count)

    def who(self, who: np.ndarray) -> dict[str, pa.Array]:
        """The columns that every row of a practice begins with."""
        import pyarrow as pa

        taken = pa.array(who)
        return {
            "extract_date": self.same(self.job.today, len(who)),
            "practice_code": self.same(self.job.code, len(who)),
            "patient_id": self.patient.take(taken),
            "nhs_number": self.number.take(taken),
            "record_id": _counted(len(who)),
        }

    def clinical_event(self, made: events.Events) -> pa.Table:
        import pyarrow as pa

        order = np.lexsort((made.code, made.day, made.who))
        value = made.value[order]
        unit = made.unit[order]
        return pa.table(
            self.who(made.who[order])
            | {
                "event_date": _days(made.day[order]),
                "recorded_date": _days(made.recorded[order]),
                "code_system": self.same("synthetic", len(order)),
                "code": pa.array(made.codes).take(pa.array(made.code[order])),
                "value": pa.array(value, mask=np.isnan(value)),
                "unit": pa.array(made.units).take(pa.array(unit, mask=unit == 0)),
                "is_confidential": pa.array(made.is_confidential[order]),
            }
        )

    def medication_issue(self, rng: np.random.Generator, made: medicines.Issues) -> pa.Table:
        import pyarrow as pa

        order = np.lexsort((made.medicine, made.day, made.who))
        codes = pa.array([f"z.{medicine.cluster}.{number}" for medicine in every_medicine() for number in (1, 2)])
        late = np.where(rng.random(len(order)) < 0.01, 1 + rng.integers(0, 10, len(order)), 0)
        recorded = np.minimum(made.day[order] + late, np.maximum(self.job.today - 1, made.day[order]))
        return pa.table(
            self.who(made.who[order])
            | {
                "issue_date": _days(made.day[order]),
                "recorded_date": _days(recorded),
                "code_system": self.same("synthetic", len(order)),
                "code": codes.take(pa.array(made.medicine[order] * 2 + made.code[order] - 1)),
                "is_repeat": pa.array(made.is_repeat[order]),
            }
        )

    def renumbered(self, *tables: pa.Table) -> pa.Table:
        """Rows of one kind, one table after the other, with record numbers from 1."""
        import pyarrow as pa

        whole = pa.concat_tables(tables)
        return whole.set_column(whole.column_names.index("record_id"), "record_id", _counted(whole.num_rows))

    def appointment(self, made: contacts.Appointments) -> pa.Table:
        import pyarrow as pa

        order = np.lexsort((made.minute, made.day, made.who))
        times = pa.array([f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(0, 1440, 10)])

        def words(names: tuple[str, ...], codes: np.ndarray) -> pa.Array:
            return pa.array(names).take(pa.array(codes[order]))

        return pa.table(
            self.who(made.who[order])
            | {
                "appointment_date": _days(made.day[order]),
                "start_time": times.take(pa.array(made.minute[order] // 10)),
                "booked_date": _days(made.booked[order]),
                "status": words(contacts.STATUSES, made.status),
                "clinician_id": words(made.staff, made.clinician),
                "clinician_type": words(contacts.TYPES, made.kind),
                "mode": words(contacts.MODES, made.mode),
                "category": words(contacts.CATEGORIES, made.category),
            }
        )

    def type_1(self, made: events.Objection) -> pa.Table:
        import pyarrow as pa

        order = np.lexsort((made.day, made.who))
        return pa.table(
            self.who(made.who[order])
            | {
                "objection": self.same("type_1", len(order)),
                "state": pa.array(np.where(made.is_withdrawal[order], "withdrawn", "dissent").astype("<U9"), pa.string()),
                "recorded_date": _days(made.day[order]),
            }
        )

    def national(self) -> pa.Table:
        """Rows of the national opt-out file: only people with an NHS number can be in it."""
        import pyarrow as pa

        luck, job = self.cohort.luck, self.job
        who = np.flatnonzero((luck.uniform("national") < NATIONAL_SHARE) & job.is_last & job.has_number & (job.born < job.today - 10))
        since = np.maximum(job.born[who], NATIONAL_SINCE)
        day = since + (luck.uniform("national day")[who] * np.maximum(job.today - since, 1)).astype(np.int64)
        back = luck.uniform("national back")[who] < NATIONAL_WITHDRAWN
        later = day + 1 + (luck.uniform("national back day")[who] * np.maximum(job.today - day - 1, 0)).astype(np.int64)
        kept = back & (later < job.today)
        every = np.concatenate([who, who[kept]])
        return pa.table(
            {
                "extract_date": self.same(job.today, len(every)),
                "practice_code": pa.nulls(len(every), pa.string()),
                "patient_id": pa.nulls(len(every), pa.string()),
                "nhs_number": self.number.take(pa.array(every)),
                "objection": self.same("national_data_opt_out", len(every)),
                "state": pa.array(["dissent"] * len(who) + ["withdrawn"] * int(kept.sum()), pa.string()),
                "recorded_date": _days(np.concatenate([day, later[kept]])),
            }
        )

    def trust(self, who: np.ndarray, elsewhere: np.ndarray) -> dict[str, pa.Array]:
        """The columns that every row of a hospital feed begins with; `record_id` is added when a trust's rows are together."""
        import pyarrow as pa

        return {
            "extract_date": self.same(self.job.today, len(who)),
            "provider_code": pa.array([self.job.provider, self.job.other_provider]).take(pa.array(elsewhere.astype(np.int8))),
            "nhs_number": self.number.take(pa.array(who)),
            "patient_id": _hospital_ids(self.job, who),
            "practice_code": self.same(self.job.code, len(who)),
        }

    def hospital_spell(self, rng: np.random.Generator, made: hospital.Spells) -> pa.Table:
        """Spells that have begun; one that has not ended has no discharge yet. Coding takes up to a week after it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        order = np.lexsort((made.admitted, made.who))
        discharged, every = made.discharged[order], [made.every[at] for at in order]
        still_in = discharged >= self.job.today
        coded = np.minimum(np.maximum(discharged, made.admitted[order]) + rng.integers(1, 8, len(order)), self.job.today - 1)
        return pa.table(
            self.trust(made.who[order], made.elsewhere[order])
            | {
                "admission_date": _days(made.admitted[order]),
                "discharge_date": pc.if_else(pa.array(still_in), pa.scalar(None, pa.date32()), _days(discharged)),
                "admission_method": pa.array(made.method[order], pa.string()),
                "primary_diagnosis_code": pa.array(made.primary[order], pa.string(), mask=still_in),
                "diagnosis_codes": pa.array(every, pa.string(), mask=still_in),
                "recorded_date": _days(np.where(still_in, made.admitted[order], coded)),
            }
        )

    def ed_attendance(self, made: hospital.Attendances) -> pa.Table:
        import pyarrow as pa

        order = np.lexsort((made.day, made.who))
        return pa.table(
            self.trust(made.who[order], made.elsewhere[order])
            | {
                "arrival_date": _days(made.day[order]),
                "department_type": pa.array(["", "1", "2", "3", "4"]).take(pa.array(made.department[order])),
                "chief_complaint_code": pa.nulls(len(order), pa.string()),
                "is_admitted": pa.array(made.is_admitted[order]),
                "recorded_date": _days(made.day[order]),
            }
        )

    def truth(self, made: list[truth.Truth]) -> pa.Table:
        import pyarrow as pa

        def column(name: str) -> np.ndarray:
            return np.concatenate([getattr(of_day, name) for of_day in made])

        who = column("who")
        return pa.table(
            {
                "index_date": _days(np.repeat([of_day.day for of_day in made], [len(of_day.who) for of_day in made])),
                "practice_code": self.same(self.job.code, len(who)),
                "patient_id": self.patient.take(pa.array(who)),
                "nhs_number": self.number.take(pa.array(who)),
                "hidden_frailty": pa.array(column("frailty")),
                "emergency_admission_probability": pa.array(column("emergency")),
                "ed_attendance_probability": pa.array(column("attendance")),
                "death_probability": pa.array(column("death")),
            }
        )


def _days(days: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())


def _counted(count: int) -> pa.Array:
    """Record numbers from 1, as text."""
    import pyarrow as pa

    return pa.array(np.arange(1, count + 1)).cast(pa.string())


def _hospital_ids(job: PracticeJob, who: np.ndarray) -> pa.Array:
    """The hospitals' own number of a person: a T, the digits of the practice's code, and the person's place in its list."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = pa.array(int(job.code[1:]) * 100_000 + who.astype(np.int64)).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar("T"), digits, pa.scalar(""))
