from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import webhook
from fakes.server import serve_in_thread
from reverse_etl.clock import Clock, milliseconds
from reverse_etl.contract import Later, Refused, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.webhook import WEBHOOK, Endpoint, RowOptions, WebhookSettings
from reverse_etl.destinations.webhook_replies import read_reply
from reverse_etl.destinations.webhook_signature import read_key, sign
from reverse_etl.http import Answer, Http
from warehouse.errors import UsageError

from .changes import NOW, ROW, changes_like

if TYPE_CHECKING:
    from reverse_etl.contract import Channel

SIGNING_KEY = base64.b64encode(b"a secret of the tests").decode()
# printf '%s' "$id.1614265200.$body" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key, in base64
EXPECTED = "v1,gSAmXOV0lfGvvS67kEUQ84g5CNTYZSnFhWsu5bEdjLA="
# one instant for both sides, however long the tests before these took


def seconds() -> float:
    return milliseconds(NOW) / 1000


change = changes_like(ROW)


def rows(http: Http, *, secret: str = webhook.SIGNING_SECRET, **options: str) -> Channel:
    settings = WebhookSettings(base_url="x", signing_secret=Secret(secret))
    return WEBHOOK.objects["rows"].open(settings, RowOptions(**options), http)


def test_a_row_says_what_is_to_become_of_it(http: Http) -> None:
    assert json.loads(rows(http).encode(change(operation="remove"))) == {
        "operation": "remove",
        "record_key": "k1",
        "identifier": "customer-1",
        "label": "CIO | Buyers | 0-3d",
        "occurred_at": "2026-01-15T10:20:30.000Z",
        "properties": {"plan": None, "visits": 0},
    }
    assert json.loads(rows(http).encode(change(occurred_ms=None)))["occurred_at"] is None


@pytest.mark.parametrize("values", [{"identifier": ""}, {"payload": "7"}])
def test_a_row_about_nobody_or_without_properties_is_refused(
    http: Http, values: dict[str, Any]
) -> None:
    with pytest.raises(Refused):
        rows(http).encode(change(**values))


def test_the_signature_is_the_one_that_another_program_makes() -> None:
    signed_at = datetime(2021, 2, 25, 15)  # noqa: DTZ001 - naive UTC, as every instant
    with Http("http://127.0.0.1:9", clock=Clock(now=lambda: signed_at)) as http:
        headers = sign(b'{"test": 2432232314}', Secret(f"whsec_{SIGNING_KEY}"), http.clock)
    assert headers["webhook-timestamp"] == "1614265200"
    assert headers["webhook-id"] == headers["Idempotency-Key"]
    assert headers["webhook-signature"] == EXPECTED


def test_a_batch_sent_again_has_the_same_id_and_is_done_once(http: Http) -> None:
    with (
        serve_in_thread(webhook.create_app(now=seconds)) as url,
        httpx.Client(base_url=url) as client,
    ):
        channel = rows(http.at(url), path="people")
        record = channel.encode(change())
        assert channel.send("people", [record]) == Taken()
        removal = channel.encode(change(operation="remove"))
        assert channel.send("people", [removal]) == Taken()
        # the first batch, again and late: the receiver knows its id
        assert channel.send("people", [record]) == Taken()
        assert client.get("/_fake/rows").json() == []
        requests = client.get("/_fake/requests").json()
    assert {request["path"] for request in requests} == {"/people"}


@pytest.mark.parametrize("kind", ["ndjson", "json"])
def test_both_formats_arrive_whole(http: Http, kind: str) -> None:
    with (
        serve_in_thread(webhook.create_app(now=seconds)) as url,
        httpx.Client(base_url=url) as client,
    ):
        channel = rows(http.at(url), format=kind)
        records = [channel.encode(change(record_key=f"k{n}")) for n in range(3)]
        assert channel.send("", records) == Taken()
        assert [row["record_key"] for row in client.get("/_fake/rows").json()] == ["k0", "k1", "k2"]
        assert channel.limits.measure(3, sum(map(len, records))) == len(
            channel.limits.join(records)
        )


def test_a_receiver_refuses_what_was_signed_long_ago_or_changed_on_the_way(http: Http) -> None:
    body = rows(http).encode(change())
    signed = sign(body, Secret(webhook.SIGNING_SECRET), http.clock)
    signed["Content-Type"] = "application/x-ndjson"
    old = webhook.create_app(now=lambda: seconds() + 301)
    with serve_in_thread(old) as url:
        assert httpx.post(url, content=body, headers=signed).status_code == 401
    with serve_in_thread(webhook.create_app(now=seconds)) as url:
        changed = body.replace(b"customer-1", b"customer-2")
        assert httpx.post(url, content=changed, headers=signed).status_code == 401
        assert httpx.post(url, content=body, headers=signed).status_code == 200


def answer(body: str, status: int = 200, kind: str = "application/json") -> Answer:
    return Answer(status, {"content-type": kind}, body.encode())


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer("", 204, ""), Taken()),
        (answer("OK", kind="text/plain"), Taken()),
        (answer('{"status":"ok"}'), Taken()),
        (answer('{"rejected":[{"index":1,"reason":"unknown"}]}'), Taken({1: "unknown"})),
        (answer('{"rejected":[{"index":0}]}', 422), Taken({0: "rejected"})),
    ],
)
def test_what_a_reply_does_not_reject_was_taken(reply: Answer, expected: Taken) -> None:
    assert read_reply(reply, 2) == expected


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer('{"rejected":[{"index":2}]}'), Later),
        (answer('{"rejected":[{"index":true}]}'), Later),
        (answer('{"rejected":[7]}'), Later),
        (answer('{"rejected":{"a":1}}'), Later),
        (answer('{"rej'), Later),
        (answer('{"error":"no"}', 400), Unnamed),
        (answer("nginx", 400, "text/html"), Later),
    ],
)
def test_a_reply_that_cannot_be_is_not_believed(reply: Answer, kind: type) -> None:
    assert isinstance(read_reply(reply, 2), kind)


def test_settings_tell_what_is_missing_and_what_is_wrong() -> None:
    assert WebhookSettings().missing("rows") == ("base_url", "signing_secret")
    with pytest.raises(UsageError, match="not base64"):
        WebhookSettings(signing_secret=Secret("whsec_?"))
    with pytest.raises(UsageError, match="allowed: ndjson, json"):
        RowOptions(format="xml")
    assert read_key(Secret("plain")) == b"plain"


def test_an_authorization_header_goes_along_if_the_endpoint_asks_for_one(http: Http) -> None:
    settings = WebhookSettings("x", Secret("plain"), Secret("Bearer t0ken"))
    endpoint = Endpoint(settings, http, "application/json")
    assert endpoint.sign(b"")["Authorization"] == "Bearer t0ken"
    assert "t0ken" not in repr(endpoint)
