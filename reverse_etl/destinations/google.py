"""Google: audiences as Customer Match lists of an account, by the Data Manager API.

One bad row fails a request, and the reply names it by its field: it is refused and the others are
sent again. A request that passes is only processed afterwards, for minutes, so its rows are not
accepted before its status says so: while it does not, an attempt asks for the status again and
sends nothing. Give such a sync patience (`attempts`, `give_up_after_seconds`); what is still
processed at the end is unknown, and sent again by the next run, which changes nothing there.

A list that is replaced is sent whole, and then whoever was last added before that is removed. When
it began is told by Google's clock: ours may be ahead, and would remove whom it just sent.

https://developers.google.com/data-manager/api/reference/rest/v1/audienceMembers/ingest
https://developers.google.com/data-manager/api/reference/rest/v1/audienceMembers/removeAll
https://developers.google.com/data-manager/api/devguides/limits
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import (
    Check,
    Denied,
    Destination,
    Later,
    Limits,
    MatchKeys,
    Object,
    Stop,
    Taken,
)
from reverse_etl.destinations.audience_directory import Directory, Located
from reverse_etl.destinations.google_api import DataManager, GoogleSettings
from reverse_etl.destinations.google_lists import (
    CONSENTS,
    TERMS,
    ListOptions,
    lists_path,
    open_directory,
)
from reverse_etl.destinations.google_replies import read_refusal, read_request_id, read_status
from reverse_etl.destinations.hashed import read_match_keys
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.destinations.google_auth import Tokens
    from reverse_etl.http import Http

KEYS = ("emailAddress", "phoneNumber")
# 10,000 members; a size is not documented. 300 requests a minute are 50,000 members a second.
LIMITS = Limits(10_000, 8_000_000, 2_048, connections=4, separator=b",")
_CLOSES = "removeAll"
_MARGIN = timedelta(minutes=1)
"""Google's servers may disagree by so much on the time; it is no more than a guess."""

_ON_TRIAL = hashlib.sha256(b"nobody@example.com").hexdigest()


