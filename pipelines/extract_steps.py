"""Makes Dagster assets of the extracts about persons: one step an inbound table, which gives one or more core tables.

A step has the domain take in what practices sent; the rows go straight to the store, a file a practice, and never through Dagster. What the
step tells is the account: which practice's extract is new, unchanged, stale or was never sent. What does not belong here: reading a file.
"""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from fuller_popheath.arrival.door_account import GONE
from fuller_popheath.arrival.extracts import LINKED
from fuller_popheath.contracts import load_contract
from fuller_popheath.registry import PRACTICE_EXTRACT, extracts
from pipelines import describe
from pipelines.guard import guarded
from pipelines.steps import CHECK, LANDING, READING, Yielded, asset_check_spec, common, proven_output
from pipelines.summary import ACCEPTED, IN_USE, QUARANTINED, READ
from pipelines.told_objections import add_told_ones

if TYPE_CHECKING:
    from fuller_popheath.arrival.door import Taken
    from fuller_popheath.specs import ExtractSpec
    from pipelines.tonight import Tonight

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
PLACES = ("core/neighbourhood_practice", "core/registered_count")
"""Whose practices are ours; where neither has a row, every practice is."""
POSTCODES = "reference/postcode_lsoa"
COVERAGE, WITHHELD, NOBODY = "coverage", "sensitive_codes", "rows_of_nobody"
REGISTRATION = "core/registration"
"""Records without an NHS number have that of their practice's list, so the lists are taken first."""
OBJECTION = "inbound/objection"
REFUSALS_SHOWN = 5
Told = Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]


def extract_assets() -> list[dg.AssetsDefinition]:
    """One step for every inbound table about persons, and the account of them all."""
    return [*(extract_asset(spec) for spec in extracts().values()), account_asset()]


def extract_asset(spec: "ExtractSpec") -> dg.AssetsDefinition:
    """What practices and trusts sent of one table: checked row by row, identifiers replaced, kept a file a practice."""
    inbound = load_contract(spec.contract)
    given = dict.fromkeys((LANDING, POSTCODES, *PLACES, *((REGISTRATION,) if spec.contract in LINKED else ())))
    specs = [
        dg.AssetSpec(
            **{name: value for name, value in common(core, "extracts", {"parquet"}).items() if name != "required_resource_keys"},
            deps=[describe.key_of(name) for name in given],
            metadata={**describe.definition_metadata(core), "made from": f"data_contracts/{inbound.id}.yaml"},
            code_version=describe.code_version(spec.to_core),
        )
        for core in map(load_contract, spec.becomes)
    ]
    first = load_contract(spec.becomes[0])
    checks = [
        asset_check_spec(first, CHECK, f"What was sent keeps the contract {inbound.id}; rows that break it are in quarantine."),
        asset_check_spec(first, COVERAGE, "Every practice that ever sent this table has an extract in use that is not stale."),
    ]
    if "code_system" in inbound.column_names:
        checks.append(asset_check_spec(first, WITHHELD, "Sensitive codes are listed for every code system that occurs, where they are withheld."))

    step = describe.argument_of(spec.contract)

    @dg.multi_asset(name=step, specs=specs, check_specs=checks, required_resource_keys={"night"}, retry_policy=READING)
    @guarded
    def take_in(context: dg.AssetExecutionContext) -> Told:
        tonight: Tonight = context.resources.night.tonight()
        yield from _taken(context, tonight, spec)

    return take_in


def _taken(context: dg.AssetExecutionContext, tonight: "Tonight", spec: "ExtractSpec") -> Told:
    from fuller_popheath.arrival.door import take_extracts
    from fuller_popheath.people.pseudonyms import key

    site = tonight.night.site
    taken = take_extracts(
        spec.contract,
        tonight.arrival.files,
        tonight.as_of,
        site,
        tonight.extracts,
        site.folder("vault"),
        tonight.quarantine,
        known_practices(tonight),
        {POSTCODES: tonight.stored_or_empty(POSTCODES)},
        key(site, os.environ),
        context.log.info,
    )
    tonight.taken.append(taken)
    if spec.contract == OBJECTION:
        add_told_ones(tonight.extracts, site.folder("vault"), key(site, os.environ), tonight.as_of)
    first = describe.key_of(spec.becomes[0])
    yield _contract_verdict(first, taken)
    yield _coverage_verdict(first, taken, practices_with_people(tonight))
    if "code_system" in load_contract(spec.contract).column_names:
        yield _sensitive_verdict(first, taken)
    for core in spec.becomes:
        manifest = tonight.extracts.manifest(core, tonight.as_of)
        rows = sum(part["rows"] for part in manifest["parts"])
        told = {READ: taken.rows_read, ACCEPTED: taken.rows_accepted, QUARANTINED: taken.rows_quarantined, IN_USE: _in_use(taken)}
        account = told if core == spec.becomes[0] else {}
        parts = {"dagster/row_count": rows, "files in use": len(manifest["parts"]), "as of": tonight.as_of.isoformat(), **account}
        yield dg.MaterializeResult(asset_key=describe.key_of(core), metadata=parts, data_version=dg.DataVersion(_version(manifest["parts"])))


def _in_use(taken: "Taken") -> int:
    """How many rows the core tables have of what was read: not those of a refused file or of a practice that is not ours."""
    return sum(taken.account["rows_in_use"].to_pylist())


