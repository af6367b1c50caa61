from __future__ import annotations

import errno
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from dlt.common.configuration import resolve
from dlt.common.configuration.providers import environ
from dlt.common.configuration.specs.base_configuration import is_secret_hint
from dlt.common.typing import TSecretStrValue
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from warehouse.connection import open_warehouse
from warehouse.errors import CioError, UsageError
from warehouse.land import land

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warehouse.home import Home
    from warehouse.raw_tables import Column, Columns

NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - raw instants are naive UTC

ORDERS: dict[str, Column] = {
    "order_id": {"data_type": "text"},
    "ordered_at": {"data_type": "timestamp", "timezone": False},
    "amount": {"data_type": "decimal", "precision": 18, "scale": 4},
    "is_paid": {"data_type": "bool"},
    "lines": {"data_type": "bigint"},
    "original": {"data_type": "binary"},
}
COLUMNS: dict[str, Columns] = {"orders": ORDERS, "notes": {"note": {"data_type": "text"}}}


def orders(*ids: str) -> pa.Table:
    return pa.table(
        {
            "order_id": list(ids),
            "ordered_at": pa.array([NOON] * len(ids), pa.timestamp("us")),
        }
    )


def select(home: Home, sql: str) -> list[tuple[object, ...]]:
    with open_warehouse(home, purpose="look") as connection:
        return connection.execute(sql).fetchall()


def test_a_load_lands_all_its_tables_in_the_declared_types(home: Home) -> None:
    row = {
        "order_id": "a",
        "ordered_at": NOON,
        "amount": Decimal("12.5"),
        "is_paid": True,
        "lines": 3,
        "original": b"\xff",
    }
    info = land(
        home,
        "raw_test",
        {
            "orders": [pa.Table.from_pylist([row]), orders("b")],
            "notes": [pa.table({"note": ["n"]})],
        },
        COLUMNS,
        purpose="load test",
    )
    assert info.rows == {"orders": 2, "notes": 1}
    assert select(home, "from raw_test.orders order by 1") == [
        ("a", NOON, Decimal("12.5000"), True, 3, b"\xff", info.load_id),
        ("b", NOON, None, None, None, None, info.load_id),
    ]
    assert select(home, "select load_id, status from raw_test._dlt_loads") == [(info.load_id, 0)]
    types = select(
        home,
        "select column_name, data_type from information_schema.columns "
        "where table_schema = 'raw_test' and table_name = 'orders' order by ordinal_position",
    )
    assert types == [
        ("order_id", "VARCHAR"),
        ("ordered_at", "TIMESTAMP"),
        ("amount", "DECIMAL(18,4)"),
        ("is_paid", "BOOLEAN"),
        ("lines", "BIGINT"),
        ("original", "BLOB"),
        ("_dlt_load_id", "VARCHAR"),
    ]


def test_a_load_goes_into_tables_that_a_build_made_empty(home: Home) -> None:
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(
            "create schema raw_test; "
            "create table raw_test.orders (order_id text, ordered_at timestamp, "
            "amount decimal(18,4), is_paid boolean, lines bigint, original blob, "
            "_dlt_load_id text); "
            "create table raw_test._dlt_loads (load_id text, schema_name text, status bigint, "
            "inserted_at timestamptz, schema_version_hash text)"
        )
    info = land(home, "raw_test", {"orders": [orders("a")]}, COLUMNS, purpose="load test")
    assert select(home, "select order_id, _dlt_load_id from raw_test.orders") == [
        ("a", info.load_id)
    ]
    assert select(home, "select load_id from raw_test._dlt_loads") == [(info.load_id,)]


def test_a_newly_declared_column_is_added_and_a_dropped_table_made_again(home: Home) -> None:
    land(home, "raw_test", {"orders": [orders("a")]}, COLUMNS, purpose="load test")
    wider: dict[str, Columns] = {**COLUMNS, "orders": {**ORDERS, "currency": {"data_type": "text"}}}
    batch = orders("b").append_column("currency", pa.array(["EUR"]))
    land(home, "raw_test", {"orders": [batch]}, wider, purpose="load test")
    assert select(home, "select order_id, currency from raw_test.orders order by 1") == [
        ("a", None),
        ("b", "EUR"),
    ]
    with open_warehouse(home, purpose="drop") as connection:
        connection.execute("drop table raw_test.orders")
    land(home, "raw_test", {"orders": [batch]}, wider, purpose="load test")
    assert select(home, "select order_id from raw_test.orders") == [("b",)]


