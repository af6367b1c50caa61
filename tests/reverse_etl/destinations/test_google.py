from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fakes import google_data_manager as fake
from fakes.google_data_manager import Manners
from fakes.server import serve_in_thread
from reverse_etl.contract import Change, Denied, Later, Refused, Stop, Taken, TooLarge, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.google import GOOGLE, GoogleSettings, Members
from reverse_etl.destinations.google_lists import ListOptions
from reverse_etl.destinations.google_replies import read_refusal, read_status
from reverse_etl.http import Answer, Http
from tests.reverse_etl.world import FastClock
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = "CIO | Buyers | 0-3d"
ADD, REMOVE = f"ingest {LABEL}", f"remove {LABEL}"
GRANTED = ListOptions("granted")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def change(operation: str = "add", **keys: str) -> Change:
    found = {key: digest(text) for key, text in keys.items()}
    return Change(0, operation, "k", "p", json.dumps(found), LABEL, None, "{}", "f")


class Account:
    """An account of the stand-in, and a channel to it."""

    def __init__(self, url: str, options: ListOptions, **values: Any) -> None:  # noqa: ANN401 - settings
        given = {
            "account_id": fake.ACCOUNT,
            "client_id": fake.CLIENT_ID,
            "client_secret": Secret(fake.CLIENT_SECRET),
            "refresh_token": Secret(fake.REFRESH_TOKEN),
            "token_url": f"{url}/token",
            "base_url": url,
        }
        self.settings = GoogleSettings(**given | values)
        self.client = httpx.Client(base_url=url, trust_env=False)
        self.time = FastClock()
        self.http = Http(url, clock=self.time.clock())
        self.channel = Members.open(self.settings, options, self.http)

    @property
    def members(self) -> dict[str, list[dict[str, str]]]:
        return self.client.get("/_fake/audiences").json()

    @property
    def asked(self) -> list[str]:
        requests = self.client.get("/_fake/requests").json()
        return [seen["path"].rpartition("/")[2] for seen in requests]

    def fail(self, **failure: object) -> None:
        self.client.post("/_fake/script", json=[failure])

    def send(self, route: str, *people: str) -> Any:  # noqa: ANN401 - a reply of any kind
        records = [self.channel.encode(change(emailAddress=person)) for person in people]
        return self.channel.send(route, records)


@contextmanager
def account(
    manners: Manners | None = None,
    options: ListOptions = GRANTED,
    **values: Any,  # noqa: ANN401 - settings
) -> Iterator[Account]:
    with serve_in_thread(fake.create_app(manners=manners or Manners())) as url:
        found = Account(url, options, **values)
        with found.http, found.client:
            yield found


def emails(*people: str) -> list[dict[str, str]]:
    return [{"emailAddress": digest(person)} for person in people]


def test_a_member_has_one_identifier_for_each_key() -> None:
    with account() as at:
        record = json.loads(at.channel.encode(change(phoneNumber="1", emailAddress="a")))
        assert record["userData"]["userIdentifiers"] == [
            {"emailAddress": digest("a")},
            {"phoneNumber": digest("1")},
        ]
        with pytest.raises(Refused):
            at.channel.encode(change()._replace(identifier="a@example.com"))


def test_rows_are_accepted_when_the_status_says_so_and_not_before() -> None:
    with account(Manners(polls=2)) as at:
        waiting = at.send(ADD, "a", "b")
        assert isinstance(waiting, Later)
        assert waiting.is_maybe_accepted
        assert isinstance(at.send(ADD, "a", "b"), Later)
        assert at.members == {LABEL: []}
        assert at.send(ADD, "a", "b") == Taken()
        assert at.members == {LABEL: emails("a", "b")}
        # what is processed is asked about, not sent again
        assert at.asked.count("audienceMembers:ingest") == 1
        assert at.asked.count("requestStatus:retrieve") == 3
        assert at.asked.count("token") == 1


def test_removals_leave_the_list_and_need_none() -> None:
    with account() as at:
        assert at.send(REMOVE, "a") == Taken()
        assert at.members == {}
        at.send(ADD, "a", "b")
        assert at.send(REMOVE, "a") == Taken()
        assert at.members == {LABEL: emails("b")}


def test_the_rows_whose_fields_are_named_are_refused_and_the_others_sent_again() -> None:
    with account(Manners(refused=frozenset({digest("x")}))) as at:
        reply = at.send(ADD, "a", "x", "b")
        assert reply == Taken({1: "INVALID_HEX_ENCODING"}, again=frozenset({0, 2}))
        assert at.members == {LABEL: []}


def test_a_partial_success_is_halved_unless_too_much_of_it_failed() -> None:
    people = [str(number) for number in range(60)]
    late = Manners(refused_later=frozenset(map(digest, ("x", *people[:30]))))
    with account(late) as at:
        assert isinstance(at.send(ADD, "a", "x"), Unnamed)
        assert at.members == {LABEL: emails("a")}
        assert isinstance(at.send(ADD, "x"), Unnamed)
        assert at.send(ADD, *people).unsure.keys() == set(range(60))


