"""An IMD edition carried to the LSOAs of the other census: which of its own LSOAs a code rests on, and with what share.

Two directions. Forward (a 2011 code, an edition on 2021): a code that became several is shared among them by population. Backward (a
2021 code, an edition on 2011): a code made of several takes their weighted mean, placed among the edition's published scores. Either way,
a code that rests on one LSOA takes that one's values. What does not belong here: people and practices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from fuller_popheath.place.editions import Edition

CARRIED = ["lsoa_code", "part_lsoa_code", "share", "imd_rank", "imd_score", "derivation", "change_code"]


def carried_over(edition: Edition, imd: pd.DataFrame, lookup: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """Deprivation of every code of the other vintage that is not a code of the edition's own.

    `imd`: one row an LSOA with lsoa_code, imd_rank, imd_score, population_count. `lookup`: lsoa11_code, lsoa21_code, change_code. `population`:
    lsoa_code, population_count (people of LSOA 2021). Returns the columns CARRIED, one row per code and LSOA it rests on. A code of whose
    LSOAs the file holds only some is left out, so its people are counted as unmatched rather than guessed.
    """
    import pandas as pd

    links = lookup.rename(columns={edition.other_code_column: "lsoa_code", edition.code_column: "own_code"})
    is_other = pd.Index(imd["lsoa_code"]).get_indexer(links["lsoa_code"]) < 0
    links = links[is_other].sort_values(["lsoa_code", "own_code"])
    links = links.merge(imd.rename(columns={"lsoa_code": "own_code"}), on="own_code", how="left")
    of_code = links.groupby("lsoa_code")
    links = links[of_code["imd_rank"].transform("count") == of_code["own_code"].transform("size")]
    parts = links.groupby("lsoa_code")["own_code"].transform("size")
    single, several = links[parts == 1], links[parts > 1]
    if edition.vintage == "2011":
        return _together(_inherited(single), _weighted_means(several, imd))
    return _together(_inherited(single), _shared(several, population))


def _together(*frames: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    filled = [frame[CARRIED] for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0][CARRIED]


def _inherited(links: pd.DataFrame) -> pd.DataFrame:
    """A code that rests on one LSOA: unchanged but renamed ("copied"), a split child or a part of a merged one ("inherited")."""
    derivation = links["change_code"].eq("U").map({True: "copied", False: "inherited"})
    return links.assign(part_lsoa_code=links["own_code"], share=1.0, derivation=derivation)


def _usable_weights(links: pd.DataFrame, column: str) -> tuple[pd.Series, pd.Series]:
    """Weights of each code's parts that add up to 1, and whether they come from `column`: only where it is known for every part."""
    per_code = links.groupby("lsoa_code")[column]
    total = per_code.transform("sum").astype("float64")
    usable = (per_code.transform("count") == per_code.transform("size")) & (total > 0)
    equal = 1.0 / per_code.transform("size")
    return (links[column].astype("float64") / total.where(usable)).fillna(equal), usable


def _weighted_means(links: pd.DataFrame, imd: pd.DataFrame) -> pd.DataFrame:
    """A 2021 code made of several 2011 ones: the mean score by population, else the mean rank; `part_lsoa_code` is the code itself.

    The weights are the denominators of the edition's File 7, else equal.
    """
    import numpy as np

    weights, _ = _usable_weights(links, "population_count")
    weighted = links.assign(rank_part=weights * links["imd_rank"], score_part=weights * links["imd_score"])
    codes = weighted.groupby("lsoa_code", as_index=False).agg(
        imd_rank=("rank_part", "sum"),
        imd_score=("score_part", lambda parts: parts.sum(skipna=False)),
        change_code=("change_code", "first"),
    )
    has_score = codes["imd_score"].notna()
    codes.loc[has_score, "imd_rank"] = _ranks_among_published(codes.loc[has_score, "imd_score"], imd).astype(np.float64)
    derivation = has_score.map({True: "weighted_mean_score", False: "weighted_mean_rank"})
    return codes.assign(part_lsoa_code=codes["lsoa_code"], share=1.0, derivation=derivation)


def _ranks_among_published(scores: pd.Series, imd: pd.DataFrame) -> np.ndarray:
    """The published rank of the first LSOA, from the most deprived, whose score is not above the given one.

    Its published rank, not its position in the file, so that a file of one ICB gives a national rank too. There is always one, because a
    mean is not below the smallest of what it is the mean of.
    """
    import numpy as np

    published = imd.dropna(subset=["imd_score"]).sort_values(["imd_rank", "lsoa_code"])
    # Scores are published to 3 decimals and may stand out of order within a tie: the running minimum descends as ranks do.
    falling = np.minimum.accumulate(published["imd_score"].to_numpy(dtype=np.float64))
    given = np.round(scores.to_numpy(dtype=np.float64), 9)
    first = np.searchsorted(-falling, -given, side="left")
    return published["imd_rank"].to_numpy()[np.minimum(first, len(falling) - 1)]


def _shared(links: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """A 2011 code that became several 2021 ones: a row a child, shared by the children's people.

    People come from the population file, else from the edition's own denominators, else the shares are equal; one source for a whole code.
    """
    import numpy as np

    people = population.rename(columns={"lsoa_code": "own_code", "population_count": "people"})
    links = links.merge(people, on="own_code", how="left")
    by_file, from_file = _usable_weights(links, "people")
    by_edition, from_edition = _usable_weights(links, "population_count")
    share = by_file.where(from_file, by_edition)
    derivation = np.where(from_file | from_edition, "shared_by_population", "shared_equally")
    return links.assign(part_lsoa_code=links["own_code"], share=share, derivation=derivation)
