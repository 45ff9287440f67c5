"""The page's smaller parts, worded: editions compared, phasing, totals, people left out, sources.

What does not belong here: HTML, and figures that no product carries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import band_number
from fuller_popheath.publish.core20_map import MOST_NUMBERED
from fuller_popheath.publish.page_views import EditionView, marks_of

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night

REASONS = {
    "no_pcn": "Their practice belonged to no PCN that day",
    "no_lsoa": "No small area (LSOA) is known for their address",
    "closed_lsoa": "Their LSOA is marked as closed",
    "wales": "They live in Wales, which has its own index",
    "scotland": "They live in Scotland, which has its own index",
    "unknown_lsoa": "Their LSOA code is in no list that was given",
}

CHANGES = {
    "re-ranked LSOAs": "because LSOAs that kept their boundary have another rank",
    "re-drawn LSOAs": "because LSOAs were split, merged or re-drawn",
    "both": "because of both: only together, or each would be enough",
}


@dataclass(frozen=True)
class ComparedRow:
    """One PCN in both editions."""

    code: str
    name: str
    registered: int
    old_share: str
    new_share: str
    old_percent: float
    new_percent: float
    points: float
    difference: str
    old_band: str
    new_band: str
    old_band_number: int
    new_band_number: int
    reason: str


@dataclass(frozen=True)
class Compared:
    """Which PCNs change band between IMD 2019 and IMD 2025; `changed` has the largest differences first."""

    pcns: int
    changed: tuple[ComparedRow, ...]
    reasons: tuple[tuple[str, int], ...]
    old_total: int
    new_total: int


def compared_view(comparison: pa.Table) -> Compared | None:
    """`products/core20_edition_comparison` in words, or None where only one edition was given."""
    if comparison.num_rows == 0:
        return None
    rows = comparison.to_pylist()
    changed = sorted((row for row in rows if row["band_changed"]), key=lambda row: (-abs(row["difference_points"]), row["pcn_code"]))
    reasons = Counter(row["reason"] for row in changed)
    return Compared(
        pcns=len(rows),
        changed=tuple(_compared(row) for row in changed),
        reasons=tuple((words, reasons[reason]) for reason, words in CHANGES.items() if reasons[reason]),
        old_total=sum(row["q1_2019_count"] for row in rows),
        new_total=sum(row["q1_2025_count"] for row in rows),
    )


def _compared(row: Mapping[str, Any]) -> ComparedRow:
    return ComparedRow(
        code=row["pcn_code"],
        name=wording.calm(row["pcn_name"]),
        registered=row["registered_count"],
        old_share=wording.share(row["q1_2019_count"], row["registered_count"]),
        new_share=wording.share(row["q1_2025_count"], row["registered_count"]),
        old_percent=round(row["core20_2019_percent"], 6),
        new_percent=round(row["core20_2025_percent"], 6),
        points=round(row["difference_points"], 6),
        difference=wording.signed(row["difference_points"]),
        old_band=row["band_2019"],
        new_band=row["band_2025"],
        old_band_number=band_number(row["band_2019"]),
        new_band_number=band_number(row["band_2025"]),
        reason=row["reason"],
    )


@dataclass(frozen=True)
class WavePcn:
    """A PCN in a wave, with its marks (`R`, `E`)."""

    name: str
    share: str
    marks: str


@dataclass(frozen=True)
class WaveView:
    """One wave of the plan; `pcns` are all of them where they are few, else only those that carry a mark."""

    name: str
    rule: str
    due: str
    count: int
    registered: int
    core20: int
    pcns: tuple[WavePcn, ...]
    listed_all: bool


def waves_view(phasing: pa.Table, view: EditionView, night: Night) -> tuple[WaveView, ...]:
    """`products/core20_phasing` of one edition by wave, in the order of site.toml; each PCN in the order of shares."""
    plan = {row["pcn_code"]: row for row in phasing.to_pylist() if row["imd_edition"] == view.edition}
    rules = {
        wave.name: f"Core20 share of at least {wave.core20_percent_at_least:g}%" if wave.core20_percent_at_least else "All other PCNs"
        for wave in night.site.phasing.waves
    }
    by_wave: dict[str, list[Any]] = {name: [] for name in rules}
    for row in view.rows:
        if row.code in plan:
            by_wave.setdefault(plan[row.code]["wave"], []).append(row)
    waves = []
    for name, rows in by_wave.items():
        due: date | None = plan[rows[0].code]["wave_due_date"] if rows else None
        pcns = [WavePcn(row.name, row.share, marks_of(plan[row.code])) for row in rows]
        few = len(view.rows) <= MOST_NUMBERED
        waves.append(
            WaveView(
                name=name,
                rule=rules.get(name, "Below the threshold of every wave"),
                due=wording.day(due) if due else "",
                count=len(rows),
                registered=sum(row.registered for row in rows),
                core20=sum(row.core20 for row in rows),
                pcns=tuple(pcn for pcn in pcns if few or pcn.marks),
                listed_all=few,
            )
        )
    return tuple(wave for wave in waves if wave.count or wave.name in rules) if plan else ()


@dataclass(frozen=True)
class TotalRow:
    """One ICB or place."""

    level: str
    code: str
    name: str
    pcns: int
    practices: int
    registered: int
    core20: int
    share: str
    percent: float
    interval: str
    lower: float
    band: str
    band_number: int


def totals_view(by_icb: pa.Table, by_place: pa.Table, edition: str) -> tuple[TotalRow, ...]:
    """The ICBs, then the places, of one edition, each level with the highest share first."""
    totals: list[TotalRow] = []
    for table, level, key in ((by_icb, "ICB", "icb"), (by_place, "Place", "place")):
        rows = [row for row in table.to_pylist() if row["imd_edition"] == edition]
        rows.sort(key=lambda row: (-row["core20_percent"], row[f"{key}_code"]))
        totals += [_total(row, level, row[f"{key}_code"], row[f"{key}_name"]) for row in rows]
    return tuple(totals)


def _total(row: Mapping[str, Any], level: str, code: str, name: str | None) -> TotalRow:
    return TotalRow(
        level=level,
        code=code,
        name=wording.calm(name) if name else code,
        pcns=row["pcn_count"],
        practices=row["practice_count"],
        registered=row["registered_count"],
        core20=row["q1_count"],
        share=wording.share(row["q1_count"], row["registered_count"]),
        percent=round(row["core20_percent"], 6),
        interval=f"{wording.decimals(row['core20_lower'])} to {wording.decimals(row['core20_upper'])}%",
        lower=round(row["core20_lower"], 4),
        band=row["band"],
        band_number=band_number(row["band"]),
    )


@dataclass(frozen=True)
class UnplacedRow:
    """People of one reason."""

    words: str
    practices: int
    people: int


def unplaced_view(unplaced: pa.Table, edition: str) -> tuple[UnplacedRow, ...]:
    """`products/core20_unplaced` of one edition by reason, in the order in which a person is looked at."""
    people: Counter[str] = Counter()
    practices: dict[str, set[str]] = {}
    columns = [unplaced.column(name).to_pylist() for name in ("imd_edition", "reason", "practice_code", "registered_count")]
    for of_edition, reason, practice, count in zip(*columns, strict=True):
        if of_edition == edition:
            people[reason] += count
            practices.setdefault(reason, set()).add(practice)
    order = [*REASONS, *sorted(set(people) - set(REASONS))]
    return tuple(UnplacedRow(REASONS.get(reason, reason), len(practices[reason]), people[reason]) for reason in order if people[reason])


@dataclass(frozen=True)
class SourceRow:
    """One file that the page rests on."""

    file: str
    what: str
    dated: str


def sources_view(sources: pa.Table | Sequence[str]) -> tuple[SourceRow, ...]:
    """The published files the page rests on: from `core/landing_file`, or plain names where no landing folder was surveyed."""
    if isinstance(sources, Sequence):
        return tuple(SourceRow(name, "", "") for name in sources)
    used = [row for row in sources.to_pylist() if row["use"] == "used" and (row["contract_id"] or "").startswith("reference/")]
    used.sort(key=lambda row: (row["contract_id"], row["variant"] or "", row["file_name"], row["member"]))
    return tuple(
        SourceRow(
            f"{row['file_name']} ({row['member']})" if row["member"] else row["file_name"],
            _title_of(row["contract_id"], row["variant"]),
            wording.day(row["extract_date"]) if row["extract_date"] else "",
        )
        for row in used
    )


def _title_of(contract_id: str | None, variant: str | None) -> str:
    """The title of its contract, with the edition or vintage where the title does not tell it."""
    from fuller_popheath.contracts import load_contract

    title = load_contract(contract_id).title if contract_id else ""
    return f"{title}, {variant}" if variant and variant not in title else title
