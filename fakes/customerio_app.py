"""A strict stand-in of Customer.io's App API, as far as the warehouse reads it.

Source: https://docs.customer.io/integrations/api/app/. It keeps the vendor's manners: ten requests
a second, pages that are empty and still have a next one, ids as numbers or as texts, and an empty
answer, not a refusal, to an address that is not encoded.
"""

from __future__ import annotations

import base64
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from fakes.control import Control

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request

APP_API_KEY = "fake-app-api-key"
OTHER_REGIONS_KEY = "fake-app-api-key-of-the-other-region"

REQUESTS_PER_SECOND = 10
PEOPLE_A_REQUEST = 100
LONGEST_MESSAGES_SECONDS = 186 * 86_400

Json = dict[str, Any]


@dataclass
class Workspace:
    """What a workspace holds, in the vendor's own shapes; may be changed between requests.

    Attributes:
        campaigns: As `GET /v1/campaigns` lists them.
        campaign_actions: Actions by campaign id.
        broadcasts: As listed.
        broadcast_actions: Actions by broadcast id.
        newsletters: As listed.
        contents: Contents by newsletter id.
        test_groups: Test groups by newsletter id.
        transactional: Transactional messages.
        segments: As listed.
        members: Identifiers (`cio_id`, `id`, `email`) of the people in each segment, by its id.
        topics: Subscription topics.
        people: As `POST /v1/customers/attributes` gives them.
        messages: Deliveries.
        activities: Newest first.
        page_size: The largest page of anything, to have several of a small world.
        has_empty_pages: Whether an empty page with a next one precedes each full one.
    """

    campaigns: list[Json] = field(default_factory=list)
    campaign_actions: dict[str, list[Json]] = field(default_factory=dict)
    broadcasts: list[Json] = field(default_factory=list)
    broadcast_actions: dict[str, list[Json]] = field(default_factory=dict)
    newsletters: list[Json] = field(default_factory=list)
    contents: dict[str, list[Json]] = field(default_factory=dict)
    test_groups: dict[str, list[Json]] = field(default_factory=dict)
    transactional: list[Json] = field(default_factory=list)
    segments: list[Json] = field(default_factory=list)
    members: dict[str, list[Json]] = field(default_factory=dict)
    topics: list[Json] = field(default_factory=list)
    people: list[Json] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    activities: list[Json] = field(default_factory=list)
    page_size: int = 1_000_000
    has_empty_pages: bool = False


