"""Finds what single files declare, by the name of what they declare, and refuses a wrong or double one.

Importing this module imports nothing of the catalogue; the functions do, once.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import TypeVar

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.specs import ContractId, ExtractSpec, FactSpec, FeatureSpec, SourceSpec, SupplierSpec, TableSpec

Spec = TypeVar("Spec", SourceSpec, TableSpec, ExtractSpec, FactSpec, FeatureSpec)

SOURCE_PACKAGES = ("fuller_popheath.sources",)
TABLE_PACKAGES = ("fuller_popheath.people", "fuller_popheath.place", "fuller_popheath.cohorts", "fuller_popheath.catalogue")
EXTRACT_PACKAGES = ("fuller_popheath.arrival.becoming",)
FACT_PACKAGES = ("fuller_popheath.catalogue.facts",)
FEATURE_PACKAGES = ("fuller_popheath.catalogue.features",)

PRACTICE_EXTRACT: ContractId = "core/practice_extract"
"""The account of a night: what each practice sent of each table, and what is in use."""


def _modules(package_name: str) -> Iterator[ModuleType]:
    package = importlib.import_module(package_name)
    for found in sorted(pkgutil.walk_packages(package.__path__, f"{package_name}."), key=lambda m: m.name):
        if not found.ispkg:
            yield importlib.import_module(found.name)


def _declared(packages: tuple[str, ...], names: tuple[str, ...], kind: type[Spec]) -> Mapping[ContractId, Spec]:
    found: dict[ContractId, Spec] = {}
    where: dict[ContractId, str] = {}
    for module in (module for package in packages for module in _modules(package)):
        for name in names:
            declared = getattr(module, name, None)
            for spec in declared if isinstance(declared, tuple) else (declared,) if declared is not None else ():
                if not isinstance(spec, kind):
                    raise SettingsWrong(f"{module.__name__}.{name} must be a {kind.__name__}, or a tuple of them")
                if spec.contract in found:
                    raise SettingsWrong(f"{spec.contract} is declared twice: in {where[spec.contract]} and in {module.__name__}; keep one")
                found[spec.contract], where[spec.contract] = spec, module.__name__
    return MappingProxyType(found)


@cache
def sources() -> Mapping[ContractId, SourceSpec]:
    """Every layout that can be read, by the contract it fills. Raises SettingsWrong for a wrong or double declaration."""
    return _declared(SOURCE_PACKAGES, ("SOURCE",), SourceSpec)


@cache
def suppliers() -> Mapping[str, SupplierSpec]:
    """Every clinical system whose extracts can be read, by its name. Raises SettingsWrong for a wrong or double declaration."""
    found: dict[str, SupplierSpec] = {}
    for module in (module for package in SOURCE_PACKAGES for module in _modules(package)):
        declared = getattr(module, "SUPPLIER", None)
        if declared is None:
            continue
        if not isinstance(declared, SupplierSpec):
            raise SettingsWrong(f"{module.__name__}.SUPPLIER must be a SupplierSpec")
        if declared.name in found:
            raise SettingsWrong(f"the supplier {declared.name} is declared twice, the second time in {module.__name__}; keep one")
        found[declared.name] = declared
    return MappingProxyType(found)


@cache
def extracts() -> Mapping[ContractId, ExtractSpec]:
    """What becomes of each inbound table about persons, by its contract. Raises SettingsWrong for a wrong or double declaration."""
    return _declared(EXTRACT_PACKAGES, ("EXTRACT",), ExtractSpec)


@cache
def facts() -> Mapping[ContractId, FactSpec]:
    """Every table of long facts about persons, by contract. Raises SettingsWrong for a wrong or double declaration."""
    return _declared(FACT_PACKAGES, ("FACT",), FactSpec)


@cache
def features() -> Mapping[ContractId, FeatureSpec]:
    """Every feature group, by contract. Raises SettingsWrong for a wrong or double declaration."""
    return _declared(FEATURE_PACKAGES, ("FEATURE",), FeatureSpec)


@cache
def tables() -> Mapping[ContractId, TableSpec]:
    """Every table made from others, by contract. Raises SettingsWrong for a wrong or double declaration, or one made from nothing known."""
    made = _declared(TABLE_PACKAGES, ("TABLE",), TableSpec)
    from_extracts = {core for spec in extracts().values() for core in spec.becomes}
    known = {*made, *sources(), *from_extracts, *facts(), *features(), PRACTICE_EXTRACT}
    for spec in made.values():
        unknown = [i for i in (*spec.inputs, *spec.picture_inputs) if i not in known]
        if unknown:
            raise SettingsWrong(f"{spec.contract} is made from {', '.join(unknown)}, which no file declares")
    return made
