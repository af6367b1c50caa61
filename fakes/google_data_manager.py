"""A strict stand-in of Google's Data Manager API, and of the token endpoint in front of it.

One bad required field fails a whole request, with the path of the field. What passes is processed
afterwards: its status is asked for, and tells counts and reasons, never rows.

Source: https://developers.google.com/data-manager/api/reference/rest/v1
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.routing import Route

from fakes.control import Control
from fakes.google_rules import (
    check_members,
    check_remove_all,
    check_request,
    consent_problem,
    is_signed_by,
    named,
    refusal,
)
from fakes.hashed_members import HashedList
from fakes.wire import Refusal, Store, parse, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

CLIENT_ID = "fake-google-client"
CLIENT_SECRET = "fake-google-client-secret"  # noqa: S105 - the stand-in's own, of no use elsewhere
REFRESH_TOKEN = "fake-google-refresh-token"  # noqa: S105 - the stand-in's own, of no use elsewhere
ACCOUNT = "1234567890"
UNIQUE = ("emailAddress", "phoneNumber")
_LISTS = f"/v1/accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}/userLists"
_MOST_DAYS = 540


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {
        "base_url": address,
        "token_url": f"{address}/token",
        "account_id": ACCOUNT,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
    }


@dataclass(frozen=True)
class Manners:
    """How the stand-in behaves beyond what everybody meets.

    Attributes:
        refused: Digests that fail a request at once.
        refused_later: Digests that fail when the request is processed.
        polls: How often a status is asked for before the request is processed.
        token_seconds: How long an access token lives.
        public_key: In PEM, of a service account that may log in too.
        now: The present, in seconds since the epoch, by which members were last added.
    """

    refused: frozenset[str] = frozenset()
    refused_later: frozenset[str] = frozenset()
    polls: int = 0
    token_seconds: int = 3_599
    public_key: str = ""
    now: Callable[[], float] = time.time


def create_app(
    *,
    store: Path | None = None,
    refused: Collection[str] = (),
    manners: Manners | None = None,
) -> Control:
    """The stand-in as an ASGI app.

    Args:
        store: A file that keeps what was accepted over a restart.
        refused: Digests that fail a request at once.
        manners: How it behaves, in place of `refused`.

    Returns:
        The app, with `/token`, the paths of user lists, audience members and statuses, and the
        control endpoints under `/_fake/`.
    """
    vendor = _Google(Store(store), manners or Manners(refused=frozenset(refused)))
    control = Control()
    control.serve(vendor.routes())
    return control


@dataclass
class _Job:
    """A request that is processed after so many more questions."""

    polls: int
    change: dict[str, Any]
    destination: dict[str, Any]
    errors: dict[str, int] = field(default_factory=dict)


class _Google:
    def __init__(self, store: Store, manners: Manners) -> None:
        self.store = store
        self.manners = manners
        self.lists: dict[str, HashedList] = {}
        self.jobs: dict[str, _Job] = {}
        self.tokens: set[str] = set()
        for change in store.read():
            self._keep(**change)

    def routes(self) -> list[Route]:
        post = ["POST"]
        members = "/v1/audienceMembers"
        return [
            Route("/token", self.issue_token, methods=post),
            Route(_LISTS, self._serve(self.list_lists)),
            Route(_LISTS, self._serve(self.make_list), methods=post),
            Route(f"{members}:ingest", self._serve(self.ingest), methods=post),
            Route(f"{members}:remove", self._serve(self.remove), methods=post),
            Route(f"{members}:removeAll", self._serve(self.remove_all), methods=post),
            Route("/v1/requestStatus:retrieve", self._serve(self.tell_status)),
            Route("/_fake/audiences", self.read_lists),
        ]

    async def issue_token(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        if form.get("grant_type") == "refresh_token":
            client = (form.get("client_id"), form.get("client_secret"))
            is_good = form.get("refresh_token") == REFRESH_TOKEN
            if client != (CLIENT_ID, CLIENT_SECRET):
                return reply({"error": "invalid_client"}, 401)
        else:
            audience = str(request.url)
            is_good = is_signed_by(form.get("assertion", ""), self.manners.public_key, audience)
        if not is_good:
            return reply({"error": "invalid_grant", "error_description": "Bad Request"}, 400)
        token = f"fake-google-access-token-{len(self.tokens)}"
        self.tokens.add(token)
        seconds = self.manners.token_seconds
        return reply({"access_token": token, "expires_in": seconds, "token_type": "Bearer"})

    def _serve(self, handle: Callable[[Request, Any], dict[str, Any]]) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                self._authorise(request)
                return reply(handle(request, named(parse(body)) if body else {}))
            except Refusal as refused:
                return refused.response

        return endpoint

    def _authorise(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            error = {"code": 401, "status": "UNAUTHENTICATED", "message": "Invalid token"}
            raise Refusal(401, {"error": error})

    def list_lists(self, request: Request, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        size = min(int(request.query_params.get("pageSize", "50")), 1_000)
        start = int(request.query_params.get("pageToken", "0"))
        found = list(self.lists.values())
        rows = [{"id": each.id, "displayName": each.name} for each in found[start : start + size]]
        more = {"nextPageToken": str(start + size)} if start + size < len(found) else {}
        return ({"userLists": rows} if rows else {}) | more

    def make_list(self, _request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        name = body.get("displayName") if isinstance(body, dict) else None
        if not isinstance(name, str) or not name:
            raise refusal(path="display_name", reason="REQUIRED_FIELD_MISSING")
        duration = str(body.get("membershipDuration", "")).removesuffix("s")
        days = int(duration) / 86_400 if duration.isdecimal() else 0
        if not (0 < days <= _MOST_DAYS and days == int(days)):
            raise refusal(path="membership_duration", reason="INVALID_FORMAT")
        info = body.get("ingestedUserListInfo")
        kinds = info.get("uploadKeyTypes") if isinstance(info, dict) else None
        if kinds != ["CONTACT_ID"] or "contactIdInfo" not in info:
            raise refusal(
                path="ingested_user_list_info.upload_key_types", reason="INVALID_ENUM_VALUE"
            )
        number = str(9_000_001 + len(self.lists))
        self._take({"user_list": number, "operation": "make", "rows": [], "name": name})
        return {"id": number, "displayName": name, "name": f"{_LISTS[4:]}/{number}"}

    def ingest(self, _request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        check_request(body, ACCOUNT, self.lists, is_ingest=True)
        rows = check_members(body, self.manners.refused)
        errors = consent_problem(body, len(rows))
        return self._process(body, "add", rows, errors)

    def remove(self, _request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        check_request(body, ACCOUNT, self.lists, is_ingest=False)
        return self._process(body, "remove", check_members(body, self.manners.refused), {})

    def remove_all(self, _request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        before = check_remove_all(body, ACCOUNT, self.lists, self.manners.now())
        return self._process(body, "remove_all", [], {}, at=before)

    def _process(
        self,
        body: dict[str, Any],
        operation: str,
        rows: list[dict[str, str]],
        errors: dict[str, int],
        at: float | None = None,
    ) -> dict[str, Any]:
        good = [row for row in rows if not self.manners.refused_later & set(row.values())]
        if not errors and len(good) < len(rows):
            errors = {"PROCESSING_ERROR_REASON_INVALID_FORMAT": len(rows) - len(good)}
        elif errors:
            good = []
        destination = body["destinations"][0]
        change = {"user_list": destination["productDestinationId"], "operation": operation}
        change["at"] = self.manners.now() if at is None else at
        number = f"request-{len(self.jobs)}"
        if not body.get("validateOnly"):
            job = _Job(self.manners.polls, change | {"rows": good}, destination, errors)
            self.jobs[number] = job
            job.change["is_all"] = len(good) == len(rows)
        return {"requestId": number}

    def tell_status(self, request: Request, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        job = self.jobs.get(request.query_params.get("requestId", ""))
        if job is None:
            raise refusal(path="request_id", reason="INVALID_FORMAT")
        told: dict[str, Any] = {"destination": job.destination}
        if job.polls > 0:
            job.polls -= 1
            return {"requestStatusPerDestination": [told | {"requestStatus": "PROCESSING"}]}
        change = dict(job.change)
        if change.pop("is_all", None) is not None:
            # it is processed once, however often it is asked about
            job.change = {"rows": change["rows"]}
            self._take(change)
        status = "SUCCESS"
        if job.errors:
            status = "PARTIAL_SUCCESS" if change["rows"] else "FAILED"
            counts = [{"recordCount": str(n), "reason": r} for r, n in job.errors.items()]
            told["errorInfo"] = {"errorCounts": counts}
        return {"requestStatusPerDestination": [told | {"requestStatus": status}]}

    def _take(self, change: dict[str, Any]) -> None:
        """Apply a change, and keep it over a restart."""
        self._keep(**change)
        self.store.add([change])

    def _keep(
        self,
        user_list: str,
        operation: str,
        rows: list[dict[str, str]],
        name: str = "",
        at: float = 0.0,
    ) -> None:
        if operation == "make":
            self.lists[user_list] = HashedList(user_list, name, UNIQUE)
        elif operation == "add":
            self.lists[user_list].add(rows, at)
        elif operation == "remove_all":
            self.lists[user_list].remove_before(at)
        else:
            self.lists[user_list].remove(rows)

    async def read_lists(self, _request: Request) -> Response:
        return reply({each.name: list(each.rows.values()) for each in self.lists.values()})
