"""Requests to Google about members of user lists, and what becomes of them.

One bad row fails a request, and the reply names it by its field: it is refused and the others are
sent again. A request that passes is only processed afterwards, for minutes, so its rows are not
accepted before its status says so: while it does not, an attempt asks for the status again and
sends nothing.

https://developers.google.com/data-manager/api/reference/rest/v1/audienceMembers/ingest
https://developers.google.com/data-manager/api/reference/rest/v1/audienceMembers/removeAll
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import Check, Later
from reverse_etl.destinations.audience_directory import Located
from reverse_etl.destinations.google_lists import CONSENTS, TERMS, lists_path
from reverse_etl.destinations.google_replies import read_refusal, read_request_id, read_status
from reverse_etl.destinations.replies import read_object
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Reply
    from reverse_etl.destinations.google_api import DataManager

CLOSES = "removeAll"
_ON_TRIAL = hashlib.sha256(b"nobody@example.com").hexdigest()


@dataclass(frozen=True)
class Uploads:
    """The requests of one run.

    Attributes:
        api: Where they go.
        consent: What the people of the sync consented to.
        pending: Ids of requests that are processed, by the digest of what they carried.
    """

    api: DataManager
    consent: str
    pending: dict[bytes, str] = field(default_factory=dict)

    def run(self, to: Located, members: bytes, rows: int, *, before: str | None = None) -> Reply:
        """Send what was not sent yet, then ask what became of it.

        Args:
            to: The list, and whether its members are added, removed, or all of them removed.
            members: They, encoded; they are not encoded again.
            rows: How many.
            before: Where all are removed, those alone who were last added before this instant.
        """
        key = hashlib.sha256(f"{to.operation} {to.audience}\n".encode() + members).digest()
        if key not in self.pending:
            answer = self._post(to, members, before=before)
            if not isinstance(answer, Answer):
                return answer
            if answer.status == codes.BAD_REQUEST:
                return read_refusal(answer, rows)
            request_id = read_request_id(answer)
            if request_id is None:
                return Later("a reply without a request id", is_maybe_accepted=True)
            self.pending[key] = request_id
        return self._settle(key, rows)

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
        """Make one attempt."""
        settings = self.api.settings
        destination: dict[str, Any] = {
            "reference": "list",
            "operatingAccount": _account(settings.account_id),
            "productDestinationId": to.audience,
        }
        if settings.login_account_id:
            destination["loginAccount"] = _account(settings.login_account_id)
        body: dict[str, Any] = {"destinations": [destination], "validateOnly": is_dry}
        if to.operation == CLOSES:
            content = orjson.dumps(body | {"removeAsOfTime": before})
            return self.api.request("POST", f"v1/audienceMembers:{CLOSES}", content=content)
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
        body = read_object(answer)
        if body is None or (isinstance(answer, Answer) and answer.status != codes.OK):
            return Check(is_ok=False, message=_problem(answer))
        lists = body.get("userLists")
        if isinstance(lists, list) and lists and isinstance(lists[0], dict) and "id" in lists[0]:
            member = {"userData": {"userIdentifiers": [{"emailAddress": _ON_TRIAL}]}}
            to = Located(TERMS.adds, str(lists[0]["id"]))
            trial = self._post(to, orjson.dumps(member), is_dry=True)
            if not isinstance(trial, Answer) or trial.status != codes.OK:
                return Check(is_ok=False, message=f"on trial: {_problem(trial)}")
        return Check(is_ok=True, message="answers, and takes the login and the account")


def _account(number: str) -> dict[str, str]:
    return {"accountType": "GOOGLE_ADS", "accountId": number}


def _problem(answer: Answer | Reply) -> str:
    if isinstance(answer, Answer):
        return getattr(read_refusal(answer, 0), "reason", "refuses the request")
    return str(getattr(answer, "reason", "refuses the login"))
