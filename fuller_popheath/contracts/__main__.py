"""`python -m fuller_popheath.contracts` writes data_contracts/DICTIONARY.md anew from the contracts."""

from fuller_popheath.contracts.dictionary import dictionary_markdown
from fuller_popheath.contracts.loading import CONTRACTS_FOLDER

if __name__ == "__main__":
    (CONTRACTS_FOLDER / "DICTIONARY.md").write_text(dictionary_markdown(), encoding="utf-8")
