"""Makes Dagster assets of facts and feature groups: Ibis expressions over the big tables of the store, which never pass from step to step.

A step opens an engine as site.toml says, has the domain compute one table, tells the contract's verdict and hands the table to the store.
What does not belong here: arithmetic, and the name of any single fact or feature.
"""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from typing import TYPE_CHECKING

import dagster as dg

from fuller_popheath.contracts import load_contract
from fuller_popheath.registry import facts, features
from fuller_popheath.specs import FactSpec
from pipelines import describe
from pipelines.guard import guarded
from pipelines.steps import CHECK, KEEPS, Yielded, asset_check_spec, common, proven_output

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import FeatureSpec
    from pipelines.tonight import Tonight

PERSON = "core/person"


def fact_assets() -> list[dg.AssetsDefinition]:
    """One asset for every table of long facts."""
    return [_computed(spec, "facts") for spec in facts().values()]


def feature_assets() -> list[dg.AssetsDefinition]:
    """One asset for every group of features."""
    return [_computed(spec, "features") for spec in features().values()]


def _computed(spec: "FactSpec | FeatureSpec", group: str) -> dg.AssetsDefinition:
    contract = load_contract(spec.contract)
    inputs = tuple(dict.fromkeys((PERSON, *spec.inputs)))

    @dg.asset(
        **common(contract, group, {"ibis", "parquet"}),
        metadata=describe.definition_metadata(contract, [load_contract(name) for name in inputs]),
        deps=[describe.key_of(name) for name in inputs],
        check_specs=[asset_check_spec(contract, CHECK, KEEPS, blocking=True)],
        code_version=describe.code_version(spec.build),
    )
    @guarded
    def compute(context: dg.AssetExecutionContext) -> Yielded:
        tonight: Tonight = context.resources.night.tonight()
        yield from proven_output(_table(spec, inputs, tonight), contract, {"engine": tonight.night.site.engine.engine})

    return compute


def _table(spec: "FactSpec | FeatureSpec", inputs: tuple[str, ...], tonight: "Tonight") -> "pa.Table":
    from fuller_popheath.engine import Engine
    from fuller_popheath.feature_store import build_fact, build_feature

    known = {name: tonight.store.scan(name, tonight.as_of) for name in inputs}
    with Engine.from_site(tonight.night.site) as engine:
        if isinstance(spec, FactSpec):
            return build_fact(spec, engine, known, tonight.night)
        return build_feature(spec, engine, known, tonight.night)
