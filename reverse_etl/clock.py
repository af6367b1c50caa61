"""Time and chance, in one place, so that tests can pass an hour in no time."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as every instant here


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def milliseconds(instant: datetime) -> int:
    """Milliseconds from the epoch to a naive UTC instant."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def _sleep(seconds: float, halt: threading.Event) -> None:
    halt.wait(seconds)


@dataclass(frozen=True)
class Clock:
    """What tells the time.

    Attributes:
        now: The present, naive UTC.
        monotonic: Seconds that never go back.
        sleep: Waits for some seconds, or until the event is set.
        chance: A number from 0 up to 1, for jitter.
    """

    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float, threading.Event], None] = _sleep
    chance: Callable[[], float] = random.random