def known_practices(tonight: "Tonight") -> frozenset[str] | None:
    """The practices that are ours: those of the neighbourhoods and of the published counts. None, where neither has arrived: then every one is."""
    codes = [tonight.stored_or_empty(name)["practice_code"].unique().to_pylist() for name in PLACES]
    return frozenset(code for some in codes for code in some) or None


def practices_with_people(tonight: "Tonight") -> frozenset[str]:
    """The practices that the published counts know: a dormant one, still a member of its PCN, sends nothing and is not missed."""
    return frozenset(tonight.stored_or_empty("core/registered_count")["practice_code"].unique().to_pylist())


def _contract_verdict(key: dg.AssetKey, taken: "Taken") -> dg.AssetCheckResult:
    refused = sorted({str(reason) for use, reason in taken.files.values() if use == "refused" and reason})
    gone = sorted({str(reason) for use, reason in taken.files.values() if use == "not used" and str(reason).endswith(GONE)})
    broken = "; ".join(f"{rule}: {count:,} rows" for rule, count in taken.counts.items() if count)
    told = f"{taken.rows_read:,} rows read, {taken.rows_accepted:,} accepted, {taken.rows_quarantined:,} quarantined"
    emptied = "; ".join(f"{rule}: {count:,}" for rule, count in taken.cells_blanked.items())
    is_unheard = taken.contract_id == OBJECTION and taken.rows_quarantined > 0
    if is_unheard:
        told += "; an objection that cannot be read is not honoured: have these rows mended at once"
    lost = [f"{sum(taken.cells_blanked.values()):,} cells of accepted rows left empty ({emptied})"] if emptied else []
    shown = refused[:REFUSALS_SHOWN] + ([f"and {len(refused) - REFUSALS_SHOWN} more"] if len(refused) > REFUSALS_SHOWN else [])
    shown += gone[:REFUSALS_SHOWN]
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK,
        passed=not (refused or gone or taken.rows_quarantined or emptied),
        severity=ERROR if refused or is_unheard else WARN,
        description=" | ".join([*shown, f"{told} ({broken})" if broken else told, *lost]) if taken.files else "no file arrived",
        metadata={
            **{f"rows: {rule}": count for rule, count in taken.counts.items()},
            **{f"cells left empty: {rule}": count for rule, count in taken.cells_blanked.items()},
            "error": "FileRefused" if refused else "",
        },
    )


def _sensitive_verdict(key: dg.AssetKey, taken: "Taken") -> dg.AssetCheckResult:
    from fuller_popheath.arrival.plausible_extracts import sensitive_codes_listed

    found = sensitive_codes_listed(taken.sensitive, taken.code_systems)
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=WITHHELD,
        passed=found.is_as_expected,
        severity=WARN,
        description=found.sentence,
        metadata=dict(found.numbers),
    )


def _coverage_verdict(key: dg.AssetKey, taken: "Taken", with_people: frozenset[str]) -> dg.AssetCheckResult:
    account = zip(taken.account["practice_code"].to_pylist(), taken.account["state"].to_pylist(), strict=True)
    states = Counter(state for practice, state in account if state != "never" or practice in with_people)
    good, senders = states["new"] + states["unchanged"], states.total()
    has_sent = states["never"] < senders
    told = f"{good:,} of {senders:,} senders have an extract in use that is not stale; {states['stale']:,} stale, {states['never']:,} never sent"
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=COVERAGE,
        # Where nobody ever sent this table, there is nothing to cover.
        passed=not has_sent or good == senders,
        severity=WARN,
        description=told if has_sent else "nobody has sent this table yet",
        metadata={f"senders {state}": count for state, count in sorted(states.items())},
    )


def _version(parts: list[dict[str, Any]]) -> str:
    return hashlib.sha256("\n".join(str(part["path"]) for part in parts).encode()).hexdigest()


def account_asset() -> dg.AssetsDefinition:
    """The account of a night's extracts: a row a table and practice."""
    contract = load_contract(PRACTICE_EXTRACT)

    @dg.asset(
        **common(contract, "extracts", {"parquet"}),
        metadata=describe.definition_metadata(contract),
        deps=[describe.key_of(core) for spec in extracts().values() for core in spec.becomes],
        check_specs=[
            asset_check_spec(contract, CHECK, "Every row keeps the contract."),
            asset_check_spec(contract, NOBODY, "Nearly all rows of a practice are of people on some practice's list in use."),
        ],
    )
    @guarded
    def account(context: dg.AssetExecutionContext) -> Yielded:
        import pyarrow as pa

        from fuller_popheath.arrival.plausible_extracts import rows_of_nobody

        tonight: Tonight = context.resources.night.tonight()
        kept = [tonight.extracts.account(inbound, tonight.as_of) for inbound in extracts()]
        yield from proven_output(pa.concat_tables([contract.schema.empty_table(), *kept]), contract, {})
        found, is_error = rows_of_nobody(tonight.extracts, tonight.as_of)
        yield dg.AssetCheckResult(
            check_name=NOBODY,
            passed=found.is_as_expected,
            severity=ERROR if is_error else WARN,
            description=found.sentence,
            metadata=dict(found.numbers),
        )

    return account
