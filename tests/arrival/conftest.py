"""A landing folder, and files in it written as their publishers write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from fuller_popheath.arrival.door import Taken, take_extracts
from fuller_popheath.arrival.extract_store import ExtractStore
from fuller_popheath.arrival.files import survey
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.site import Site

MAP_HEADER = (
    "PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,PRACTICE_POSTCODE,PCN_CODE,PCN_NAME,ONS_SUB_ICB_LOCATION_CODE,SUB_ICB_LOCATION_CODE,"
    "SUB_ICB_LOCATION_NAME,ONS_ICB_CODE,ICB_CODE,ICB_NAME,ONS_COMM_REGION_CODE,COMM_REGION_CODE,COMM_REGION_NAME,SUPPLIER_NAME"
)
EPCN_HEADER = [
    "Partner\nOrganisation\nCode",
    "Partner\nName",
    "Practice\nParent\nSub ICB Loc Code",
    "Practice\nParent\nSub ICB Loc Name",
    "PCN Code",
    "PCN Name",
    "PCN Parent\nSub ICB Loc Code",
    "PCN Parent\nSub ICB Loc Name",
    "Practice to PCN\nRelationship\nStart Date",
    "Practice to PCN\nRelationship\nEnd Date",
    "Practice Sub ICB Loc and PCN Sub ICB Loc Match ",
]
LIST_HEADER = (
    "extract_date,practice_code,nhs_number,date_of_birth,sex,ethnic_category,lsoa_code,registration_start_date,registration_end_date,"
    "usual_gp_code,death_date"
)


def nhs_number(at: int) -> str:
    """A valid number in the test range 999: Modulus 11 with weights 10 to 2 (NHS Data Dictionary)."""
    while True:
        nine = f"999{at:06d}"
        check = 11 - sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return f"{nine}{check % 11}"
        at += 500_000


EVENT_HEADER = "extract_date,practice_code,patient_id,nhs_number,record_id,event_date,recorded_date,code_system,code,value,unit,is_confidential"


class Landing:
    """Writes files into one folder; every method returns the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def lines(self, name: str, lines: Sequence[str]) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def registrations(self, name: str = "reg.csv", day: str = "01Jul2022", rows: int = 100, extra: Sequence[str] = (), sex: str = "ALL") -> Path:
        """`rows` sound rows of 10 people each, one practice, then `extra` lines."""
        header = "PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,LSOA_CODE,SEX,NUMBER_OF_PATIENTS"
        sound = [f"GP_PRAC_PAT_LIST,{day},A81001,THE SURGERY,E01{at:06d},{sex},10" for at in range(rows)]
        return self.lines(name, [header, *sound, *extra])

    def practice_list(
        self, practice: str, day: str = "2026-08-01", people: int = 50, start: int = 0, extra: Sequence[str] = (), name: str = ""
    ) -> Path:
        """`people` sound registrations with NHS numbers of the test range from `start` on, then `extra` lines."""
        sound = [f"{day},{practice},{nhs_number(start + at)},1950-05-12,female,A,E01012345,2001-01-01,,G1234567," for at in range(people)]
        return self.lines(name or f"practice_lists/{practice}.csv", [LIST_HEADER, *sound, *extra])

    def events(self, practice: str, day: str = "2026-08-01", rows: int = 50, extra: Sequence[str] = (), name: str = "") -> Path:
        """`rows` sound coded entries of people of the test range, every third with a value, then `extra` lines."""
        sound = [
            f"{day},{practice},p{at % 10},{nhs_number(at % 10)},r{at},2025-03-{at % 28 + 1:02d},,synthetic,z.asthma.{at % 3},"
            f"{'12.5,mmol/mol' if at % 3 == 0 else ','},"
            for at in range(rows)
        ]
        return self.lines(name or f"clinical_event/{practice}.csv", [EVENT_HEADER, *sound, *extra])

    def practice_map(self, name: str, day: str, practices: int = 3) -> Path:
        rows = [
            f"GP,{day},A8100{at},SURGERY {at},TS18 1HU,U12345,NORTH PCN,E38000247,16C,Place,E54000050,QHM,ICB,E40000012,Y63,North,TPP"
            for at in range(practices)
        ]
        return self.lines(name, [MAP_HEADER, *rows])

    def workbook(self, name: str, sheet: str, rows: Sequence[Sequence[object]], saved: datetime = datetime(2022, 4, 27, tzinfo=UTC)) -> Path:
        import xlsxwriter

        path = self.folder / name
        book = xlsxwriter.Workbook(str(path))
        book.set_properties({"created": saved})
        page = book.add_worksheet(sheet)
        for at, row in enumerate(rows):
            page.write_row(at, 0, list(row))
        book.close()
        return path

    def epcn(self, name: str, memberships: Sequence[tuple[str, str, str, str]]) -> Path:
        """(practice, PCN, start, end) a row."""
        rows = [[practice, "S", "16C", "Place", pcn, "PCN", "16C", "Place", start, end, "TRUE"] for practice, pcn, start, end in memberships]
        return self.workbook(name, "PCN Core Partner Details", [EPCN_HEADER, *rows])

    def imd(self, name: str, lsoa: str = "2011", authority: str = "2019", areas: int = 40, scores: bool = False) -> Path:
        """IMD as File 1, or with scores as the beginning of File 7; ranks 1 to `areas`."""
        extra = ",Index of Multiple Deprivation (IMD) Score" if scores else ""
        header = (
            f"LSOA code ({lsoa}),LSOA name ({lsoa}),Local Authority District code ({authority}){extra},"
            "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived),Index of Multiple Deprivation (IMD) Decile (where 1 is most depr"
        )
        rows = [f"E01{at:06d},Town {at:03d}A,E06000001{',90.1' if scores else ''},{at},1" for at in range(1, areas + 1)]
        return self.lines(name, [header, *rows])

    def boundaries(self, name: str, vintage: str = "21", west: float = -2.4, south: float = 53.7, shapes: int = 3, step: float = 0.01) -> Path:
        features = []
        for at in range(shapes):
            x, y = west + at * step, south
            ring = [[x, y], [x + step, y], [x + step, y + step], [x, y + step], [x, y]]
            properties = {f"LSOA{vintage}CD": f"E01{at:06d}", f"LSOA{vintage}NM": f"Town {at}"}
            features.append({"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}})
        path = self.folder / name
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        return path


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


@pytest.fixture
def quarantine(tmp_path: Path) -> Path:
    return tmp_path / "quarantine"


class Night:
    """Takes what lies in a landing folder into a store of its own."""

    def __init__(self, landing: Path, folder: Path) -> None:
        self.landing, self.folder = landing, folder
        self.store = ExtractStore(folder / "store", str(landing))
        self.vault, self.quarantine = folder / "vault", folder / "quarantine"
        self.key = PseudonymKey(b"a key of the tests, long enough", version=1)

    def take(self, day: str = "2026-08-01", table: str = "practice_list", known: Sequence[str] | None = None, **options: Any) -> Taken:
        site = Site(**{"pseudonyms": {"data_is_synthetic": True}, **options.pop("site", {})})
        return take_extracts(
            f"inbound/{table}",
            survey(self.landing),
            date.fromisoformat(day),
            site,
            self.store,
            self.vault,
            self.quarantine,
            frozenset(known) if known is not None else None,
            options.pop("references", {}),
            options.pop("key", self.key),
        )

    def states(self, taken: Taken) -> dict[str, str]:
        return {row["practice_code"]: row["state"] for row in taken.account.to_pylist()}

    def row(self, taken: Taken, practice: str) -> dict[str, Any]:
        return next(row for row in taken.account.to_pylist() if row["practice_code"] == practice)


@pytest.fixture
def night(landing: Landing, tmp_path: Path) -> Night:
    return Night(landing.folder, tmp_path)


@pytest.fixture(scope="session")
def test_number() -> Callable[[int], str]:
    return nhs_number
