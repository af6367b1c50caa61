"""Google: audiences as Customer Match lists of an account, by the Data Manager API.

One bad row fails a request, and the reply names it by its field: it is refused and the others are
sent again. A request that passes is only processed afterwards, for minutes, so its rows are not
accepted before its status says so: while it does not, an attempt asks for the status again and
sends nothing. Give such a sync patience (`attempts`, `give_up_after_seconds`); what is still
processed at the end is unknown, and sent again by the next run, which changes nothing there.

https://developers.google.com/data-manager/api/reference/rest/v1/audienceMembers/ingest
https://developers.google.com/data-manager/api/devguides/limits
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import Check, Destination, Later, Limits, MatchKeys, Object, Stop, Taken
from reverse_etl.credentials import Secret
from reverse_etl.destinations.google_auth import Login, Tokens
from reverse_etl.destinations.google_lists import CONSENTS, ListOptions, Lookup
from reverse_etl.destinations.google_replies import read_refusal, read_request_id, read_status
from reverse_etl.destinations.hashed import read_match_keys
from reverse_etl.http import Answer
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

KEYS = ("emailAddress", "phoneNumber")
# 10,000 members; a size is not documented. 300 requests a minute are 50,000 members a second.
LIMITS = Limits(10_000, 8_000_000, 2_048, connections=4, separator=b",")
_NO_LIST = "has no user list by the name of a label, and create is off"
_ON_TRIAL = hashlib.sha256(b"nobody@example.com").hexdigest()


@dataclass(frozen=True)
class GoogleSettings:
    """`[reverse_etl.google]`: an account, and a service account's key or a refresh token.

    Attributes:
        account_id: The Google Ads account's number, without dashes.
        login_account_id: The manager account's, where access comes from it.
        service_account_key: The JSON of a service account's key file, in one line.
        client_id: Of an OAuth client, in place of a service account.
        client_secret: Its secret.
        refresh_token: A refresh token of that client, of the scope of the Data Manager API.
        quota_project: The Cloud project that is counted, where a refresh token is used.
        token_url: In place of Google's.
        base_url: In place of Google's.
    """

    account_id: str = ""
    login_account_id: str = ""
    service_account_key: Secret = field(default_factory=lambda: Secret(""))
    client_id: str = ""
    client_secret: Secret = field(default_factory=lambda: Secret(""))
    refresh_token: Secret = field(default_factory=lambda: Secret(""))
    quota_project: str = ""
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    base_url: str = "https://datamanager.googleapis.com"

    def __post_init__(self) -> None:
        """Refuse accounts that are no numbers."""
        for name in ("account_id", "login_account_id"):
            value = getattr(self, name)
            if value and not value.isdecimal():
                message = f"google: {name} is not a number; give it without dashes"
                raise UsageError(message)

    @property
    def url(self) -> str:
        """Where requests go."""
        return self.base_url

    @property
    def account(self) -> str:
        """The account."""
        return self.account_id

    def missing(self, _object_name: str) -> tuple[str, ...]:
        """Without an account, and one of the two ways to log in, nothing can be sent."""
        needed: dict[str, Any] = {"account_id": self.account_id}
        if not self.service_account_key:
            needed |= {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "refresh_token": self.refresh_token,
            }
        return tuple(key for key, value in needed.items() if not value)

    def login(self) -> Login:
        """How tokens are had."""
        return Login(
            self.token_url,
            self.service_account_key,
            self.client_id,
            self.client_secret,
            self.refresh_token,
        )


@dataclass(frozen=True)
class Members:
    """A channel that keeps one user list for each label.

    Attributes:
        settings: The destination's settings.
        options: The sync's.
        http: Where requests go.
        tokens: The run's access token.
        limits: What one request may carry.
        known: Ids of lists by label, as far as they were needed.
        pending: Ids of requests that are processed, by the digest of what they carried.
        turn: Held while a list is looked up or made.
    """

    settings: GoogleSettings
    options: ListOptions
    http: Http
    tokens: Tokens
    limits: Limits = LIMITS
    known: dict[str, str] = field(default_factory=dict)
    pending: dict[bytes, str] = field(default_factory=dict)
    turn: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def open(cls, settings: GoogleSettings, options: ListOptions, http: Http) -> Members:
        """Open the channel; nothing is asked yet."""
        tokens = Tokens(settings.login(), http.clock)
        return cls(settings, options, http, tokens, known=dict(options.list_ids))

    def route(self, change: Change) -> str:
        """Additions and removals of one list go in requests of their own."""
        operation = "remove" if change.operation == "remove" else "ingest"
        return f"{operation} {change.label}"

    def encode(self, change: Change) -> bytes:
        """A member with one identifier for each key."""
        keys = read_match_keys(change, KEYS)
        identifiers = [{name: keys[name]} for name in KEYS if name in keys]
        return orjson.dumps({"userData": {"userIdentifiers": identifiers}})

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Send what was not sent yet, then ask what became of it."""
        operation, _, label = route.partition(" ")
        with self.turn:
            find = Lookup(self.request, self.options, self.settings.account_id, self.known)
            problem = find.make(label) if operation == "ingest" else find.find(label)
            if problem is not None:
                return problem
        if label not in self.known:
            # without a list nobody is in it
            return Taken() if operation == "remove" else Stop(_NO_LIST)
        carried = self.limits.join(records)
        key = hashlib.sha256(route.encode() + b"\n" + carried).digest()
        if key not in self.pending:
            answer = self._post(operation, self.known[label], carried)
            if not isinstance(answer, Answer):
                return answer
            if answer.status == codes.BAD_REQUEST:
                return read_refusal(answer, len(records))
            request_id = read_request_id(answer)
            if request_id is None:
                reason = "a reply without a request id"
                return Later(reason, is_maybe_accepted=True)
            self.pending[key] = request_id
        return self._settle(key, len(records))

    def _settle(self, key: bytes, rows: int) -> Reply:
        """Ask what became of a request."""
        answer = self.request(
            "GET", "v1/requestStatus:retrieve", params={"requestId": self.pending[key]}
        )
        match answer:
            case Answer(status=codes.OK):
                reply = read_status(answer, rows)
            case Later(reason=reason, wait_seconds=wait):
                return Later(f"its status: {reason}", is_maybe_accepted=True, wait_seconds=wait)
            case Answer():
                reply = Later("its status cannot be had", is_maybe_accepted=True)
            case _:
                return answer
        if reply is None:
            return Later("Google still processes the request", is_maybe_accepted=True)
        del self.pending[key]
        return reply

    def _post(
        self, operation: str, user_list: str, members: bytes, *, is_dry: bool = False
    ) -> Answer | Reply:
        """Make one attempt; the members are encoded already and are not encoded again."""
        destination: dict[str, Any] = {
            "reference": "list",
            "operatingAccount": _account(self.settings.account_id),
            "productDestinationId": user_list,
        }
        if self.settings.login_account_id:
            destination["loginAccount"] = _account(self.settings.login_account_id)
        body: dict[str, Any] = {
            "destinations": [destination],
            "encoding": "HEX",
            "validateOnly": is_dry,
        }
        if operation == "ingest":
            status = CONSENTS[self.options.consent]
            body["consent"] = {"adUserData": status, "adPersonalization": status}
            body["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
        content = orjson.dumps(body)[:-1] + b',"audienceMembers":[' + members + b"]}"
        return self._attempt("POST", f"v1/audienceMembers:{operation}", content, None)

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer | Reply:
        """Make one attempt at something that carries no members."""
        return self._attempt(method, path, orjson.dumps(body or {}), params)

    def _attempt(
        self, method: str, path: str, content: bytes, params: Mapping[str, str] | None
    ) -> Answer | Reply:
        token = self.tokens.get()
        if not isinstance(token, Secret):
            return token
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token.reveal()}"}
        if self.settings.quota_project:
            headers["x-goog-user-project"] = self.settings.quota_project
        if self.settings.login_account_id and "userLists" in path:
            number = self.settings.login_account_id
            headers["login-account"] = f"accountTypes/GOOGLE_ADS/accounts/{number}"
        if method == "GET":
            return self.http.get(path, headers=headers, params=params)
        return self.http.post(path, content=content, headers=headers, params=params)

    def check(self) -> Check:
        """List the user lists, and validate an upload to one of them that is not made."""
        lookup = Lookup(self.request, self.options, self.settings.account_id, {})
        answer = self.request("GET", lookup.path, params={"pageSize": "1"})
        body = answer.json() if isinstance(answer, Answer) and answer.status == codes.OK else None
        if not isinstance(body, dict):
            return Check(is_ok=False, message=_problem(answer))
        lists = body.get("userLists")
        if isinstance(lists, list) and lists and isinstance(lists[0], dict) and "id" in lists[0]:
            member = {"userData": {"userIdentifiers": [{"emailAddress": _ON_TRIAL}]}}
            content = orjson.dumps(member)
            trial = self._post("ingest", str(lists[0]["id"]), content, is_dry=True)
            if not isinstance(trial, Answer) or trial.status != codes.OK:
                return Check(is_ok=False, message=f"on trial: {_problem(trial)}")
        return Check(is_ok=True, message="answers, and takes the login and the account")


def _account(number: str) -> dict[str, str]:
    return {"accountType": "GOOGLE_ADS", "accountId": number}


def _problem(answer: Answer | Reply) -> str:
    if isinstance(answer, Answer):
        return getattr(read_refusal(answer, 0), "reason", "refuses the request")
    return str(getattr(answer, "reason", "refuses the login"))


def check(settings: GoogleSettings, http: Http) -> Check:
    """Ask whether lists could be filled; none is."""
    return Members.open(settings, ListOptions("granted"), http).check()


GOOGLE = Destination(
    name="google",
    documentation="https://developers.google.com/data-manager/api",
    settings=GoogleSettings,
    objects={
        "audience_members": Object(
            modes=frozenset(["mirror"]),
            options=ListOptions,
            open=Members.open,
            match_keys=MatchKeys("google_match_keys", KEYS),
            renew_after_days=lambda options: options.renew_after_days,
        ),
    },
    check=check,
)
