from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from fakes.server import serve_in_thread
from reverse_etl.clock import Clock
from reverse_etl.contract import Denied, Later, NoOptions, Refused, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.amplitude import (
    AMPLITUDE,
    AmplitudeSettings,
)
from reverse_etl.destinations.amplitude_replies import read_answer, read_throttled
from reverse_etl.http import Answer, Http
from warehouse.errors import UsageError

from .changes import EVENT, NOW, changes_like

if TYPE_CHECKING:
    from starlette.requests import Request

    from reverse_etl.contract import Channel

SETTINGS = AmplitudeSettings(api_key=Secret("key"))


change = changes_like(
    EVENT,
    identifier="1",
    payload='{"campaign_id":"7","empty":"","null":null,"many":[1]}',
)


@pytest.fixture
def events(http: Http) -> Channel:
    return AMPLITUDE.objects["message_events"].open(SETTINGS, NoOptions(), http)


def test_an_event_keeps_its_own_time_and_every_value(events: Channel) -> None:
    assert json.loads(events.encode(change())) == {
        "user_id": "1",
        "event_type": "Email Link Clicked",
        "time": 1_772_366_398_500,
        "insert_id": "0" * 31 + "1",
        "event_properties": {"campaign_id": "7", "empty": "", "null": None, "many": [1]},
    }


def test_texts_are_cut_where_amplitudes_limit_is(events: Channel) -> None:
    record = json.loads(events.encode(change(payload=json.dumps({"note": "x" * 1025}))))
    assert record["event_properties"] == {"note": "x" * 1024}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"identifier": ""}, "user_id"),
        ({"identifier": "Anonymous"}, "user_id"),
        ({"identifier": "-1"}, "user_id"),
        ({"identifier": "x" * 1025}, "user_id"),
        ({"label": ""}, "event_type is empty"),
        ({"label": "x" * 1025}, "event_type is empty, or longer"),
        ({"label": "[Amplitude] Revenue"}, "keeps for itself"),
        ({"occurred_ms": None}, "without a time"),
        ({"occurred_ms": -1}, "before 1970"),
        ({"record_key": ""}, "insert_id"),
        ({"record_key": "x" * 1025}, "insert_id"),
        ({"payload": "[]"}, "not a JSON object"),
    ],
)
def test_an_event_against_the_rules_is_refused(
    events: Channel, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        events.encode(change(**values))


@pytest.mark.parametrize(("endpoint", "path"), [("batch", "/batch"), ("http", "/2/httpapi")])
def test_the_request_as_a_whole(endpoint: str, path: str) -> None:
    seen: dict[str, Any] = {}

    async def take(request: Request) -> JSONResponse:
        seen.update(json.loads(gzip.decompress(await request.body())), path=request.url.path)
        return JSONResponse({"code": 200, "events_ingested": 2})

    settings = AmplitudeSettings(api_key=Secret('a"key'), endpoint=endpoint)
    app = Starlette(routes=[Route(path, take, methods=["POST"])])
    with serve_in_thread(app) as url, Http(url, clock=Clock(now=lambda: NOW)) as http:
        channel = AMPLITUDE.objects["message_events"].open(settings, NoOptions(), http)
        assert channel.send(channel.route(change()), [b"{}", b"{}"]) == Taken()
    assert seen == {
        "api_key": 'a"key',
        "options": {"min_id_length": 1},
        "events": [{}, {}],
        "path": path,
    }


@pytest.mark.parametrize(
    ("endpoint", "records", "size"), [("batch", 2_000, 20_000_000), ("http", 1_999, 999_999)]
)
def test_each_way_in_has_its_own_limits(http: Http, endpoint: str, records: int, size: int) -> None:
    settings = AmplitudeSettings(api_key=Secret("k" * 900), endpoint=endpoint)
    limits = AMPLITUDE.objects["message_events"].open(settings, NoOptions(), http).limits
    assert limits.records == records
    envelope = json.dumps({"api_key": "k" * 900, "options": {"min_id_length": 1}, "events": []})
    assert limits.size + len(envelope) <= size


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body).encode())


def refused(**lists: object) -> Answer:
    return answer({"code": 400, "error": "Request missing required field", **lists}, 400)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer({"code": 200, "events_ingested": 4}), Taken()),
        (
            refused(
                events_with_invalid_fields={"time": [0], "user_id": [0, 2]},
                events_with_missing_fields={"event_type": [2]},
            ),
            Taken({0: "time is not valid", 2: "user_id is not valid"}, frozenset([1, 3])),
        ),
        (
            refused(events_with_invalid_id_lengths={"user_id": [3]}),
            Taken({3: "user_id is too short"}, frozenset([0, 1, 2])),
        ),
        (
            refused(silenced_events=[1], silenced_devices=["d"], throttled_events=[0]),
            Taken({1: "silenced by Amplitude"}, frozenset([0, 2, 3])),
        ),
        (answer({"code": 400, "error": "Invalid API key: key"}, 400), Denied(400)),
        (refused(missing_field="api_key"), Denied(400)),
    ],
)
def test_documented_replies(reply: Answer, expected: object) -> None:
    assert read_answer(reply, 4) == expected


