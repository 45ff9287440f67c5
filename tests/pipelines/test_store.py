"""The store takes a table whole or not at all, never one that breaks its contract or identifies people, and tells what it holds."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.contracts import Contract, empty_table, load_contract, without_identifiers
from fuller_popheath.errors import ContractBroken, InputMissing
from pipelines import stores
from pipelines.stores import Store, checked_on_arrival, content_hash, prove

DAY, NEXT_DAY = date(2026, 8, 1), date(2026, 8, 2)
COUNTS = load_contract("core/registered_count")
LISTS = load_contract("inbound/practice_list")


def counts(count: int = 10, day: date = DAY) -> pa.Table:
    row = {
        "as_of": day,
        "practice_code": "Y90013",
        "practice_name": "A PRACTICE",
        "lsoa_code": "E01000001",
        "registered_count": count,
        "registrations_extract": day,
    }
    return pa.Table.from_pylist([row], schema=COUNTS.schema)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", tmp_path / "products")


def test_a_table_comes_back_as_it_went_in(store: Store, tmp_path: Path) -> None:
    path = store.write(prove(counts(), COUNTS), DAY, tmp_path)
    assert path == tmp_path / "store" / "core" / "registered_count" / "as_of=2026-08-01" / "part.parquet"
    assert store.read(COUNTS.id, DAY).to_pylist() == counts().to_pylist()
    assert store.days(COUNTS.id) == (DAY,)
    assert path.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in path.parent.iterdir()] == ["part.parquet"]


def test_a_day_that_is_not_there_is_named_with_those_that_are(store: Store, tmp_path: Path) -> None:
    store.write(prove(counts(), COUNTS), DAY, tmp_path)
    with pytest.raises(InputMissing, match=r"core/registered_count is not in the store for 2026-08-02 \(it is there for 2026-08-01\)"):
        store.read(COUNTS.id, NEXT_DAY)


def test_what_breaks_its_contract_is_refused(store: Store) -> None:
    with pytest.raises(ContractBroken, match="registered_count"):
        prove(counts(-1), COUNTS)


def test_a_writer_that_dies_leaves_the_good_table(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store.write(prove(counts(10), COUNTS), DAY, tmp_path)
    good = path.read_bytes()

    def dies(table: pa.Table, where: Path) -> None:
        where.write_bytes(b"half a fi")
        raise OSError("no space left on device")

    monkeypatch.setattr(stores, "write_parquet", dies)
    with pytest.raises(OSError, match="no space"):
        store.write(prove(counts(20), COUNTS), DAY, tmp_path)
    assert path.read_bytes() == good
    assert [p.name for p in path.parent.iterdir()] == ["part.parquet"]


def test_identifiers_are_refused_and_sensitive_tables_are_the_owners_only(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="nhs_number, patient_id, postcode identifies people"):
        checked_on_arrival(empty_table(LISTS), LISTS)
    with pytest.raises(ContractBroken, match="other columns or types"):
        checked_on_arrival(without_identifiers(empty_table(LISTS), LISTS).drop_columns(["sex"]), LISTS)
    path = store.write(checked_on_arrival(without_identifiers(empty_table(LISTS), LISTS), LISTS), DAY, tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "nhs_number" not in pq.read_schema(path).names


def test_what_was_left_out_comes_back_empty() -> None:
    stored = without_identifiers(empty_table(LISTS), LISTS)
    assert stores.with_columns_of(stored, LISTS).schema.equals(LISTS.schema)


def test_last_good_is_of_the_same_landing_folder_and_not_after_the_day(store: Store, tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    store.write(prove(counts(10), COUNTS), DAY, here)
    store.write(prove(counts(20, NEXT_DAY), COUNTS), NEXT_DAY, elsewhere)
    found = store.last_good(COUNTS.id, NEXT_DAY, here)
    assert found is not None
    assert found[0] == DAY and found[1]["registered_count"].to_pylist() == [10]
    assert store.last_good(COUNTS.id, DAY, elsewhere) is None
    assert store.before(COUNTS.id, NEXT_DAY) == DAY and store.before(COUNTS.id, DAY) is None


def test_boundaries_are_geoparquet(store: Store, tmp_path: Path) -> None:
    import geopandas as gpd
    from shapely.geometry import box

    contract = load_contract("reference/lsoa_boundary")
    row = {"lsoa_vintage": "2021", "lsoa_code": "E01000001", "lsoa_name": None, "geometry": box(-0.1, 51.5, 0.0, 51.6).wkb}
    path = store.write(prove(pa.Table.from_pylist([row], schema=contract.schema), contract), DAY, tmp_path)
    shapes = gpd.read_parquet(path)
    assert shapes.crs is not None and shapes.crs.to_authority() == ("OGC", "CRS84")
    assert shapes.geometry.iloc[0].bounds == (-0.1, 51.5, 0.0, 51.6)


def test_content_hash_is_of_the_content_alone() -> None:
    one = pa.table({"a": pa.array([1, None, 3]), "b": pa.array(["x", "y", None]), "c": pa.array([True, None, False])})
    chunked = pa.concat_tables([one.slice(0, 1), one.slice(1)])
    sliced = pa.concat_tables([pa.table({"a": pa.array([9]), "b": pa.array(["z"]), "c": pa.array([True])}), one]).combine_chunks().slice(1)
    assert content_hash(one) == content_hash(chunked) == content_hash(sliced)
    other = [
        pa.table({"a": pa.array([1, 0, 3]), "b": one["b"], "c": one["c"]}),
        pa.table({"a": pa.array([None, 1, 3]), "b": one["b"], "c": one["c"]}),
        one.rename_columns(["a", "b", "d"]),
        one.take(pa.array([1, 0, 2])),
        pa.table({"a": one["a"], "b": one["b"], "c": pa.array([True, None, True])}),
        pa.table({"a": one["a"].cast(pa.int32()), "b": one["b"], "c": one["c"]}),
    ]
    assert len({content_hash(table) for table in [one, *other]}) == 7


def product_of(purpose: str, table: pa.Table) -> tuple[Contract, pa.Table]:
    """A contract of a product of this purpose, by its own word without any identifier, and a table of its shape."""
    columns = tuple(dataclasses.replace(COUNTS.columns[1], name=name, classification="open") for name in table.column_names)
    return dataclasses.replace(COUNTS, id="products/planted", purpose=purpose, columns=columns), table


@pytest.mark.parametrize("purpose", ["open", "secondary_use"])
@pytest.mark.parametrize("column", ["person_id", "nhs_number"])
def test_a_product_for_others_has_no_column_of_single_people_whatever_its_contract_says(purpose: str, column: str) -> None:
    contract, table = product_of(purpose, pa.table({column: ["abcdefghijkl"], "practice_code": ["Y90013"]}))
    with pytest.raises(ContractBroken, match=f"{column} tells of single people") as refused:
        stores.refuse_identifiers(table, contract)
    assert "abcdefghijkl" not in str(refused.value)


def test_nor_has_it_an_nhs_number_under_another_name() -> None:
    # 943 476 5919: the NHS Data Dictionary's own example passes Modulus 11.
    for values in (pa.array(["9434765919", "x"]), pa.array([9434765919, 5])):
        contract, table = product_of("secondary_use", pa.table({"label": values}))
        with pytest.raises(ContractBroken, match="1 different values of label are NHS numbers") as refused:
            stores.refuse_identifiers(table, contract)
        assert "9434765919" not in str(refused.value)
    stores.refuse_identifiers(*reversed(product_of("direct_care", pa.table({"person_id": ["abcdefghijkl"]}))))
