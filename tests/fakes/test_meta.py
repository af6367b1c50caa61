from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import meta
from fakes.server import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HASH = hashlib.sha256(b"mary@example.com").hexdigest()
ACCOUNT = f"/v25.0/act_{meta.AD_ACCOUNT}"
SESSION = {"session_id": 7, "batch_seq": 1, "last_batch_flag": True}
AUDIENCE = {"name": "A", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {meta.TOKEN}"}
    with (
        serve_in_thread(meta.create_app()) as url,
        httpx.Client(base_url=url, headers=headers, trust_env=False) as client,
    ):
        yield client


def users(client: httpx.Client, **values: Any) -> httpx.Response:  # noqa: ANN401 - parts of a body
    audience = client.post(f"{ACCOUNT}/customaudiences", json=AUDIENCE).json()["id"]
    body = {"session": SESSION, "payload": {"schema": ["EMAIL"], "data": [[HASH]]}} | values
    return client.post(f"/v25.0/{audience}/users", json=body)


def test_a_row_is_counted_and_kept(client: httpx.Client) -> None:
    reply = users(client).json()
    assert (reply["num_received"], reply["num_invalid_entries"]) == (1, 0)
    assert client.get("/_fake/audiences").json() == {"A": [{"EMAIL": HASH}]}


@pytest.mark.parametrize(
    "cell",
    ["mary@example.com", HASH.upper(), HASH[:-1], hashlib.md5(b"x").hexdigest(), ""],  # noqa: S324 - what must not pass
)
def test_an_entry_that_is_not_hashed_right_is_counted_in_a_200(
    client: httpx.Client, cell: str
) -> None:
    reply = users(client, payload={"schema": ["EMAIL"], "data": [[cell]]})
    assert reply.status_code == 200
    assert reply.json()["num_invalid_entries"] == 1
    assert client.get("/_fake/audiences").json() == {"A": []}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"session": None}, 100),
        ({"session": SESSION | {"batch_seq": 2}}, 2650),
        ({"session": SESSION | {"session_id": "7"}}, 100),
        ({"session": SESSION | {"session_id": 1 << 63}}, 100),
        ({"payload": {"schema": ["SHOE"], "data": [[HASH]]}}, 100),
        ({"payload": {"schema": ["EMAIL"], "data": [[HASH, HASH]]}}, 100),
        ({"payload": {"schema": ["EMAIL"], "data": [[None]]}}, 100),
        ({"payload": {"schema": ["EMAIL"], "data": []}}, 100),
        ({"payload": {"schema": ["EMAIL"], "data": [[HASH]] * 10_001}}, 100),
    ],
)
def test_a_request_against_the_rules_is_refused(
    client: httpx.Client, values: dict[str, Any], code: int
) -> None:
    reply = users(client, **values)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)
    assert client.get("/_fake/audiences").json() == {"A": []}


def test_received_rows_are_counted_over_a_session(client: httpx.Client) -> None:
    users(client)
    reply = users(client, session=SESSION | {"batch_seq": 2})
    assert reply.json()["num_received"] == 2


@pytest.mark.parametrize("values", [{"name": ""}, {"subtype": "X"}, {"customer_file_source": "X"}])
def test_an_audience_needs_what_meta_asks_for(client: httpx.Client, values: dict[str, str]) -> None:
    reply = client.post(f"{ACCOUNT}/customaudiences", json=AUDIENCE | values)
    assert reply.json()["error"]["code"] == 100


def test_token_version_and_audience_must_be_right(client: httpx.Client) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    assert client.get(ACCOUNT, headers=wrong).json()["error"]["code"] == 190
    old = client.get(f"/v2/act_{meta.AD_ACCOUNT}").json()["error"]
    assert old["code"] == 2635
    missing = client.post("/v25.0/1/users", json={}).json()["error"]
    assert (missing["code"], missing["error_subcode"]) == (100, 33)


def test_metas_own_client_sends_forms_and_a_delete_in_the_query(client: httpx.Client) -> None:
    users(client)
    audience = client.get(f"{ACCOUNT}/customaudiences").json()["data"][0]["id"]
    payload = f'{{"schema":["EMAIL"],"data":[["{HASH}"]],"is_raw":true}}'
    session = '{"session_id":9,"batch_seq":1,"last_batch_flag":true}'
    query = {"payload": payload, "session": session, "access_token": meta.TOKEN}
    reply = client.delete(f"/v25.0/{audience}/users", params=query, headers={"Authorization": ""})
    assert reply.json()["num_received"] == 1
    assert client.get("/_fake/audiences").json() == {"A": []}


def test_what_was_taken_outlives_a_restart(tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {meta.TOKEN}"}
    for _ in range(2):
        app = meta.create_app(store=tmp_path / "meta.ndjson")
        with serve_in_thread(app) as url, httpx.Client(base_url=url, headers=headers) as client:
            if client.get("/_fake/audiences").json() == {}:
                users(client)
            assert client.get("/_fake/audiences").json() == {"A": [{"EMAIL": HASH}]}
