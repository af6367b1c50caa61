"""A table of the warehouse as the source of a feed."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from tests.conftest import ROOT
from warehouse.connection import open_warehouse
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loaders.run import LoadReport
    from warehouse.home import Home

    Select = Callable[[str], list[tuple[object, ...]]]

COLUMNS = {"order_id": "number", "customer_id": "buyer.id", "ordered_at": "placed_at"}


def write(home: Home, *statements: str) -> None:
    with open_warehouse(home, purpose="test") as warehouse:
        for statement in statements:
            warehouse.execute(statement)


def run(home: Home) -> LoadReport:
    return load(home, "orders", [], table="shop.orders", columns=COLUMNS)


@pytest.fixture
def shop(home: Home) -> Home:
    write(
        home,
        "create schema shop",
        "create table shop.orders (number integer, buyer struct(id varchar), placed_at timestamptz,"
        " total_amount decimal(10, 2), is_cancelled boolean, updated_at timestamp)",
        "insert into shop.orders values "
        "(1, {'id': 'a'}, '2026-01-01 10:00:00+00', 5.10, false, '2026-01-01'), "
        "(2, {'id': 'b'}, '2026-01-02 10:00:00+00', 6, false, '2026-01-02'), "
        "(3, {'id': 'c'}, null, 7, false, '2026-01-02')",
    )
    return home


def test_a_table_lands_what_is_new_or_changed_and_nothing_twice(shop: Home, select: Select) -> None:
    first = run(shop)
    assert (first.loaded, first.duplicates, first.quarantined) == (2, 0, 1)
    assert select(
        "select order_id, customer_id, cast(ordered_at as varchar), total_amount, source_file "
        "from raw_commerce.orders order by 1"
    ) == [
        ("1", "a", "2026-01-01 10:00:00", Decimal("5.1000"), "table shop.orders"),
        ("2", "b", "2026-01-02 10:00:00", Decimal("6.0000"), "table shop.orders"),
    ]
    loads = "select count(*) from raw_commerce.feed_loads"
    before = select(loads)
    again = run(shop)
    assert (again.loaded, again.duplicates, again.quarantined) == (0, 0, 0)
    assert select(loads) == before, "a run that finds nothing new leaves no load"
    write(
        shop,
        "update shop.orders set is_cancelled = true, updated_at = '2026-01-05' where number = 2",
        "update shop.orders set placed_at = '2026-01-03 10:00:00+00' where number = 3",
        "insert into shop.orders values (4, null, '2026-01-04', 8, false, null)",
    )
    later = run(shop)
    assert (later.loaded, later.quarantined) == (2, 1)
    assert later.reasons == {"customer_id, email, cio_id are all empty": 1}
    assert select("select order_id, count(*) from raw_commerce.orders group by 1 order by 1") == [
        ("1", 1),
        ("2", 2),
        ("3", 1),
    ]


def test_a_load_that_never_completed_is_landed_again(shop: Home, select: Select) -> None:
    run(shop)
    write(shop, "update raw_commerce._dlt_loads set status = 1")
    assert run(shop).loaded == 2
    assert select("select count(*) from raw_commerce.orders") == [(2,)]


def test_the_table_and_its_columns_may_be_settings(
    shop: Home, select: Select, tmp_path: Path
) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text(
        '[loaders.orders]\ntable = "shop.orders"\n[loaders.orders.columns]\n'
        + "".join(f'{target} = "{source}"\n' for target, source in COLUMNS.items())
    )
    # a process of its own, for dlt reads its settings once
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CIO_HOME": str(shop.root)}
    subprocess.run(
        [sys.executable, "-m", "loaders", "orders"], cwd=tmp_path, env=environment, check=True
    )
    assert select("select count(*) from raw_commerce.orders") == [(2,)]


@pytest.mark.parametrize(
    ("feed", "table", "message"),
    [
        ("orders", "orders", "write schema.table"),
        ("orders", "shop.nothing", "there is no table shop.nothing in the warehouse"),
        ("orders", "raw_commerce.orders", "raw_commerce is where orders lands"),
        ("refunds", "shop.orders", "table shop.orders lacks the column refund_id"),
        ("webhooks", "shop.orders", "webhooks is not loaded from a table"),
    ],
)
def test_a_table_that_cannot_be_the_source_is_explained(
    shop: Home, feed: str, table: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load(shop, feed, [], table=table)


def test_files_and_a_table_are_loaded_one_at_a_time(shop: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one at a time"):
        load(shop, "orders", [str(tmp_path)], table="shop.orders")
