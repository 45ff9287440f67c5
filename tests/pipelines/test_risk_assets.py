"""Whole nights with risk models on a small make-believe ICS: one that trains, one that uses what was trained, and one on people who may be real."""

from __future__ import annotations

import contextlib
import re
import shutil
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import FullerError
from fuller_popheath.people.pseudonyms import KEY_VARIABLE
from fuller_popheath.registry import MONITORING_TABLES, SCORE_TABLES, TRAINING_TABLES
from fuller_popheath.risk.model_store import load, model_ids, read_manifest
from fuller_popheath.site import load_site
from fuller_popheath.synthetic import write_landing
from pipelines import model_review
from pipelines.risk_checks import verdicts_of
from pipelines.risk_steps import is_synthetic, scoring_asset
from pipelines.tonight import NightSettings
from tests.pipelines.conftest import AS_OF, Place, SoundNight, make_place
from tests.pipelines.test_night import Night, is_nhs_number, night_of, values_in

PEOPLE = 6_000
NEXT = AS_OF + timedelta(days=1)
OUTCOME = "emergency_admission_12m"
TRAINING = f"""
[training]
fit_people = 3000
check_people = 1000
trial_people = 1000
trials = 1
minimum_events = 40
stability_seeds = 2
outcomes = ["{OUTCOME}"]
"""

Rows = list[dict[str, Any]]


def training_little(place: Place) -> Place:
    """Its settings, with little training."""
    settings = place.folder / "site.toml"
    settings.write_text(f"{settings.read_text(encoding='utf-8')}{TRAINING}", encoding="utf-8")
    return place


def models_of(place: Place) -> Path:
    return place.folder / "var" / "models"


def rows(place: Place, contract: str, day: Any = AS_OF) -> Rows:
    found: Rows = pq.ParquetFile(place.store / contract / f"as_of={day}" / "part.parquet").read().to_pylist()
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = make_place(tmp_path_factory.mktemp("risk") / "place")
    write_landing(place.landing, seed=7, as_of=AS_OF, people=PEOPLE, records=True, years=4, file_format="parquet", workers=1)
    return training_little(place)


@pytest.fixture(scope="module")
def first(home: Place) -> Night:
    return night_of(home, home.run_night("--job", "first_night"))


