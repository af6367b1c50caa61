"""Numbers that all workers count together, in memory they share."""

from __future__ import annotations

import bisect
from multiprocessing.sharedctypes import RawArray
from typing import TYPE_CHECKING

from loaders.receiver.refusals import Refusal

if TYPE_CHECKING:
    import ctypes

COUNTS = ("accepted", "enclosed", "received_bytes", "fsyncs")

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.0)
"""Seconds; the vendor waits for four: https://docs.customer.io/journeys/webhooks/."""

_LATENCY = ("latency_sum", *(f"latency_{bound}" for bound in BOUNDS), "latency_more")
_NAMES = (*COUNTS, *(refusal.count for refusal in Refusal), *_LATENCY)
_PLACES = {name: place for place, name in enumerate(_NAMES)}
_FIRST_BUCKET = _PLACES["latency_sum"] + 1


def shared_numbers(workers: int) -> ctypes.Array[ctypes.c_double]:
    """Memory for the counts of so many workers; it can be handed to processes that are started."""
    numbers: ctypes.Array[ctypes.c_double] = RawArray("d", workers * len(_NAMES))
    return numbers


class Counters:
    """One worker's row of the numbers, and the sums over all."""

    def __init__(self, numbers: ctypes.Array[ctypes.c_double], worker: int) -> None:
        """Count in the row of `worker`, from 0."""
        self._numbers = numbers
        self._row = worker * len(_NAMES)

    def add(self, name: str, amount: float = 1) -> None:
        """Count one of `COUNTS`, or `Refusal.count`."""
        self._numbers[self._row + _PLACES[name]] += amount

    def took(self, seconds: float) -> None:
        """Count how long an accepted event waited for its acknowledgement."""
        bucket = _FIRST_BUCKET + bisect.bisect_left(BOUNDS, seconds)
        self._numbers[self._row + bucket] += 1
        self.add("latency_sum", seconds)

    def total(self, name: str) -> float:
        """The sum over all workers."""
        return float(sum(self._numbers[_PLACES[name] :: len(_NAMES)]))

    def buckets(self) -> list[float]:
        """Accepted events by latency: one number for each of `BOUNDS`, and one for the rest."""
        return [self.total(name) for name in _LATENCY[1:]]
