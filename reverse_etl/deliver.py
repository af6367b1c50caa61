"""Delivering a plan from disk: the warehouse is closed, memory is bounded, every row is counted."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from reverse_etl.attempts import Line, close_lists, send
from reverse_etl.contract import Change, Refused
from reverse_etl.guards import held_back
from reverse_etl.journal import Exceptional, Journal
from reverse_etl.outcomes import INTERRUPTED
from reverse_etl.pace import Pace
from reverse_etl.packing import Batch, Packer
from warehouse.errors import CioError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reverse_etl.clock import Clock
    from reverse_etl.contract import Channel, Outcome
    from reverse_etl.guards import Finding
    from reverse_etl.journal import RunFolder
    from reverse_etl.replacement import Replacement
    from reverse_etl.settings import Sync
    from reverse_etl.stop_list import StopList

_READ_ROWS = 20_000
_NOTES = 10_000


@dataclass(frozen=True)
class Delivered:
    """What became of a plan's rows, counted as they went; and what ended it early, if anything."""

    counts: Mapping[Outcome, int]
    problem: CioError | None
    is_interrupted: bool


@dataclass(frozen=True)
class Way:
    """How a plan gets to its destination.

    Attributes:
        sync: The sync.
        channel: The destination, opened.
        is_repeatable: Whether a record may be sent twice.
        stop_list: Who must not be sent any more.
        findings: Guards that hold rows back.
        clock: What tells the time.
        halt: Set from outside, or by the first error, to end after the batches in flight.
        replacement: The lists that are replaced whole, if there are any.
    """

    sync: Sync
    channel: Channel
    is_repeatable: bool
    stop_list: StopList
    findings: Sequence[Finding]
    clock: Clock
    halt: threading.Event
    replacement: Replacement | None = None


def deliver(folder: RunFolder, way: Way) -> Delivered:
    """Send a plan, and write an outcome for each of its rows into the journal.

    Args:
        folder: The run, with its plan.
        way: How it gets there.

    Returns:
        The counts, and the error that ended the run early, if one did.
    """
    with Journal(folder, way.clock) as journal:
        return _Delivery(folder, way, journal).run()


