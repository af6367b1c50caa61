"""Batches by count and by bytes, exact to the byte."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reverse_etl.contract import Change, Limits


@dataclass
class Batch:
    """Records that go in one request.

    Attributes:
        route: What they have in common.
        rows: Their rows in the plan.
        records: The records, encoded.
        changes: What they were made of: whom they are about is asked again before each attempt.
        is_maybe_accepted: An earlier attempt may have been accepted.
        is_part: It is a part of a batch that was too large, or taken in part.
        wait_seconds: How long it waits before it is sent.
        judged_at: How much of the stop list its records were held against.
        content: The bytes of its records as it was packed.
    """

    route: str
    rows: list[int] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    is_maybe_accepted: bool = False
    is_part: bool = False
    wait_seconds: float = 0.0
    judged_at: int = 0
    content: int = 0

    def pick(self, positions: list[int], *, wait_seconds: float = 0.0) -> Batch:
        """The batch of some of its records, to wait first if asked."""
        return Batch(
            self.route,
            [self.rows[i] for i in positions],
            [self.records[i] for i in positions],
            [self.changes[i] for i in positions],
            is_maybe_accepted=self.is_maybe_accepted,
            is_part=True,
            wait_seconds=wait_seconds,
            judged_at=self.judged_at,
        )

    def drop(self, positions: Collection[int]) -> None:
        """Take some of its records out."""
        kept = [i for i in range(len(self.rows)) if i not in positions]
        self.rows = [self.rows[i] for i in kept]
        self.records = [self.records[i] for i in kept]
        self.changes = [self.changes[i] for i in kept]

    def halves(self) -> tuple[Batch, Batch]:
        """The batch in two."""
        middle, end = len(self.rows) // 2, len(self.rows)
        return self.pick(list(range(middle))), self.pick(list(range(middle, end)))


class Packer:
    """Collects encoded changes into batches, one open batch a route."""

    def __init__(self, limits: Limits, records_per_request: int | None = None) -> None:
        """Pack for `limits`, with fewer records a request if asked."""
        self._most = min(limits.records, records_per_request or limits.records)
        self._fewer = min(self._most, limits.removals or self._most)
        self._size = limits.size
        # a body of n records is its frame, their content and n - 1 gaps
        self._frame = limits.measure(0, 0)
        self._gap = len(limits.separator)
        self._open: dict[str, Batch] = {}

    def shrink(self, records: int) -> None:
        """Make batches smaller from here on: the destination said one of `records` is too large."""
        self._most = max(min(self._most, records // 2), 1)
        self._fewer = min(self._fewer, self._most)

    def add(self, route: str, change: Change, record: bytes) -> Batch | None:
        """Add a record.

        Returns:
            A batch that is complete because the record no longer fits, or nothing.
        """
        # called for every row that is sent: nothing is made, or called, that is not needed
        batch = self._open.get(route)
        if batch is None:
            batch = self._open[route] = Batch(route)
        count = len(batch.rows)
        content = batch.content + len(record)
        most = self._fewer if change.operation == "remove" else self._most
        full = None
        if count and (count >= most or self._frame + content + count * self._gap > self._size):
            full = batch
            batch = self._open[route] = Batch(route)
            content = len(record)
        batch.content = content
        batch.rows.append(change.row)
        batch.records.append(record)
        batch.changes.append(change)
        return full

    def flush(self) -> Iterator[Batch]:
        """The batches still open."""
        for batch in self._open.values():
            if batch.rows:
                yield batch
        self._open = {}
