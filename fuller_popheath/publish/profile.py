"""Neighbourhood profiles: a page a PCN that says who lives there, what they have, how they use care, what is missing, and a sheet to plan by.

One self-contained file of HTML a PCN, without scripts and without network, to read, to print and to take figures from; and an index of them. Grain
in: the tables of one night. What does not belong here: figures (profile_people, profile_care, profile_extras) and rows of plots (profile_figures).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuller_popheath.disclosure.rules import rule_named
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.publish import wording
from fuller_popheath.publish.profile_care import care_figures, clinical_figures, gp_trend, workforce
from fuller_popheath.publish.profile_extras import Maps, coverage, files_used, survey
from fuller_popheath.publish.profile_figures import Figure, Shown, shown
from fuller_popheath.publish.profile_given import BY_ICB, BY_PCN, GAP, PROFILE_TABLES, RECORD_TABLES, Given, Pcn, given_of, number
from fuller_popheath.publish.profile_people import Pyramids, people_figures
from fuller_popheath.publish.profile_sheet import sheet
from fuller_popheath.publish.templating import asset, content_hash, environment
from fuller_popheath.whole_files import OPEN_FILE, PRIVATE_FILE, replace_whole

if TYPE_CHECKING:
    import pyarrow as pa
    from jinja2 import Template

    from fuller_popheath.specs import Night

__all__ = ["INDEX", "PROFILE_TABLES", "profile_pages", "publish_profiles"]

INDEX, STYLES = "neighbourhood_profiles.html", ("profile.css",)
_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
CONDITIONS = ("conditions",)
PUBLISHED = ("deprivation", "domains", "workforce", "gp_trend", "survey")
"""Figures that are not made from records: they are of the night, the others of the day their counts left."""


@dataclass(frozen=True)
class Chapter:
    """One chapter of a profile: where it stands, its heading and its figures."""

    name: str
    title: str
    figures: tuple[Shown, ...]


def publish_profiles(folder: Path, tables: Mapping[str, pa.Table], night: Night, pcns: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write `neighbourhood_profiles.html` and a `profile_<code>.html` for every PCN, or for those named, each in one step.

    Returns the paths, the index first. `tables` holds `PROFILE_TABLES` by contract id; one that is absent or empty leaves out its part. With rows
    made from records files are readable by their owner alone, else by everybody. Raises InputMissing where no PCN is known, SettingsWrong where one
    that is named is not.
    """
    made = profile_pages(tables, night, pcns)
    mode = PRIVATE_FILE if any(name in tables and tables[name].num_rows for name in RECORD_TABLES) else OPEN_FILE
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(replace_whole(folder / name, _writer(text), mode) for name, text in made.items())


def _writer(text: str) -> Any:
    return lambda path: path.write_text(text, encoding="utf-8")


def profile_pages(tables: Mapping[str, pa.Table], night: Night, pcns: Sequence[str] = ()) -> dict[str, str]:
    """The pages as HTML text by file name. The same input gives the same text; every value is escaped, and nothing in a page can run."""
    given = given_of(tables, night)
    wanted = _wanted(given, pcns)
    people, care, clinical = (list(figures(given)) for figures in (people_figures, care_figures, clinical_figures))
    staff, surveyed = [workforce(given), gp_trend(given)], [survey(given)]
    pyramids, maps, published = Pyramids(given), Maps(given), files_used(given)
    environment_ = environment()
    template, index = (environment_.get_template(f"{name}.html.jinja") for name in ("profile", "profile_index"))
    files = {pcn.code: f"profile_{pcn.code}.html" for pcn in wanted}
    made = {INDEX: _render(index, {"night": night, "pcns": [(pcn, files[pcn.code], _facts(given, pcn)) for pcn in wanted]})}
    for pcn in wanted:
        drawn = {name: _of(figures, pcn, given) for name, figures in _named(people, care, clinical, staff, surveyed).items()}
        chapters = [Chapter(name, title, drawn[name]) for name, title in CHAPTERS.items() if drawn[name]]
        context = {
            "night": night,
            "pcn": pcn,
            "counts_day": given.counts_day,
            "facts": _facts(given, pcn),
            "chapters": chapters,
            "pyramid": pyramids.of(pcn.code, pcn.icb, given.counts_day),
            "coverage": coverage(given, pcn),
            "published": published,
            "sites": maps.of(pcn, night.as_of),
            "map_edition": maps.edition,
            "sheet": sheet([figure for figures in drawn.values() for figure in figures]),
            "edition": given.edition,
            "rule": rule_named(night.site.disclosure.rule).words if given.has_records else "",
            "extract": _extract(given),
            "index": INDEX,
        }
        made[files[pcn.code]] = _render(template, context)
    return made


