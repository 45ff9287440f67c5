"""Names that sound like places and surgeries of the north-west coast, and are none that exist."""

from __future__ import annotations

import numpy as np

from fuller_popheath.errors import SettingsWrong

_STEMS = (
    "Quenna", "Vorra", "Thrunna", "Heskel", "Morva", "Oskel", "Brunta", "Ylder", "Fennoch", "Garra", "Tolver", "Skarne", "Wexel", "Durra",
    "Ambrin", "Kessa", "Lorna", "Pellan", "Ruskel", "Sundra", "Immer", "Jarra", "Nolver", "Corva", "Eldrin", "Hanneth", "Mirrow", "Ovra",
)  # fmt: skip
_MORE_STEMS = (
    "Aldra", "Bessock", "Cleth", "Dorrin", "Estra", "Farrow", "Gilsa", "Hoskra", "Inder", "Kelda", "Lunna", "Marrick", "Norsk", "Orlan", "Prisk",
    "Rannoch", "Sarnel", "Torva", "Ulver", "Varrin", "Wistra", "Yarna",
)  # fmt: skip
"""For places with more towns than the first stems name; a small place keeps its names."""
_ENDINGS = ("ness", "by", "mere", "holm", "thwaite", "wick", "ford", "beck", "sea", "dale")

_FEATURES = (
    "HARBOUR VIEW", "OLD FORGE", "LIGHTHOUSE ROAD", "MILL POND", "SALT HOUSE", "TIDE STREET", "ROPEWALK", "LAPWING LANE", "CHAPEL BROW", "GANTRY",
    "KELP ROAD", "WINDMILL HILL", "COBBLE YARD", "FERRY QUAY", "CURLEW COURT", "TANNERY", "ORCHARD FOLD", "SLIPWAY", "GORSE BANK", "STATION SQUARE",
)  # fmt: skip
_MORE_FEATURES = (
    "ANCHOR LANE", "BEACON STREET", "CANAL WHARF", "DRIFTWOOD", "EAST PIER", "FELLSIDE", "GRANARY ROAD", "HERON BANK", "IRONGATE", "JETTY ROAD",
    "KINGFISHER", "LIMEKILN", "MARSH END", "NETHER GATE", "OYSTER ROW", "PEBBLE COURT", "QUARRY ROAD", "RIVERSIDE", "SANDHILL", "TURNPIKE",
    "UPPER MILL", "VICARAGE LANE", "WEIR STREET", "YEW TREE", "ASHFIELD", "BRIDGE END", "CLIFF ROAD", "DUNE VIEW", "ELM GROVE", "FOUNTAIN SQUARE",
)  # fmt: skip
_KINDS = ("SURGERY", "MEDICAL CENTRE", "HEALTH CENTRE", "MEDICAL PRACTICE", "FAMILY PRACTICE")


def town_names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different made-up place names. Raises SettingsWrong where the syllables make fewer."""
    stems = _STEMS if count <= len(_STEMS) else _STEMS + _MORE_STEMS
    every = [stem + ending for stem in stems for ending in _ENDINGS if stem[-1] != ending[0]]
    if count > len(stems):
        raise SettingsWrong(f"{count} town names were asked for and there are {len(stems)} different beginnings; make the place smaller")
    chosen: list[str] = []
    for name in rng.permutation(every):
        if all(name[:4] != other[:4] for other in chosen):
            chosen.append(str(name))
        if len(chosen) == count:
            break
    return chosen


def practice_names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different practice names in capitals, as the NHS publishes them; the second ends in a comma, as one real name does."""
    features = _FEATURES if count <= len(_FEATURES) * len(_KINDS) else _FEATURES + _MORE_FEATURES
    every = [f"{feature} {kind}" for feature in features for kind in _KINDS]
    if count > len(every):
        raise SettingsWrong(f"{count} practice names were asked for and there are {len(every)}; make the place smaller")
    by_feature = rng.permutation(every)
    first_of_each = sorted(range(len(every)), key=lambda i: (list(by_feature[:i]).count(by_feature[i]), i))
    names = [str(by_feature[i]) for i in first_of_each[:count]]
    names[1] = "DRS QUILLIAM, SKARNE & PARTNERS,"
    return names
