"""What the NHS publishes about the place: registered people by practice and LSOA, the practice map, and the ODS files, in the published columns.

The counts are made from exactly the people on the lists, so whatever is computed from one must agree with the other.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.synthetic.organisations import (
    ICB_CODE,
    ICB_ONS_CODE,
    REGION_CODE,
    REGION_NAME,
    REGION_ONS_CODE,
    SUB_ICB_CODES,
    SUB_ICB_ONS_CODES,
    UNALLOCATED_CODE,
    UNALLOCATED_NAME,
    Organisations,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.synthetic.place import Place

PUBLICATION = "GP_PRAC_PAT_LIST"
NO_LSOA = "NO2011"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def published_date(day: date) -> str:
    """A day as these files write it: 01Aug2026."""
    return f"{day.day:02d}{MONTHS[day.month - 1]}{day.year}"


def registered_on(people: pa.Table, day: date) -> pa.Table:
    """The registrations that count on a day: start <= day < end, and day < date of death."""
    import pyarrow as pa
    import pyarrow.compute as pc

    then = pa.scalar(day, pa.date32())
    not_ended = pc.fill_null(pc.greater(people["registration_end_date"], then), True)
    alive = pc.fill_null(pc.greater(people["death_date"], then), True)
    return people.filter(pc.and_(pc.less_equal(people["registration_start_date"], then), pc.and_(not_ended, alive)))


def practice_lsoa_counts(place: Place, people: pa.Table, as_of: date, lsoa_vintage: str = "2021") -> pa.Table:
    """gp-reg-pat-prac-lsoa-all: one row a practice and LSOA with registered people on `as_of`; NO2011 stands for those without an LSOA.

    `lsoa_vintage` "2021" or "2011" says on which LSOAs they are counted; anything else raises SettingsWrong.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if lsoa_vintage not in ("2011", "2021"):
        raise SettingsWrong(f'lsoa_vintage "{lsoa_vintage}" is not known; give "2011" or "2021"')
    present = registered_on(people, as_of)
    code = pc.fill_null(present["lsoa_code" if lsoa_vintage == "2021" else "lsoa11_code"], NO_LSOA)
    pairs = pa.table({"practice_code": present["practice_code"], "lsoa_code": code})
    counts = pairs.group_by(["practice_code", "lsoa_code"]).aggregate([([], "count_all")])
    counts = counts.sort_by([("practice_code", "ascending"), ("lsoa_code", "ascending")])
    names = {practice.code: practice.name for practice in place.organisations.practices}
    return pa.table(
        {
            "PUBLICATION": [PUBLICATION] * counts.num_rows,
            "EXTRACT_DATE": [published_date(as_of)] * counts.num_rows,
            "PRACTICE_CODE": counts["practice_code"],
            "PRACTICE_NAME": [names[code] for code in counts["practice_code"].to_pylist()],
            "LSOA_CODE": counts["lsoa_code"],
            "SEX": ["ALL"] * counts.num_rows,
            "NUMBER_OF_PATIENTS": counts["count_all"],
        }
    )


def practice_map(place: Place, as_of: date) -> pa.Table:
    """gp-reg-pat-prac-map in the columns of 2026: one row a practice with a list, the one in no PCN as U, Unallocated."""
    import pyarrow as pa

    who = place.organisations
    rows = []
    for practice in who.practices:
        if not practice.has_list:
            continue
        pcn = who.pcns[practice.pcn] if practice.pcn is not None else None
        rows.append(
            {
                "PUBLICATION": PUBLICATION,
                "EXTRACT_DATE": published_date(as_of),
                "PRACTICE_CODE": practice.code,
                "PRACTICE_NAME": practice.name,
                "PRACTICE_POSTCODE": practice.postcode,
                "PCN_CODE": pcn.code if pcn else UNALLOCATED_CODE,
                "PCN_NAME": pcn.name if pcn else UNALLOCATED_NAME,
                "ONS_SUB_ICB_LOCATION_CODE": SUB_ICB_ONS_CODES[practice.sub_icb],
                "SUB_ICB_LOCATION_CODE": SUB_ICB_CODES[practice.sub_icb],
                "SUB_ICB_LOCATION_NAME": who.sub_icb_names[practice.sub_icb],
                "ONS_ICB_CODE": ICB_ONS_CODE,
                "ICB_CODE": ICB_CODE,
                "ICB_NAME": who.icb_name,
                "ONS_COMM_REGION_CODE": REGION_ONS_CODE,
                "COMM_REGION_CODE": REGION_CODE,
                "COMM_REGION_NAME": REGION_NAME,
                "SUPPLIER_NAME": practice.supplier,
            }
        )
    return pa.Table.from_pylist(rows)


