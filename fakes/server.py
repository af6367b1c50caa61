"""Runs a stand-in on a loopback port, in a thread of this process or as the process itself."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"


@contextmanager
def serve_in_thread(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serve `app` on a loopback port while the block runs.

    Args:
        app: The stand-in.
        port: The port; any free one if 0.

    Yields:
        Its base URL, ready to answer.

    Raises:
        OSError: The port is taken.
        RuntimeError: The server did not start.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        server = _server(app, 0)
        ready = threading.Event()
        thread = threading.Thread(
            target=lambda: asyncio.run(_serve(server, listener, ready)), daemon=True
        )
        thread.start()
        if not ready.wait(timeout=30):
            message = "the stand-in did not start within 30 seconds"
            raise RuntimeError(message)
        try:
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            # a held request would keep the server from ending
            server.force_exit = True
            server.should_exit = True
            thread.join(timeout=30)


def serve(app: ASGIApp, *, port: int) -> None:
    """Serve `app` on a loopback port until the process is told to end."""
    _server(app, port).run()


def _server(app: ASGIApp, port: int) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=LOOPBACK,
        port=port,
        log_level="critical",
        access_log=False,
        lifespan="off",
        http="h11",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


async def _serve(server: uvicorn.Server, listener: socket.socket, ready: threading.Event) -> None:
    task = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.005)
    ready.set()
    await task
