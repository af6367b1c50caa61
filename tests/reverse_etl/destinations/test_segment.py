from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from fakes import segment
from fakes.server import serve_in_thread
from reverse_etl.clock import Clock, milliseconds
from reverse_etl.contract import Later, NoOptions, Refused, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.segment import (
    SEGMENT,
    MembershipOptions,
    SegmentSettings,
    _read,
)
from reverse_etl.http import Answer, Http
from warehouse.errors import UsageError

from .changes import EVENT, NOW, changes_like

if TYPE_CHECKING:
    from starlette.requests import Request

    from reverse_etl.contract import Channel

SETTINGS = SegmentSettings(write_key=Secret(segment.WRITE_KEY))
PREFIX = "cio-" + hashlib.sha256(segment.WRITE_KEY.encode()).hexdigest()[:12]
CONTEXT = {"library": {"name": "customerio-warehouse", "version": version("customerio-warehouse")}}


change = changes_like(
    EVENT,
    payload='{"campaign_id":"7","empty":"","null":null}',
)


@pytest.fixture
def events(http: Http) -> Channel:
    return SEGMENT.objects["message_events"].open(SETTINGS, NoOptions(), http)


def members(http: Http, calls: str = "both") -> Channel:
    return SEGMENT.objects["audience_members"].open(SETTINGS, MembershipOptions(calls), http)


def test_an_event_is_a_track_call_with_its_own_time_and_every_value(events: Channel) -> None:
    assert json.loads(events.encode(change())) == {
        "type": "track",
        "userId": "customer-1",
        "event": "Email Link Clicked",
        "properties": {"campaign_id": "7", "empty": "", "null": None},
        "timestamp": "2026-03-01T11:59:58.500Z",
        "messageId": f"{PREFIX}-{'0' * 31}1",
        "context": CONTEXT,
    }


def test_message_ids_of_two_sources_differ_and_those_of_one_event_do_not(http: Http) -> None:
    other = SegmentSettings(write_key=Secret("another"))
    ids = [
        json.loads(
            SEGMENT.objects["message_events"].open(settings, NoOptions(), http).encode(change())
        )["messageId"]
        for settings in (SETTINGS, SETTINGS, other)
    ]
    assert ids[0] == ids[1] != ids[2]
    assert segment.WRITE_KEY not in ids[0]


@pytest.mark.parametrize(
    ("operation", "event", "value"),
    [
        ("add", "Audience Entered", True),
        ("update", "Audience Entered", True),
        ("remove", "Audience Exited", False),
    ],
)
def test_membership_is_a_trait_and_an_event(
    http: Http, operation: str, event: str, *, value: bool
) -> None:
    row = change(operation=operation, label="CIO | Buyers | 0-3d", occurred_ms=None, payload=None)
    identify, track = json.loads(b"[" + members(http).encode(row) + b"]")
    key = "cio_buyers_0_3d"
    message_id = f"{PREFIX}-{row.record_key}-{operation}-{milliseconds(NOW)}"
    shared = {
        "userId": "customer-1",
        "timestamp": "2026-03-01T12:00:00.000Z",
        "context": CONTEXT,
    }
    assert identify == shared | {
        "type": "identify",
        "messageId": f"{message_id}-i",
        "traits": {key: value},
    }
    assert track == shared | {
        "type": "track",
        "messageId": f"{message_id}-t",
        "event": event,
        "properties": {
            "audience_key": key,
            key: value,
            "audience_name": "CIO | Buyers | 0-3d",
        },
    }


@pytest.mark.parametrize("calls", ["identify", "track"])
def test_one_kind_of_call_can_be_asked_for(http: Http, calls: str) -> None:
    row = change(operation="add", label="A")
    assert json.loads(members(http, calls).encode(row))["type"] == calls
    assert len(members(http).encode(row)) > len(members(http, calls).encode(row))


