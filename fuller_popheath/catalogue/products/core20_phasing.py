"""The phasing plan of the board paper (section 2.9): each PCN's wave by its Core20 share, and whether that hangs on rounding or edition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.place.phasing import NO_WAVE, waves_as_shown, waves_unrounded
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/core20_phasing"
BY_PCN = "products/core20_by_pcn"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per edition and PCN. The waves and their thresholds are a local choice, in site.toml [phasing].

    hangs_on_rounding: the wave of the unrounded share is another; hangs_on_edition: that of another edition is, empty where there is one edition.
    """
    import numpy as np
    import pyarrow as pa

    waves = night.site.phasing.waves
    pcns = inputs[BY_PCN].to_pandas()
    counts = pcns["q1_count"].to_numpy(dtype=np.int64), pcns["registered_count"].to_numpy(dtype=np.int64)
    shown, exact = waves_as_shown(waves, *counts), waves_unrounded(waves, *counts)
    names = np.array([*(wave.name for wave in waves), NO_WAVE], dtype=object)
    due_dates = np.array([*(wave.due_date for wave in waves), None], dtype=object)
    by_pcn = pcns.assign(wave_index=shown).groupby("pcn_code")["wave_index"]
    several = (by_pcn.transform("size") > 1).to_numpy()
    differs = (by_pcn.transform("nunique") > 1).to_numpy()
    plan = pcns.assign(
        wave=names[shown],
        wave_due_date=due_dates[shown],
        hangs_on_rounding=shown != exact,
        hangs_on_edition=np.where(several, differs.astype(object), None),
    )
    return conform(pa.Table.from_pandas(plan, preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=(BY_PCN,), build=build)
