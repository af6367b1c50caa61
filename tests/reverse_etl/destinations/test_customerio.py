from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import customerio_track
from fakes.customerio_app import APP_API_KEY
from fakes.server import serve_in_thread
from reverse_etl.clock import milliseconds
from reverse_etl.contract import Later, NoOptions, Refused, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.customerio import (
    CUSTOMERIO,
    CustomerioSettings,
    EventOptions,
)
from reverse_etl.destinations.customerio_batch import read
from reverse_etl.destinations.customerio_rules import words
from reverse_etl.http import Answer, Http
from warehouse.errors import UsageError

from .changes import EVENT, NOW, changes_like

if TYPE_CHECKING:
    from reverse_etl.contract import Channel


def settings(url: str = "http://127.0.0.1:9", **values: str) -> CustomerioSettings:
    return CustomerioSettings(
        site_id=customerio_track.SITE_ID,
        api_key=Secret(customerio_track.API_KEY),
        app_api_key=Secret(APP_API_KEY),
        base_url=url,
        **values,
    )


change = changes_like(
    EVENT,
    identifier="id:customer-1",
    label="Added_To_Cart",
    occurred_ms=milliseconds(NOW) - 500,
    payload='{"item":{"sku":"s","sizes":[1,2]},"zero":0,"no":false,"empty":"","null":null}',
)


@pytest.fixture
def people(http: Http) -> Channel:
    return CUSTOMERIO.objects["people"].open(settings(), NoOptions(), http)


@pytest.fixture
def events(http: Http) -> Channel:
    return CUSTOMERIO.objects["events"].open(settings(), EventOptions(), http)


@pytest.mark.parametrize(
    ("key", "identifiers"),
    [
        ("id:customer-1", {"id": "customer-1"}),
        ("id:a:b", {"id": "a:b"}),
        ("email:a@x.io", {"email": "a@x.io"}),
        ("cio:0300", {"cio_id": "0300"}),
    ],
)
def test_a_person_is_named_by_one_identifier_of_its_kind(
    people: Channel, key: str, identifiers: dict[str, str]
) -> None:
    assert json.loads(people.encode(change(identifier=key))) == {
        "type": "person",
        "identifiers": identifiers,
        "action": "identify",
        # what is null overwrites nothing; zero, false and an empty text are values
        "attributes": {
            "item": {"sku": "s", "sizes": [1, 2]},
            "zero": 0,
            "no": False,
            "empty": "",
        },
    }


def test_attributes_that_are_instructions_are_not_passed_on(people: Channel) -> None:
    names = ("id", "cio_id", "anonymous_id", "_timestamp", "_update", "cio_relationships")
    payload = json.dumps(dict.fromkeys(names, "x") | {"plan": "free"})
    record = json.loads(people.encode(change(payload=payload)))
    assert record["attributes"] == {"plan": "free"}


def test_an_event_has_its_own_time_and_an_id_that_is_always_the_same(events: Channel) -> None:
    record = json.loads(events.encode(change()))
    assert record == {
        "type": "person",
        "identifiers": {"id": "customer-1"},
        "action": "event",
        "name": "Added_To_Cart",
        "id": record["id"],
        "timestamp": milliseconds(NOW) // 1000 - 1,
        "attributes": {
            "item": {"sku": "s", "sizes": [1, 2]},
            "zero": 0,
            "no": False,
            "empty": "",
            "null": None,
        },
    }
    assert events.encode(change(payload="{}", row=7)).count(record["id"].encode()) == 1
    others = [change(record_key="2"), change(occurred_ms=milliseconds(NOW))]
    assert len({json.loads(events.encode(each))["id"] for each in others} | {record["id"]}) == 3


def test_ids_of_events_sort_as_the_events_do(events: Channel) -> None:
    instants = (0, 1, 31, 32, 2**40, 2**48 - 1)
    ids = [json.loads(events.encode(change(occurred_ms=each)))["id"] for each in instants]
    assert ids == sorted(ids)
    assert {len(each) for each in ids} == {26}


