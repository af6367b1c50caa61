"""Replacing whole lists: whose turn it is, and when what was sent for one counts.

A vendor's list can hold what no receipt tells of: people added by hand, or left by another tool. In
the mode `replace` a list is sent whole from time to time, and closed: what was not sent is gone.
Between two replacements the sync sends what changed, as `mirror` does. Of a list that was not
closed nobody can say what it holds, so until then its rows are unknown, and a run that ends early
leaves them so: the next one replaces the list again.
"""

from __future__ import annotations

import threading
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from reverse_etl.contract import Change, ReplacingChannel
    from reverse_etl.packing import Batch
    from warehouse.connection import Published

UNCLOSED = "its list was not closed"

# Each replacement has every row accepted anew, so the oldest of them tells when the last one was. A
# row refused since is not, and would have its list replaced for ever.
_CHOSEN = """
create temp table replaced as
select sent.label
from sent
left join state
    on sent.record_key = state.record_key
    and sent.identifier = state.identifier
    and sent.label = state.label
group by sent.label
having bool_or(sent.operation <> 'rejected')
    and (
        bool_or(coalesce(state.last_outcome = 'unknown', false))
        or not bool_or(coalesce(state.is_held, false))
        or coalesce(
            min(state.held_at) filter (where state.is_held and state.last_outcome = 'accepted')
            < $before,
            false
        )
    )
"""
_WHOLE = """
update sent
set operation = 'update'
where label in (select label from replaced)
    and (
        operation = 'same'
        or operation = 'rejected'
        and (record_key, identifier, label) in (
            select (record_key, identifier, label) from state where is_held
        )
    )
"""
_GONE = """
update removed
set is_rejected = false
where label in (select label from replaced)
"""


def choose_lists(published: Published, before: datetime) -> None:
    """Mark the lists of a plan that are replaced, and plan all of their rows.

    A list is replaced when it was last before an instant, when nothing of it is there yet, and when
    it is not known of some row whether it is there.

    Args:
        published: The connection on which `compare` has just found `sent` and `removed`.
        before: The instant, naive UTC.
    """
    connection = published.connection
    connection.execute(_CHOSEN, {"before": before})
    connection.execute(_WHOLE)
    connection.execute(_GONE)


def chosen_lists(published: Published) -> tuple[str, ...]:
    """The labels of the lists that `choose_lists` marked; on the same connection."""
    rows = published.connection.execute("select label from replaced order by label").fetchall()
    return tuple(label for (label,) in rows)


@dataclass
class _List:
    """One list: its rows planned, those that have ended, and those that wait for it to close."""

    planned: int = 0
    ended: int = 0
    waiting: array[int] = field(default_factory=lambda: array("q"))
    again: Batch | None = None


@dataclass
class Replacement:
    """The lists that a run replaces, row by row; safe to use from several threads.

    Attributes:
        channel: The destination, opened so that it replaces them.
        labels: Their labels.
    """

    channel: ReplacingChannel
    labels: Collection[str]
    _lists: dict[str, _List] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def _of(self, change: Change) -> _List | None:
        """The list that a row is sent for, if it is one that is replaced."""
        if change.operation == "remove" or change.label not in self.labels:
            return None
        return self._lists.setdefault(change.label, _List())

    def plan(self, change: Change) -> None:
        """Count a row among those of its list."""
        with self._lock:
            found = self._of(change)
            if found is not None:
                found.planned += 1

    def end(self, change: Change, rows: int = 1) -> None:
        """Count rows that are not in the list, and are not to be: refused, or opted out since."""
        with self._lock:
            found = self._of(change)
            if found is not None:
                found.ended += rows

    def take(self, batch: Batch, positions: Sequence[int]) -> bool:
        """Let rows that were taken wait for their list to close; says whether they have to."""
        change = batch.changes[0]
        if batch.route == self.channel.closing(change.label):
            return False
        with self._lock:
            found = self._of(change)
            if found is None:
                return False
            found.waiting.extend(batch.rows[i] for i in positions)
            found.ended += len(positions)
            if positions and found.again is None:
                found.again = batch.pick([positions[0]])
            return True

    def closings(self) -> list[tuple[Batch, list[int]]]:
        """The request that closes each list that is whole, and the other rows that wait for it.

        A list of which a row is left, or unknown, is not closed: that row would be gone.
        """
        found = []
        for label, one in sorted(self._lists.items()):
            if one.again is None or one.ended < one.planned:
                continue
            batch = one.again
            batch.route = self.channel.closing(label)
            batch.is_part = False
            batch.is_maybe_accepted = True
            others = sorted(row for row in one.waiting if row != batch.rows[0])
            found.append((batch, others))
        return found
