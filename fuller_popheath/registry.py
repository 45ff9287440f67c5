"""Finds what single files declare, by the name of what they declare, and refuses a wrong or double one.

Importing this module imports nothing of the catalogue; the functions do, once.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import TypeVar

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.specs import (
    INDICATOR_AREAS,
    ContractId,
    ExtractSpec,
    FactSpec,
    FeatureSpec,
    IndicatorSpec,
    ModelSpec,
    OutcomeSpec,
    PlusGroupSpec,
    ReasonSpec,
    SegmentSpec,
    SourceSpec,
    SupplierSpec,
    TableSpec,
)

Spec = TypeVar("Spec")
WithContract = TypeVar("WithContract", SourceSpec, TableSpec, ExtractSpec, FactSpec, FeatureSpec)
WithName = TypeVar("WithName", SupplierSpec, OutcomeSpec, ModelSpec, ReasonSpec, SegmentSpec, PlusGroupSpec, IndicatorSpec)

SOURCE_PACKAGES = ("fuller_popheath.sources",)
TABLE_PACKAGES = ("fuller_popheath.people", "fuller_popheath.place", "fuller_popheath.cohorts", "fuller_popheath.catalogue.products")
EXTRACT_PACKAGES = ("fuller_popheath.arrival.becoming",)
FACT_PACKAGES = ("fuller_popheath.catalogue.facts",)
FEATURE_PACKAGES = ("fuller_popheath.catalogue.features",)
OUTCOME_PACKAGES = ("fuller_popheath.catalogue.outcomes",)
MODEL_PACKAGES = ("fuller_popheath.catalogue.models",)
REASON_PACKAGES = ("fuller_popheath.catalogue.reasons",)
SEGMENT_PACKAGES = ("fuller_popheath.catalogue.segments",)
PLUS_GROUP_PACKAGES = ("fuller_popheath.catalogue.plus_groups",)
INDICATOR_PACKAGES = ("fuller_popheath.catalogue.indicators",)

PRACTICE_EXTRACT: ContractId = "core/practice_extract"
"""The account of a night: what each practice sent of each table, and what is in use."""

TRAINING_TABLES: tuple[ContractId, ...] = ("risk/training_population", "risk/model_run", "risk/evaluation", "risk/evaluation_curve")
SCORE_TABLES: tuple[ContractId, ...] = ("risk/score", "risk/score_reason", "risk/score_change")
MONITORING_TABLES: tuple[ContractId, ...] = ("risk/drift", "products/risk_scorecard")
"""What `risk/` makes of whole populations: several tables at a time, so that no single file declares one."""

LIST_TABLES: tuple[ContractId, ...] = (
    "products/cohort_list",
    "products/cohort_list_account",
    "core/selection_group",
    "core/selection_log",
    "core/list_change",
)
REVIEW: ContractId = "core/review"
MOVEMENT: ContractId = "products/segment_movement"
"""What lists leave from night to night, made with the night before beside it."""

MADE_IN_STEPS: frozenset[ContractId] = frozenset(
    {*TRAINING_TABLES, *SCORE_TABLES, *MONITORING_TABLES, *LIST_TABLES, REVIEW, MOVEMENT, PRACTICE_EXTRACT}
)
"""Every table that no single file declares: a step of the pipelines makes it, several at a time or with an earlier night beside it."""


def _modules(package_name: str) -> Iterator[ModuleType]:
    package = importlib.import_module(package_name)
    for found in sorted(pkgutil.walk_packages(package.__path__, f"{package_name}."), key=lambda m: m.name):
        if not found.ispkg:
            yield importlib.import_module(found.name)


def _by_contract(packages: tuple[str, ...], name: str, kind: type[WithContract]) -> Mapping[ContractId, WithContract]:
    return _declared(packages, name, kind, lambda spec: spec.contract)


def _by_name(packages: tuple[str, ...], name: str, kind: type[WithName]) -> Mapping[str, WithName]:
    return _declared(packages, name, kind, lambda spec: spec.name)


def _declared(packages: tuple[str, ...], name: str, kind: type[Spec], key: Callable[[Spec], str]) -> Mapping[str, Spec]:
    found: dict[str, Spec] = {}
    where: dict[str, str] = {}
    for module in (module for package in packages for module in _modules(package)):
        declared = getattr(module, name, None)
        for spec in declared if isinstance(declared, tuple) else (declared,) if declared is not None else ():
            if not isinstance(spec, kind):
                raise SettingsWrong(f"{module.__name__}.{name} must be a {kind.__name__}, or a tuple of them")
            if key(spec) in found:
                raise SettingsWrong(f"{key(spec)} is declared twice: in {where[key(spec)]} and in {module.__name__}; keep one")
            found[key(spec)], where[key(spec)] = spec, module.__name__
    return MappingProxyType(found)


@cache
def sources() -> Mapping[ContractId, SourceSpec]:
    """Every layout that can be read, by the contract it fills. Raises SettingsWrong for a wrong or double declaration."""
    return _by_contract(SOURCE_PACKAGES, "SOURCE", SourceSpec)


@cache
def suppliers() -> Mapping[str, SupplierSpec]:
    """Every clinical system whose extracts can be read, by its name. Raises SettingsWrong for a wrong or double declaration."""
    return _by_name(SOURCE_PACKAGES, "SUPPLIER", SupplierSpec)


@cache
def extracts() -> Mapping[ContractId, ExtractSpec]:
    """What becomes of each inbound table about persons, by its contract. Raises SettingsWrong for a wrong or double declaration."""
    return _by_contract(EXTRACT_PACKAGES, "EXTRACT", ExtractSpec)


@cache
def facts() -> Mapping[ContractId, FactSpec]:
    """Every table of long facts about persons, by contract. Raises SettingsWrong for a wrong or double declaration."""
    return _by_contract(FACT_PACKAGES, "FACT", FactSpec)


@cache
def features() -> Mapping[ContractId, FeatureSpec]:
    """Every feature group, by contract. Raises SettingsWrong for a wrong or double declaration."""
    return _by_contract(FEATURE_PACKAGES, "FEATURE", FeatureSpec)


@cache
def outcomes() -> Mapping[str, OutcomeSpec]:
    """Everything that is predicted, by name. Raises SettingsWrong for a wrong or double declaration."""
    return _by_name(OUTCOME_PACKAGES, "OUTCOME", OutcomeSpec)


@cache
def models() -> Mapping[str, ModelSpec]:
    """Every way to predict, by name. Raises SettingsWrong for a wrong or double declaration."""
    return _by_name(MODEL_PACKAGES, "MODEL", ModelSpec)


@cache
def reasons() -> Mapping[str, ReasonSpec]:
    """Every plain-English reason for a score, by name. Raises SettingsWrong for a wrong or double declaration, or a feature in two reasons."""
    found = _by_name(REASON_PACKAGES, "REASON", ReasonSpec)
    columns = [column for reason in found.values() for column in reason.columns]
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise SettingsWrong(f"{', '.join(twice)} stands in two reasons; keep one")
    return found


@cache
def segments() -> Mapping[str, SegmentSpec]:
    """Every segmentation, by name. Raises SettingsWrong for a wrong or double declaration."""
    return _by_name(SEGMENT_PACKAGES, "SEGMENT", SegmentSpec)


@cache
def plus_groups() -> Mapping[str, PlusGroupSpec]:
    """Every PLUS group that is declared, by name. Raises SettingsWrong for a wrong or double declaration."""
    return _by_name(PLUS_GROUP_PACKAGES, "PLUS_GROUP", PlusGroupSpec)


@cache
def indicators() -> Mapping[str, IndicatorSpec]:
    """Every indicator, by name. Raises SettingsWrong for a wrong or double declaration, or one of no clinical area of its age group."""
    found = _by_name(INDICATOR_PACKAGES, "INDICATOR", IndicatorSpec)
    if astray := [name for name, spec in found.items() if spec.area not in INDICATOR_AREAS.get(spec.age_group, ())]:
        raise SettingsWrong(f"the indicator {', '.join(astray)} is in no clinical area of its age group; see INDICATOR_AREAS in specs.py")
    if wrong := [name for name, spec in found.items() if spec.direction not in ("higher_is_better", "lower_is_better")]:
        raise SettingsWrong(f"the indicator {', '.join(wrong)} has a direction that is neither higher_is_better nor lower_is_better")
    if lost := {spec.within for spec in found.values() if spec.within} - set(found):
        raise SettingsWrong(f"an indicator is said to be within {', '.join(sorted(lost))}, which no file declares")
    return found


@cache
def tables() -> Mapping[ContractId, TableSpec]:
    """Every table made from others, by contract. Raises SettingsWrong for a wrong or double declaration, or one made from nothing known."""
    made = _by_contract(TABLE_PACKAGES, "TABLE", TableSpec)
    from_extracts = {core for spec in extracts().values() for core in spec.becomes}
    known = {*made, *sources(), *from_extracts, *facts(), *features(), *SCORE_TABLES, REVIEW, PRACTICE_EXTRACT}
    for spec in made.values():
        unknown = [i for i in (*spec.inputs, *spec.picture_inputs) if i not in known]
        if unknown:
            raise SettingsWrong(f"{spec.contract} is made from {', '.join(unknown)}, which no file declares")
    return made
