"""The picture of the continuity gap: of the people with high need, the share who receive little continuity, by deprivation quintile and by PCN,
and by practice.

What does not belong here: computing the counts; intervals are made from what is shown (Wilson).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.reason_words import rule_in_words
from fuller_popheath.methods.proportions import wilson_interval
from fuller_popheath.publish.bands import GRID, INK, OUTLINE, QUIET
from fuller_popheath.publish.plot_panel import Panel
from fuller_popheath.publish.scene import Dot, Line, Scene, Words, png
from fuller_popheath.publish.segment_pictures import NO_PCN, PRACTICES, QUINTILES, pcn_names
from fuller_popheath.publish.text_fit import shortened, wrapped

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.site import Site
    from fuller_popheath.specs import Inputs, Night

TITLE = "Continuity gap: high need, little received"
BY_PRACTICE = f"{TITLE}, by practice"
PRACTICE = "practice"
LIMITS = (
    "Need is a local choice and not validated. Little: among everybody with as many contacts, below the place that the dashed line marks; were need "
    "and continuity unrelated, so many would receive little. 95% intervals (Wilson) from rounded counts; people with too few contacts are left out."
)
LEFT, WIDTH, STEP, FILL = 300.0, 1000.0, 19.0, "#005e99"


@dataclass(frozen=True)
class Dotted:
    """One row: what it is of, and how many of how many people receive little (None: hidden)."""

    label: str
    low: int | None
    known: int | None

    @property
    def share(self) -> float:
        """For putting rows in order; hidden ones last."""
        return self.low / self.known if self.low is not None and self.known else -1.0


def draw(table: pa.Table, inputs: Inputs, night: Night) -> dict[str, bytes]:
    """{title: PNG bytes} of products/continuity_gap_by_pcn; none where there is nobody to draw."""
    rows, edition = table.to_pandas(), night.site.lists.imd_edition
    is_practice = rows["area_type"] == PRACTICE
    drawn = {
        TITLE: sections_of(rows[~is_practice], edition, pcn_names(inputs[PRACTICES])),
        BY_PRACTICE: practice_sections(rows[is_practice], edition, inputs[PRACTICES]),
    }
    return {title: png(gap_scene(sections, night.site, title), small=True) for title, sections in drawn.items() if sections}


def sections_of(rows: pd.DataFrame, edition: str, names: Mapping[str, str]) -> Mapping[str, Sequence[Dotted]]:
    """Rows to be drawn under their headings: everybody, quintiles, and PCNs from the widest gap on. Rows of nobody are left out."""
    rows = rows[(rows["imd_edition"] == edition) & ~((rows["area_type"] == "icb") & (rows["area_code"] == NO_PCN))]
    found: dict[str, list[Dotted]] = {"": [], f"Deprivation quintile (IMD {edition})": [], "PCN": []}
    several = rows.loc[rows["area_type"] == "icb", "area_code"].nunique() > 1
    counted = rows.astype(dict.fromkeys(("low_received_count", "received_known_count"), "Float64"))
    every: Any = counted.astype(dict.fromkeys(("low_received_count", "received_known_count"), float)).sort_values(["area_code", "imd_quintile"])
    for row in every.itertuples():
        told = [None if value != value else int(value) for value in (row.low_received_count, row.received_known_count)]
        prefix = f"{row.area_code}: " if several else ""
        if told[1] == 0 or (row.area_type == "pcn" and row.imd_quintile != "all"):
            continue
        if row.area_type == "pcn":
            found["PCN"].append(Dotted(names.get(str(row.area_code), str(row.area_code)), *told))
        elif row.imd_quintile == "all":
            found[""].append(Dotted(f"{prefix}everybody with high need" if several else "Everybody with high need", *told))
        else:
            found[f"Deprivation quintile (IMD {edition})"].append(Dotted(prefix + QUINTILES[str(row.imd_quintile)], *told))
    found["PCN"].sort(key=lambda each: -each.share)
    return {heading: each for heading, each in found.items() if each}


def practice_sections(rows: pd.DataFrame, edition: str, practices: pa.Table) -> Mapping[str, Sequence[Dotted]]:
    """Practices under the names of their PCNs, each from the widest gap on; those of nobody with known continuity are left out."""
    counted = rows[rows["imd_edition"] == edition].astype(dict.fromkeys(("low_received_count", "received_known_count"), "Float64"))
    if not len(counted):
        return {}
    told = {row["practice_code"]: row for row in practices.select(["practice_code", "practice_name", "pcn_code"]).to_pylist()}
    names = pcn_names(practices)
    found: dict[str, list[Dotted]] = {}
    numbers = counted[["low_received_count", "received_known_count"]].astype(float).to_numpy().tolist()
    for code, (low, known) in zip(counted["area_code"].astype(str), numbers, strict=True):
        if known == 0:
            continue
        own = told.get(code, {})
        pcn, label = names.get(own.get("pcn_code") or NO_PCN, NO_PCN), own.get("practice_name") or code
        found.setdefault(pcn, []).append(Dotted(label, *(None if value != value else int(value) for value in (low, known))))
    return {pcn: sorted(found[pcn], key=lambda each: (-each.share, each.label)) for pcn in sorted(found)}


def gap_scene(sections: Mapping[str, Sequence[Dotted]], site: Site, title: str = TITLE) -> Scene:
    """A row each with dot and interval; dashed: the share if need and continuity were unrelated. Below, the rule of need."""
    expected = site.lists.low_continuity_below
    cut = "by practice" if title == BY_PRACTICE else "by deprivation quintile and PCN"
    scene = Scene(WIDTH, 100.0, title, f"Of people with high need for continuity, the share who receive little, {cut}.")
    scene.marks.append(Words(24, 36, title, 20, INK, bold=True))
    scene.marks.append(Words(24, 58, "Of the people with high need for continuity, the share who receive little of it", 12, QUIET))
    top, bottom = 96.0, 96.0 + STEP * (sum(len(each) for each in sections.values()) + 1.6 * sum(bool(heading) for heading in sections))
    panel = Panel(scene, LEFT, top, WIDTH - 150 - LEFT, bottom - top, (0.0, 1.0), (0.0, 1.0))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        scene.marks += [
            Line(panel.x(share), top - 6, panel.x(share), bottom, GRID),
            Words(panel.x(share), top - 11, f"{share:.0%}", 11, QUIET, "middle"),
        ]
    panel.dashes((expected, 0.0), (expected, 1.0), QUIET)
    scene.marks.append(Words(WIDTH - 24, top - 11, "of people", 11, QUIET, "end"))
    y = top
    for heading, each in sections.items():
        if heading:
            y += 0.4 * STEP
            scene.marks.append(Words(24, y + 14, heading, 12, INK, bold=True))
            y += 1.2 * STEP
        for row in each:
            _draw_row(scene, panel, row, y + STEP / 2)
            y += STEP
    y = bottom + 22.0
    for line in (line for note in (LIMITS, *rule_in_words(site.continuity_need)) for line in wrapped(note, WIDTH - 48.0, 11)):
        scene.marks.append(Words(24, y + 8, line, 11, QUIET))
        y += 16.0
    scene.height = y + 14.0
    return scene


def _draw_row(scene: Scene, panel: Panel, row: Dotted, y: float) -> None:
    scene.marks.append(Words(LEFT - 14, y + 4, shortened(row.label, LEFT - 40, 11.5), 11.5, INK, "end"))
    if row.low is None or not row.known:
        scene.marks.append(Words(WIDTH - 24, y + 4, "hidden", 11, QUIET, "end"))
        return
    low = min(row.low, row.known)
    lower, upper = (float(end) for end in wilson_interval(low, row.known))
    scene.marks += [
        Line(panel.x(lower), y, panel.x(upper), y, INK, 1.6),
        Dot(panel.x(low / row.known), y, 4.6, FILL, OUTLINE, 0.9),
        Words(WIDTH - 24, y + 4, f"{low / row.known:.0%} of {row.known:,}", 11, INK, "end"),
    ]
