"""What is said of the LSOA that somebody lives in, whichever census its code is of. What does not belong here: who is in which group for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.place.area_deprivation import LOOKUP
from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CLASSIFICATION: ContractId = "reference/lsoa_classification"
COLUMN = "classification"
INPUTS: tuple[ContractId, ...] = (CLASSIFICATION, LOOKUP)


def classes_of(lsoa_codes: pa.ChunkedArray, classified: pa.Table, lookup: pa.Table) -> np.ndarray:
    """The words that hold for each LSOA, sorted, with `;` between them; empty where nothing is known. One text an entry, in their order.

    `classified`: reference/lsoa_classification; `lookup`: reference/lsoa_2011_2021. A code that the file does not have takes over what holds for all
    the LSOAs of the other census that share ground with it.
    """
    import numpy as np
    import pyarrow.compute as pc

    words: dict[str, set[str]] = {}
    for code, word in zip(classified["lsoa_code"].to_pylist(), classified[COLUMN].to_pylist(), strict=True):
        words.setdefault(code, set()).add(word)
    partners: dict[str, list[str]] = {}
    for old, new in zip(lookup["lsoa11_code"].to_pylist(), lookup["lsoa21_code"].to_pylist(), strict=True):
        partners.setdefault(old, []).append(new)
        partners.setdefault(new, []).append(old)
    coded = lsoa_codes.combine_chunks().dictionary_encode()
    of_code = [_text(code, words, partners) for code in coded.dictionary.to_pylist()]
    texts = np.array([*of_code, ""], dtype=object)
    return texts[pc.fill_null(coded.indices, len(of_code)).to_numpy()]


def _text(code: str, words: dict[str, set[str]], partners: dict[str, list[str]]) -> str:
    if code in words:
        return ";".join(sorted(words[code]))
    others = [words.get(other, set()) for other in partners.get(code, ())]
    return ";".join(sorted(set.intersection(*others))) if others else ""
