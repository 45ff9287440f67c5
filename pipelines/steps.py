"""Makes Dagster assets of declarations: one for every layout that can be read, one for every table that is made from others.

A step asks the domain for a table, tells the contract's verdict as a check result, and hands the table to the store; a table that breaks
its contract fails the step before anything is written. What does not belong here: arithmetic, and the name of any single table but the first.
"""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import ContractBroken, FileRefused, NothingArrived
from fuller_popheath.graph import order
from fuller_popheath.registry import sources, tables
from fuller_popheath.specs import as_it_left
from pipelines import describe
from pipelines.arrivals import take
from pipelines.freshness import policy_of
from pipelines.guard import as_failure, guarded
from pipelines.release_days import released_before
from pipelines.stores import COLUMNS, Proven, checked_on_arrival, content_hash, prove

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.contracts import Contract
    from fuller_popheath.specs import SourceSpec, TableSpec
    from pipelines.tonight import Tonight

LANDING = "core/landing_file"
KEEPS = "Every row keeps the contract; a table that breaks it is not stored, and nothing is made from it."
READING = dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL)
"""Of steps that read files: a disk or a share may fail once. Only an OSError is tried again (`guard.as_failure`): a bad file stays bad."""
CHECK, READABLE, RECOGNISED, PICTURE = "contract", "files_readable", "files_recognised", "picture"
Yielded = Iterator[dg.AssetCheckResult | dg.MaterializeResult[Proven]]


def landing_asset() -> dg.AssetsDefinition:
    """The first asset of every night: what lies in the landing folder, and what of it is used."""
    contract = load_contract(LANDING)

    checks = {
        CHECK: "Every row keeps the contract.",
        READABLE: "Every file is readable and complete.",
        RECOGNISED: "Every file is one of the layouts that are read here.",
    }

    @dg.asset(
        **common(contract, "arrival", {"parquet"}),
        metadata=describe.definition_metadata(contract),
        check_specs=[asset_check_spec(contract, name, sentence) for name, sentence in checks.items()],
        retry_policy=READING,
    )
    @guarded
    def survey(context: dg.AssetExecutionContext) -> Yielded:
        tonight: Tonight = context.resources.night.tonight()
        found = tonight.arrival.table
        yield from landing_verdicts(found.select(["file_name", "contract_id", "use", "reason"]).to_pylist())
        yield from proven_output(found, contract, {"landing folder": dg.MetadataValue.path(str(tonight.landing))})

    return survey


def landing_verdicts(files: list[dict[str, str]]) -> Iterator[dg.AssetCheckResult]:
    """What is wrong with the files as such. A damaged file of a known layout is told in full at its own table, so that it is only named here."""
    refused = [file for file in files if file["use"] == "refused"]
    told = [file["file_name"] if file["contract_id"] else file["reason"] for file in refused]
    yield dg.AssetCheckResult(
        check_name=READABLE,
        passed=not refused,
        description=f"{len(refused)} refused: {' | '.join(told)}" if refused else "every file is readable and complete",
        metadata={"files refused": len(refused), "error": FileRefused.__name__ if refused else ""},
    )
    unknown = {file["file_name"]: file["reason"] for file in files if file["use"] == "not recognised"}
    yield dg.AssetCheckResult(
        check_name=RECOGNISED,
        passed=not unknown,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(unknown)} not used: {', '.join(unknown)}" if unknown else "every file is one of the layouts that are read here",
        metadata={"files not recognised": len(unknown), "what was found": dg.MetadataValue.md("\n".join(f"- {why}" for why in unknown.values()))},
    )


