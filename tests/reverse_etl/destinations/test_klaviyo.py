from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import klaviyo as fake
from fakes.klaviyo import Manners
from fakes.server import serve_in_thread
from reverse_etl.contract import Change, Denied, Later, Refused, Stop, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.klaviyo import (
    KLAVIYO,
    MemberOptions,
    Members,
    ProfileOptions,
    Profiles,
)
from reverse_etl.destinations.klaviyo_api import KlaviyoSettings
from reverse_etl.destinations.klaviyo_jobs import NO_PROFILE
from reverse_etl.http import Http
from tests.reverse_etl.world import FastClock
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = "CIO | Buyers | 0-3d"
ADD, REMOVE = f"add {LABEL}", f"remove {LABEL}"
KNOWN = ({"email": "ann@x.io"}, {"email": "bob@x.io", "external_id": "Bob"})
CREATE = MemberOptions(create_profiles=True)


def address(name: str) -> str:
    return f"{name}@x.io"


def change(identifier: str, operation: str = "add", payload: str = "{}") -> Change:
    return Change(0, operation, "k", "p", identifier, LABEL, None, payload, "f")


class Account:
    """An account of the stand-in, and the two channels to it."""

    def __init__(self, url: str, options: MemberOptions, **values: Any) -> None:  # noqa: ANN401 - settings
        given = {"api_key": Secret(fake.API_KEY), "account_id": fake.ACCOUNT, "base_url": url}
        self.settings = KlaviyoSettings(**given | values)
        self.client = httpx.Client(base_url=url, trust_env=False)
        self.http = Http(url)
        self.channel = Members.open(self.settings, options, self.http)
        same = ProfileOptions(options.identifier, options.create_profiles)
        self.profiles = Profiles.open(self.settings, same, self.http)

    @property
    def lists(self) -> dict[str, list[str]]:
        lists = self.client.get("/_fake/lists").json()
        return {name: [row["email"] for row in rows] for name, rows in lists.items()}

    @property
    def people(self) -> dict[str, dict[str, Any]]:
        return {row["email"]: row for row in self.client.get("/_fake/profiles").json()}

    @property
    def asked(self) -> list[str]:
        requests = self.client.get("/_fake/requests").json()
        return [f"{seen['method']} {seen['path'].removeprefix('/api/')}" for seen in requests]

    def fail(self, **failure: object) -> None:
        self.client.post("/_fake/script", json=[failure])

    def send(self, route: str, *names: str) -> Any:  # noqa: ANN401 - a reply of any kind
        records = [self.channel.encode(change(address(name))) for name in names]
        return self.channel.send(route, records)

    def describe(self, **tiers: str) -> Any:  # noqa: ANN401 - a reply of any kind
        rows = [change(address(n), payload=json.dumps({"tier": tier})) for n, tier in tiers.items()]
        return self.profiles.send("import", [self.profiles.encode(row) for row in rows])


@contextmanager
def account(
    options: MemberOptions | None = None,
    manners: Manners | None = None,
    **values: Any,  # noqa: ANN401 - settings
) -> Iterator[Account]:
    with serve_in_thread(fake.create_app(people=KNOWN, manners=manners)) as url:
        found = Account(url, options or MemberOptions(), **values)
        with found.http, found.client:
            yield found


def test_who_has_a_profile_joins_the_list_and_who_has_none_stays_planned() -> None:
    with account() as at:
        assert at.send(ADD, "ann", "eve", "bob") == Taken(left={1: NO_PROFILE})
        assert at.lists == {LABEL: [address("ann"), address("bob")]}
        assert at.people.keys() == {address("ann"), address("bob")}
        assert at.send(REMOVE, "ann", "eve") == Taken()
        assert at.lists == {LABEL: [address("bob")]}


def test_nobody_known_is_nobody_added_or_removed() -> None:
    with account() as at:
        assert at.send(ADD, "eve") == Taken(left={0: NO_PROFILE})
        assert at.send(REMOVE, "eve") == Taken()
        assert [each for each in at.asked if "relationships" in each] == []


def test_with_leave_an_import_makes_profiles_and_puts_them_on_the_list() -> None:
    with account(CREATE) as at:
        assert at.send(ADD, "ann", "eve") == Taken()
        assert at.lists == {LABEL: [address("ann"), address("eve")]}
        assert at.channel.limits.records == 10_000
        assert at.channel.limits.removals == 1_000
    assert Members.open(at.settings, MemberOptions(), at.http).limits.records == 1_000