@pytest.fixture(scope="module")
def trained(home: Place, first: Night) -> dict[Path, int]:
    """Every file of the models folder after the first night, and when it was written."""
    return {path: path.stat().st_mtime_ns for path in models_of(home).rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def second(home: Place, trained: dict[Path, int]) -> Night:
    """The night after, as every other: the nightly job."""
    return night_of(home, home.run_night("--as-of", NEXT.isoformat()))


@pytest.fixture
def at_home(home: Place, second: Night, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The place after both nights, with its settings in this process."""
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    return home


def test_the_first_night_trains_scores_and_ends_well(home: Place, first: Night) -> None:
    assert first.ended.returncode == 0, first.ended.stdout + first.ended.stderr
    assert first.run.job_name == "first_night"
    assert {*TRAINING_TABLES, *SCORE_TABLES, *MONITORING_TABLES, "cards/risk_models"} <= set(first.told)
    assert f"{OUTCOME}, adult: additive is best" in " ".join(first.ended.stdout.split()), "progress is shown"
    for contract in (*TRAINING_TABLES, *SCORE_TABLES, *MONITORING_TABLES):
        table = pq.ParquetFile(home.store / contract / f"as_of={AS_OF}" / "part.parquet").read()
        assert refuse_if_broken(table.replace_schema_metadata(), load_contract(contract)).num_rows > 0, contract
        assert first.checks[contract, "contract"].passed, contract
        assert first.told[contract]["dagster/row_count"] == table.num_rows, contract


def test_every_check_of_the_models_was_reached(first: Night) -> None:
    wanted = {("risk/evaluation", name) for name in ("no_leak", "calibrated", "fair_by_quintile", "no_worse_than_before")}
    wanted |= {("risk/score", "models_in_use"), ("risk/drift", "stable"), ("products/risk_scorecard", "calibrated")}
    assert wanted <= set(first.checks)
    assert first.checks["risk/evaluation", "no_leak"].passed
    assert first.checks["risk/score", "models_in_use"].passed
    assert "DEMONSTRATION" in first.checks["risk/score", "models_in_use"].description
    assert not [key for key, verdict in first.checks.items() if not verdict.passed and verdict.severity == dg.AssetCheckSeverity.ERROR]


def test_everybody_who_may_be_is_scored_as_a_demonstration(home: Place, first: Night) -> None:
    scores, people = rows(home, "risk/score"), {row["person_id"]: row for row in rows(home, "core/person")}
    objecting = {row["person_id"] for row in rows(home, "core/person_objection") if row["excluded_from_scoring"]}
    adults = {person for person, row in people.items() if row["age_years"] >= 18}
    assert len(adults & objecting) > 50
    assert {row["person_id"] for row in scores} == adults - objecting
    assert all(row["is_demonstration"] for row in scores)
    (champion,) = {row["model_id"] for row in scores}
    assert champion in model_ids(models_of(home))
    assert read_manifest(models_of(home), champion)["role"] == "default"
    told = [row for row in rows(home, "risk/score_change") if row["change"] != "new"]
    assert not told, "nobody has a score of before"
    assert {path.stat().st_mode & 0o777 for name in SCORE_TABLES for path in (home.store / name).rglob("*.parquet")} == {0o600}


def test_the_page_gets_the_champions_figures_and_pictures(first: Night) -> None:
    figures = first.told["risk/model_run"]
    assert 0.5 < figures[f"{OUTCOME} adult auroc"] < 0.88
    assert figures["models stored"] == 3
    pictures = [name for name, value in first.told["risk/evaluation"].items() if isinstance(value, str) and "data:image/png;base64," in value]
    assert len(pictures) >= 4
    assert all(name.startswith(f"{OUTCOME}, adult: ") for name in pictures)


def test_a_card_lies_beside_every_model(home: Place, first: Night) -> None:
    ids = model_ids(models_of(home))
    assert len(ids) == 3
    assert first.told["cards/risk_models"]["cards"] == 3
    for model_id in ids:
        folder = models_of(home) / model_id
        assert load(models_of(home), model_id).manifest["is_synthetic"] is True
        assert "DEMONSTRATION" in (folder / "card.html").read_text(encoding="utf-8")
        assert {path.suffix for path in (folder / "figures").iterdir()} == {".png", ".csv"}
        assert (folder / "card.json").is_file()


def test_the_scorecard_asks_the_model_of_a_year_ago(home: Place, first: Night) -> None:
    told = first.told["products/risk_scorecard"]
    assert (told["scored as of"], told["scored at the time"]) == ((AS_OF - timedelta(days=365 + 14)).isoformat(), False)
    (everybody,) = [row for row in rows(home, "products/risk_scorecard") if row["subgroup_kind"] == "all"]
    assert everybody["people_count"] % 5 == 0
    assert 0.7 < everybody["observed_over_expected"] < 1.4


def test_a_second_night_uses_the_models_and_does_not_train(home: Place, trained: dict[Path, int], second: Night) -> None:
    assert second.ended.returncode == 0, second.ended.stdout + second.ended.stderr
    assert {path: path.stat().st_mtime_ns for path in trained} == trained
    assert len(model_ids(models_of(home))) == 3
    assert not {*TRAINING_TABLES, "cards/risk_models", "products/risk_scorecard"} & set(second.told)
    assert not (home.store / "risk" / "model_run" / f"as_of={NEXT}").exists()
    assert {row["model_id"] for row in rows(home, "risk/score", NEXT)} == {row["model_id"] for row in rows(home, "risk/score")}


def test_a_second_night_tells_what_changed(home: Place, second: Night) -> None:
    before = {row["person_id"]: row["probability"] for row in rows(home, "risk/score")}
    changes = rows(home, "risk/score_change", NEXT)
    assert len(changes) == len(rows(home, "risk/score", NEXT)) > 3_000
    known = [row for row in changes if row["person_id"] in before]
    assert len(known) > 0.99 * len(changes)
    assert all((row["previous_as_of"], row["previous_probability"]) == (AS_OF, before[row["person_id"]]) for row in known)
    assert {row["change"] for row in changes if row["person_id"] not in before} <= {"new"}
    assert not any(row["is_other_model"] or row["change"] == "new" for row in known)
    # The same records a day later: hardly anybody's risk moves.
    assert sum(row["change"] == "steady" for row in known) > 0.9 * len(known)


def contents(place: Place) -> Iterator[tuple[Path, bytes]]:
    """What is kept outside landing, vault and direct care, file by file, and what packed files hold."""
    for path, content in place.stored_bytes():
        yield path, content
        for text in values_in(path):
            yield path, text
        if path.suffix == ".skops":
            with zipfile.ZipFile(path) as packed:
                for name in packed.namelist():
                    yield path, packed.read(name)


def test_no_number_is_kept_and_no_person_is_named_outside_the_store(home: Place, first: Night, second: Night) -> None:
    """Every number that was sent, and every person's id: none in the event store, in metadata, beside a model or in what was said."""
    lists = b"".join(path.read_bytes() for path in (home.landing / "practice_lists").rglob("*.csv"))
    numbers = {number for number in re.findall(rb"(?<!\d)9\d{9}(?!\d)", lists) if is_nhs_number(number)}
    persons = {row["person_id"].encode() for row in rows(home, "core/person")}
    assert len(numbers) > 0.9 * PEOPLE and len(persons) == PEOPLE
    said = "".join(night.ended.stdout + night.ended.stderr for night in (first, second)).encode()
    seen: dict[str, int] = {"": len(said)}
    for path, text in [(home.folder / "var", said), *contents(home)]:
        below = path.relative_to(home.folder / "var")
        top = next(iter(below.parts), "")
        if top == "truth":
            continue  # the generator's own, beside its landing folder: no pipeline reads or writes it
        whole = re.sub(rb"\.\d+", b"", text)  # decimal places are no number of anybody
        assert not numbers & set(re.findall(rb"(?=(9\d{9}))", whole)), below
        if top != "store" and "internal" not in below.parts:  # where a release keeps its lists for the house, as the store does
            assert not persons & set(re.findall(rb"(?=([a-z2-7]{12}))", text)), below
        seen[top] = seen.get(top, 0) + len(text)
    assert {"", "store", "models", "dagster", "releases"} <= {top for top, length in seen.items() if length > 1_000}
    assert seen["dagster"] > 1_000_000


def by_key(found: Rows) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in ("validation", "subgroup_kind", "subgroup", "metric")): row for row in found}


