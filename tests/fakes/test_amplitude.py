from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import amplitude
from fakes.server import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JSON = {"Content-Type": "application/json"}
BATCH, HTTP_V2 = "/batch", "/2/httpapi"
AUTH = (amplitude.API_KEY, amplitude.SECRET_KEY)


class Time:
    """The stand-in's clock."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def client(time: Time) -> Iterator[httpx.Client]:
    app = amplitude.create_app(now=time, refused=["stranger"], daily_quota=2_500)
    with (
        serve_in_thread(app) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        yield client


def event(number: int = 0, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    good = {"user_id": f"user-{number}", "event_type": "Email Sent", "insert_id": str(number)}
    return good | values


def send(client: httpx.Client, *events: object, path: str = BATCH, **body: object) -> Any:  # noqa: ANN401 - any JSON
    content = {"api_key": amplitude.API_KEY, "events": events} | body
    reply = client.post(path, content=json.dumps(content), headers=JSON)
    assert reply.json()["code"] == reply.status_code
    return reply.json()


def kept(client: httpx.Client) -> list[str]:
    return [kept["user_id"] for kept in client.get("/_fake/events").json()]


@pytest.mark.parametrize("path", [BATCH, HTTP_V2])
def test_good_events_are_ingested(client: httpx.Client, path: str) -> None:
    reply = send(client, event(1), event(2), path=path)
    assert reply["events_ingested"] == 2
    assert kept(client) == ["user-1", "user-2"]


def test_an_insert_id_counts_once_a_person(client: httpx.Client) -> None:
    send(client, event(1), event(1), event(2, insert_id="1"))
    assert send(client, event(1))["events_ingested"] == 1
    assert kept(client) == ["user-1", "user-2"]


@pytest.mark.parametrize(
    ("bad", "kind", "field"),
    [
        (7, "events_with_invalid_fields", "event"),
        ({"user_id": "user-1"}, "events_with_missing_fields", "event_type"),
        ({"event_type": "x"}, "events_with_missing_fields", "user_id"),
        (event(user_id="anonymous"), "events_with_invalid_fields", "user_id"),
        (event(user_id="0"), "events_with_invalid_fields", "user_id"),
        (event(user_id=12345), "events_with_invalid_fields", "user_id"),
        (event(user_id="x" * 1025), "events_with_invalid_fields", "user_id"),
        (event(user_id="1234"), "events_with_invalid_id_lengths", "user_id"),
        (event(device_id="1234"), "events_with_invalid_id_lengths", "device_id"),
        (event(event_type=""), "events_with_invalid_fields", "event_type"),
        (event(event_type="[Amplitude] Revenue"), "events_with_invalid_fields", "event_type"),
        (event(time="2026-01-01"), "events_with_invalid_fields", "time"),
        (event(insert_id=1), "events_with_invalid_fields", "insert_id"),
        (event(event_properties=[]), "events_with_invalid_fields", "event_properties"),
        (
            event(event_properties={"a": "x" * 1025}),
            "events_with_invalid_fields",
            "event_properties",
        ),
        (event(user_id="stranger"), "events_with_invalid_fields", "user_id"),
    ],
)
def test_a_bad_event_is_listed_and_nothing_is_taken(
    client: httpx.Client, bad: object, kind: str, field: str
) -> None:
    reply = send(client, event(1), bad, event(2), bad)
    assert reply["code"] == 400
    assert reply[kind] == {field: [1, 3]}
    assert kept(client) == []
    assert send(client, event(1), bad, event(2), bad, path=HTTP_V2)[kind] == {field: [1]}


def test_a_request_may_allow_shorter_ids(client: httpx.Client) -> None:
    assert send(client, event(user_id="1"), options={"min_id_length": 1})["code"] == 200


@pytest.mark.parametrize(
    ("body", "error", "more"),
    [
        ({"api_key": None}, "Request missing required field", {"missing_field": "api_key"}),
        ({"events": []}, "Request missing required field", {"missing_field": "events"}),
        ({"api_key": "wrong"}, "Invalid API key: wrong", {}),
    ],
)
def test_a_request_without_key_or_events_is_refused(
    client: httpx.Client, body: dict[str, Any], error: str, more: dict[str, str]
) -> None:
    assert send(client, event(), **body) == {"code": 400, "error": error} | more


@pytest.mark.parametrize("content", [b"[", b"[]", gzip.compress(b"{}", mtime=0)])
def test_what_is_not_json_is_refused(client: httpx.Client, content: bytes) -> None:
    reply = client.post(BATCH, content=content, headers=JSON)
    assert reply.json() == {"code": 400, "error": "Invalid JSON request body"}


def test_gzip_is_taken(client: httpx.Client) -> None:
    body = {"api_key": amplitude.API_KEY, "events": [event(1)]}
    headers = JSON | {"Content-Encoding": "gzip"}
    content = gzip.compress(json.dumps(body).encode())
    assert client.post(HTTP_V2, content=content, headers=headers).json()["code"] == 200


def test_requests_are_bounded(client: httpx.Client) -> None:
    many = [event(number) for number in range(2_001)]
    assert send(client, *many)["code"] == 413
    assert send(client, *many[:2_000])["code"] == 200
    assert send(client, *many[:2_000], path=HTTP_V2)["code"] == 413
    assert send(client, *many[:1_999], path=HTTP_V2)["code"] == 200
    large = [event(number, note="x" * 1_000) for number in range(1_000)]
    assert send(client, *large, path=HTTP_V2) == {"code": 413, "error": "Payload too large"}
    assert send(client, *large)["code"] == 200


def test_more_events_a_second_than_allowed_are_throttled(client: httpx.Client, time: Time) -> None:
    one = [event(1, insert_id=str(number)) for number in range(31)]
    reply = send(client, event(2), *one, path=HTTP_V2)
    assert reply["code"] == 429
    assert reply["throttled_users"] == {"user-1": 31}
    assert reply["throttled_events"] == list(range(1, 32))
    assert reply["eps_threshold"] == 30
    assert kept(client) == []
    assert send(client, *one[:30], path=HTTP_V2)["code"] == 200
    assert send(client, *one[30:], path=HTTP_V2)["code"] == 429
    assert send(client, *one[30:])["code"] == 200
    time.now += 1
    assert send(client, *one[30:], path=HTTP_V2)["code"] == 200


def test_more_events_a_day_than_allowed_wait_for_another_day(
    client: httpx.Client, time: Time
) -> None:
    for _ in range(3):
        time.now += 1
        reply = send(client, *[event(1)] * 900)
    assert reply["exceeded_daily_quota_users"] == {"user-1": 2_700}
    assert len(reply["throttled_events"]) == 900
    time.now += 86_400
    assert send(client, event(1))["code"] == 200


def cohort(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    good = {
        "name": "Buyers",
        "app_id": amplitude.APP_ID,
        "id_type": "BY_USER_ID",
        "ids": ["a", "b", "stranger"],
        "owner": amplitude.OWNER,
        "published": True,
    }
    return good | values


def upload(client: httpx.Client, **values: object) -> httpx.Response:
    return client.post("/api/3/cohorts/upload", json=cohort(**values), auth=AUTH)


def change(client: httpx.Client, *memberships: object, **values: object) -> httpx.Response:
    body = {"cohort_id": "cohort1", "memberships": memberships} | values
    return client.post("/api/3/cohorts/membership", json=body, auth=AUTH)


def member(operation: str = "ADD", *ids: str, id_type: str = "BY_NAME") -> dict[str, Any]:
    return {"ids": ids, "id_type": id_type, "operation": operation}


def cohorts(client: httpx.Client) -> dict[str, list[str]]:
    return client.get("/_fake/cohorts").json()


def test_an_upload_makes_a_cohort_of_the_ids_it_knows(client: httpx.Client) -> None:
    assert upload(client).json() == {
        "cohortId": "cohort1",
        "metadata": {"matched": 2, "totals": 3, "invalid_ids_sample": ["stranger"]},
    }
    assert cohorts(client) == {"Buyers": ["a", "b"]}
    listed = client.get("/api/3/cohorts", auth=AUTH).json()["cohorts"]
    assert [(c["id"], c["name"], c["size"], c["appId"]) for c in listed] == [
        ("cohort1", "Buyers", 2, amplitude.APP_ID)
    ]


def test_an_upload_to_a_cohort_replaces_it(client: httpx.Client) -> None:
    upload(client)
    upload(client, existing_cohort_id="cohort1", ids=["c"], name="Others")
    assert cohorts(client) == {"Others": ["c"]}


def test_an_upload_on_trial_is_not_saved(client: httpx.Client) -> None:
    reply = upload(client, skip_save=True, ids=["stranger"])
    assert reply.status_code == 200
    assert reply.json()["metadata"]["matched"] == 0
    assert cohorts(client) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"name": None},
        {"app_id": str(amplitude.APP_ID)},
        {"app_id": 1},
        {"owner": "nobody@example.com"},
        {"published": "yes"},
        {"id_type": "BY_NAME"},
        {"ids": []},
        {"ids": [1]},
        {"ids": ["stranger"]},
        {"ids": [str(number) for number in range(100_001)]},
        {"skip_invalid_ids": False},
        {"id_type": "BY_AMP_ID"},
        {"existing_cohort_id": "nothing"},
    ],
)
def test_a_wrong_upload_is_refused(client: httpx.Client, values: dict[str, Any]) -> None:
    reply = upload(client, **values)
    assert reply.status_code == 400
    assert reply.json()["error"]["http_code"] == 400
    assert cohorts(client) == {}


def test_members_are_added_and_removed_and_strangers_skipped(client: httpx.Client) -> None:
    upload(client)
    reply = change(client, member("ADD", "c", "stranger"), member("REMOVE", "a", "never in it"))
    assert reply.json() == {
        "cohort_id": "cohort1",
        "memberships_result": [
            {"skipped_ids": ["stranger"], "id_type": "BY_NAME", "operation": "ADD"},
            {"skipped_ids": [], "id_type": "BY_NAME", "operation": "REMOVE"},
        ],
    }
    assert cohorts(client) == {"Buyers": ["b", "c"]}


@pytest.mark.parametrize(
    ("memberships", "values"),
    [
        ([member("ADD", "c")], {"cohort_id": "nothing"}),
        ([member("ADD", "c")], {"memberships": None}),
        ([member("ADD")], {}),
        ([member("SET", "c")], {}),
        ([member("ADD", "c", id_type="BY_USER_ID")], {}),
        ([member("ADD", "c"), member("ADD", "stranger")], {"skip_invalid_ids": False}),
        (["c"], {}),
    ],
)
def test_a_wrong_change_changes_nothing(
    client: httpx.Client, memberships: list[object], values: dict[str, Any]
) -> None:
    upload(client)
    assert change(client, *memberships, **values).status_code == 400
    assert cohorts(client) == {"Buyers": ["a", "b"]}


@pytest.mark.parametrize("auth", [None, (amplitude.API_KEY, ""), ("", amplitude.SECRET_KEY)])
def test_cohorts_need_both_keys(client: httpx.Client, auth: tuple[str, str] | None) -> None:
    assert client.get("/api/3/cohorts", auth=auth).status_code == 401
    reply = client.post("/api/3/cohorts/upload", json=cohort(), auth=auth)
    assert reply.status_code == 401
    assert cohorts(client) == {}


def test_a_store_outlives_the_process(tmp_path: Path) -> None:
    for run in range(2):
        with (
            serve_in_thread(amplitude.create_app(store=tmp_path / "store")) as url,
            httpx.Client(base_url=url) as c,
        ):
            send(c, event(1))
            if run == 0:
                upload(c)
                change(c, member("REMOVE", "b"))
            assert kept(c) == ["user-1"]
            assert cohorts(c) == {"Buyers": ["a", "stranger"]}
