"""People per practice and national quintile from counts per practice and LSOA.

People on a code that lies in one quintile count whole. A code that several LSOAs of the edition share may lie in several quintiles: such people
are added up per practice and quintile as fractions and made whole once, by largest remainder, so that a practice's total is kept exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.engine import Engine
from fuller_popheath.methods.allocation import largest_remainder

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    import pandas as pd
    import pyarrow as pa

QUINTILES = (1, 2, 3, 4, 5)
Q_COLUMNS = tuple(f"q{quintile}_count" for quintile in QUINTILES)
MILLION = 1_000_000
UNCHANGED = ("U", "none")


def quintile_counts(counts: pa.Table, area_deprivation: pa.Table) -> pd.DataFrame:
    """One row per edition in `area_deprivation` and practice in `counts`.

    `counts`: practice_code, lsoa_code, registered_count and registrations_extract of `core/registered_count`; one row per practice and LSOA.
    Returns imd_edition, practice_code, registered_count, matched_count, unmatched_count, q1_count .. q5_count, redrawn_q1_count, imd_score_sum,
    scored_count, registrations_extract, and english_count: the people on any English LSOA code, known to the edition or not.
    """
    editions = sorted(area_deprivation["imd_edition"].unique().to_pylist())
    with Engine.duckdb() as engine:
        people = engine.table("people", counts.select(["practice_code", "lsoa_code", "registered_count", "registrations_extract"]))
        people = people.rename(people="registered_count", extract="registrations_extract")
        codes = engine.table("codes", _codes(area_deprivation, editions))
        totals = engine.collect(_practice_totals(people).order_by("practice_code"), "adding up the people of each practice")
        cells = engine.collect(_cell_counts(people, codes), "adding up the people of each practice and quintile")
    return _whole_people(totals, cells, editions)


def _codes(area_deprivation: pa.Table, editions: list[str]) -> pa.Table:
    """A row per edition, LSOA code and quintile, with the share of the code's people; `weight` and scores count once per code, on one of its rows.

    Edition, quintile, whether the code lies in one quintile, and whether it was redrawn are packed in one whole number, `cell`: one key to
    group by instead of four. Scores travel as whole millionths, so that sums do not depend on the order in which threads add them.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = area_deprivation.select(["imd_edition", "lsoa_code", "imd_quintile", "share", "imd_score"])
    redrawn = pc.invert(pc.is_in(area_deprivation["change_code"], value_set=pa.array(UNCHANGED)))
    edition = pc.index_in(parts["imd_edition"], value_set=pa.array(editions))
    parts = parts.append_column("edition", edition).append_column("is_redrawn", redrawn).drop_columns("imd_edition")
    # A share of nobody adds nobody; of what is left, a share of 1 is a code that rests on one LSOA, as nearly every code does.
    parts = parts.filter(pc.greater(parts["share"], 0))
    alone = pc.equal(parts["share"], 1)
    single, several = parts.filter(alone), parts.filter(pc.invert(alone))
    score = single["imd_score"].to_numpy()
    singles = pa.table(
        {
            "lsoa_code": single["lsoa_code"],
            "cell": _cell(single["edition"].to_numpy(), single["imd_quintile"].to_numpy(), single["is_redrawn"].to_numpy(), np.True_),
            "share": single["share"],
            "weight": np.ones(single.num_rows, dtype=np.int64),
            "scored": np.where(np.isnan(score), 0, MILLION),
            "scores": np.rint(np.nan_to_num(score) * MILLION).astype(np.int64),
        }
    )
    return pa.concat_tables([singles, _shared_codes(several).cast(singles.schema)])


