"""How syncs stand, from their journals alone: the warehouse is not opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from reverse_etl.contract import Check
from reverse_etl.http import Http
from reverse_etl.journal import run_folders
from reverse_etl.lock import is_held
from reverse_etl.outcomes import resolve
from reverse_etl.settings import read_syncs
from reverse_etl.targets import find_target

if TYPE_CHECKING:
    from reverse_etl.journal import RunFolder, RunRecord
    from reverse_etl.run import Room

_REASONS = 5
MOST_SKEW_SECONDS = 120


@dataclass(frozen=True)
class SyncStatus:
    """How one sync stands.

    Attributes:
        name: The sync.
        destination: Where to.
        use: What for.
        inactive: Why it does not run, if it does not.
        is_running: Whether a run is under way.
        last_run: The newest run; killed, if it has no end and none is under way.
        reasons: The newest run's most frequent reasons for rows that were not accepted.
    """

    name: str
    destination: str
    use: str
    inactive: str | None
    is_running: bool
    last_run: RunRecord | None
    reasons: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """The status as JSON has it."""
        run = self.last_run
        return {
            "name": self.name,
            "destination": self.destination,
            "use": self.use,
            "is_active": self.inactive is None,
            "is_running": self.is_running,
            "last_run": None
            if run is None
            else {
                "run_id": run.run_id,
                "started_at": run.started_at.isoformat(),
                "finished_at": None if run.finished_at is None else run.finished_at.isoformat(),
                "planned": run.planned,
                "accepted": run.accepted,
                "rejected": run.rejected,
                "skipped": run.skipped,
                "unknown": run.unknown,
                "problem": run.problem,
            },
            "reasons": self.reasons,
        }


def status(room: Room) -> list[SyncStatus]:
    """How the syncs stand, in the order of their names.

    Raises:
        UsageError: A sync or its destination is not configured right.
    """
    found = []
    for sync in read_syncs(room.manifest, select=room.select):
        folders = [f for f in run_folders(room.home, sync.name) if f.record.exists()]
        found.append(
            SyncStatus(
                name=sync.name,
                destination=sync.destination,
                use=sync.use,
                inactive=find_target(sync).inactive,
                is_running=is_held(room.home, sync.name),
                last_run=folders[-1].read_record() if folders else None,
                reasons=_reasons(folders[-1]) if folders else {},
            )
        )
    return found


def _reasons(folder: RunFolder) -> dict[str, int]:
    record = folder.read_record()
    if record is None or record.finished_at is None:
        return {}
    with duckdb.connect() as connection:
        resolve(connection, folder)
        rows = connection.execute(
            "select outcome || ': ' || coalesce(reason, ''), count(*) from resolved "
            "where outcome <> 'accepted' group by 1 order by 2 desc, 1 limit $most",
            {"most": _REASONS},
        ).fetchall()
    return dict(rows)


def check_syncs(room: Room) -> list[tuple[str, Check | None]]:
    """Ask each active destination whether it answers and takes the credentials.

    Args:
        room: Where, and which.

    Returns:
        Pairs of sync and answer, which is no good if this machine's clock is off by more than
        `MOST_SKEW_SECONDS`; none for a sync without credentials.
    """
    found: list[tuple[str, Check | None]] = []
    for sync in read_syncs(room.manifest, select=room.select):
        target = find_target(sync)
        if target.inactive is not None:
            found.append((sync.name, None))
            continue
        timeout = sync.delivery.timeout_seconds
        with Http(target.url, clock=room.clock, timeout_seconds=timeout) as http:
            answer = target.check(http)
            found.append((sync.name, on_time(answer, http.ahead_seconds)))
    return found


def on_time(answer: Check, ahead_seconds: float | None) -> Check:
    """The answer, unless this machine's clock is off: vendors date and refuse rows by it.

    Args:
        answer: What the destination answered.
        ahead_seconds: By how much this machine's clock is ahead of the vendor's, if that is known.
    """
    if not answer.is_ok or ahead_seconds is None or abs(ahead_seconds) <= MOST_SKEW_SECONDS:
        return answer
    word = "ahead of" if ahead_seconds > 0 else "behind"
    message = (
        f"{answer.message}; but this machine's clock is {abs(ahead_seconds):,.0f} s {word} the "
        "vendor's, so that instants are told wrong. Set it (NTP)."
    )
    return Check(is_ok=False, message=message)
