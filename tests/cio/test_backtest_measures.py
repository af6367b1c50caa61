"""What is measured of audiences looking back, on a few people made by hand."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from cio.backtest_measures import Backtest, Day, Measured, Overlap, Size, make_tables, measure
from warehouse.builds import Build

DAYS = ("2026-08-18T00:00:00", "2026-08-25T00:00:00", "2026-09-01T00:00:00")
BUILD = Build(
    build_id="b1",
    started_at=datetime(2026, 9, 9),  # noqa: DTZ001 - instants are naive UTC
    finished_at=None,
    as_of=None,
    is_as_of_given=False,
    target="prod",
    schema_prefix="",
    command="build",
    selection=None,
    is_whole=True,
    is_passed=True,
    models=1,
    failures=0,
)
WAREHOUSE = """
attach ':memory:' as warehouse;
create schema warehouse.marts;
create schema warehouse.intermediate;
create table warehouse.intermediate.int_feed_watermarks as
    select 'orders' as feed, timestamp '2026-09-01 00:00:00' as complete_through;
create table warehouse.marts.orders (person_id text, ordered_at timestamp, is_cancelled boolean);
"""
MEMBERS = """
insert into members values
    ('2026-08-18', 'a', 'leaves'), ('2026-08-18', 'a', 'stays'),
    ('2026-08-25', 'a', 'stays'), ('2026-08-25', 'a', 'enters'), ('2026-08-25', 'a', 'other'),
    ('2026-09-01', 'a', 'stays'), ('2026-09-01', 'a', 'enters'),
    ('2026-09-01', 'b', 'stays'), ('2026-09-01', 'b', 'alone'), ('2026-09-01', 'c', 'nobody_else')
"""


@pytest.fixture
def kept() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(WAREHOUSE)
    make_tables(connection)
    connection.execute(MEMBERS)
    return connection


def measured(kept: duckdb.DuckDBPyConnection, *days: str, names: tuple[str, ...]) -> Backtest:
    given = tuple(Day(day, None) for day in days)
    return measure(kept, BUILD, Measured(names=names, days=given, bought_days=7))


def sizes(kept: duckdb.DuckDBPyConnection, *days: str, name: str = "a") -> list[Size]:
    return list(measured(kept, *days, names=(name,)).sizes)


def test_who_entered_and_left_is_told_from_one_day_to_the_next(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    first, second, third = sizes(kept, *DAYS)
    assert (first.people, first.entered, first.left) == (2, None, None)
    assert (second.people, second.entered, second.left) == (3, 2, 1)
    assert (third.people, third.entered, third.left) == (2, 0, 1)


def test_weekly_churn_is_of_seven_days_whatever_the_step(kept: duckdb.DuckDBPyConnection) -> None:
    assert [one.weekly_churn_rate for one in sizes(kept, *DAYS)] == [None, 0.5, 1 / 3]
    two_weeks = sizes(kept, DAYS[0], DAYS[2])[1]
    assert (two_weeks.entered, two_weeks.left) == (1, 1)
    assert two_weeks.weekly_churn_rate is None


def test_a_day_on_which_nobody_was_in_it_is_a_size_of_none(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    first, _, last = sizes(kept, *DAYS, name="b")
    assert (first.people, first.bought_rate) == (0, None)
    # of nobody no share can leave
    assert (last.people, last.entered, last.weekly_churn_rate) == (2, 2, None)


@pytest.mark.parametrize(
    ("ordered_at", "share"),
    [
        ("2026-08-25 00:00:00", 0.0),
        ("2026-08-25 00:00:01", 1 / 3),
        ("2026-09-01 00:00:00", 1 / 3),
        ("2026-09-01 00:00:01", 0.0),
    ],
)
def test_bought_anyway_is_an_order_after_the_day_and_within_the_days_after(
    kept: duckdb.DuckDBPyConnection, ordered_at: str, share: float
) -> None:
    kept.execute(
        "insert into warehouse.marts.orders values ('stays', $at, false), ('stays', $at, false), "
        "('enters', $at, true), ('nobody', $at, false)",
        {"at": ordered_at},
    )
    assert sizes(kept, *DAYS)[1].bought_rate == pytest.approx(share)


def test_nobody_can_say_who_bought_before_orders_are_known_so_far(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    assert sizes(kept, *DAYS)[2].bought_rate is None


def test_overlaps_are_of_the_last_day_with_every_other_audience(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    assert measured(kept, *DAYS, names=("a",)).overlaps == (Overlap("a", "b", 1, 1 / 3),)
    both = measured(kept, *DAYS, names=("a", "b")).overlaps
    assert both == (Overlap("a", "b", 1, 1 / 3), Overlap("b", "a", 1, 1 / 3))


def test_counts_by_other_readings_of_opens_stand_beside_the_size(
    kept: duckdb.DuckDBPyConnection,
) -> None:
    kept.execute(
        "insert into counted values ('people_with_machine_opens', '2026-09-01', 'a', 5), "
        "('people_without_machine_opens', '2026-09-01', 'a', 1)"
    )
    second, third = sizes(kept, *DAYS[1:])
    assert second.people_with_machine_opens is None
    assert (third.people_with_machine_opens, third.people_without_machine_opens) == (5, 1)
