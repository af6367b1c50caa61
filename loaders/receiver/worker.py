"""One process of the receiver: serves until it is told to stop, then finishes its file."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import uvicorn

from loaders.receiver.app import make_app
from loaders.receiver.counters import Counters
from loaders.receiver.gate import Addresses, Network, basic_header
from loaders.receiver.intake import Intake, Policy
from loaders.receiver.refusals import Refusal
from loaders.receiver.signature import Signatures
from loaders.receiver.spool import Limits, Spool
from loaders.receiver.writer import GroupWriter
from warehouse.secrets import Secret

if TYPE_CHECKING:
    import ctypes
    import socket
    from pathlib import Path
    from types import FrameType

log = logging.getLogger("cio.receive")

BACKLOG = 2048
STOPPING = (signal.SIGTERM, signal.SIGINT)
STOP_SECONDS = 20
"""How long a worker may take to stop; requests in flight get half of it."""

_MOST_CONNECTIONS = 2_000
_TELL_SECONDS = 60
_MOMENT_SECONDS = 0.02


@dataclass(frozen=True)
class Receiving:
    """How to receive.

    Attributes:
        folder: The spool.
        keys: Signing keys; none receives from anybody.
        host: The address to listen on.
        port: The port, or 0 for any free one.
        path: Where to post to.
        workers: How many processes.
        max_body: What is kept of a body, in bytes.
        replay_seconds: How far the time of sending may be from now; nothing for any distance.
        allowed: Who may post; none for everybody.
        proxies: Whose `X-Forwarded-For` is believed.
        basic_auth: `user:password`, or nothing.
        limits: When a file is finished.
        stop_list: Where who opts out is noted at once, or nothing.
    """

    folder: Path
    keys: tuple[Secret, ...]
    host: str = "127.0.0.1"
    port: int = 8080
    path: str = "/customerio"
    workers: int = 1
    max_body: int = 2**20
    replay_seconds: float | None = None
    allowed: tuple[Network, ...] = ()
    proxies: tuple[Network, ...] = ()
    basic_auth: Secret = field(default_factory=lambda: Secret(""))
    limits: Limits = field(default_factory=Limits)
    stop_list: Path | None = None

    def policy(self) -> Policy:
        """What is accepted."""
        return Policy(
            signatures=Signatures(self.keys) if self.keys else None,
            addresses=Addresses(self.allowed, self.proxies),
            authorization=basic_header(self.basic_auth) if self.basic_auth else b"",
            replay_seconds=self.replay_seconds,
            max_body=self.max_body,
        )


def run_worker(
    receiving: Receiving,
    listener: socket.socket,
    numbers: ctypes.Array[ctypes.c_double],
    worker: int,
) -> None:
    """Serve on a listening socket until this process gets SIGTERM or SIGINT."""
    counters = Counters(numbers, worker)
    spool = Spool(receiving.folder, worker=worker, limits=receiving.limits)
    writer = GroupWriter(spool, on_group=lambda _: counters.add("fsyncs"))
    app = make_app(
        receiving.path,
        Intake(receiving.policy(), writer, counters, stop_list=receiving.stop_list),
        folder=receiving.folder,
        run=lambda: _keep_house(writer, counters, is_teller=worker == 0),
    )
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        lifespan="on",
        backlog=BACKLOG,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=STOP_SECONDS // 2,
    )
    server = _Server(config)

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in STOPPING:
        # uvicorn has handlers of its own while it serves, and raises the signal again after that
        signal.signal(number, stop)
    try:
        server.run(sockets=[listener])
    finally:
        # not when the application ends, for late connections are still answered after that
        with suppress(OSError):
            writer.close()


class _Server(uvicorn.Server):
    """A server that closes those connections, too, which it accepts while it is closing.

    uvicorn tells the connections it knows to end after their request. One that was accepted a
    moment before is known a moment later; its sender would go on until it is cut off, with a 500.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        closing = asyncio.ensure_future(self._close_late())
        try:
            await super().shutdown(sockets)
        finally:
            closing.cancel()

    async def _close_late(self) -> None:
        while True:
            await asyncio.sleep(_MOMENT_SECONDS)
            for connection in list(self.server_state.connections):
                if not connection.transport.is_closing():
                    connection.shutdown()


async def _keep_house(writer: GroupWriter, counters: Counters, *, is_teller: bool) -> None:
    """Finish files by age, and say what was refused or could not be written."""
    told: Counter[str] = Counter()
    next_telling = time.monotonic()
    was_failing = False
    while True:
        await asyncio.sleep(1)
        with suppress(OSError):
            await writer.finish_if_old()
        was_failing = _tell_failure(writer.failure, was_failing=was_failing)
        if is_teller and time.monotonic() >= next_telling:
            next_telling = time.monotonic() + _TELL_SECONDS
            refused = Counter({one.value: int(counters.total(one.count)) for one in Refusal})
            if news := refused - told:
                log.warning("refused: %s", ", ".join(f"{n} {r}" for r, n in news.most_common()))
            told = refused


def _tell_failure(failure: Exception | None, *, was_failing: bool) -> bool:
    if failure is not None and not was_failing:
        log.error("the spool cannot be written (%s): answering 503", failure)
    elif failure is None and was_failing:
        log.info("the spool can be written again")
    return failure is not None
