from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import tiktok
from fakes.server import serve_in_thread
from reverse_etl.contract import Change, Denied, Later, Refused, Stop, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.tiktok import TIKTOK, Audiences, TikTokSettings, read_code
from reverse_etl.destinations.tiktok_audiences import AudienceOptions
from reverse_etl.http import Answer, Http
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = "CIO | Buyers | 0-3d"
ADD, REMOVE = f"add {LABEL}", f"delete {LABEL}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def change(operation: str = "add", **keys: str) -> Change:
    found = {key: digest(text) for key, text in keys.items()}
    return Change(0, operation, "k", "p", json.dumps(found), LABEL, None, "{}", "f")


class Advertiser:
    """An advertiser of the stand-in, and a channel to it."""

    def __init__(self, url: str, options: AudienceOptions, **values: Any) -> None:  # noqa: ANN401 - settings
        given = {"access_token": Secret(tiktok.TOKEN), "advertiser_id": tiktok.ADVERTISER}
        self.settings = TikTokSettings(**given | values, base_url=url)
        self.client = httpx.Client(base_url=url, trust_env=False)
        self.http = Http(self.settings.url)
        self.channel = Audiences.open(self.settings, options, self.http)

    @property
    def members(self) -> dict[str, list[dict[str, str]]]:
        return self.client.get("/_fake/audiences").json()

    def send(self, route: str, *people: str) -> object:
        records = [self.channel.encode(change(EMAIL_SHA256=person)) for person in people]
        return self.channel.send(route, records)

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Access-Token": tiktok.TOKEN}
        return self.client.post(f"/open_api/v1.3/{path}", json=body, headers=headers).json()


@contextmanager
def advertiser(
    options: AudienceOptions | None = None,
    values: dict[str, Any] | None = None,
    **app: Any,  # noqa: ANN401 - the stand-in's own
) -> Iterator[Advertiser]:
    with serve_in_thread(tiktok.create_app(**app)) as url:
        found = Advertiser(url, options or AudienceOptions(), **values or {})
        with found.http, found.client:
            yield found


def emails(*people: str) -> list[dict[str, str]]:
    return [{"EMAIL_SHA256": digest(person)} for person in people]


def test_the_first_addition_makes_the_audience_and_a_removal_needs_none() -> None:
    with advertiser() as at:
        assert at.send(REMOVE, "a") == Taken()
        assert at.members == {}
        assert at.send(ADD, "a", "b") == Taken()
        assert at.send(ADD, "c") == Taken()
        assert at.send(REMOVE, "a", "stranger") == Taken()
        assert at.members == {LABEL: emails("b", "c")}


def test_a_person_is_found_by_either_id() -> None:
    with advertiser() as at:
        both = at.channel.encode(change(EMAIL_SHA256="a", PHONE_SHA256="1"))
        assert json.loads(both) == [digest("a"), digest("1")]
        at.channel.send(ADD, [both])
        phone = at.channel.encode(change("remove", PHONE_SHA256="1"))
        assert json.loads(phone) == ["", digest("1")]
        assert at.channel.send(REMOVE, [phone]) == Taken()
        assert at.members == {LABEL: []}


def test_a_bad_row_refuses_all_of_a_request_with_a_200() -> None:
    with advertiser(refused=[digest("x")]) as at:
        assert at.send(ADD, "a", "x") == Unnamed("refused with code 40002")
        assert at.members == {LABEL: []}


@pytest.mark.parametrize(
    "identifier", ["", "{}", "a@example.com", '{"EMAIL_SHA256":"a@example.com"}']
)
def test_what_is_not_hashed_does_not_leave(identifier: str) -> None:
    with advertiser() as at, pytest.raises(Refused):
        at.channel.encode(change(EMAIL_SHA256="a")._replace(identifier=identifier))


def test_an_id_in_the_options_is_used_and_without_leave_none_is_made() -> None:
    with advertiser(AudienceOptions(create=False)) as at:
        assert isinstance(at.send(ADD, "a"), Stop)
        made = {"custom_audience_name": "Mine", "advertiser_id": tiktok.ADVERTISER}
        number = at.call("segment/audience/", made | {"action": "create"})["data"]["audience_id"]
        options = AudienceOptions(create=False, audience_ids={LABEL: number})
        channel = Audiences.open(at.settings, options, at.http)
        assert channel.send(ADD, [channel.encode(change(EMAIL_SHA256="a"))]) == Taken()
        assert at.members == {"Mine": emails("a")}


