from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from warehouse.connection import open_warehouse, read_published
from warehouse.publish import publish, published_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouse.home import Home

PAYLOAD = "payload-that-must-stay-in-the-house"


def build(home: Home) -> None:
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(
            f"""
            create schema raw_customerio;
            create table raw_customerio.webhook_events as
                select '{PAYLOAD}' as payload;
            create schema raw_reverse_etl;
            create table raw_reverse_etl.runs as select 'run' as run_id;
            create schema dev_staging;
            create view dev_staging.events as select * from raw_customerio.webhook_events;
            create schema dev_intermediate;
            create view dev_intermediate.raw_again as select * from dev_staging.events;
            create schema dev_marts;
            create table dev_marts.people as select 1 as person_id;
            create table dev_marts.orders as select 2 as order_id;
            create view dev_marts.z_first as select person_id from warehouse.dev_marts.people;
            create view dev_marts.a_second as select * from "warehouse"."dev_marts"."z_first";
            create view dev_marts.counted as select count(*) as events from dev_staging.events;
            create schema dev_as_of_20260101t000000_marts;
            create table dev_as_of_20260101t000000_marts.people as select 9 as person_id;
            create schema marts;
            create table marts.people as select 8 as person_id;
            """
        )


def relations(home: Home) -> list[tuple[str, str]]:
    with read_published(home) as published:
        return published.connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_catalog = 'warehouse' order by 1, 2"
        ).fetchall()


def test_a_build_is_published_without_staging_raw_tables_or_other_builds(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home)
    record_build("b1", 1)
    path = publish(home)
    assert path == home.published / "20260101T100000-b1.duckdb"
    assert relations(home) == [
        ("dev_marts", "a_second"),
        ("dev_marts", "counted"),
        ("dev_marts", "orders"),
        ("dev_marts", "people"),
        ("dev_marts", "z_first"),
        ("raw_dbt", "builds"),
        ("raw_reverse_etl", "runs"),
    ]
    # one row is too few to be compressed: the warehouse holds the payload in plain bytes,
    # or its absence below would say nothing
    assert PAYLOAD.encode() in home.warehouse.read_bytes()
    assert PAYLOAD.encode() not in path.read_bytes()


def test_views_are_views_where_they_read_what_is_published_else_their_rows(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home)
    record_build("b1", 1)
    publish(home)
    with read_published(home) as published:
        kinds = dict(
            published.connection.execute(
                "select table_name, table_type from information_schema.tables "
                "where table_schema = 'dev_marts'"
            ).fetchall()
        )
        second = published.connection.execute("from dev_marts.a_second").fetchall()
        counted = published.connection.execute("from dev_marts.counted").fetchall()
    assert (kinds["a_second"], kinds["z_first"], kinds["counted"]) == ("VIEW", "VIEW", "BASE TABLE")
    assert (second, counted) == ([(1,)], [(1,)])


def test_of_the_intermediate_layer_only_what_views_read_is_published(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home)
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(
            """
            create table dev_intermediate.steps as select 1 as step;
            create table dev_intermediate.read as select 5 as step;
            create view dev_intermediate."half way" as from "warehouse"."dev_intermediate"."read";
            create view dev_marts.final as
                with one as (select * from dev_intermediate."half way") select * from one;
            """
        )
    record_build("b1", 1)
    publish(home)
    between = [name for schema, name in relations(home) if schema == "dev_intermediate"]
    assert between == ["half way", "read"]
    with read_published(home) as published:
        assert published.connection.execute("from dev_marts.final").fetchall() == [(5,)]


def test_of_a_view_that_duckdb_cannot_read_back_the_rows_are_published(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home)
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(
            """
            create table dev_marts.one as select 1 as a;
            create view dev_marts.crossed as
                select one.a, other.a as b, third.a as c
                from dev_marts.one as one
                cross join dev_marts.one as other
                left join dev_marts.one as third on one.a = third.a and other.a = third.a;
            """
        )
    record_build("b1", 1)
    publish(home)
    with read_published(home) as published:
        assert published.connection.execute("from dev_marts.crossed").fetchall() == [(1, 1, 1)]


def test_production_has_no_prefix_and_takes_only_its_own_schemas(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home)
    record_build("b1", 1, target="prod", schema_prefix="")
    publish(home)
    assert relations(home) == [
        ("marts", "people"),
        ("raw_dbt", "builds"),
        ("raw_reverse_etl", "runs"),
    ]


def test_only_the_newest_whole_build_that_passed_is_published_and_once(
    home: Home, record_build: Callable[..., None]
) -> None:
    assert publish(home) is None
    build(home)
    assert publish(home) is None
    record_build("b1", 1)
    record_build("b2", 2)
    record_build("b3", 3, is_passed=False)
    record_build("b4", 4, is_whole=False)
    path = publish(home)
    assert path is not None
    assert path.name == "20260102T100000-b2.duckdb"
    assert publish(home) is None


def test_what_a_killed_publisher_left_is_removed_and_old_files_too(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home)
    left = home.published / ".tmp-20260101T100000-b0.duckdb"
    with duckdb.connect(left) as connection:
        connection.execute("create table half (a int)")
    for day in (1, 2, 3):
        record_build(f"b{day}", day)
        publish(home)
    names = [path.name for path in published_files(home)]
    assert names == ["20260103T100000-b3.duckdb", "20260102T100000-b2.duckdb"]
    assert sorted(path.name for path in home.published.iterdir()) == sorted(names)


def test_a_build_id_cannot_lead_out_of_the_folder(
    home: Home, record_build: Callable[..., None]
) -> None:
    build(home)
    record_build("../../etc/b 1", 1)
    path = publish(home)
    assert path is not None
    assert path.parent == home.published
    assert path.exists()
