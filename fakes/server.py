"""Runs a stand-in on a loopback port, in a thread of this process or as the process itself."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

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
        serving: Future[_Serving] = Future()
        thread = threading.Thread(
            target=lambda: asyncio.run(_serve(_server(app, 0), listener, serving)), daemon=True
        )
        thread.start()
        try:
            running = serving.result(timeout=30)
        except TimeoutError as error:
            message = "the stand-in did not start within 30 seconds"
            raise RuntimeError(message) from error
        try:
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            running.loop.call_soon_threadsafe(running.stop.set)
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


class _Serving(NamedTuple):
    """A stand-in that answers, as its own thread and the one that ends it see it."""

    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event


async def _serve(
    server: uvicorn.Server, listener: socket.socket, serving: Future[_Serving]
) -> None:
    """Serve until told to stop, and then end at once, with requests that are held.

    uvicorn looks every tenth of a second whether it is to end, and gives connections as long to
    close: more than most tests take.
    """
    task = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.001)
    if task.done():
        serving.set_exception(task.exception() or RuntimeError("the stand-in ended at once"))
        return
    stop = asyncio.Event()
    serving.set_result(_Serving(asyncio.get_running_loop(), stop))
    await stop.wait()
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        if connection.transport is not None:
            connection.transport.abort()
    task.cancel()
