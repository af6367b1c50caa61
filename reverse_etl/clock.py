"""Time and chance, in one place, so that tests can pass an hour in no time."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as every instant here
_MILLISECOND = timedelta(milliseconds=1)


def _now() -> datetime:
    # asked for every row of some destinations: a third of what datetime.now(UTC).replace(…) takes
    return _EPOCH + timedelta(microseconds=time.time_ns() // 1_000)


def milliseconds(instant: datetime) -> int:
    """Milliseconds from the epoch to a naive UTC instant."""
    return (instant - _EPOCH) // _MILLISECOND


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
