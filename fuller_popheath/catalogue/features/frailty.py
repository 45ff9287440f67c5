"""The electronic frailty index: how many of its 36 deficits a record has, and the category; and what clinicians coded themselves.

Clegg and others, Age and Ageing 2016. The category is decided on the whole number of deficits, never on the fraction: 0.24 x 36 is no whole number,
and a fraction at a limit may fall on either side. What does not belong here: the hospital frailty risk score, which needs hospital codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.marks import beside
from fuller_popheath.codelists.weights import efi_36
from fuller_popheath.specs import ContractId, FeatureSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

PERSON: ContractId = "core/person"
CLUSTERS: ContractId = "core/person_cluster"
MEDICINES: ContractId = "core/person_medicine"

DEFICITS: Mapping[str, tuple[str, ...]] = {deficit.deficit: deficit.clusters for deficit in efi_36() if deficit.clusters}
"""The deficits that codes stand for (`codelists/efi_36.csv`), ever coded; the 36th, polypharmacy, is counted from prescriptions."""

LOWEST_COUNT = {"severe": 13, "moderate": 9, "mild": 5, "fit": 0}
"""From how many deficits on: the published 0.12, 0.24 and 0.36 of 36, in whole deficits (0-4, 5-8, 9-12, 13 and more)."""
JUDGED_FROM_AGE = 65
"""The index was made and validated for people of 65 and over (Clegg 2016): below, there is a count and no category."""
CODED = {"severe_frailty": "severe", "moderate_frailty": "moderate", "mild_frailty": "mild"}


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person: deficits 0 to 36, category, whether there is polypharmacy, and the latest degree of frailty that was coded."""
    import ibis

    coded, medicine = tables[CLUSTERS], tables[MEDICINES]
    lately = medicine.filter(medicine.count_365 > 0)
    together = beside(
        tables[PERSON].select("person_row", "age_years"),
        ever=_deficits(coded),
        lately=lately.group_by("person_row").agg(count=lately.count().cast("int64")),
        said=_coded(coded),
    )
    many_medicines = (together.lately_count >= night.site.frailty.polypharmacy_medicines).fill_null(False)
    deficits = together.ever_deficits.fill_null(0) + many_medicines.cast("int64")
    counted = together.select("person_row", "age_years", efi_deficit_count=deficits, coded_frailty="said_degree")
    category = ibis.cases(*((counted.efi_deficit_count >= least, name) for name, least in LOWEST_COUNT.items()))
    return counted.mutate(efi_category=ibis.ifelse(counted.age_years >= JUDGED_FROM_AGE, category, None)).drop("age_years")


def _deficits(coded: ir.Table) -> ir.Table:
    """How many of the deficits were ever coded, by whichever of their clusters."""
    numbers = [(name, number) for number, names in enumerate(DEFICITS.values()) for name in names]
    wanted = coded.filter(coded.cluster.isin([name for name, _ in numbers]))
    found = wanted.select("person_row", deficit=wanted.cluster.cases(*numbers)).distinct()
    return found.group_by("person_row").agg(deficits=found.count().cast("int64"))


def _coded(coded: ir.Table) -> ir.Table:
    """The degree that was coded last; of two on one day the worse."""
    import ibis

    said = coded.filter(coded.cluster.isin(list(CODED)), coded.is_current)
    days = said.group_by("person_row").agg(
        **{degree: said.last_date.max(where=said.cluster == cluster) for cluster, degree in CODED.items()}, last=said.last_date.max()
    )
    return days.select("person_row", degree=ibis.cases(*(((days[degree] == days["last"]).fill_null(False), degree) for degree in CODED.values())))


FEATURE = FeatureSpec(contract="features/frailty", inputs=(CLUSTERS, MEDICINES), build=build)