def test_data_that_would_send_a_message_to_somebody_else_stays_here(events: Channel) -> None:
    payload = '{"recipient":"x@y.z","from_address":"x@y.z","reply_to":"x@y.z","sku":"s"}'
    assert json.loads(events.encode(change(payload=payload)))["attributes"] == {"sku": "s"}


@pytest.mark.parametrize("action", ["screen", "page"])
def test_a_sync_may_send_screens_as_screens(http: Http, action: str) -> None:
    channel = CUSTOMERIO.objects["events"].open(settings(), EventOptions(action), http)
    assert json.loads(channel.encode(change()))["action"] == action


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"identifier": "customer-1"}, "identity must be profile_key"),
        ({"identifier": "phone:+49"}, "identity must be profile_key"),
        ({"identifier": "id: "}, "blank"),
        ({"identifier": "id:" + "x" * 151}, "longer than 150 bytes"),
        ({"payload": "[]"}, "not a JSON object"),
    ],
)
@pytest.mark.parametrize("kind", ["people", "events"])
def test_a_row_that_names_nobody_is_refused(
    request: pytest.FixtureRequest, kind: str, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        request.getfixturevalue(kind).encode(change(**values))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({str(n): n for n in range(301)}, "more than 300 attributes"),
        ({"ü" * 76: 1}, "name is empty, or longer than 150 bytes"),
        ({"": 1}, "name is empty"),
        ({"note": "ü" * 501}, "attribute note: more than 1000 bytes"),
        ({"list": ["x" * 1_000]}, "attribute list: more than 1000 bytes"),
        ({"phone": "+4915112345678901"}, "attribute phone: more than 16 bytes"),
    ],
)
def test_attributes_beyond_a_limit_are_refused_by_name(
    people: Channel, payload: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        people.encode(change(payload=json.dumps(payload)))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"label": " "}, "without a name"),
        ({"label": "ü" * 51}, "name of more than 100 bytes"),
        ({"occurred_ms": None}, "without a time"),
        ({"occurred_ms": -1}, "before 1970"),
        ({"occurred_ms": 2**48}, "beyond the year 10889"),
    ],
)
def test_an_event_beyond_a_limit_is_refused(
    events: Channel, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        events.encode(change(**values))


def test_what_is_just_allowed_is_taken_by_the_vendor(people: Channel, events: Channel) -> None:
    attributes: dict[str, Any] = {"x" * 150: 1, "note": "ü" * 500, "phone": "+491511234567890"}
    attributes |= {str(n): n for n in range(297)}
    rows = [
        people.encode(change(identifier="id:" + "x" * 150, payload=json.dumps(attributes))),
        events.encode(change(label="x" * 100, occurred_ms=0)),
    ]
    with serve_in_thread(customerio_track.create_app()) as url, Http(url) as http:
        channel = CUSTOMERIO.objects["people"].open(settings(url), NoOptions(), http)
        assert channel.send("api/v2/batch", rows) == Taken()


def test_a_full_batch_stays_below_500_kb(people: Channel) -> None:
    assert people.limits.size < 500_000
    assert people.limits.measure(0, 0) == len('{"batch":[]}')
    assert people.limits.record_size == 32_000
    assert people.limits.requests_per_second == 100


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, httpx.Headers(), json.dumps(body).encode())


