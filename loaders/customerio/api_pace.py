"""The App API's rate, kept over all connections of a load; and time, so that tests can pass it.

A workspace has ten requests a second for all of its keys together
(https://docs.customer.io/integrations/api/app/).
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS_PER_SECOND = 9.5
"""A little under the vendor's ten: requests sent 100 ms apart arrive closer to one another, and
each refusal costs a second."""


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _sleep(seconds: float, halt: threading.Event) -> None:
    halt.wait(seconds)


@dataclass(frozen=True)
class Timing:
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


@dataclass
class Bucket:
    """A token bucket that holds one token: no second ever carries more than the rate.

    A fuller bucket would let a first second carry its burst and its refill, twice the rate.
    """

    timing: Timing
    rate: float = REQUESTS_PER_SECOND
    _free_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, halt: threading.Event) -> None:
        """Wait for a token."""
        with self._lock:
            now = self.timing.monotonic()
            start = max(self._free_at, now)
            self._free_at = start + 1 / self.rate
        if start > now:
            self.timing.sleep(start - now, halt)

    def pause(self, seconds: float) -> None:
        """Give out no token for some seconds, to anybody."""
        with self._lock:
            self._free_at = max(self._free_at, self.timing.monotonic() + seconds)
