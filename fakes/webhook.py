"""A strict receiver of signed batches, as a company would write one for the webhook destination.

It checks the signature before it reads, in constant time and over the raw bytes; refuses what is
older than five minutes; answers a batch it has seen without doing it again; and keeps rows by key.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Any

import orjson
from starlette.routing import Route

from fakes.control import Control
from fakes.wire import Refusal, Store, reply, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

SIGNING_SECRET = "whsec_" + base64.b64encode(b"fake-webhook-signing-secret").decode()
MAX_BYTES = 1_000_000
MAX_ROWS = 1_000
TOLERANCE_SECONDS = 300
KEYS = frozenset(["operation", "record_key", "identifier", "label", "occurred_at", "properties"])
OPERATIONS = frozenset(["append", "add", "update", "remove"])


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {"base_url": address, "signing_secret": SIGNING_SECRET}


def create_app(
    *,
    store: Path | None = None,
    now: Callable[[], float] = time.time,
    refused: Collection[str] = (),
) -> Control:
    """The receiver as an ASGI app.

    Args:
        store: A file that keeps what was accepted over a restart.
        now: The present, in seconds since the epoch.
        refused: Identifiers that it refuses for reasons of its own.

    Returns:
        The app, which takes batches at its root and on any path of one part, with the control
        endpoints under `/_fake/`.
    """
    receiver = _Receiver(Store(store), now, frozenset(refused))
    control = Control()
    control.serve(receiver.routes())
    return control


class _Receiver:
    def __init__(self, store: Store, now: Callable[[], float], refused: frozenset[str]) -> None:
        self.store = store
        self.now = now
        self.refused = refused
        self.rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        for row in store.read():
            self._keep(row)

    def routes(self) -> list[Route]:
        return [
            Route("/_fake/rows", self.read_rows),
            Route("/", self.receive, methods=["POST"]),
            Route("/{path}", self.receive, methods=["POST"]),
        ]

    async def receive(self, request: Request) -> Response:
        try:
            return reply(self._receive(request, await request.body()))
        except Refusal as refusal:
            return refusal.response

    def _receive(self, request: Request, body: bytes) -> dict[str, Any]:
        content = unpack(request, body)
        if content is None:
            raise Refusal(415, {"error": "not gzip as it says"})
        if len(content) > MAX_BYTES:
            raise Refusal(413, {"error": f"more than {MAX_BYTES} bytes"})
        message_id = self._verify(request, content)
        if message_id in self.answers:
            return self.answers[message_id]
        rows = _rows(request, content)
        rejected = [
            {"index": index, "reason": reason}
            for index, row in enumerate(rows)
            if (reason := self._problem(row)) is not None
        ]
        bad = {each["index"] for each in rejected}
        taken = [row for index, row in enumerate(rows) if index not in bad]
        for row in taken:
            self._keep(row)
        self.store.add(taken)
        self.answers[message_id] = {"rejected": rejected}
        return self.answers[message_id]

    def _verify(self, request: Request, content: bytes) -> str:
        """The batch's id.

        Raises:
            Refusal: The signature is missing, wrong, or too old.
        """
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        message_id, moment, signatures = (request.headers.get(name, "") for name in names)
        signed = f"{message_id}.{moment}.".encode() + content
        key = base64.b64decode(SIGNING_SECRET.removeprefix("whsec_"))
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [each.removeprefix("v1,") for each in signatures.split() if each[:3] == "v1,"]
        if not any(hmac.compare_digest(digest, each) for each in given):
            raise Refusal(401, {"error": "no valid signature"})
        if not moment.isdecimal() or abs(self.now() - int(moment)) > TOLERANCE_SECONDS:
            raise Refusal(401, {"error": "the timestamp is too old or too new"})
        return message_id

    def _problem(self, row: Any) -> str | None:  # noqa: ANN401 - any JSON
        if not isinstance(row, dict) or row.keys() != KEYS:
            return "not the fields of a row"
        if row["operation"] not in OPERATIONS or not isinstance(row["properties"], dict):
            return "an unknown operation, or properties that are no object"
        if not row["record_key"] or not row["identifier"]:
            return "a row without a key or an identifier"
        return "refused by a rule of its own" if row["identifier"] in self.refused else None

    def _keep(self, row: dict[str, Any]) -> None:
        key = (row["record_key"], row["identifier"], row["label"])
        if row["operation"] == "remove":
            self.rows.pop(key, None)
        else:
            self.rows[key] = row

    async def read_rows(self, _request: Request) -> Response:
        return reply(list(self.rows.values()))


def _rows(request: Request, content: bytes) -> list[Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if kind == "application/x-ndjson":
            rows = [orjson.loads(line) for line in content.splitlines()]
        elif kind == "application/json":
            rows = orjson.loads(content or b"[]")
        else:
            raise Refusal(415, {"error": "neither JSON nor JSON lines"})
    except orjson.JSONDecodeError:
        raise Refusal(400, {"error": "not JSON"}) from None
    if not isinstance(rows, list):
        raise Refusal(400, {"error": "not a list"})
    if len(rows) > MAX_ROWS:
        raise Refusal(413, {"error": f"more than {MAX_ROWS} rows"})
    return rows
