"""The rules by which counts of people are hidden and rounded, as data: `rules.csv`, one line a rule, each with its source.

What does not belong here: hiding and rounding (`controlled_counts.py`), and which rule a site has chosen (`site_disclosure.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from fuller_popheath.errors import SettingsWrong

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Rule:
    """One rule. Counts from 1 (`hides_nought`: from 0) to `largest_hidden` are hidden, all others rounded to the nearest `rounded_to`.

    `least_possible`: of a count that is hidden for being small, whoever knows everything that is shown must be left with so many possible small
    counts, or others are hidden too. It is our own choice (`small_numbers.LEAST_POSSIBLE`), no source gives one. `is_for_areas`: may be used below
    the whole country. `words` says on a page what it does.
    """

    name: str
    largest_hidden: int
    hides_nought: bool
    rounded_to: int
    least_possible: int
    is_for_areas: bool
    words: str
    source: str

    @property
    def least_shown(self) -> int:
        """The smallest count of people, nought apart, that is shown."""
        return self.largest_hidden + 1


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its name."""
    with (HERE / "rules.csv").open(encoding="utf-8", newline="") as lines:
        found = [
            Rule(
                name=line["name"],
                largest_hidden=int(line["largest_hidden"]),
                hides_nought=line["hides_nought"] == "true",
                rounded_to=int(line["rounded_to"]),
                least_possible=int(line["least_possible"]),
                is_for_areas=line["is_for_areas"] == "true",
                words=line["words"],
                source=line["source"],
            )
            for line in csv.DictReader(lines)
        ]
    return MappingProxyType({rule.name: rule for rule in found})


def rule_named(name: str) -> Rule:
    """The rule of that name. Raises SettingsWrong naming the rules there are."""
    if name not in rules():
        raise SettingsWrong(f"there is no disclosure rule {name}; there are {', '.join(rules())}")
    return rules()[name]