def source_asset(spec: "SourceSpec") -> dg.AssetsDefinition:
    """What arrived of one layout: the accepted rows, without identifiers. Rows that break the contract lie in quarantine."""
    contract = load_contract(spec.contract)

    @dg.asset(
        **common(contract, spec.contract.partition("/")[0], {"file", "parquet"}),
        metadata=describe.definition_metadata(contract),
        deps=[describe.key_of(LANDING)],
        check_specs=[asset_check_spec(contract, CHECK, f"Files that are {spec.expects} were read, and their rows keep the contract.")],
        code_version=describe.code_version(spec.read),
        retry_policy=READING,
    )
    @guarded
    def arrive(context: dg.AssetExecutionContext) -> Yielded:
        taken = take(context.resources.night.tonight(), spec, contract)
        yield dg.AssetCheckResult(
            check_name=CHECK, passed=taken.is_good, severity=taken.severity, description=taken.sentence, metadata=dict(taken.check_metadata)
        )
        yield from _output(checked_on_arrival(taken.table, contract, taken.from_day), taken.metadata)

    return arrive


def table_asset(spec: "TableSpec", group: str) -> dg.AssetsDefinition:
    """A table made from other tables of the same day."""
    contract = load_contract(spec.contract)
    upstream = {describe.argument_of(name): name for name in spec.inputs}
    known = describe.definition_metadata(contract, [load_contract(name) for name in spec.inputs])
    referenced = referenced_tables(contract)
    checks = [asset_check_spec(contract, CHECK, KEEPS, blocking=True)]

    @dg.asset(
        **common(contract, group, {"duckdb", "parquet"}),
        metadata=known,
        ins={
            argument: dg.AssetIn(key=describe.key_of(name), metadata={COLUMNS: list(spec.columns.get(name, ()))})
            for argument, name in upstream.items()
        },
        deps=[describe.key_of(name) for name in dict.fromkeys((*spec.picture_inputs, *referenced)) if name not in spec.inputs],
        check_specs=[*checks, asset_check_spec(contract, PICTURE, "The picture could be drawn.")] if spec.picture else checks,
        code_version=describe.code_version(spec.build),
    )
    @guarded
    def make(context: dg.AssetExecutionContext, **inputs: Any) -> Yielded:
        tonight: Tonight = context.resources.night.tonight()
        given = {name: tonight.wanted_part(name, inputs[argument]) for argument, name in upstream.items()}
        given |= {as_it_left(name): table for name in spec.earlier if (table := released_before(tonight, name)) is not None}
        try:
            built = spec.build(given, tonight.night)
        except NothingArrived as nothing:
            if not tonight.can_do_without(nothing.missing):
                raise
            yield from _without(nothing, contract)
            return
        metadata = {name: value for name, value in known.items() if name == describe.LINEAGE}
        if spec.picture:
            drawn, verdict = draw(spec, built, given, tonight)
            metadata |= drawn
            yield verdict
        yield from proven_output(built, contract, metadata, given | tonight.stored(referenced))

    return make


def _without(nothing: NothingArrived, contract: "Contract") -> Yielded:
    """A table without rows, and what is missing for it: a night of practice lists alone goes on."""
    from fuller_popheath.contracts import empty_table

    told = f"{nothing}; without it there is no {nothing.gives}"
    yield dg.AssetCheckResult(check_name=CHECK, passed=False, severity=dg.AssetCheckSeverity.WARN, description=told, metadata={"rows": 0})
    yield from _output(prove(empty_table(contract), contract), {})


def proven_output(
    table: "pa.Table", contract: "Contract", metadata: Mapping[str, Any], references: "Mapping[str, pa.Table] | None" = None
) -> Yielded:
    """Tell whether a table keeps its contract, then hand it to the store. Raises ContractBroken after the verdict, before anything is written."""
    proven = yield from judged(table, contract, references)
    yield from _output(proven, metadata)


def judged(
    table: "pa.Table", contract: "Contract", references: "Mapping[str, pa.Table] | None" = None, key: dg.AssetKey | None = None
) -> Generator[dg.AssetCheckResult, None, Proven]:
    """Tell whether a table keeps its contract; returns it, proven. `key`: whose check it is, where a step makes several tables.

    Raises ContractBroken after the verdict.
    """
    try:
        proven = prove(table, contract, references)
    except ContractBroken as broken:
        yield dg.AssetCheckResult(asset_key=key, check_name=CHECK, passed=False, description=str(broken), metadata={"error": type(broken).__name__})
        raise
    not_judged = [rule for rule, other in describe.references_of(contract).items() if other not in (references or {})]
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK,
        passed=True,
        description=kept(len(contract.rules), table.num_rows, not_judged),
        metadata={"rows": table.num_rows, "rules not judged": len(not_judged)},
    )
    return proven


