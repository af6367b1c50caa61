"""A strict stand-in of Meta's Graph API, as far as customer file custom audiences go.

A request has a session and a payload; every row has a cell for each key of its schema. A reply is a
200 whatever the rows are: it counts the invalid ones and shows samples of them, in no order.

While an audience is replaced it takes nothing else, and from the session's first request on it is
empty: Meta does not say when the old members leave, so the worst is supposed. That a request sent
twice is told by its number is supposed too; another one with the same number is refused.

Source: https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users,
https://developers.facebook.com/docs/marketing-api/reference/custom-audience/usersreplace and
https://developers.facebook.com/docs/marketing-api/reference/ad-account/customaudiences
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from fakes.control import Control
from fakes.hashed_members import DIGEST, HashedList
from fakes.meta_rules import content, read_payload, read_session, refusal
from fakes.wire import Refusal, Store, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

TOKEN = "fake-meta-access-token"  # noqa: S105 - the stand-in's own, of no use elsewhere
APP_SECRET = "fake-meta-app-secret"  # noqa: S105 - the stand-in's own, of no use elsewhere
AD_ACCOUNT = "1234567890"
MAX_SAMPLES = 100
FIRST_ID = 23840000000000
REPLACEMENT_SECONDS = 90 * 60
UNHASHED = frozenset({"EXTERN_ID", "MADID"})
UNIQUE = ("EXTERN_ID", "EMAIL", "PHONE", "MADID")
_SOURCES = ("USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED")


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {"base_url": address, "access_token": TOKEN, "ad_account_id": AD_ACCOUNT}


def create_app(  # noqa: PLR0913 - each a circumstance that some test varies
    *,
    store: Path | None = None,
    refused: Collection[str] = (),
    permissions: Collection[str] = ("ads_management",),
    is_proof_demanded: bool = False,
    most_samples: int = MAX_SAMPLES,
    usage: str = "",
    settles_after: int = 0,
    now: Callable[[], float] = time.time,
) -> Control:
    """The stand-in as an ASGI app.

    Args:
        store: A file that keeps what was accepted over a restart.
        refused: Digests that it counts as invalid.
        permissions: What the token is granted.
        is_proof_demanded: Every call must prove that it holds the app's secret.
        most_samples: How many invalid entries a reply shows.
        usage: The header `X-Business-Use-Case-Usage` of its replies.
        settles_after: So many requests to an audience that was just made are answered as if it
            were not there.
        now: The present, in seconds since the epoch.

    Returns:
        The app, with the Graph API's paths of one ad account and the control endpoints under
        `/_fake/`.
    """
    vendor = _Meta(Store(store), frozenset(refused), frozenset(permissions))
    vendor.is_proof_demanded = is_proof_demanded
    vendor.most_samples = most_samples
    vendor.usage = usage
    vendor.settles_after = settles_after
    vendor.now = now
    control = Control()
    control.serve(vendor.routes())
    return control


@dataclass
class _Session:
    """What was counted together; one that replaces an audience knows which, and since when."""

    batch: int = 0
    received: int = 0
    invalid: int = 0
    is_over: bool = False
    audience: str = ""
    began_at: float = 0.0
    schema: list[str] = field(default_factory=list)
    last: tuple[Any, dict[str, Any]] | None = None


class _Meta:
    def __init__(self, store: Store, refused: frozenset[str], permissions: frozenset[str]) -> None:
        self.store = store
        self.refused = refused
        self.permissions = permissions
        self.is_proof_demanded = False
        self.most_samples = MAX_SAMPLES
        self.usage = ""
        self.settles_after = 0
        self.unsettled: dict[str, int] = {}
        self.audiences: dict[str, HashedList] = {}
        self.now: Callable[[], float] = time.time
        self.sessions: dict[int, _Session] = {}
        for change in store.read():
            self._keep(**change)

    def routes(self) -> list[Route]:
        account = f"/{{version}}/act_{AD_ACCOUNT}"
        return [
            Route("/{version}/me/permissions", self._serve(self.list_permissions)),
            Route(account, self._serve(self.show_account)),
            Route(f"{account}/customaudiences", self._serve(self.list_audiences)),
            Route(f"{account}/customaudiences", self._serve(self.make_audience), methods=["POST"]),
            Route(
                "/{version}/{audience:int}/users",
                self._serve(self.change_users),
                methods=["POST", "DELETE"],
            ),
            Route(
                "/{version}/{audience:int}/usersreplace",
                self._serve(self.replace_users),
                methods=["POST"],
            ),
            Route("/_fake/audiences", self.read_audiences),
        ]

    def _serve(self, handle: Callable[[Request, Any], dict[str, Any]]) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                self._authorise(request)
                answer = reply(handle(request, content(request, body)))
            except Refusal as refused:
                answer = refused.response
            if self.usage:
                answer.headers["x-business-use-case-usage"] = self.usage
            return answer

        return endpoint

    def _authorise(self, request: Request) -> None:
        if not re.fullmatch(r"v\d+\.\d", request.path_params["version"]):
            raise refusal(2635, "You are calling a deprecated version of the Ads API")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token if scheme == "Bearer" else request.query_params.get("access_token", "")
        if token != TOKEN:
            raise refusal(190, "Invalid OAuth access token.", kind="OAuthException")
        if not self.is_proof_demanded:
            return
        instant = request.query_params.get("appsecret_time", "")
        text = f"{token}|{instant}".encode()
        proof = hmac.new(APP_SECRET.encode(), text, hashlib.sha256).hexdigest()
        if not instant or request.query_params.get("appsecret_proof") != proof:
            raise refusal(100, "API calls from the server require an appsecret_proof argument")

    def list_permissions(self, _request: Request, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        return {"data": [{"permission": name, "status": "granted"} for name in self.permissions]}

    def show_account(self, _request: Request, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        return {"id": f"act_{AD_ACCOUNT}"}

    def list_audiences(self, request: Request, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        size = int(request.query_params.get("limit", "25"))
        start = int(request.query_params.get("after", "0"))
        found = list(self.audiences.values())
        rows = [{"id": each.id, "name": each.name} for each in found[start : start + size]]
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(start + size)}}
        if start + size < len(found):
            paging["next"] = f"{request.url.path}?after={start + size}"
        return {"data": rows, "paging": paging} if rows else {"data": []}

    def make_audience(self, _request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        self._permitted()
        if not isinstance(body, dict) or not body.get("name"):
            raise refusal(100, "(#100) The parameter name is required")
        if body.get("subtype") != "CUSTOM":
            raise refusal(100, "(#100) Param subtype must be one of CUSTOM")
        if body.get("customer_file_source") not in _SOURCES:
            raise refusal(100, "(#100) customer_file_source is required", subcode=1870053)
        audience = str(FIRST_ID + len(self.audiences) + 1)
        self._take(audience, "MAKE", [], name=body["name"])
        self.unsettled[audience] = self.settles_after
        return {"id": audience}

    def _permitted(self) -> None:
        if "ads_management" not in self.permissions:
            message = "(#294) Managing advertisements requires the extended permission"
            raise refusal(294, message, status=403)

    def _audience(self, request: Request) -> str:
        """The audience of a path, if it is there and may be changed."""
        self._permitted()
        audience = str(request.path_params["audience"])
        if audience not in self.audiences:
            message = f"Unsupported {request.method} request. Object does not exist"
            raise refusal(100, message, subcode=33)
        if self.unsettled.get(audience, 0):
            self.unsettled[audience] -= 1
            message = f"(#803) Some of the aliases you requested do not exist: {audience}"
            raise refusal(803, message, status=404, kind="OAuthException")
        return audience

    def change_users(self, request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        audience = self._audience(request)
        if self._replaces(audience) is not None:
            raise refusal(2650, "The audience is being replaced", subcode=1870145)
        schema, rows = read_payload(body)
        if "session" in body:
            number, batch, _ = read_session(body)
        else:
            # the guide calls it required; the specification does not, nor does Meta's own client
            number, batch = len(self.sessions), 1
        session = self.sessions.setdefault(number, _Session())
        if batch != session.batch + 1:
            raise refusal(2650, "Batch out of order", subcode=1870147)
        operation = "ADD" if request.method == "POST" else "REMOVE"
        return self._change(audience, operation, (number, session), schema, rows)

    def _replaces(self, audience: str) -> int | None:
        """The session that replaces an audience right now; one that is too old is given up."""
        for number, session in self.sessions.items():
            if session.audience == audience and not session.is_over:
                if self.now() - session.began_at <= REPLACEMENT_SECONDS:
                    return number
                session.is_over = True
        return None

    def replace_users(self, request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        audience = self._audience(request)
        schema, rows = read_payload(body)
        number, batch, is_last = read_session(body)
        under_way = self._replaces(audience)
        if under_way not in {None, number}:
            raise refusal(2650, "The audience is being replaced", subcode=1870145)
        session = self._replacement(audience, number, batch, schema)
        if session.last is not None and session.last[0] == body:
            return session.last[1]
        if session.is_over:
            raise refusal(2650, "The session has ended", subcode=1870159)
        if batch != session.batch + 1:
            raise refusal(2650, "Batch out of order", subcode=1870147)
        if schema != session.schema:
            raise refusal(2650, "Another schema than before", subcode=1870148)
        if batch == 1:
            self._take(audience, "CLEAR", [])
        answer = self._change(audience, "ADD", (number, session), schema, rows)
        session.is_over = is_last
        session.last = body, answer
        return answer

    def _replacement(self, audience: str, number: int, batch: int, schema: list[str]) -> _Session:
        """The session of a replacement, begun with its first request."""
        session = self.sessions.get(number)
        if session is None:
            if batch != 1:
                raise refusal(2650, "The first batch was not detected", subcode=1870147)
            session = _Session(audience=audience, began_at=self.now(), schema=schema)
            self.sessions[number] = session
        elif session.audience != audience:
            raise refusal(2650, "The session is another audience's", subcode=1870147)
        elif self.now() - session.began_at > REPLACEMENT_SECONDS:
            raise refusal(2650, "The session took too long", subcode=1870158)
        return session

    def _change(
        self,
        audience: str,
        operation: str,
        told: tuple[int, _Session],
        schema: list[str],
        rows: list[list[str]],
    ) -> dict[str, Any]:
        number, session = told
        good: list[dict[str, str]] = []
        bad: list[dict[str, str]] = []
        for row in rows:
            cells = {key: cell for key, cell in zip(schema, row, strict=True) if cell}
            (good if self._is_valid(cells) else bad).append(cells)
        self._take(audience, operation, good)
        session.batch += 1
        session.received += len(rows)
        session.invalid += len(bad)
        samples = [next(iter(cells.values()), "") for cells in reversed(bad)][: self.most_samples]
        return {
            "audience_id": audience,
            "session_id": str(number),
            "num_received": session.received,
            "num_invalid_entries": session.invalid,
            "invalid_entry_samples": {str(i): text for i, text in enumerate(samples)},
        }

    def _is_valid(self, cells: dict[str, str]) -> bool:
        return bool(cells) and all(
            text not in self.refused and (key in UNHASHED or DIGEST.fullmatch(text) is not None)
            for key, text in cells.items()
        )

    def _take(
        self, audience: str, operation: str, rows: list[dict[str, str]], name: str = ""
    ) -> None:
        """Apply a change, and keep it over a restart."""
        self._keep(audience, operation, rows, name)
        change = {"audience": audience, "operation": operation, "rows": rows, "name": name}
        self.store.add([change])

    def _keep(
        self, audience: str, operation: str, rows: list[dict[str, str]], name: str = ""
    ) -> None:
        if operation == "MAKE":
            self.audiences[audience] = HashedList(audience, name, UNIQUE)
        elif operation == "CLEAR":
            self.audiences[audience].clear()
        elif operation == "ADD":
            self.audiences[audience].add(rows)
        else:
            self.audiences[audience].remove(rows)

    async def read_audiences(self, _request: Request) -> Response:
        return reply({each.name: list(each.rows.values()) for each in self.audiences.values()})
