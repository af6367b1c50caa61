from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from warehouse.connection import PublishedReader, open_warehouse, read_published
from warehouse.errors import CioError, WarehouseBusy
from warehouse.publish import published_files

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from warehouse.home import Home

    Held = Callable[[], AbstractContextManager[subprocess.Popen[str]]]


def build(home: Home, people: int) -> None:
    with open_warehouse(home, purpose="build") as connection:
        connection.execute("create schema if not exists dev_marts")
        connection.execute(
            "create or replace table dev_marts.people as select range as person_id from range(?)",
            [people],
        )


def test_reading_publishes_the_newest_build_and_names_its_tables(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home, 3)
    record_build("first", 1)
    with read_published(home) as published:
        assert published.build.build_id == "first"
        assert published.build.schema_prefix == "dev_"
        assert published.schema("marts") == "dev_marts"
        assert published.table("marts", "people") == "dev_marts.people"
        query = f"select count(*) from {published.table('marts', 'people')}"
        assert published.connection.execute(query).fetchone() == (3,)
        query = "select count(*) from warehouse.dev_marts.people"
        assert published.connection.execute(query).fetchone() == (3,)
        zone = published.connection.execute("select current_setting('TimeZone')").fetchone()
        assert zone == ("UTC",)
        with pytest.raises(duckdb.Error):
            published.connection.execute("delete from warehouse.dev_marts.people")

    build(home, 5)
    record_build("second", 2)
    with read_published(home) as published:
        assert published.build.build_id == "second"


def test_a_warehouse_in_use_is_not_waited_for(
    home: Home, record_build: Callable[..., None], held: Held
) -> None:
    build(home, 3)
    record_build("first", 1)
    with read_published(home):
        pass
    record_build("second", 2)
    with held(), read_published(home) as published:
        assert published.build.build_id == "first"


def test_a_reader_never_blocks_a_build_and_keeps_what_it_reads(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home, 3)
    record_build("b1", 1)
    with read_published(home) as old:
        for day in (2, 3, 4):
            build(home, 10 * day)
            record_build(f"b{day}", day)
            with read_published(home) as new:
                assert new.build.build_id == f"b{day}"
        assert len(published_files(home)) == 2
        assert old.path not in published_files(home)
        count = old.connection.execute("select count(*) from dev_marts.people").fetchone()
        assert count == (3,)


def test_nothing_built_says_to_build(home: Home, record_build: Callable[..., None]) -> None:
    with pytest.raises(CioError, match="cio build"), read_published(home):
        pass
    assert not home.warehouse.exists()
    record_build("failed", 1, is_passed=False)
    record_build("part", 2, is_whole=False)
    with pytest.raises(CioError, match="cio build"), read_published(home):
        pass


def test_nothing_published_and_a_warehouse_in_use_says_who_uses_it(home: Home, held: Held) -> None:
    with (
        held() as process,
        pytest.raises(WarehouseBusy, match=f"nothing is published yet.*PID {process.pid}"),
        read_published(home),
    ):
        pass


def test_a_published_file_that_is_damaged_is_named(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home, 3)
    record_build("first", 1)
    with read_published(home) as published:
        path = published.path
    path.write_text("damaged" * 1000)
    with pytest.raises(CioError, match=path.name), read_published(home):
        pass


def test_a_reader_opens_a_file_once_and_follows_what_is_published(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home, 3)
    record_build("first", 1)
    query = "select count(*) from dev_marts.people"
    with PublishedReader(home, {"memory_limit": "1GB"}) as reader:
        with reader.read() as first, reader.read() as again:
            first.connection.execute("create temp table mine as select 1")
            with pytest.raises(duckdb.CatalogException):
                again.connection.execute("from mine")
            limit = again.connection.execute("select current_setting('memory_limit')").fetchone()
            assert limit == ("953.6 MiB",)
            build(home, 5)
            record_build("second", 2)
            with reader.read() as same:
                assert same.build.build_id == "first"
            with reader.read(is_newest=True) as second:
                assert second.build.build_id == "second"
                assert second.connection.execute(query).fetchone() == (5,)
            # who reads the one before reads on
            assert again.connection.execute(query).fetchone() == (3,)
        with reader.read() as last:
            assert last.connection.execute(query).fetchone() == (5,)
