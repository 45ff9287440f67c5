"""Who is in a group because of what is said of the LSOA they live in: yes by one word, no by its opposite, else not recorded.

What does not belong here: any group by name, and which LSOAs a word holds for (`reference/lsoa_classification`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

CLASSIFICATION: ContractId = "reference/lsoa_classification"
COLUMNS: dict[ContractId, tuple[str, ...]] = {CLASSIFICATION: ("classification",)}


def living_in(word: str, opposite: str) -> Callable[[Mapping[str, np.ndarray], Site], np.ndarray]:
    """1 for whom `word` is among the words of their LSOA, 0 for whom `opposite` is, -1 for whom neither is, or both are."""

    def assign(values: Mapping[str, np.ndarray], site: Site) -> np.ndarray:
        import numpy as np

        texts, places = np.unique(values["classification"].astype(str), return_inverse=True)
        split = [text.split(";") for text in texts]
        yes, no = (np.array([one in words for words in split], bool)[places] for one in (word, opposite))
        return np.select([yes & ~no, no & ~yes], [1, 0], default=-1).astype(np.int8)

    return assign
