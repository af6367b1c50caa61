"""Runs the receiver: one process, or several that share its port."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import uvicorn

from loaders.receiver.app import make_app
from loaders.receiver.counters import Counters, shared_numbers
from loaders.receiver.gate import Addresses, Network, basic_header
from loaders.receiver.intake import Intake, Policy
from loaders.receiver.refusals import Refusal
from loaders.receiver.signature import Signatures
from loaders.receiver.spool import Limits, Spool, finish_leftovers
from loaders.receiver.writer import GroupWriter
from warehouse.errors import CioError, UsageError
from warehouse.secrets import Secret

if TYPE_CHECKING:
    import ctypes
    from multiprocessing.context import SpawnProcess
    from pathlib import Path
    from types import FrameType

log = logging.getLogger("cio.receive")

_BACKLOG = 2048
_MOST_CONNECTIONS = 2_000
_STOP_SECONDS = 20
_TELL_SECONDS = 60
_QUICK_SECONDS = 5.0
_QUICK_DEATHS = 3
_STOPPING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Receiving:
    """How to receive; all of it can be handed to a process that is started."""

    folder: Path
    keys: tuple[Secret, ...]
    host: str = "127.0.0.1"
    port: int = 8080
    path: str = "/"
    workers: int = 1
    max_body: int = 2**20
    replay_seconds: float | None = None
    allowed: tuple[Network, ...] = ()
    proxies: tuple[Network, ...] = ()
    basic_auth: Secret = field(default_factory=lambda: Secret(""))
    limits: Limits = field(default_factory=Limits)

    def policy(self) -> Policy:
        """What is accepted."""
        return Policy(
            signatures=Signatures(self.keys) if self.keys else None,
            addresses=Addresses(self.allowed, self.proxies),
            authorization=basic_header(self.basic_auth) if self.basic_auth else b"",
            replay_seconds=self.replay_seconds,
            max_body=self.max_body,
        )


def receive(receiving: Receiving) -> None:
    """Receive until the process is told to stop (SIGTERM, or Ctrl-C at a terminal).

    Raises:
        UsageError: The port is taken, or not ours to take.
        CioError: Workers do not stay alive.
    """
    with _listen(receiving) as listener:
        for path in finish_leftovers(receiving.folder):
            log.info("finished %s, which a receiver left open", path.name)
        host, port = listener.getsockname()[:2]
        place = f"[{host}]" if ":" in host else host
        log.info("receiving on http://%s:%s%s", place, port, receiving.path)
        numbers = shared_numbers(receiving.workers)
        if receiving.workers == 1:
            run_worker(receiving, listener, numbers, 0)
        else:
            _supervise(receiving, listener, numbers)
    log.info("stopped")


def run_worker(
    receiving: Receiving,
    listener: socket.socket,
    numbers: ctypes.Array[ctypes.c_double],
    worker: int,
) -> None:
    """Serve in this process until it is told to stop; then finish its file."""
    counters = Counters(numbers, worker)
    spool = Spool(receiving.folder, worker=worker, limits=receiving.limits)

    def count_group(_: int) -> None:
        counters.add("fsyncs")

    writer = GroupWriter(spool, on_group=count_group)
    app = make_app(
        receiving.path,
        Intake(receiving.policy(), writer, counters),
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
        backlog=_BACKLOG,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_STOP_SECONDS // 2,
    )
    server = uvicorn.Server(config)

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in _STOPPING:
        # uvicorn has handlers of its own while it serves, and raises the signal again after that
        signal.signal(number, stop)
    server.run(sockets=[listener])


def _listen(receiving: Receiving) -> socket.socket:
    family = socket.AF_INET6 if ":" in receiving.host else socket.AF_INET
    try:
        return socket.create_server(
            (receiving.host, receiving.port), family=family, backlog=_BACKLOG
        )
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        message = (
            f"cannot listen on {receiving.host} port {receiving.port}: {reason}; "
            "choose others with --host and --port"
        )
        raise UsageError(message) from error


async def _keep_house(writer: GroupWriter, counters: Counters, *, is_teller: bool) -> None:
    """Finish files by age, and say what was refused or could not be written."""
    told: Counter[str] = Counter()
    next_telling = time.monotonic()
    was_failing = False
    while True:
        await asyncio.sleep(1)
        with suppress(OSError):
            await writer.finish_if_old()
        is_failing = writer.failure is not None
        if is_failing and not was_failing:
            log.error("the spool cannot be written (%s): answering 503", writer.failure)
        elif was_failing and not is_failing:
            log.info("the spool can be written again")
        was_failing = is_failing
        if is_teller and time.monotonic() >= next_telling:
            next_telling = time.monotonic() + _TELL_SECONDS
            refused = Counter({one.value: int(counters.total(one.count)) for one in Refusal})
            if news := refused - told:
                log.warning("refused: %s", ", ".join(f"{n} {r}" for r, n in news.most_common()))
            told = refused


def _supervise(
    receiving: Receiving, listener: socket.socket, numbers: ctypes.Array[ctypes.c_double]
) -> None:
    """Keep so many workers alive until told to stop."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    for number in _STOPPING:
        signal.signal(number, lambda _number, _frame: _write_quietly(tell))

    def start(worker: int) -> _Worker:
        process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(receiving, listener, numbers, worker), name=f"worker-{worker}"
        )
        process.start()
        return _Worker(worker, process, time.monotonic())

    workers = [start(index) for index in range(receiving.workers)]
    quick = 0
    try:
        while True:
            ready = wait([told, *(one.process.sentinel for one in workers)])
            if told in ready:
                break
            for one in [one for one in workers if one.process.sentinel in ready]:
                one.process.join()
                log.error("worker %s ended (%s)", one.index, one.process.exitcode)
                quick = quick + 1 if time.monotonic() - one.started < _QUICK_SECONDS else 0
                if quick >= _QUICK_DEATHS:
                    message = "workers end as soon as they are started; see what they said above"
                    raise CioError(message)
                finish_leftovers(receiving.folder)
                workers[workers.index(one)] = start(one.index)
    finally:
        _stop(workers)
        finish_leftovers(receiving.folder)
        os.close(told)
        os.close(tell)


@dataclass(frozen=True)
class _Worker:
    index: int
    process: SpawnProcess
    started: float


def _stop(workers: list[_Worker]) -> None:
    for one in workers:
        one.process.terminate()
    for one in workers:
        one.process.join(_STOP_SECONDS)
        if one.process.is_alive():
            one.process.kill()
            one.process.join()


def _write_quietly(handle: int) -> None:
    with suppress(OSError):
        os.write(handle, b"\0")


def _work(
    receiving: Receiving,
    listener: socket.socket,
    numbers: ctypes.Array[ctypes.c_double],
    worker: int,
) -> None:
    """One worker's process."""
    start_logging()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    run_worker(receiving, listener, numbers, worker)


def _end_with(sentinel: int) -> None:
    """Stop when the process that started this one is gone, so that the port is free again."""
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def start_logging() -> None:
    """Log to standard error; no line has a personal value, an address or a payload."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
