"""Domains of deprivation by area, by hand: small areas that were redrawn are divided, and who is left out is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest

from fuller_popheath.catalogue.products import deprivation_domains_by_area as product
from fuller_popheath.contracts import refuse_if_broken
from fuller_popheath.contracts.loading import load_contract
from fuller_popheath.place.deprivation_domains import DOMAINS
from fuller_popheath.specs import Night

COUNTS, PRACTICES, DEPRIVATION = "core/registered_count", "core/neighbourhood_practice", "core/area_deprivation"
Made = dict[tuple[str, ...], dict[str, Any]]


@pytest.fixture
def made(table: Callable[..., pa.Table], night: Callable[..., Night]) -> Callable[..., Made]:
    def build(has_deciles: bool = True) -> Made:
        deciles = {"E01000001": 2, "E01000002": 3, "E01000011": 1, "E01000012": 9}
        imd = [
            {"lsoa21_code": code, "imd_rank": at, "imd_decile": 5, **({f"{d}_decile": decile for d in DOMAINS} if has_deciles else {})}
            for at, (code, decile) in enumerate(deciles.items(), start=1)
        ]
        # E01000003 became two: 60 % of its people live in the first; of E01000004 only a mean is known.
        rests = [(code, code, 1.0) for code in deciles] + [
            ("E01000003", "E01000011", 0.6),
            ("E01000003", "E01000012", 0.4),
            ("E01000004", "E01000004", 1.0),
        ]
        parts = [{"lsoa_code": code, "part_lsoa_code": part, "share": share} for code, part, share in rests]
        people = {("A00001", "E01000001"): 300, ("A00001", "E01000002"): 100, ("A00002", "E01000003"): 50, ("A00002", "E01000004"): 50}
        practices = [{"practice_code": "A00001", "pcn_code": "U00001"}, {"practice_code": "A00002", "pcn_code": "U00002"}]
        inputs = {
            COUNTS: table(COUNTS, [{"practice_code": p, "lsoa_code": lsoa, "registered_count": n} for (p, lsoa), n in people.items()]),
            PRACTICES: table(PRACTICES, practices, icb_code="QE1", place_code="00Q"),
            DEPRIVATION: table(DEPRIVATION, parts, imd_edition="2025", imd_rank=1.0, imd_decile=1, imd_quintile=1),
            "reference/imd_2019": table("reference/imd_2019", []),
            "reference/imd_2025": table("reference/imd_2025", imd),
        }
        rows = refuse_if_broken(product.build(inputs, night("QE1")), load_contract(product.CONTRACT)).to_pylist()
        return {(row["imd_edition"], row["area_type"], row["area_code"], row["domain"]): row for row in rows}

    return build


def test_people_of_redrawn_areas_are_divided_and_who_is_left_out_is_told(made: Callable[..., Made]) -> None:
    rows = made()
    first, second, icb = (rows["2025", *area, "income"] for area in (("pcn", "U00001"), ("pcn", "U00002"), ("icb", "QE1")))
    assert (first["people_count"], first["most_deprived_count"], first["percent"], first["covered_percent"]) == (400, 300, 75, 100)
    assert (second["people_count"], second["most_deprived_count"], second["percent"], second["covered_percent"]) == (50, 30, 60, 50)
    assert (icb["people_count"], icb["most_deprived_count"], icb["covered_percent"]) == (450, 330, 90)
    assert {key[3] for key in rows} == set(DOMAINS)
    assert {key[0] for key in rows} == {"2025"}


def test_without_deciles_there_is_no_row(made: Callable[..., Made]) -> None:
    assert made(has_deciles=False) == {}


@pytest.mark.open_data
def test_barrow_and_millom_from_the_published_files(
    read_real: Callable[[str, str], pa.Table], build: Callable[..., dict[str, pa.Table]], night: Callable[..., Night]
) -> None:
    names = {
        "reference/practice_lsoa_count": "gp-reg-pat-prac-lsoa-all_2022-07.zip",
        "reference/pcn_membership": "ePCN_2022-04-27.xlsx",
        "reference/practice_map": "gp-reg-pat-prac-map_2022-01.csv",
        "reference/imd_2019": "File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_RECONSTRUCTED.zip",
    }
    wanted: Sequence[str] = (product.CONTRACT,)
    made = build({contract: read_real(contract, name) for contract, name in names.items()}, wanted, night("QE1"))
    rows = {row["domain"]: row for row in made[product.CONTRACT].to_pylist() if row["area_code"] == "U17992" and row["imd_edition"] == "2019"}
    # Summed up from the same files with pandas alone: its ten practices' people by LSOA of 2011, deciles 1 and 2 of each domain.
    assert rows["health"]["people_count"] == 68_289
    assert (rows["health"]["most_deprived_count"], rows["income"]["most_deprived_count"]) == (50_645, 20_982)
