"""What is said of the LSOA that somebody lives in, by codes of either census, and a file of the site's that says it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from fuller_popheath import registry
from fuller_popheath.place.lsoa_classification import classes_of
from fuller_popheath.sources.opening import heads

CLASSIFIED = pa.table(
    {
        "lsoa_code": ["E01000001", "E01000001", "E01000002", "E01000011", "E01000012", "E01000012", "E01000021", "E01000022"],
        "classification": ["urban", "coastal", "inland", "coastal", "coastal", "rural", "coastal", "inland"],
    }
)
LOOKUP = pa.table(
    {
        # 10 became 11 and 12; 20 became 21 and 22; 30 and 2 became 40; 50 became 51 and 11.
        "lsoa11_code": ["E01000010", "E01000010", "E01000020", "E01000020", "E01000030", "E01000002", "E01000050", "E01000050"],
        "lsoa21_code": ["E01000011", "E01000012", "E01000021", "E01000022", "E01000040", "E01000040", "E01000051", "E01000011"],
    }
)


def test_a_code_of_the_other_census_takes_over_what_its_parts_share() -> None:
    expected = {
        "E01000001": "coastal;urban",
        "E01000010": "coastal",  # both parts are coastal, one is rural
        "E01000020": "",  # one part is, the other is not
        "E01000040": "",  # of one of its two nothing is known
        "E01000050": "",
        "E01000099": "",
        None: "",
    }
    codes = pa.chunked_array([pa.array([*expected, "E01000001"], pa.string())])
    assert classes_of(codes, CLASSIFIED, LOOKUP).tolist() == [*expected.values(), "coastal;urban"]


def test_without_a_file_nothing_is_known_of_anybody() -> None:
    codes = pa.chunked_array([pa.array(["E01000001", None], pa.string())])
    assert np.array_equal(classes_of(codes, CLASSIFIED.slice(0, 0), LOOKUP.slice(0, 0)), ["", ""])


def test_a_file_of_the_sites_is_read_under_its_own_or_the_published_headers(tmp_path: Path) -> None:
    source = registry.sources()["reference/lsoa_classification"]
    for header in ("lsoa_code,lsoa_vintage,classification,source", "LSOA21CD,LSOA vintage,Classification,Source"):
        path = tmp_path / "coast.csv"
        path.write_text(f"{header}\nE01000001,2021,Coastal,our own map of 2025\n", encoding="utf-8")
        (head,) = heads(path)
        assert source.recognise(head) is not None
        (row,) = source.read(head).to_pylist()
        assert row | {"_row": 2} == {
            "lsoa_code": "E01000001",
            "lsoa_vintage": "2021",
            "classification": "coastal",
            "source": "our own map of 2025",
            "_row": 2,
        }
