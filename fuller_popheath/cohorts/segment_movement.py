"""How many people moved from which segment to which since an earlier night, ICS-wide, as it may leave the house.

What does not belong here: which earlier night is meant, and finding its table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuller_popheath.cohorts.segment import rows_of
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.disclosure.controlled_counts import adds_up, control
from fuller_popheath.disclosure.rules import rule_named

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.disclosure.rules import Rule

CONTRACT = "products/segment_movement"
JOINED, LEFT, ALL = "not_registered_before", "not_registered_now", "all"
"""In place of a segment: of the people who came since, and of those who are gone."""
KEY = ("scheme", "from_segment", "to_segment")
COLUMNS = ("from_segment", "to_segment", "people_count")


def movement(today: pa.Table, before: pa.Table | None, as_of: date, previous_as_of: date | None, rule: str = "redact_1_7_round_5") -> pa.Table:
    """One row per scheme and pair of segments that anybody was in then and is in now, the same one twice too, and the totals of each (segment "all").

    `today`, `before`: core/segment of two nights; `rule`: that of [disclosure] in site.toml. No rows where there is no earlier night, or it knows
    nothing of a scheme. Raises ContractBroken as `control` does.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    contract = load_contract(CONTRACT)
    if before is None or previous_as_of is None:
        return contract.schema.empty_table()
    known = set(pc.unique(before["scheme"]).to_pylist())
    exact, match = [], None
    for name in pc.unique(today["scheme"]).to_pylist():
        if name in known:
            was, now = rows_of(before, name), rows_of(today, name)
            match = match if match is not None and match.fits(was, now) else _Match.of(was, now)
            exact.append(_crossed(was, now, match).assign(scheme=name))
    if not exact:
        return contract.schema.empty_table()
    shown = _controlled(pd.concat(exact, ignore_index=True), rule_named(rule))
    shown = shown.assign(as_of=as_of, previous_as_of=previous_as_of).sort_values(list(KEY), ignore_index=True)
    return conform(pa.Table.from_pandas(shown, preserve_index=False), contract)


def _controlled(exact: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    return control(exact, KEY, ("people_count",), (adds_up("from_segment"), adds_up("to_segment")), rule)


@dataclass(frozen=True)
class _Match:
    """Where the people of now stood before (-1: nowhere), and which of those before are gone: the same in every scheme, so found once."""

    before: pa.ChunkedArray
    now: pa.ChunkedArray
    place: np.ndarray
    is_gone: np.ndarray

    @classmethod
    def of(cls, before: pa.Table, now: pa.Table) -> _Match:
        import numpy as np
        import pyarrow.compute as pc

        place = pc.fill_null(pc.index_in(now["person_id"], value_set=before["person_id"].combine_chunks()), -1).to_numpy()
        is_gone = np.ones(before.num_rows, bool)
        is_gone[place[place >= 0]] = False
        return cls(before["person_id"], now["person_id"], place, is_gone)

    def fits(self, before: pa.Table, now: pa.Table) -> bool:
        return bool(self.before.equals(before["person_id"]) and self.now.equals(now["person_id"]))


def _crossed(before: pa.Table, now: pa.Table, match: _Match) -> pd.DataFrame:
    """How many people of one scheme went from which segment to which, with totals: COLUMNS. Moves of nobody are rows: a missing one would tell."""
    import itertools

    import numpy as np
    import pandas as pd

    was, is_now = (table["segment"].combine_chunks().dictionary_encode() for table in (before, now))
    froms, tos = [*was.dictionary.to_pylist(), JOINED], [*is_now.dictionary.to_pylist(), LEFT]
    came_from = np.append(was.indices.to_numpy(), len(froms) - 1)[match.place]
    gone_from = was.indices.to_numpy()[match.is_gone]
    cells = np.concatenate([came_from * len(tos) + is_now.indices.to_numpy(), gone_from * len(tos) + len(tos) - 1])
    table = pd.DataFrame(np.bincount(cells, minlength=len(froms) * len(tos)).reshape(len(froms), len(tos)), index=froms, columns=tos)
    table[ALL] = table.sum(axis=1)
    table.loc[ALL] = table.sum()
    pairs = itertools.product([*froms, ALL], [*tos, ALL])
    rows = pd.DataFrame([(*pair, count) for pair, count in zip(pairs, table.to_numpy().reshape(-1).tolist(), strict=True)], columns=list(COLUMNS))
    return rows[~((rows["from_segment"] == JOINED) & (rows["to_segment"] == LEFT))]