@pytest.mark.parametrize(
    "reply",
    [
        refused(),
        refused(missing_field="events"),
        refused(events_with_invalid_fields={"time": [4]}),
        refused(events_with_invalid_fields={"time": [-1]}),
        refused(events_with_invalid_fields={"time": ["1", True]}),
        refused(events_with_invalid_fields=[1], silenced_events={}),
    ],
)
def test_a_refusal_that_names_no_event_leads_to_halves(reply: Answer) -> None:
    assert isinstance(read_answer(reply, 4), Unnamed)


@pytest.mark.parametrize(
    "reply",
    [
        answer({"code": 200, "events_ingested": 3}),
        answer({"code": 200}),
        answer({}),
        answer([]),
        Answer(200, {}, b"ok"),
        Answer(400, {}, b"<html>"),
    ],
)
def test_replies_that_are_not_the_documented_ones_say_nothing(reply: Answer) -> None:
    result = read_answer(reply, 4)
    assert isinstance(result, Later)
    assert result.is_maybe_accepted


RECORDS = [json.dumps({"user_id": who}).encode() for who in ("a", "b", "a", "c")]


def throttled(body: object, asked: float | None = None) -> object:
    return read_throttled(body, RECORDS, asked=asked, pause=15.0)


def test_only_the_events_of_who_is_throttled_wait() -> None:
    assert throttled({"throttled_events": [0, 2], "throttled_users": {"a": 31}}) == Taken(
        again=frozenset([1, 3]), later=frozenset([0, 2]), wait_seconds=15.0
    )


def test_who_is_over_the_daily_quota_waits_for_another_day() -> None:
    reply = throttled(
        {"exceeded_daily_quota_users": {"a": 500_001}, "throttled_events": [0, 1, 2]}, asked=3.0
    )
    assert isinstance(reply, Taken)
    assert reply.left.keys() == {0, 2}
    assert "daily quota" in reply.left[0]
    assert (reply.later, reply.again) == (frozenset([1]), frozenset([3]))
    assert reply.wait_seconds == 3.0


def test_a_batch_of_throttled_people_alone_waits_as_a_whole() -> None:
    reply = throttled({"throttled_events": [0, 1, 2, 3]})
    assert reply == Later(
        "too many events of these people", is_maybe_accepted=False, wait_seconds=15.0
    )


@pytest.mark.parametrize("body", [None, [], {}, {"throttled_events": [9, "1"]}])
def test_a_429_that_names_nobody_makes_everybody_wait(body: object) -> None:
    assert throttled(body, asked=7.0) == Later(
        "answered 429", is_maybe_accepted=False, wait_seconds=7.0
    )
    assert throttled(body) == Later("answered 429", is_maybe_accepted=False, wait_seconds=None)


def test_the_check_says_when_nobody_answers() -> None:
    app = Starlette(routes=[])
    with serve_in_thread(app) as url, Http(url, clock=Clock(now=lambda: NOW)) as http:
        check = AMPLITUDE.check(SETTINGS, http)
    assert (check.is_ok, check.message) == (False, "answered 404")


def test_settings_tell_what_is_missing_and_where_to_go() -> None:
    assert AmplitudeSettings().missing("message_events") == ("api_key",)
    assert SETTINGS.missing("message_events") == ()
    assert SETTINGS.missing("audience_members") == ("secret_key", "app_id", "owner")
    whole = AmplitudeSettings(
        api_key=Secret("k"), secret_key=Secret("s"), app_id="7", owner="a@example.com", region="eu"
    )
    assert whole.missing("audience_members") == ()
    assert whole.url == "https://api.eu.amplitude.com"
    cohorts = AMPLITUDE.objects["audience_members"]
    assert cohorts.url is not None
    assert cohorts.url(whole) == "https://analytics.eu.amplitude.com"
    assert cohorts.url(SETTINGS) == "https://amplitude.com"
    assert SETTINGS.url == "https://api2.amplitude.com"
    both = AmplitudeSettings(base_url="http://a", cohorts_base_url="http://b")
    assert (both.url, cohorts.url(both)) == ("http://a", "http://b")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"region": "mars"}, "region is 'mars'; allowed: us, eu"),
        ({"endpoint": "v1"}, "endpoint is 'v1'; allowed: batch, http"),
        ({"app_id": "my-project"}, "app_id is not a number"),
    ],
)
def test_settings_that_cannot_be_are_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        AmplitudeSettings(**values)
