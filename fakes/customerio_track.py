"""A strict stand-in of Customer.io's Track API, with the App API of the same workspace.

Strict here means as Customer.io is: a batch with bad items is answered 207, and the others are
taken; a segment call ignores, in silence, ids that nobody has; an address that belongs to somebody
else is answered 200 and not kept. What it ignored so is told at `/_fake/failures` alone.

Source: https://docs.customer.io/integrations/api/track/
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from fakes.control import Control
from fakes.customerio_app import APP_API_KEY, REQUESTS_PER_SECOND, Workspace, app_routes
from fakes.customerio_profiles import Profiles
from fakes.customerio_rules import EVENTS, MAX_BATCH_BYTES, merge_problem, problem
from fakes.wire import Refusal, Store, basic, parse, reply, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

SITE_ID = "fake-site-id"
API_KEY = "fake-track-api-key"
ENVIRONMENT_ID = 4711
HOSTS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}

MAX_SEGMENT_IDS = 1_000
ID_TYPES = ("id", "email", "cio_id")
TRIGGERS_WITHIN_SECONDS = 72 * 3_600

Json = dict[str, Any]


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {
        "base_url": address,
        "site_id": SITE_ID,
        "api_key": API_KEY,
        "app_api_key": APP_API_KEY,
    }


def create_app(  # noqa: PLR0913 - each a circumstance that some test varies
    *,
    workspace: Workspace | None = None,
    store: Path | None = None,
    now: Callable[[], float] = time.time,
    region: str = "us",
    refused: Collection[str] = (),
    requests_per_second: int = REQUESTS_PER_SECOND,
) -> Control:
    """The stand-in as an ASGI app.

    Args:
        workspace: What both APIs work on; an empty one if none is given.
        store: A file that keeps what was accepted over a restart.
        now: The present, in seconds since the epoch.
        region: Where the workspace is, `us` or `eu`.
        refused: Identifiers that it refuses for reasons of its own.
        requests_per_second: The App API's rate.

    Returns:
        The app: `/api/v1` and `/api/v2` of the Track API, `/v1` of the App API, and the control
        endpoints under `/_fake/`.
    """
    vendor = _Track(workspace or Workspace(), Store(store), now, region, frozenset(refused))
    control = Control()
    read = app_routes(
        vendor.profiles.workspace,
        requests_per_second=requests_per_second,
        on_segment=lambda segment: vendor.store.add([{"segment": segment}]),
    )
    control.serve([*vendor.routes(), *read])
    return control


class _Track:
    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        now: Callable[[], float],
        region: str,
        refused: frozenset[str],
    ) -> None:
        self.profiles = Profiles(workspace)
        self.store = store
        self.now = now
        self.region = region
        self.refused = refused
        self.events: dict[str, Json] = {}
        for record in store.read():
            self._replay(record)

    def routes(self) -> list[Route]:
        return [
            self._route("/api/v1/accounts/region", self._region, "GET"),
            self._route("/api/v2/batch", self._batch),
            self._route("/api/v2/entity", self._entity),
            self._route("/api/v1/customers/{identifier}", self._customer, "PUT"),
            self._route("/api/v1/customers/{identifier}", self._customer, "DELETE"),
            self._route("/api/v1/customers/{identifier}/events", self._event),
            self._route("/api/v1/customers/{identifier}/suppress", self._block),
            self._route("/api/v1/customers/{identifier}/unsuppress", self._block),
            self._route("/api/v1/events", self._anonymous_event),
            self._route("/api/v1/merge_customers", self._merge),
            self._route("/api/v1/segments/{id}/add_customers", self._change),
            self._route("/api/v1/segments/{id}/remove_customers", self._change),
            Route("/_fake/profiles", self.read_profiles),
            Route("/_fake/events", self.read_events),
            Route("/_fake/segments", self.read_segments),
            Route("/_fake/failures", self.read_failures),
            Route("/_fake/suppressed", self.read_suppressed),
        ]

    def _route(
        self, path: str, answer: Callable[[Request, bytes], Response], method: str = "POST"
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                _admit(request)
                return answer(request, body)
            except Refusal as refusal:
                return refusal.response

        return Route(path, endpoint, methods=[method])

    def _region(self, _request: Request, _body: bytes) -> Response:
        return reply(
            {
                "url": HOSTS[self.region],
                "region": self.region,
                "environment_id": ENVIRONMENT_ID,
            }
        )

    def _batch(self, request: Request, body: bytes) -> Response:
        content = unpack(request, body)
        parsed = parse(content)
        if content is None or not isinstance(parsed, dict):
            raise Refusal(400, _errors("invalid", "", "malformed JSON"))
        if len(content) > MAX_BATCH_BYTES:
            raise Refusal(400, _errors("invalid", "", "batch cannot be larger than 500KB"))
        batch = parsed.get("batch")
        if not isinstance(batch, list) or not batch:
            raise Refusal(400, _errors("required", "batch", "batch is required"))
        errors = []
        for index, item in enumerate(batch):
            found = self._take(item)
            if found is not None:
                errors.append({"batch_index": index, **found})
        return reply({"errors": errors}, 207) if errors else reply({})

    def _entity(self, request: Request, body: bytes) -> Response:
        found = self._take(parse(unpack(request, body)))
        if found is not None:
            raise Refusal(400, {"errors": [found]})
        return reply({})

    def _customer(self, request: Request, body: bytes) -> Response:
        is_update = request.method == "PUT"
        item = {"action": "identify" if is_update else "delete"}
        return self._first_version(request, item, {"attributes": parse(body)} if is_update else {})

    def _block(self, request: Request, _body: bytes) -> Response:
        return self._first_version(request, {"action": request.url.path.rpartition("/")[2]}, {})

    def _event(self, request: Request, body: bytes) -> Response:
        event, given = _read_event(request, body)
        return self._first_version(request, event, given)

    def _anonymous_event(self, request: Request, body: bytes) -> Response:
        event, given = _read_event(request, body)
        identifiers = {"anonymous_id": given.pop("anonymous_id", "")}
        return self._answer(event | given | {"identifiers": identifiers})

    def _merge(self, request: Request, body: bytes) -> Response:
        given = parse(unpack(request, body))
        found = merge_problem(given)
        if found is not None:
            raise Refusal(400, _meta(f"{found['field']}: {found['message']}"))
        self._replay({"merge": given})
        self.store.add([{"merge": given}])
        return reply({})

    def _first_version(self, request: Request, item: Json, more: Json) -> Response:
        """A call of the first version: the kind of its identifier shows in the identifier."""
        name = request.path_params["identifier"]
        kind = "cio_id" if name.startswith("cio_") else "email" if "@" in name else "id"
        return self._answer(item | more | {"identifiers": {kind: name.removeprefix("cio_")}})

    def _answer(self, item: Json) -> Response:
        found = self._take(item | {"type": "person"})
        if found is not None:
            raise Refusal(400, _meta(f"{found['field']}: {found['message']}"))
        return reply({})

    def _take(self, item: Any) -> Json | None:  # noqa: ANN401 - any JSON
        found = problem(item)
        if found is not None:
            return found
        ((kind, value),) = item["identifiers"].items()
        if value in self.refused:
            return {
                "reason": "invalid",
                "field": f"identifiers.{kind}",
                "message": f"{value} is refused by this workspace",
            }
        if item["action"] in EVENTS:
            age = self.now() - item.setdefault("timestamp", int(self.now()))
            item["is_trigger"] = age <= TRIGGERS_WITHIN_SECONDS
        self._apply(item)
        self.store.add([item])
        return None

    def _apply(self, item: Json) -> None:
        ((kind, value),) = item["identifiers"].items()
        if item["action"] == "identify":
            self.profiles.identify(kind, value, item.get("attributes", {}))
        elif item["action"] == "delete":
            self.profiles.delete(kind, value)
        elif item["action"] == "suppress":
            self.profiles.suppress(kind, value)
        elif item["action"] == "unsuppress":
            self.profiles.unsuppress(kind, value)
        elif not self.profiles.is_suppressed(kind, value):
            if kind != "anonymous_id" and self.profiles.find(kind, value) is None:
                self.profiles.identify(kind, value, {})
            # without an id every request is an event of its own
            self.events.setdefault(item.get("id") or f"unnamed-{len(self.events)}", item)

    def _change(self, request: Request, body: bytes) -> Response:
        segment = self._segment(request.path_params["id"])
        kind = request.query_params.get("id_type", "id")
        if kind not in ID_TYPES:
            raise Refusal(400, _meta(f"id_type must be one of {', '.join(ID_TYPES)}"))
        parsed = parse(unpack(request, body))
        ids = parsed.get("ids") if isinstance(parsed, dict) else None
        if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_SEGMENT_IDS:
            raise Refusal(400, _meta(f"ids must have 1 to {MAX_SEGMENT_IDS} values"))
        operation = request.url.path.rpartition("/")[2].partition("_")[0]
        record = {"operation": operation, "in": segment, "kind": kind, "ids": ids}
        self._replay(record)
        self.store.add([record])
        return reply({})

    def _segment(self, wanted: str) -> str:
        for segment in self.profiles.workspace.segments:
            if str(segment["id"]) == wanted:
                if segment["type"] != "manual":
                    raise Refusal(400, _meta("data-driven segments cannot be changed"))
                return wanted
        raise Refusal(404, _meta("segment not found"))

    def _replay(self, record: Json) -> None:
        if "segment" in record:
            self.profiles.workspace.segments.append(record["segment"])
        elif "merge" in record:
            both = (next(iter(record["merge"][name].items())) for name in ("primary", "secondary"))
            self.profiles.merge(*both)
        elif "operation" in record:
            found = (
                self.profiles.find(record["kind"], value)
                for value in record["ids"]
                if isinstance(value, str)
            )
            change = self.profiles.add if record["operation"] == "add" else self.profiles.remove
            change(record["in"], [person for person in found if person is not None])
        else:
            self._apply(record)

    async def read_profiles(self, _request: Request) -> Response:
        return reply(self.profiles.workspace.people)

    async def read_events(self, _request: Request) -> Response:
        return reply(list(self.events.values()))

    async def read_segments(self, _request: Request) -> Response:
        members = self.profiles.members
        segments = self.profiles.workspace.segments
        return reply({each["name"]: members(str(each["id"])) for each in segments})

    async def read_suppressed(self, _request: Request) -> Response:
        return reply(sorted(self.profiles.suppressed))

    async def read_failures(self, _request: Request) -> Response:
        return reply(self.profiles.failures)


def _read_event(request: Request, body: bytes) -> tuple[Json, Json]:
    """An event of the first version, and what else its call says."""
    given = parse(unpack(request, body))
    if not isinstance(given, dict):
        raise Refusal(400, _meta("malformed JSON"))
    return {"action": given.pop("type", "event"), "attributes": given.pop("data", {})}, given


def _admit(request: Request) -> None:
    if basic(request) != (SITE_ID, API_KEY):
        raise Refusal(401, {"meta": {"error": "Unauthorized request"}})


def _errors(reason: str, field: str, message: str) -> Json:
    return {"errors": [{"reason": reason, "field": field, "message": message}]}


def _meta(message: str) -> Json:
    return {"meta": {"errors": [message]}}
