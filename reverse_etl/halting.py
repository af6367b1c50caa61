"""Ending runs from outside: Ctrl-C and SIGTERM let what is under way end, and begin no more."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def halting(count: int) -> Iterator[list[threading.Event]]:
    """One event a sync, all set by Ctrl-C or SIGTERM while the block runs."""
    halts = [threading.Event() for _ in range(count)]

    def stop(_number: int, _frame: object) -> None:
        for halt in halts:
            halt.set()

    if threading.current_thread() is not threading.main_thread():
        yield halts
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield halts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
