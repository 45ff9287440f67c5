"""Published weights and groupings that are facts, each with its source in its file: the Cambridge score, Charlson, the electronic frailty index.

Which of our clusters serve a published condition is our own choice and stands beside it. What does not belong here: computing a score from them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class CambridgeCondition:
    """One of the 20 conditions of the Cambridge Multimorbidity Score (Payne 2020): its rule in words, our clusters, its general-outcome weight."""

    code: str
    condition: str
    clusters: tuple[str, ...]
    rule: str
    weight_general_20: float


@dataclass(frozen=True)
class CharlsonCondition:
    """One of the 17 conditions of the Charlson index: our clusters, its weight of 1987 and of Quan 2011.

    `nothing_beside` names the condition beside which this one counts nothing (mild liver disease beside severe). The weights of 2011 are not
    verified row by row (`is_quan_2011_verified`); only their maximum of 24 is.
    """

    condition: str
    clusters: tuple[str, ...]
    weight_1987: int
    weight_quan_2011: int
    is_quan_2011_verified: bool
    nothing_beside: str


@dataclass(frozen=True)
class FrailtyDeficit:
    """One of the 36 deficits of the electronic frailty index (Clegg 2016) and our clusters; polypharmacy has none, it is counted from medicines."""

    number: int
    deficit: str
    clusters: tuple[str, ...]


@cache
def cambridge_20() -> tuple[CambridgeCondition, ...]:
    """The 20 conditions with general-outcome weights. Source: Payne RA et al., CMAJ 2020;192:E107-14 (PMC7004217)."""
    return tuple(
        CambridgeCondition(row["code"], row["condition"], _several(row["clusters"]), row["rule"], float(row["weight_general_20"]))
        for row in _rows("cambridge_20.csv")
    )


@cache
def charlson() -> tuple[CharlsonCondition, ...]:
    """The 17 conditions. Source: Charlson ME et al., J Chronic Dis 1987;40:373-83; Quan H et al., Am J Epidemiol 2011;173:676-82."""
    return tuple(
        CharlsonCondition(
            row["condition"],
            _several(row["clusters"]),
            int(row["weight_1987"]),
            int(row["weight_quan_2011"]),
            row["quan_2011_verified"] == "true",
            row["nothing_beside"],
        )
        for row in _rows("charlson.csv")
    )


@cache
def charlson_icd10() -> tuple[tuple[str, str], ...]:
    """(condition, beginning of an ICD-10 code without its dot): 289 rows.

    Source: Quan H et al., Med Care 2005;43:1130-9, table 1, enhanced ICD-10; compared with two published implementations (the R package
    comorbidity, and MIT-LCP mimic-code), which agree with each other but for a typing error (E10l) in the second.
    """
    return tuple((row["condition"], row["icd10_prefix"]) for row in _rows("charlson_icd10.csv"))


@cache
def efi_36() -> tuple[FrailtyDeficit, ...]:
    """The 36 deficits in their published order. Source: Clegg A et al., Age and Ageing 2016;45:353-60."""
    return tuple(FrailtyDeficit(int(row["n"]), row["deficit"], _several(row["clusters"])) for row in _rows("efi_36.csv"))


def _several(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
