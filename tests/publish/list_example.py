"""A make-believe team's list for tests: rows of products/cohort_list, its account and changes, and a vault that knows the people.

What does not belong here: what is expected of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.people.audit_log import AuditLog, RunAudit
from fuller_popheath.people.vault import Vault
from fuller_popheath.publish.lists import ACCOUNT, CHANGE, LIST, PRACTICE
from fuller_popheath.site import Site
from fuller_popheath.site_lists import Lists
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

DAY = date(2026, 11, 16)
ISSUE, TEAM, AREA = "list-2026-11-16", "U12345", "U12345"
PRACTICES = {"A81001": "GREEN LANE SURGERY", "A81002": "HIGH STREET MEDICAL CENTRE", "A81003": None}
NIGHT = Night(as_of=DAY, site=Site())
SHARED_NIGHT = Night(as_of=DAY, site=Site(lists=Lists(identities="neighbourhood")))
"""Of a site whose teams have agreed to share whom their lists mean."""
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ234567"
WHEN = "2026-11-16T04:00:00+00:00"


def a_table(contract_id: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table of the contract; what is not given is empty."""
    import pyarrow as pa

    contract = load_contract(contract_id)
    return conform(pa.table({f.name: pa.array([row.get(f.name) for row in rows], f.type) for f in contract.schema}), contract)


def person_id(number: int, team: str = TEAM) -> str:
    """A make-believe pseudonym."""
    return f"{'abcdefghijklmnopqrstuvwxyz'[sum(team.encode()) % 26]}{number:06d}".translate(str.maketrans("0123456789", "abcdefghij")).ljust(12, "z")


def reference(number: int) -> str:
    """A make-believe row reference."""
    return "".join(LETTERS[(number * 7 + place * place * 11) % len(LETTERS)] for place in range(3)) + f"{number:03d}".translate(
        str.maketrans("0123456789", "ABCDEFGHJK")
    )


def nhs_number(number: int) -> str:
    """One of the test range, which is never issued; its check digit does not matter here."""
    return f"999{number:07d}"


USUAL: Mapping[str, Any] = {
    "as_of": DAY,
    "issue_id": ISSUE,
    "team_id": TEAM,
    "neighbourhood_code": AREA,
    "state": "listed",
    "is_new": False,
    "is_newly_surfaced": False,
    "decided_by": "score",
    "need_points": 7,
    "need_level": "high",
    "reasons": "severe frailty (14 of 36 deficits); dementia",
    "reason_codes": "severe_frailty,dementia",
    "practice_code": "A81001",
    "practice_name": "GREEN LANE SURGERY",
    "age_years": 84,
    "sex": "female",
    "usual_gp_code": "G1234567",
    "continuity_upc": 0.25,
    "continuity_contact_count": 8,
    "continuity_clinician_count": 5,
    "received_percentile": 0.12,
    "days_since_last_contact": 12,
    "emergency_admission_count_365": 1,
    "is_linked": True,
    "extract_date": DAY,
    "extract_age_days": 0,
}


def a_list(*people: Mapping[str, Any], team: str = TEAM, area: str = "") -> pa.Table:
    """A team's list: one row for each, with what is said of it instead of the usual."""
    rows = [
        {
            **USUAL,
            "team_id": team,
            "neighbourhood_code": area or team,
            "person_id": person_id(n, team),
            "row_reference": reference(n),
            "rank": n + 1,
            **p,
        }
        for n, p in enumerate(people)
    ]
    return a_table(LIST, rows)


