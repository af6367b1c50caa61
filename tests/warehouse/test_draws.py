from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from warehouse import publish as publishing
from warehouse.connection import open_warehouse
from warehouse.errors import CioError
from warehouse.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouse.home import Home


def drew(home: Home, build_id: str, day: int, **arms: str) -> None:
    """What a build leaves in its own table: who is in which arm."""
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(
            "create schema if not exists dev_operations;"
            "create or replace table dev_operations.assignment_draws (experiment_id text, "
            "person_id text, first_person_id text, arm text, known_at timestamp, "
            "drawn_at timestamp, build_id text)"
        )
        for person, arm in arms.items():
            connection.execute(
                "insert into dev_operations.assignment_draws values "
                "('e', $person || '-now', $person, $arm, null, $at, $build)",
                {
                    "person": person,
                    "arm": arm,
                    "at": f"2026-01-{day:02d} 10:00:00",
                    "build": build_id,
                },
            )


def landed(home: Home) -> list[tuple[object, ...]]:
    with open_warehouse(home, purpose="look") as connection:
        return connection.execute(
            "select landed.build_id, first_person_id, arm from raw_draws.assignments as landed "
            "inner join raw_draws._dlt_loads as loads on landed._dlt_load_id = loads.load_id "
            "where loads.status = 0 order by all"
        ).fetchall()


def landed_tables(home: Home) -> int:
    with open_warehouse(home, purpose="look") as connection:
        row = connection.execute(
            "select count(*) from duckdb_tables() where schema_name = 'raw_draws'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_each_published_build_lands_whom_it_drew_once(
    home: Home, record_build: Callable[..., None]
) -> None:
    drew(home, "b1", 1, ann="held_out", bob="sent")
    record_build("b1", 1)
    assert publish(home) is not None
    assert publish(home) is None
    drew(home, "b2", 2, cid="sent")
    record_build("b2", 2)
    assert publish(home) is not None
    assert landed(home) == [
        ("b1", "ann", "held_out"),
        ("b1", "bob", "sent"),
        ("b2", "cid", "sent"),
    ]


def test_a_draw_that_a_part_built_since_tells_again_is_landed_once_and_what_it_adds_too(
    home: Home, record_build: Callable[..., None]
) -> None:
    drew(home, "b1", 1, ann="held_out")
    record_build("b1", 1)
    publish(home)
    record_build("b2", 2)
    drew(home, "part", 2, ann="held_out", bob="sent")
    record_build("part", 2, is_whole=False)
    assert publish(home) is not None
    assert landed(home) == [("b1", "ann", "held_out"), ("part", "bob", "sent")]


def test_a_publisher_that_ends_after_landing_is_done_again_without_landing_twice(
    home: Home, record_build: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    drew(home, "b1", 1, ann="held_out")
    record_build("b1", 1)

    def end(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "copy_build", end)
        with pytest.raises(KeyboardInterrupt):
            publish(home)
    assert publish(home) is not None
    assert landed(home) == [("b1", "ann", "held_out")]


def test_a_load_that_fails_publishes_nothing_and_its_rows_count_once_when_done_again(
    home: Home, record_build: Callable[..., None]
) -> None:
    drew(home, "b1", 1, ann="held_out")
    record_build("b1", 1)
    with open_warehouse(home, purpose="break") as connection:
        connection.execute("alter table dev_operations.assignment_draws alter known_at type text")
        connection.execute("update dev_operations.assignment_draws set known_at = 'long ago'")
    with pytest.raises(CioError):
        publish(home)
    assert list(home.published.iterdir()) == []
    drew(home, "b1", 1, ann="held_out")
    assert publish(home) is not None
    assert landed(home) == [("b1", "ann", "held_out")]


def test_a_build_as_of_a_given_instant_and_one_that_drew_nobody_land_nothing(
    home: Home, record_build: Callable[..., None]
) -> None:
    drew(home, "b1", 1, ann="held_out")
    record_build("b1", 1, is_as_of_given=True)
    assert publish(home) is not None
    drew(home, "b2", 2)
    record_build("b2", 2)
    assert publish(home) is not None
    assert landed_tables(home) == 0
