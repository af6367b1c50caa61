"""Whatever a file started from, it ends as one that was written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse import published_file
from warehouse.connection import open_warehouse, read_published
from warehouse.publish import publish, publish_whole_next

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home


@pytest.fixture(autouse=True)
def every_table_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_file, "COMPARED_ROWS", 1)


def run(home: Home, sql: str) -> None:
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(sql)


def read(home: Home, query: str) -> list[tuple[object, ...]]:
    with read_published(home) as published:
        return published.connection.execute(query).fetchall()


def test_rows_that_are_new_gone_or_changed_are_told_by_difference(
    home: Home, record_build: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(
        home,
        """
        create schema raw_reverse_etl;
        create schema dev_marts;
        create table dev_marts.people as
            select range as person_id, 'name ' || range as name from range(1000);
        create table dev_marts.goes as select 1 as a;
        create view dev_marts.names as select name from dev_marts.people;
        """,
    )
    record_build("b1", 1)
    publish(home)
    run(
        home,
        """
        delete from dev_marts.people where person_id < 10;
        update dev_marts.people set name = 'another' where person_id = 500;
        insert into dev_marts.people values (5000, null);
        drop table dev_marts.goes;
        create table dev_marts.comes as select 2 as b;
        drop view dev_marts.names;
        create view dev_marts.names as select upper(name) as name from dev_marts.people;
        """,
    )
    record_build("b2", 2)
    written = []
    told = published_file.is_told_by_difference
    monkeypatch.setattr(
        published_file,
        "is_told_by_difference",
        lambda connection, rows: written.append((rows, told(connection, rows))) or written[-1][1],
    )
    publish(home)
    assert (991, True) in written
    assert read(home, "select count(*), count(name), sum(person_id) from dev_marts.people") == [
        (991, 990, sum(range(10, 1000)) + 5000)
    ]
    assert read(home, "select name from dev_marts.names where name like 'AN%'") == [("ANOTHER",)]
    assert read(
        home, "select table_name from duckdb_tables() where schema_name = 'dev_marts' order by 1"
    ) == [("comes",), ("people",)]


@pytest.mark.parametrize(
    "change",
    [
        "alter table dev_marts.people add column age int",
        "alter table dev_marts.people alter person_id type varchar",
        "create or replace table dev_marts.people as select 'x' as name, 1 as person_id",
        "drop table dev_marts.people; create view dev_marts.people as select 3 as person_id",
        "delete from dev_marts.people",
        "update dev_marts.people set name = 'all of them'",
    ],
)
def test_a_table_that_became_another_is_that_other(
    home: Home, record_build: Callable[..., None], change: str
) -> None:
    run(
        home,
        """
        create schema raw_reverse_etl;
        create schema dev_marts;
        create table dev_marts.people as select range as person_id, 'name' as name from range(99);
        """,
    )
    record_build("b1", 1)
    publish(home)
    run(home, change)
    record_build("b2", 2)
    publish(home)
    with open_warehouse(home, purpose="look") as connection:
        wanted = connection.execute("from dev_marts.people order by all")
        columns, rows = wanted.description, wanted.fetchall()
    with read_published(home) as published:
        found = published.connection.execute("from dev_marts.people order by all")
        assert (found.description, found.fetchall()) == (columns, rows)


ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None])), max_size=12)


@given(before=ROWS, after=ROWS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_rows_that_are_there_several_times_are_there_as_often(
    before: list[tuple[int, str | None]], after: list[tuple[int, str | None]]
) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "attach ':memory:' as warehouse; attach ':memory:' as published;"
            "create table warehouse.main.t (a int, b varchar);"
            "create table published.main.t (a int, b varchar)"
        )
        for database, rows in (("warehouse", after), ("published", before)):
            if rows:
                values = ", ".join(f"({a}, {'null' if b is None else repr(b)})" for a, b in rows)
                connection.execute(f"insert into {database}.main.t values {values}")
        published_file.copy_rows(connection, published_file.Relation("main", "t", None))
        found = connection.execute("from published.main.t order by all").fetchall()
        assert found == connection.execute("from warehouse.main.t order by all").fetchall()


def test_a_file_that_cannot_be_read_or_is_mostly_free_space_is_not_added_to(
    home: Home, record_build: Callable[..., None]
) -> None:
    run(
        home,
        """
        create schema raw_reverse_etl;
        create schema dev_marts;
        create table dev_marts.people as
            select range as person_id, md5(range::text) as name from range(200000);
        """,
    )
    record_build("b1", 1)
    path = publish(home)
    assert path is not None
    path.write_bytes(b"not a warehouse")
    record_build("b2", 2)
    path = publish(home)
    assert path is not None
    assert read(home, "select count(*) from dev_marts.people") == [(200_000,)]
    whole = path.stat().st_size
    with duckdb.connect(path) as connection:
        connection.execute("create table more as from dev_marts.people, range(4)")
        # what lies behind it keeps the file from being cut short
        connection.execute("create table last as from dev_marts.people")
        connection.execute("drop table more")
        connection.execute("checkpoint")
    assert path.stat().st_size > 2 * whole
    record_build("b3", 3)
    path = publish(home)
    assert path is not None
    assert path.stat().st_size < 1.5 * whole


def test_whoever_erases_has_the_next_file_written_whole(
    home: Home, record_build: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(home, "create schema raw_reverse_etl; create table raw_reverse_etl.runs as select 1 as a")
    copy_build = published_file.copy_build
    started_from = []

    def copy(*given: object, earlier: Path | None) -> None:
        started_from.append(earlier)
        copy_build(*given, earlier=earlier)

    monkeypatch.setattr("warehouse.publish.copy_build", copy)
    paths = []
    for day in (1, 2, 3, 4):
        if day == 3:
            publish_whole_next(home)
        record_build(f"b{day}", day)
        paths.append(publish(home))
    assert started_from == [None, paths[0], None, paths[2]]
