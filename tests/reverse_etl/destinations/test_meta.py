from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import meta
from fakes.server import serve_in_thread
from reverse_etl.contract import Change, Denied, Later, Refused, Stop, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations import meta_audiences
from reverse_etl.destinations.meta import META, SCHEMA, Audiences, MetaSettings
from reverse_etl.destinations.meta_audiences import AudienceOptions
from reverse_etl.destinations.meta_errors import ABSENT, Usage, read_refusal
from reverse_etl.destinations.meta_sessions import read_samples
from reverse_etl.http import Answer, Http
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = "CIO | Buyers | 0-3d"
ADD, REMOVE = f"POST {LABEL}", f"DELETE {LABEL}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def change(operation: str = "add", **keys: str) -> Change:
    found = {key: digest(text) for key, text in keys.items()}
    return Change(0, operation, "k", "p", json.dumps(found), LABEL, None, "{}", "f")


class Account:
    """An ad account of the stand-in, and a channel to it."""

    def __init__(self, url: str, **values: Any) -> None:  # noqa: ANN401 - settings and options
        options = {k: v for k, v in values.items() if k in AudienceOptions.__dataclass_fields__}
        given = {k: v for k, v in values.items() if k not in options}
        self.settings = MetaSettings(
            **{"access_token": Secret(meta.TOKEN), "ad_account_id": meta.AD_ACCOUNT} | given,
            base_url=url,
        )
        self.client = httpx.Client(base_url=url, trust_env=False)
        self.http = Http(self.settings.url)
        self.channel = Audiences.open(self.settings, AudienceOptions(**options), self.http)

    @property
    def members(self) -> dict[str, list[dict[str, str]]]:
        return self.client.get("/_fake/audiences").json()

    @property
    def asked(self) -> list[str]:
        requests = self.client.get("/_fake/requests").json()
        return [f"{seen['method']} {seen['path'].rpartition('/')[2]}" for seen in requests]

    def fail(self, **failure: object) -> None:
        self.client.post("/_fake/script", json=[failure])

    def make(self, name: str = LABEL) -> str:
        body = {"name": name, "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
        headers = {"Authorization": f"Bearer {meta.TOKEN}"}
        path = f"/v25.0/act_{meta.AD_ACCOUNT}/customaudiences"
        return str(self.client.post(path, json=body, headers=headers).json()["id"])

    def send(self, route: str, *people: str) -> object:
        records = [self.channel.encode(change(EMAIL=person)) for person in people]
        return self.channel.send(route, records)


@contextmanager
def account(values: dict[str, Any] | None = None, **app: Any) -> Iterator[Account]:  # noqa: ANN401 - the stand-in's own
    with serve_in_thread(meta.create_app(**app)) as url:
        found = Account(url, **values or {})
        yield found
        found.http.__exit__(None, None, None)
        found.client.close()


def emails(*people: str) -> list[dict[str, str]]:
    return [{"EMAIL": digest(person)} for person in people]


def test_a_record_has_a_cell_for_every_key() -> None:
    with account() as at:
        record = at.channel.encode(change(EMAIL="a", COUNTRY="de"))
        assert json.loads(record) == ["", digest("a"), "", "", "", "", digest("de")]
        assert len(json.loads(record)) == len(SCHEMA)


@pytest.mark.parametrize(
    "identifier",
    [
        *("", "{}", "[]", "someone@example.com", '{"EMAIL":"someone@example.com"}', '{"EMAIL":7}'),
        *(json.dumps({"EMAIL": digest("a").upper()}), json.dumps({"SHOE_SIZE": digest("a")})),
    ],
)
def test_what_is_not_hashed_does_not_leave(identifier: str) -> None:
    with account() as at, pytest.raises(Refused) as refused:
        at.channel.encode(change(EMAIL="a")._replace(identifier=identifier))
    assert "example" not in str(refused.value)


def test_the_first_addition_makes_the_audience_and_the_next_finds_it() -> None:
    with account() as at:
        assert at.send(ADD, "a", "b") == Taken()
        assert at.send(ADD, "c") == Taken()
        assert at.members == {LABEL: emails("a", "b", "c")}
        lookup = "customaudiences"
        assert at.asked == [f"GET {lookup}", f"POST {lookup}", "POST users", "POST users"]


def test_an_audience_that_was_just_made_is_waited_for_and_one_that_is_gone_is_not() -> None:
    with account(settles_after=2) as at:
        wait = Later("the audience was just made", is_maybe_accepted=False)
        assert [at.send(ADD, "a") for _ in range(3)] == [wait, wait, Taken()]
        assert at.members == {LABEL: emails("a")}
        at.channel.directory.known["Another"] = "1"
        assert at.send(ADD.replace(LABEL, "Another"), "b") == ABSENT


def test_an_audience_is_found_by_its_name_behind_the_first_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(meta_audiences, "_FIELDS", {"fields": "id,name", "limit": "2"})
    with account() as at:
        for number in range(3):
            at.make(f"CIO | Others {number}")
        at.make()
        assert at.send(ADD, "a") == Taken()
        assert at.members[LABEL] == emails("a")
        assert len(at.members) == 4


def test_removals_find_people_by_any_key_and_need_no_audience() -> None:
    with account() as at:
        assert at.send(REMOVE, "a") == Taken()
        assert at.members == {}
        at.channel.send(ADD, [at.channel.encode(change(EMAIL="a", PHONE="1", FN="ann"))])
        at.send(ADD, "b")
        assert at.channel.send(REMOVE, [at.channel.encode(change("remove", PHONE="1"))]) == Taken()
        assert at.members == {LABEL: emails("b")}


def test_an_id_in_the_options_is_used_without_looking() -> None:
    with account() as at:
        other = at.make("Another name")
        channel = Audiences.open(at.settings, AudienceOptions(audience_ids={LABEL: other}), at.http)
        assert channel.send(ADD, [channel.encode(change(EMAIL="a"))]) == Taken()
        assert at.members == {"Another name": emails("a")}


def test_without_leave_to_make_one_a_missing_audience_stops_the_sync() -> None:
    with account({"create": False}) as at:
        assert isinstance(at.send(ADD, "a"), Stop)
        assert at.members == {}


def test_two_audiences_of_one_name_stop_the_sync() -> None:
    with account() as at:
        at.make()
        at.make()
        assert isinstance(at.send(ADD, "a"), Stop)


def test_a_200_with_invalid_entries_is_no_success() -> None:
    bad = [digest("x"), digest("y")]
    with account(refused=bad) as at:
        named = at.send(ADD, "a", "x", "b", "y")
        assert named == Taken(dict.fromkeys([1, 3], "invalid, says Meta"))
        assert at.members == {LABEL: emails("a", "b")}
    with account(refused=bad, most_samples=1) as at:
        assert isinstance(at.send(ADD, "a", "x", "b", "y"), Unnamed)
        assert isinstance(at.send(ADD, "x", "y"), Unnamed)


def test_too_many_invalid_entries_to_look_for_are_unsure_and_not_accepted() -> None:
    people = [str(number) for number in range(300)]
    with account(refused=[digest(p) for p in people[:200]], most_samples=5) as at:
        reply = at.send(ADD, *people)
        assert isinstance(reply, Taken)
        assert reply.unsure.keys() == set(range(300))


def test_samples_are_read_as_a_list_or_a_map_and_only_digests_of_them() -> None:
    sample = digest("a")
    assert read_samples([sample, "a@example.com", 7]) == [sample.encode()]
    assert read_samples({"0": [sample, ""]}) == [sample.encode()]
    assert read_samples(None) == []


@pytest.mark.parametrize(
    "body",
    ["[]", "{}", '{"num_received":"1","num_invalid_entries":0}', '{"num_received":1}'],
)
def test_a_reply_that_is_not_the_documented_one_may_have_been_taken(body: str) -> None:
    with account() as at:
        at.fail(kind="status", status=200, body=body, path="/v25.0/2384")
        reply = at.send(ADD, "a")
        assert isinstance(reply, Later)
        assert reply.is_maybe_accepted


def test_fewer_counted_than_sent_is_unsure() -> None:
    with account() as at:
        body = '{"num_received":1,"num_invalid_entries":0}'
        at.fail(kind="status", status=200, body=body, path="/v25.0/2384")
        reply = at.send(ADD, "a", "b")
        assert isinstance(reply, Taken)
        assert reply.unsure.keys() == {0, 1}


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        ({"code": 1}, 400, Later),
        ({"code": 2}, 500, Later),
        ({"code": 4}, 403, Later),
        ({"code": 17}, 400, Later),
        ({"code": 613}, 400, Later),
        ({"code": 80003}, 400, Later),
        ({"code": 100, "is_transient": True}, 400, Later),
        ({"code": 190}, 400, Denied),
        ({"code": 190}, 401, Denied),
        ({"code": 200, "error_subcode": 1870090}, 403, Stop),
        ({"code": 294}, 403, Stop),
        ({"code": 2655}, 400, Stop),
        ({"code": 368}, 400, Stop),
        ({"code": 2635}, 400, Stop),
        ({"code": 100, "error_subcode": 1713230}, 400, Stop),
        ({"code": 100}, 400, Unnamed),
        ({"code": 100, "error_subcode": 33}, 400, Stop),
        ({"code": 803}, 404, Stop),
        ({"code": "?"}, 404, Stop),
        ({"code": "?"}, 400, Later),
        ({"code": "?"}, 403, Denied),
    ],
)
def test_an_error_means_what_its_code_says(
    error: dict[str, Any], status: int, expected: type
) -> None:
    body = json.dumps({"error": {"message": "about someone@example.com"} | error}).encode()
    reply = read_refusal(Answer(status, {}, body), Usage())
    assert isinstance(reply, expected)
    assert "example" not in repr(reply)


