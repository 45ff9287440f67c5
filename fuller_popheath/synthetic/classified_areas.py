"""Which LSOAs of the make-believe place are coastal and rural: those in the west, where its sea would be, and those with much ground.

What does not belong here: who lives there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.synthetic.place import Place

CLASSIFICATION_FILE = "lsoa_classification.csv"
COASTAL_SHARE, RURAL_SHARE = 0.12, 0.2


def lsoa_classification(place: Place) -> pa.Table:
    """Two rows per LSOA 2021: coastal or inland, rural or urban."""
    import pyarrow as pa

    shapes = place.lsoa21.to_crs(27700)
    west, ground = shapes.geometry.centroid.x.to_numpy(), shapes.geometry.area.to_numpy()
    coastal, rural = west <= np.quantile(west, COASTAL_SHARE), ground >= np.quantile(ground, 1 - RURAL_SHARE)
    codes = place.lsoa21["lsoa21_code"].tolist()
    words = [*np.where(coastal, "coastal", "inland"), *np.where(rural, "rural", "urban")]
    return pa.table(
        {"lsoa_code": codes * 2, "lsoa_vintage": ["2021"] * len(words), "classification": words, "source": ["make-believe"] * len(words)}
    ).sort_by([("lsoa_code", "ascending"), ("classification", "ascending")])
