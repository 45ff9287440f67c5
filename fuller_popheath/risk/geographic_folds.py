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


@dataclass(frozen=True)
class GeographicFold:
    """One group of PCNs left out: `fit` and `calibrate` are the set's rows of other groups, `validate` its rows of this one."""

    group: int
    pcn_codes: tuple[str, ...]
    fit: Rows
    calibrate: Rows
    validate: Rows


def pcn_groups(pcn_codes: pa.Array | pa.ChunkedArray, seed: int, groups: int = GROUPS) -> dict[str, int]:
    """The group, from 0, of each PCN that occurs: in an order that the seed draws, dealt out in turn, so that groups differ by one PCN at most."""
    codes = pcn_codes.unique().drop_null()
    names = sorted(zip(person_share(codes, seed, DEALING).tolist(), codes.to_pylist(), strict=True))
    return {code: place % groups for place, (_, code) in enumerate(names)}


def geographic_folds(given: TrainingSet, seed: int, groups: int = GROUPS) -> Iterator[GeographicFold]:
    """Each group of PCNs in turn; one after the other, because each is as large as the set.

    Rows of people without a PCN (code U) are a group's like any other. Raises InputMissing where there are fewer PCNs than two.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = (given.fit, given.calibrate, given.validate)
    dealt = pcn_groups(pa.chunked_array([pa.concat_arrays(part.places["pcn_code"].unique() for part in parts)]), seed, groups)
    if len(dealt) < 2:
        raise InputMissing(f"{given.outcome}, {given.age_group}: all people are of one PCN, so no other place is there to judge the model in")
    group_of = [_group_of(part, dealt) for part in parts]
    for group in range(min(groups, len(dealt))):
        fit, calibrate = (rows_where(part, of != group) for part, of in zip(parts[:2], group_of[:2], strict=True))
        met = pa.concat_arrays([part.places["person_id"].combine_chunks() for part in (fit, calibrate)])
        is_new = ~np.asarray(pc.is_in(given.validate.places["person_id"], value_set=met).to_numpy(), dtype=bool)
        validate = rows_where(given.validate, (group_of[2] == group) & is_new)
        yield GeographicFold(group, tuple(sorted(code for code, of in dealt.items() if of == group)), fit, calibrate, validate)


def rows_where(rows: Rows, chosen: np.ndarray) -> Rows:
    """Those of some rows that are chosen (bool, one a row)."""
    import pyarrow as pa

    keep = pa.array(np.flatnonzero(chosen))
    return Rows(rows.index_date, rows.features.take(keep), rows.has_outcome[chosen], rows.places.take(keep))


def _group_of(rows: Rows, dealt: dict[str, int]) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    places = pc.index_in(rows.places["pcn_code"], value_set=pa.array(list(dealt), pa.string())).fill_null(-1).to_numpy()
    return np.asarray(np.append(np.array(list(dealt.values()), dtype=np.int64), -1)[places])
