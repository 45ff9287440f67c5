"""IMD File 7 of both editions, in the published columns: scores, ranks and deciles of the index, its domains and sub-domains, and populations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.synthetic.deprivation import LSOAS_2019, LSOAS_2025, decile, ranks

if TYPE_CHECKING:
    import pyarrow as pa

RANK_WORDS = "Rank (where 1 is most deprived)"
DECILE_WORDS = "Decile (where 1 is most deprived 10% of LSOAs)"

INDEX = "Index of Multiple Deprivation (IMD)"
SCORE_POINTS = (
    (0.0, 94.0), (0.01, 68.6), (0.05, 54.0), (0.1, 44.4), (0.2, 33.4), (0.3, 26.6), (0.4, 21.5), (0.5, 17.5),
    (0.6, 14.2), (0.7, 11.2), (0.8, 8.5), (0.9, 5.7), (0.95, 4.0), (0.99, 2.2), (1.0, 0.4),
)  # fmt: skip
"""Share of LSOAs and the IMD score there, rounded from both published editions (they differ by under 2 points)."""


@dataclass(frozen=True)
class _Measure:
    """One domain: its name, how closely it follows the index (made up, near the 2019 correlations), its kind of score, the word after Score."""

    name: str
    likeness: float
    kind: str  # rate | points | normal
    suffix: str = ""


DOMAINS = (
    _Measure("Income", 0.95, "rate", " (rate)"),
    _Measure("Employment", 0.92, "rate", " (rate)"),
    _Measure("Education, Skills and Training", 0.82, "points"),
    _Measure("Health Deprivation and Disability", 0.84, "normal"),
    _Measure("Crime", 0.72, "normal"),
    _Measure("Barriers to Housing and Services", 0.14, "points"),
    _Measure("Living Environment", 0.38, "points"),
    _Measure("Income Deprivation Affecting Children Index (IDACI)", 0.90, "rate", " (rate)"),
    _Measure("Income Deprivation Affecting Older People (IDAOPI)", 0.88, "rate", " (rate)"),
    _Measure("Children and Young People Sub-domain", 0.78, "normal"),
    _Measure("Adult Skills Sub-domain", 0.82, "rate"),
    _Measure("Geographical Barriers Sub-domain", -0.25, "normal"),
    _Measure("Wider Barriers Sub-domain", 0.55, "normal"),
    _Measure("Indoors Sub-domain", 0.30, "normal"),
    _Measure("Outdoors Sub-domain", 0.35, "normal"),
)

POPULATION_2019 = (
    ("Total population: mid 2015 (excluding prisoners)", 1.0),
    ("Dependent Children aged 0-15: mid 2015 (excluding prisoners)", 0.19),
    ("Population aged 16-59: mid 2015 (excluding prisoners)", 0.58),
    ("Older population aged 60 and over: mid 2015 (excluding prisoners)", 0.23),
    ("Working age population 18-59/64: for use with Employment Deprivation Domain (excluding prisoners)", 0.585),
)
POPULATION_2025 = (
    ("Total population: mid 2022", 1.0),
    ("Dependent Children aged 0-15: mid 2022", 0.18),
    ("Older population aged 60 and over: mid 2022", 0.25),
    ("Working age population 18-66 (for use with Employment Deprivation Domain): mid 2022", 0.61),
)


@dataclass(frozen=True)
class Areas:
    """The areas one edition ranks, one row each: code, name, local authority code and name, people, and normal score of the national rank."""

    codes: list[str]
    names: list[str]
    lad_codes: list[str]
    lad_names: list[str]
    people: np.ndarray
    score: np.ndarray


def file_7(rng: np.random.Generator, areas: Areas, edition: str) -> pa.Table:
    """File 7 of one edition ("2019" or "2025"), one row an area, with the published headings: 57 columns for 2019, 56 for 2025.

    Scores fall as ranks rise; deciles are ceil(rank x 10 / N). Domains hang on the index as closely as they do in England, and are otherwise
    made up.
    """
    import pyarrow as pa

    ranked, vintage, lad_year = (LSOAS_2019, "2011", "2019") if edition == "2019" else (LSOAS_2025, "2021", "2024")
    columns: dict[str, object] = {
        f"LSOA code ({vintage})": areas.codes,
        f"LSOA name ({vintage})": areas.names,
        f"Local Authority District code ({lad_year})": areas.lad_codes,
        f"Local Authority District name ({lad_year})": areas.lad_names,
    }
    rank = ranks(areas.score, ranked)
    columns[f"{INDEX} Score"] = np.round(np.interp(rank / ranked, *np.array(SCORE_POINTS).T), 3)
    columns[f"{INDEX} {RANK_WORDS}"] = rank
    columns[f"{INDEX} {DECILE_WORDS}"] = decile(rank, ranked)
    for measure in DOMAINS:
        own = measure.likeness * areas.score + np.sqrt(1 - measure.likeness**2) * rng.normal(size=len(areas.codes))
        rank = ranks(own, ranked)
        columns[f"{measure.name} Score{measure.suffix}"] = _score(measure.kind, rank / ranked)
        columns[f"{measure.name} {RANK_WORDS}"] = rank
        columns[_decile_heading(measure.name, edition)] = decile(rank, ranked)
    total = np.round(areas.people).astype(np.int64)
    for heading, share in POPULATION_2019 if edition == "2019" else POPULATION_2025:
        columns[heading] = total if share == 1.0 else np.round(total * share * rng.uniform(0.9, 1.1, len(total))).astype(np.int64)
    return pa.table(columns)


def _decile_heading(name: str, edition: str) -> str:
    """As published: in 2025 one sub-domain's decile heading is cut at 80 characters."""
    heading = f"{name} {DECILE_WORDS}"
    return heading[:80] if edition == "2025" and name.startswith("Children and Young People") else heading


def _score(kind: str, share: np.ndarray) -> np.ndarray:
    """A domain score that falls with its rank: a rate between 0 and 0.6, points between 0 and 90, or a standard normal number."""
    from scipy.stats import norm

    if kind == "rate":
        return np.round(0.004 + 0.55 * (1 - share) ** 2.6, 3)
    if kind == "points":
        return np.round(0.1 + 88 * (1 - share) ** 3, 3)
    return np.round(-0.85 * norm.ppf(np.clip(share, 1e-5, 1 - 1e-5)), 3)
