"""The stand-in of the App API is as strict as the vendor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import customerio_app
from fakes.customerio_app import APP_API_KEY, OTHER_REGIONS_KEY, Workspace
from fakes.server import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADERS = {"Authorization": f"Bearer {APP_API_KEY}"}
SECONDS = [0.0]


def people(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"u{n}", "identifiers": {"cio_id": f"c{n}", "id": f"u{n}", "email": f"u{n}@x.test"}}
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    workspace = Workspace(
        campaigns=[{"id": 1}],
        campaign_actions={"1": [{"id": "9"}]},
        segments=[{"id": 1}, {"id": 2}],
        members={"1": [each["identifiers"] for each in people(3)]},
        people=people(3),
        messages=[{"id": f"d{n}", "created": 1_000 + n} for n in range(60)],
        activities=[{"id": "a", "type": "event"}, {"id": "b", "type": "profile_merge"}],
        page_size=1_000,
    )
    app = customerio_app.create_app(workspace, monotonic=lambda: SECONDS[0])
    with (
        serve_in_thread(app) as url,
        httpx.Client(base_url=url, trust_env=False, headers=HEADERS) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def later() -> None:
    """Each test comes long after the one before it, as far as the rate is concerned."""
    SECONDS[0] += 10


@pytest.mark.parametrize("key", ["", "Bearer", f"Bearer {OTHER_REGIONS_KEY}", APP_API_KEY])
def test_another_key_or_region_is_unauthorized(client: httpx.Client, key: str) -> None:
    reply = client.get("/v1/campaigns", headers={"Authorization": key})
    assert (reply.status_code, reply.json()) == (401, {"meta": {"error": "unauthorized"}})


def test_the_eleventh_request_of_a_second_is_refused(client: httpx.Client) -> None:
    replies = [client.get("/v1/campaigns") for _ in range(11)]
    assert [reply.status_code for reply in replies] == [200] * 10 + [429]
    assert replies[-1].headers["retry-after"] == "1"
    assert replies[-1].json()["errors"][0] == {
        "detail": "rate limited to 10 requests per 1s (reference a1b2c3)",
        "status": "429",
    }
    SECONDS[0] += 1
    assert client.get("/v1/campaigns").status_code == 200


def test_lists_and_what_belongs_to_one(client: httpx.Client) -> None:
    assert client.get("/v1/campaigns").json() == {"campaigns": [{"id": 1}], "next": ""}
    assert client.get("/v1/campaigns/1/actions").json() == {"actions": [{"id": "9"}], "next": ""}
    assert client.get("/v1/campaigns/2/actions").status_code == 404
    assert client.get("/v1/deliveries").status_code == 404


def test_messages_are_newest_first_within_both_ends(client: httpx.Client) -> None:
    reply = client.get("/v1/messages?start_ts=1010&end_ts=1012").json()
    assert [message["id"] for message in reply["messages"]] == ["d12", "d11", "d10"]
    usual = client.get("/v1/messages?start_ts=1000&end_ts=2000").json()
    assert len(usual["messages"]) == 50
    rest = client.get(
        "/v1/messages", params={"start_ts": 1000, "end_ts": 2000, "start": usual["next"]}
    ).json()
    assert (len(rest["messages"]), rest["next"]) == (10, "")


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/v1/messages?start_ts=1&end_ts=2&limit=1001", "/limit"),
        ("/v1/messages?start_ts=1&end_ts=2&limit=0", "/limit"),
        ("/v1/messages?start_ts=x&end_ts=2", "/start_ts"),
        ("/v1/messages?start_ts=1&end_ts=99999999", None),
        ("/v1/activities?limit=101", "/limit"),
        ("/v1/segments/1/membership?limit=30001", "/limit"),
        ("/v1/campaigns?start=zzz", None),
    ],
)
def test_what_the_vendor_does_not_allow_is_refused(
    client: httpx.Client, path: str, pointer: str | None
) -> None:
    reply = client.get(path)
    assert reply.status_code == 400
    (error,) = reply.json()["errors"]
    assert error["status"] == "400"
    assert error.get("source", {}).get("pointer") == pointer


def test_an_address_that_is_not_encoded_gets_an_empty_answer(client: httpx.Client) -> None:
    for path in ("/v1/activities?name=a+b", "/v1/activities?name=a@b"):
        reply = client.get(path)
        assert (reply.status_code, reply.json()) == (200, {"activities": [], "next": ""})
    assert len(client.get("/v1/activities?name=a%2Bb").json()["activities"]) == 2
    assert len(client.get("/v1/activities?type=profile_merge").json()["activities"]) == 1


def test_members_and_an_empty_segment(client: httpx.Client) -> None:
    reply = client.get("/v1/segments/1/membership").json()
    assert reply["ids"] == ["u0", "u1", "u2"]
    assert reply["identifiers"][0] == {"cio_id": "c0", "id": "u0", "email": "u0@x.test"}
    assert client.get("/v1/segments/2/membership").json() == {
        "segment_id": 2,
        "ids": None,
        "identifiers": None,
        "next": "",
    }


def test_people_by_filter_and_then_by_id(client: httpx.Client) -> None:
    everybody = {"filter": {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}}
    page = client.post("/v1/customers?limit=2", json=everybody).json()
    assert [each["cio_id"] for each in page["identifiers"]] == ["c0", "c1"]
    assert page["next"]
    found = client.post("/v1/customers/attributes?id_type=cio_id", json={"ids": ["c2", "zz"]})
    assert found.json() == {"customers": [people(3)[2]]}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v1/customers", "{}"),
        ("/v1/customers", "[]"),
        ("/v1/customers", "{"),
        ("/v1/customers/attributes?id_type=cio_id", json.dumps({"ids": []})),
        ("/v1/customers/attributes?id_type=cio_id", json.dumps({"ids": ["c"] * 101})),
        ("/v1/customers/attributes", json.dumps({"ids": ["c"]})),
    ],
)
def test_bodies_the_vendor_does_not_take(client: httpx.Client, path: str, content: str) -> None:
    assert client.post(path, content=content).status_code == 400


def test_empty_pages_come_before_full_ones_where_asked_for(tmp_path: Path) -> None:
    store = tmp_path / "workspace.json"
    store.write_text(
        json.dumps({"topics": [{"id": 1}, {"id": 2}], "page_size": 1, "has_empty_pages": True})
    )
    with (
        serve_in_thread(customerio_app.create_app(store=store)) as url,
        httpx.Client(base_url=url, trust_env=False, headers=HEADERS) as client,
    ):
        sizes, token = [], None
        while token != "":
            query = {"start": token} if token else {}
            page = client.get("/v1/subscription_topics", params=query).json()
            sizes.append(len(page["topics"]))
            token = page["next"]
    assert sizes == [0, 1, 0, 1]
