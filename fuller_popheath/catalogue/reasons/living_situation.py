"""Being housebound, living in a care home, caring for somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.catalogue.phrases import Told, conditions
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd


NAMES = {
    "has_care_home": "lives in a care home",
    "has_housebound": "is housebound",
    "has_carer": "cares for somebody",
}
NOTHING = "not recorded as housebound, in a care home or a carer"


def words(features: pd.DataFrame) -> Told:
    """ "lives in a care home"."""
    return conditions(features, NAMES, NOTHING)


REASON = ReasonSpec(name="living_situation", title="Living situation", columns=tuple(NAMES), words=words)
