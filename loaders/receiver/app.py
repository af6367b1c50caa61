"""The application: the endpoint, and pages on how it fares."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from loaders.receiver import metrics
from loaders.receiver.refusals import Refusal
from loaders.receiver.spool import measure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from loaders.receiver.intake import Intake

_OTHER_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


def make_app(
    path: str,
    intake: Intake,
    *,
    folder: Path,
    run: Callable[[], Awaitable[None]],
) -> ASGIApp:
    """The application: a post goes straight to the intake, anything else through Starlette.

    Args:
        path: Where to post to.
        intake: What takes the posts; the application ends when what it has is on disk.
        folder: The spool.
        run: What goes on while the application runs; it is cancelled at the end.
    """

    async def health(_: Request) -> Response:
        if await intake.writer.probe():
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "the spool cannot be written"}, status_code=503)

    async def show_metrics(_: Request) -> Response:
        text = metrics.render(intake.counters, measure(folder))
        return PlainTextResponse(text, media_type=metrics.CONTENT_TYPE)

    async def elsewhere(_: Request) -> Response:
        intake.counters.add(Refusal.WRONG_PATH.count)
        return PlainTextResponse(Refusal.WRONG_PATH.value, Refusal.WRONG_PATH.status)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        running = asyncio.ensure_future(run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await intake.writer.drain()

    pages = Starlette(
        routes=[
            Route("/healthz", health),
            Route("/metrics", show_metrics),
            Route("/{rest:path}", elsewhere, methods=_OTHER_METHODS),
        ],
        lifespan=lifespan,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # routing and its middleware took a fifth of the time of an event
        if scope["type"] == "http" and scope["path"] == path and scope["method"] == "POST":
            await intake(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return app
