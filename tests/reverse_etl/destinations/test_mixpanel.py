from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.clock import milliseconds
from reverse_etl.contract import Later, NoOptions, Refused, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.mixpanel import MIXPANEL, MembershipOptions
from reverse_etl.destinations.mixpanel_replies import read_reply
from reverse_etl.destinations.mixpanel_settings import MixpanelSettings
from reverse_etl.http import Answer, Http

from .changes import EVENT, NOW, changes_like

if TYPE_CHECKING:
    from reverse_etl.contract import Channel

SETTINGS = MixpanelSettings(project_token=Secret("token"))


change = changes_like(
    EVENT,
    payload='{"campaign_id":"7","time":1,"empty":"","zero":0,"no":false,"null":null}',
)


@pytest.fixture
def events(http: Http) -> Channel:
    return MIXPANEL.objects["message_events"].open(SETTINGS, NoOptions(), http)


@pytest.fixture
def members(http: Http) -> Channel:
    return MIXPANEL.objects["audience_members"].open(
        SETTINGS, MembershipOptions(property="lists"), http
    )


def test_an_event_keeps_its_own_time_and_every_value(events: Channel) -> None:
    assert json.loads(events.encode(change())) == {
        "event": "Email Link Clicked",
        "properties": {
            "campaign_id": "7",
            "empty": "",
            "zero": 0,
            "no": False,
            "null": None,
            "time": 1_772_366_398_500,
            "distinct_id": "customer-1",
            "$insert_id": "0" * 31 + "1",
            "ip": "0",
        },
    }


HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"label": ""}, "without a name"),
        ({"occurred_ms": None}, "without a time"),
        ({"occurred_ms": 31_535_999_999}, "before 1971"),
        ({"occurred_ms": milliseconds(NOW) + HOUR_MS + 1}, "in the future"),
        ({"identifier": "NULL"}, "distinct_id"),
        ({"record_key": ""}, "insert_id"),
        ({"record_key": "x" * 37}, "insert_id"),
        ({"record_key": "a_b"}, "insert_id"),
        ({"record_key": "a\n"}, "insert_id"),
        ({"record_key": "undefined"}, "insert_id"),
        ({"payload": "["}, "not a JSON object"),
        ({"payload": "[]"}, "not a JSON object"),
        ({"payload": json.dumps({f"p{n}": n for n in range(251)})}, "255 properties"),
        ({"payload": '{"a":{"b":{"c":{"d":{}}}}}'}, "nested deeper"),
        ({"payload": json.dumps({"a": list(range(255))})}, "255 elements"),
    ],
)
def test_an_event_against_the_rules_is_refused(
    events: Channel, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        events.encode(change(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"occurred_ms": 31_536_000_000},
        {"occurred_ms": milliseconds(NOW) + HOUR_MS},
        {"record_key": "x" * 36},
        {"payload": None},
        {"payload": json.dumps({f"p{n}": n for n in range(250)})},
        {"payload": '{"a":{"b":{"c":1}},"d":[1,[2,[3]]]}'},
        {"payload": json.dumps({"a": list(range(254))})},
    ],
)
def test_what_is_just_allowed_is_sent(events: Channel, values: dict[str, Any]) -> None:
    assert events.encode(change(**values))


def test_membership_is_a_value_in_a_list(members: Channel) -> None:
    add = change(operation="add", label="CIO | A | 0-7d")
    person = {"$token": "token", "$distinct_id": "customer-1"}
    assert json.loads(members.encode(add)) == person | {"$union": {"lists": ["CIO | A | 0-7d"]}}
    remove = add._replace(operation="remove")
    assert json.loads(members.encode(remove)) == person | {"$remove": {"lists": "CIO | A | 0-7d"}}


@pytest.mark.parametrize("values", [{"identifier": ""}, {"identifier": "nil"}, {"label": ""}])
def test_membership_needs_a_person_and_a_label(members: Channel, values: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        members.encode(change(operation="add", **values))


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body).encode())


IMPORTED = {"code": 200, "num_records_imported": 3, "status": "OK"}


def failed(*records: object, imported: int = 2) -> Answer:
    return answer({"failed_records": list(records), "num_records_imported": imported}, 400)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(IMPORTED), Taken()),
        (answer(1), Taken()),
        (answer({"status": 1, "error": None}), Taken()),
        (
            failed({"index": 1, "field": "a", "message": "b"}, {"index": 1, "field": "c"}),
            Taken({1: "a: b"}),
        ),
    ],
)
def test_replies_that_take_the_batch(reply: Answer, expected: Taken) -> None:
    assert read_reply(reply, 3) == expected


@pytest.mark.parametrize(
    "reply",
    [answer(0), answer({"status": 0, "error": "x"}), answer({"error": "no"}, 400), failed()],
)
def test_replies_that_refuse_without_naming_a_record(reply: Answer) -> None:
    assert isinstance(read_reply(reply, 3), Unnamed)


@pytest.mark.parametrize(
    "reply",
    [
        answer(IMPORTED | {"num_records_imported": 2}),
        answer([]),
        answer("OK"),
        Answer(200, {}, b"<html>"),
        Answer(400, {}, b"<html>"),
        failed({"index": 3, "field": "a", "message": "b"}),
        failed({"index": -1, "field": "a", "message": "b"}),
        failed({"field": "a"}),
        failed("x"),
        failed({"index": 1, "field": "a"}, imported=3),
    ],
)
def test_replies_that_are_not_the_documented_ones_say_nothing(reply: Answer) -> None:
    assert read_reply(reply, 3) == Later(read_reply(reply, 3).reason, is_maybe_accepted=True)


def test_settings_tell_what_is_missing_and_where_to_go() -> None:
    assert MixpanelSettings().missing("message_events") == ("project_token",)
    account = MixpanelSettings(
        project_id="7",
        service_account_username="me",
        service_account_secret=Secret("s"),
        region="in",
    )
    assert account.missing("message_events") == ()
    assert account.missing("audience_members") == ("project_token",)
    assert account.url == "https://api-in.mixpanel.com"
    assert account.account == "7"
    assert account.authorization == "Basic " + base64.b64encode(b"me:s").decode()
    assert SETTINGS.authorization == "Basic " + base64.b64encode(b"token:").decode()


@pytest.fixture
def properties(http: Http) -> Channel:
    kind = MIXPANEL.objects["person_properties"]
    return kind.open(SETTINGS, kind.options(), http)


def test_a_null_overwrites_nothing_and_every_other_value_is_set(properties: Channel) -> None:
    payload = '{"tier":"rested","clicks":0,"is_vip":false,"note":"","gone":null}'
    assert json.loads(properties.encode(change(payload=payload))) == {
        "$token": "token",
        "$distinct_id": "customer-1",
        "$set": {"tier": "rested", "clicks": 0, "is_vip": False, "note": ""},
    }


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"identifier": ""}, "distinct_id"),
        ({"identifier": "Undefined"}, "distinct_id"),
        ({"payload": "{}"}, "no property"),
        ({"payload": '{"a":null}'}, "no property"),
        ({"payload": '{"a":{"b":{"c":{"d":{}}}}}'}, "nested deeper"),
    ],
)
def test_properties_of_nobody_or_without_a_value_are_refused(
    properties: Channel, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        properties.encode(change(**values))
