"""What a plan says beside its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.estimate import duration, notes
from reverse_etl.run import plan_syncs

from .world import World, member

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.run import Room


def test_a_plan_counts_its_calls_and_the_time_they_take(
    world: World, room: Callable[..., Room]
) -> None:
    slow = {"records_per_request": 4, "records_per_second": 2}
    world.declare_members(settings=slow)
    world.build(members=[member(n) for n in range(9)])
    gone = [{"row": member(n), "operation": "add"} for n in range(9, 14)]
    world.receive("members", "20260101T000000000000-a", *gone)
    (plan,) = plan_syncs(room())
    # three to add nine, two to remove five: what is added and removed shares no request
    assert (plan.adds, plan.removes, plan.calls, plan.seconds) == (9, 5, 5, 7.0)
    assert {operation: len(keys) for operation, keys in plan.samples.items()} == {
        "add": 3,
        "remove": 3,
    }


def test_a_rate_of_requests_counts_where_it_is_the_slower_one(
    world: World, room: Callable[..., Room]
) -> None:
    slow = {"records_per_request": 1, "records_per_second": 2, "requests_per_second": 0.5}
    world.declare_members(settings=slow)
    world.build(members=[member(1), member(2)])
    (plan,) = plan_syncs(room())
    assert (plan.calls, plan.seconds) == (2, 4.0)


def test_a_plan_says_what_would_hold_it_back_and_what_the_month_allows(
    world: World, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSE_ETL__MONTHLY_ROWS__MIXPANEL", "1000")
    world.declare_members(guards={"expected_rows": [10, 20]}, canary=["customer-1"])
    world.build(members=[member(1), member(2)])
    (plan,) = plan_syncs(room())
    assert notes(plan) == [
        "carries its canary alone; everybody else waits",
        "0 rows sent to mixpanel this month and 1 planned, of 1,000",
        "would be held back by guard size: 2 rows wanted, outside the expected 10 to 20.",
    ]
    assert plan.to_json()["guards"][0]["guard"] == "size"


def test_an_inactive_sync_costs_nothing(
    world: World, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN")
    world.declare_members(guards={"expected_rows": [10, 20]})
    world.build(members=[member(1)])
    (plan,) = plan_syncs(room())
    assert (plan.calls, plan.seconds, plan.findings) == (None, None, ())
    assert notes(plan)[0].startswith("inactive: no credentials")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.2, "1 s"), (59, "59 s"), (61, "2 min"), (3600, "1.0 h"), (9000, "2.5 h")],
)
def test_a_duration_is_told_for_people(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