def test_two_audiences_of_one_name_and_labels_too_long_stop_the_sync() -> None:
    with advertiser() as at:
        for _ in range(2):
            body = {"custom_audience_name": LABEL, "advertiser_id": tiktok.ADVERTISER}
            at.call("segment/audience/", body | {"action": "create"})
        assert isinstance(at.send(ADD, "a"), Stop)
        assert isinstance(at.send("add " + "x" * 129, "a"), Stop)


def test_an_audience_behind_the_first_page_is_found() -> None:
    with advertiser() as at:
        for number in range(100):
            body = {"custom_audience_name": f"{number}", "advertiser_id": tiktok.ADVERTISER}
            at.call("segment/audience/", body | {"action": "create"})
        assert at.send(ADD, "a") == Taken()
        again = Audiences.open(at.settings, AudienceOptions(), at.http)
        assert again.send(ADD, [again.encode(change(EMAIL_SHA256="b"))]) == Taken()
        assert at.members[LABEL] == emails("a", "b")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (40001, Stop),
        (40002, Unnamed),
        (40100, Later),
        (40105, Denied),
        (50000, Later),
        ("0", Later),
        (None, Later),
    ],
)
def test_a_200_means_what_its_code_says(code: object, expected: type) -> None:
    body = json.dumps({"code": code, "message": "about someone@example.com"}).encode()
    reply = read_code(Answer(200, {}, body))
    assert isinstance(reply, expected)
    assert "example" not in repr(reply)


def test_success_is_code_zero_alone() -> None:
    assert read_code(Answer(200, {}, b'{"code":0}')) is None


@pytest.mark.parametrize(
    ("values", "app", "message"),
    [
        ({}, {}, "answers"),
        ({"access_token": Secret("wrong")}, {}, "refuses the access token"),
        ({"advertiser_id": "1"}, {}, "may not manage this advertiser"),
    ],
)
def test_the_check_tells_what_is_wrong(
    values: dict[str, Any], app: dict[str, Any], message: str
) -> None:
    with advertiser(values=values, **app) as at:
        check = TIKTOK.check(at.settings, at.http)
        assert check.is_ok is (message == "answers")
        assert message in check.message


def test_who_may_not_stream_is_told_so() -> None:
    with advertiser(is_streaming_allowed=False) as at:
        assert isinstance(at.send(ADD, "a"), Stop)


def test_the_advertiser_is_a_number() -> None:
    with pytest.raises(UsageError, match="not a number"):
        TikTokSettings(advertiser_id="mine")


MAPPING = {
    "advertiser_ids": [tiktok.ADVERTISER],
    "action": "add",
    "id_schema": ["EMAIL_SHA256"],
    "batch_data": [[{"id": digest("a"), "audience_ids": ["170000001"]}]],
}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, 0),
        ({"advertiser_ids": ["1"]}, 40001),
        ({"advertiser_ids": []}, 40001),
        ({"action": "replace"}, 40002),
        ({"id_schema": ["EMAIL"]}, 40002),
        ({"batch_data": []}, 40002),
        ({"batch_data": [[{}]]}, 40002),
        ({"batch_data": [[{}, {}]]}, 40002),
        ({"batch_data": [[{"id": "a@example.com", "audience_ids": ["170000001"]}]]}, 40002),
        ({"batch_data": [[{"id": digest("a"), "audience_ids": ["1"]}]]}, 40002),
        ({"batch_data": MAPPING["batch_data"] * 1_001}, 40002),
    ],
)
def test_the_stand_in_refuses_what_tiktok_would(values: dict[str, Any], code: int) -> None:
    with advertiser() as at:
        body = {"custom_audience_name": "A", "advertiser_id": tiktok.ADVERTISER, "action": "create"}
        at.call("segment/audience/", body)
        assert at.call("segment/mapping/", MAPPING | values)["code"] == code
        assert at.members == {"A": emails("a") if code == 0 else []}
