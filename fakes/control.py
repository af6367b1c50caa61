"""What every stand-in can be told to do wrong, and what it remembers of the requests it saw.

A stand-in answers as its vendor would. A failure is scripted for the next requests through
`POST /_fake/script`, either before the vendor takes what was sent or after it did: the second is
where a sync loses or doubles rows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import orjson
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Kind = Literal["status", "drop", "hold", "malformed", "slow"]
When = Literal["before", "after"]


@dataclass
class Failure:
    """One scripted failure.

    Attributes:
        kind: `status` answers with `status`; `drop` closes the connection without a reply;
            `hold` waits until released or the client goes; `malformed` answers 200 with half a
            JSON text; `slow` sends half of the true reply and then holds.
        when: Before the vendor takes what was sent, or after.
        times: How many requests it strikes.
        skip: How many matching requests pass first.
        path: Only requests whose path begins so.
        method: Only requests of this method, if any.
        status: The status to answer with.
        headers: Headers to answer with.
        body: The text to answer with.
    """

    kind: Kind
    when: When = "before"
    times: int = 1
    skip: int = 0
    path: str = "/"
    method: str = ""
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; bodies are not kept."""

    method: str
    path: str
    query: str
    content_type: str
    content_encoding: str
    size: int
    status: int


class Control:
    """The scripted failures and the requests seen; an ASGI layer around the vendor's own app."""

    def __init__(self) -> None:
        """Stand before the app that `serve` names."""
        self._app: ASGIApp = Starlette()
        self._script: list[Failure] = []
        self._held: set[asyncio.Event] = set()
        self.seen: deque[Seen] = deque(maxlen=100_000)

    def serve(self, routes: list[Route]) -> None:
        """Serve the vendor's routes, and those that every stand-in has."""
        self._app = Starlette(routes=[*routes, *self.routes()])

    def routes(self) -> list[Route]:
        """The endpoints under `/_fake/` that every stand-in has."""
        return [
            Route("/_fake/script", self._set_script, methods=["POST"]),
            Route("/_fake/release", self._release, methods=["POST"]),
            Route("/_fake/held", self._count_held),
            Route("/_fake/requests", self._list_requests),
        ]

    async def _set_script(self, request: Request) -> Response:
        self._script = [Failure(**item) for item in orjson.loads(await request.body())]
        return JSONResponse({"failures": len(self._script)})

    async def _release(self, _request: Request) -> Response:
        return JSONResponse({"released": self.release()})

    async def _count_held(self, _request: Request) -> Response:
        return JSONResponse({"held": len(self._held)})

    async def _list_requests(self, _request: Request) -> Response:
        return Response(orjson.dumps(list(self.seen)), media_type="application/json")

    def release(self) -> int:
        """Let every held request go on; says how many there were."""
        held = list(self._held)
        for event in held:
            event.set()
        return len(held)

    def _next(self, method: str, path: str) -> Failure | None:
        for failure in self._script:
            is_meant = path.startswith(failure.path) and failure.method in {"", method}
            if failure.times > 0 and is_meant:
                if failure.skip > 0:
                    failure.skip -= 1
                    continue
                failure.times -= 1
                return failure
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or fail it as scripted."""
        if scope["type"] != "http" or scope["path"].startswith("/_fake/"):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        reply = _Reply()
        failure = self._next(scope["method"], scope["path"])
        if failure is None or failure.when == "after" or failure.kind == "hold":
            if failure is not None and failure.kind == "hold" and failure.when == "before":
                await self._hold(receive)
                failure = None
            await self._app(scope, _replay(body), reply.take)
        self.seen.append(_seen(scope, len(body), reply.status if failure is None else 0))
        if failure is not None:
            await self._fail(failure, reply, receive, send)
            return
        for message in reply.messages:
            await send(message)

    async def _fail(self, failure: Failure, reply: _Reply, receive: Receive, send: Send) -> None:
        if failure.kind == "drop":
            _abort(send)
        elif failure.kind == "hold":
            await self._hold(receive)
            _abort(send)
        elif failure.kind == "slow":
            await send(reply.start(len(reply.body)))
            await send(_body(reply.body[: len(reply.body) // 2], more=True))
            await self._hold(receive)
            _abort(send)
        else:
            is_malformed = failure.kind == "malformed"
            status = 200 if is_malformed else failure.status
            text = (failure.body or '{"code": 200, "num_rec') if is_malformed else failure.body
            headers = {"content-type": "application/json"} | failure.headers
            await Response(text, status, headers)({"type": "http", "extensions": {}}, receive, send)

    async def _hold(self, receive: Receive) -> None:
        event = asyncio.Event()
        self._held.add(event)
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(receive())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            self._held.discard(event)


class _Reply:
    """The vendor's reply, held back until it is known whether it may leave."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def take(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return next((int(m["status"]) for m in self.messages if "status" in m), 0)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    def start(self, length: int) -> Message:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % length)]
        return {"type": "http.response.start", "status": self.status, "headers": headers}


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _body(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _abort(send: Send) -> None:
    # `send` is a method of the server's request, which holds the connection: closing it there
    # is the only way to end without any reply
    cycle: Any = getattr(send, "__self__", None)
    cycle.transport.abort()


def _seen(scope: Scope, size: int, status: int) -> Seen:
    headers = {key.decode().lower(): value.decode() for key, value in scope["headers"]}
    return Seen(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode(),
        content_type=headers.get("content-type", ""),
        content_encoding=headers.get("content-encoding", ""),
        size=size,
        status=status,
    )
