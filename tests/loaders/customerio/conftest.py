"""A small workspace behind a stand-in of the App API on loopback."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import customerio_app
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.server import serve_in_thread
from loaders.customerio.api import load_api
from loaders.customerio.api_pace import Timing
from loaders.customerio.api_resources import unix_seconds

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from fakes.control import Control
    from loaders.customerio.api import ApiReport
    from warehouse.home import Home

NOW = datetime(2026, 9, 1, 12, 0, 0)  # noqa: DTZ001 - naive UTC, as every instant
KEY = "LOADERS__CUSTOMERIO__APP_API_KEY"
BASE_URL = "LOADERS__CUSTOMERIO__BASE_URL"


@dataclass
class Time:
    """A clock that moves when somebody waits, and a little with every look at the date."""

    seconds: float = 0.0
    now: datetime = NOW
    waits: list[float] = field(default_factory=list)
    ticks: Iterator[int] = field(default_factory=itertools.count)

    @property
    def timing(self) -> Timing:
        return Timing(
            now=lambda: self.now + timedelta(microseconds=next(self.ticks)),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            chance=lambda: 1.0,
        )

    def sleep(self, seconds: float, _halt: threading.Event) -> None:
        self.seconds += seconds
        self.waits.append(seconds)


def message(number: int, *, days_ago: float, **fields: object) -> dict[str, Any]:
    created = unix_seconds(NOW - timedelta(days=days_ago))
    delivery = f"delivery-{number}="
    return {
        "id": delivery,
        "deduplicate_id": f"{delivery}:{created + 5}",
        "type": "email",
        "created": created,
        "campaign_id": 7,
        "broadcast_id": None,
        "newsletter_id": None,
        "action_id": 96,
        "content_id": None,
        "trigger_event_id": "01E4C4C6P79C12J5A6KPE6XNFD",
        "customer_id": None,
        "customer_identifiers": {"id": f"u{number}", "email": "a+b@example.com", "cio_id": "03"},
        "recipient": "recipient@example.com",
        "subject": "Hello",
        "failure_message": None,
        "forgotten": False,
        "metrics": {"sent": created + 1, "link:3": created + 5},
    } | fields


def person(number: int) -> dict[str, Any]:
    identifiers = {"cio_id": f"0300{number}", "id": f"u{number}", "email": f"u{number}@example.com"}
    return {
        "id": f"u{number}",
        "identifiers": identifiers,
        "attributes": {"plan": "gold", "number": str(number)},
        "unsubscribed": number == 1,
        "timestamps": {"plan": 1},
        "devices": [],
    }


@pytest.fixture
def workspace() -> Workspace:
    people = [person(number) for number in range(230)]
    return Workspace(
        campaigns=[
            {
                "id": 7,
                "name": "Welcome",
                "type": "behavioral",
                "state": "running",
                "active": True,
                "tags": ["a", "b"],
                "created": 1_700_000_000,
                "updated": 1_700_000_100,
                "first_started": 0,
                "deduplicate_id": "7:1700000100",
            },
            {"id": 8, "name": "Winback", "tags": None, "created": 1_700_000_000},
        ],
        campaign_actions={
            "7": [
                {"id": "96", "name": "Hi", "type": "email", "created": 1_700_000_000},
                {"id": "97", "name": "Hi again", "type": "email", "parent_action_id": 90},
            ]
        },
        broadcasts=[{"id": 5, "name": "News of the day"}],
        broadcast_actions={"5": [{"id": 12, "name": "Body", "type": "push"}]},
        newsletters=[{"id": 1, "name": "May", "content_ids": [3, 4], "sent_at": 1_700_000_000}],
        contents={"1": [{"id": 3, "name": "A", "language": ""}, {"id": 4, "name": "B"}]},
        test_groups={"1": [{"id": "g1"}]},
        transactional=[{"id": 2, "name": "Receipt", "created_at": 1_700_000_000}],
        segments=[
            {"id": 1, "name": "All", "type": "dynamic", "state": "finished"},
            {"id": 2, "name": "Nobody", "type": "manual", "state": "finished"},
        ],
        members={"1": [each["identifiers"] for each in people[:5]]},
        topics=[{"id": 1, "identifier": "topic_1", "name": "Deals", "subscribed_by_default": True}],
        people=people,
        messages=[message(number, days_ago=number) for number in range(1, 60)],
        activities=[
            {
                "id": "01M",
                "type": "profile_merge",
                "timestamp": unix_seconds(NOW) - 60,
                "customer_identifiers": person(0)["identifiers"],
                "data": {"any": "thing"},
            },
            {"id": "01E", "type": "event", "timestamp": unix_seconds(NOW) - 60, "data": {}},
        ],
    )


@dataclass(frozen=True)
class Api:
    """The stand-in, and a load from it."""

    home: Home
    workspace: Workspace
    control: Control
    time: Time
    url: str

    def load(self, *resources: str, **options: Any) -> ApiReport:  # noqa: ANN401 - of load_api
        return load_api(self.home, resources=resources, timing=self.time.timing, **options)

    def fail(self, **failure: object) -> None:
        """Script a failure of the stand-in."""
        reply = httpx.post(f"{self.url}/_fake/script", json=[failure], trust_env=False)
        reply.raise_for_status()

    @property
    def paths(self) -> list[str]:
        return [f"{seen.path}?{seen.query}" for seen in self.control.seen]


@pytest.fixture
def api(home: Home, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    time = Time()
    control = customerio_app.create_app(workspace, monotonic=lambda: time.seconds)
    with serve_in_thread(control) as url:
        monkeypatch.setenv(KEY, APP_API_KEY)
        monkeypatch.setenv(BASE_URL, f"{url}/v1")
        yield Api(home, workspace, control, time, url)
