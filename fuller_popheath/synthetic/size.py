"""How big a make-believe place is: one number of people decides everything else."""

from __future__ import annotations

from dataclasses import dataclass

from fuller_popheath.errors import SettingsWrong

PEOPLE_PER_PRACTICE = 10_000
PEOPLE_PER_LSOA = 1_600
PRACTICES_PER_PCN = 4
SMALLEST = 500
LARGEST = 2_400_000
"""More people would need more codes and names than there are."""

LEFT_SHARE = 0.14
"""People whose registration ended in the last five years because they moved out of the area, per person now registered (made up)."""
DIED_SHARE = 0.045
"""People registered here who died in the last five years, per person now registered: about 0.9 % a year (made up, near England's crude rate)."""


@dataclass(frozen=True)
class Size:
    """How many of each thing the place has. `people` are those registered and alive on the day; the lists hold leavers and the dead besides."""

    people: int
    left: int
    died: int
    practices: int
    pcns: int
    lsoas: int

    @property
    def persons(self) -> int:
        """Everyone who stands in a practice list, each counted once."""
        return self.people + self.left + self.died


def size_for(people: int) -> Size:
    """The size of a place with so many registered people: about 10,000 a practice, 4 practices a PCN and 1,600 people an LSOA.

    Small places keep at least 4 PCNs, 8 practices and 40 LSOAs, so that every shape of the data still occurs.
    Raises SettingsWrong below 500 people and above 2.4 million.
    """
    size = Size(
        people=people,
        left=round(people * LEFT_SHARE),
        died=round(people * DIED_SHARE),
        practices=max(8, round(people / PEOPLE_PER_PRACTICE)),
        pcns=max(4, round(people / PEOPLE_PER_PRACTICE / PRACTICES_PER_PCN)),
        lsoas=max(40, round(people / PEOPLE_PER_LSOA)),
    )
    if people < SMALLEST:
        raise SettingsWrong(f"a make-believe place of {people:,} people is too small to show anything; ask for at least {SMALLEST:,}")
    if people > LARGEST:
        raise SettingsWrong(f"a make-believe place of {people:,} people would need more codes and names than there are; ask for at most {LARGEST:,}")
    return size
