"""One batch to its end: attempts, waits, halves, and an outcome for each of its rows."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.contract import Denied, Later, Stop, Taken, TooLarge, Unnamed
from reverse_etl.journal import Exceptional
from reverse_etl.profile_keys import bare
from reverse_etl.replacement import UNCLOSED
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Collection

    from reverse_etl.clock import Clock
    from reverse_etl.contract import Channel, Outcome
    from reverse_etl.delivery import Delivery
    from reverse_etl.journal import Journal
    from reverse_etl.pace import Pace
    from reverse_etl.packing import Batch, Packer
    from reverse_etl.replacement import Replacement
    from reverse_etl.stop_list import StopList

_REASON_LENGTH = 300
_ROWS_A_LINE = 50_000
_REFUSALS_IN_A_ROW = 20
"""So many records refused alone, and none taken: the destination refuses the request."""


class CredentialsRejected(CioError):  # noqa: N818 - named by recovery: mend the credentials
    """The destination refuses the credentials."""


class DestinationUnavailable(CioError):  # noqa: N818 - named by recovery: run again later
    """The destination did not take a batch for as long as we try."""


class DestinationMisconfigured(CioError):  # noqa: N818 - named by recovery: mend the settings
    """The destination answers in a way that no waiting mends."""


@dataclass
class Line:
    """What the batches of one run share.

    Attributes:
        name: The destination's name, for messages.
        channel: The destination, opened.
        is_repeatable: Whether a record may be sent twice.
        delivery: Patience.
        journal: Where attempts and outcomes are written.
        packer: Told when batches are too large.
        pace: The vendor's rate, in records.
        request_pace: Its rate, in requests.
        stop_list: Who must not be sent any more.
        clock: What tells the time.
        halt: Set when no more attempts are to be made.
        replacement: The lists that are replaced whole, if there are any.
        counts: Rows by outcome.
    """

    name: str
    channel: Channel
    is_repeatable: bool
    delivery: Delivery
    journal: Journal
    packer: Packer
    pace: Pace
    request_pace: Pace
    stop_list: StopList
    clock: Clock
    halt: threading.Event
    replacement: Replacement | None = None
    counts: Counter[Outcome] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _refusals: int = 0

    def count(self, outcome: Outcome, rows: int) -> None:
        """Count final outcomes."""
        with self._lock:
            self.counts[outcome] += rows

    def end(self, batch: Batch, rows: int) -> None:
        """Tell the list that is replaced, if one is, of rows that will not be in it."""
        if self.replacement is not None and rows:
            self.replacement.end(batch.changes[0], rows)

    def note_refusals(self, batch: Batch, refused: int) -> None:
        """Notice a destination that refuses record after record and takes none.

        Raises:
            DestinationMisconfigured: It has done so too often to be about the records.
        """
        with self._lock:
            is_alone = refused == len(batch.rows)
            self._refusals = self._refusals + 1 if is_alone else 0
            if self._refusals < _REFUSALS_IN_A_ROW:
                return
        message = (
            f"{self.name} refused {_REFUSALS_IN_A_ROW} requests in a row without naming a record, "
            "and took none. See the reasons with `cio sync status`, and check its settings."
        )
        raise DestinationMisconfigured(message)


def send(line: Line, batch: Batch) -> None:
    """Send a batch until each of its rows has an outcome.

    Args:
        line: What the batches of the run share.
        batch: The batch.

    Raises:
        CredentialsRejected: The credentials were refused.
        DestinationUnavailable: It was not taken for as long as we try.
        DestinationMisconfigured: No waiting mends what the destination answered.
    """
    parts = [batch]
    try:
        while parts and not (line.halt.is_set() and parts[-1].is_part):
            parts.extend(reversed(_send_part(line, parts.pop())))
    finally:
        # parts that an error or a halt left unsent: they were in a request of this batch before
        for part in parts:
            _leave(line, part)


def _leave(line: Line, batch: Batch) -> None:
    line.count("unknown" if batch.is_maybe_accepted else "skipped", len(batch.rows))


def _send_part(line: Line, batch: Batch) -> list[Batch]:
    """Attempt until there is an answer; returns what is to be sent again in parts."""
    if batch.wait_seconds:
        line.clock.sleep(batch.wait_seconds, line.halt)
        if line.halt.is_set():
            _leave(line, batch)
            return []
    started = line.clock.monotonic()
    number = 0
    while True:
        line.pace.take(len(batch.rows), line.halt)
        line.request_pace.take(1, line.halt)
        _drop_stopped(line, batch)
        if not batch.rows:
            return []
        number += 1
        attempt = line.journal.intend(batch.rows)
        reply = line.channel.send(batch.route, batch.records)
        if not isinstance(reply, Later):
            return _answered(line, batch, attempt, reply)
        batch.is_maybe_accepted = batch.is_maybe_accepted or reply.is_maybe_accepted
        _settle(line, batch, attempt, reply.reason)
        if reply.is_maybe_accepted and not line.is_repeatable:
            _leave(line, batch)
            return []
        wait = line.delivery.wait(number, chance=line.clock.chance(), asked=reply.wait_seconds)
        spent = line.clock.monotonic() - started
        if number >= line.delivery.attempts or spent + wait > line.delivery.give_up_after_seconds:
            _leave(line, batch)
            message = (
                f"{line.name} did not take a batch: {reply.reason}, {number} attempts in "
                f"{spent:.0f} s. What is left stays planned; run the sync again later."
            )
            raise DestinationUnavailable(message)
        if not line.halt.is_set():
            line.clock.sleep(wait, line.halt)
        if line.halt.is_set():
            _leave(line, batch)
            return []


def _drop_stopped(line: Line, batch: Batch) -> None:
    """Take out of a batch who must not be sent any more: it may have waited for long."""
    line.stop_list.refresh()
    news = line.stop_list.news
    if news == batch.judged_at:
        return
    batch.judged_at = news
    judged = ((i, line.stop_list.reason(change)) for i, change in enumerate(batch.changes))
    stopped = {i: reason for i, reason in judged if reason is not None}
    if stopped:
        left: Outcome = "unknown" if batch.is_maybe_accepted else "skipped"
        line.journal.note(Exceptional(batch.rows[i], left, stopped[i]) for i in stopped)
        line.count(left, len(stopped))
        line.end(batch, len(stopped))
        batch.drop(stopped.keys())


def _settle(line: Line, batch: Batch, attempt: int, reason: str) -> None:
    outcome: Outcome = "unknown" if batch.is_maybe_accepted else "skipped"
    line.journal.settle(attempt, outcome=outcome, rows=batch.rows, reason=reason)


def _answered(
    line: Line, batch: Batch, attempt: int, reply: Taken | TooLarge | Unnamed | Denied | Stop
) -> list[Batch]:
    match reply:
        case Taken():
            return _taken(line, batch, attempt, reply)
        case TooLarge() | Unnamed():
            return _divided(line, batch, attempt, reply)
        case Denied(status=status):
            _settle(line, batch, attempt, f"credentials refused ({status})")
            _leave(line, batch)
            message = (
                f"{line.name} refused the credentials ({status}). Check them in "
                f".dlt/secrets.toml, [reverse_etl.{line.name}], or its environment variables; "
                "nothing more was sent, and what is left stays planned."
            )
            raise CredentialsRejected(message)
        case Stop(reason=reason):
            _settle(line, batch, attempt, reason)
            _leave(line, batch)
            message = f"{line.name} {reason}. Check its base URL and settings."
            raise DestinationMisconfigured(message)


def _taken(line: Line, batch: Batch, attempt: int, reply: Taken) -> list[Batch]:
    refused = [
        Exceptional(batch.rows[i], "rejected", _clear(reason, batch.changes[i].identifier))
        for i, reason in sorted(reply.refused.items())
    ]
    unsure = sorted(reply.unsure.keys() - reply.refused.keys())
    kept = sorted(reply.left.keys() - reply.unsure.keys() - reply.refused.keys())
    ended = reply.refused.keys() | reply.unsure.keys() | reply.left.keys()
    later = sorted(reply.later - ended)
    again = sorted(reply.again - reply.later - ended)
    left: Outcome = "unknown" if batch.is_maybe_accepted else "skipped"
    exceptions = [
        *refused,
        *(Exceptional(batch.rows[i], "unknown", reply.unsure[i]) for i in unsure),
        *(Exceptional(batch.rows[i], left, reply.left[i]) for i in kept),
        *(Exceptional(batch.rows[i], left, "not taken yet") for i in (*again, *later)),
    ]
    named = {exception.row for exception in exceptions}
    accepted = [row for row in batch.rows if row not in named] if named else batch.rows
    taken, why = _outcome(line, batch, named)
    line.journal.settle(attempt, outcome=taken, rows=accepted, reason=why, exceptions=exceptions)
    line.count(taken, len(accepted))
    line.count("rejected", len(refused))
    line.end(batch, len(refused))
    line.count("unknown", len(unsure))
    line.count(left, len(kept))
    if accepted or not refused:
        line.note_refusals(batch, 0)
    parts = [batch.pick(again)] if again else []
    return [*parts, batch.pick(later, wait_seconds=reply.wait_seconds)] if later else parts


def _outcome(line: Line, batch: Batch, named: Collection[int]) -> tuple[Outcome, str | None]:
    """The outcome of rows that were taken: those of a list that is replaced wait for its end."""
    if line.replacement is None:
        return "accepted", None
    positions = [i for i, row in enumerate(batch.rows) if row not in named]
    is_waiting = line.replacement.take(batch, positions)
    return ("unknown", UNCLOSED) if is_waiting else ("accepted", None)


def close_lists(line: Line) -> None:
    """Close the lists that are replaced, each with a request that carries one of its rows again.

    Args:
        line: What the batches of the run share, all of them at their end.

    Raises:
        CioError: As `send` does; the rows of the lists not closed stay unknown.
    """
    for batch, others in () if line.replacement is None else line.replacement.closings():
        before = line.counts["accepted"]
        line.count("unknown", -len(batch.rows))
        send(line, batch)
        if line.counts["accepted"] > before:
            for start in range(0, len(others), _ROWS_A_LINE):
                line.journal.accept(others[start : start + _ROWS_A_LINE])
            line.count("unknown", -len(others))
            line.count("accepted", len(others))


def _divided(line: Line, batch: Batch, attempt: int, reply: TooLarge | Unnamed) -> list[Batch]:
    if len(batch.rows) > 1:
        _settle(line, batch, attempt, reply.reason)
        if isinstance(reply, TooLarge) and not batch.is_part:
            line.packer.shrink(len(batch.rows))
        return list(batch.halves())
    reason = _clear(reply.reason, batch.changes[0].identifier)
    exceptions = [Exceptional(batch.rows[0], "rejected", reason)]
    line.journal.settle(attempt, outcome="skipped", rows=(), exceptions=exceptions)
    line.count("rejected", 1)
    line.end(batch, 1)
    line.note_refusals(batch, 1)
    return []


def _clear(reason: str, identifier: str) -> str:
    """A vendor's words without the person they are about."""
    for known in sorted({identifier, bare(identifier)} - {""}, key=len, reverse=True):
        reason = reason.replace(known, "…")
    return reason[:_REASON_LENGTH]
