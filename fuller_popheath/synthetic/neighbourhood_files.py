"""What stands beside the figures of a neighbourhood in the make-believe place: answers to the GP Patient Survey, and sites a team could use.

Shares are drawn around England's of recent years, a little lower where a practice is large; no person and no building is behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.synthetic.place import stream

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.synthetic.place import Place

SURVEY_FILE, SITES_FILE = "gp_patient_survey.csv", "community_sites.csv"
NEIGHBOURHOOD_FILES = (SURVEY_FILE, SITES_FILE)
MEASURES = {
    "overall_experience": 74.0,
    "contact_easy": 50.0,
    "preferred_gp_seen": 40.0,
    "needs_met": 90.0,
    "confidence_and_trust": 92.0,
    "long_term_condition_support": 66.0,
}
"""Measures and about what share of answers is favourable."""
KINDS = (
    ("community_pharmacy", "Pharmacy", 0),
    ("community_pharmacy", "Chemist", 0),
    ("library", "Library", 2),
    ("community_centre", "Community Centre", 3),
    ("leisure_centre", "Leisure Centre", 1),
    ("health_centre", "Health Centre", 4),
)
"""Kind of site, how it is called, and about how many rooms it has to spare; PCNs have the first few of these."""
FARTHEST_KM = 1.5


def neighbourhood_files(place: Place, seed: int, as_of: date) -> Mapping[str, pa.Table]:
    """By file name the table in the columns of our own layouts."""
    rng = stream(seed, "neighbourhoods")
    return {SURVEY_FILE: survey(place, rng, as_of), SITES_FILE: sites(place, rng)}


def survey(place: Place, rng: np.random.Generator, as_of: date) -> pa.Table:
    """One row per year, practice with a list and measure, of the newest two surveys (published in July). One practice's answers are withheld."""
    import pyarrow as pa

    newest = as_of.year - (as_of.month < 7)
    practices = [practice for practice in place.organisations.practices if practice.has_list]
    rows = []
    for number, practice in enumerate(practices):
        liked, answers = float(rng.normal(0, 7)), int(rng.integers(70, 160))
        for year in (newest - 1, newest):
            for measure, usual in MEASURES.items():
                share = float(np.clip(usual + liked * (1 if usual < 85 else 0.3) + rng.normal(0, 2), 5, 99))
                is_withheld = number == 2 and year == newest
                rows.append(
                    {
                        "survey_year": year,
                        "practice_code": practice.code,
                        "measure": measure,
                        "favourable_percent": None if is_withheld else round(share, 1),
                        "answer_count": None if is_withheld else answers,
                    }
                )
    return pa.Table.from_pylist(rows)


def sites(place: Place, rng: np.random.Generator) -> pa.Table:
    """One row per site: the surgeries of every PCN, and some more around them. Where a site stands is told by the middle of its small area."""
    import pyarrow as pa

    who = place.organisations
    rows = []
    for number, pcn in enumerate(who.pcns):
        own = [practice for practice in who.practices if practice.pcn == number and practice.has_list]
        for practice in own:
            at = (practice.x_km, practice.y_km)
            rows.append(_site(f"{practice.code}A", practice.name, "gp_surgery", pcn.code, at, int(rng.integers(0, 3)), practice))
        for order, (kind, called, rooms) in enumerate(KINDS[: int(rng.integers(3, len(KINDS) + 1))] if own else ()):
            near = own[order % len(own)]
            spot = (near.x_km + float(rng.uniform(-1, 1)) * FARTHEST_KM, near.y_km + float(rng.uniform(-1, 1)) * FARTHEST_KM)
            free = int(rng.poisson(rooms)) if rooms else None
            rows.append(_site(f"S{number:02d}{order:02d}", f"{near.town} {called}", kind, pcn.code, spot, free, near))
    placed = _placed(place, [row.pop("spot") for row in rows])
    return pa.Table.from_pylist([{**row, **where} for row, where in zip(rows, placed, strict=True)])


def _site(code: str, name: str, kind: str, pcn: str, spot: tuple[float, float], rooms: int | None, near: object) -> dict[str, object]:
    told = {"site_code": code, "site_name": name, "site_kind": kind, "pcn_code": pcn, "postcode": getattr(near, "postcode", None)}
    return {**told, "free_room_count": rooms, "spot": spot}


def _placed(place: Place, spots: list[object]) -> list[dict[str, float]]:
    """Latitude and longitude of the middle of the small area that each spot (kilometres east and north) is in, or is nearest to."""
    from scipy.spatial import cKDTree

    _, piece = cKDTree(place.pieces.seeds).query(np.array(spots, dtype=np.float64))
    shapes = place.lsoa21.set_index("lsoa21_code").geometry
    middles = [shapes.loc[code].representative_point() for code in place.piece_lsoa21[piece]]
    return [{"latitude": round(middle.y, 5), "longitude": round(middle.x, 5)} for middle in middles]
