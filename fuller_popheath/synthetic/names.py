"""Names that sound like places and surgeries of the north-west coast, and are none that exist."""

from __future__ import annotations

import numpy as np

from fuller_popheath.errors import SettingsWrong

_STEMS = (
    "Quenna", "Vorra", "Thrunna", "Heskel", "Morva", "Oskel", "Brunta", "Ylder", "Fennoch", "Garra", "Tolver", "Skarne", "Wexel", "Durra",
    "Ambrin", "Kessa", "Lorna", "Pellan", "Ruskel", "Sundra", "Immer", "Jarra", "Nolver", "Corva", "Eldrin", "Hanneth", "Mirrow", "Ovra",
)  # fmt: skip
_ENDINGS = ("ness", "by", "mere", "holm", "thwaite", "wick", "ford", "beck", "sea", "dale")

_FEATURES = (
    "HARBOUR VIEW", "OLD FORGE", "LIGHTHOUSE ROAD", "MILL POND", "SALT HOUSE", "TIDE STREET", "ROPEWALK", "LAPWING LANE", "CHAPEL BROW", "GANTRY",
    "KELP ROAD", "WINDMILL HILL", "COBBLE YARD", "FERRY QUAY", "CURLEW COURT", "TANNERY", "ORCHARD FOLD", "SLIPWAY", "GORSE BANK", "STATION SQUARE",
)  # fmt: skip
_KINDS = ("SURGERY", "MEDICAL CENTRE", "HEALTH CENTRE", "MEDICAL PRACTICE", "FAMILY PRACTICE")


def town_names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different made-up place names. Raises SettingsWrong where the syllables make fewer."""
    every = [stem + ending for stem in _STEMS for ending in _ENDINGS if stem[-1] != ending[0]]
    if count > len(_STEMS):
        raise SettingsWrong(f"{count} town names were asked for and there are {len(_STEMS)} different beginnings; make the place smaller")
    chosen: list[str] = []
    for name in rng.permutation(every):
        if all(name[:4] != other[:4] for other in chosen):
            chosen.append(str(name))
        if len(chosen) == count:
            break
    return chosen


def practice_names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different practice names in capitals, as the NHS publishes them; the second ends in a comma, as one real name does."""
    every = [f"{feature} {kind}" for feature in _FEATURES for kind in _KINDS]
    if count > len(every):
        raise SettingsWrong(f"{count} practice names were asked for and there are {len(every)}; make the place smaller")
    by_feature = rng.permutation(every)
    first_of_each = sorted(range(len(every)), key=lambda i: (list(by_feature[:i]).count(by_feature[i]), i))
    names = [str(by_feature[i]) for i in first_of_each[:count]]
    names[1] = "DRS QUILLIAM, SKARNE & PARTNERS,"
    return names
