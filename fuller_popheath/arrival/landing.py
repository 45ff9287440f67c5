"""The front of arrival: `survey` a folder, `plan` which files count for a day, `read_and_check` a contract's files, `read_file` for one by name."""

from fuller_popheath.arrival.choice import Arrival, plan
from fuller_popheath.arrival.files import LandingFile, State, survey
from fuller_popheath.arrival.reading import Arrived, FileOutcome, examine, read_and_check, read_file, refuse_unusable, with_outcomes

__all__ = [
    "Arrival",
    "Arrived",
    "FileOutcome",
    "LandingFile",
    "State",
    "examine",
    "plan",
    "read_and_check",
    "read_file",
    "refuse_unusable",
    "survey",
    "with_outcomes",
]