def test_a_stored_model_is_judged_again_and_its_card_written_again(
    at_home: Place, tmp_path: Path, trained: dict[Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    (champion,) = {row["model_id"] for row in rows(at_home, "risk/score")}
    assert model_review.main(["evaluate", "--model", champion, "--as-of", AS_OF.isoformat(), "--out", str(tmp_path)]) == 0
    assert re.search(r"auroc +0\.\d{3} ", capsys.readouterr().out)
    again = by_key(pq.read_table(tmp_path / "evaluation.parquet").to_pylist())
    first = by_key([row for row in rows(at_home, "risk/evaluation") if row["model_id"] == champion])
    assert len(again) > 100
    assert {key: first[key] for key in again} == again
    card = models_of(at_home) / champion / "card.html"
    assert model_review.main(["card", "--model", champion]) == 0
    assert card.stat().st_mtime_ns > trained[card]
    assert load(models_of(at_home), champion).manifest["outcome"] == OUTCOME
    assert model_review.main(["evaluate", "--model", champion, "--as-of", "2020-01-01"]) == 5
    assert "the store has no people of 2020-01-01" in capsys.readouterr().out


def test_models_are_trained_on_the_last_night_whatever_lies_in_the_landing_folder(at_home: Place, tmp_path: Path) -> None:
    """An outcome that there is none of ends the step as soon as it knows its day."""
    ended = at_home.run_night("--job", "monthly_training", "--training-outcome", "fractures", "--landing", str(tmp_path))
    said = " ".join(ended.stdout.split())
    assert "training.outcomes names fractures" in said, said
    assert ended.returncode == 2


@pytest.fixture
def scored_alone(at_home: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A copy of the store after both nights, and settings with a folder of models that is empty."""
    place = training_little(make_place(tmp_path / "copy"))
    shutil.copytree(at_home.store, place.store)
    monkeypatch.setenv("FULLER_SITE", place.environment["FULLER_SITE"])
    return place


def scored(day: date) -> dg.AssetCheckEvaluation:
    """Score everybody of a day in this process; the one check that did not pass."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([scoring_asset()], instance=instance, resources={"night": NightSettings(as_of=day.isoformat())})
    assert result.success
    (failed,) = [verdict for verdict in result.get_asset_check_evaluations() if not verdict.passed]
    return failed


def test_without_a_model_nobody_has_a_score_and_the_check_warns(scored_alone: Place) -> None:
    assert not model_ids(load_site().folder("models"))
    warned = scored(NEXT)
    assert [len(rows(scored_alone, contract, NEXT)) for contract in SCORE_TABLES] == [0, 0, 0]
    assert (warned.check_name, warned.severity) == ("models_in_use", dg.AssetCheckSeverity.WARN)
    assert "no model is in use" in (warned.description or "")


@pytest.fixture
def of_real_people(after_a_night: Place, home: Place, trained: dict[Path, int]) -> Place:
    """After a night with a key of its own, which only real people need; models of make-believe people lie in its folder, and none is promoted."""
    shutil.copytree(models_of(home), models_of(after_a_night), dirs_exist_ok=True)
    return after_a_night


def test_of_people_who_may_be_real_nobody_is_scored_before_a_model_is_promoted(of_real_people: Place, sound_night: SoundNight) -> None:
    assert len(model_ids(models_of(of_real_people))) == 3
    assert len(rows(of_real_people, "core/person")) > 1_500
    for contract in SCORE_TABLES:
        (of_real_people.store / contract / f"as_of={AS_OF}" / "part.parquet").unlink()
    verdict = scored(AS_OF)
    assert [len(rows(of_real_people, contract)) for contract in (*SCORE_TABLES, "risk/drift")] == [0, 0, 0, 0]
    assert (verdict.passed, verdict.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "no model is in use" in sound_night.ended.stdout


def test_people_who_may_be_real_are_not_taken_for_make_believe_where_the_key_is_forgotten(
    of_real_people: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training and the scorecard read the store alone: without the key, what it holds must still count as what it was taken in as, or be refused."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with contextlib.suppress(FullerError):
        assert not is_synthetic(NightSettings(as_of=AS_OF.isoformat()).tonight())


def red(metric: str, **other: Any) -> Any:
    """One row of risk/evaluation as a table: a red verdict on everybody."""
    import pyarrow as pa

    row = {"outcome": OUTCOME, "age_group": "adult", "model": "additive", "validation": "temporal", "subgroup_kind": "all", "subgroup": "all"}
    return pa.Table.from_pylist([row | {"metric": metric, "verdict": "red"} | other])


@pytest.mark.parametrize(
    ("table", "check", "severity"),
    [
        (red("auroc"), "no_leak", dg.AssetCheckSeverity.ERROR),
        (red("observed_over_expected"), "calibrated", dg.AssetCheckSeverity.WARN),
        (red("observed_over_expected", subgroup_kind="imd_quintile", subgroup="1"), "fair_by_quintile", dg.AssetCheckSeverity.WARN),
        (red("brier_difference_to_predecessor"), "no_worse_than_before", dg.AssetCheckSeverity.WARN),
    ],
)
def test_a_red_verdict_fails_its_check_and_no_other(table: Any, check: str, severity: dg.AssetCheckSeverity) -> None:
    results = {result.check_name: result for result in verdicts_of(table)}
    assert {name for name, result in results.items() if not result.passed} == {check}
    assert results[check].severity == severity
    assert f"1 red, 0 amber of 1 judged: {OUTCOME} adult additive" in (results[check].description or "")


def test_who_has_no_quintile_is_in_none_and_a_check_that_judged_nothing_says_so() -> None:
    table = red("observed_over_expected", subgroup_kind="imd_quintile", subgroup="not_recorded")
    results = {result.check_name: result for result in verdicts_of(table)}
    for result in results.values():
        assert result.passed
        assert result.severity == dg.AssetCheckSeverity.WARN
        assert result.description == "not judged: nothing to judge"
