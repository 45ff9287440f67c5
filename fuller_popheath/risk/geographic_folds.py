"""Validation in another place: PCNs dealt into groups, each in turn left out of fitting and recalibration, and judged on.

Nobody stands on both sides of a split: whoever moved from one group's PCN to another's between the two index dates is judged in neither.
What does not belong here: fitting, and figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import InputMissing
from fuller_popheath.risk.person_share import person_share
from fuller_popheath.risk.training_sets import Rows, TrainingSet

if TYPE_CHECKING:
    import pyarrow as pa

GROUPS = 5
DEALING = "dealing of PCNs"


@dataclass(frozen=True, eq=False)
class GeographicFold:
    """One group of PCNs left out. Positions of people, rising: `fit` in the set's rows to fit on, of other groups; `calibrate` in its rows to judge,
    of other groups; `validate` in its rows to judge, of this group."""

    group: int
    pcn_codes: tuple[str, ...]
    fit: np.ndarray
    calibrate: np.ndarray
    validate: np.ndarray


def pcn_groups(pcn_codes: pa.Array | pa.ChunkedArray, seed: int, groups: int = GROUPS) -> dict[str, int]:
    """The group, from 0, of each PCN that occurs: in an order that the seed draws, dealt out in turn, so that groups differ by one PCN at most."""
    codes = pcn_codes.unique().drop_null()
    names = sorted(zip(person_share(codes, seed, DEALING).tolist(), codes.to_pylist(), strict=True))
    return {code: place % groups for place, (_, code) in enumerate(names)}


def geographic_folds(given: TrainingSet, seed: int, groups: int = GROUPS) -> Iterator[GeographicFold]:
    """Each group of PCNs in turn.

    Rows of people without a PCN (code U) are a group's like any other. Raises InputMissing where there are fewer PCNs than two.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = (given.fit, given.validate)
    dealt = pcn_groups(pa.concat_arrays([part.places["pcn_code"].unique() for part in parts]), seed, groups)
    if len(dealt) < 2:
        raise InputMissing(f"{given.outcome}, {given.age_group}: all people are of one PCN, so no other place is there to judge the model in")
    before, now = (_group_of(part, dealt) for part in parts)
    fitted_at = pc.index_in(given.validate.places["person_id"], value_set=given.fit.places["person_id"].combine_chunks()).fill_null(-1).to_numpy()
    # Of whom no model was fitted on, -1; of others the group they belonged to then.
    group_then = np.where(fitted_at < 0, -1, before[fitted_at])
    for group in range(min(groups, len(dealt))):
        is_new = (group_then < 0) | (group_then == group)
        codes = tuple(sorted(code for code, of in dealt.items() if of == group))
        yield GeographicFold(group, codes, *(np.flatnonzero(kept) for kept in (before != group, now != group, (now == group) & is_new)))


def _group_of(rows: Rows, dealt: dict[str, int]) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    places = pc.index_in(rows.places["pcn_code"], value_set=pa.array(list(dealt), pa.string())).fill_null(-1).to_numpy()
    return np.asarray(np.append(np.array(list(dealt.values()), dtype=np.int64), -1)[places])