def errors(*indexes: object) -> dict[str, Any]:
    return {"errors": [{"batch_index": each, "reason": "invalid"} for each in indexes]}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer({}), Taken()),
        (answer(errors(1), 207), Taken({1: "invalid"})),
        # rows refused with 200 are refused all the same
        (answer(errors(0, 2, 2)), Taken({0: "invalid", 2: "invalid"})),
        (answer({"errors": [{"reason": "required", "field": "batch"}]}, 400), "required: batch"),
        (answer({"errors": []}, 400), "without a reason"),
        (answer(errors(3), 207), "does not say which"),
        (answer(errors(None), 207), "does not say which"),
        (answer(errors("0"), 207), "does not say which"),
        (answer({"errors": ["x"]}, 207), "does not say which"),
    ],
)
def test_a_reply_is_read_row_by_row(reply: Answer, expected: object) -> None:
    found = read(reply, 3)
    if isinstance(expected, str):
        assert isinstance(found, Unnamed)
        assert expected in found.reason
    else:
        assert found == expected


@pytest.mark.parametrize(
    "reply",
    [answer([]), answer(None), answer({"errors": {}}), answer({}, 207), Answer(400, {}, b"<html>")],
)
def test_a_reply_that_is_not_the_documented_one_says_nothing(reply: Answer) -> None:
    undocumented = Later("a reply that is not the documented one", is_maybe_accepted=True)
    assert read(reply, 3) == undocumented


def test_a_refusal_is_told_without_addresses_and_values() -> None:
    error = {"reason": "invalid", "field": "email", "message": 'a@x.io: "Ann Lee" is no e-mail'}
    assert words(error) == 'invalid: email: … "…" is no e-mail'
    assert words(None) == words({}) == "refused without a reason"


def test_every_host_follows_the_region() -> None:
    us, eu = CustomerioSettings(), CustomerioSettings(region="eu")
    assert (us.url, us.app_url) == ("https://track.customer.io", "https://api.customer.io")
    assert (eu.url, eu.app_url) == ("https://track-eu.customer.io", "https://api-eu.customer.io")
    with pytest.raises(UsageError, match="region is 'mars'; allowed: us, eu"):
        CustomerioSettings(region="mars")


def test_one_address_stands_for_both_apis_and_a_stand_in_is_never_beside_the_real_thing() -> None:
    assert CustomerioSettings(base_url="http://127.0.0.1:1").app_url == "http://127.0.0.1:1"
    with pytest.raises(UsageError, match="both be this machine, or neither"):
        CustomerioSettings(base_url="http://127.0.0.1:1", app_base_url="https://api.customer.io")


def test_settings_tell_what_is_missing() -> None:
    assert CustomerioSettings().missing("people") == ("site_id", "api_key")
    needed = ("site_id", "api_key", "app_api_key")
    assert CustomerioSettings().missing("segment_members") == needed
    assert settings().missing("segment_members") == ()
    with pytest.raises(UsageError, match="action is 'visit'; allowed: event, screen, page"):
        EventOptions("visit")


@pytest.mark.parametrize(
    ("region", "is_ok", "said"),
    [("us", True, "a workspace in us"), ("eu", False, "the workspace is in eu: set region")],
)
def test_the_check_asks_for_the_region(region: str, said: str, *, is_ok: bool) -> None:
    app = customerio_track.create_app(region=region)
    with serve_in_thread(app) as url, Http(url) as http:
        for kind in CUSTOMERIO.objects.values():
            check = (kind.check or CUSTOMERIO.check)(settings(url), http)
            assert check.is_ok is is_ok
            assert said in check.message or check.message == "both APIs answer, and take their keys"


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ({"kind": "status", "status": 503}, "answered 503"),
        ({"kind": "status", "status": 404}, "answered 404"),
        ({"kind": "status", "status": 401}, "refuses site_id and api_key"),
        ({"kind": "status", "status": 200, "body": "{}"}, "does not answer as Customer.io"),
    ],
)
def test_the_check_says_what_is_wrong(failure: dict[str, Any], said: str) -> None:
    with (
        serve_in_thread(customerio_track.create_app()) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
        Http(url) as http,
    ):
        client.post("/_fake/script", json=[failure])
        check = CUSTOMERIO.check(settings(url), http)
    assert not check.is_ok
    assert said in check.message
