"""Makes Dagster assets of lists over time: what came back of earlier ones, tonight's lists, who moved between groups, and the workbooks.

A step gathers tables of the store, those of earlier nights too, has the domain do the work, and hands what comes back to the store.
What does not belong here: arithmetic, and who is listed.
"""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from fuller_popheath.cohorts.team_changes import FLOORS
from fuller_popheath.contracts import load_contract
from fuller_popheath.people.statistics import COLUMN, OBJECTION, PERSON_ID, is_switched_on, without
from fuller_popheath.registry import LIST_TABLES, MOVEMENT, REVIEW
from pipelines import describe
from pipelines.guard import guarded
from pipelines.list_history import listed_ever, reviews_ever, standing
from pipelines.several_tables import Told, given, given_together, spec_of
from pipelines.steps import CHECK, KEEPS, asset_check_spec

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from pipelines.stores import Store
    from pipelines.tonight import Tonight

RETURNS, SEGMENT, LANDING = "inbound/review_outcome", "core/segment", "core/landing_file"
LIST, ACCOUNT, GROUP, LOG, CHANGE = LIST_TABLES
COHORTS, MADE_OF_TABLES = "cohorts", {"python", "parquet"}
MAKE_LISTS = "make_lists"
"""The name of the step, by which a run is told for which team a list is made anew."""


class ListChoice(dg.Config):
    """Make some teams' lists anew, with other places or floors; everything may be left as it is: a list a week, for every team."""

    teams: list[str] = Field(default=[], description="Codes of teams for which a new list is issued now. Empty: every team, on the day of the week.")
    slots: int = Field(default=0, ge=0, le=2_000, description="Places of these teams' lists. 0: as their file or site.toml says.")
    reserve: int = Field(default=-1, ge=-1, le=1_000, description="Places kept free. -1: as their file or site.toml says.")
    priority: str = Field(default="", description="risk, gap, risk_and_gap or need. Empty: as their file or site.toml says.")
    core20_floor: float = Field(default=-1.0, ge=-1, le=5, description="Share of Core20 on the list, in shares of the eligible. -1: unchanged.")
    plus_floor: float = Field(default=-1.0, ge=-1, le=5, description="The same of PLUS groups. -1: unchanged.")
    under_18_floor: float = Field(default=-1.0, ge=-1, le=5, description="The same of under-18s. -1: unchanged.")
    low_contact_floor: float = Field(default=-1.0, ge=-1, le=5, description="The same of people without a contact in a year. -1: unchanged.")
    newly_surfaced_percent: float = Field(default=-1.0, ge=-1, le=100, description="Of the places, for people new to the team. -1: unchanged.")


def list_assets() -> list[dg.AssetsDefinition]:
    """The steps of lists."""
    return [review_asset(), movement_asset(), lists_asset()]


def review_asset() -> dg.AssetsDefinition:
    """Everything that was ever said about a listed person: what came back tonight, beside what came before."""
    contract = load_contract(REVIEW)
    checks = [
        asset_check_spec(contract, CHECK, KEEPS),
        asset_check_spec(contract, "rows_found", "Every row that came back belongs to a list that was issued."),
    ]

    @dg.multi_asset(
        name="keep_reviews",
        specs=[spec_of(REVIEW, COHORTS, (RETURNS, LANDING), MADE_OF_TABLES)],
        check_specs=checks,
        required_resource_keys={"night"},
    )
    @guarded
    def keep_reviews(context: dg.AssetExecutionContext) -> Told:
        from fuller_popheath.cohorts.reviews import reviews_of_tonight

        tonight: Tonight = context.resources.night.tonight()
        store = tonight.store
        names = return_names(tonight.stored_or_empty(LANDING))
        made = reviews_of_tonight(tonight.stored_or_empty(RETURNS), listed_ever(store), reviews_ever(store), tonight.night, names)
        _keep_unmatched(tonight, made.unmatched)
        shown = {"rows reviewed tonight": made.returned_count, "rows without a review": made.passed_over_count}
        yield from given(tonight, made.review, REVIEW, shown)
        yield _rows_found(made.unmatched_count, made.unmatched_words)

    return keep_reviews


def return_names(files: "pa.Table") -> dict[str, str]:
    """What each return is called in messages, by its return_id: the name of its file. `files`: core/landing_file."""
    from fuller_popheath.sources.review_outcome import return_id

    wanted = files.select(["content_hash", "member", "file_name", "contract_id"]).to_pylist()
    return {return_id(row["content_hash"], row["member"] or ""): row["file_name"] for row in wanted if row["contract_id"] == RETURNS}


def _keep_unmatched(tonight: "Tonight", unmatched: "pa.Table") -> None:
    """Put the rows that belong to no list into quarantine, a file a return."""
    import pyarrow.compute as pc

    from fuller_popheath.arrival.quarantine import keep

    for returned in sorted(set(unmatched["return_id"].to_pylist())):
        rows = unmatched.filter(pc.equal(unmatched["return_id"], returned))
        keep(tonight.quarantine, REVIEW, returned, rows.rename_columns(["_row" if name == "row_number" else name for name in rows.column_names]))


def _rows_found(unmatched: int, words: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=describe.key_of(REVIEW),
        check_name="rows_found",
        passed=not unmatched,
        severity=dg.AssetCheckSeverity.WARN,
        description=words or "every row that came back belongs to a list that was issued",
        metadata={"rows not used": unmatched},
    )


