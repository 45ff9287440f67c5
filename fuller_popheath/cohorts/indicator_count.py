"""Exact numerators and denominators of every indicator, by area and national deprivation quintile. Internal: small numbers stand in it as they are.

Everything adds up: PCNs to their place and ICB, and quintiles (those without one are `none`) to all. Practices and LSOAs are there for all quintiles
together (`small_areas.py`). What does not belong here: who is counted (`indicator_flags.py`), what leaves the house (`indicators_shown.py`) and
intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.cohorts.indicator_flags import Indicators, columns_read, flags
from fuller_popheath.cohorts.person_columns import PERSON
from fuller_popheath.cohorts.segment_counts import ALL, AREAS, EDITIONS, smallest_areas
from fuller_popheath.cohorts.small_areas import small_areas
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.people.statistics import of_statistics
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

CONTRACT = "core/indicator_count"
PRACTICES = "core/neighbourhood_practice"
QUINTILES = ("none", "1", "2", "3", "4", "5", "all")
"""In the order of their codes: 0 is nobody's quintile."""


def build(indicators: Indicators, inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition, area, quintile and indicator, nought included. Raises as `indicator_flags.flags` does."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    person = inputs[PERSON]
    areas, area = smallest_areas(person, inputs[PRACTICES])
    quintile = {edition: np.nan_to_num(person[f"imd_{edition}_quintile"].cast(pa.float64()).to_numpy()).astype(np.int64) for edition in EDITIONS}
    cell = {edition: area * 6 + number for edition, number in quintile.items()}
    size = len(areas) * 6
    counts: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
    small, small_counts = small_areas(person, areas, area), []
    for spec, is_in, has in flags(indicators, inputs, night):
        inside, done = np.flatnonzero(is_in), np.flatnonzero(has)
        for edition, number in cell.items():
            counts[edition, spec.name] = (np.bincount(number[done], minlength=size), np.bincount(number[inside], minlength=size))
        small_counts += [_small_rows(spec.name, kind, codes, at[done], at[inside]) for kind, (codes, at) in small.items()]
    rows = pd.concat([rows_of(areas, counts), *small_counts], ignore_index=True).assign(as_of=night.as_of)
    rows["age_group"] = rows["indicator_id"].map({name: spec.age_group for name, spec in indicators.items()})
    return conform(pa.Table.from_pandas(rows, preserve_index=False), load_contract(CONTRACT))


def _small_rows(indicator: str, area_type: str, codes: list[str], done: np.ndarray, inside: np.ndarray) -> pd.DataFrame:
    """Rows of one indicator by practice or LSOA, for everybody of it, once for each edition. `done`, `inside`: positions of the people counted."""
    import numpy as np
    import pandas as pd

    numerator, denominator = (np.bincount(at, minlength=len(codes))[: len(codes)] for at in (done, inside))
    told = {"numerator": numerator, "denominator": denominator, "area_code": codes}
    same = {"area_type": area_type, "indicator_id": indicator, "quintile": ALL}
    return pd.concat([pd.DataFrame(told).assign(imd_edition=edition, **same) for edition in EDITIONS], ignore_index=True)


def rows_of(areas: pd.DataFrame, counts: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Long rows of counts by smallest area and quintile, summed up to every area and to all quintiles.

    `counts`: by edition and indicator the numerator and denominator of each smallest area and quintile code (0 to 5), areas first.
    """
    import numpy as np
    import pandas as pd

    frames = []
    keys = list(counts)
    # [edition and indicator, numerator or denominator, smallest area, quintile]
    small = np.array([counts[key] for key in keys], dtype=np.int64).reshape(len(keys), 2, len(areas), 6)
    for area_type in AREAS:
        codes, place = np.unique(areas[area_type].to_numpy(dtype=str), return_inverse=True)
        summed = np.zeros((len(keys), 2, len(codes), 6), dtype=np.int64)
        for number, position in enumerate(place):
            summed[:, :, position] += small[:, :, number]
        full = np.concatenate([summed, summed.sum(axis=3, keepdims=True)], axis=3)
        index = pd.MultiIndex.from_product([range(len(keys)), codes, QUINTILES], names=["key", "area_code", "quintile"])
        frames.append(
            pd.DataFrame({"numerator": full[:, 0].ravel(), "denominator": full[:, 1].ravel()}, index=index).reset_index().assign(area_type=area_type)
        )
    rows = pd.concat(frames, ignore_index=True)
    for position, name in enumerate(("imd_edition", "indicator_id")):
        rows[name] = np.array([key[position] for key in keys], dtype=object)[rows["key"].to_numpy()] if keys else ""
    return rows.drop(columns="key")


def table_of(indicators: Indicators) -> TableSpec:
    """The table that these indicators make: it reads what they read."""
    columns = columns_read(indicators)
    inputs = tuple(dict.fromkeys((PERSON, PRACTICES, *columns)))
    return of_statistics(TableSpec(contract=CONTRACT, inputs=inputs, build=partial(build, indicators), columns=columns))


TABLE = table_of(registry.indicators())
