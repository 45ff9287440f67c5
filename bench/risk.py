"""Risk models of a make-believe ICS: what training and scoring cost, and how close the risks come to the truth that only the generator knows.

    python -m bench.risk [--people 240000] [--seed 5] [--base FOLDER] [--large FOLDER] [--keep]

Steps: generate, load, person and features as in bench.ics; train (populations at both index dates, every model of every outcome); figures (of every
default model, in every quintile); score (tonight's people, with reasons, of one outcome and of every outcome that is for lists, held against the
contract and written as a night does); truth (predicted against true probabilities by tenth); large (AUROC of a full boosting fitted on the people of
another, larger place, on the same people as the default model). `--base` takes a place that bench.ics has left, and goes on with train. A process
each.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.ics import DAY, FEATURE_MEMORY, WORK, Measured, features, keep, kept, load, measured, path_of, person, site_of, table_of

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.risk.index_population import IndexPopulation
    from fuller_popheath.site import Site
    from fuller_popheath.specs import Parts

PEOPLE, SEED = 240_000, 5
MODELS = "models"
LARGE_PEOPLE = 1_200_000
"""At each index date of the larger place: ten times as many adults as the default model of PEOPLE is fitted on, and no more than fit into memory."""
OUTCOME, AGE_GROUP = "emergency_admission_12m", "adult"
Say = Callable[[str], None]


class Place:
    """The store of one bench folder: tables of the day by contract id, made when they are asked for."""

    def __init__(self, base: Path, day: date) -> None:
        from fuller_popheath.specs import Night

        self.base, self.day = base, day
        self.site: Site = site_of(base)
        self.night = Night(day, self.site)

    def source_of(self, contract_id: str) -> Parts | pa.Table:
        """A table of the day: files where it is big, else whole."""
        from fuller_popheath import registry
        from fuller_popheath.arrival.extract_store import ExtractStore
        from fuller_popheath.specs import Parts

        extracts = ExtractStore(self.site.folder("store"))
        if contract_id in {core for spec in registry.extracts().values() for core in spec.becomes}:
            return extracts.parts(contract_id, self.day)
        path = path_of(self.base, contract_id, self.day)
        if not path.is_file():
            keep(self.base, contract_id, self.day, self._made(contract_id))
        return Parts(contract_id, (path,)) if contract_id in {**registry.facts(), **registry.features()} else kept(self.base, contract_id, self.day)

    def _made(self, contract_id: str) -> pa.Table:
        import pyarrow as pa

        from fuller_popheath import registry
        from fuller_popheath.arrival.extract_store import ExtractStore
        from fuller_popheath.engine import Engine
        from fuller_popheath.feature_store import build_fact

        extracts = ExtractStore(self.site.folder("store"))
        if contract_id == registry.PRACTICE_EXTRACT:
            return pa.concat_tables([extracts.account(inbound, self.day) for inbound in registry.extracts()])
        if contract_id in registry.facts():
            spec = registry.facts()[contract_id]
            with Engine.from_site(self.site) as engine:
                return build_fact(spec, engine, {name: self.source_of(name) for name in ("core/person", *spec.inputs)}, self.night)
        made: Any = registry.tables()[contract_id]
        inputs = {name: self._whole(name) for name in made.inputs}
        return made.build(inputs, self.night)

    def _whole(self, contract_id: str) -> pa.Table:
        from fuller_popheath.arrival.extract_store import ExtractStore

        extracts = ExtractStore(self.site.folder("store"))
        if extracts.days(contract_id):
            return extracts.read(contract_id, self.day)
        self.source_of(contract_id)
        return kept(self.base, contract_id, self.day)

    def features(self) -> pa.Table:
        """Every feature of tonight's people, as models see them."""
        from fuller_popheath import registry
        from fuller_popheath.risk.index_population import beside

        groups = {name: kept(self.base, name, self.day) for name in registry.features()}
        return beside(groups, kept(self.base, "core/person", self.day).select(["person_id"]), self.day)

    def at_risk(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Who can have each of those outcomes tonight that not everybody can have."""
        from fuller_popheath import registry
        from fuller_popheath.engine import Engine
        from fuller_popheath.risk.outcome_labels import at_risk_of

        person, told = kept(self.base, "core/person", self.day), {}
        for spec in (registry.outcomes()[name] for name in names):
            if spec.at_risk is not None:
                sources = {"core/person": person} | {i: self.source_of(i) for i in spec.inputs}
                with Engine.from_site(self.site) as engine:
                    told[spec.name] = at_risk_of(spec, engine, sources, self.night, person.num_rows)
        return told

    def population(self, index_date: date, say: Say = lambda _: None) -> IndexPopulation:
        """The people of an index date."""
        from fuller_popheath.engine import Engine
        from fuller_popheath.risk.index_population import build

        return build(lambda: Engine.from_site(self.site), self.source_of, self.night, index_date, say=say)


def generate(base: Path, day: date, people: int, seed: int) -> str:
    """Write the make-believe ICS as Parquet, with its truth file."""
    from fuller_popheath.synthetic.landing import write_landing

    made = write_landing(base / "landing", seed=seed, as_of=day, people=people, records=True, workers=2, file_format="parquet")
    return f"{made.people:,} people, seed {seed}"


def train_all(base: Path, day: date) -> str:
    """Populations at both index dates, then every model of every outcome."""
    from fuller_popheath.risk.training import train
    from fuller_popheath.risk.training_sets import index_dates

    place = Place(base, day)
    started = time.perf_counter()

    def say(text: str) -> None:
        print(f"  {time.perf_counter() - started:6.1f} s  {text}", file=sys.stderr, flush=True)

    dates = index_dates(day, place.site.training.outcome_lag_days)
    development, validation = (place.population(index_date, say) for index_date in dates)
    built = time.perf_counter() - started
    run = train(development, validation, place.night, base / MODELS, True, say)
    for name, table in run.tables.items():
        keep(base, name, day, table)
    return f"{len(run.stored)} models stored; {built:.0f} s of it for {development.people.num_rows:,} and {validation.people.num_rows:,} people"


FIGURES = ("auroc", "calibration_slope", "observed_over_expected", "observed_over_expected_as_fitted")


def figures(base: Path, day: date) -> str:
    """Of every default model on the people it is judged on: what FIGURES says of everybody, and observed over expected in each quintile."""
    from fuller_popheath import registry

    default = next(spec.name for spec in registry.models().values() if spec.role == "default")
    rows = [row for row in kept(base, "risk/evaluation", day).to_pylist() if row["model"] == default and row["validation"] != "unseen"]
    told: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        column = row["metric"] if row["subgroup_kind"] == "all" else f"quintile {row['subgroup']}"
        column += "" if row["validation"] == "temporal" else ", other PCNs"
        is_wanted = (
            row["metric"] in FIGURES if row["subgroup_kind"] == "all" else row["subgroup_kind"] == "imd_quintile" and len(row["subgroup"]) == 1
        )
        if is_wanted and row["value"] is not None and (row["subgroup_kind"] == "all" or row["metric"] == "observed_over_expected"):
            ends = f" ({row['lower']:.3f} to {row['upper']:.3f})" if row["lower"] is not None else ""
            told.setdefault((row["outcome"], row["age_group"]), {})[column] = f"{row['value']:.3f}{ends}"
    lines = [f"| {' '.join(who)} | {name} | {value} |" for who, values in sorted(told.items()) for name, value in values.items()]
    return "\n".join(["| model | figure | value (95 % interval) |", "|---|---|---|", *lines])


def score_all(base: Path, day: date, outcomes: str) -> str:
    """Tonight's people by the newest models, with reasons, held against the contract and written as a night does. `outcomes`: one, or all."""
    from fuller_popheath.contracts import load_contract
    from fuller_popheath.risk.scoring import scores_and_parts, scoring_models
    from pipelines.stores import Store, content_hash, prove

    place = Place(base, day)
    objection = place.source_of("core/person_objection")
    models = [m for m in scoring_models(place.site, base / MODELS, True, day) if outcomes == "all" or m.model.outcome == outcomes]
    started, busy = time.perf_counter(), time.process_time()

    def took(what: str) -> None:
        print(f"  {time.perf_counter() - started:6.1f} s  {what}", file=sys.stderr, flush=True)

    table = place.features()
    can = place.at_risk(dict.fromkeys(m.model.outcome for m in models))
    read = time.perf_counter() - started
    scores, parts = scores_and_parts(models, table, objection, can, place.site, day, took)
    scored = time.perf_counter() - started
    del table
    store = Store(place.site.folder("store"), place.site.folder("products"))
    for name, rows in (("risk/score", [scores]), ("risk/score_reason", parts)):
        contract = load_contract(name)
        proven = (prove(part, contract) for part in rows)
        store.write_in_parts((each for each in proven if content_hash(each.table)), contract, day, place.site.folder("landing"))
        took(f"{name} held against its contract, and written")
    wall, cpu = time.perf_counter() - started, time.process_time() - busy
    people, reasons = scores.num_rows, sum(part.num_rows for part in parts)
    told = f"features read {read:.0f} s, scored and explained {scored - read:.0f} s ({1e6 * (scored - read) / people:.1f} microseconds a score)"
    return f"{people:,} scores by {len(models)} models, {reasons:,} reasons in {wall:.0f} s ({cpu:.0f} s CPU): {told}"


def truth(base: Path, day: date) -> str:
    """Of the default model: predicted against the true probabilities of the simulation, by tenth of the predicted.

    The truth file is about the day a year before, without a lag: the people of that day are scored, by the line in use.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from fuller_popheath.methods.discrimination import auroc
    from fuller_popheath.people.pseudonyms import key
    from fuller_popheath.risk.model_store import load as load_model
    from fuller_popheath.risk.promotion import in_use
    from fuller_popheath.risk.training_sets import HORIZON, judging_rows

    place = Place(base, day)
    used = in_use(place.site, base / MODELS, OUTCOME, AGE_GROUP, True, day)
    assert used is not None
    model = load_model(base / MODELS, used.model_id).model
    index_date = day - HORIZON
    rows, _ = judging_rows(place.population(index_date), OUTCOME, AGE_GROUP, place.site.training)
    told = pq.read_table(base / "truth" / "truth.parquet")
    told = told.filter(pc.and_(told["nhs_number"].is_valid(), pc.equal(told["index_date"], index_date)))
    secret = key(place.site, os.environ)
    ids = pa.array([secret.person_id(f"nhs:{number}") for number in told["nhs_number"].to_pylist()])
    at = pc.index_in(rows.features["person_id"], value_set=ids).fill_null(-1).to_numpy()
    known = at >= 0
    true = told["emergency_admission_probability"].to_numpy()[at[known]]
    predicted, outcome = model.probability(rows.features)[known], rows.has_outcome[known]
    tenth = np.minimum(np.argsort(np.argsort(predicted)) * 10 // len(predicted), 9)
    lines = [
        f"| {n + 1} | {predicted[tenth == n].mean():.4f} | {true[tenth == n].mean():.4f} | {outcome[tenth == n].mean():.4f} "
        f"| {np.abs(predicted - true)[tenth == n].mean():.4f} |"
        for n in range(10)
    ]
    head = "| tenth of predicted risk | mean predicted | mean true | observed | mean absolute difference to the truth |\n|---|---|---|---|---|"
    areas = f"AUROC: predicted {auroc(outcome, predicted).value:.4f}, of the true probabilities {auroc(outcome, true).value:.4f}"
    return "\n".join([f"{len(predicted):,} people; {areas}", head, *lines])


def large(base: Path, day: date, other: Path) -> str:
    """The default model beside a full boosting that was fitted on the adults of another, larger place, at both of its index dates."""
    import pyarrow as pa

    from fuller_popheath import registry
    from fuller_popheath.methods.discrimination import auroc
    from fuller_popheath.risk import fitting
    from fuller_popheath.risk.model_store import load as load_model
    from fuller_popheath.risk.promotion import in_use
    from fuller_popheath.risk.training_sets import index_dates, judging_rows

    everybody = {"people": LARGE_PEOPLE, "fit_people": 10**7, "unseen_share": 0.0, "outcomes": (OUTCOME,)}
    far = Place(other, day)
    far.site = far.site.model_copy(update={"training": far.site.training.model_copy(update=everybody)})
    far.night = type(far.night)(day, far.site)
    lag = far.site.training.outcome_lag_days
    parts = [judging_rows(far.population(index_date), OUTCOME, AGE_GROUP, far.site.training)[0] for index_date in index_dates(day, lag)]
    many = fitting.SomeRows(pa.concat_tables([part.features for part in parts]), np.concatenate([part.has_outcome for part in parts]))
    del parts
    spec = registry.models()["boosting"]
    best = fitting.fit(spec, many, {}, 1, far.site.training, outcome=OUTCOME, age_group=AGE_GROUP)
    fitted = many.features.num_rows
    del many
    near = Place(base, day)
    used = in_use(near.site, base / MODELS, OUTCOME, AGE_GROUP, True, day)
    assert used is not None
    rows, _ = judging_rows(near.population(index_dates(day, lag)[1]), OUTCOME, AGE_GROUP, near.site.training)
    own = auroc(rows.has_outcome, load_model(base / MODELS, used.model_id).model.log_odds(rows.features))
    attainable = auroc(rows.has_outcome, best.log_odds(rows.features))
    gap = attainable.value - own.value
    return (
        f"AUROC {own.value:.4f} by the default model, {attainable.value:.4f} by full boosting on {fitted:,} person-dates of another place: {gap:+.4f}"
    )


def everything(people: int, seed: int, given: Path | None, other: Path | None, keep_files: bool) -> list[Measured]:
    """Every step in its own process; stops at the first that fails."""
    base, day = given or WORK / f"risk_{people}", DAY.isoformat()
    if given is None:
        shutil.rmtree(base, ignore_errors=True)
        base.mkdir(parents=True)
    before = (("generate", "generate", day, str(people), str(seed)), ("load", "load", day), ("person", "person", day), ("features", "features", day))
    after = (
        ("train", "train", day),
        ("figures", "figures", day),
        ("score one outcome", "score", day, OUTCOME),
        ("score every outcome", "score", day, "all"),
        ("truth", "truth", day),
    )
    steps = (*(() if given else before), *after, *((("large", "large", day, str(other)),) if other else ()))
    done: list[Measured] = []
    try:
        for name, step, *arguments in steps:
            done.append(measured(name, "--step", step, str(base), *arguments, module="bench.risk"))
            print(f"{name}: {done[-1].wall:.0f} s, {done[-1].cpu:.0f} s CPU, {done[-1].peak_gb:.1f} GB\n{done[-1].said}\n", flush=True)
            if done[-1].failed:
                break
    finally:
        if not keep_files and given is None:
            shutil.rmtree(base, ignore_errors=True)
    return done


STEPS: Mapping[str, Callable[..., str]] = {
    "generate": lambda base, day, people, seed: generate(Path(base), date.fromisoformat(day), int(people), int(seed)),
    "load": lambda base, day: load(Path(base), date.fromisoformat(day)),
    "person": lambda base, day: person(Path(base), date.fromisoformat(day)),
    "features": lambda base, day: features(Path(base), date.fromisoformat(day), FEATURE_MEMORY),
    "train": lambda base, day: train_all(Path(base), date.fromisoformat(day)),
    "figures": lambda base, day: figures(Path(base), date.fromisoformat(day)),
    "score": lambda base, day, outcomes: score_all(Path(base), date.fromisoformat(day), outcomes),
    "truth": lambda base, day: truth(Path(base), date.fromisoformat(day)),
    "large": lambda base, day, other: large(Path(base), date.fromisoformat(day), Path(other)),
}


def main() -> int:
    """Run one step (for ourselves), or all of them; 1 where a step failed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--people", type=int, default=PEOPLE)
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--base", type=Path, help="a place that bench.ics has left (--keep)")
    asked.add_argument("--large", type=Path, help="a larger place that bench.ics has left, to fit the best attainable model on")
    asked.add_argument("--keep", action="store_true", help="leave the files in var/bench")
    asked.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.step:
        print(STEPS[given.step[0]](*given.step[1:]))
        return 0
    done = everything(given.people, given.seed, given.base, given.large, given.keep)
    print(table_of(done, given.people))
    return int(any(each.failed for each in done))


if __name__ == "__main__":
    sys.exit(main())