def movement_asset() -> dg.AssetsDefinition:
    """How many people moved from group to group since the last night."""
    contract = load_contract(MOVEMENT)

    @dg.multi_asset(
        name="count_movement",
        specs=[spec_of(MOVEMENT, "products", (SEGMENT, OBJECTION), MADE_OF_TABLES)],
        check_specs=[asset_check_spec(contract, CHECK, KEEPS)],
        required_resource_keys={"night"},
    )
    @guarded
    def count_movement(context: dg.AssetExecutionContext) -> Told:
        from fuller_popheath.cohorts.segment_movement import movement

        tonight: Tonight = context.resources.night.tonight()
        day = tonight.store.before(SEGMENT, tonight.as_of)
        now, before = tonight.store.read(SEGMENT, tonight.as_of), tonight.store.read(SEGMENT, day) if day else None
        if is_switched_on(tonight.night.site):
            told = tonight.store.read(OBJECTION, tonight.as_of, [PERSON_ID, COLUMN])
            now, before = without(now, told), before if before is None else without(before, told)
        yield from given(tonight, movement(now, before, tonight.as_of, day, tonight.night.site.disclosure.rule), MOVEMENT)

    return count_movement


def lists_asset() -> dg.AssetsDefinition:
    """Tonight's lists: a new issue on the day of the week, else the standing one with people taken off or marked."""
    from fuller_popheath.cohorts.tonights_lists import INPUTS

    specs = [spec_of(name, COHORTS if name.startswith("core/") else "products", INPUTS, MADE_OF_TABLES) for name in LIST_TABLES]
    checks = [asset_check_spec(load_contract(name), CHECK, KEEPS) for name in LIST_TABLES]
    checks.append(asset_check_spec(load_contract(ACCOUNT), "floors_met", "Every team's list could be filled as its floors ask."))

    @dg.multi_asset(name=MAKE_LISTS, specs=specs, check_specs=checks, required_resource_keys={"night"})
    @guarded
    def make_lists(context: dg.AssetExecutionContext, config: ListChoice) -> Told:
        from fuller_popheath.cohorts.tonights_lists import COLUMNS, lists_of_tonight

        tonight: Tonight = context.resources.night.tonight()
        store, as_of = tonight.store, tonight.as_of
        asked = changes_of(config)
        tables = {name: _columns_of(store, name, as_of, COLUMNS.get(name)) for name in INPUTS}
        # What was issued earlier today stands, and is only pruned.
        made = lists_of_tonight(tables, standing(store, as_of) or None, tonight.night, teams=tuple(config.teams), changes=asked)
        yield from given_together(tonight, {name: made[name] for name in LIST_TABLES}, {name: shown_of(name, made) for name in LIST_TABLES})
        yield _floors_met(made[ACCOUNT])

    return make_lists


def changes_of(choice: ListChoice) -> dict[str, dict[str, Any]]:
    """What a run changes of each team it names. Raises SettingsWrong where it changes something but names no team."""
    from fuller_popheath.errors import SettingsWrong

    asked: dict[str, Any] = {}
    asked |= {"slots_count": choice.slots} if choice.slots else {}
    asked |= {"reserve_count": choice.reserve} if choice.reserve >= 0 else {}
    asked |= {"priority": choice.priority} if choice.priority else {}
    asked |= {name: getattr(choice, name) for name in (*FLOORS, "newly_surfaced_percent") if getattr(choice, name) >= 0}
    if asked and not choice.teams:
        raise SettingsWrong(f"{', '.join(asked)} was given without a team: name the teams whose list is to be made anew (ops > {MAKE_LISTS} > teams)")
    return dict.fromkeys(choice.teams, asked) if asked else {}


def _columns_of(store: "Store", contract_id: str, as_of: "date", columns: "tuple[str, ...] | None") -> "pa.Table":
    return store.read(contract_id, as_of, list(columns) if columns else None)


def shown_of(contract_id: str, made: "Mapping[str, pa.Table]") -> dict[str, Any]:
    """What the page plots of tonight's lists: sizes, expected yield, and who stands on them against who could. Counts of all teams, no names."""
    import pyarrow.compute as pc

    if contract_id == ACCOUNT:
        account = made[ACCOUNT]
        counts = {
            "teams": account.num_rows,
            **{name.replace("_", " "): pc.sum(account[name]).as_py() or 0 for name in ("listed_count", "removed_count", "shortfall_count")},
        }
        expected = pc.sum(account["expected_admissions"]).as_py()
        return counts | ({"expected admissions": round(expected, 1)} if expected is not None else {})
    if contract_id == GROUP:
        return _shares(made[GROUP], made[ACCOUNT])
    return {}


def _shares(groups: "pa.Table", account: "pa.Table") -> dict[str, Any]:
    """For each group its share of everybody listed, and of everybody who could be, in percent."""
    import pyarrow.compute as pc

    by_group = groups.group_by("group").aggregate([("listed_count", "sum"), ("eligible_count", "sum")]).to_pylist()
    whole = {"listed": pc.sum(account["issued_count"]).as_py() or 0, "eligible": pc.sum(account["eligible_count"]).as_py() or 0}
    return {
        f"{row['group']} percent of the {word}": round(100 * row[f"{word}_count_sum"] / count, 1)
        for row in sorted(by_group, key=lambda row: str(row["group"]))
        for word, count in whole.items()
        if count
    }


def _floors_met(account: "pa.Table") -> dg.AssetCheckResult:
    unmet = [row for row in account.select(["team_id", "floors_unmet"]).to_pylist() if row["floors_unmet"]]
    told = "; ".join(f"{row['team_id']}: {row['floors_unmet']}" for row in unmet[:10]) + (f"; and {len(unmet) - 10} more" if len(unmet) > 10 else "")
    return dg.AssetCheckResult(
        asset_key=describe.key_of(ACCOUNT),
        check_name="floors_met",
        passed=not unmet,
        severity=dg.AssetCheckSeverity.WARN,
        description=told or "every floor was met",
        metadata={"teams with a floor that could not be met": len(unmet)},
    )
