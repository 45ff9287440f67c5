"""The code location `fuller`: everything under `defs/`."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Load `defs/` and nothing else."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