@pytest.mark.parametrize("consent", ["denied", "unspecified"])
def test_without_consent_nobody_is_used_and_the_sync_says_so(consent: str) -> None:
    with account(options=ListOptions(consent)) as at:
        reply = at.send(ADD, "a")
        assert isinstance(reply, Stop)
        assert "CONSENT" in reply.reason
        assert at.members == {LABEL: []}


def test_a_status_that_is_lost_is_asked_for_again() -> None:
    with account() as at:
        at.fail(kind="drop", path="/v1/requestStatus")
        lost = at.send(ADD, "a")
        assert isinstance(lost, Later)
        assert lost.is_maybe_accepted
        assert at.send(ADD, "a") == Taken()
        assert at.asked.count("audienceMembers:ingest") == 1


def test_a_token_is_had_anew_before_it_expires() -> None:
    with account(Manners(token_seconds=600)) as at:
        at.send(ADD, "a")
        at.time.elapsed = 470.0
        at.send(ADD, "b")
        assert at.asked.count("token") == 1
        at.time.elapsed = 490.0
        at.send(ADD, "c")
        assert at.asked.count("token") == 2


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    """A service account's key file and its public key."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    file = {"client_email": "us@project.example", "private_key": private, "private_key_id": "1"}
    return json.dumps(file), public.decode()


def test_a_service_account_signs_in_with_its_key(keys: tuple[str, str]) -> None:
    file, public = keys
    login = {"service_account_key": Secret(file), "refresh_token": Secret("")}
    with account(Manners(public_key=public), **login) as at:
        assert at.settings.missing("audience_members") == ()
        assert at.send(ADD, "a") == Taken()
    with account(**login) as at:
        assert at.send(ADD, "a") == Denied(400)


@pytest.mark.parametrize("key", ["?", "{}", "[]", '{"private_key":"?"}'])
def test_a_key_that_is_none_stops_the_sync_without_showing_it(key: str) -> None:
    with account(service_account_key=Secret(key)) as at:
        reply = at.send(ADD, "a")
        assert isinstance(reply, Stop)
        assert "service_account_key" in reply.reason


@pytest.mark.parametrize(
    ("values", "status"),
    [({"refresh_token": Secret("wrong")}, 400), ({"client_secret": Secret("wrong")}, 401)],
)
def test_a_login_that_is_refused_is_denied(values: dict[str, Any], status: int) -> None:
    with account(**values) as at:
        assert at.send(ADD, "a") == Denied(status)


def test_no_row_was_sent_while_there_was_no_token() -> None:
    with account() as at:
        for failure in ({"kind": "status", "status": 503}, {"kind": "malformed"}):
            at.fail(path="/token", **failure)
            reply = at.send(ADD, "a")
            assert isinstance(reply, Later)
            assert not reply.is_maybe_accepted


def error(*violations: dict[str, str], **values: object) -> Answer:
    details = [{"fieldViolations": list(violations)}]
    body = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": details} | values}
    return Answer(400, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error({"field": "audienceMembers[7].x", "reason": "INVALID_FORMAT"}), Unnamed),
        (error({"field": "destinations[0]", "reason": "INVALID_DESTINATION"}), Stop),
        (error({"field": "", "reason": "TERMS_AND_CONDITIONS_NOT_SIGNED"}), Stop),
        (error({"field": "", "reason": "TOO_MANY_AUDIENCE_MEMBERS"}), TooLarge),
        (error({"field": "", "reason": "about a@example.com"}), Unnamed),
        (error(details="?"), Unnamed),
        (Answer(400, {}, b"[]"), Later),
    ],
)
def test_a_refusal_means_what_its_reason_says(answer: Answer, expected: type) -> None:
    reply = read_refusal(answer, 2)
    assert isinstance(reply, expected)
    assert "example" not in repr(reply)


def status(state: str, **counts: object) -> Answer:
    info = {
        "errorCounts": [
            {"recordCount": count, "reason": f"PROCESSING_ERROR_REASON_{reason}"}
            for reason, count in counts.items()
        ]
    }
    body = {"requestStatusPerDestination": [{"requestStatus": state, "errorInfo": info}]}
    return Answer(200, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (status("SUCCESS"), Taken),
        (status("PROCESSING"), type(None)),
        (status("REQUEST_STATUS_UNKNOWN"), type(None)),
        (status("FAILED", INTERNAL_ERROR="2"), Later),
        (status("FAILED", NO_CONSENT="1", DENIED_CONSENT="1"), Stop),
        (status("FAILED", INVALID_FORMAT="2"), Unnamed),
        (status("FAILED"), Unnamed),
        (status("PARTIAL_SUCCESS", INVALID_FORMAT="1"), Unnamed),
        (status("PARTIAL_SUCCESS", INVALID_FORMAT="?"), Unnamed),
        (Answer(200, {}, b'{"requestStatusPerDestination":[]}'), Later),
        (Answer(200, {}, b"?"), Later),
    ],
)
def test_a_status_means_what_it_says(answer: Answer, expected: type) -> None:
    assert isinstance(read_status(answer, 2), expected)


def test_an_id_in_the_options_is_used_and_without_leave_none_is_made() -> None:
    with account(options=ListOptions("granted", create=False)) as at:
        assert isinstance(at.send(ADD, "a"), Stop)
        assert at.members == {}
    with account(options=ListOptions("granted", list_ids={LABEL: "7"})) as at:
        assert isinstance(at.send(ADD, "a"), Stop)
        assert "userLists" not in at.asked


@pytest.mark.parametrize(
    "values",
    [
        {"consent": "yes"},
        {"membership_days": 541},
        {"membership_days": 0},
        {"membership_days": 30, "renew_days_before": 30},
    ],
)
def test_options_google_would_refuse_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ListOptions(**{"consent": "granted"} | values)


def test_members_are_renewed_a_month_before_google_forgets_them() -> None:
    renew = GOOGLE.objects["audience_members"].renew_after_days
    assert renew is not None
    assert renew(GRANTED) == 510


def test_either_login_suffices_and_accounts_are_numbers() -> None:
    assert GoogleSettings().missing("audience_members") == (
        *("account_id", "client_id", "client_secret", "refresh_token"),
    )
    with pytest.raises(UsageError, match="without dashes"):
        GoogleSettings(account_id="123-456")


def test_the_check_validates_an_upload_that_is_not_made() -> None:
    with account() as at:
        assert GOOGLE.check(at.settings, at.http).is_ok
        at.send(ADD, "a")
        assert GOOGLE.check(at.settings, at.http).is_ok
        assert at.members == {LABEL: emails("a")}
        at.fail(kind="status", status=400, body="?", path="/v1/audienceMembers")
        assert not GOOGLE.check(at.settings, at.http).is_ok
    with account(account_id="7") as at:
        assert GOOGLE.check(at.settings, at.http).message == "answered 404"


GOOD = {
    "destinations": [
        {
            "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": fake.ACCOUNT},
            "productDestinationId": "9000001",
        }
    ],
    "audienceMembers": [{"userData": {"userIdentifiers": emails("a")}}],
    "consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"},
    "encoding": "HEX",
    "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
}
MEMBER = GOOD["audienceMembers"][0]


def identified(*identifiers: object) -> dict[str, Any]:
    return {"audienceMembers": [{"userData": {"userIdentifiers": list(identifiers)}}]}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"destinations": []}, "REQUIRED_FIELD_MISSING"),
        ({"destinations": GOOD["destinations"] * 11}, "TOO_MANY_DESTINATIONS"),
        ({"destinations": [{}]}, "INVALID_DESTINATION"),
        (
            {"destinations": [GOOD["destinations"][0] | {"productDestinationId": "1"}]},
            "INVALID_USER_LIST_ID",
        ),
        ({"encoding": "PLAIN"}, "INVALID_ENUM_VALUE"),
        ({"termsOfService": {}}, "TERMS_AND_CONDITIONS_NOT_SIGNED"),
        ({"consent": {"adUserData": "YES"}}, "INVALID_ENUM_VALUE"),
        ({"members": []}, "INVALID_FORMAT"),
        ({"audienceMembers": []}, "REQUIRED_FIELD_MISSING"),
        ({"audienceMembers": [MEMBER] * 10_001}, "TOO_MANY_AUDIENCE_MEMBERS"),
        ({"audienceMembers": [{}]}, "INVALID_AUDIENCE_MEMBER"),
        (identified(), "NO_IDENTIFIERS_PROVIDED"),
        (identified(*emails(*"abcdefghijk")), "TOO_MANY_USER_IDENTIFIERS"),
        (identified({}), "MULTIPLE_DATA_TYPES_NOT_ALLOWED"),
        (identified({"emailAddress": "a@example.com"}), "INVALID_HEX_ENCODING"),
        (identified({"addressInfo": {}}), "INVALID_FORMAT"),
        (identified({"address": {"givenName": digest("a")}}), "REQUIRED_FIELD_MISSING"),
    ],
)
def test_the_stand_in_refuses_what_google_would(values: dict[str, Any], reason: str) -> None:
    with account() as at:
        at.send(ADD, "before")
        token = at.channel.tokens.get()
        assert isinstance(token, Secret)
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        path = "/v1/audienceMembers:ingest"
        assert at.client.post(path, json=GOOD, headers=headers).status_code == 200
        refused = at.client.post(path, json=GOOD | values, headers=headers)
        assert refused.status_code == 400
        assert refused.json()["error"]["details"][0]["reason"] == reason
        assert at.client.post(path, json=GOOD).status_code == 401
