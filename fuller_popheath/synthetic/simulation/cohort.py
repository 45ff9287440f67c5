"""The people of one practice as the simulation sees them: what is known about them, and hidden traits that no record ever holds.

Grain: one row a registration in the practice's list. Days are day numbers (days since 1970-01-01); a period is half open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuller_popheath.synthetic.simulation.chance import Luck

NEVER = 10_000_000
"""A day that does not come: later than every real one."""

YEAR = 365.25

INCLUSION_SHARE = 0.004
"""Share of people in an inclusion-health group (homeless, or otherwise hardly in contact): made up."""
INCLUSION_AMONG_UNNUMBERED = 0.5
CHILD_SHARE = 0.04
"""Share of children who come to hospital often without any long-term condition; more of them in deprived areas (made up)."""
FRAILTY_OF_DYING = 0.55
"""Log hazard ratio of death for one standard deviation of hidden frailty, so the dead were frailer by as many standard deviations."""


@dataclass(frozen=True)
class PracticeJob:
    """All that is needed to simulate one practice in a process of its own: its facts, and one row a registration in the list's order.

    `number`: a person's NHS number, also where the list leaves it out (`has_number` False). `deprivation`: 1 for the most deprived area of England,
    0 for the least. `known_until`: the day the person left the place or died, else NEVER. `is_last`: the row that hospital records follow.
    `usual_gp`: position in `gps`, -1 for none.
    """

    seed: int
    today: int
    years: int
    code: str
    supplier: str
    gps: tuple[str, ...]
    provider: str
    other_provider: str
    number: np.ndarray
    has_number: np.ndarray
    born: np.ndarray
    is_female: np.ndarray
    ethnicity: np.ndarray
    deprivation: np.ndarray
    arrived: np.ndarray
    start: np.ndarray
    end: np.ndarray
    death: np.ndarray
    is_last: np.ndarray
    is_temporary: np.ndarray
    usual_gp: np.ndarray

    @property
    def first_day(self) -> int:
        """The first day of the records."""
        return self.today - round(self.years * YEAR)


@dataclass(frozen=True)
class Cohort:
    """The people of a practice with their hidden traits. One row a registration; see PracticeJob for what is known.

    `frailty`, `bad_luck` (admissions), `asking` (contacts) and `rushing` (ED) are standard normal. `from_day` to `until` is what the practice can
    have recorded in the years simulated, `here_from` to `here_until` what the area's hospitals can. `is_dying`: dies before today.
    """

    job: PracticeJob
    luck: Luck
    quintile: np.ndarray
    is_asian: np.ndarray
    is_black: np.ndarray
    frailty: np.ndarray
    bad_luck: np.ndarray
    asking: np.ndarray
    rushing: np.ndarray
    is_inclusion: np.ndarray
    is_busy_child: np.ndarray
    is_dying: np.ndarray
    from_day: np.ndarray
    until: np.ndarray
    here_from: np.ndarray
    here_until: np.ndarray

    def __len__(self) -> int:
        return len(self.frailty)

    def age(self, day: int | np.ndarray) -> np.ndarray:
        """Age in years (with a fraction) of everyone on a day, or of each on their own."""
        return (day - self.job.born) / YEAR

    def steps(self) -> np.ndarray:
        """The borders of the half-years that the simulation takes, first day first and today last."""
        count = 2 * self.job.years
        return np.array([self.job.today - round((count - number) * YEAR / 2) for number in range(count + 1)])


def form_cohort(job: PracticeJob) -> Cohort:
    """Give everyone their hidden traits. The dead are frailer than those who live, as proportional hazards make them."""
    luck = Luck.of(job.seed, job.number)
    is_dying = job.death < NEVER
    chance = np.where(job.has_number, INCLUSION_SHARE - 0.0005, INCLUSION_AMONG_UNNUMBERED) * np.exp(1.2 * (job.deprivation - 0.6))
    adult = (job.today - job.born) > 17 * YEAR
    last_day = np.minimum(job.today, np.where(is_dying, job.death + 1, NEVER))
    until = np.minimum(last_day, job.end)
    here_until = np.where(job.is_last, until, 0)
    return Cohort(
        job=job,
        luck=luck,
        quintile=np.clip(np.ceil((1 - job.deprivation) * 5), 1, 5).astype(np.int64),
        is_asian=np.isin(job.ethnicity, ("H", "J", "K", "L")),
        is_black=np.isin(job.ethnicity, ("M", "N", "P")),
        frailty=luck.normal("frailty") + FRAILTY_OF_DYING * is_dying,
        bad_luck=luck.normal("bad luck"),
        asking=luck.normal("asking"),
        rushing=luck.normal("rushing"),
        is_inclusion=(luck.uniform("inclusion") < chance) & adult,
        is_busy_child=luck.uniform("busy child") < CHILD_SHARE * np.exp(1.0 * (job.deprivation - 0.5)),
        is_dying=is_dying,
        from_day=np.maximum(job.start, job.first_day),
        until=until,
        here_from=np.maximum(job.arrived, job.first_day),
        here_until=here_until,
    )