def kept(rules: int, rows: int, not_judged: list[str]) -> str:
    """What a check says of a table that breaks no rule: only of the rules that could be judged."""
    if not not_judged:
        return f"all {rules} rules kept by {rows:,} rows"
    return f"{rules - len(not_judged)} rules kept by {rows:,} rows; {len(not_judged)} not judged: {', '.join(not_judged)}"


def referenced_tables(contract: "Contract") -> tuple[str, ...]:
    """The other tables that a table's codes refer to and that can be made before it: those that are not made of it, nor it of itself."""
    made = tables()
    others = dict.fromkeys(name for name in describe.references_of(contract).values() if name != contract.id and (name in made or name in sources()))
    return tuple(name for name in others if name not in made or contract.id not in order(made, [name]))


def _output(proven: Proven, metadata: Mapping[str, Any]) -> Iterator[dg.MaterializeResult[Proven]]:
    shown = describe.table_metadata(proven.table, proven.contract) | dict(metadata)
    yield dg.MaterializeResult(value=proven, metadata=shown, data_version=dg.DataVersion(content_hash(proven.table)))


def draw(spec: "TableSpec", table: "pa.Table", given: "Mapping[str, pa.Table]", tonight: "Tonight") -> tuple[dict[str, Any], dg.AssetCheckResult]:
    """The table's pictures as metadata, and whether they could be drawn: a picture that cannot be drawn never costs a table."""
    from importlib import import_module

    try:
        module = import_module(f"fuller_popheath.publish.{spec.picture}")
        inputs = {**{name: tonight.stored_or_empty(name) for name in spec.picture_inputs if name not in given}, **given}
        drawn = module.draw(table, inputs, tonight.night)
    except Exception as raised:
        failure = as_failure(raised)
        return {}, dg.AssetCheckResult(check_name=PICTURE, passed=False, severity=dg.AssetCheckSeverity.WARN, description=failure.description)
    return dict(describe.pictures(drawn)), dg.AssetCheckResult(check_name=PICTURE, passed=True, description=", ".join(drawn) or "nothing to draw")


def common(contract: "Contract", group: str, kinds: set[str]) -> dict[str, Any]:
    """What every table's asset is declared with, from its contract."""
    return {
        "key": describe.key_of(contract.id),
        "group_name": group,
        "description": describe.description(contract),
        "owners": list(describe.OWNERS),
        "kinds": kinds,
        "tags": {"purpose": contract.purpose},
        "freshness_policy": policy_of(contract.id),
        "required_resource_keys": {"night"},
    }


def asset_check_spec(contract: "Contract", name: str, sentence: str, blocking: bool = False) -> dg.AssetCheckSpec:
    """A check that stands at a table."""
    return dg.AssetCheckSpec(name, asset=describe.key_of(contract.id), description=sentence, blocking=blocking)


def source_assets(folder: str) -> list[dg.AssetsDefinition]:
    """The assets of every layout whose contract lies in one folder of data_contracts/."""
    return [source_asset(spec) for spec in sources().values() if spec.contract.startswith(f"{folder}/")]


def table_assets(group: str) -> list[dg.AssetsDefinition]:
    """The assets of every table that is declared in one part of the library: people, place, or catalogue/products."""
    return [table_asset(spec, group) for spec in tables().values() if group_of(spec) == group]


def group_of(spec: "TableSpec") -> str:
    """Products are one group; any other table belongs to the folder of the function that builds it."""
    if spec.contract.startswith("products/"):
        return "products"
    return describe.builder(spec.build).__module__.split(".")[1]