def an_account(team: str = TEAM, **more: Any) -> dict[str, Any]:
    """The account of a team, of 3 people unless `listed_count` or `removed_count` say otherwise."""
    usual: dict[str, Any] = {
        "as_of": DAY,
        "issue_id": ISSUE,
        "issued_on": DAY,
        "team_id": team,
        "team_name": "North team",
        "neighbourhood_code": team,
        "neighbourhood_name": "NORTH PCN",
        "slots_count": 45,
        "reserve_count": 5,
        "priority_used": "risk_and_gap",
        "registered_count": 31_000,
        "eligible_count": 1_244,
        "listed_count": 3,
        "removed_count": 0,
        "shortfall_count": 0,
        "type_1_objection_count": 1_597,
        "type_1_unknown_count": 0,
        "national_objection_count": 0,
        "sensitive_record_count": 12,
        "review_count": 61,
        "team_excludes_count": 0,
        "no_team_count": 0,
        "expected_admissions": 9.4,
        "expected_lower": 5.0,
        "expected_upper": 14.0,
        "joined_count": 0,
        "left_count": 0,
        "stayed_count": 0,
        "practice_count": 3,
        "stale_practice_count": 0,
        "missing_practice_count": 0,
        "coverage": "3 of 3 practices have sent a list. All are up to date.",
        "is_demonstration": False,
        "floors_unmet": None,
        "floors": "Core20 (the most deprived fifth): at least 1 times their share, which is 11; 12 are listed.",
        "rule": (
            "Of the people with 2 or more points of need, the 40 who come first by the mean of two places among those who could be listed: by risk, "
            "and by continuity gap. 20 % of the places are for newly surfaced people. Who was on the last list stays while their place by score is "
            "within 1.25 times the places. Equal scores are decided by lot, and the lot is recorded. How this list is made is a local choice "
            "(site.toml, [lists]). It is not validated."
        ),
    }
    made = {**usual, **more}
    made.setdefault("issued_count", made["listed_count"] + made["removed_count"])
    left_out = sum(made[f"{name}_count"] for name in ("eligible", "type_1_objection", "type_1_unknown", "national_objection", "sensitive_record"))
    made.setdefault("below_points_count", made["registered_count"] - left_out - made["review_count"] - made["team_excludes_count"])
    return made


def a_change(person: str, change: str, words: str, **more: Any) -> dict[str, Any]:
    """A row of core/list_change."""
    usual = {"as_of": DAY, "changed_on": DAY, "issue_id": ISSUE, "team_id": TEAM, "practice_code": "A81001", "previous_issue_id": "list-2026-11-09"}
    return {**usual, "person_id": person, "change": change, "words": words, **more}


def practices(**neighbourhoods: str) -> pa.Table:
    """Which neighbourhood each practice belongs to: North's three, and those given."""
    import pyarrow as pa

    of = dict.fromkeys(PRACTICES, AREA) | neighbourhoods
    return pa.table({"practice_code": list(of), "neighbourhood_code": list(of.values())})


def tables_of(
    listed: pa.Table, accounts: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[str, Any]] = (), **places: str
) -> dict[str, pa.Table]:
    """What publish_lists is made from."""
    return {LIST: listed, ACCOUNT: a_table(ACCOUNT, accounts), CHANGE: a_table(CHANGE, changes), PRACTICE: practices(**places)}


def identities(listed: pa.Table, without: Sequence[int] = ()) -> pa.Table:
    """The vault's rows for listed people at their practices; those `without` have no NHS number."""
    import pyarrow as pa

    people = listed.select(["person_id", "practice_code"]).to_pylist()
    return pa.table(
        {
            "person_id": pa.array([person["person_id"] for person in people], pa.string()),
            "nhs_number": pa.array([None if n in without else nhs_number(n) for n in range(len(people))], pa.string()),
            "practice_code": pa.array([person["practice_code"] for person in people], pa.string()),
            "patient_id": pa.array([f"RECORD-{n}" for n in range(len(people))], pa.string()),
            "key_version": pa.array([1] * len(people)),
        }
    )


def a_vault(folder: Path, *known: pa.Table, day: date = DAY) -> Vault:
    """A vault that knows these people."""
    import pyarrow as pa

    vault = Vault(folder)
    vault.write_part("A81001", "0" * 16, pa.concat_tables(known))
    vault.write_night(day, [("A81001", "0" * 16)])
    return vault


def an_audit(folder: Path) -> RunAudit:
    """An audit log in the vault's folder."""
    return RunAudit(AuditLog(folder), "run-1", WHEN)


REASONS = (
    ("severe frailty (15 of 36 deficits); dementia; 6 long-term conditions (heart failure, COPD, diabetes, atrial fibrillation and 2 more)", 0.4),
    ("moderate frailty (11 of 36 deficits); 4 long-term conditions (hypertension, diabetes, chronic kidney disease, depression)", 0.2),
    ("severe mental illness; 3 long-term conditions (COPD, depression, thyroid disease)", 0.15),
    ("learning disability; 2 long-term conditions (epilepsy, asthma)", 0.1),
    ("on the end of life care register; severe frailty (18 of 36 deficits)", 0.1),
    ("a child who is seen often (14 contacts and ED attendances in the last year)", 0.05),
)
RISK_REASONS = (
    "admitted as an emergency 3 times in the last year, the last 5 weeks ago; heart failure (first recorded 4 years ago); 14 medicines",
    "aged 84; COPD and 5 other long-term conditions; 2 ED attendances in the last year",
    "estimated kidney function 34 mL/min, 2 months ago; 11 medicines in the last year",
)


