"""What the statistics of a whole country cost: rates of 100,000 areas of 19 age bands, and indices of inequality.

    python -m bench.statistics [--areas 100000] [--seed 5]

Prints seconds a step (the best of three). Asserts nothing. What does not belong here: tables of a store (bench.ics).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from fuller_popheath.methods.gaps import difference_of_proportions
from fuller_popheath.methods.inequality import slope_by_quantile
from fuller_popheath.methods.inequality_by_person import slope_by_person, slope_of_counts
from fuller_popheath.methods.proportions import wilson_interval
from fuller_popheath.methods.standardised_rates import directly_standardised_rates, european_standard_population, indirectly_standardised_ratios


def seconds(made: Callable[[], object]) -> float:
    """The best of three runs."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        made()
        best = min(best, time.perf_counter() - start)
    return best


def steps(areas: int, seed: int) -> dict[str, Callable[[], object]]:
    """Each step's name and what it does, on make-believe numbers with text keys in no order."""
    rng = np.random.default_rng(seed)
    standard = european_standard_population()
    names = np.array([f"E{i:08d}" for i in range(areas)], dtype=object)
    bands = standard["age_band"].to_numpy(dtype=object)
    events = pd.DataFrame({"area": np.repeat(names, len(bands)), "age_band": np.tile(bands, areas)})
    events["population"], events["count"] = rng.integers(20, 500, len(events)), rng.poisson(4, len(events))
    events = events.sample(frac=1, random_state=seed)
    reference = standard.assign(count=100, population=10_000)
    total = rng.integers(50, 900, (areas, 5))
    counts = pd.DataFrame({"area": np.repeat(names, 5), "quantile": np.tile(np.arange(1, 6), areas), "denominator": total.ravel()})
    counts["numerator"] = rng.binomial(total, 0.3).ravel()
    lower, upper = wilson_interval(counts["numerator"], counts["denominator"])
    values = counts.assign(population=counts["denominator"], value=counts["numerator"] / counts["denominator"], lower=lower, upper=upper)
    people = pd.DataFrame({"area": 0, "rank": rng.integers(1, 33_756, 1_800_000), "outcome": rng.random(1_800_000) < 0.2})
    few = counts[counts["area"].isin(set(names[:1_000]))]
    x, n = counts["numerator"].to_numpy(), counts["denominator"].to_numpy()
    return {
        f"directly standardised rates, {areas:,} areas x {len(bands)} bands": lambda: directly_standardised_rates(events, standard),
        f"observed over expected, {areas:,} areas x {len(bands)} bands": lambda: indirectly_standardised_ratios(events, reference),
        f"slope by quantile, {areas:,} areas x 5, analytic": lambda: slope_by_quantile(values, "proportion", draws=0),
        f"slope of counts, {areas:,} areas x 5, analytic": lambda: slope_of_counts(counts, draws=0),
        "slope of counts, 1,000 areas x 5, 10,000 draws": lambda: slope_of_counts(few, draws=10_000),
        "slope by person, 1,800,000 persons": lambda: slope_by_person(people, "proportion"),
        f"difference of proportions, {5 * areas:,} pairs": lambda: difference_of_proportions(x, n, x[::-1], n[::-1]),
    }


def main() -> None:
    """Run every step and say what it took."""
    ask = argparse.ArgumentParser(description="what the statistics of a whole country cost")
    ask.add_argument("--areas", type=int, default=100_000)
    ask.add_argument("--seed", type=int, default=5)
    chosen = ask.parse_args()
    for name, made in steps(chosen.areas, chosen.seed).items():
        print(f"{seconds(made):8.2f} s  {name}", flush=True)


if __name__ == "__main__":
    main()
