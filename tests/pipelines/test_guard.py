"""The errors that pandas and pyarrow raise of themselves hold the value they stumbled over; no byte that a run stores may."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fuller_popheath.errors import ContractBroken, FileRefused
from pipelines.guard import as_failure, guarded, redact_whatever_is_not_guarded
from tests.pipelines.conftest import Place

NHS_NUMBER = "9994237419"


def to_numeric() -> object:
    return pd.to_numeric(pd.Series(["1", f"x{NHS_NUMBER}"]))


def astype() -> object:
    return pd.Series([f"x{NHS_NUMBER}"]).astype("int64")


def arrow_cast() -> object:
    return pc.cast(pa.array([f"x{NHS_NUMBER}"]), pa.int64())


def arrow_schema() -> object:
    return pa.table({"nhs_number": [f"x{NHS_NUMBER}"]}).cast(pa.schema([("nhs_number", pa.int64())]))


def merge_validate() -> object:
    left = pd.DataFrame({"key": [NHS_NUMBER, NHS_NUMBER]})
    return left.merge(left, on="key", validate="one_to_one")


def loc() -> object:
    return pd.DataFrame({"n": [1]}, index=["a"]).loc[NHS_NUMBER]


def key_error_chain() -> object:
    try:
        return {}[NHS_NUMBER]
    except KeyError as missing:
        raise ValueError(f"nobody has {NHS_NUMBER}") from missing


def our_own_in_a_chain() -> object:
    try:
        return {}[NHS_NUMBER]
    except KeyError:
        raise FileRefused("list.csv: 1 row has no practice")  # noqa: B904 (the wrong way on purpose)


def failure_in_a_chain() -> object:
    try:
        return {}[NHS_NUMBER]
    except KeyError as missing:
        raise dg.Failure("one row is unknown") from missing


def warning() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.warn(f"could not read {NHS_NUMBER}", stacklevel=1)
    raise ValueError


ERRORS = (to_numeric, astype, arrow_cast, arrow_schema, merge_validate, loc, key_error_chain, our_own_in_a_chain, failure_in_a_chain, warning)


def run(asset: dg.AssetsDefinition, instance: dg.DagsterInstance, resources: dict[str, Any] | None = None) -> dg.ExecuteInProcessResult:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return dg.materialize([asset], instance=instance, resources=resources or {}, raise_on_error=False, run_config=quiet)


@pytest.mark.parametrize("error", ERRORS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("as_generator", [False, True], ids=["function", "generator"])
def test_no_value_of_an_error_is_stored(
    error: Callable[[], object], as_generator: bool, place: Place, instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    @guarded
    def step() -> object:
        return error()

    @guarded
    def steps() -> Iterator[dg.Output[int]]:
        error()
        yield dg.Output(1)

    result = run(dg.asset(name="step")(steps if as_generator else step), instance)
    assert not result.success
    failed = result.failure_data_for_node("step")
    assert failed is not None and failed.user_failure_data is not None and failed.user_failure_data.description
    searched = list(place.stored_bytes())
    assert any(path.suffix == ".db" for path, _ in searched)
    assert [path for path, content in searched if NHS_NUMBER.encode() in content] == []
    printed = capfd.readouterr()
    assert NHS_NUMBER not in printed.out + printed.err


def test_without_the_guard_the_same_error_is_stored(place: Place, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_REDACT_USER_CODE_ERRORS", raising=False)
    run(dg.asset(name="step")(to_numeric), instance)
    assert [path for path, content in place.stored_bytes() if NHS_NUMBER.encode() in content]


def test_the_second_line_masks_what_is_not_guarded(
    place: Place, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAGSTER_REDACT_USER_CODE_ERRORS", "0")
    redact_whatever_is_not_guarded()
    run(dg.asset(name="step")(to_numeric), instance)
    assert [path for path, content in place.stored_bytes() if NHS_NUMBER.encode() in content] == []
    assert NHS_NUMBER not in capfd.readouterr().err


def test_our_own_errors_keep_their_words() -> None:
    failure = as_failure(ContractBroken("core/person: sex.allowed: 3 rows"))
    assert failure.description == "core/person: sex.allowed: 3 rows"
    assert failure.metadata["error"].value == "ContractBroken"
    assert failure.allow_retries is False


def test_other_errors_are_known_by_kind_and_line() -> None:
    from pipelines.tonight import read_folder

    class Odd:
        folders = None

    with pytest.raises(dg.Failure) as caught:
        guarded(read_folder)(3, Odd())  # type: ignore[arg-type]
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert caught.value.description is not None
    assert caught.value.description.startswith("AttributeError at pipelines/tonight.py:")


def test_a_step_that_succeeds_is_left_alone() -> None:
    @guarded
    def three() -> Iterator[int]:
        yield from (1, 2, 3)

    assert list(three()) == [1, 2, 3]
    assert guarded(len)([1]) == 1
