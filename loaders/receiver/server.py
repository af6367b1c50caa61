"""Runs the receiver: one process, or several that accept from one listening socket."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from loaders.receiver.counters import shared_numbers
from loaders.receiver.spool import finish_leftovers
from loaders.receiver.worker import BACKLOG, STOP_SECONDS, STOPPING, Receiving, run_worker
from warehouse.errors import CioError, UsageError

if TYPE_CHECKING:
    import ctypes
    from multiprocessing.context import ForkProcess

log = logging.getLogger("cio.receive")

_FIRST_HANDED = 3
"""The socket that systemd hands over, which stays open while the receiver is restarted:
https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html."""

_QUICK_SECONDS = 5.0
_QUICK_DEATHS = 3
"""Workers that die this often in a row, this soon after their start, will not live."""


def start_logging() -> None:
    """Log to standard error; no line has a personal value, an address or a payload."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


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


def _listen(receiving: Receiving) -> socket.socket:
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        return socket.socket(fileno=_FIRST_HANDED)
    family = socket.AF_INET6 if ":" in receiving.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named: without, an
    # acknowledgement took 48 ms instead of 2
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((receiving.host, receiving.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        message = (
            f"cannot listen on {receiving.host} port {receiving.port}: {error.strerror or error}; "
            "choose others with --host and --port"
        )
        raise UsageError(message) from error
    return listener


@dataclass(frozen=True)
class _Worker:
    index: int
    process: ForkProcess
    started: float


def _supervise(
    receiving: Receiving, listener: socket.socket, numbers: ctypes.Array[ctypes.c_double]
) -> None:
    """Keep so many workers alive until told to stop."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    for number in STOPPING:
        signal.signal(number, lambda _number, _frame: _write_quietly(tell))

    def start(worker: int) -> _Worker:
        # forked, not spawned: a worker that died is replaced in milliseconds, and nothing here has
        # a thread or an event loop
        process = multiprocessing.get_context("fork").Process(
            target=_work, args=(receiving, listener, numbers, worker), name=f"worker-{worker}"
        )
        process.start()
        return _Worker(worker, process, time.monotonic())

    workers = [start(index) for index in range(receiving.workers)]
    quick = 0
    try:
        while told not in (ready := wait([told, *(one.process.sentinel for one in workers)])):
            for one in [one for one in workers if one.process.sentinel in ready]:
                one.process.join()
                log.error("worker %s ended (%s)", one.index, one.process.exitcode)
                is_quick = time.monotonic() - one.started < _QUICK_SECONDS
                quick = quick + 1 if is_quick else 0
                if quick >= _QUICK_DEATHS:
                    message = "workers end as soon as they are started; see what they said above"
                    raise CioError(message)
                finish_leftovers(receiving.folder)
                workers[workers.index(one)] = start(one.index)
    finally:
        _stop(workers)
        finish_leftovers(receiving.folder)


def _stop(workers: list[_Worker]) -> None:
    for one in workers:
        one.process.terminate()
    for one in workers:
        one.process.join(STOP_SECONDS)
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
    """What a worker's process does."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    run_worker(receiving, listener, numbers, worker)


def _end_with(sentinel: int) -> None:
    """Stop when the process that started this one is gone, so that the port is free again."""
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
