"""How many people moved from which segment to which since an earlier night, ICS-wide, as it may leave the house.

What does not belong here: which earlier night is meant, and finding its table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.segment import rows_of
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.disclosure.controlled_counts import adds_up, control
from fuller_popheath.disclosure.rules import rule_named

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.disclosure.rules import Rule

CONTRACT = "products/segment_movement"
JOINED, LEFT, ALL = "not_registered_before", "not_registered_now", "all"
"""In place of a segment: of the people who came since, and of those who are gone."""
KEY = ("scheme", "from_segment", "to_segment")


def movement(today: pa.Table, before: pa.Table | None, as_of: date, previous_as_of: date | None, rule: str = "redact_1_7_round_5") -> pa.Table:
    """One row per scheme and pair of segments that anybody is in, those who stayed too, and the totals of each (segment "all").

    `today`, `before`: core/segment of two nights; `rule`: that of [disclosure] in site.toml. No rows where there is no earlier night, or it knows
    nothing of a scheme. Raises ContractBroken as `control` does.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    contract = load_contract(CONTRACT)
    schemes = [name for name in pc.unique(today["scheme"]).to_pylist() if before is not None and pc.any(pc.equal(before["scheme"], name)).as_py()]
    if before is None or previous_as_of is None or not schemes:
        return contract.schema.empty_table()
    exact = pd.concat([_crossed(rows_of(before, name), rows_of(today, name)).assign(scheme=name) for name in schemes], ignore_index=True)
    shown = _controlled(exact, rule_named(rule))
    shown = shown.assign(as_of=as_of, previous_as_of=previous_as_of).sort_values(list(KEY), ignore_index=True)
    return conform(pa.Table.from_pandas(shown, preserve_index=False), contract)


def _controlled(exact: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    return control(exact, KEY, ("people_count",), (adds_up("from_segment"), adds_up("to_segment")), rule)


def _crossed(before: pa.Table, now: pa.Table) -> pd.DataFrame:
    """How many people of one scheme went from which segment to which, with totals. Columns: from_segment, to_segment, people_count."""
    import pandas as pd
    import pyarrow.compute as pc

    ids = now["person_id"].combine_chunks()
    was = pc.index_in(ids, value_set=before["person_id"].combine_chunks())
    pairs = pd.DataFrame(
        {
            "from_segment": pc.fill_null(before["segment"].combine_chunks().dictionary_encode().dictionary_decode().take(was), JOINED).to_pandas(),
            "to_segment": now["segment"].to_pandas(),
        }
    )
    gone = before.filter(pc.invert(pc.is_in(before["person_id"], value_set=ids)))
    left = pd.DataFrame({"from_segment": gone["segment"].to_pandas(), "to_segment": LEFT})
    counts = pd.concat([pairs, left]).value_counts().rename("people_count").reset_index()
    from_all = counts.groupby("to_segment", as_index=False)["people_count"].sum().assign(from_segment=ALL)
    to_all = counts.groupby("from_segment", as_index=False)["people_count"].sum().assign(to_segment=ALL)
    whole = pd.DataFrame({"from_segment": [ALL], "to_segment": [ALL], "people_count": [int(counts["people_count"].sum())]})
    return pd.concat([counts, from_all, to_all, whole], ignore_index=True)
