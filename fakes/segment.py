"""A strict stand-in of Segment's HTTP API: `POST /v1/batch`.

Strict here means as silent as Segment: it answers 200 to a wrong write key, to calls without an id
and to a batch of too many calls, and keeps none of them. What it dropped, and why, is told at
`/_fake/dropped` alone.

Source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from starlette.routing import Route

from fakes.control import Control
from fakes.segment_regulations import PUBLIC_API_TOKEN, Regulations
from fakes.wire import Refusal, Store, basic, parse, reply, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

WRITE_KEY = "fakeSegmentWriteKey0123456789abc"

MAX_CALLS = 2_500
# the larger reading of "500KB" and "32KB": Segment's own clients fill messages up to 32 << 10
MAX_BATCH_BYTES = 500 << 10
MAX_CALL_BYTES = 32 << 10
MAX_MESSAGE_ID = 100
SHORTEST_KEY = 8
TYPES = frozenset(["identify", "group", "track", "page", "screen", "alias"])
_NEEDED = {"track": "event", "group": "groupId", "alias": "previousId"}


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {
        "base_url": address,
        "write_key": WRITE_KEY,
        "public_api_token": PUBLIC_API_TOKEN,
    }


def create_app(
    *,
    store: Path | None = None,
    now: Callable[[], float] = time.time,
    refused: Collection[str] = (),
) -> Control:
    """The stand-in as an ASGI app.

    Args:
        store: A file that keeps what was accepted over a restart.
        now: The present, in seconds since the epoch.
        refused: Values of userId that it drops for reasons of its own.

    Returns:
        The app, with `/v1/batch`, `/regulations` and the control endpoints under `/_fake/`.
    """
    vendor = _Segment(Store(store), now, refused)
    control = Control()
    control.serve([*vendor.routes(), *Regulations().routes()])
    return control


class _Segment:
    def __init__(self, store: Store, now: Callable[[], float], refused: Collection[str]) -> None:
        self.store = store
        self.now = now
        self.refused = frozenset(refused)
        self.calls: dict[str, dict[str, Any]] = {}
        self.traits: dict[str, dict[str, Any]] = {}
        self.dropped: list[dict[str, Any]] = []
        for call in store.read():
            self._keep(call)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/batch", self.batch, methods=["POST"]),
            Route("/_fake/calls", self.read_calls),
            Route("/_fake/traits", self.read_traits),
            Route("/_fake/dropped", self.read_dropped),
        ]

    async def batch(self, request: Request) -> Response:
        body = await request.body()
        try:
            return self._batch(request, body)
        except Refusal as refusal:
            return refusal.response

    def _batch(self, request: Request, body: bytes) -> Response:
        content = unpack(request, body)
        parsed = parse(content)
        if content is None or not isinstance(parsed, dict) or not _is_json(request):
            raise Refusal(400, _bad("malformed JSON"))
        if len(content) > MAX_BATCH_BYTES:
            raise Refusal(400, _bad("batch exceeds 500KB"))
        key = basic(request)[0] or parsed.get("writeKey") or ""
        if len(key) < SHORTEST_KEY:
            raise Refusal(400, _bad("invalid write key"))
        calls = parsed.get("batch")
        if not isinstance(calls, list):
            raise Refusal(400, _bad("batch is missing"))
        if any(len(orjson.dumps(call)) > MAX_CALL_BYTES for call in calls):
            raise Refusal(400, _bad("event exceeds 32KB"))
        self._take(calls, parsed.get("sentAt"), is_known=key == WRITE_KEY)
        return reply({"success": True})

    def _take(self, calls: list[Any], sent_at: object, *, is_known: bool) -> None:
        """Keep what Segment keeps, in silence."""
        kept = []
        for call in calls:
            reason = _problem(call)
            if not is_known:
                reason = "unknown write key"
            elif len(calls) > MAX_CALLS:
                reason = f"more than {MAX_CALLS} calls"
            elif reason is None and call.get("userId") in self.refused:
                reason = "dropped by a rule of the workspace"
            elif reason is None and call.get("messageId") in self.calls:
                reason = "duplicate messageId"
            if reason is not None:
                self.dropped.append({"reason": reason, "call": call})
                continue
            call["timestamp"] = self._instant(call.get("timestamp"), sent_at)
            self._keep(call)
            kept.append(call)
        self.store.add(kept)

    def _keep(self, call: dict[str, Any]) -> None:
        self.calls[call.get("messageId") or f"generated-{len(self.calls)}"] = call
        if call["type"] == "identify":
            person = call.get("userId") or call.get("anonymousId")
            self.traits.setdefault(str(person), {}).update(call.get("traits") or {})

    def _instant(self, timestamp: object, sent_at: object) -> str:
        """Segment's own: when it was received, less what lay between the event and its sending."""
        received = datetime.fromtimestamp(self.now(), UTC)
        happened, sent = _parsed(timestamp), _parsed(sent_at)
        if happened is None:
            return received.isoformat()
        return (happened if sent is None else received - (sent - happened)).isoformat()

    async def read_calls(self, _request: Request) -> Response:
        return reply(list(self.calls.values()))

    async def read_traits(self, _request: Request) -> Response:
        return reply(self.traits)

    async def read_dropped(self, _request: Request) -> Response:
        return reply(self.dropped)


def _bad(message: str) -> dict[str, Any]:
    return {"success": False, "message": message}


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    return kind == "application/json"


def _problem(call: Any) -> str | None:  # noqa: ANN401 - any JSON
    if not isinstance(call, dict) or call.get("type") not in TYPES:
        return "unknown type"
    if not any(isinstance(call.get(key), str) and call[key] for key in ("userId", "anonymousId")):
        return "neither userId nor anonymousId"
    needed = _NEEDED.get(call["type"])
    if needed is not None and not (isinstance(call.get(needed), str) and call[needed]):
        return f"{call['type']} without {needed}"
    message_id = call.get("messageId", "")
    if not isinstance(message_id, str) or len(message_id) > MAX_MESSAGE_ID:
        return f"messageId of more than {MAX_MESSAGE_ID} characters"
    return None


def _parsed(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
