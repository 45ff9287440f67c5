"""The Core20 page: one file of HTML that holds everything and asks no network for anything.

Grain in: the products of one night. What is computed here is wording and layout only; every figure comes from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fuller_popheath.place.editions import EDITIONS
from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import COLOURS, ink_on
from fuller_popheath.publish.catchments import APPROXIMATE
from fuller_popheath.publish.core20_map import editions, ranked
from fuller_popheath.publish.csv_files import as_csv
from fuller_popheath.publish.embedded import as_json
from fuller_popheath.publish.page_map import map_view
from fuller_popheath.publish.page_sections import compared_view, sources_view, totals_view, unplaced_view, waves_view
from fuller_popheath.publish.page_views import EditionView, edition_view
from fuller_popheath.publish.templating import asset, content_hash, environment

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

    from fuller_popheath.specs import Night


def core20_page(
    *,
    by_pcn: pa.Table,
    by_icb: pa.Table,
    by_place: pa.Table,
    comparison: pa.Table,
    phasing: pa.Table,
    unplaced: pa.Table,
    shapes: gpd.GeoDataFrame | None,
    sources: pa.Table | Sequence[str],
    night: Night,
    title: str,
) -> str:
    """The page as HTML text, UTF-8, self-contained.

    In: the products of the same names (`products/core20_by_pcn` and its siblings, one or both editions), `shapes` as `catchments` returns them or
    None, `sources` as `core/landing_file` or as plain file names, and the page's title. The same input gives the same text. Values of
    rows are escaped; scripts and styles are allowed by their hash only, so that nothing else can run.
    """
    shown = editions(by_pcn)
    waves = {(row["imd_edition"], row["pcn_code"]): row for row in phasing.to_pylist()}
    views = [edition_view(ranked(by_pcn, edition), edition, waves, place) for place, edition in enumerate(shown)]
    style = asset("core20.css") + _band_style(shown)
    script = asset("core20.js")
    context = {
        "title": title,
        "night": night,
        "editions": views,
        "all_editions": EDITIONS,
        "default": shown[0] if shown else "",
        "several_icbs": len({code for code in by_pcn.column("icb_code").to_pylist() if code}) > 1,
        "map": map_view(shapes, views) if shapes is not None and len(shapes) else None,
        "approximate": APPROXIMATE,
        "mapped_share": _mapped_share(shapes, views),
        "compared": compared_view(comparison),
        "waves": {view.edition: waves_view(phasing, view, night) for view in views},
        "totals": {view.edition: totals_view(by_icb, by_place, view.edition) for view in views},
        "unplaced": {view.edition: unplaced_view(unplaced, view.edition) for view in views},
        "sources": sources_view(sources),
        "extracts": _dates(by_pcn, "registrations_extract"),
        "snapshots": sorted({wording.day_of_text(value) for value in by_pcn.column("membership_snapshot").to_pylist()}),
        "downloads": _downloads(night, by_pcn=by_pcn, by_place=by_place, by_icb=by_icb, edition_comparison=comparison, phasing=phasing),
        "style": style,
        "style_hash": content_hash(style),
        "script": script,
        "script_hash": content_hash(script),
    }
    return _render(context)


def _render(context: Mapping[str, Any]) -> str:
    from markupsafe import Markup

    made = environment()
    made.globals["json"] = lambda value: Markup(as_json(value))
    # our own two files, not data: the only texts that go in as they are
    trusted = {name: Markup(context[name]) for name in ("style", "script")}
    return made.get_template("core20.html.jinja").render(**{**context, **trusted})


def _band_style(shown: Sequence[str]) -> str:
    """One rule a band for its swatches, and one a band and edition for the map, which changes colour with the edition alone."""
    rules = [f".b{number}{{background:{fill};fill:{fill};color:{ink_on(fill)}}}" for number, fill in enumerate(COLOURS)]
    for place, edition in enumerate(shown):
        rules += [f'main[data-edition="{edition}"] .e{place}b{number}{{fill:{fill}}}' for number, fill in enumerate(COLOURS)]
    if len(shown) > 1:
        rules += [f'main[data-edition="{edition}"] .ed:not(.ed-{edition}){{display:none}}' for edition in shown]
    return "\n".join(rules) + "\n"


def _mapped_share(shapes: gpd.GeoDataFrame | None, views: Sequence[EditionView]) -> str:
    if shapes is None or not views:
        return ""
    return wording.share(int(shapes["people_mapped_count"].sum()), views[0].registered)


def _dates(table: pa.Table, column: str) -> list[str]:
    return [wording.day(value) for value in sorted(table.column(column).unique().to_pylist())]


def _downloads(night: Night, **tables: pa.Table) -> list[dict[str, str]]:
    labels = {
        "by_pcn": "By PCN",
        "by_place": "By place",
        "by_icb": "By ICB",
        "edition_comparison": "Editions compared",
        "phasing": "Phasing",
    }
    return [
        {"id": name, "label": labels[name], "file": f"core20_{name}_{night.as_of.isoformat()}.csv", "csv": as_csv(table)}
        for name, table in tables.items()
        if table.num_rows
    ]
