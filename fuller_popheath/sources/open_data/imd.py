"""English Indices of Deprivation 2019 and 2025: File 1, File 3 and File 7, as CSV or workbook, by LSOA of 2011 and 2021.

Headers are matched by their beginning: the decile header of File 1 (2025) is cut at 80 characters. The edition is told by the LSOA vintage
and the year of the local authority codes; IMD 2015 is on LSOAs of 2011 too, so without that year a 2011 file is not accepted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.canonical import as_number, as_whole
from fuller_popheath.sources.heads import OpenedHead, header_key
from fuller_popheath.sources.layouts import Layout, LayoutColumn, read_layout, recognised
from fuller_popheath.sources.names import file_told
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

DOMAINS = {
    "income_decile": "Income Decile*",
    "employment_decile": "Employment Decile*",
    "education_decile": "Education, Skills and Training Decile*",
    "health_decile": "Health Deprivation and Disability Decile*",
    "crime_decile": "Crime Decile*",
    "barriers_decile": "Barriers to Housing and Services Decile*",
    "environment_decile": "Living Environment Decile*",
}


def layout(lsoa_year: str, prefix: str, authority_year: str, needs_authority: bool) -> Layout:
    """The columns of one edition: `lsoa_year` as its headers write it, `prefix` of its code columns, the year of its local authority codes."""
    return Layout(
        (
            LayoutColumn(f"{prefix}_code", (f"LSOA code ({lsoa_year})",)),
            LayoutColumn(f"{prefix}_name", (f"LSOA name ({lsoa_year})",), needed=False),
            LayoutColumn("local_authority_code", (f"Local Authority District code ({authority_year})",), needed=needs_authority),
            LayoutColumn("local_authority_name", (f"Local Authority District name ({authority_year})",), needed=False),
            LayoutColumn("imd_score", ("Index of Multiple Deprivation (IMD) Score*",), as_number, needed=False),
            LayoutColumn("imd_rank", ("Index of Multiple Deprivation (IMD) Rank*",), as_whole),
            LayoutColumn("imd_decile", ("Index of Multiple Deprivation (IMD) Decile*",), as_whole),
            *(LayoutColumn(name, (header,), as_whole, needed=False) for name, header in DOMAINS.items()),
            LayoutColumn("population_count", ("Total population*",), as_whole, needed=False),
        )
    )


LAYOUT_2019 = layout("2011", "lsoa11", "2019", needs_authority=True)
LAYOUT_2025 = layout("2021", "lsoa21", "2024", needs_authority=False)
OLDER_EDITIONS = {"2013": "2015", "2009": "2010"}
"""Year of the local authority codes in the headers -> IMD edition that is not read here."""


def refuse_older_edition(head: FileHead) -> None:
    """Refuse (FileRefused) a file whose headers are those of IMD 2015 or older, by name, because its ranks would pass for those of 2019."""
    keys = [header_key(column) for column in head.columns]
    if not any(key.startswith("index of multiple deprivation (imd) rank") for key in keys):
        return
    years = {found.group(1) for key in keys if (found := re.match(r"local authority district code \((\d{4})\)", key))}
    for year in sorted(years & OLDER_EDITIONS.keys()):
        name = head.name if isinstance(head, OpenedHead) else file_told(head.path.name)
        raise FileRefused(
            f"{name}: looks like IMD {OLDER_EDITIONS[year]} (its header says Local Authority District code ({year})); expected IMD 2019 "
            "(local authorities of 2019) or IMD 2025 (LSOA code (2021)); give one of those editions"
        )


def _recogniser(layout: Layout) -> Callable[[FileHead], Recognised | None]:
    def recognise(head: FileHead) -> Recognised | None:
        """By LSOA code, rank and decile headers of this edition; `richness` grows with scores, domains and populations."""
        if header_key(layout.columns[0].published) not in map(header_key, head.columns):
            return None
        refuse_older_edition(head)
        return recognised(layout, head)

    return recognise


def _reader(layout: Layout) -> Callable[[FileHead], pa.Table]:
    def read(head: FileHead) -> pa.Table:
        """One row per LSOA."""
        return read_layout(layout, head)

    return read


SOURCE = (
    SourceSpec(
        contract="reference/imd_2019",
        expects="IMD 2019 by LSOA 2011 (File 1 or File 7 of the English Indices of Deprivation 2019, CSV or .xlsx)",
        recognise=_recogniser(LAYOUT_2019),
        read=_reader(LAYOUT_2019),
    ),
    SourceSpec(
        contract="reference/imd_2025",
        expects="IMD 2025 by LSOA 2021 (File 1, 3 or 7 of the English Indices of Deprivation 2025, CSV or .xlsx)",
        recognise=_recogniser(LAYOUT_2025),
        read=_reader(LAYOUT_2025),
    ),
)