PCN_HEADINGS = (
    "PCN Code", "PCN Name", "Current Sub ICB Loc Code", "Sub ICB Location", "Open Date", "Close Date",
    "Address Line 1", "Address Line 2", "Address Line 3", "Address Line 4", "Address Line 5", "Postcode",
)  # fmt: skip
MEMBER_HEADINGS = (
    "Partner\nOrganisation\nCode", "Partner\nName", "Practice\nParent\nSub ICB Loc Code", "Practice\nParent\nSub ICB Loc Name",
    "PCN Code", "PCN Name", "PCN Parent\nSub ICB Loc Code", "PCN Parent\nSub ICB Loc Name",
    "Practice to PCN\nRelationship\nStart Date", "Practice to PCN\nRelationship\nEnd Date", "Practice Sub ICB Loc and PCN Sub ICB Loc Match ",
)  # fmt: skip
PCN_SHEET, MEMBER_SHEET = "PCNDetails", "PCN Core Partner Details"
"""Sheet names and headings of the ODS workbook of 2023, line breaks and the trailing blank included."""


def pcn_workbook(who: Organisations) -> dict[str, list[list[object]]]:
    """The ePCN workbook: sheet name -> rows, headings first; dates are text YYYYMMDD, as ODS writes them."""
    founded = f"{min(member.start for member in who.memberships):%Y%m%d}"
    details: list[list[object]] = [list(PCN_HEADINGS)]
    for pcn in who.pcns:
        first = next(practice for practice in who.practices if practice.pcn == pcn.centre)
        sub_icb = [SUB_ICB_CODES[pcn.sub_icb], who.sub_icb_names[pcn.sub_icb].upper()]
        details.append([pcn.code, pcn.name, *sub_icb, founded, "", first.name, "", "", first.town.upper(), "", first.postcode])
    members: list[list[object]] = [list(MEMBER_HEADINGS)]
    for member in who.memberships:
        members.append(membership_row(who, member.practice, member.pcn, member.start, member.end))
    return {PCN_SHEET: details, MEMBER_SHEET: members}


def membership_row(who: Organisations, practice_row: int, pcn_row: int, start: date, end: date | None) -> list[object]:
    """One row of the membership sheet."""
    practice, pcn = who.practices[practice_row], who.pcns[pcn_row]
    return [
        practice.code,
        practice.name,
        SUB_ICB_CODES[practice.sub_icb],
        who.sub_icb_names[practice.sub_icb].upper(),
        pcn.code,
        pcn.name,
        SUB_ICB_CODES[pcn.sub_icb],
        who.sub_icb_names[pcn.sub_icb].upper(),
        f"{start:%Y%m%d}",
        f"{end:%Y%m%d}" if end else "",
        practice.sub_icb == pcn.sub_icb,
    ]


def ods_practices(who: Organisations, as_of: date) -> list[list[str]]:
    """epraccur: 27 fields a row, no headings. Field 13 is the status, field 26 the prescribing setting, which is 4 for a GP practice.

    Besides the practices of the place: one that closed, and an out-of-hours service, which is not a GP practice.
    """
    rows = [
        _ods_row(
            practice.code, practice.name, practice.town, practice.postcode, practice.sub_icb, "19740401", "", "A" if practice.has_list else "D", "4"
        )
        for practice in who.practices
    ]
    town, postcode = who.practices[0].town, who.practices[0].postcode
    closed = f"{as_of - timedelta(days=800):%Y%m%d}"
    rows.append(_ods_row("Y99998", "ANCHOR YARD SURGERY", town, postcode, 0, "19740401", closed, "C", "4"))
    rows.append(_ods_row("Y99999", "IRISH SEA OUT OF HOURS", town, postcode, 0, "20100401", "", "A", "1"))
    return rows


def _ods_row(code: str, name: str, town: str, postcode: str, sub_icb: int, opened: str, closed: str, status: str, setting: str) -> list[str]:
    # 01632 960... are the telephone numbers that Ofcom keeps for drama.
    parent = SUB_ICB_CODES[sub_icb]
    address = ["1 HIGH STREET", town.upper(), "", "", "", postcode]
    middle = [opened, closed, status, "B", parent, "20200401", closed, f"01632 960{sum(map(ord, code)) % 1000:03d}"]
    return [code, name, REGION_CODE, ICB_CODE, *address, *middle, "", "", "", "0", "", parent, "", setting, ""]
