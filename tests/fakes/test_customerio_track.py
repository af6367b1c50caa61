from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import customerio_track
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.server import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = 1_800_000_000
AUTH = (customerio_track.SITE_ID, customerio_track.API_KEY)
BEARER = {"Authorization": f"Bearer {APP_API_KEY}"}
ULID = "01HZX5J8T3W9Y7B2C4D6F8G0H1"
TAKEN = (200, {})


def person(name: str, email: str | None = None) -> dict[str, Any]:
    identifiers = {"cio_id": f"03{name}", "id": name, "email": email}
    return {"id": name, "identifiers": identifiers, "attributes": {}, "unsubscribed": False}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    workspace = Workspace(
        people=[person("ana", "Ana@example.com"), person("ben")],
        segments=[
            {"id": 7, "name": "Ours", "type": "manual", "state": "finished"},
            {"id": 8, "name": "Theirs", "type": "dynamic", "state": "finished"},
        ],
    )
    app = customerio_track.create_app(workspace=workspace, now=lambda: NOW, refused=["blocked"])
    with (
        serve_in_thread(app) as url,
        httpx.Client(base_url=url, trust_env=False, auth=AUTH) as client,
    ):
        yield client


def identify(name: str = "cleo", **attributes: object) -> dict[str, Any]:
    return {
        "type": "person",
        "identifiers": {"id": name},
        "action": "identify",
        "attributes": attributes,
    }


def event(**values: object) -> dict[str, Any]:
    item = {"type": "person", "identifiers": {"id": "ana"}, "action": "event", "name": "Viewed"}
    return item | {"id": ULID, "timestamp": NOW} | values


def send(client: httpx.Client, *items: object, **options: object) -> tuple[int, Any]:
    reply = client.post("/api/v2/batch", **({"json": {"batch": items}} | options))
    return reply.status_code, reply.json()


def change(client: httpx.Client, call: str, ids: object, **params: str) -> tuple[int, Any]:
    reply = client.post(f"/api/v1/segments/{call}", json={"ids": ids}, params=params)
    return reply.status_code, reply.json()


def profiles(client: httpx.Client) -> dict[str, Any]:
    return {each["id"]: each for each in client.get("/_fake/profiles").json()}


def members(client: httpx.Client) -> list[str]:
    return [each["id"] for each in client.get("/_fake/segments").json()["Ours"]]


def test_identify_creates_updates_and_unsubscribes_and_the_profile_stays(
    client: httpx.Client,
) -> None:
    assert send(client, identify(plan="free", visits=0, unsubscribed=True)) == TAKEN
    assert send(client, identify(plan="paid", visits=None)) == TAKEN
    cleo = profiles(client)["cleo"]
    assert cleo["attributes"] == {"plan": "paid"}
    assert cleo["unsubscribed"] is True


BAD: list[tuple[Any, str]] = [
    (5, "type"),
    (identify() | {"type": "object"}, "type"),
    (identify() | {"action": "erase"}, "action"),
    (identify() | {"identifiers": {}}, "identifiers"),
    (identify() | {"identifiers": {"id": "a", "email": "a@x.io"}}, "identifiers"),
    (identify(""), "identifiers.id"),
    (identify("x" * 151), "identifiers.id"),
    (identify() | {"identifiers": {"email": "nobody"}}, "identifiers.email"),
    (identify() | {"identifiers": {"phone": "0155512345"}}, "identifiers.phone"),
    (identify("blocked"), "identifiers.id"),
    (identify(**{"x" * 151: 1}), "attributes"),
    (identify(**{str(n): n for n in range(301)}), "attributes"),
    (identify(note="x" * 1_001), "attributes.note"),
    (identify(phone="+4915112345678901"), "attributes.phone"),
    (identify(created_at="2026-01-01"), "attributes.created_at"),
    (identify(unsubscribed="true"), "attributes.unsubscribed"),
    (event(name=" "), "name"),
    (event(name="x" * 101), "name"),
    (event(id="not a ULID"), "id"),
    (event(timestamp="now"), "timestamp"),
    (event(attributes=[]), "attributes"),
    (event(attributes={"note": "x" * 32_768}), ""),
]