def test_throttling_is_not_maybe_accepted_and_waits_as_long_as_the_header_says() -> None:
    usage = json.dumps(
        {meta.AD_ACCOUNT: [{"call_count": 100, "estimated_time_to_regain_access": 3}]}
    )
    body = b'{"error":{"code":80003}}'
    noted = Usage()
    noted.note({"x-business-use-case-usage": usage})
    reply = read_refusal(Answer(400, {}, body), noted)
    assert reply == Later("throttled (code 80003)", is_maybe_accepted=False, wait_seconds=180)


def test_a_rate_nearly_spent_makes_the_next_request_wait_once() -> None:
    usage = json.dumps({meta.AD_ACCOUNT: [{"type": "custom_audience", "call_count": 97}]})
    with account(usage=usage) as at:
        waiting = at.send(ADD, "a")
        assert waiting == Taken()
        waited = at.send(ADD, "b")
        assert isinstance(waited, Later)
        assert (waited.is_maybe_accepted, waited.wait_seconds) == (False, 60.0)
        assert at.send(ADD, "b") == Taken()


@pytest.mark.parametrize(
    "header", ["?", "[]", '{"1":7}', '{"1":[7]}', '{"1":[{"call_count":"9"}]}']
)
def test_a_usage_header_that_cannot_be_read_says_nothing(header: str) -> None:
    usage = Usage()
    usage.note({"x-business-use-case-usage": header})
    assert usage.wait() is None


