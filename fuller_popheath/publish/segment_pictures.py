"""Pictures of who is in which segment: a bar of 100 % for every quintile, group of people and PCN, one picture a scheme, from what may be shown.

What is hidden is left white, several small counts of a bar together. What does not belong here: computing any figure that is drawn, and how far
continuity falls short (`gap_pictures.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.cohorts.reason_words import rule_in_words
from fuller_popheath.publish.bands import COLOURS, GRID, INK, QUIET
from fuller_popheath.publish.scene import Box, Line, Scene, Words, png
from fuller_popheath.publish.text_fit import shortened, width_of, wrapped

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import Group, Inputs, Night, SegmentSpec

NEED, PRACTICES = "core/continuity_need", "core/neighbourhood_practice"
NO_PCN = "U"
LEFT, RIGHT, WIDTH, STEP = 250.0, 900.0, 1000.0, 19.0
PALEST = 1
"""So many of the palest colours are not used where there are fewer groups than colours: beside white they would pass for it."""
NOT_DRAWN = {"children": "adult"}
"""Who is not among the bars of a scheme: they would dwarf those whom it is about."""
GROUP_NAMES = {"under_18": "Under 18", "18_64": "18 to 64", "65_plus": "65 and over", "low_contact": "No contact in a year"}
QUINTILES = {"1": "1 (most deprived)", "2": "2", "3": "3", "4": "4", "5": "5 (least deprived)"}


@dataclass(frozen=True)
class Bar:
    """One bar: what it is of, the people in each segment that is drawn (None: hidden), and all of them together (None: hidden)."""

    label: str
    counts: tuple[int | None, ...]
    people: int | None


Sections = Mapping[str, Sequence[Bar]]
"""Bars under their heading."""


def draw(table: pa.Table, inputs: Inputs, night: Night) -> dict[str, bytes]:
    """{title: PNG bytes} of products/segment_count, one picture a scheme. `inputs` needs core/neighbourhood_practice for the names of PCNs."""
    rows = table.to_pandas()
    edition = night.site.lists.imd_edition
    names = pcn_names(inputs[PRACTICES])
    return {
        scheme.title: png(
            segment_scene(scheme, sections_of(rows[rows["scheme"] == name], scheme, edition, names), notes_of(scheme, night)), small=True
        )
        for name, scheme in registry.segments().items()
        if (rows["scheme"] == name).any()
    }


def notes_of(scheme: SegmentSpec, night: Night) -> tuple[str, ...]:
    """What stands below: the limits of the scheme, and the rule of need where it rests on that."""
    return (scheme.limits, *(rule_in_words(night.site.continuity_need) if NEED in scheme.columns else ()))


def pcn_names(practices: pa.Table) -> dict[str, str]:
    """Names of PCNs by their code."""
    codes, names = (practices[column].to_pylist() for column in ("pcn_code", "pcn_name"))
    return {**{code: name or code for code, name in zip(codes, names, strict=True) if code}, NO_PCN: "In no PCN"}


def group_name(group: str) -> str:
    """A group of people as a reader is told of it."""
    declared = registry.plus_groups().get(group)
    return GROUP_NAMES.get(group) or (declared.title if declared else group.replace("_", " ").capitalize())


def sections_of(rows: pd.DataFrame, scheme: SegmentSpec, edition: str, names: Mapping[str, str]) -> Sections:
    """The bars of one scheme's rows: everybody, quintiles of one IMD edition, groups of people, PCNs by name. Bars of nobody are left out."""
    drawn = [group.name for group in drawn_groups(scheme)]
    cut = rows[rows["imd_edition"] == edition].set_index(["area_type", "area_code", "imd_quintile", "people_group", "segment"])
    counts: Any = cut["people_count"].astype("Float64").unstack("segment").astype(float)
    left_out = counts[NOT_DRAWN[scheme.name]] if scheme.name in NOT_DRAWN else 0.0
    counts = counts.assign(all=counts["all"] - left_out)[[*drawn, "all"]]

    def bar(label: str, key: tuple[str, str, str, str]) -> list[Bar]:
        told = [None if value != value else int(value) for value in counts.loc[key].tolist()] if key in counts.index else [0]
        return [Bar(label, tuple(told[:-1]), told[-1])] if told[-1] != 0 else []

    icbs = sorted({code for kind, code, _, _ in counts.index if kind == "icb"} - {NO_PCN})
    pcns = sorted({code for kind, code, _, _ in counts.index if kind == "pcn"}, key=lambda code: (code == NO_PCN, names.get(code, code)))
    groups = [group for group in dict.fromkeys(rows["people_group"]) if group != "all"]
    quintile_heading, several = f"Deprivation quintile (IMD {edition})", len(icbs) > 1
    found: dict[str, list[Bar]] = {"": [], quintile_heading: [], "Group of people": [], "PCN": []}
    for icb in icbs:
        prefix = f"{icb}: " if several else ""
        found[""] += bar(f"{prefix}everybody" if several else "Everybody", ("icb", icb, "all", "all"))
        found[quintile_heading] += [each for q, label in QUINTILES.items() for each in bar(prefix + label, ("icb", icb, q, "all"))]
        found["Group of people"] += [each for group in groups for each in bar(prefix + group_name(group), ("icb", icb, "all", group))]
    found["PCN"] = [each for code in pcns for each in bar(names.get(code, code), ("pcn", code, "all", "all"))]
    return {heading: bars for heading, bars in found.items() if bars}


