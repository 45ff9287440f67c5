"""The picture of PLUS groups: of everybody the share who are in each, and of whom it is not recorded. Small counts are hidden as in a product.

What does not belong here: who is in which group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.disclosure.controlled_counts import adds_up, control, percent_of
from fuller_popheath.disclosure.rules import rule_named
from fuller_popheath.publish.dotted_rows import HIDDEN, Row, Rows, number, rows_scene
from fuller_popheath.publish.scene import png
from fuller_popheath.publish.segment_pictures import group_name

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import Inputs, Night

PERSON, TITLE = "core/person", "PLUS groups"
NOTES = (
    "Filled: of everybody registered the share who are in the group. At the right, too: of how many it is not recorded, so that nobody can say. "
    "Groups overlap. Counts are rounded and small ones hidden.",
)


def draw(table: pa.Table, inputs: Inputs, night: Night) -> dict[str, bytes]:
    """{title: PNG bytes} of core/person_plus; `inputs` needs core/person, for how many people there are."""
    people = inputs[PERSON].num_rows
    if not people:
        return {}
    groups = tuple(dict.fromkeys((*night.site.plus.groups, *night.site.plus.local)))
    drawn = picture_of(counted(table, groups, people, night.site.disclosure.rule))
    return {} if drawn.is_empty else {TITLE: png(rows_scene(drawn), small=True)}


def counted(table: pa.Table, groups: tuple[str, ...], people: int, rule: str) -> pd.DataFrame:
    """By group and membership (yes, not_recorded, no, all) the people as they may be shown: people_count, null where hidden."""
    import pandas as pd

    sums = table.group_by(["plus_group", "membership"]).aggregate([("person_id", "count")]).to_pandas()
    known = {(row["plus_group"], row["membership"]): int(row["person_id_count"]) for row in sums.to_dict("records")}
    rows = []
    for group in groups:
        told = {word: known.get((group, word), 0) for word in ("yes", "not_recorded")}
        told |= {"no": people - sum(told.values()), "all": people}
        rows += [{"plus_group": group, "membership": word, "people_count": count} for word, count in told.items()]
    exact = pd.DataFrame(rows, columns=["plus_group", "membership", "people_count"])
    if not len(exact):
        return exact.assign(is_hidden=False)
    return control(exact, ("plus_group", "membership"), ("people_count",), (adds_up("membership"),), rule_named(rule))


def picture_of(shown: pd.DataFrame) -> Rows:
    """A row a group, the largest first."""
    wide = shown.pivot(index="plus_group", columns="membership", values="people_count")
    shares = {word: percent_of(wide[word], wide["all"]) for word in ("yes", "not_recorded")}
    rows = []
    for group in wide.index:
        value, unknown = number(shares["yes"].loc[group] if shares["yes"].notna().loc[group] else None), shares["not_recorded"].loc[group]
        known = shares["not_recorded"].notna().loc[group]
        rows.append(Row(group_name(str(group)), value, said=_said(value, number(unknown) if known else None)))
    rows.sort(key=lambda row: (-(row.value if row.value is not None else -1.0), row.label))
    return Rows(TITLE, "Share of everybody registered", {"": rows}, NOTES, lambda value: f"{value:g}%", begins_at=0.0)


def _said(value: float | None, unknown: float | None) -> str:
    told = HIDDEN if value is None else f"{value:.1f}%"
    return told + (f"; {unknown:.1f}% unknown" if unknown else "")
