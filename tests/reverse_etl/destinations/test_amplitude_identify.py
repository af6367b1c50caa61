from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import amplitude
from fakes.server import serve_in_thread
from reverse_etl.contract import Change, Denied, Later, NoOptions, Refused, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.amplitude import AMPLITUDE, AmplitudeSettings
from reverse_etl.destinations.amplitude_identify import LIMITS, Properties, _read
from reverse_etl.http import Answer, Http

if TYPE_CHECKING:
    from collections.abc import Iterator


def change(**values: object) -> Change:
    good = Change(
        row=0,
        operation="add",
        record_key="k",
        person_id="p",
        identifier="1",
        label="",
        occurred_ms=None,
        payload='{"tier":"rested","clicks":0,"is_vip":false,"note":"","gone":null}',
        fingerprint="f",
    )
    return good._replace(**values)


class Project:
    """The stand-in, and the channel that sends there."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, trust_env=False)
        self.http = Http(url)
        settings = AmplitudeSettings(api_key=Secret(amplitude.API_KEY), base_url=url)
        self.channel = Properties.open(settings, NoOptions(), self.http)

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.client.get("/_fake/properties").json()
        return found

    def send(self, *changes: Change) -> object:
        return self.channel.send("identify", [self.channel.encode(each) for each in changes])


@pytest.fixture
def project() -> Iterator[Project]:
    with serve_in_thread(amplitude.create_app(refused=["stranger"])) as url:
        found = Project(url)
        yield found
        found.http.__exit__(None, None, None)
        found.client.close()


def test_a_null_overwrites_nothing_and_every_other_value_is_set(project: Project) -> None:
    assert project.send(change(), change(identifier="grüße & = +", payload='{"a":[1]}')) == Taken()
    assert project.send(change(payload='{"tier":"tired","clicks":null}')) == Taken()
    assert project.properties == {
        "1": {"tier": "tired", "clicks": 0, "is_vip": False, "note": ""},
        "grüße & = +": {"a": [1]},
    }


def test_who_is_refused_is_named_and_the_others_are_sent_again(project: Project) -> None:
    reply = project.send(change(), change(identifier="stranger"), change(identifier="2"))
    assert reply == Taken({1: "user_id is not valid"}, again=frozenset([0, 2]))
    assert project.properties == {}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"identifier": ""}, "placeholder"),
        ({"identifier": "LMY47D"}, "placeholder"),
        ({"payload": "{}"}, "no property"),
        ({"payload": '{"a":null}'}, "no property"),
        ({"payload": '{"$set":{"a":1}}'}, "begins with"),
        ({"payload": "[]"}, "not a JSON object"),
    ],
)
def test_properties_of_nobody_or_without_a_value_are_refused(
    project: Project, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        project.channel.encode(change(**values))


def test_texts_are_cut_where_amplitudes_limit_is(project: Project) -> None:
    project.send(change(payload=json.dumps({"note": "x" * 2_000})))
    assert project.properties == {"1": {"note": "x" * 1_024}}


def test_the_largest_request_stays_under_a_megabyte_however_it_is_written() -> None:
    # a form writes each of these bytes as three
    assert 3 * LIMITS.size + 1_000 < 1_000_000
    assert LIMITS.records < 2_000
    kind = AMPLITUDE.objects["person_properties"]
    assert kind.modes == {"upsert"}
    assert AmplitudeSettings().missing("person_properties") == ("api_key",)


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(b"success\n"), Taken()),
        (answer({"code": 200, "server_upload_time": 1}), Taken()),
        (answer({"code": 200, "events_ingested": 2}), Taken()),
        (answer(b"invalid_api_key", 400), Denied(400)),
        (answer({"code": 400, "error": "Invalid API key: k"}, 400), Denied(400)),
    ],
)
def test_a_success_is_a_word_or_the_reply_of_events(reply: Answer, expected: object) -> None:
    assert _read(reply, 2) == expected


@pytest.mark.parametrize(
    "reply",
    [
        *(answer(b"ok"), answer({"code": 200, "events_ingested": 1}), answer({}), answer([])),
        answer(b"missing_event", 400),
    ],
)
def test_replies_that_nobody_documents_say_nothing(reply: Answer) -> None:
    result = _read(reply, 2)
    assert isinstance(result, Later)
    assert result.is_maybe_accepted


def test_a_refusal_that_names_nobody_leads_to_halves() -> None:
    assert isinstance(_read(answer({"code": 400, "error": "?"}, 400), 2), Unnamed)


def test_who_is_throttled_waits_and_the_others_do_not(project: Project) -> None:
    body = json.dumps({"code": 429, "throttled_events": [0], "throttled_users": {"1": 31}})
    failure = {"kind": "status", "status": 429, "body": body}
    project.client.post("/_fake/script", json=[failure])
    reply = project.send(change(), change(identifier="2"))
    assert reply == Taken(again=frozenset([1]), later=frozenset([0]), wait_seconds=15.0)


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        ({"identification": "[]"}, {}, "missing_field"),
        ({"api_key": amplitude.API_KEY}, {}, "missing_field"),
        ({"api_key": "another", "identification": "[]"}, {}, "Invalid API key"),
        ({"api_key": amplitude.API_KEY, "identification": "["}, {}, "Invalid JSON"),
        (
            {"api_key": amplitude.API_KEY, "identification": "[]"},
            {"Content-Type": "application/json"},
            "missing_field",
        ),
        *(
            (
                {"api_key": amplitude.API_KEY, "identification": json.dumps([identification])},
                {},
                "Invalid field values",
            )
            for identification in (
                {"user_id": "1234", "user_properties": {}},
                {"user_properties": {"a": 1}},
                {"user_id": "user-1", "user_properties": {"$set": {"a": 1}, "b": 2}},
                {"user_id": "user-1", "user_properties": {"$put": {"a": 1}}},
                {"user_id": "user-1", "user_properties": {"$set": 7}},
                {"user_id": "user-1", "user_properties": {"a": "x" * 1_025}},
                "user-1",
            )
        ),
    ],
)
def test_the_stand_in_refuses_what_amplitude_would(
    project: Project, body: dict[str, str], headers: dict[str, str], error: str
) -> None:
    reply = project.client.post("/identify", data=body, headers=headers)
    assert reply.status_code == 400
    assert error in reply.text
    assert project.properties == {}


def test_the_stand_in_takes_one_object_plain_values_and_removals(project: Project) -> None:
    for properties in ({"a": 1, "b": 2}, {"$unset": {"a": "-"}}):
        identification = json.dumps({"user_id": "user-1", "user_properties": properties})
        form = {"api_key": amplitude.API_KEY, "identification": identification}
        assert project.client.post("/identify", data=form).text == "success"
    assert project.properties == {"user-1": {"b": 2}}