CHAPTERS = {
    "people": "Who lives here",
    "conditions": "What they have",
    "care": "How they use care, and what continuity they need",
    "clinical": "The clinical areas of Core20PLUS5",
    "workforce": "Workforce",
    "survey": "What patients say",
}


def _named(people: list[Figure], care: list[Figure], clinical: list[Figure], staff: list[Figure], surveyed: list[Figure]) -> dict[str, list[Figure]]:
    """Figures by chapter: conditions are among those of people."""
    lives = [figure for figure in people if figure.name not in CONDITIONS]
    has = [figure for figure in people if figure.name in CONDITIONS]
    return {"people": lives, "conditions": has, "care": care, "clinical": clinical, "workforce": staff, "survey": surveyed}


def _of(figures: Sequence[Figure], pcn: Pcn, given: Given) -> tuple[Shown, ...]:
    days = {True: given.night.as_of, False: given.counts_day}
    every = (shown(figure, pcn.code, pcn.icb, days[figure.name in PUBLISHED]) for figure in figures)
    return tuple(one for one in every if one is not None)


def _wanted(given: Given, codes: Sequence[str]) -> tuple[Pcn, ...]:
    known = {pcn.code: pcn for pcn in given.pcns if _CODE.fullmatch(pcn.code)}
    if not known:
        raise InputMissing("profiles need core/neighbourhood_practice, of which no practice is in a PCN: give PCN membership and registrations")
    if unknown := sorted(set(codes) - set(known)):
        raise SettingsWrong(
            f"{len(unknown)} of the PCNs named are in no practice's membership of the day: {', '.join(unknown)}; see fuller profile --all"
        )
    return tuple(known[code] for code in dict.fromkeys(codes)) if codes else tuple(known.values())


def _facts(given: Given, pcn: Pcn) -> list[dict[str, str]]:
    """The few figures at the head of a profile: name, value, and what stands small below."""
    rows = sorted(given.rows(BY_PCN, pcn_code=pcn.code).to_dict("records"), key=lambda row: row["imd_edition"], reverse=True)
    wholes = {row["imd_edition"]: row for row in given.rows(BY_ICB, icb_code=pcn.icb).to_dict("records")}
    facts = []
    if rows:
        facts.append(
            {
                "name": "Registered people",
                "value": f"{rows[0]['registered_count']:,}",
                "small": wording.plural(len(pcn.practices), "practice", "practices"),
            }
        )
    for row in rows:
        whole = wholes.get(row["imd_edition"])
        small = f"ICB {wording.share(whole['q1_count'], whole['registered_count'])}" if whole else row["band"]
        name = f"In Core20, IMD {row['imd_edition']}"
        facts.append({"name": name, "value": wording.share(row["q1_count"], row["registered_count"]), "small": small})
    need = given.rows(GAP, area_type="pcn", area_code=pcn.code, imd_edition=given.edition, imd_quintile="all").to_dict("records")
    if need and (count := number(need[0]["high_need_count"])) is not None:
        facts.append({"name": "High need for continuity", "value": f"{count:,.0f}", "small": "people, rounded"})
    return facts


def _extract(given: Given) -> str:
    days = sorted(set(given.frames[BY_PCN]["registrations_extract"]))
    return ", ".join(wording.day(day) for day in days) or wording.NOT_GIVEN


def _render(template: Template, context: Mapping[str, Any]) -> str:
    from markupsafe import Markup

    style = "".join(asset(name) for name in STYLES)
    # our own file, not data: the only text that goes in as it is
    return template.render(**context, style=Markup(style), style_hash=content_hash(style))