def test_the_proof_of_the_apps_secret_goes_with_every_call() -> None:
    with account({"app_secret": Secret(meta.APP_SECRET)}, is_proof_demanded=True) as at:
        assert at.send(ADD, "a") == Taken()
    with account(is_proof_demanded=True) as at:
        assert isinstance(at.send(ADD, "a"), Stop)


def test_removals_go_in_smaller_requests() -> None:
    with account({"removals_per_request": 7}) as at:
        assert (at.channel.limits.records, at.channel.limits.removals) == (10_000, 7)


@pytest.mark.parametrize("values", [{"removals_per_request": 0}, {"customer_file_source": "FOUND"}])
def test_options_meta_would_refuse_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        AudienceOptions(**values)


def test_the_account_is_a_number() -> None:
    with pytest.raises(UsageError, match="without act_"):
        MetaSettings(ad_account_id="act_1")


@pytest.mark.parametrize(
    ("values", "app", "message"),
    [
        ({}, {}, "answers"),
        ({"access_token": Secret("wrong")}, {}, "refuses the access token"),
        ({}, {"permissions": ["ads_read"]}, "lacks the permission ads_management"),
        ({"ad_account_id": "1"}, {}, "answered 404"),
    ],
)
def test_the_check_tells_what_is_missing(
    values: dict[str, Any], app: dict[str, Any], message: str
) -> None:
    with account(values, **app) as at:
        check = META.check(at.settings, at.http)
        assert check.is_ok is (message == "answers")
        assert message in check.message


def test_a_sync_names_people_by_match_keys_alone() -> None:
    keys = META.objects["audience_members"].match_keys
    assert keys is not None
    assert keys.column == "meta_match_keys"
    assert set(keys.unique) < set(SCHEMA)
