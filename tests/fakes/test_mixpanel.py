from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import mixpanel
from fakes.server import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = 1_800_000_000
AUTH = (mixpanel.TOKEN, "")
NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with (
        serve_in_thread(mixpanel.create_app(now=lambda: NOW)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def event(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    good = {"time": NOW - 60, "distinct_id": "someone", "$insert_id": "a-1"}
    return {"event": "Email Opened", "properties": good | properties}


def send(
    client: httpx.Client, *records: object, path: str = "/import?strict=1", **options: object
) -> httpx.Response:
    options = {"auth": AUTH, "headers": JSON, "content": json.dumps(records)} | options
    return client.post(path, **options)


def test_a_good_event_is_imported(client: httpx.Client) -> None:
    reply = send(client, event())
    assert (reply.status_code, reply.json()) == (
        200,
        {"code": 200, "num_records_imported": 1, "status": "OK"},
    )


@pytest.mark.parametrize(
    "options",
    [
        {"content": json.dumps(event())},
        {"content": json.dumps(event()) + "\n", "headers": NDJSON},
        {
            "content": gzip.compress(json.dumps([event()]).encode()),
            "headers": JSON | {"Content-Encoding": "gzip"},
        },
        {"content": None, "headers": {}, "data": {"data": json.dumps([event()])}},
    ],
    ids=["one object", "ndjson", "gzip", "form"],
)
def test_what_the_vendors_clients_send_is_read(
    client: httpx.Client, options: dict[str, Any]
) -> None:
    assert send(client, **options).json()["num_records_imported"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        event(time=NOW + 3601),
        event(time=(NOW + 3601) * 1000),
        event(time=31_535_999),
        event(time=f"{NOW}"),
        event(time=NOW + 0.5),
        event(time=None),
        event(**{"$insert_id": ""}),
        event(**{"$insert_id": "x" * 37}),
        event(**{"$insert_id": "a_b"}),
        event(**{"$insert_id": "null"}),
        event(distinct_id="N/A"),
        event(distinct_id=5),
        event(nested={"a": {"b": {"c": {}}}}),
        event(many=list(range(255))),
        event(**{f"p{n}": n for n in range(252)}),
        event() | {"token": "x"},
        {"event": "", "properties": event()["properties"]},
        {"event": "x", "properties": []},
        "text",
    ],
)
def test_a_bad_event_is_named_and_the_rest_imported(client: httpx.Client, bad: object) -> None:
    reply = send(client, event(), bad, event())
    body = reply.json()
    assert reply.status_code == 400
    assert body["num_records_imported"] == 2
    assert [failed["index"] for failed in body["failed_records"]] == [1]
    assert body["error"] == "some data points in the request failed validation"


@pytest.mark.parametrize(
    "good",
    [
        event(time=NOW + 3600),
        event(time=(NOW - 60) * 1000),
        event(time=31_536_000),
        event(distinct_id=""),
        event(**{"$insert_id": "x" * 36}),
        event(nested={"a": {"b": {"c": 1}}}),
        event(many=list(range(254))),
        event(**{f"p{n}": n for n in range(251)}),
    ],
)
def test_what_is_just_allowed_is_imported(client: httpx.Client, good: dict[str, Any]) -> None:
    assert send(client, good).status_code == 200


@pytest.mark.parametrize(
    "auth", [None, ("wrong", ""), ("", ""), (mixpanel.SERVICE_ACCOUNT, mixpanel.SERVICE_SECRET)]
)
def test_credentials_are_checked(client: httpx.Client, auth: tuple[str, str] | None) -> None:
    reply = send(client, event(), auth=auth)
    assert reply.status_code == 401
    assert reply.json() == {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}


def test_a_service_account_needs_its_project(client: httpx.Client) -> None:
    account = (mixpanel.SERVICE_ACCOUNT, mixpanel.SERVICE_SECRET)
    path = "/import?strict=1&project_id="
    assert send(client, event(), auth=account, path=path + mixpanel.PROJECT_ID).status_code == 200
    assert send(client, event(), auth=account, path=path + "2").status_code == 401


def test_requests_are_bounded(client: httpx.Client) -> None:
    assert send(client, *[event()] * 2000).status_code == 200
    assert send(client, *[event()] * 2001).status_code == 413
    large = send(client, *[event(note="x" * 1000)] * 1990)
    assert large.status_code == 413
    assert large.json() == {
        "code": 413,
        "error": "request exceeds max limit of 2097152 bytes",
        "status": "Request Entity Too Large",
    }
    squeezed = gzip.compress(json.dumps([event(note="x" * 1000)] * 1990).encode())
    headers = JSON | {"Content-Encoding": "gzip"}
    assert send(client, content=squeezed, headers=headers).status_code == 413
    assert send(client, event(note="x" * 1_048_576)).json()["num_records_imported"] == 0


@pytest.mark.parametrize(
    "options",
    [
        {"content": "["},
        {"content": "[]"},
        {"content": "a,b", "headers": {"Content-Type": "text/csv"}},
        {"headers": JSON | {"Content-Encoding": "br"}},
        {"headers": JSON | {"Content-Encoding": "gzip"}},
    ],
)
def test_requests_it_cannot_read_are_refused_whole(
    client: httpx.Client, options: dict[str, Any]
) -> None:
    reply = send(client, event(), **options)
    assert reply.status_code == 400
    assert "failed_records" not in reply.json()


def test_the_same_event_counts_once() -> None:
    with (
        serve_in_thread(mixpanel.create_app(now=lambda: NOW)) as url,
        httpx.Client(base_url=url) as c,
    ):
        send(c, event(note="first"), event(note="x" * 300), event(time=NOW - 61))
        events = c.get("/_fake/events").json()
        assert c.get("/_fake/counts").json() == {"events": 2, "received": 3, "profiles": 0}
    assert sorted(len(e["properties"].get("note", "")) for e in events) == [0, 255]


def profile(**operation: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"$token": mixpanel.TOKEN, "$distinct_id": "someone", **operation}


def test_without_strict_what_is_wrong_is_dropped_and_not_told_of(client: httpx.Client) -> None:
    good = event(**{"$insert_id": "not-strict"})
    said = send(client, good, event(time="now"), path="/import?verbose=1")
    assert said.json() == {"status": 1, "error": None}
    kept = [one["properties"] for one in client.get("/_fake/events").json()]
    assert good["properties"] in kept
    assert "now" not in [one["time"] for one in kept]
    assert send(client, event(time="now"), path="/import").text == "0"


@pytest.mark.parametrize(
    ("properties", "taken"),
    [
        ({"token": mixpanel.TOKEN, "time": NOW - 0.5}, "1"),
        ({"token": mixpanel.TOKEN, "time": NOW - 5 * 86_400}, "1"),
        ({"token": mixpanel.TOKEN, "time": NOW - 5 * 86_400 - 1}, "0"),
        ({"token": "another"}, "0"),
    ],
)
def test_track_takes_events_of_five_days_that_bear_the_token(
    client: httpx.Client, properties: dict[str, Any], taken: str
) -> None:
    assert send(client, event(**properties), path="/track").text == taken


ENGAGE = "/engage?ip=0&strict=1&verbose=1"


def test_profiles_keep_lists_as_sets() -> None:
    with serve_in_thread(mixpanel.create_app()) as url, httpx.Client(base_url=url) as c:
        reply = send(
            c,
            profile(**{"$union": {"lists": ["a", "b"]}}),
            profile(**{"$union": {"lists": ["b", "c"]}}),
            profile(**{"$remove": {"lists": "a"}}),
            profile(**{"$set": {"tier": 1}}),
            profile(**{"$set_once": {"tier": 2, "once": True}}),
            profile(**{"$add": {"tier": 2}}),
            profile(**{"$append": {"log": "x"}}),
            profile(**{"$unset": ["once"]}),
            path=ENGAGE,
            auth=None,
        )
        assert reply.json()["num_records_imported"] == 8
        profiles = c.get("/_fake/profiles").json()
        assert profiles == {"someone": {"lists": ["b", "c"], "tier": 3, "log": ["x"]}}
        send(c, profile(**{"$delete": ""}), path=ENGAGE)
        assert c.get("/_fake/profiles").json() == {}


@pytest.mark.parametrize(
    "bad",
    [
        profile(**{"$union": {"lists": "a"}}),
        profile(**{"$remove": {"lists": ["a"]}}),
        profile(**{"$union": {"a": []}, "$remove": {"a": "b"}}),
        profile(**{"$invent": {}}),
        profile(**{"$set": {}}),
        profile(**{"$unset": "a"}),
        profile() | {"$distinct_id": "null", "$set": {"a": 1}},
        profile(**{"$set": {"a": 1}}) | {"$token": "wrong"},
        5,
    ],
)
def test_a_bad_profile_is_named_and_the_rest_taken(client: httpx.Client, bad: object) -> None:
    reply = send(client, profile(**{"$set": {"a": 1}}), bad, path=ENGAGE)
    assert reply.status_code == 400
    assert [failed["index"] for failed in reply.json()["failed_records"]] == [1]
    good = profile(**{"$set": {"a": 1}})
    assert send(client, good, bad, path="/engage?verbose=1").json()["status"] == 0
    assert send(client, good, bad, path="/engage").text == "0"


def test_engage_takes_no_gzip_and_checks_the_token(client: httpx.Client) -> None:
    good = profile(**{"$set": {"a": 1}})
    body = gzip.compress(json.dumps([good]).encode())
    headers = JSON | {"Content-Encoding": "gzip"}
    assert send(client, path=ENGAGE, content=body, headers=headers).status_code == 400
    assert send(client, good | {"$token": "wrong"}, path=ENGAGE).status_code == 401
    assert send(client, good, path="/engage").text == "1"
    assert send(client, good, path="/engage?verbose=1").json() == {"status": 1, "error": None}


def test_a_store_outlives_the_process(tmp_path: Path) -> None:
    store = tmp_path / "store"
    member = profile(**{"$union": {"lists": ["ü"]}})
    for _ in range(2):
        with (
            serve_in_thread(mixpanel.create_app(store=store, now=lambda: NOW)) as url,
            httpx.Client(base_url=url) as c,
        ):
            send(c, event())
            send(c, member, path=ENGAGE)
            counts = c.get("/_fake/counts").json()
    assert counts == {"events": 1, "received": 2, "profiles": 1}


def test_failures_are_scripted_by_path_and_count() -> None:
    with (
        serve_in_thread(mixpanel.create_app(now=lambda: NOW)) as url,
        httpx.Client(base_url=url) as c,
    ):
        limit = {
            "kind": "status",
            "status": 429,
            "headers": {"Retry-After": "3"},
            "path": "/import",
        }
        c.post("/_fake/script", json=[limit | {"skip": 1, "times": 2}])
        statuses = [send(c, event()).status_code for _ in range(4)]
        assert statuses == [200, 429, 429, 200]
        assert [seen["status"] for seen in c.get("/_fake/requests").json()] == [200, 0, 0, 200]
        c.post("/_fake/script", json=[{"kind": "drop", "when": "after"}])
        with pytest.raises(httpx.RemoteProtocolError):
            send(c, event(**{"$insert_id": "a-2"}))
        assert c.get("/_fake/counts").json()["events"] == 2
