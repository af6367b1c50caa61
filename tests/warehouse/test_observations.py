from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from warehouse import publish as publishing
from warehouse.connection import open_warehouse, read_published
from warehouse.definitions import checksum
from warehouse.errors import CioError
from warehouse.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouse.home import Home

SQL = "select person_id from {{ ref('orders') }}"


def saw(home: Home, build_id: str, day: int, **changes: str) -> None:
    """What a build leaves in its own tables: who changed, and how large the audience is."""
    rows = list(changes.items())
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(
            "create schema if not exists dev_operations;"
            "create or replace table dev_operations.audience_changes (audience text, "
            "person_id text, build_id text, version bigint, change text, observed_at timestamp);"
            "create or replace table dev_operations.audience_sizes (audience text, build_id text, "
            "version bigint, as_of timestamp, people bigint, entered_people bigint, "
            "left_people bigint)"
        )
        for person, change in rows:
            connection.execute(
                "insert into dev_operations.audience_changes values ('a', ?, ?, 3, ?, ?)",
                [person, build_id, change, f"2026-01-{day:02d} 10:00:00"],
            )
        counts = [sum(c == kind for _, c in rows) for kind in ("entered", "left")]
        connection.execute(
            "insert into dev_operations.audience_sizes values ('a', ?, 3, ?, 1, ?, ?)",
            [build_id, f"2026-01-{day:02d} 10:00:00", *counts],
        )


def landed(home: Home, table: str, columns: str) -> list[tuple[object, ...]]:
    with open_warehouse(home, purpose="look") as connection:
        return connection.execute(
            f"select {columns} from raw_audiences.{table} order by all"
        ).fetchall()


def landed_tables(home: Home) -> int:
    with open_warehouse(home, purpose="look") as connection:
        row = connection.execute(
            "select count(*) from duckdb_tables() where schema_name = 'raw_audiences'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def write_manifest(home: Home, *, invocation_id: str, version: int = 3) -> None:
    node = {
        "name": "a",
        "resource_type": "model",
        "raw_code": SQL,
        "config": {"meta": {"audience": {"version": version}}},
        "depends_on": {"macros": [], "nodes": []},
    }
    home.target.mkdir(exist_ok=True)
    (home.target / "manifest.json").write_text(
        json.dumps({"metadata": {"invocation_id": invocation_id}, "nodes": {"model.a": node}})
    )


def test_each_published_build_lands_what_changed_once(
    home: Home, record_build: Callable[..., None]
) -> None:
    saw(home, "b1", 1, ann="entered", bob="entered")
    record_build("b1", 1)
    assert publish(home) is not None
    assert publish(home) is None
    saw(home, "b2", 2, bob="left")
    record_build("b2", 2)
    with read_published(home) as published:
        assert published.build.build_id == "b2"
    assert landed(home, "observations", "build_id, person_id, change, version") == [
        ("b1", "ann", "entered", 3),
        ("b1", "bob", "entered", 3),
        ("b2", "bob", "left", 3),
    ]
    assert landed(home, "builds", "audience, build_id, people, entered_people, left_people") == [
        ("a", "b1", 1, 2, 0),
        ("a", "b2", 1, 0, 1),
    ]


def test_a_publisher_that_ends_after_landing_is_done_again_without_landing_twice(
    home: Home, record_build: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    saw(home, "b1", 1, ann="entered")
    record_build("b1", 1)

    def end(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "copy_build", end)
        with pytest.raises(KeyboardInterrupt):
            publish(home)
    assert publish(home) is not None
    assert landed(home, "observations", "build_id, person_id") == [("b1", "ann")]


def test_a_load_that_fails_publishes_nothing_and_its_rows_count_once_when_done_again(
    home: Home, record_build: Callable[..., None]
) -> None:
    saw(home, "b1", 1, ann="entered")
    record_build("b1", 1)
    with open_warehouse(home, purpose="break") as connection:
        connection.execute("alter table dev_operations.audience_sizes alter people type text")
        connection.execute("update dev_operations.audience_sizes set people = 'many'")
    with pytest.raises(CioError):
        publish(home)
    assert list(home.published.iterdir()) == []
    saw(home, "b1", 1, ann="entered")
    assert publish(home) is not None
    assert landed(home, "observations", "build_id, person_id") == [("b1", "ann")]


def test_a_build_as_of_a_given_instant_is_a_look_back_and_lands_nothing(
    home: Home, record_build: Callable[..., None]
) -> None:
    saw(home, "b1", 1, ann="entered")
    record_build("b1", 1, is_as_of_given=True)
    assert publish(home) is not None
    assert landed_tables(home) == 0


def test_tables_that_a_part_built_since_made_anew_are_no_observation_of_the_whole_build(
    home: Home, record_build: Callable[..., None]
) -> None:
    record_build("b1", 1)
    saw(home, "part", 2, ann="entered")
    record_build("part", 2, is_whole=False)
    assert publish(home) is not None
    assert landed_tables(home) == 0


@pytest.mark.parametrize(
    ("invocation_id", "version", "expected"),
    [("b1", 3, checksum(SQL, {})), ("a-later-parse", 3, None), ("b1", 4, None)],
)
def test_a_checksum_lands_where_the_builds_own_manifest_proves_it(
    home: Home,
    record_build: Callable[..., None],
    invocation_id: str,
    version: int,
    expected: str | None,
) -> None:
    saw(home, "b1", 1, ann="entered")
    record_build("b1", 1)
    write_manifest(home, invocation_id=invocation_id, version=version)
    publish(home)
    assert landed(home, "builds", "version, checksum") == [(3, expected)]
