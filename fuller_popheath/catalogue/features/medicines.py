"""How many medicines each person is issued, how often, and whether some that matter are among them.

A medicine is a cluster of the code lists, which is coarser than a product. What does not belong here: whether it is right to give them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.marks import Marks, beside
from fuller_popheath.specs import ContractId, FeatureSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEDICINES: ContractId = "core/person_medicine"

FLAGGED = (
    "opioid",
    "nsaid",
    "anticoagulant",
    "antiplatelet",
    "antihypertensive",
    "loop_diuretic",
    "statin",
    "insulin",
    "metformin",
    "inhaled_corticosteroid",
    "antidepressant",
    "anxiolytic",
    "antipsychotic",
    "dementia_drug",
)
"""Medicines that each have a column, issued within 365 days."""
ANTICHOLINERGIC = ("antispasmodic", "antihistamine", "antidepressant", "antipsychotic")
"""Groups that hold many medicines with anticholinergic effects: a choice of this project, not a published burden scale, which goes by product."""
COUNTED_ISSUES = {"opioid_issue_count_365": ("opioid",), "antibiotic_issue_count_365": ("antibiotic",)}
DEVICES = ("glucose_sensor",)
"""Issued like medicines, and none: they count for no feature."""
ISSUED = Marks((*FLAGGED, *ANTICHOLINERGIC))


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person: medicines and issues in 90 and 365 days, polypharmacy, and flags."""
    medicine = tables[MEDICINES]
    lately = medicine.filter(medicine.count_365 > 0, ~medicine.medicine.isin(DEVICES))
    counts = lately.group_by("person_row").agg(
        medicine_count_365=lately.count().cast("int64"),
        medicine_count_90=(lately.count_90 > 0).cast("int64").sum().cast("int64"),
        issue_count_365=lately.count_365.sum().cast("int64"),
        issue_count_90=lately.count_90.sum().cast("int64"),
        **{name: lately.count_365.sum(where=lately.medicine.isin(which)).cast("int64") for name, which in COUNTED_ISSUES.items()},
    )
    together = beside(counts, issued=ISSUED.of(lately, "medicine"))
    return together.mutate(
        has_polypharmacy=together.medicine_count_365 >= night.site.frailty.polypharmacy_medicines,
        anticholinergic_group_count_365=_how_many(together.issued_marks, ANTICHOLINERGIC),
        **{name: together[name].fill_null(0) for name in COUNTED_ISSUES},
        **{f"has_{name}_365": ISSUED.has(together.issued_marks, name) for name in FLAGGED},
    ).drop("issued_marks")


def _how_many(marks: ir.IntegerValue, names: tuple[str, ...]) -> ir.IntegerValue:
    return reduce(add, (ISSUED.has(marks, name).cast("int64") for name in names))


FEATURE = FeatureSpec(contract="features/medicines", inputs=(MEDICINES,), build=build)