def _shared_codes(parts: pa.Table) -> pa.Table:
    """The codes that rest on several LSOAs: a row per edition, code and quintile; one that lies in one quintile after all counts whole."""
    import numpy as np
    import pyarrow as pa

    code = parts["lsoa_code"].combine_chunks().dictionary_encode()
    edition, quintile, redrawn, share, score = (parts[name].to_numpy() for name in ("edition", "imd_quintile", "is_redrawn", "share", "imd_score"))
    codes = max(len(code.dictionary), 1)
    keys, key = np.unique(edition.astype(np.int64) * codes + code.indices.to_numpy(), return_inverse=True)
    grid = np.bincount(key * len(QUINTILES) + quintile - 1, share, minlength=len(keys) * len(QUINTILES)).reshape(-1, len(QUINTILES))
    # Row-wise order: the first quintile of each code comes first, and carries what counts once per code.
    row, column = np.nonzero(grid)
    first = np.diff(row, prepend=-1) > 0
    once = {
        "scored": np.bincount(key, np.where(np.isnan(score), 0.0, share), minlength=len(keys)),
        "scores": np.bincount(key, np.nan_to_num(score) * share, minlength=len(keys)),
    }
    is_redrawn = np.bincount(key, redrawn, minlength=len(keys)) > 0
    is_whole = np.count_nonzero(grid, axis=1) == 1
    return pa.table(
        {
            "lsoa_code": code.dictionary.take(pa.array(keys[row] % codes)),
            "cell": _cell(keys[row] // codes, column + 1, is_redrawn[row], is_whole[row]),
            "share": grid[row, column],
            "weight": first.astype(np.int64),
            **{name: np.rint(MILLION * values).astype(np.int64)[row] * first for name, values in once.items()},
        }
    )


def _cell(edition: np.ndarray, quintile: np.ndarray, is_redrawn: np.ndarray, is_whole: np.ndarray | np.bool) -> np.ndarray:
    import numpy as np

    return (edition.astype(np.int64) * len(QUINTILES) + quintile - 1) * 4 + 2 * is_redrawn + is_whole


def _practice_totals(people: ir.Table) -> ir.Table:
    english = people.lsoa_code.startswith("E01")
    return people.group_by("practice_code").agg(
        registered_count=people.people.sum().cast("int64"),
        english_count=english.ifelse(people.people, 0).sum().cast("int64"),
        registrations_extract=people.extract.max(),
    )


def _cell_counts(people: ir.Table, codes: ir.Table) -> ir.Table:
    joined = people.inner_join(codes, "lsoa_code")
    return joined.group_by(["practice_code", "cell"]).agg(
        matched=(joined.people * joined.weight).sum().cast("int64"),
        shared=(joined.people * joined.share).sum(),
        scored=(joined.people * joined.scored).sum().cast("int64"),
        scores=(joined.people * joined.scores).sum().cast("int64"),
    )


def _whole_people(totals: pa.Table, cells: pa.Table, editions: list[str]) -> pd.DataFrame:
    """Unpack the cells into a grid of (edition and practice) x quintile; a practice without any match has a row too."""
    import numpy as np
    import pandas as pd
    import pyarrow.compute as pc

    practices, rows = totals.num_rows, totals.num_rows * len(editions)
    practice = pc.index_in(cells["practice_code"], value_set=totals["practice_code"]).to_numpy()
    cell = cells["cell"].to_numpy()
    is_whole, is_redrawn = cell % 2 == 1, cell // 2 % 2 == 1
    row, quintile = cell // (4 * len(QUINTILES)) * practices + practice, cell // 4 % len(QUINTILES)

    def grid(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        flat = np.bincount((row * len(QUINTILES) + quintile)[chosen], values[chosen], minlength=rows * len(QUINTILES))
        return flat.reshape(rows, len(QUINTILES))

    # Sums of whole numbers stay exact in floats far beyond the population of any country (2 ** 53).
    people = cells["matched"].to_numpy()
    matched = np.bincount(row, people, minlength=rows).astype(np.int64)
    whole = grid(people, is_whole).astype(np.int64)
    shared = largest_remainder(grid(cells["shared"].to_numpy(), ~is_whole), matched - whole.sum(axis=1))
    redrawn_q1 = grid(people, is_whole & is_redrawn)[:, 0].astype(np.int64)
    frame = totals.to_pandas()
    made = pd.concat([frame.assign(imd_edition=name) for name in editions], ignore_index=True)
    made[list(Q_COLUMNS)] = whole + shared
    return made.assign(
        matched_count=matched,
        unmatched_count=made["registered_count"] - matched,
        # Every code that is shared was redrawn.
        redrawn_q1_count=redrawn_q1 + shared[:, 0],
        imd_score_sum=np.bincount(row, cells["scores"].to_numpy(), minlength=rows) / MILLION,
        scored_count=np.bincount(row, cells["scored"].to_numpy(), minlength=rows) / MILLION,
    )
