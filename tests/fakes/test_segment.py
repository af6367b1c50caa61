from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import segment
from fakes.server import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = 1_800_000_000
AUTH = (segment.WRITE_KEY, "")
JSON = {"Content-Type": "application/json"}
SUCCESS = (200, {"success": True})


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with (
        serve_in_thread(segment.create_app(now=lambda: NOW, refused=["blocked"])) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def track(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"type": "track", "userId": "u", "event": "Email Sent", "messageId": "m"} | values


def send(client: httpx.Client, *calls: object, **options: object) -> httpx.Response:
    options = {"auth": AUTH, "headers": JSON, "content": json.dumps({"batch": calls})} | options
    return client.post("/v1/batch", **options)


def said(reply: httpx.Response) -> tuple[int, Any]:
    return reply.status_code, reply.json()


def kept(client: httpx.Client) -> list[dict[str, Any]]:
    return client.get("/_fake/calls").json()


def dropped(client: httpx.Client) -> list[str]:
    return [drop["reason"] for drop in client.get("/_fake/dropped").json()]


def test_a_good_call_is_kept(client: httpx.Client) -> None:
    assert said(send(client, track())) == SUCCESS
    assert [call["event"] for call in kept(client)] == ["Email Sent"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (5, "unknown type"),
        (track(type="event"), "unknown type"),
        (track(userId=""), "neither userId nor anonymousId"),
        (track(userId=7), "neither userId nor anonymousId"),
        (track(event=""), "track without event"),
        ({"type": "group", "userId": "u"}, "group without groupId"),
        (track(messageId="x" * 101), "messageId of more than 100 characters"),
        (track(userId="blocked"), "dropped by a rule of the workspace"),
    ],
)
def test_a_bad_call_is_dropped_in_silence_and_the_rest_kept(
    client: httpx.Client, bad: object, reason: str
) -> None:
    assert said(send(client, track(), bad, track(messageId="n"))) == SUCCESS
    assert [call["messageId"] for call in kept(client)] == ["m", "n"]
    assert dropped(client) == [reason]


def test_a_wrong_write_key_is_answered_as_a_good_one(client: httpx.Client) -> None:
    assert said(send(client, track(), auth=("w" * 32, ""))) == SUCCESS
    assert kept(client) == []
    assert dropped(client) == ["unknown write key"]


def test_more_calls_than_allowed_are_dropped_in_silence(client: httpx.Client) -> None:
    many = [track(messageId=str(n)) for n in range(2_501)]
    assert said(send(client, *many)) == SUCCESS
    assert kept(client) == []
    assert said(send(client, *many[1:])) == SUCCESS
    assert len(kept(client)) == 2_500


@pytest.mark.parametrize(
    "options",
    [
        {"content": "["},
        {"content": "[]"},
        {"content": "{}"},
        {"auth": None},
        {"auth": ("short", "")},
        {"headers": {"Content-Type": "text/plain"}},
        {"headers": JSON | {"Content-Encoding": "gzip"}},
        {"content": json.dumps({"batch": [track(note="x" * 32_768)]})},
        {"content": json.dumps({"batch": [track(note="x" * 10_000)] * 52})},
    ],
)
def test_what_is_not_json_or_too_large_is_refused_whole(
    client: httpx.Client, options: dict[str, Any]
) -> None:
    reply = send(client, track(), **options)
    assert reply.status_code == 400
    assert reply.json()["success"] is False
    assert kept(client) == dropped(client) == []


def test_the_key_may_stand_in_the_body_and_the_body_be_compressed(client: httpx.Client) -> None:
    body = json.dumps({"batch": [track()], "writeKey": segment.WRITE_KEY}).encode()
    headers = JSON | {"Content-Encoding": "gzip"}
    assert said(send(client, auth=None, headers=headers, content=gzip.compress(body))) == SUCCESS
    assert len(kept(client)) == 1


def test_a_message_id_counts_once(client: httpx.Client) -> None:
    send(client, track(), track(), track(messageId="n"))
    send(client, track())
    assert len(kept(client)) == 2
    assert dropped(client) == ["duplicate messageId"] * 2


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        # the client's clock is a minute behind, and so is the event's time
        (("2027-01-15T07:00:00Z", "2027-01-15T07:59:00Z"), "2027-01-15T07:01:00+00:00"),
        (("2027-01-15T07:00:00Z", None), "2027-01-15T07:00:00+00:00"),
        (("yesterday", None), "2027-01-15T08:00:00+00:00"),
        ((None, "2027-01-15T07:59:00Z"), "2027-01-15T08:00:00+00:00"),
    ],
)
def test_times_are_moved_by_what_lies_between_sending_and_receiving(
    client: httpx.Client, times: tuple[str | None, str | None], expected: str
) -> None:
    timestamp, sent_at = times
    body = {"batch": [track(timestamp=timestamp)], "sentAt": sent_at}
    send(client, content=json.dumps(body))
    assert [call["timestamp"] for call in kept(client)] == [expected]


def test_traits_are_merged_a_person(client: httpx.Client) -> None:
    for number, traits in enumerate([{"a": True, "b": 1}, {"a": False}]):
        call = {"type": "identify", "userId": "u", "traits": traits, "messageId": str(number)}
        send(client, call)
    assert client.get("/_fake/traits").json() == {"u": {"a": False, "b": 1}}


def test_a_store_outlives_the_process(tmp_path: Path) -> None:
    identify = {"type": "identify", "userId": "ü", "traits": {"a": True}, "messageId": "i"}
    for _ in range(2):
        with (
            serve_in_thread(segment.create_app(store=tmp_path / "store")) as url,
            httpx.Client(base_url=url) as c,
        ):
            send(c, track(), identify)
            assert len(kept(c)) == 2
            assert c.get("/_fake/traits").json() == {"ü": {"a": True}}
    assert len((tmp_path / "store").read_bytes().splitlines()) == 2
