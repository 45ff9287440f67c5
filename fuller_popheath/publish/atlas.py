"""The atlas of an ICS: one file of HTML with maps, ranked dots, slopes and a table of Core20 and of every indicator; it needs no network.

Grain in: the products of one night. It works with published data alone; indicators are shown where their products are given. What is computed here is
wording, classes of colour and layout only. What does not belong here: shapes (atlas_shapes), series (atlas_measures), slopes (atlas_slopes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.contracts import empty_table, load_contract
from fuller_popheath.errors import InputMissing
from fuller_popheath.place.editions import EDITIONS
from fuller_popheath.publish import wording
from fuller_popheath.publish.atlas_measures import core20, deciles, indicators, levels
from fuller_popheath.publish.atlas_shapes import AtlasMap, atlas_map
from fuller_popheath.publish.atlas_slopes import slopes
from fuller_popheath.publish.catchments import APPROXIMATE
from fuller_popheath.publish.embedded import as_json
from fuller_popheath.publish.templating import asset, content_hash, environment
from fuller_popheath.whole_files import OPEN_FILE, PRIVATE_FILE, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night

LSOA, PCN, ICB, PLACE, PRACTICE = (f"products/core20_by_{name}" for name in ("lsoa", "pcn", "icb", "place", "practice"))
COUNTS, MEMBERS, BOUNDARY, LOOKUP = "core/registered_count", "core/neighbourhood_practice", "reference/lsoa_boundary", "reference/lsoa_2011_2021"
VALUES, GAPS, SMALL = "products/core20plus5_by_pcn", "products/inequality_by_area", "products/indicator_by_small_area"
OPEN_TABLES = (LSOA, PCN, ICB, PLACE, PRACTICE, COUNTS, MEMBERS, BOUNDARY, LOOKUP)
"""What the atlas of published data is made from."""
EXTRACTS, FRESH = "core/practice_extract", ("new", "unchanged")
ATLAS_TABLES = (*OPEN_TABLES, VALUES, GAPS, SMALL, EXTRACTS)
"""What the whole atlas is made from; with the last four it belongs in the secondary-use lane."""
FILE = "atlas.html"
STYLES, SCRIPTS = ("core20.css", "atlas.css"), ("atlas_figures.js", "atlas_map.js", "atlas_plots.js", "atlas.js")
_AROUND_NAME = re.compile(r"^NHS\s+|\s+(Integrated Care Board|ICB)$", re.IGNORECASE)
LEVEL_NAMES = {"lsoa": "Small area (LSOA)", "practice": "Practice", "pcn": "PCN", "place": "Place"}


def publish_atlas(folder: Path, tables: Mapping[str, pa.Table], night: Night) -> tuple[Path, ...]:
    """Write `atlas.html` into a folder, in one step, and return its path.

    `tables` holds `ATLAS_TABLES` by contract id; one that is absent or empty leaves out its part. With rows of indicators the file is readable by
    its owner alone, else by everybody. Raises InputMissing where no PCN has a Core20 share.
    """
    page = atlas_page(tables, night)
    has_indicators = VALUES in tables and tables[VALUES].num_rows > 0
    written = replace_whole(folder / FILE, lambda path: path.write_text(page, encoding="utf-8"), PRIVATE_FILE if has_indicators else OPEN_FILE)
    return (written,)


def atlas_page(tables: Mapping[str, pa.Table], night: Night, title: str = "") -> str:
    """The page as HTML text, UTF-8, self-contained.

    In: the tables of `ATLAS_TABLES` by contract id, of one day; those of indicators may be of an earlier one, which the page then says. The same
    input gives the same text. Every value is escaped; script and style are allowed by their hash only, so that nothing else can run.
    Raises InputMissing where no PCN has a Core20 share.
    """
    given = {name: tables[name] if name in tables else empty_table(load_contract(name)) for name in ATLAS_TABLES}
    if not given[PCN].num_rows:
        raise InputMissing(f"the atlas needs {PCN}, of which there is no row: give registrations, deprivation and PCN membership")
    drawn = atlas_map(given[LSOA], given[COUNTS], given[MEMBERS], given[BOUNDARY], given[LOOKUP])
    shown = sorted(given[PCN].column("imd_edition").unique().to_pylist(), reverse=True)
    of = levels(given, drawn.names if drawn else {}, drawn.leads if drawn else {}, list(drawn.lsoa) if drawn else [])
    measures = [core20(given, of), *indicators(given[VALUES], given[GAPS], given[SMALL], of, registry.indicators())]
    slope = slopes(given[VALUES], given[GAPS], _names(given, of))
    totals = _totals(given[ICB], shown)
    counts_day = given[VALUES]["as_of"][0].as_py() if given[VALUES].num_rows else night.as_of
    heading = title or _title(given[ICB])
    data = {
        "as_of": night.as_of.isoformat(),
        "counts_as_of": counts_day.isoformat(),
        "editions": shown,
        "first_level": "pcn",
        "levels": of,
        "measures": measures,
        "slopes": slope,
        "deciles": deciles(given[LSOA]),
        "totals": {total["edition"]: [total["core20"], total["registered"]] for total in totals},
    }
    context = {
        "title": heading,
        "night": night,
        "counts_day": counts_day,
        "editions": shown,
        "all_editions": EDITIONS,
        "totals": totals,
        "facts": _facts(given[ICB], shown[0], of, drawn),
        "plain": _plain(given[PCN], shown),
        "groups": _groups(measures),
        "has_indicators": len(measures) > 1,
        "views": (measures[1] if len(measures) > 1 else measures[0])["views"],
        "levels": [{"id": name, "title": text} for name, text in LEVEL_NAMES.items() if name in of],
        "slope_areas": slope["areas"],
        "map": drawn,
        "caption": _caption(drawn, of) if drawn else "",
        "approximate": APPROXIMATE,
        "coverage": _coverage(given[EXTRACTS]) if len(measures) > 1 else "",
        "extracts": [wording.day(value) for value in sorted(given[PCN].column("registrations_extract").unique().to_pylist())],
        "snapshots": sorted({wording.day_of_text(value) for value in given[PCN].column("membership_snapshot").to_pylist()}),
        "data": data,
    }
    return _render(context)


def _coverage(account: pa.Table) -> str:
    """Whose practice lists the indicators rest on; nothing where no extract came."""
    rows = [row for row in account.select(["contract_id", "state", "extract_date"]).to_pylist() if row["contract_id"] == "inbound/practice_list"]
    if not rows:
        return ""
    fresh, days = sum(row["state"] in FRESH for row in rows), [row["extract_date"] for row in rows if row["extract_date"]]
    oldest = f", the oldest of {wording.day(min(days))}" if days else ""
    return f"On the day of this report the lists of {fresh} of {len(rows)} practices were fresh{oldest}."


def _render(context: Mapping[str, Any]) -> str:
    from markupsafe import Markup

    made = environment()
    made.globals["json"] = lambda value: Markup(as_json(value))
    style, script = ("".join(asset(name) for name in names) for names in (STYLES, SCRIPTS))
    hashes = {"style_hash": content_hash(style), "script_hash": content_hash(script)}
    # our own files, not data: the only texts that go in as they are
    return made.get_template("atlas.html.jinja").render(**context, **hashes, style=Markup(style), script=Markup(script))


def _title(by_icb: pa.Table) -> str:
    names = sorted({_AROUND_NAME.sub("", wording.calm(name)) for name in by_icb["icb_name"].to_pylist() if name})
    return f"Health inequality atlas: {names[0]}" if len(names) == 1 else "Health inequality atlas"


def _names(given: Mapping[str, pa.Table], of: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Names by area type and code of every area that a slope can be drawn of."""
    named = {("icb", row["icb_code"]): wording.calm(row["icb_name"] or row["icb_code"]) for row in given[ICB].to_pylist() if row["icb_code"]}
    for level in ("place", "pcn"):
        if level in of:
            named |= {(level, code): name for code, name in zip(of[level]["codes"], of[level]["names"], strict=True)}
    return named


