"""How many of the people whom lists proposed were accepted: of those reviewed, near the top of a list and in all, by team and by reason told.

What does not belong here: what a single review does (`reviews.py`), and how small counts are hidden (`disclosure`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fuller_popheath.cohorts.reviews import SAYS_NOTHING_OF_A_CASELOAD, not_corrected
from fuller_popheath.disclosure.controlled_counts import adds_up, control, hierarchy, overlapping, percent_of
from fuller_popheath.disclosure.rules import rule_named
from fuller_popheath.specs import TableSpec

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import Inputs, Night

CONTRACT, REVIEW = "products/review_acceptance", "core/review"
ALL = "all"
FIRST = {"10": 10, "20": 20, ALL: None}
"""How far down a list is counted: its first ten people, its first twenty, everybody."""
WINDOW_DAYS = 365
NO_VERDICT = SAYS_NOTHING_OF_A_CASELOAD
"""Later puts a verdict off, and a wish about lists is none: neither says whether the proposal was right."""
KEY = ["team_id", "reason_code", "k"]
CONFIDENCE = 0.95


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row a team (or all), reason (or all) and k: people whom the team reviewed in the 365 days before the day, and of them the accepted.

    A person counts once a team, by its newest verdict and the place on that list. Percent and interval (Wilson) are made from what is shown, so that
    they tell nothing more.
    """
    import pyarrow as pa

    from fuller_popheath.contracts import conform, load_contract

    contract = load_contract(CONTRACT)
    counted = _counted(_verdicts(inputs[REVIEW], night))
    if counted.empty:
        return contract.schema.empty_table()
    shown = control(
        counted,
        key=tuple(KEY),
        counts=("reviewed_count", "accepted_count"),
        lines=(adds_up("team_id", ALL), overlapping("reason_code", ALL), hierarchy(("k",), {("10",): ("20",), ("20",): (ALL,)})),
        rule=rule_named(night.site.disclosure.rule),
        parts={"accepted_count": "reviewed_count"},
    )
    return conform(pa.Table.from_pandas(_with_interval(shown).assign(as_of=night.as_of), preserve_index=False), contract)


def _verdicts(review: pa.Table, night: Night) -> pd.DataFrame:
    """The newest verdict of each team on each person within the window; of one day the one that arrived later, then one that does not accept."""
    import pandas as pd

    names = ["team_id", "person_id", "review_outcome", "reviewed_on", "received_on", "rank", "reason_codes"]
    rows: pd.DataFrame = not_corrected(review).select(names).to_pandas(date_as_object=True)
    first = night.as_of - timedelta(days=WINDOW_DAYS)
    in_window = pd.Series([first <= day < night.as_of for day in rows["reviewed_on"]], index=rows.index, dtype=bool)
    rows = rows[in_window & ~rows["review_outcome"].isin(NO_VERDICT)]
    rows = rows.assign(is_accepted=rows["review_outcome"].eq("accepted"))
    order = ["team_id", "person_id", "reviewed_on", "received_on", "is_accepted", "rank"]
    newest = rows.sort_values(order, ascending=[True, True, True, True, False, False], kind="stable")
    return newest.drop_duplicates(["team_id", "person_id"], keep="last")


def _counted(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Exact counts of every team, reason and k, nought included, and of all of them together."""
    import pandas as pd

    reasons = verdicts.assign(reason_code=verdicts["reason_codes"].fillna("").str.split(",")).explode("reason_code")
    reasons = reasons.assign(reason_code=reasons["reason_code"].str.strip())
    long = pd.concat([verdicts.assign(reason_code=ALL), reasons[reasons["reason_code"] != ""]])
    long = pd.concat([long, long.assign(team_id=ALL)])
    frames = [
        (long if first is None else long[long["rank"] <= first])
        .groupby(["team_id", "reason_code"])["is_accepted"]
        .agg(reviewed_count="size", accepted_count="sum")
        .assign(k=k)
        .set_index("k", append=True)
        for k, first in FIRST.items()
    ]
    cells = pd.MultiIndex.from_product([sorted(long["team_id"].unique()), sorted(long["reason_code"].unique()), sorted(FIRST)], names=KEY)
    return pd.concat(frames).reindex(cells, fill_value=0).astype("int64").reset_index()


def _with_interval(shown: pd.DataFrame) -> pd.DataFrame:
    import numpy as np

    from fuller_popheath.methods.proportions import wilson_interval

    told = shown["reviewed_count"].notna() & shown["accepted_count"].notna() & (shown["reviewed_count"] > 0).fillna(False)
    reviewed = shown["reviewed_count"].astype("Float64").to_numpy(np.float64, na_value=0.0)
    accepted = np.minimum(shown["accepted_count"].astype("Float64").to_numpy(np.float64, na_value=0.0), reviewed)
    ends = wilson_interval(accepted, reviewed, CONFIDENCE)
    lower, upper = (np.where(told, np.round(100 * end, 1), np.nan) for end in ends)
    return shown.assign(accepted_percent=percent_of(shown["accepted_count"], shown["reviewed_count"]), lower=lower, upper=upper)


TABLE = TableSpec(contract=CONTRACT, inputs=(REVIEW,), build=build)
