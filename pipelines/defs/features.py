"""Groups facts and features: what is known about each person on the day."""

import dagster as dg

from pipelines.checks import checks_of
from pipelines.feature_steps import fact_assets, feature_assets


@dg.definitions
def features() -> dg.Definitions:
    """One asset for every fact and every feature group declared in fuller_popheath/catalogue, with the statistical checks on facts."""
    return dg.Definitions(assets=[*fact_assets(), *feature_assets()], asset_checks=checks_of("facts"))
