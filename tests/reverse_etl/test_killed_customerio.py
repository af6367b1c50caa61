"""Killed on its way to Customer.io and run again: every profile, event and member is there once."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import customerio_track
from fakes.customerio_app import Workspace
from fakes.server import serve_in_thread
from reverse_etl.credentials import variable
from reverse_etl.run import plan_syncs, run_syncs

from .test_killed import start
from .world import World, event, member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverse_etl.run import Room

pytestmark = pytest.mark.slow

COUNT = 120


@pytest.fixture
def customerio(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    people = [
        {
            "id": f"customer-{n}",
            "identifiers": {"cio_id": f"03{n}", "id": f"customer-{n}", "email": None},
            "attributes": {},
            "unsubscribed": False,
        }
        for n in range(COUNT)
    ]
    app = customerio_track.create_app(workspace=Workspace(people=people))
    with serve_in_thread(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        for key, value in customerio_track.settings(url).items():
            monkeypatch.setenv(variable("customerio", key), value)
        yield client


def declare(world: World) -> None:
    common: dict[str, Any] = {
        "destination": "customerio",
        "use": "analyse",
        "identity": "profile_key",
    }
    small = {"records_per_request": 40, "connections": 1}
    world.declare(
        "events",
        **common | {"object": "events", "model": "outbound_events", "mode": "append"},
        settings=small,
    )
    world.declare(
        "members",
        **common | {"object": "segment_members", "model": "outbound_members", "mode": "mirror"},
        settings=small | {"create_segments": True},
    )
    world.declare(
        "people",
        **common | {"object": "people", "model": "outbound_events", "mode": "upsert"},
        settings=small,
    )


@pytest.mark.parametrize(
    ("point", "nth"), [("between intent and sending", 3), ("between reply and outcome", 5)]
)
def test_a_run_killed_on_its_way_is_made_good(
    world: World, customerio: httpx.Client, room: Callable[..., Room], point: str, nth: int
) -> None:
    declare(world)
    events = [event(n) for n in range(COUNT)]
    world.build(events=events, members=[member(n) for n in range(80)])
    assert {run.state for run in run_syncs(room(select=["members"]))} == {"done"}
    members = [member(n) for n in range(20, COUNT)]
    world.build(events=events, members=members)

    with start(world, point, nth) as process:
        assert process.wait(timeout=120) == -signal.SIGKILL

    assert {run.state for run in run_syncs(room())} == {"done"}
    sent = customerio.get("/_fake/events").json()
    assert sorted(each["identifiers"]["id"] for each in sent) == sorted(
        row["customer_id"] for row in events
    )
    (held,) = customerio.get("/_fake/segments").json().values()
    assert sorted(each["id"] for each in held) == sorted(row["customer_id"] for row in members)
    profiles = customerio.get("/_fake/profiles").json()
    assert len(profiles) == COUNT
    assert {each["attributes"]["campaign_id"] for each in profiles} == {"7"}
    assert [plan.changes for plan in plan_syncs(room())] == [0, 0, 0]
