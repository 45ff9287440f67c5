"""The editions of the English Indices of Deprivation that can be used, and what is fixed about each."""

from __future__ import annotations

from dataclasses import dataclass

from fuller_popheath.specs import ContractId


@dataclass(frozen=True)
class Edition:
    """One edition of the Index of Multiple Deprivation (IMD).

    `vintage` is the census year of the LSOAs it is published on; `lsoa_count` how many of them England has, which is what its ranks run to:
    a constant of the edition, never counted from a file, because a file may hold one ICB only.
    """

    name: str
    vintage: str
    lsoa_count: int
    contract: ContractId

    @property
    def last_core20_rank(self) -> int:
        """The last rank of national quintile 1, which is Core20: quintile = ceil(rank x 5 / N), so rank <= N / 5."""
        return self.lsoa_count // 5

    @property
    def code_column(self) -> str:
        """The column of its own LSOA code: `lsoa11_code` or `lsoa21_code`."""
        return f"lsoa{self.vintage[2:]}_code"

    @property
    def other_code_column(self) -> str:
        """The column of the other vintage's LSOA code."""
        return "lsoa21_code" if self.vintage == "2011" else "lsoa11_code"


# Sources: File 1 of the English Indices of Deprivation 2019 and 2025 (one row an LSOA).
EDITIONS = (
    Edition(name="2019", vintage="2011", lsoa_count=32_844, contract="reference/imd_2019"),
    Edition(name="2025", vintage="2021", lsoa_count=33_755, contract="reference/imd_2025"),
)
