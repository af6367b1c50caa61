"""A strict stand-in of TikTok's Business API, as far as streamed audiences go.

A refusal is a 200 with a code, and takes nothing of the request, however many of its rows are good.

Source: https://business-api.tiktok.com/portal/docs, /segment/audience/, /segment/mapping/ and
/dmp/custom_audience/list/. How many rows a request may carry is not documented: it is set here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from fakes.control import Control
from fakes.hashed_members import DIGEST, HashedList
from fakes.wire import Refusal, Store, parse, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

TOKEN = "fake-tiktok-access-token"  # noqa: S105 - the stand-in's own, of no use elsewhere
ADVERTISER = "7000000000000000001"
MAX_ROWS = 1_000
MAX_NAME = 128
MAX_AUDIENCES = 400
KINDS = frozenset(
    {
        *("EMAIL_SHA256", "PHONE_SHA256", "IDFA_SHA256", "AAID_SHA256"),
        *("IDFA_MD5", "AAID_MD5"),
    }
)
_BASE = "/open_api/v1.3"


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {"base_url": address, "access_token": TOKEN, "advertiser_id": ADVERTISER}


def create_app(
    *,
    store: Path | None = None,
    refused: Collection[str] = (),
    most_rows: int = MAX_ROWS,
    is_streaming_allowed: bool = True,
) -> Control:
    """The stand-in as an ASGI app.

    Args:
        store: A file that keeps what was accepted over a restart.
        refused: Digests it does not take.
        most_rows: Most rows of a request.
        is_streaming_allowed: Whether the token may stream audiences.

    Returns:
        The app, with the audience paths of the Business API and the control endpoints under
        `/_fake/`.
    """
    vendor = _TikTok(Store(store), frozenset(refused), most_rows)
    vendor.is_streaming_allowed = is_streaming_allowed
    control = Control()
    control.serve(vendor.routes())
    return control


class _TikTok:
    def __init__(self, store: Store, refused: frozenset[str], most_rows: int) -> None:
        self.store = store
        self.refused = refused
        self.most_rows = most_rows
        self.is_streaming_allowed = True
        self.audiences: dict[str, HashedList] = {}
        for change in store.read():
            self._keep(**change)

    def routes(self) -> list[Route]:
        post = ["POST"]
        return [
            Route(f"{_BASE}/dmp/custom_audience/list/", self._serve(self.list_audiences)),
            Route(f"{_BASE}/segment/audience/", self._serve(self.make_audience), methods=post),
            Route(f"{_BASE}/segment/mapping/", self._serve(self.map_people), methods=post),
            Route("/_fake/audiences", self.read_audiences),
        ]

    def _serve(self, handle: Callable[[Request, Any], dict[str, Any]]) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                if request.headers.get("access-token") != TOKEN:
                    raise _refusal(40105, "Access token is incorrect or has been revoked")
                data = handle(request, parse(body) if body else {})
            except Refusal as refusal:
                return refusal.response
            return reply({"code": 0, "message": "OK", "request_id": "fake", "data": data})

        return endpoint

    def list_audiences(self, request: Request, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        _check_advertiser(request.query_params.get("advertiser_id"))
        page = int(request.query_params.get("page", "1"))
        size = int(request.query_params.get("page_size", "10"))
        if not (page >= 1 and 1 <= size <= 100):  # noqa: PLR2004 - the largest page
            raise _refusal(40002, "page_size must be from 1 to 100")
        found = [{"audience_id": a.id, "name": a.name} for a in self.audiences.values()]
        rows = found[(page - 1) * size : page * size]
        total = {"page": page, "page_size": size, "total_number": len(found)}
        return {"list": rows, "page_info": total}

    def make_audience(self, _request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        self._check_streaming()
        name = body.get("custom_audience_name") if isinstance(body, dict) else None
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
            raise _refusal(40002, "custom_audience_name: invalid length")
        _check_advertiser(body.get("advertiser_id"))
        if body.get("action") != "create":
            raise _refusal(40002, "action: must be one of create, delete")
        if len(self.audiences) >= MAX_AUDIENCES:
            raise _refusal(40002, "The advertiser has too many audiences")
        audience = str(170_000_001 + len(self.audiences))
        self._take(audience, "make", [], name)
        return {"audience_id": audience}

    def _check_streaming(self) -> None:
        if not self.is_streaming_allowed:
            raise _refusal(40001, "No permission to operate the segment API")

    def map_people(self, _request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        self._check_streaming()
        if not isinstance(body, dict):
            raise _refusal(40002, "The body is not a JSON object")
        advertisers = body.get("advertiser_ids")
        _check_advertiser(advertisers[0] if isinstance(advertisers, list) and advertisers else None)
        if body.get("action") not in {"add", "delete"}:
            raise _refusal(40002, "action: must be one of add, delete")
        schema, rows = body.get("id_schema"), body.get("batch_data")
        if not isinstance(schema, list) or not schema or not set(schema) <= KINDS:
            raise _refusal(40002, "id_schema: invalid")
        if not isinstance(rows, list) or not 0 < len(rows) <= self.most_rows:
            raise _refusal(40002, f"batch_data: must have from 1 to {self.most_rows} rows")
        people: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            self._sort(row, schema, people)
        for audience, found in people.items():
            self._take(audience, body["action"], found)
        return {}

    def _sort(self, row: Any, schema: list[str], people: dict[str, list[dict[str, str]]]) -> None:  # noqa: ANN401 - any JSON
        """Put a row's digests to the audiences that it names, or refuse the request."""
        if not isinstance(row, list) or len(row) != len(schema):
            raise _refusal(40002, "batch_data: a row has another length than id_schema")
        cells: dict[str, str] = {}
        audiences: set[str] = set()
        for kind, cell in zip(schema, row, strict=True):
            if cell == {}:
                continue
            digest = cell.get("id") if isinstance(cell, dict) else None
            named = cell.get("audience_ids") if isinstance(cell, dict) else None
            if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
                raise _refusal(40002, "batch_data: an id is not hashed")
            if digest in self.refused:
                raise _refusal(40002, "batch_data: an id is invalid")
            if not isinstance(named, list) or not named or not set(named) <= self.audiences.keys():
                raise _refusal(40002, "batch_data: audience_ids: no such audience")
            cells[kind] = digest
            audiences |= set(named)
        if not cells:
            raise _refusal(40002, "batch_data: a row has no id")
        for audience in audiences:
            people.setdefault(audience, []).append(cells)

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
        if operation == "make":
            self.audiences[audience] = HashedList(audience, name, tuple(KINDS))
        elif operation == "add":
            self.audiences[audience].add(rows)
        else:
            self.audiences[audience].remove(rows)

    async def read_audiences(self, _request: Request) -> Response:
        return reply({each.name: list(each.rows.values()) for each in self.audiences.values()})


def _check_advertiser(advertiser: object) -> None:
    if advertiser != ADVERTISER:
        raise _refusal(40001, "No permission to operate this advertiser")


def _refusal(code: int, message: str) -> Refusal:
    """A refusal, which TikTok answers with 200."""
    return Refusal(200, {"code": code, "message": message, "request_id": "fake", "data": {}})
