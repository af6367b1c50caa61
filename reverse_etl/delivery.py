"""How a sync is delivered, whatever the destination: patience, time-outs, rate, connections."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Delivery:
    """What a sync's `settings` may say about its delivery; each has a default.

    Attributes:
        attempts: Most attempts at one batch.
        give_up_after_seconds: Longest time spent on one batch, waits included.
        first_wait_seconds: The wait before the second attempt; it doubles from there.
        longest_wait_seconds: Where it stops doubling.
        jitter_seconds: Most that chance adds to a wait, so that clients do not come in step.
        timeout_seconds: For connecting, and between two pieces of a reply.
        connections: Requests in flight at once; the destination's own number if nothing.
        records_per_request: Fewer than the vendor's limit, if something.
        records_per_second: Slower than the vendor's rate, if something.
        requests_per_second: As many requests, where the destination's own number does not fit.
        oldest_hours: Events that were older when the warehouse was built are left out, and counted;
            nothing sends them all.
        replace_after_days: In the mode `replace`, how old a replacement of a list grows before the
            list is replaced again; 0 replaces it with every run. Changes are sent with every run.
    """

    attempts: int = 8
    give_up_after_seconds: float = 600.0
    first_wait_seconds: float = 2.0
    longest_wait_seconds: float = 60.0
    jitter_seconds: float = 5.0
    timeout_seconds: float = 30.0
    connections: int | None = None
    records_per_request: int | None = None
    records_per_second: float | None = None
    requests_per_second: float | None = None
    oldest_hours: float | None = None
    replace_after_days: float = 7.0

    def wait(self, attempt: int, *, chance: float, asked: float | None) -> float:
        """Seconds to wait after an attempt.

        Args:
            attempt: The number of the attempt that failed, from 1.
            chance: A number from 0 up to 1.
            asked: What the vendor asked for, which takes the place of our own doubling.

        Returns:
            The seconds.
        """
        pause = self.first_wait_seconds * 2.0 ** min(attempt - 1, 30)
        pause = min(pause, self.longest_wait_seconds) if asked is None else asked
        return pause + chance * self.jitter_seconds
