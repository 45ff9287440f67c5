"""What every table must look like, declared once in data_contracts/, and checked: rows are accepted, or quarantined with the rules they broke.

What does not belong here: any figure, and any knowledge of one table.
"""

from fuller_popheath.contracts.checking import check
from fuller_popheath.contracts.conforming import conform, empty_table, refuse_if_broken, without_identifiers
from fuller_popheath.contracts.dictionary import dictionary_markdown
from fuller_popheath.contracts.loading import contract_ids, load_contract
from fuller_popheath.contracts.model import Checked, Column, Contract, Reference, Rule

__all__ = [
    "Checked",
    "Column",
    "Contract",
    "Reference",
    "Rule",
    "check",
    "conform",
    "contract_ids",
    "dictionary_markdown",
    "empty_table",
    "load_contract",
    "refuse_if_broken",
    "without_identifiers",
]
