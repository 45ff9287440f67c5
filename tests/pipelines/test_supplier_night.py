"""A whole night on extracts as EMIS and SystmOne send them: the same persons, features and lists as from our own layout."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from fuller_popheath.synthetic import write_landing
from tests.conftest import SMALL
from tests.pipelines.conftest import AS_OF, Place, SoundNight, make_place


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory, sound_night: SoundNight) -> dict[str, Place]:
    """The same make-believe people in both spellings, a night each under one key."""
    place = make_place(tmp_path_factory.mktemp("as_supplier") / "place", sound_night.kept.key)
    write_landing(place.landing, **SMALL, layout="as_supplier", workers=1)
    for ended in (sound_night.ended, place.run_night()):
        assert ended.returncode == 0, ended.stdout + ended.stderr
    return {"own": sound_night.kept, "as_supplier": place}


def stored(place: Place, contract: str) -> list[dict[str, object]]:
    return pq.read_table(place.store / contract / f"as_of={AS_OF}" / "part.parquet").to_pylist()


def test_every_practice_sent_in_its_own_system(nights: dict[str, Place]) -> None:
    used = {row["supplier"] for row in stored(nights["as_supplier"], "core/practice_extract") if row["contract_id"] == "inbound/clinical_event"}
    assert {"emis", "tpp"} <= used
    assert (nights["as_supplier"].products / "direct_care").is_dir()


def of_linked(place: Place, contract: str) -> dict[object, dict[str, object]]:
    """Rows by person, of people with an NHS number: the others go by their practice's own number, which each system writes in its own way."""
    linked = {row["person_id"] for row in stored(place, "core/person") if row["is_linked"]}
    return {row["person_id"]: row for row in stored(place, contract) if row["person_id"] in linked}


def suppliers_of(place: Place) -> dict[object, object]:
    """Each practice's clinical system."""
    lists = [row for row in stored(place, "core/practice_extract") if row["contract_id"] == "inbound/practice_list"]
    return {row["practice_code"]: row["supplier"] for row in lists}


def test_the_persons_are_the_same(nights: dict[str, Place]) -> None:
    own, supplied = (of_linked(nights[layout], "core/person") for layout in ("own", "as_supplier"))
    assert own.keys() == supplied.keys() and len(own) > 0.98 * SMALL["people"]
    for name in next(iter(own.values())).keys() - {"usual_gp_code"}:  # each system has its own word for a GP
        assert [row[name] for row in own.values()] == [row[name] for row in supplied.values()], name


@pytest.mark.parametrize("group", ["conditions", "frailty", "measurements", "medicines", "hospital"])
def test_what_is_known_about_them_is_the_same(nights: dict[str, Place], group: str) -> None:
    own, supplied = (of_linked(nights[layout], f"features/{group}") for layout in ("own", "as_supplier"))
    practice = {person: row["practice_code"] for person, row in of_linked(nights["own"], "core/person").items()}
    systems = suppliers_of(nights["as_supplier"])
    differ = {system: sum(own[p] != supplied[p] for p in own if systems[practice[p]] == system) for system in ("emis", "tpp")}
    # SystmOne has no mark for a confidential entry, so that a few which our own layout withholds come through it.
    assert differ["emis"] == 0 and differ["tpp"] < 0.01 * len(own)