@dataclass(frozen=True)
class Members:
    """A channel that keeps one user list for each label.

    Attributes:
        api: Where requests go.
        consent: What the people of the sync consented to.
        directory: The account's user lists.
        limits: What one request may carry.
        pending: Ids of requests that are processed, by the digest of what they carried.
        replaced: Labels of the lists that are replaced.
        began: When each began to be, by Google's clock.
    """

    api: DataManager
    consent: str
    directory: Directory
    limits: Limits = LIMITS
    pending: dict[bytes, str] = field(default_factory=dict)
    replaced: frozenset[str] = frozenset()
    began: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: GoogleSettings, options: ListOptions, http: Http) -> Members:
        """Open the channel; nothing is asked yet."""
        api = DataManager.open(settings, http)
        return cls(api, options.consent, open_directory(api, options))

    def replacing(self, labels: Collection[str]) -> Members:
        """The channel that replaces the lists of some labels."""
        return replace(self, replaced=frozenset(labels))

    def closing(self, label: str) -> str:
        """The route of the request that removes whoever was not sent."""
        return f"{_CLOSES} {label}"

    @property
    def tokens(self) -> Tokens:
        """The run's access token."""
        return self.api.tokens

    def route(self, change: Change) -> str:
        """Additions and removals of one list go in requests of their own."""
        return self.directory.route(change)

    def encode(self, change: Change) -> bytes:
        """A member with one identifier for each key."""
        keys = read_match_keys(change, KEYS)
        identifiers = [{name: keys[name]} for name in KEYS if name in keys]
        return orjson.dumps({"userData": {"userIdentifiers": identifiers}})

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Send what was not sent yet, then ask what became of it."""
        found = self.directory.locate(route)
        if not isinstance(found, Located):
            return found
        carried = self.limits.join(records)
        key = hashlib.sha256(route.encode() + b"\n" + carried).digest()
        label = route.partition(" ")[2]
        if found.operation == TERMS.adds and label in self.replaced and label not in self.began:
            hindered = self._begin(label)
            if hindered is not None:
                return hindered
        if key not in self.pending:
            answer = self._post(found, carried, before=self.began.get(label))
            if not isinstance(answer, Answer):
                return answer
            if answer.status == codes.BAD_REQUEST:
                refusal = read_refusal(answer, len(records))
                return _closed(refusal) if found.operation == _CLOSES else refusal
            request_id = read_request_id(answer)
            if request_id is None:
                reason = "a reply without a request id"
                return Later(reason, is_maybe_accepted=True)
            self.pending[key] = request_id
        reply = self._settle(key, len(records))
        return _closed(reply) if found.operation == _CLOSES else reply

    def _begin(self, label: str) -> Reply | None:
        """Ask for the time before anybody of a list is sent; says what hindered it."""
        answer = self.api.request("GET", lists_path(self.api), params={"pageSize": "1"})
        if not isinstance(answer, Answer):
            return answer
        http = self.api.http
        ahead = timedelta(seconds=http.ahead_seconds or 0.0)
        began = http.clock.now() - ahead - _MARGIN
        # two requests may begin at once: either instant is before both
        self.began.setdefault(label, began.isoformat(timespec="milliseconds") + "Z")
        return None

    def _settle(self, key: bytes, rows: int) -> Reply:
        """Ask what became of a request."""
        params = {"requestId": self.pending[key]}
        answer = self.api.request("GET", "v1/requestStatus:retrieve", params=params)
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
        self, to: Located, members: bytes, *, before: str | None = None, is_dry: bool = False
    ) -> Answer | Reply:
        """Make one attempt; the members are encoded already and are not encoded again."""
        settings = self.api.settings
        destination: dict[str, Any] = {
            "reference": "list",
            "operatingAccount": _account(settings.account_id),
            "productDestinationId": to.audience,
        }
        if settings.login_account_id:
            destination["loginAccount"] = _account(settings.login_account_id)
        body: dict[str, Any] = {"destinations": [destination], "validateOnly": is_dry}
        if to.operation == _CLOSES:
            content = orjson.dumps(body | {"removeAsOfTime": before})
            return self.api.request("POST", f"v1/audienceMembers:{_CLOSES}", content=content)
        body["encoding"] = "HEX"
        if to.operation == TERMS.adds:
            status = CONSENTS[self.consent]
            body["consent"] = {"adUserData": status, "adPersonalization": status}
            body["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
        content = orjson.dumps(body)[:-1] + b',"audienceMembers":[' + members + b"]}"
        return self.api.request("POST", f"v1/audienceMembers:{to.operation}", content=content)

    def check(self) -> Check:
        """List the user lists, and validate an upload to one of them that is not made."""
        answer = self.api.request("GET", lists_path(self.api), params={"pageSize": "1"})
        body = answer.json() if isinstance(answer, Answer) and answer.status == codes.OK else None
        if not isinstance(body, dict):
            return Check(is_ok=False, message=_problem(answer))
        lists = body.get("userLists")
        if isinstance(lists, list) and lists and isinstance(lists[0], dict) and "id" in lists[0]:
            member = {"userData": {"userIdentifiers": [{"emailAddress": _ON_TRIAL}]}}
            to = Located(TERMS.adds, str(lists[0]["id"]))
            trial = self._post(to, orjson.dumps(member), is_dry=True)
            if not isinstance(trial, Answer) or trial.status != codes.OK:
                return Check(is_ok=False, message=f"on trial: {_problem(trial)}")
        return Check(is_ok=True, message="answers, and takes the login and the account")


def _closed(reply: Reply) -> Reply:
    """What the end of a replacement came to: it is about no row, so no row is at fault."""
    if isinstance(reply, Taken) and not (reply.refused or reply.unsure):
        return reply
    if isinstance(reply, Later | Denied | Stop):
        return reply
    return Stop("could not remove whoever was not sent from a list")


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
            modes=frozenset(["mirror", "replace"]),
            options=ListOptions,
            open=Members.open,
            replacing=Members.replacing,
            match_keys=MatchKeys("google_match_keys", KEYS),
            renew_after_days=lambda options: options.renew_after_days,
        ),
    },
    check=check,
)
