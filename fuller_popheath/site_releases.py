"""The section [releases] of site.toml: how many releases are kept, and which changes since the last one stop a release until somebody has looked.

Every limit is a local choice. What does not belong here: what is compared with what (`publish/release_limits.py`).
"""

from __future__ import annotations

from pydantic import Field

from fuller_popheath.site_section import Section


class Releases(Section):
    """When a release does not become current by itself. All limits in percent; a run that accepts the changes, with a reason, passes them.

    `registered_change_percent`: registered people of an ICB, or of a PCN's practices that were in it before too. `rows_change_percent`: rows of a
    product. `practice_coverage_percent`: practices of PCNs that have published counts, and of the practices whose lists were in use those whose still
    are.
    """

    keep: int = Field(default=10, ge=2, le=1_000)
    registered_change_percent: float = Field(default=10.0, gt=0)
    rows_change_percent: float = Field(default=25.0, gt=0)
    practice_coverage_percent: float = Field(default=90.0, ge=0, le=100)
