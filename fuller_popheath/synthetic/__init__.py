"""A make-believe place: an ICB that does not exist, with people nobody is, written as publishers and practices would send it.

Grain and method stand in the modules: landscape and vintages (the areas), deprivation and imd_files, organisations, people, published (what the NHS
counts), landing (the files), faults (the same files, broken on purpose). Everything follows from a seed.
"""

from fuller_popheath.synthetic.faults import FAULTS, plant_fault
from fuller_popheath.synthetic.landing import SyntheticSummary, write_landing

__all__ = ["FAULTS", "SyntheticSummary", "plant_fault", "write_landing"]