def drawn_groups(scheme: SegmentSpec) -> list[Group]:
    """The groups of a scheme that are drawn."""
    return [group for group in scheme.groups if group.name != NOT_DRAWN.get(scheme.name)]


def segment_scene(scheme: SegmentSpec, sections: Sections, notes: Sequence[str]) -> Scene:
    """Bars with a key above and what is to be known below."""
    groups = drawn_groups(scheme)
    last = len(COLOURS) - 1 - (PALEST if len(groups) < len(COLOURS) else 0)
    fills = [COLOURS[round(place * last / max(len(groups) - 1, 1))] for place in range(len(groups))]
    scene = Scene(WIDTH, 100.0, scheme.title, f"Share of people in each group of {scheme.title}, by deprivation quintile, group of people and PCN.")
    scene.marks.append(Words(24, 36, scheme.title, 20, INK, bold=True))
    subtitle = "Share of people in each group" + (f"; {NOT_DRAWN[scheme.name]}s are left out" if scheme.name in NOT_DRAWN else "")
    scene.marks.append(Words(24, 58, f"{subtitle}. White: hidden, because few people are in it.", 12, QUIET))
    y = _draw_key(scene, [group.title for group in groups], fills, 84.0) + 34.0
    scene.marks += [Words(_x(share), y - 8, f"{share:.0%}", 11, QUIET, "middle") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    scene.marks.append(Words(WIDTH - 24, y - 8, "People", 11, QUIET, "end"))
    for heading, bars in sections.items():
        if heading:
            y += 12.0
            scene.marks.append(Words(24, y + 12, heading, 12, INK, bold=True))
            y += STEP
        for bar in bars:
            _draw_bar(scene, bar, fills, y)
            y += STEP
    y += 20.0
    for line in (line for note in notes for line in wrapped(note, WIDTH - 48.0, 11)):
        scene.marks.append(Words(24, y + 8, line, 11, QUIET))
        y += 16.0
    scene.height = y + 16.0
    return scene


def _draw_key(scene: Scene, titles: Sequence[str], fills: Sequence[str], y: float) -> float:
    """Colours and what they mean, in as many lines as it takes; returns where the last one stands."""
    x = 24.0
    for title, fill in zip(titles, fills, strict=True):
        needed = 20.0 + width_of(title, 12) + 22.0
        if x + needed > WIDTH - 24.0:
            x, y = 24.0, y + 20.0
        scene.marks += [Box(x, y - 10, 13, 13, fill, QUIET, 0.6), Words(x + 19, y + 1, title, 12, INK)]
        x += needed
    return y


def _draw_bar(scene: Scene, bar: Bar, fills: Sequence[str], y: float) -> None:
    scene.marks.append(Words(LEFT - 10, y + 12, shortened(bar.label, LEFT - 34, 11.5), 11.5, INK, "end"))
    if bar.people is None:
        scene.marks.append(Words(LEFT, y + 12, "hidden", 11, QUIET))
        return
    shown = sum(count for count in bar.counts if count is not None)
    # Rounded parts can be a little more than their rounded whole.
    whole, so_far = max(bar.people, shown, 1), 0
    scene.marks.append(Box(LEFT, y + 2, RIGHT - LEFT, STEP - 6, "#ffffff", GRID, 1.0))
    for count, fill in zip(bar.counts, fills, strict=True):
        if count:
            scene.marks.append(Box(_x(so_far / whole), y + 2, _x((so_far + count) / whole) - _x(so_far / whole), STEP - 6, fill))
            so_far += count
    scene.marks.append(Line(LEFT, y + STEP - 4, RIGHT, y + STEP - 4, GRID))
    scene.marks.append(Words(WIDTH - 24, y + 12, f"{bar.people:,}", 11, INK, "end"))


def _x(share: float) -> float:
    return LEFT + (RIGHT - LEFT) * share
