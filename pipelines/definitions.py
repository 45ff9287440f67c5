"""The code location `fuller`: everything under `defs/`."""

from pathlib import Path

import dagster as dg

from fuller_popheath.contracts.lanes import refuse_mixed_lanes

PURPOSE = "purpose"


@dg.definitions
def defs() -> dg.Definitions:
    """Load `defs/` and nothing else. Raises SettingsWrong where a product for others is made from what holds people for direct care."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    keep_lanes(loaded)
    return loaded


def keep_lanes(loaded: dg.Definitions) -> None:
    """Hold the graph of assets against the purposes of its products. Raises SettingsWrong."""
    specs = list(loaded.resolve_all_asset_specs())
    made_from = {spec.key.to_user_string(): [dep.asset_key.to_user_string() for dep in spec.deps] for spec in specs}
    refuse_mixed_lanes(made_from, {spec.key.to_user_string(): spec.tags[PURPOSE] for spec in specs if PURPOSE in spec.tags})
