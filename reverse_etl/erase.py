"""Removing one person from every destination that a sync put them into."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from reverse_etl.contract import KEPT
from reverse_etl.deliver import Way, deliver
from reverse_etl.http import Http
from reverse_etl.journal import RunRecord, new_run
from reverse_etl.lock import hold, warehouse_in_turn
from reverse_etl.outcomes import resolve
from reverse_etl.record import land_journals
from reverse_etl.scope import scope_of
from reverse_etl.settings import read_syncs
from reverse_etl.state import remove_state, write_state
from reverse_etl.stop_list import StopList, stop_list_path
from reverse_etl.targets import find_target
from warehouse.connection import open_warehouse
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.journal import RunFolder
    from reverse_etl.run import Room
    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync

_REASON = "erasure"
_HELD = """
copy (
    select
        row_number() over (order by record_key, identifier, label) - 1 as row,
        'remove' as operation, record_key, person_id, identifier, label, occurred_at,
        null::varchar as payload, held_fingerprint as fingerprint, true as is_exempt
    from {state}
    where (is_held or last_outcome = 'unknown')
        and (list_contains($people, person_id) or list_contains($names, lower(trim(identifier)))
            or list_contains($names, lower(regexp_replace(identifier, '^[a-z_]+:', ''))))
    order by row
) to '{plan}' (format parquet)
"""
# a run removes before it adds, and an outcome that is not known may have left something there
_SENT = """
with theirs as (
    select
        sync, record_key, identifier, label, count(*) as sent,
        arg_max(operation, run_id || if(operation = 'remove', '0', '1')) as operation
    from raw_reverse_etl.receipts
    where outcome in ('accepted', 'unknown')
        and (list_contains($people, person_id) or list_contains($names, lower(trim(identifier))))
    group by sync, record_key, identifier, label
)

select sync, sum(sent), count(*) filter (where operation in ('add', 'update'))
from theirs group by sync order by sync
"""


@dataclass(frozen=True)
class Removal:
    """What one sync's destination was told.

    Attributes:
        sync: The sync.
        destination: Where to.
        mode: How it is kept; only what is mirrored can be taken away by the sync.
        sent: Rows about the person that the destination once took.
        removed: Entries that it took away now.
        left: Entries that it still has, by the receipts.
        problem: Why there is something left, and the way out.
    """

    sync: str
    destination: str
    mode: str
    sent: int
    removed: int = 0
    left: int = 0
    problem: str | None = None


def remove_person(room: Room, people: Sequence[str], names: Sequence[str]) -> list[Removal]:
    """Remove a person from every mirrored destination, and say where else they were sent.

    Guards hold nothing of it back. What was sent before and cannot be taken away by a sync (events,
    profiles) is counted, for the vendor's own deletion.

    Args:
        room: The home and the manifest.
        people: Their person ids.
        names: Their identifiers, trimmed and in small letters.

    Returns:
        One for each sync that ever sent something about them.

    Raises:
        UsageError: A sync or its destination is not configured right.
    """
    land_journals(room.home)
    syncs = {sync.name: sync for sync in read_syncs(room.manifest)}
    found = []
    for name, (sent, held) in _sent(room, people, names).items():
        sync = syncs.get(name)
        if sync is None:
            found.append(Removal(name, "?", "?", sent, left=0, problem="the sync is no more"))
            continue
        blank = Removal(name, sync.destination, sync.mode, sent)
        if sync.mode not in KEPT:
            found.append(blank)
            continue
        try:
            done = _remove(room, sync, blank, people, names)
        except CioError as error:
            done = replace(blank, left=held, problem=str(error))
        elsewhere = held - done.removed - done.left
        if elsewhere > 0:
            message = (
                f"{elsewhere} were sent to another account than {sync.destination}'s settings now "
                "name: set that account, and run this again"
            )
            done = replace(done, left=done.left + elsewhere, problem=message)
        found.append(done)
    return found


def _sent(room: Room, people: Sequence[str], names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """By sync: rows the destination ever took about them, and those it has, in whatever account."""
    with open_warehouse(room.home, purpose="find what was sent") as warehouse:
        try:
            rows = warehouse.execute(
                _SENT, {"people": list(people), "names": list(names)}
            ).fetchall()
        except duckdb.CatalogException:
            return {}
    return {sync: (int(sent), int(held)) for sync, sent, held in rows}


def _remove(
    room: Room, sync: Sync, blank: Removal, people: Sequence[str], names: Sequence[str]
) -> Removal:
    target = find_target(sync)
    with hold(room.home, sync.name, now=room.clock.now()):
        folder = new_run(room.home, sync.name, now=room.clock.now())
        planned = _plan(room, sync, target, folder, people, names)
        if planned == 0 or target.inactive is not None:
            folder.plan.unlink(missing_ok=True)
            folder.path.rmdir()
            return replace(blank, left=planned, problem=target.inactive if planned else None)
        return _deliver(room, sync, target, folder, replace(blank, left=planned))


def _plan(  # noqa: PLR0913, PLR0917 - what a plan is made of
    room: Room,
    sync: Sync,
    target: Target,
    folder: RunFolder,
    people: Sequence[str],
    names: Sequence[str],
) -> int:
    scope = scope_of(target.fingerprint(sync))
    try:
        with warehouse_in_turn(room.home, "read the receipts of syncs") as warehouse:
            state = write_state(
                warehouse, room.home, folder.path, sync=sync.name, mode=sync.mode, scope=scope
            )
        with duckdb.connect() as connection:
            connection.execute(
                _HELD.format(state=state.relation, plan=str(folder.plan).replace("'", "''")),
                {"people": list(people), "names": list(names)},
            )
            row = connection.execute(
                "select count(*) from read_parquet($plan)", {"plan": str(folder.plan)}
            ).fetchone()
    finally:
        remove_state(folder.path)
    return int(row[0]) if row else 0


def _deliver(room: Room, sync: Sync, target: Target, folder: RunFolder, blank: Removal) -> Removal:
    clock, kind = room.clock, target.kind
    record = RunRecord(
        run_id=folder.path.name,
        sync=sync.name,
        destination=sync.destination,
        object=sync.object,
        use=sync.use,
        mode=sync.mode,
        target=_REASON,
        build_id=_REASON,
        as_of=None,
        started_at=clock.now(),
        settings_fingerprint=target.fingerprint(sync),
        left_out={},
        planned=blank.left,
    )
    folder.write_record(record)
    with Http(target.url, clock=clock, timeout_seconds=sync.delivery.timeout_seconds) as http:
        way = Way(
            sync=sync,
            channel=kind.open(target.settings, sync.options, http),
            is_repeatable=kind.is_repeatable,
            stop_list=StopList(stop_list_path(room.home), sync.use),
            findings=(),
            clock=clock,
            halt=threading.Event(),
        )
        delivered = deliver(folder, way)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        balance = resolve(connection, folder)
    folder.write_record(
        replace(
            record,
            finished_at=clock.now(),
            is_interrupted=delivered.is_interrupted,
            planned=balance.planned,
            accepted=balance.accepted,
            rejected=balance.rejected,
            skipped=balance.skipped,
            unknown=balance.unknown,
            problem=None if delivered.problem is None else type(delivered.problem).__name__,
        )
    )
    land_journals(room.home, held=[sync.name])
    left = balance.planned - balance.accepted
    problem = None if delivered.problem is None else str(delivered.problem)
    if left and problem is None:
        problem = f"{left} removals were not accepted: see cio sync status"
    return replace(blank, removed=balance.accepted, left=left, problem=problem)