def _totals(by_icb: pa.Table, shown: list[str]) -> list[dict[str, Any]]:
    """Of each edition the people of all ICBs of the report."""
    rows = by_icb.to_pylist()
    made = []
    for edition in shown:
        core20_count, registered = (sum(row[column] for row in rows if row["imd_edition"] == edition) for column in ("q1_count", "registered_count"))
        made.append({"edition": edition, "core20": core20_count, "registered": registered, "share": wording.share(core20_count, registered)})
    return made


def _facts(by_icb: pa.Table, edition: str, of: Mapping[str, Any], drawn: AtlasMap | None) -> list[dict[str, Any]]:
    rows = [row for row in by_icb.to_pylist() if row["imd_edition"] == edition]
    practices = sum(row["practice_count"] for row in rows)
    facts = [{"name": "PCNs", "value": len(of["pcn"]["codes"]), "small": f"{practices:,} practices in PCNs"}]
    if drawn is not None:
        facts.append({"name": "Small areas", "value": drawn.drawn_count, "small": f"{drawn.undrawn_people:,} people live elsewhere"})
    return facts


def _plain(by_pcn: pa.Table, shown: list[str]) -> list[dict[str, Any]]:
    """The shares of the PCNs for a reader without scripts, in the order of their codes."""
    rows = {(row["pcn_code"], row["imd_edition"]): row for row in by_pcn.to_pylist()}
    names = {row["pcn_code"]: wording.calm(row["pcn_name"]) for row in rows.values()}
    return [
        {
            "code": code,
            "name": names[code],
            "shares": [
                wording.share(row["q1_count"], row["registered_count"]) if (row := rows.get((code, edition))) else wording.NOT_GIVEN
                for edition in shown
            ],
        }
        for code in sorted(names)
    ]


def _groups(measures: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for measure in measures:
        groups.setdefault(measure["group"], []).append(measure)
    return list(groups.items())


def _caption(drawn: AtlasMap, of: Mapping[str, Any]) -> str:
    words = ["Drag to move the map once it is enlarged. Blank: mostly served by practices of another area."]
    if drawn.is_without_small_areas:
        words.append("There are too many small areas here to draw each: choose one ICB to see them.")
    if missing := [name for code, name in zip(of["pcn"]["codes"], of["pcn"]["names"], strict=True) if code not in drawn.pcn]:
        words.append(f"Not on the map, because they lead in no small area: {', '.join(missing)}.")
    return " ".join(words)
