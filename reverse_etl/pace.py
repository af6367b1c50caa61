"""A vendor's rate, kept over all connections of a run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverse_etl.clock import Clock


class Pace:
    """Spreads records so that no stretch of time carries more than the rate allows."""

    def __init__(self, records_per_second: float | None, clock: Clock) -> None:
        """Keep a rate, or none."""
        self._rate = records_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = clock.monotonic()

    def take(self, records: int, halt: threading.Event) -> None:
        """Wait until `records` more may be sent.

        Args:
            records: How many are about to be sent.
            halt: Ends the wait early.
        """
        if self._rate is None:
            return
        with self._lock:
            now = self._clock.monotonic()
            start = max(self._free_at, now)
            self._free_at = start + records / self._rate
        if start > now:
            self._clock.sleep(start - now, halt)