@pytest.mark.parametrize(("bad", "field"), BAD)
def test_a_bad_item_is_named_and_the_others_are_taken(
    client: httpx.Client, bad: object, field: str
) -> None:
    status, body = send(client, identify("first"), bad, identify("last"))
    assert status == 207
    (error,) = body["errors"]
    assert (error["batch_index"], error["field"]) == (1, field)
    assert error["reason"]
    assert set(profiles(client)) == {"ana", "ben", "first", "last"}


@pytest.mark.parametrize(
    "good",
    [
        identify("x" * 150),
        identify(**{str(n): n for n in range(300)}),
        identify(note="x" * 1_000),
        identify(phone="+491511234567890"),
        event(name="x" * 100),
        identify() | {"identifiers": {"phone": "+491511234567"}},
    ],
)
def test_what_is_just_allowed_is_taken(client: httpx.Client, good: dict[str, Any]) -> None:
    assert send(client, good) == TAKEN


@pytest.mark.parametrize(
    "options",
    [
        {"json": None, "content": "["},
        {"json": []},
        {"json": {}},
        {"json": {"batch": []}},
        {"json": {"batch": [identify(str(n), a="x" * 900) for n in range(550)]}},
    ],
)
def test_what_is_no_batch_or_too_large_is_refused_whole(
    client: httpx.Client, options: dict[str, Any]
) -> None:
    status, body = send(client, **options)
    assert status == 400
    assert set(body["errors"][0]) == {"reason", "field", "message"}
    assert set(profiles(client)) == {"ana", "ben"}


def test_one_entity_is_taken_or_refused_with_400(client: httpx.Client) -> None:
    assert client.post("/api/v2/entity", json=identify()).json() == {}
    reply = client.post("/api/v2/entity", json=identify(""))
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (400, "identifiers.id")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v2/batch"),
        ("POST", "/api/v1/segments/7/add_customers"),
        ("GET", "/api/v1/accounts/region"),
    ],
)
def test_wrong_credentials_are_refused(client: httpx.Client, method: str, path: str) -> None:
    reply = client.request(method, path, auth=("other", "key"), json={"batch": [identify()]})
    assert (reply.status_code, reply.json()) == (401, {"meta": {"error": "Unauthorized request"}})
    assert "cleo" not in profiles(client)


def test_an_event_is_kept_once_an_id_and_starts_campaigns_for_72_hours(
    client: httpx.Client,
) -> None:
    old = {"timestamp": NOW - 72 * 3_600 - 1, "id": ULID[:-1] + "2"}
    edge = {"timestamp": NOW - 72 * 3_600, "id": ULID[:-1] + "3"}
    assert send(client, event(), event(), event(**old), event(**edge)) == TAKEN
    send(client, event(attributes={"again": True}))
    found = {each["id"]: each["is_trigger"] for each in client.get("/_fake/events").json()}
    assert found == {ULID: True, old["id"]: False, edge["id"]: True}


def test_an_event_without_an_id_counts_each_time_and_creates_whom_nobody_knows(
    client: httpx.Client,
) -> None:
    item = event(identifiers={"id": "dora"})
    del item["id"]
    send(client, item, item)
    assert len(client.get("/_fake/events").json()) == 2
    assert "dora" in profiles(client)


def test_a_new_id_takes_over_the_profile_of_its_address_and_no_other(client: httpx.Client) -> None:
    by_address = {"type": "person", "identifiers": {"email": "c@x.io"}, "action": "identify"}
    send(client, by_address, identify("cleo", email="C@X.io"))
    assert profiles(client).keys() == {"ana", "ben", "cleo"}
    assert send(client, identify("dora", email="ana@EXAMPLE.com")) == TAKEN
    assert profiles(client)["dora"]["identifiers"]["email"] is None
    assert len(client.get("/_fake/failures").json()) == 1


def test_an_unknown_cio_id_is_answered_200_and_nobody(client: httpx.Client) -> None:
    assert send(client, identify() | {"identifiers": {"cio_id": "0399"}}) == TAKEN
    assert profiles(client).keys() == {"ana", "ben"}
    assert len(client.get("/_fake/failures").json()) == 1


def test_ids_of_one_kind_are_added_and_those_nobody_has_are_ignored(client: httpx.Client) -> None:
    assert change(client, "7/add_customers", ["ana", "ana@example.com", "nobody"]) == TAKEN
    assert members(client) == ["ana"]
    assert change(client, "7/add_customers", ["ANA@example.com"], id_type="email") == TAKEN
    assert change(client, "7/add_customers", ["03ben"], id_type="cio_id") == TAKEN
    assert members(client) == ["ana", "ben"]
    assert change(client, "7/remove_customers", ["ana", "nobody"]) == TAKEN
    assert members(client) == ["ben"]