def test_nobody_is_ever_subscribed_or_unsubscribed() -> None:
    for options in (CREATE, MemberOptions()):
        with account(options) as at:
            at.send(ADD, "ann", "eve")
            at.send(REMOVE, "ann")
            at.describe(ann="rested", eve="tired")
            assert [each for each in at.asked if "subscri" in each or "suppress" in each] == []
            assert all(
                row.keys() <= {"email", "external_id", "properties"} for row in at.people.values()
            )


def test_properties_are_written_to_who_is_there_and_null_clears_nothing() -> None:
    with account() as at:
        assert at.describe(ann="tired", eve="rested") == Taken(left={1: NO_PROFILE})
        payload = '{"tier":null,"clicks":2,"first_name":"Ann"}'
        record = at.profiles.encode(change("ANN@x.io", payload=payload))
        assert at.profiles.send("import", [record]) == Taken()
        ann = at.people["ANN@x.io"]
        assert ann["properties"] == {"tier": "tired", "clicks": 2}
        assert ann["first_name"] == "Ann"
        assert len(at.people) == 2


def test_an_id_of_the_company_is_told_apart_by_its_case() -> None:
    with account(MemberOptions(identifier="external_id")) as at:
        records = [at.channel.encode(change(name)) for name in ("bob", "Bob")]
        assert at.channel.send(ADD, records) == Taken(left={0: NO_PROFILE})
        assert at.lists == {LABEL: [address("bob")]}


@pytest.mark.parametrize("row", [change(""), change("c1"), change("a@x.io")._replace(label=" ")])
def test_what_names_nobody_or_no_audience_is_not_sent(row: Change) -> None:
    with account() as at, pytest.raises(Refused):
        at.channel.encode(row)


def test_rows_are_accepted_when_the_job_is_done_and_not_before() -> None:
    with account(CREATE, Manners(polls=2)) as at:
        for _ in range(2):
            waiting = at.send(ADD, "ann", "eve")
            assert isinstance(waiting, Later)
            assert waiting.is_maybe_accepted
            assert at.lists == {LABEL: []}
        assert at.send(ADD, "ann", "eve") == Taken()
        # what is processed is asked about, not sent again
        assert at.asked.count("POST profile-bulk-import-jobs") == 1


@pytest.mark.parametrize("names", ["payload", "pointer"])
def test_the_errors_of_a_job_are_read_back_to_their_rows(names: str) -> None:
    bad = frozenset(address(f"x{number}") for number in range(150))
    people = [f"{'x' if number % 2 else 'y'}{number // 2}" for number in range(300)]
    with account(CREATE, Manners(refused=bad, names=names)) as at:
        reply = at.send(ADD, *people)
        assert reply.refused.keys() == set(range(1, 300, 2))
        assert all("x.io" not in reason for reason in reply.refused.values())
        assert len(at.lists[LABEL]) == 150


def test_a_row_left_out_of_the_job_does_not_move_the_errors_of_the_others() -> None:
    manners = Manners(refused=frozenset({address("bob")}), names="pointer")
    with account(manners=manners) as at:
        reply = at.describe(eve="rested", ann="rested", bob="rested")
        assert reply.left == {0: NO_PROFILE}
        assert reply.refused == {2: "invalid (email), says Klaviyo"}


def test_failures_that_are_not_named_are_halved_unless_there_are_too_many() -> None:
    people = [f"x{number}" for number in range(30)]
    few = Manners(refused=frozenset({address("x1")}), names="nothing")
    with account(CREATE, few) as at:
        assert isinstance(at.send(ADD, *people), Unnamed)
        assert isinstance(at.send(ADD, "x1"), Unnamed)
        assert at.send(ADD, "x2") == Taken()
    many = Manners(refused=frozenset(address(name) for name in people), names="nothing")
    with account(CREATE, many) as at:
        assert at.send(ADD, *people).unsure.keys() == set(range(30))


