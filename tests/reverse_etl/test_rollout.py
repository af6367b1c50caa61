"""How a sync begins: with its canary, within its budget, one destination after the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reverse_etl.plan import Asked
from reverse_etl.run import plan_syncs, run_syncs
from reverse_etl.settings import read_syncs
from reverse_etl.targets import read_budget
from warehouse.errors import UsageError

from .world import World, event, member

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.run import Room

    from .conftest import Fake

PEOPLE = (
    "select 'person-3' as person_id, 'elsewhere-3' as customer_id, 'cio-3' as cio_id, "
    "'three@example.com' as email"
)


def people(fake: Fake) -> set[str]:
    return {person for person, _ in fake.members}


def test_the_first_run_carries_the_canary_alone_and_the_next_one_everybody(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    guards = {"max_change_share": 0.1, "expected_rows": [200, 300]}
    canary = ["customer-1", "2@example.com", "elsewhere-3"]
    world.declare_members(canary=canary, guards=guards)
    world.build(members=[member(n) for n in range(250)], tables={"marts.people": PEOPLE})

    (plan,) = plan_syncs(room())
    assert plan.is_canary
    assert (plan.adds, plan.left_out, plan.findings) == (3, {"waits for the canary": 247}, ())
    (run,) = run_syncs(room())
    assert (run.state, run.accepted) == ("done", 3)
    assert people(fake) == {"customer-1", "customer-2", "customer-3"}

    (run,) = run_syncs(room())
    assert (run.state, run.accepted) == ("done", 247)
    (plan,) = plan_syncs(room())
    assert (plan.changes, plan.is_canary) == (0, False)
    canaries = world.query("select is_canary, planned from raw_reverse_etl.runs order by run_id")
    assert canaries == [(True, 3), (False, 247)]


def test_other_canary_people_remove_nobody_who_is_there(
    world: World, room: Callable[..., Room]
) -> None:
    world.declare_members(canary=["customer-1", "customer-2"])
    world.build(members=[member(n) for n in range(1, 5)])
    receipts = [{"row": member(1), "operation": "add"}]
    world.receive("members", "20260101T000000000000-a", *receipts)
    world.query("update raw_reverse_etl.runs set is_canary = true, accepted = 0")
    world.declare_members(canary=["customer-3"])
    (plan,) = plan_syncs(room())
    assert plan.is_canary
    assert (plan.adds, plan.removes) == (1, 0)


def test_a_canary_that_is_refused_keeps_everybody_waiting(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_events(canary=["customer-1"])
    world.build(events=[event(1), event(2)])
    refusal = {
        "code": 400,
        "error": "some data points in the request failed validation",
        "failed_records": [{"index": 0, "field": "properties.x", "message": "is bad"}],
        "num_records_imported": 0,
        "status": "Bad Request",
    }
    fake.fail({"kind": "status", "status": 400, "body": json.dumps(refusal)})
    (run,) = run_syncs(room())
    assert (run.accepted, run.rejected) == (0, 1)

    (run,) = run_syncs(room())
    assert (run.state, [f.guard for f in run.findings]) == ("held", ["canary"])
    assert "`cio sync retry`" in run.findings[0].message
    assert fake.events == []

    (run,) = run_syncs(room(), Asked(force=("canary",)))
    assert (run.state, run.accepted) == ("done", 1)
    forced = world.query("select forced_guards from raw_reverse_etl.runs order by run_id")
    assert forced[-1] == ("canary",)


def test_nobody_is_sent_if_no_canary_is_there(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_members(canary=["customer-9"])
    world.build(members=[member(1)])
    (run,) = run_syncs(room())
    assert (run.state, [f.guard for f in run.findings]) == ("held", ["canary"])
    stopped = world.query("select stopped_guards, is_canary from raw_reverse_etl.runs")
    assert stopped == [("canary", True)]
    assert fake.members == set()


def test_a_sync_that_ran_before_needs_no_canary(world: World, room: Callable[..., Room]) -> None:
    world.declare_members(canary=["customer-9"])
    world.build(members=[member(1), member(2)])
    sent = {"row": member(1), "operation": "add"}
    world.receive("members", "20260101T000000000000-a", sent)
    (plan,) = plan_syncs(room())
    assert (plan.adds, plan.is_canary, plan.findings) == (1, False, ())


def test_the_budget_of_a_month_is_shared_by_the_syncs_of_a_destination(
    world: World, fake: Fake, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSE_ETL__MONTHLY_ROWS__MIXPANEL", "3")
    world.declare_events()
    world.declare_members()
    world.build(events=[event(1), event(2)], members=[member(1), member(2)])
    runs = {run.state for run in run_syncs(room())}
    assert runs == {"done", "held"}
    assert len(fake.events) + len(fake.members) == 2

    plans = plan_syncs(room())
    assert {(plan.past.sent_this_month, plan.monthly_rows) for plan in plans} == {(2, 3)}
    assert [f.guard for plan in plans for f in plan.findings] == ["budget"]
    assert {run.state for run in run_syncs(room(), Asked(force=("budget",)))} == {"done"}
    assert len(fake.events) + len(fake.members) == 4


def test_a_budget_must_be_a_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_budget("mixpanel") is None
    monkeypatch.setenv("REVERSE_ETL__MONTHLY_ROWS__MIXPANEL", "20_000_000")
    assert read_budget("mixpanel") == 20_000_000
    monkeypatch.setenv("REVERSE_ETL__MONTHLY_ROWS__MIXPANEL", "lots")
    with pytest.raises(UsageError, match=r"REVERSE_ETL__MONTHLY_ROWS__MIXPANEL.*not 'lots'"):
        read_budget("mixpanel")


def test_a_second_destination_waits_for_the_first_to_be_accepted(
    world: World, fake: Fake, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSE_ETL__SEGMENT__WRITE_KEY", "key")
    monkeypatch.setenv("REVERSE_ETL__SEGMENT__BASE_URL", "http://127.0.0.1:9")
    world.declare_members(use="activate")
    world.declare_members("other", use="activate", destination="segment")
    world.build(members=[member(1)])
    first, second = plan_syncs(room())
    assert (first.findings, [f.guard for f in second.findings]) == ((), ["fan_out"])
    assert "mixpanel is the first destination that activates people" in second.findings[0].message

    assert run_syncs(room(select=["members"]))[0].accepted == 1
    assert [plan.findings for plan in plan_syncs(room())] == [(), ()]
    assert people(fake) == {"customer-1"}


@pytest.mark.parametrize("canary", ["customer-1", [], [1.5]])
def test_a_canary_is_a_list_of_people(world: World, canary: object) -> None:
    world.declare_members(canary=canary)
    with pytest.raises(UsageError, match="canary must be a list of people"):
        read_syncs(world.manifest)
