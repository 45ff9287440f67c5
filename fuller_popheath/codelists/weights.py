"""Published weights and groupings that are facts, each with its source in its file: the Cambridge score, Charlson, the electronic frailty index.

These files are the one declaration: the features are built from them. Which of our clusters serve a published condition is our own choice and
stands beside it. What does not belong here: computing a score from them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class CambridgeCondition:
    """One of the 37 conditions of Payne 2020 (all but chronic sinusitis, for which there is no code list): its rule in words, and its weight.

    `clusters`: any of them, ever coded, is the condition; empty where the rule asks for more than a code (the feature group computes it).
    `hundredths`: the general-outcome weight of the 20-condition score in whole hundredths; None for a condition that is not among the 20.
    """

    code: str
    condition: str
    clusters: tuple[str, ...]
    rule: str
    hundredths: int | None


@dataclass(frozen=True)
class CharlsonCondition:
    """One of the 17 conditions of the Charlson index: our clusters and its weight of 1987.

    `nothing_beside` names the condition beside which this one counts nothing (mild liver disease beside severe), "" where there is none.
    """

    condition: str
    clusters: tuple[str, ...]
    weight: int
    nothing_beside: str


@dataclass(frozen=True)
class FrailtyDeficit:
    """One of the 36 deficits of the electronic frailty index (Clegg 2016) and our clusters; polypharmacy has none, it is counted from medicines."""

    number: int
    deficit: str
    clusters: tuple[str, ...]


@cache
def cambridge() -> tuple[CambridgeCondition, ...]:
    """The conditions of the Cambridge Multimorbidity Score, 20 of them with a weight. Source: Payne RA et al., CMAJ 2020;192:E107-14 (PMC7004217)."""
    return tuple(
        CambridgeCondition(row["code"], row["condition"], _several(row["clusters"]), row["rule"], _hundredths(row["weight_general_20"]))
        for row in _rows("cambridge.csv")
    )


@cache
def charlson() -> tuple[CharlsonCondition, ...]:
    """The 17 conditions. Source: Charlson ME et al., J Chronic Dis 1987;40:373-83."""
    return tuple(
        CharlsonCondition(row["condition"], _several(row["clusters"]), int(row["weight"]), row["nothing_beside"]) for row in _rows("charlson.csv")
    )


@cache
def efi_36() -> tuple[FrailtyDeficit, ...]:
    """The 36 deficits in their published order. Source: Clegg A et al., Age and Ageing 2016;45:353-60."""
    return tuple(FrailtyDeficit(int(row["n"]), row["deficit"], _several(row["clusters"])) for row in _rows("efi_36.csv"))


def _several(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


def _hundredths(text: str) -> int | None:
    return round(100 * float(text)) if text else None


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