class _Refusal(Exception):  # noqa: N818 - a reply, not a failure
    """A reply that refuses the request."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.response = _json(body, status, headers)


def create_app(
    workspace: Workspace | None = None,
    *,
    store: Path | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    requests_per_second: int = REQUESTS_PER_SECOND,
) -> Control:
    """The stand-in as an ASGI app.

    Args:
        workspace: What it answers from; an empty workspace if none is given.
        store: A JSON file with the fields of a `Workspace`, read if it is there.
        monotonic: What the rate is counted by, in seconds.
        requests_per_second: The rate.

    Returns:
        The app, with the endpoints under `/v1/` and the control endpoints under `/_fake/`.
    """
    if workspace is None and store is not None and store.exists():
        workspace = Workspace(**orjson.loads(store.read_bytes()))
    control = Control()
    routes = app_routes(
        workspace or Workspace(), monotonic=monotonic, requests_per_second=requests_per_second
    )
    control.serve(routes)
    return control


def app_routes(
    workspace: Workspace,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    requests_per_second: int = REQUESTS_PER_SECOND,
    on_segment: Callable[[Json], None] = lambda _segment: None,
) -> list[Route]:
    """The App API's endpoints over a workspace.

    Args:
        workspace: What they answer from, and make segments in.
        monotonic: What the rate is counted by, in seconds.
        requests_per_second: The rate.
        on_segment: Told of each segment that is made.

    Returns:
        The endpoints under `/v1/`.
    """
    return _AppApi(workspace, monotonic, requests_per_second, on_segment).routes()


class _AppApi:
    def __init__(
        self,
        workspace: Workspace,
        monotonic: Callable[[], float],
        requests_per_second: int,
        on_segment: Callable[[Json], None],
    ) -> None:
        self.workspace = workspace
        self.monotonic = monotonic
        self.rate = requests_per_second
        self.on_segment = on_segment
        self.recent: deque[float] = deque()

    def routes(self) -> list[Route]:
        world = self.workspace
        return [
            self._list("/v1/campaigns", "campaigns", lambda _: world.campaigns),
            self._list(
                "/v1/campaigns/{id}/actions",
                "actions",
                lambda request: _of(request, world.campaigns, world.campaign_actions),
            ),
            self._list("/v1/broadcasts", "broadcasts", lambda _: world.broadcasts),
            self._list(
                "/v1/broadcasts/{id}/actions",
                "actions",
                lambda request: _of(request, world.broadcasts, world.broadcast_actions),
            ),
            self._list("/v1/newsletters", "newsletters", lambda _: world.newsletters, most=100),
            self._list(
                "/v1/newsletters/{id}/contents",
                "contents",
                lambda request: _of(request, world.newsletters, world.contents),
            ),
            self._list(
                "/v1/newsletters/{id}/test_groups",
                "test_groups",
                lambda request: _of(request, world.newsletters, world.test_groups),
            ),
            self._list("/v1/transactional", "messages", lambda _: world.transactional),
            self._list("/v1/segments", "segments", lambda _: world.segments),
            self._list("/v1/subscription_topics", "topics", lambda _: world.topics),
            self._list("/v1/messages", "messages", self._messages, usual=50, most=1_000),
            self._list("/v1/activities", "activities", self._activities, usual=10, most=100),
            self._route("/v1/segments", self._make_segment, "POST"),
            self._route("/v1/segments/{id}/membership", self._membership),
            self._route("/v1/segments/{id}/customer_count", self._count),
            self._route("/v1/customers", self._people, "POST"),
            self._route("/v1/customers/attributes", self._attributes, "POST"),
            self._route("/v1/{rest:path}", self._nothing),
        ]

    def _route(
        self, path: str, answer: Callable[[Request], Awaitable[Response]], method: str = "GET"
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                self._admit(request)
                return await answer(request)
            except _Refusal as refusal:
                return refusal.response

        return Route(path, endpoint, methods=[method])

    def _list(
        self,
        path: str,
        name: str,
        find: Callable[[Request], list[Json]],
        *,
        usual: int = 1_000_000,
        most: int = 1_000_000,
    ) -> Route:
        async def answer(request: Request) -> Response:
            found = [] if _is_unencoded(request) else find(request)
            page, token = self._page(request, found, usual=usual, most=most)
            return _json({name: page, "next": token})

        return self._route(path, answer)

    def _admit(self, request: Request) -> None:
        now = self.monotonic()
        while self.recent and self.recent[0] <= now - 1:
            self.recent.popleft()
        if len(self.recent) >= self.rate:
            detail = f"rate limited to {self.rate} requests per 1s (reference a1b2c3)"
            raise _Refusal(429, _errors(detail, 429), {"Retry-After": "1"})
        self.recent.append(now)
        # the other region knows no key of this one: 401, and no redirect to it
        if request.headers.get("authorization") != f"Bearer {APP_API_KEY}":
            raise _Refusal(401, {"meta": {"error": "unauthorized"}})

    def _page(
        self, request: Request, items: list[Any], *, usual: int, most: int
    ) -> tuple[list[Any], str]:
        """A page and the token of the next; tokens hold characters that must be encoded."""
        text = request.query_params.get("limit", str(usual))
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise _Refusal(400, _pointed("limit is out of range", "/limit"))
        size = min(int(text), self.workspace.page_size)
        at, is_empty = _position(request.query_params.get("start", ""))
        if self.workspace.has_empty_pages and not is_empty:
            return [], _token(at, is_empty=True)
        end = at + size
        return items[at:end], _token(end, is_empty=False) if end < len(items) else ""

    def _messages(self, request: Request) -> list[Json]:
        start, end = (_instant(request, name) for name in ("start_ts", "end_ts"))
        if end - start > LONGEST_MESSAGES_SECONDS:
            raise _Refusal(400, _errors("the range is longer than six months", 400))
        found = [each for each in self.workspace.messages if start <= each["created"] <= end]
        return sorted(found, key=lambda each: int(each["created"]), reverse=True)

    def _activities(self, request: Request) -> list[Json]:
        kind = request.query_params.get("type")
        return [each for each in self.workspace.activities if kind in {None, each["type"]}]

    async def _membership(self, request: Request) -> Response:
        segment = request.path_params["id"]
        people = _of(request, self.workspace.segments, self.workspace.members)
        page, token = self._page(request, people, usual=30_000, most=30_000)
        ids = [each["id"] for each in page]
        if not page:
            # an empty page has nulls, not empty lists
            return _json(
                {"segment_id": int(segment), "ids": None, "identifiers": None, "next": token}
            )
        return _json({"segment_id": int(segment), "ids": ids, "identifiers": page, "next": token})

    async def _count(self, request: Request) -> Response:
        people = _of(request, self.workspace.segments, self.workspace.members)
        return _json({"count": len(people)})

    async def _make_segment(self, request: Request) -> Response:
        given = _parsed(await request.body()).get("segment")
        name = given.get("name") if isinstance(given, dict) else None
        if not isinstance(name, str) or not name.strip():
            raise _Refusal(400, _pointed("a name is needed", "/segment/name"))
        # what is made through the API is a manual segment
        segment = {
            "id": max((int(each["id"]) for each in self.workspace.segments), default=0) + 1,
            "name": name,
            "description": str(given.get("description", "")) if isinstance(given, dict) else "",
            "type": "manual",
            "state": "finished",
        }
        self.workspace.segments.append(segment)
        self.on_segment(segment)
        return _json({"segment": segment})

    async def _people(self, request: Request) -> Response:
        body = _parsed(await request.body())
        if not isinstance(body.get("filter"), dict):
            raise _Refusal(400, _pointed("a filter is needed", "/filter"))
        people = [each["identifiers"] for each in self.workspace.people]
        page, token = self._page(request, people, usual=1_000, most=1_000)
        ids = [each["id"] for each in page]
        return _json({"identifiers": page, "ids": ids, "next": token})

    async def _attributes(self, request: Request) -> Response:
        ids = _parsed(await request.body()).get("ids")
        if not isinstance(ids, list) or not 1 <= len(ids) <= PEOPLE_A_REQUEST:
            raise _Refusal(400, _pointed(f"1 to {PEOPLE_A_REQUEST} ids are needed", "/ids"))
        if request.query_params.get("id_type") != "cio_id":
            raise _Refusal(400, _errors("this stand-in looks people up by cio_id only", 400))
        wanted = set(ids)
        people = [each for each in self.workspace.people if each["identifiers"]["cio_id"] in wanted]
        return _json({"customers": people})

    async def _nothing(self, _request: Request) -> Response:
        raise _Refusal(404, _errors("not found", 404))


def _of(request: Request, owners: list[Json], children: dict[str, list[Json]]) -> list[Json]:
    """What belongs to the object the address names; no such object is not found."""
    wanted = request.path_params["id"]
    if all(str(each["id"]) != wanted for each in owners):
        raise _Refusal(404, _errors("not found", 404))
    return children.get(wanted, [])


def _is_unencoded(request: Request) -> bool:
    raw = request.scope["raw_path"] + b"?" + request.scope["query_string"]
    return b"+" in raw or b"@" in raw


def _instant(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not text.isdigit():
        raise _Refusal(400, _pointed(f"{name} is not a unix timestamp", f"/{name}"))
    return int(text)


def _token(at: int, *, is_empty: bool) -> str:
    # with the characters that a client may forget to encode
    return base64.b64encode(b"\xfb\xef" + orjson.dumps([at, is_empty])).decode() + "+@"


def _position(token: str) -> tuple[int, bool]:
    if not token:
        return 0, False
    try:
        at, is_empty = orjson.loads(base64.b64decode(token.removesuffix("+@"), validate=True)[2:])
    except ValueError:
        raise _Refusal(400, _errors("start is not a token", 400)) from None
    return int(at), bool(is_empty)


def _parsed(body: bytes) -> Json:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _Refusal(400, _errors("body is not valid JSON", 400)) from None
    if not isinstance(parsed, dict):
        raise _Refusal(400, _errors("body is not an object", 400))
    return parsed


def _errors(detail: str, status: int) -> Json:
    return {"errors": [{"detail": detail, "status": str(status)}]}


def _pointed(detail: str, pointer: str) -> Json:
    return {"errors": [{"detail": detail, "status": "400", "source": {"pointer": pointer}}]}


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(body), status, media_type="application/json", headers=dict(headers or {})
    )
