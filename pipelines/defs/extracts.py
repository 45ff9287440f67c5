"""Group extracts: what practices and trusts sent about persons, and the account of it."""

import dagster as dg

from pipelines.extract_steps import extract_assets


@dg.definitions
def extracts() -> dg.Definitions:
    """One step for every table declared in fuller_popheath/arrival/becoming, and the account of the night."""
    return dg.Definitions(assets=extract_assets())
