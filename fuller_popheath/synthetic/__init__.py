"""A make-believe place: an ICB that does not exist, with people nobody is, written as publishers and practices would send it.

Grain and method stand in the modules: landscape and vintages (the areas), deprivation and imd_files, organisations, people, published (what the NHS
counts), landing (the files), records and simulation (what happens to the people, and what is recorded of it), next_night (the day after), faults and
extract_faults (the same files, broken on purpose). Everything follows from a seed.
"""

from fuller_popheath.synthetic.extract_faults import EXTRACT_FAULTS
from fuller_popheath.synthetic.faults import FAULTS, plant_fault
from fuller_popheath.synthetic.landing import SyntheticSummary, write_landing
from fuller_popheath.synthetic.next_night import next_night

__all__ = ["EXTRACT_FAULTS", "FAULTS", "SyntheticSummary", "next_night", "plant_fault", "write_landing"]
