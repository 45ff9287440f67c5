"""The continuity gap of everybody: continuity needed against continuity received among people who are seen as often.

Received is the percentile of the usual-provider share (UPC) within strata of how many contacts there were: with few contacts the share can only be
high (it is at least 1 over their number), and no published cut-off exists. Percentiles of strata avoid inventing one. Sources: definitions of UPC in
PMC10229170; the weights of need (1, 1/2, 0) are a local choice. What does not belong here: who needs continuity (`need_rules.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.need_rules import HIGH, LEVELS, NONE, SOME
from fuller_popheath.cohorts.person_columns import PERSON, Wanted, arrow_columns, keys_and, values
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.methods.percentiles import mid_rank_percentile
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CONTRACT = "core/continuity_gap"
NEED, CONTINUITY = "core/continuity_need", "features/continuity"
WANTED: Wanted = {NEED: ("level",), CONTINUITY: ("continuity_contact_count", "continuity_upc", "usual_gp_share")}
WEIGHTS = {HIGH: 1.0, SOME: 0.5, NONE: 0.0}
"""How much of a gap low continuity is, by need."""
STRATA = {"too_few": 0, "3": 3, "4": 4, "5-6": 5, "7-9": 7, "10+": 10}
"""From how many contacts on; whose continuity is not known has too few, whatever the site's minimum."""
FEWEST = 3


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per person of core/person, in its order. Raises ContractBroken where an input is about others."""
    import numpy as np
    import pyarrow as pa

    columns = arrow_columns(inputs, WANTED)
    level = values(columns["level"])
    contacts, upc = values(columns["continuity_contact_count"]), values(columns["continuity_upc"])
    stratum = strata(contacts, upc)
    received = received_percentile(upc, stratum)
    weight = np.select([level == name for name in LEVELS], [WEIGHTS[name] for name in LEVELS], default=np.nan)
    made = pa.table(
        {
            **{name: inputs[PERSON][name] for name in ("as_of", "person_id")},
            "need_level": columns["level"],
            "visit_stratum": pa.DictionaryArray.from_arrays(pa.array(stratum), pa.array(list(STRATA))).cast(pa.string()),
            "upc": columns["continuity_upc"],
            "received_percentile": pa.array(received, from_pandas=True),
            "gap": pa.array(weight * (1 - received), from_pandas=True),
            "usual_gp_share": columns["usual_gp_share"],
        }
    )
    return conform(made, load_contract(CONTRACT))


def strata(contacts: np.ndarray, upc: np.ndarray) -> np.ndarray:
    """Position in STRATA of each person. Contacts under FEWEST, and shares that are not known (NaN), are too few."""
    import numpy as np

    starts = np.array(list(STRATA.values())[1:])
    return np.where(np.isnan(upc) | (contacts < FEWEST), 0, np.searchsorted(starts, contacts, side="right")).astype(np.int8)


def received_percentile(upc: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """Mid-rank percentile, 0 to 1, of each share among everybody's in the stratum; equal shares have the same, and their mean is 1/2. NaN: too
    few."""
    import numpy as np

    received = np.full(len(upc), np.nan)
    for number in range(1, len(STRATA)):
        rows = np.flatnonzero(stratum == number)
        received[rows] = mid_rank_percentile(upc[rows])
    return received


TABLE = TableSpec(contract=CONTRACT, inputs=(PERSON, *WANTED), build=build, columns=keys_and(WANTED))
