"""What Dagster's page shows of a product is what the product's own page shows."""

from __future__ import annotations

import pyarrow as pa

from pipelines import describe


def test_first_rows_round_as_the_band_does_and_a_name_stays_a_name() -> None:
    table = pa.table(
        {
            "pcn_name": ["Lower | [a](b)", "Upper", "Other edition"],
            "imd_edition": ["2025", "2025", "2019"],
            "registered_count": [2000, 1000, 1],
            "core20_percent": [100 * 599 / 2000, 100 * 600 / 1000, 99.0],
            "band": ["30.0% to 39.9%", "60.0% to 69.9%", "Above 70.0%"],
        }
    )
    shown = describe.first_rows(table)
    head, _, first, second = shown.splitlines()
    assert head == "| pcn name | imd edition | registered count | core20 percent | band |"
    assert first == "| Upper | 2025 | 1,000 | 60.0 | 60.0% to 69.9% |"
    assert second.endswith("| 2025 | 2,000 | 30.0 | 30.0% to 39.9% |"), "599 of 2,000 is 29.95: half up, as the band is decided"
    assert "[a]" not in second and second.count("|") == 6