def test_who_enters_again_is_not_taken_for_a_duplicate() -> None:
    times = iter([NOW, NOW + timedelta(hours=1)])
    with Http("http://127.0.0.1:9", clock=Clock(now=lambda: next(times))) as http:
        channel = members(http, "track")
        row = change(operation="add", label="A")
        first, second = (json.loads(channel.encode(row))["messageId"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"identifier": ""}, "without userId"),
        ({"label": ""}, "without a name"),
        ({"occurred_ms": None}, "without a time"),
        ({"occurred_ms": 10**15}, "beyond the year 9999"),
        ({"record_key": "x" * 84}, "messageId has more than 100"),
        ({"payload": "[]"}, "not a JSON object"),
        ({"payload": json.dumps({"note": "x" * 32_000})}, "Segment takes 32 KB"),
    ],
)
def test_an_event_that_segment_would_drop_is_refused(
    events: Channel, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        events.encode(change(**values))


def test_what_is_just_allowed_is_sent(events: Channel) -> None:
    assert events.encode(change(record_key="x" * 83))
    spare = 32_000 - len(events.encode(change(payload='{"note":""}')))
    at_most = change(payload=orjson.dumps({"note": "x" * spare}).decode())
    assert len(events.encode(at_most)) == 32_000


@pytest.mark.parametrize("values", [{"label": ""}, {"label": " | "}, {"identifier": ""}])
def test_membership_needs_a_person_and_a_label(http: Http, values: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        members(http).encode(change(operation="add", **values))


def test_a_full_batch_and_its_envelope_stay_within_500_kb(events: Channel, http: Http) -> None:
    limits = events.limits
    assert limits.records == 2_500
    assert members(http).limits.records * 2 == 2_500
    envelope = '{"batch":[' + '],"sentAt":"2026-01-15T10:20:30.000Z"}'
    assert limits.size + len(envelope) == 500_000


def test_a_batch_arrives_with_the_times_of_its_events() -> None:
    with (
        serve_in_thread(segment.create_app(now=lambda: milliseconds(NOW) / 1000 + 7)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
        Http(url, clock=Clock(now=lambda: NOW)) as http,
    ):
        channel = SEGMENT.objects["message_events"].open(SETTINGS, NoOptions(), http)
        assert channel.send("v1/batch", [channel.encode(change())]) == Taken()
        (call,) = client.get("/_fake/calls").json()
        # received seven seconds after `sentAt`, which Segment takes for a clock that is slow
        assert call["timestamp"] == "2026-03-01T12:00:05.500000+00:00"


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, httpx.Headers(headers), json.dumps(body).encode())


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer({"success": True}), Taken),
        (answer({}), Taken),
        (answer({"success": False}), Unnamed),
        (answer({"success": False, "message": "too large"}, 400), Unnamed),
        (answer([]), Later),
        (answer(None), Later),
        (Answer(400, {}, b"<html>"), Later),
    ],
)
def test_replies(http: Http, reply: Answer, expected: type) -> None:
    assert isinstance(_read(reply, http), expected)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "3"}, 3),
        ({"X-RateLimit-Reset": "5"}, 5),
        ({"Retry-After": "3", "X-RateLimit-Reset": "5"}, 3),
        ({}, None),
    ],
)
def test_a_429_says_in_either_header_how_long_to_wait(
    http: Http, headers: dict[str, str], wait: float | None
) -> None:
    reply = _read(answer({}, 429, **headers), http)
    assert reply == Later("answered 429", is_maybe_accepted=False, wait_seconds=wait)


def test_the_check_says_what_it_cannot_tell_and_sends_nothing() -> None:
    with (
        serve_in_thread(segment.create_app()) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
        Http(url) as http,
    ):
        check = SEGMENT.check(SETTINGS, http)
        assert check.is_ok
        assert "does not tell a wrong write key" in check.message
        client.post("/_fake/script", json=[{"kind": "status", "status": 503, "times": 9}])
        assert SEGMENT.check(SETTINGS, http).message == "answered 503"
        assert client.get("/_fake/calls").json() == []


def test_settings_tell_what_is_missing_and_where_to_go() -> None:
    assert SegmentSettings().missing("message_events") == ("write_key",)
    assert SETTINGS.missing("audience_members") == ()
    assert SETTINGS.url == "https://api.segment.io"
    assert SegmentSettings(region="eu").url == "https://events.eu1.segmentapis.com"
    assert SegmentSettings(base_url="http://proxy").url == "http://proxy"
    with pytest.raises(UsageError, match="region is 'mars'; allowed: us, eu"):
        SegmentSettings(region="mars")
    with pytest.raises(UsageError, match="calls is 'all'; allowed: both, identify, track"):
        MembershipOptions(calls="all")


def test_the_request_as_a_whole() -> None:
    seen: dict[str, Any] = {}

    async def take(request: Request) -> JSONResponse:
        seen.update(await request.json(), authorization=request.headers["authorization"])
        return JSONResponse({"success": True})

    app = Starlette(routes=[Route("/v1/batch", take, methods=["POST"])])
    with serve_in_thread(app) as url, Http(url, clock=Clock(now=lambda: NOW)) as http:
        channel = SEGMENT.objects["message_events"].open(SETTINGS, NoOptions(), http)
        channel.send("v1/batch", [b"{}", b"{}"])
    assert seen == {
        "batch": [{}, {}],
        "sentAt": "2026-03-01T12:00:00.000Z",
        "authorization": "Basic " + base64.b64encode(f"{segment.WRITE_KEY}:".encode()).decode(),
    }


def test_properties_are_traits_and_a_null_overwrites_nothing(http: Http) -> None:
    kind = SEGMENT.objects["person_properties"]
    channel = kind.open(SETTINGS, kind.options(), http)
    payload = '{"tier":"rested","clicks":0,"is_vip":false,"note":"","gone":null}'
    call = json.loads(channel.encode(change(payload=payload)))
    assert (call["type"], call["userId"]) == ("identify", "customer-1")
    assert call["traits"] == {"tier": "rested", "clicks": 0, "is_vip": False, "note": ""}


def test_a_value_that_returns_is_not_taken_for_a_duplicate() -> None:
    """Segment compares messageIds for a day: with the row's key alone, A, B, A would end at B."""
    kind = SEGMENT.objects["person_properties"]
    ids = set()
    for hour in (1, 2):
        clock = Clock(now=lambda hour=hour: NOW + timedelta(hours=hour))
        with Http("http://127.0.0.1:9", clock=clock) as http:
            channel = kind.open(SETTINGS, kind.options(), http)
            ids.add(json.loads(channel.encode(change(payload='{"tier":"a"}')))["messageId"])
    assert len(ids) == 2
