"""A strict stand-in of Meta's Graph API, as far as customer file custom audiences go.

A request has a session and a payload; every row has a cell for each key of its schema. A reply is a
200 whatever the rows are: it counts the invalid ones and shows samples of them, in no order.

Source: https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users and
https://developers.facebook.com/docs/marketing-api/reference/ad-account/customaudiences
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.routing import Route

from fakes.control import Control
from fakes.hashed_members import DIGEST, HashedList
from fakes.wire import Refusal, Store, parse, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

TOKEN = "fake-meta-access-token"  # noqa: S105 - the stand-in's own, of no use elsewhere
APP_SECRET = "fake-meta-app-secret"  # noqa: S105 - the stand-in's own, of no use elsewhere
AD_ACCOUNT = "1234567890"
MAX_ROWS = 10_000
MAX_SAMPLES = 100
FIRST_ID = 23840000000000
UNHASHED = frozenset({"EXTERN_ID", "MADID"})
KEYS = frozenset(
    {
        *("EXTERN_ID", "EMAIL", "PHONE", "GEN", "DOBY", "DOBM", "DOBD", "LN", "FN", "FI", "CT"),
        *("ST", "ZIP", "MADID", "COUNTRY"),
    }
)
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

    Returns:
        The app, with the Graph API's paths of one ad account and the control endpoints under
        `/_fake/`.
    """
    vendor = _Meta(Store(store), frozenset(refused), frozenset(permissions))
    vendor.is_proof_demanded = is_proof_demanded
    vendor.most_samples = most_samples
    vendor.usage = usage
    vendor.settles_after = settles_after
    control = Control()
    control.serve(vendor.routes())
    return control


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
        self.sessions: dict[int, tuple[int, int]] = {}
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
            Route("/_fake/audiences", self.read_audiences),
        ]

    def _serve(self, handle: Callable[[Request, Any], dict[str, Any]]) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                self._authorise(request)
                answer = reply(handle(request, _content(request, body)))
            except Refusal as refusal:
                answer = refusal.response
            if self.usage:
                answer.headers["x-business-use-case-usage"] = self.usage
            return answer

        return endpoint

    def _authorise(self, request: Request) -> None:
        if not re.fullmatch(r"v\d+\.\d", request.path_params["version"]):
            raise _refusal(2635, "You are calling a deprecated version of the Ads API")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token if scheme == "Bearer" else request.query_params.get("access_token", "")
        if token != TOKEN:
            raise _refusal(190, "Invalid OAuth access token.", kind="OAuthException")
        if not self.is_proof_demanded:
            return
        instant = request.query_params.get("appsecret_time", "")
        text = f"{token}|{instant}".encode()
        proof = hmac.new(APP_SECRET.encode(), text, hashlib.sha256).hexdigest()
        if not instant or request.query_params.get("appsecret_proof") != proof:
            raise _refusal(100, "API calls from the server require an appsecret_proof argument")

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
            raise _refusal(100, "(#100) The parameter name is required")
        if body.get("subtype") != "CUSTOM":
            raise _refusal(100, "(#100) Param subtype must be one of CUSTOM")
        if body.get("customer_file_source") not in _SOURCES:
            raise _refusal(100, "(#100) customer_file_source is required", subcode=1870053)
        audience = str(FIRST_ID + len(self.audiences) + 1)
        self._take(audience, "MAKE", [], name=body["name"])
        self.unsettled[audience] = self.settles_after
        return {"id": audience}

    def _permitted(self) -> None:
        if "ads_management" not in self.permissions:
            message = "(#294) Managing advertisements requires the extended permission"
            raise _refusal(294, message, status=403)

    def change_users(self, request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        self._permitted()
        audience = str(request.path_params["audience"])
        if audience not in self.audiences:
            message = f"Unsupported {request.method} request. Object does not exist"
            raise _refusal(100, message, subcode=33)
        if self.unsettled.get(audience, 0):
            self.unsettled[audience] -= 1
            message = f"(#803) Some of the aliases you requested do not exist: {audience}"
            raise _refusal(803, message, status=404, kind="OAuthException")
        payload = body.get("payload") if isinstance(body, dict) else None
        schema, rows = _read_payload(payload)
        number = self._session(body.get("session"), len(rows))
        good: list[dict[str, str]] = []
        bad: list[dict[str, str]] = []
        for row in rows:
            cells = {key: cell for key, cell in zip(schema, row, strict=True) if cell}
            (good if self._is_valid(cells) else bad).append(cells)
        operation = "ADD" if request.method == "POST" else "REMOVE"
        self._take(audience, operation, good)
        samples = [next(iter(cells.values()), "") for cells in reversed(bad)][: self.most_samples]
        return {
            "audience_id": audience,
            "session_id": str(number),
            "num_received": self.sessions[number][1],
            "num_invalid_entries": len(bad),
            "invalid_entry_samples": {str(i): text for i, text in enumerate(samples)},
        }

    def _session(self, session: Any, rows: int) -> int:  # noqa: ANN401 - any JSON
        """Check a request's session; the rows received are counted over all of its batches."""
        fields = {"session_id": int, "batch_seq": int, "last_batch_flag": bool}
        if not isinstance(session, dict) or any(
            type(session.get(name)) is not kind for name, kind in fields.items()
        ):
            raise _refusal(100, "(#100) The parameter session is required")
        number, batch = session["session_id"], session["batch_seq"]
        if not 0 <= number < 1 << 63:
            raise _refusal(100, "(#100) session_id must be a positive 64 bit integer")
        last, received = self.sessions.get(number, (0, 0))
        if batch != last + 1:
            raise _refusal(2650, "Batch out of order", subcode=1870147)
        self.sessions[number] = (batch, received + rows)
        return int(number)

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
        elif operation == "ADD":
            self.audiences[audience].add(rows)
        else:
            self.audiences[audience].remove(rows)

    async def read_audiences(self, _request: Request) -> Response:
        return reply({each.name: list(each.rows.values()) for each in self.audiences.values()})


def _content(request: Request, body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """The parameters: a JSON body, a form as Meta's own client sends it, or the query."""
    if request.headers.get("content-type", "").startswith("application/json") and body:
        found = parse(body)
        if not isinstance(found, dict):
            raise _refusal(100, "(#100) The request body is not a JSON object")
        return found
    given = parse_qs(body.decode()) or {k: [v] for k, v in request.query_params.items()}
    return {
        key: parse(texts[0].encode()) if key in {"payload", "session"} else texts[0]
        for key, texts in given.items()
    }


def _read_payload(payload: Any) -> tuple[list[str], list[list[str]]]:  # noqa: ANN401 - any JSON
    schema = payload.get("schema") if isinstance(payload, dict) else None
    rows = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(schema, list) or not schema or not set(map(str, schema)) <= KEYS:
        raise _refusal(100, "(#100) Invalid schema in payload")
    if not isinstance(rows, list) or not rows:
        raise _refusal(100, "(#100) payload has no data")
    if len(rows) > MAX_ROWS:
        raise _refusal(100, f"(#100) payload has more than {MAX_ROWS} entries")
    for row in rows:
        is_row = isinstance(row, list) and len(row) == len(schema)
        if not is_row or not all(isinstance(cell, str) for cell in row):
            raise _refusal(100, "(#100) A row has another number of columns than the schema")
    return schema, rows


def _refusal(
    code: int, message: str, *, subcode: int | None = None, status: int = 400, kind: str = "Api"
) -> Refusal:
    error = {"message": message, "type": kind, "code": code, "fbtrace_id": "Afake"}
    return Refusal(status, {"error": error | ({"error_subcode": subcode} if subcode else {})})