def test_what_is_refused_at_once_is_named_and_the_others_are_sent_again() -> None:
    with account(CREATE) as at:
        records = [at.channel.encode(change(address("ann")))]
        # longer than the engine lets a record be
        title = b"x" * 100_000
        long = b'{"type":"profile","attributes":{"email":"eve@x.io","title":"%b"}}' % title
        reply = at.channel.send(ADD, [*records, long])
        assert reply == Taken({1: "invalid, says Klaviyo"}, again=frozenset({0}))
        assert at.lists == {LABEL: []}
        odd = b'{"type":"profile","attributes":{"email":"eve@x.io","shoe_size":7}}'
        reply = at.channel.send(ADD, [*records, odd])
        assert reply == Taken({1: "invalid (shoe_size), says Klaviyo"}, again=frozenset({0}))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            '{"errors":[{"code":"invalid","source":{"pointer":"/data/relationships/lists/0"}}]}',
            Stop,
        ),
        ('{"errors":[{"code":"a@x.io is wrong","source":null}]}', Unnamed),
        ('{"errors":[]}', Unnamed),
        ('{"errors":[7]}', Later),
        ("?", Later),
    ],
)
def test_a_refusal_means_what_its_pointer_says(body: str, expected: type) -> None:
    with account(CREATE) as at:
        at.fail(kind="status", status=400, body=body, path="/api/profile-bulk", method="POST")
        reply = at.send(ADD, "ann")
        assert isinstance(reply, expected)
        assert "x.io" not in repr(reply)


@pytest.mark.parametrize(
    ("failure", "is_maybe_accepted"),
    [
        ({"kind": "drop", "method": "GET", "path": "/api/profile-bulk"}, True),
        ({"kind": "status", "status": 400, "path": "/api/profile-bulk", "method": "GET"}, True),
        ({"kind": "malformed", "method": "GET", "path": "/api/profile-bulk"}, True),
        ({"kind": "malformed", "path": "/api/lists"}, False),
    ],
)
def test_a_status_that_is_lost_is_asked_for_again(
    failure: dict[str, Any],
    is_maybe_accepted: bool,  # noqa: FBT001 - a case's
) -> None:
    with account(CREATE) as at:
        at.fail(**failure)
        lost = at.send(ADD, "ann")
        assert isinstance(lost, Later)
        assert lost.is_maybe_accepted is is_maybe_accepted
        assert at.send(ADD, "ann") == Taken()
        assert at.asked.count("POST profile-bulk-import-jobs") == 1


def test_a_cancelled_import_is_made_again() -> None:
    body = '{"data":{"id":"job-0","attributes":{"status":"cancelled"}}}'
    with account(CREATE) as at:
        at.fail(kind="status", status=200, body=body, path="/api/profile-bulk", method="GET")
        assert isinstance(at.send(ADD, "ann"), Later)
        assert at.send(ADD, "ann") == Taken()
        assert at.asked.count("POST profile-bulk-import-jobs") == 2


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ({"path": "/api/profiles", "kind": "malformed"}, Later),
        ({"path": "/api/profiles", "kind": "status", "status": 400}, Unnamed),
        ({"path": "/api/profiles", "kind": "status", "status": 401}, Denied),
        ({"path": "/api/lists/", "kind": "status", "status": 400}, Unnamed),
        ({"path": "/api/lists/", "kind": "malformed"}, Later),
        ({"path": "/api/lists/", "kind": "status", "status": 404}, Stop),
    ],
)
def test_a_change_of_a_list_is_done_when_it_says_so(
    failure: dict[str, Any], expected: type
) -> None:
    with account() as at:
        at.fail(**failure)
        assert isinstance(at.send(ADD, "ann"), expected)


def test_two_hundred_people_are_looked_up_in_short_requests() -> None:
    with account(CREATE) as at:
        people = [f"p{number}" for number in range(200)]
        assert at.send(ADD, *people) == Taken()
        assert at.send(REMOVE, *people[:120]) == Taken()
        assert len(at.lists[LABEL]) == 80
        assert at.asked.count("GET profiles") == 2
        # long ones are fewer a request, for they stand in its address
        assert at.send(REMOVE, *(f"{'x' * 200}{number}" for number in range(40))) == Taken()
        assert at.asked.count("GET profiles") == 5


def test_a_list_on_a_later_page_is_found() -> None:
    with account() as at:
        headers = {"Authorization": f"Klaviyo-API-Key {fake.API_KEY}", "revision": "2026-07-15"}
        for name in [f"Others {number}" for number in range(21)] + [LABEL]:
            body = {"data": {"type": "list", "attributes": {"name": name}}}
            assert at.client.post("/api/lists", json=body, headers=headers).status_code == 201
        assert at.send(ADD, "ann") == Taken()
        assert len(at.lists) == 22
        assert at.lists[LABEL] == [address("ann")]


