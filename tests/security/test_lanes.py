"""Nothing that leaves for others is made from what holds people for direct care; a definition that would do so does not load."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import pytest

from fuller_popheath.contracts.lanes import refuse_mixed_lanes
from fuller_popheath.errors import SettingsWrong
from pipelines.definitions import defs, keep_lanes

LIST = "products/cohort_list"


def asset(key: str, purpose: str | None, *after: str) -> dg.AssetSpec:
    deps = [dg.AssetKey(name.split("/")) for name in after]
    return dg.AssetSpec(dg.AssetKey(key.split("/")), deps=deps, tags={"purpose": purpose} if purpose else {})


@pytest.fixture(scope="module")
def ours() -> dg.Definitions:
    loaded = defs()
    assert isinstance(loaded, dg.Definitions)
    return loaded


def test_ours_keep_the_law(ours: dg.Definitions) -> None:
    specs = list(ours.resolve_all_asset_specs())
    purposes = [spec.tags.get("purpose") for spec in specs]
    assert purposes.count("open") > 10 and purposes.count("secondary_use") > 5 and purposes.count("direct_care") > 2
    keep_lanes(ours)


@pytest.mark.parametrize("purpose", ["open", "secondary_use"])
@pytest.mark.parametrize("held", [LIST, "lists/continuity"])
def test_a_planted_product_stops_the_load_and_is_told_by_name(ours: dg.Definitions, purpose: str, held: str) -> None:
    planted = dg.Definitions(assets=[*ours.resolve_all_asset_specs(), asset("products/planted", purpose, held)])
    with pytest.raises(SettingsWrong, match=rf"products/planted is for {purpose.replace('_', ' ')}.* made from {held}"):
        keep_lanes(planted)


def test_the_definitions_are_held_against_it_as_they_load(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import definitions

    planted = dg.Definitions(assets=[asset(LIST, "direct_care"), asset("pages/planted", "open", LIST)])
    monkeypatch.setattr(definitions.dg, "load_from_defs_folder", lambda **_: planted)
    with pytest.raises(SettingsWrong, match="pages/planted"):
        defs()


GRAPHS: dict[str, tuple[Mapping[str, list[str]], Mapping[str, str], str]] = {
    "by way of others": (
        {"products/x": ["core/a"], "core/a": ["core/b"], "core/b": [LIST]},
        {"products/x": "open", "core/a": "internal", LIST: "direct_care"},
        "products/x <- core/a <- core/b <- products/cohort_list",
    ),
    "in a circle": ({"products/x": ["core/a"], "core/a": ["products/x", LIST]}, {"products/x": "secondary_use", LIST: "direct_care"}, LIST),
    "files without a contract": ({"pages/x": ["lists/any"]}, {"pages/x": "open", "lists/any": "direct_care"}, "lists/any"),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_by_however_many_steps(name: str) -> None:
    made_from, purposes, told = GRAPHS[name]
    with pytest.raises(SettingsWrong) as refused:
        refuse_mixed_lanes(made_from, purposes)
    assert told in str(refused.value)


def test_what_holds_nobody_may_be_counted_and_direct_care_may_use_everything() -> None:
    purposes = {LIST: "direct_care", "products/cohort_list_account": "direct_care", "products/x": "secondary_use", "lists/any": "direct_care"}
    refuse_mixed_lanes({"products/x": ["products/cohort_list_account"], "lists/any": [LIST], LIST: ["products/x"]}, purposes)
