"""The endpoint: check a request, put it on disk, acknowledge it.

One refusal stalls the vendor's queue for up to an hour
(https://docs.customer.io/journeys/webhooks/), so what is signed is acknowledged whatever is in it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loaders.receiver.envelope import PREFIX, enclose, to_line
from loaders.receiver.gate import Addresses, same
from loaders.receiver.opt_outs import stop_opted_out
from loaders.receiver.refusals import Refusal, Refused
from loaders.receiver.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from loaders.receiver.writer import SpoolUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from loaders.receiver.counters import Counters
    from loaders.receiver.signature import Check, Signatures
    from loaders.receiver.writer import GroupWriter

BODY_SECONDS = 10.0
"""How long a body may take to arrive; the vendor itself gives up after four."""


@dataclass(frozen=True)
class Policy:
    """What is accepted.

    Attributes:
        signatures: The signing keys; nothing accepts unsigned requests.
        addresses: Who may post.
        authorization: The header basic auth must have, or nothing.
        replay_seconds: How far the time of sending may be from now; nothing for any distance. The
            vendor retries for seven days, and signs each attempt anew.
        max_body: What is kept of a body, in bytes. A longer one is acknowledged, and quarantined.
        body_seconds: How long a body may take to arrive.
    """

    signatures: Signatures | None
    addresses: Addresses
    authorization: bytes = b""
    replay_seconds: float | None = None
    max_body: int = 2**20
    body_seconds: float = BODY_SECONDS


class _Gone(Exception):  # noqa: N818 - an outcome of a request, not an error
    """The sender hung up before its body was whole."""


@dataclass
class _Body:
    """What is kept of a body, and how long it was."""

    kept: bytearray
    size: int = 0


class Intake:
    """The endpoint that is posted to."""

    def __init__(
        self,
        policy: Policy,
        writer: GroupWriter,
        counters: Counters,
        *,
        stop_list: Path | None = None,
    ) -> None:
        """Accept by `policy`, and keep with `writer`; who opts out goes on `stop_list`."""
        self._stop_list = stop_list
        self._policy = policy
        self.writer = writer
        self.counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        try:
            await self._take(scope, receive)
        except _Gone:
            return
        except Refused as refused:
            self.counters.add(refused.refusal.count)
            await _refuse(send, refused.refusal)
            return
        self.counters.took(time.perf_counter() - started)
        await _answer(send, 200, _ACCEPTED, b"")

    async def _take(self, scope: Scope, receive: Receive) -> None:
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self._check_sender(scope, headers)
        signature = headers.get(SIGNATURE_HEADER, b"")
        timestamp = headers.get(TIMESTAMP_HEADER, b"")
        check = self._begin(signature, timestamp)
        try:
            async with asyncio.timeout(self._policy.body_seconds):
                body = await self._read(receive, check)
        except TimeoutError:
            raise Refused(Refusal.BODY_TIMED_OUT) from None
        if check is not None:
            if not check.matches(signature):
                raise Refused(Refusal.BAD_SIGNATURE)
            self._check_time(timestamp)
        await self._keep(body)

    def _check_sender(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        peer = scope["client"][0] if scope.get("client") else ""
        if not self._policy.addresses.let_in(peer, headers.get(b"x-forwarded-for", b"")):
            raise Refused(Refusal.ADDRESS_NOT_ALLOWED)
        expected = self._policy.authorization
        if expected and not same(expected, headers.get(b"authorization", b"")):
            raise Refused(Refusal.WRONG_CREDENTIALS)

    def _begin(self, signature: bytes, timestamp: bytes) -> Check | None:
        if self._policy.signatures is None:
            return None
        if not signature or not timestamp:
            raise Refused(Refusal.MISSING_SIGNATURE)
        return self._policy.signatures.begin(timestamp)

    async def _read(self, receive: Receive, check: Check | None) -> _Body:
        """Read the body: all of it is hashed, and no more kept than the limit."""
        body = _Body(bytearray())
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            piece = message.get("body", b"")
            if check is not None:
                check.update(piece)
            body.size += len(piece)
            body.kept += piece[: self._policy.max_body - len(body.kept)]
            if not message.get("more_body", False):
                return body

    def _check_time(self, timestamp: bytes) -> None:
        allowed = self._policy.replay_seconds
        if allowed is None:
            return
        # int() takes Arabic-Indic digits and underscores, which no sender of ours writes
        sent_at = int(timestamp) if timestamp.isdigit() else 0
        if abs(time.time() - sent_at) > allowed:
            raise Refused(Refusal.OUTSIDE_REPLAY_WINDOW)

    async def _keep(self, body: _Body) -> None:
        kept = bytes(body.kept)
        if body.size > len(kept):
            line = enclose(
                kept,
                f"the body of {body.size} bytes is over the limit of {self._policy.max_body}; "
                "its beginning is kept",
            )
        else:
            line = to_line(kept)
        try:
            await self.writer.append(line)
        except SpoolUnavailable:
            raise Refused(Refusal.SPOOL_UNAVAILABLE) from None
        if self._stop_list is not None:
            # the event is safe already: a stop list that cannot be written is no reason to refuse
            with suppress(OSError):
                stop_opted_out(self._stop_list, kept)
        self.counters.add("accepted")
        self.counters.add("received_bytes", body.size)
        if line.startswith(PREFIX):
            self.counters.add("enclosed")


# no content, so that headers and content need not be two packets
_ACCEPTED = [(b"content-length", b"0")]


async def _refuse(send: Send, refusal: Refusal) -> None:
    content = refusal.value.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(content)).encode()),
    ]
    if refusal is Refusal.WRONG_CREDENTIALS:
        headers.append((b"www-authenticate", b'Basic realm="cio receive"'))
    await _answer(send, refusal.status, headers, content)


async def _answer(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], content: bytes
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