@pytest.mark.parametrize(
    ("call", "ids", "id_type", "status"),
    [
        ("9/add_customers", ["ana"], "id", 404),
        ("8/add_customers", ["ana"], "id", 400),
        ("8/remove_customers", ["ana"], "id", 400),
        ("7/add_customers", [], "id", 400),
        ("7/add_customers", ["ana"] * 1_001, "id", 400),
        ("7/add_customers", "ana", "id", 400),
        ("7/add_customers", ["ana"], "phone", 400),
    ],
)
def test_a_segment_call_against_the_rules_is_refused(
    client: httpx.Client, call: str, ids: object, id_type: str, status: int
) -> None:
    found, body = change(client, call, ids, id_type=id_type)
    assert found == status
    assert body["meta"]["errors"]
    assert members(client) == []


def test_the_app_api_sees_what_was_written(client: httpx.Client) -> None:
    made = client.post("/v1/segments", json={"segment": {"name": "New"}}, headers=BEARER, auth=None)
    segment = made.json()["segment"]
    assert (segment["type"], segment["name"]) == ("manual", "New")
    change(client, f"{segment['id']}/add_customers", ["ana"])
    path = f"/v1/segments/{segment['id']}"
    count = client.get(f"{path}/customer_count", headers=BEARER, auth=None).json()
    read = client.get(f"{path}/membership", headers=BEARER, auth=None).json()
    assert count == {"count": 1}
    assert [each["email"] for each in read["identifiers"]] == ["Ana@example.com"]
    assert client.get(f"{path}/customer_count").status_code == 401


@pytest.mark.parametrize("region", ["us", "eu"])
def test_the_region_of_the_workspace_is_told(region: str) -> None:
    app = customerio_track.create_app(region=region)
    with serve_in_thread(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        body = client.get("/api/v1/accounts/region", auth=AUTH).json()
    host = {"us": "track", "eu": "track-eu"}[region]
    assert body == {
        "url": f"https://{host}.customer.io",
        "region": region,
        "environment_id": customerio_track.ENVIRONMENT_ID,
    }


def test_requests_as_the_vendors_own_client_writes_them(client: httpx.Client) -> None:
    """Its Python client puts a profile and posts an event, by the first version of the API."""
    put = client.put("/api/v1/customers/e%40x.io", json={"plan": "free"})
    posted = client.post(
        "/api/v1/customers/cio_03ana/events",
        json={"name": "bought", "data": {"sku": "s"}, "id": ULID, "timestamp": NOW},
    )
    page = client.post(
        "/api/v1/customers/ana/events", json={"type": "page", "name": "/p", "data": {}}
    )
    gone = client.request("DELETE", "/api/v1/customers/ben", json={})
    refused = client.post("/api/v1/customers/ana/events", json={"name": "", "data": {}})
    statuses = [each.status_code for each in (put, posted, page, gone, refused)]
    assert statuses == [200, 200, 200, 200, 400]
    assert refused.json()["meta"]["errors"]
    found = client.get("/_fake/events").json()
    assert [(each["action"], each["attributes"]) for each in found] == [
        ("event", {"sku": "s"}),
        ("page", {}),
    ]
    emails = {each["identifiers"]["email"] for each in client.get("/_fake/profiles").json()}
    assert emails == {"Ana@example.com", "e@x.io"}


def test_what_was_kept_outlives_the_stand_in(tmp_path: Path) -> None:
    store = tmp_path / "store.ndjson"
    states = []
    for is_first in (True, False):
        app = customerio_track.create_app(store=store, now=lambda: NOW)
        with (
            serve_in_thread(app) as url,
            httpx.Client(base_url=url, trust_env=False, auth=AUTH) as client,
        ):
            if is_first:
                segment = {"segment": {"name": "Ours"}}
                client.post("/v1/segments", json=segment, headers=BEARER, auth=None)
                send(client, identify(plan="free"), event(), identify(plan="paid"))
                change(client, "1/add_customers", ["cleo", "ana"])
                change(client, "1/remove_customers", ["ana"])
            paths = ("profiles", "events", "segments")
            states.append([json.dumps(client.get(f"/_fake/{path}").json()) for path in paths])
    assert states[0] == states[1]
    assert "cleo" in states[0][2]