def test_a_load_takes_a_type_apart_once_to_see_whether_it_is_a_secret(home: Home) -> None:
    for kind in (int, TSecretStrValue, DuckDbCredentials):
        assert {vars(asking)["is_secret_hint"](kind) for asking in (resolve, environ)} == {
            is_secret_hint(kind)
        }
    asked = vars(resolve)["is_secret_hint"]
    before = asked.cache_info()
    land(home, "raw_commerce", {"orders": [pa.table({"order_id": ["a"]})]}, COLUMNS, purpose="p")
    after = asked.cache_info()
    assert after.hits - before.hits > 200
    assert after.misses - before.misses < 40


def test_rows_of_a_load_that_never_completed_are_removed(home: Home) -> None:
    first = land(home, "raw_test", {"orders": [orders("a")]}, COLUMNS, purpose="load test")
    with open_warehouse(home, purpose="leave rows") as connection:
        connection.execute("insert into raw_test.orders (order_id, _dlt_load_id) values ('x', '1')")
    second = land(home, "raw_test", {"notes": [pa.table({"note": ["n"]})]}, COLUMNS, purpose="t")
    assert select(home, "select order_id, _dlt_load_id from raw_test.orders") == [
        ("a", first.load_id)
    ]
    assert first.load_id != second.load_id


def test_a_warehouse_that_the_caller_opened_is_used_and_left_as_it_was(home: Home) -> None:
    with open_warehouse(home, purpose="test") as connection:
        query = (
            "select current_setting('memory_limit'), current_setting('preserve_insertion_order'), "
            "current_setting('TimeZone')"
        )
        before = connection.execute(query).fetchone()
        land(connection, "raw_test", [("orders", orders("a"))], COLUMNS, purpose="load test")
        assert connection.execute(query).fetchone() == before
        assert connection.execute("select count(*) from raw_test.orders").fetchone() == (1,)
    assert list(home.dlt.iterdir()) == []


def test_batches_are_taken_one_at_a_time_in_their_order(home: Home) -> None:
    alive: list[str] = []

    def pairs() -> Iterator[tuple[str, pa.Table]]:
        for number in range(3):
            alive.append(f"order {number}")
            yield "orders", orders(str(number))
            yield "notes", pa.table({"note": [", ".join(alive)]})

    info = land(home, "raw_test", pairs(), COLUMNS, purpose="load test")
    assert info.rows == {"orders": 3, "notes": 3}
    notes = select(home, "select note from raw_test.notes order by length(note)")
    assert notes == [("order 0",), ("order 0, order 1",), ("order 0, order 1, order 2",)]


def test_nothing_to_land_is_no_load(home: Home) -> None:
    info = land(home, "raw_test", {"orders": [orders()]}, COLUMNS, purpose="load test")
    assert (info.load_id, dict(info.rows)) == ("", {})
    assert select(home, "from raw_test._dlt_loads") == []


def failing(error: Exception) -> Iterator[tuple[str, pa.Table]]:
    yield "orders", orders("a")
    raise error


def test_a_full_disk_says_so_and_nothing_counts(home: Home) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(CioError, match="cannot load test: the disk is full"):
        land(home, "raw_test", failing(full), COLUMNS, purpose="load test")
    assert select(home, "from raw_test.orders") == []
    assert list(home.dlt.iterdir()) == []


def test_an_error_of_ours_comes_through_as_it_is(home: Home) -> None:
    with pytest.raises(UsageError, match=r"^a column is missing$"):
        land(home, "raw_test", failing(UsageError("a column is missing")), COLUMNS, purpose="t")


def test_another_failure_is_told_with_its_cause(home: Home) -> None:
    with pytest.raises(CioError, match="cannot load test: ValueError: no such thing"):
        land(home, "raw_test", failing(ValueError("no such thing")), COLUMNS, purpose="load test")


def test_a_column_that_is_not_declared_is_refused(home: Home) -> None:
    batch = orders("a").append_column("surprise", pa.array(["x"]))
    with pytest.raises(CioError, match="not declared: surprise"):
        land(home, "raw_test", {"orders": [batch]}, COLUMNS, purpose="load test")


IN_AUCKLAND = """
import sys
from datetime import datetime
from pathlib import Path
import pyarrow as pa
from warehouse.home import Home
from warehouse.land import land
columns = {"t": {"at": {"data_type": "timestamp", "timezone": False}}}
batch = pa.table({"at": pa.array([datetime(2026, 1, 1, 12)], pa.timestamp("us"))})
land(Home(Path(sys.argv[1])), "raw_test", {"t": [batch]}, columns, purpose="load test")
"""


def test_instants_are_utc_whatever_the_zone_of_the_machine(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    subprocess.run([sys.executable, "-c", IN_AUCKLAND, str(home.root)], check=True)
    rows = select(
        home,
        'select "at", typeof("at"), abs(epoch(now() - inserted_at)) < 600 '
        "from raw_test.t cross join raw_test._dlt_loads",
    )
    assert rows == [(NOON, "TIMESTAMP", True)]