class _Delivery:
    def __init__(self, folder: RunFolder, way: Way, journal: Journal) -> None:
        self.folder = folder
        self.way = way
        self.journal = journal
        delivery, limits = way.sync.delivery, way.channel.limits
        rates = [r for r in (limits.records_per_second, delivery.records_per_second) if r]
        self.packer = Packer(limits, delivery.records_per_request)
        self.line = Line(
            name=way.sync.destination,
            channel=way.channel,
            is_repeatable=way.is_repeatable,
            delivery=delivery,
            journal=journal,
            packer=self.packer,
            pace=Pace(min(rates, default=None), way.clock),
            request_pace=Pace(
                delivery.requests_per_second or limits.requests_per_second, way.clock
            ),
            stop_list=way.stop_list,
            clock=way.clock,
            halt=way.halt,
            replacement=way.replacement,
        )
        self.longest = limits.record_size
        self.connections = delivery.connections or limits.connections
        if way.replacement is not None:
            # the requests of a list that is replaced may have to keep their order
            self.connections = min(self.connections, limits.connections)
        self.problem: CioError | None = None
        self.flying: set[Future[None]] = set()
        self.notes: list[Exceptional] = []
        self.counts: Counter[Outcome] = Counter()

    def run(self) -> Delivered:
        with ThreadPoolExecutor(self.connections) as pool:
            try:
                self._send_all(pool)
            except BaseException:
                # the pool waits for its workers, and they must not go on trying
                self.way.halt.set()
                raise
        self._write_notes()
        planned = pq.ParquetFile(self.folder.plan).metadata.num_rows
        counts = self.counts + self.line.counts
        left = planned - counts.total()
        if left:
            self.journal.rest(INTERRUPTED if self.problem is None else "the run ended early")
            counts["skipped"] += left
        is_interrupted = self.way.halt.is_set() and self.problem is None
        return Delivered(counts, self.problem, is_interrupted)

    def _send_all(self, pool: ThreadPoolExecutor) -> None:
        was_removing = False
        for changes, exempt in read_plan(self.folder.plan):
            is_removing = changes[0].operation == "remove"
            if was_removing and not is_removing:
                # what is removed must be gone before it, or its successor, is added
                self._drain(pool)
            was_removing = is_removing
            self._take(pool, self._kept(changes, exempt) if self.way.findings else changes)
            if self.way.halt.is_set():
                break
        self._drain(pool)
        if self.way.replacement is not None and not self.way.halt.is_set():
            try:
                close_lists(self.line)
            except CioError as error:
                self.problem = error

    def _take(self, pool: ThreadPoolExecutor, changes: Iterable[Change]) -> None:
        """Pack changes, and send what is full; a halt ends it between two requests."""
        # this is done for every row that is sent: what need not be looked up again is not
        replacement, halt = self.way.replacement, self.way.halt
        encode, route, add = self.way.channel.encode, self.way.channel.route, self.packer.add
        for change in changes:
            if replacement is not None:
                replacement.plan(change)
            try:
                record = encode(change)
            except Refused as refused:
                self._refuse(change, str(refused))
                continue
            if len(record) > self.longest:
                reason = f"a record of {len(record)} bytes, more than the destination takes"
                self._refuse(change, reason)
                continue
            full = add(route(change), change, record)
            if full is not None:
                self._submit(pool, full)
                if halt.is_set():
                    return

    def _kept(self, changes: Sequence[Change], exempt: Sequence[bool]) -> Iterator[Change]:
        """The changes that no guard holds back."""
        for change, is_exempt in zip(changes, exempt, strict=True):
            reason = held_back(self.way.findings, change.operation, is_exempt=is_exempt)
            if reason is None:
                yield change
            else:
                self._note(Exceptional(change.row, "skipped", reason))

    def _refuse(self, change: Change, reason: str) -> None:
        self._note(Exceptional(change.row, "rejected", reason))
        if self.way.replacement is not None:
            self.way.replacement.end(change)

    def _note(self, exceptional: Exceptional) -> None:
        self.notes.append(exceptional)
        self.counts[exceptional.outcome] += 1
        if len(self.notes) >= _NOTES:
            self._write_notes()

    def _write_notes(self) -> None:
        if self.notes:
            self.journal.note(self.notes)
            self.notes = []

    def _submit(self, pool: ThreadPoolExecutor, batch: Batch) -> None:
        self._write_notes()
        while len(self.flying) >= self.connections:
            self._collect()
        if not self.way.halt.is_set():
            self.flying.add(pool.submit(send, self.line, batch))

    def _drain(self, pool: ThreadPoolExecutor) -> None:
        for batch in self.packer.flush():
            if not self.way.halt.is_set():
                self._submit(pool, batch)
        while self.flying:
            self._collect()

    def _collect(self) -> None:
        done, self.flying = wait(self.flying, return_when=FIRST_COMPLETED)
        for future in done:
            try:
                future.result()
            except CioError as error:
                self.problem = self.problem or error
                self.way.halt.set()


def read_plan(path: Path) -> Iterator[tuple[list[Change], list[bool]]]:
    """The changes of a plan in order, and whether each is exempt from guards.

    Args:
        path: The plan.

    Yields:
        Some changes, all removals or none; the others are not in memory.
    """
    file = pq.ParquetFile(path)
    for batch in file.iter_batches(batch_size=_READ_ROWS):
        instants = batch.column("occurred_at").cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        columns = [
            batch.column("row"),
            batch.column("operation"),
            batch.column("record_key"),
            batch.column("person_id"),
            batch.column("identifier"),
            batch.column("label"),
            instants,
            batch.column("payload"),
            batch.column("fingerprint"),
        ]
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        changes = list(map(Change._make, rows))
        exempt = batch.column("is_exempt").to_pylist()
        # a plan removes first
        removals = sum(change.operation == "remove" for change in changes)
        if removals:
            yield changes[:removals], exempt[:removals]
        if removals < len(changes):
            yield changes[removals:], exempt[removals:]
