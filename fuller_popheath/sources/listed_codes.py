"""What the readers of clinical systems ask of the code lists in use: which codes are kept in the spelling they came in.

The lists are given (shipped ones and the site's own together), never read here. What does not belong here: which code is an ethnic category
(`coded_ethnicity`), and how a system writes its codes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SYNTHETIC_CODE = re.compile(r"z\.[a-z0-9_]+\.[0-9]+")
"""A code of our make-believe code system."""

KEPT_KINDS = ("ethnicity", "objection", "sensitive")


def codes_not_to_translate(codelists: pa.Table) -> frozenset[tuple[str, str]]:
    """The (code_system, code) of the lists (columns kind, code_system, code) that mean an objection or an ethnic category, or are sensitive.

    Where a system sends such a code beside its SNOMED CT translation, the code itself is taken: lists often hold only one of the two, and none of
    these must be lost by translation.
    """
    columns = (codelists[name].to_pylist() for name in ("kind", "code_system", "code"))
    return frozenset((system, code) for kind, system, code in zip(*columns, strict=True) if kind in KEPT_KINDS)
