"""Contracts on disk: which there are, and each one read, checked against what the house understands, and kept.

What does not belong here: what a declaration means; see declaring.py.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fuller_popheath.contracts.declaring import declared
from fuller_popheath.contracts.model import Contract
from fuller_popheath.errors import SettingsWrong

CONTRACTS_FOLDER = Path(__file__).resolve().parents[2] / "data_contracts"
FOLDERS = ("core", "features", "inbound", "products", "reference", "risk")


def contract_ids(folder: str | None = None) -> tuple[str, ...]:
    """The ids of every contract on disk, sorted; of one folder (`core`, `features` ...) if given."""
    found = (path.relative_to(CONTRACTS_FOLDER).with_suffix("").as_posix() for name in FOLDERS for path in (CONTRACTS_FOLDER / name).glob("*.yaml"))
    return tuple(sorted(i for i in found if folder is None or i.startswith(f"{folder}/")))


@cache
def load_contract(contract_id: str) -> Contract:
    """The contract of that id, read once. Raises SettingsWrong where there is none, or where it cannot be used as written."""
    if contract_id not in contract_ids():
        raise SettingsWrong(
            f"there is no contract {contract_id}: expected the file data_contracts/{contract_id}.yaml; there are {', '.join(contract_ids())}"
        )
    return read_contract(CONTRACTS_FOLDER / f"{contract_id}.yaml", contract_id)


def read_contract(path: Path, contract_id: str) -> Contract:
    """Read one file of the Open Data Contract Standard as the contract `contract_id`.

    Raises SettingsWrong naming the file and the column or rule: for anything the standard does not allow, and for anything that the house
    would not act on, because a rule that is silently ignored is worse than none.
    """
    import yaml
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    # The C parser is about ten times faster; it is there in every wheel of PyYAML, but not in every build of it.
    parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=parser)
    except OSError as wrong:
        raise SettingsWrong(f"{path.name} cannot be read: {wrong.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        line = getattr(getattr(wrong, "problem_mark", None), "line", None)
        raise SettingsWrong(f"{path.name} is not valid YAML" + (f": look at line {line + 1}" if line is not None else "")) from None
    if not isinstance(content, dict):
        raise SettingsWrong(f"{path.name} is not a data contract: expected keys and values")
    try:
        standard = OpenDataContractStandard(**content)
    except ValidationError as wrong:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors(include_input=False))
        raise SettingsWrong(f"{path.name} is not a data contract of the Open Data Contract Standard: {places}") from None
    try:
        return declared(standard, contract_id)
    except SettingsWrong as wrong:
        raise SettingsWrong(f"{path.name}: {wrong}") from None