def a_realistic_list(rng: np.random.Generator, people: int = 40) -> pa.Table:
    """A list as a team would have it: long and short reasons, people without a usual GP, without contacts, and a practice with old data."""
    rows = []
    for _n in range(people):
        practice = list(PRACTICES)[int(rng.integers(3))]
        which = int(rng.choice(len(REASONS), p=[share for _, share in REASONS]))
        contacts = int(rng.integers(0, 16))
        rows.append(
            {
                "practice_code": practice,
                "practice_name": PRACTICES[practice],
                "reasons": REASONS[which][0],
                "extract_age_days": 12 if practice == "A81002" else 0,
                "extract_date": DAY - timedelta(days=12 if practice == "A81002" else 0),
                "age_years": 7 if which == 5 else int(rng.integers(34, 98)),
                "sex": str(rng.choice(["female", "male"])),
                "is_new": bool(rng.random() < 0.2),
                "is_newly_surfaced": bool(rng.random() < 0.25),
                "usual_gp_code": None if rng.random() < 0.1 else f"G{int(rng.integers(8_000_000, 9_900_000))}",
                "continuity_contact_count": contacts,
                "continuity_clinician_count": min(contacts, 5),
                "continuity_upc": None if contacts < 3 else max(1, round(contacts * float(rng.beta(2, 4)))) / contacts,
                "received_percentile": None if contacts < 3 else float(rng.random()) ** 2,
                "days_since_last_contact": None if not contacts else int(rng.integers(1, 300)),
                "emergency_admission_count_365": int(rng.poisson(0.7)),
                "risk_words": str(rng.choice(["about 1 in 3", "about 1 in 6", "about 2 in 5", "about 1 in 12"])),
                "risk_is_demonstration": True,
                "risk_reasons": str(rng.choice(RISK_REASONS)),
                "risk_change": f"rose: {RISK_REASONS[1]} (not a main reason before)" if rng.random() < 0.1 else None,
                "last_review": "later on 3 Nov 2026, until 16 Nov 2026" if rng.random() < 0.1 else None,
            }
        )
    rows[4] |= {"state": "removed", "mark": "reviewed", "marked_on": DAY + timedelta(days=1), "is_new": False}
    rows[9] |= {"state": "removed", "mark": "objects", "marked_on": DAY + timedelta(days=2)}
    rows[12] |= {"mark": "new_admission", "marked_on": DAY + timedelta(days=2)}
    return a_list(*rows)


def realistic_changes(listed: pa.Table) -> list[dict[str, Any]]:
    """What goes with `a_realistic_list`."""
    made = []
    for person in listed.to_pylist():
        about = {name: person[name] for name in ("row_reference", "rank", "practice_code")}
        place = f"place {person['rank'] + 3} of 1,244 by score"
        if person["is_new"]:
            made.append(a_change(person["person_id"], "joined", f"{place}; {person['rank'] + 20} last time; the risk rose", **about))
        else:
            made.append(a_change(person["person_id"], "stayed", place, **about, previous_rank=person["rank"] + 1))
        if person["mark"]:
            words = {"reviewed": "declined by the person on 17 Nov 2026, until 17 Nov 2027 (said by team U12345 in list-2026-11-16)"}
            words |= {"objects": "objects to lists", "new_admission": "an emergency admission on 15 Nov 2026 that was not known at the issue"}
            change = "removed" if person["state"] == "removed" else "marked"
            made.append(a_change(person["person_id"], change, words[person["mark"]], **about, changed_on=person["marked_on"], previous_issue_id=None))
    for n, words in enumerate(
        ("place 61 by score, and there are 40 places; 38 last time", "is not in the team's neighbourhood any more", "below points")
    ):
        made.append(a_change(person_id(500 + n), "left", words, previous_rank=30 + n, practice_code=list(PRACTICES)[n]))
    return made