def test_the_lists_that_matter_tell_their_sizes_no_faster_than_one_a_second() -> None:
    with account(CREATE) as at:
        at.send(ADD, "ann", "eve")
        at.send("add Others", "ann")
        time = FastClock()
        sizes = KLAVIYO.objects["audience_members"].sizes
        assert sizes is not None
        with Http(at.settings.url, clock=time.clock()) as http:
            told = sizes(at.settings, CREATE, http, {LABEL, "Others", "Not there"})
            assert told == {LABEL: 2, "Others": 1}
            assert time.slept == [1.0]
            many = sizes(at.settings, CREATE, http, {f"a{number:02d}" for number in range(16)})
            # those that are not asked for are not told
            assert many == {"a15": None}
            assert "Not there" not in at.lists
            at.fail(kind="status", status=403, path="/api/lists/")
            assert sizes(at.settings, CREATE, http, {LABEL}) == "refuses the api_key"
            at.fail(kind="malformed", path="/api/lists")
            assert "not the documented one" in str(sizes(at.settings, CREATE, http, {LABEL}))


@pytest.mark.parametrize(
    ("values", "manners", "message"),
    [
        ({}, Manners(), "answers"),
        ({"api_key": Secret("wrong")}, Manners(), "refuses the api_key"),
        ({"account_id": "OtHeR1"}, Manners(), "of another account"),
        ({}, Manners(scopes=frozenset({"accounts:read"})), "lacks the scope lists:read"),
    ],
)
def test_the_check_tells_what_is_wrong(
    values: dict[str, Any], manners: Manners, message: str
) -> None:
    with account(manners=manners, **values) as at:
        check = KLAVIYO.check(at.settings, at.http)
        assert check.is_ok is (message == "answers")
        assert message in check.message


def test_the_settings_and_options_are_held_to_what_there_is() -> None:
    with pytest.raises(UsageError, match="public key"):
        KlaviyoSettings(account_id="pk_1234")
    with pytest.raises(UsageError, match="allowed: email, external_id"):
        MemberOptions(identifier="phone_number")
    assert KlaviyoSettings().missing("profiles") == ("api_key", "account_id")


PROFILE = {"type": "profile", "attributes": {"email": "ann@x.io"}}


def imported(*profiles: Any, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    attributes = {"profiles": {"data": list(profiles)}}
    return {"data": {"type": "profile-bulk-import-job", "attributes": attributes} | values}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("profile-bulk-import-jobs", imported(PROFILE), 202),
        ("profile-bulk-import-jobs", imported(), 400),
        ("profile-bulk-import-jobs", imported(*[PROFILE] * 10_001), 400),
        ("profile-bulk-import-jobs", imported(PROFILE, type="job"), 400),
        ("profile-bulk-import-jobs", imported({"type": "profile", "attributes": {}}), 400),
        ("profile-bulk-import-jobs", imported(PROFILE | {"type": "person"}), 400),
        ("profile-bulk-import-jobs", imported(PROFILE | {"attributes": {"email": "ann"}}), 400),
        (
            "profile-bulk-import-jobs",
            imported(PROFILE, relationships={"lists": {"data": [{"type": "list", "id": "?"}]}}),
            400,
        ),
        ("profile-subscription-bulk-create-jobs", imported(PROFILE), 404),
        ("lists/L00000/relationships/profiles", {"data": [{"type": "profile", "id": "P0"}]}, 404),
        ("lists/L00001/relationships/profiles", {"data": []}, 404),
        ("lists/L00000/relationships/profiles", {"data": []}, 400),
        ("lists", {"data": {"type": "list", "attributes": {}}}, 400),
    ],
)
def test_the_stand_in_refuses_what_klaviyo_would(path: str, body: object, status: int) -> None:
    with account() as at:
        at.send(ADD, "ann")
        headers = {"Authorization": f"Klaviyo-API-Key {fake.API_KEY}", "revision": "2026-07-15"}
        at.client.headers.update(headers)
        assert at.client.post(f"/api/{path}", json=body).status_code == status
        if status == 400:
            assert at.client.post(f"/api/{path}", json=body).json()["errors"][0]["code"]
            del at.client.headers["revision"]
            code = at.client.post(f"/api/{path}", json=body).json()["errors"][0]["code"]
            assert code == "revision_required"
