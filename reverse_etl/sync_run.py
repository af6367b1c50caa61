"""One run of one sync: plan, check, deliver, and see that its journal adds up."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import duckdb

from reverse_etl.deliver import Delivered, Way, deliver
from reverse_etl.guards import Company, Finding, evaluate, holds_all
from reverse_etl.http import Http
from reverse_etl.journal import Journal, RunFolder, RunRecord, new_run, run_folders
from reverse_etl.lock import hold
from reverse_etl.outcomes import Balance, resolve
from reverse_etl.past import rows_under_way
from reverse_etl.plan import plan_sync
from reverse_etl.record import is_balanced
from reverse_etl.replacement import Replacement
from reverse_etl.stop_list import read_for
from warehouse.errors import CioError
from warehouse.failures import recoverable_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.landing import Landing
    from reverse_etl.lock import Patience
    from reverse_etl.plan import Asked, SyncPlan
    from reverse_etl.run import Room
    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync
    from warehouse.connection import PublishedReader
    from warehouse.home import Home

State: TypeAlias = Literal["done", "inactive", "held", "failed", "interrupted"]

# guards that look at other runs under way see either all of one or nothing
_BEGINNING = threading.Lock()


class Unbalanced(CioError):  # noqa: N818 - says what was found
    """A run's outcomes do not add up to its plan."""


@dataclass(frozen=True)
class SyncRun:
    """What one run of a sync came to.

    Attributes:
        name: The sync.
        state: `done`; `inactive` without credentials; `held` by a guard, wholly or in part;
            `failed`; `interrupted`.
        plan: What was planned, if it came so far.
        run_id: The run, if it came so far.
        accepted: Rows the destination took.
        rejected: Rows refused.
        skipped: Rows that did not reach it; they stay planned.
        unknown: Rows that it may have taken; they are planned again.
        findings: Guards that did not hold, those forced among them.
        error: What ended the run, with the way out.
    """

    name: str
    state: State
    plan: SyncPlan | None = None
    run_id: str | None = None
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    unknown: int = 0
    findings: tuple[Finding, ...] = ()
    error: CioError | None = None

    @property
    def is_ok(self) -> bool:
        """Whether there is nothing for anybody to do."""
        return self.state in {"done", "inactive"}

    def to_json(self) -> dict[str, Any]:
        """The run as JSON has it."""
        planned = None if self.plan is None else self.plan.changes
        return {
            "name": self.name,
            "state": self.state,
            "run_id": self.run_id,
            "planned": planned,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "skipped": self.skipped,
            "unknown": self.unknown,
            "guards": [
                {"guard": f.guard, "message": f.message, "forced": f.is_forced}
                for f in self.findings
            ],
            "error": None if self.error is None else str(self.error),
        }


class Together(NamedTuple):
    """What the syncs of one command share."""

    room: Room
    asked: Asked
    activating: tuple[str, ...]
    landing: Landing
    reader: PublishedReader
    patience: Patience


def run_safely(together: Together, sync: Sync, target: Target, halt: threading.Event) -> SyncRun:
    """Run one sync; what a user can mend ends this run alone, and is in what it came to.

    Args:
        together: What the syncs of the command share.
        sync: The sync.
        target: Where it sends.
        halt: Set when the run is to end early.

    Returns:
        What it came to.
    """
    room = together.room
    if target.inactive is not None:
        return SyncRun(sync.name, "inactive")
    if halt.is_set():
        return SyncRun(sync.name, "interrupted")
    try:
        with hold(room.home, sync.name, now=room.clock.now()):
            _sweep(room.home, sync.name)
            folder = new_run(room.home, sync.name, now=room.clock.now())
            return _Run(together, sync, target, folder, halt).run()
    except CioError as error:
        return SyncRun(sync.name, "failed", error=error)
    except (OSError, duckdb.Error) as error:
        said = recoverable_error(error, f"run sync {sync.name}", "What it sent is in its journal")
        return SyncRun(sync.name, "failed", error=said)


def _sweep(home: Home, sync: str) -> None:
    """Remove folders of runs that were killed before they began: they sent nothing."""
    for folder in run_folders(home, sync):
        if not folder.record.exists():
            shutil.rmtree(folder.path)


@dataclass(frozen=True)
class _Run:
    together: Together
    sync: Sync
    target: Target
    folder: RunFolder
    halt: threading.Event

    @property
    def room(self) -> Room:
        return self.together.room

    def run(self) -> SyncRun:
        room, asked, _, landing, reader, wait = self.together
        sync, target, folder, now = self.sync, self.target, self.folder, room.clock.now()
        plan = plan_sync(reader, sync, target, folder, asked, now=now, is_held=True, patience=wait)
        with _BEGINNING:
            findings = self._evaluate(plan, now)
            record = self._record(plan, findings)
            self.folder.write_record(record)
        self._tell(f"{plan.adds} to add, {plan.updates} to update, {plan.removes} to remove")
        delivered = self._deliver(plan, findings)
        balance, problem = self._balance(record, delivered)
        record = replace(
            record,
            finished_at=self.room.clock.now(),
            is_interrupted=delivered.is_interrupted,
            planned=balance.planned,
            accepted=balance.accepted,
            rejected=balance.rejected,
            skipped=balance.skipped,
            unknown=balance.unknown,
            problem=None if problem is None else type(problem).__name__,
        )
        self.folder.write_record(record)
        if plan.changes:
            landing.land(self.sync.name)
        return SyncRun(
            self.sync.name,
            _state(delivered, findings, problem),
            plan=plan,
            run_id=record.run_id,
            accepted=balance.accepted,
            rejected=balance.rejected,
            skipped=balance.skipped,
            unknown=balance.unknown,
            findings=tuple(findings),
            error=problem,
        )

    def _evaluate(self, plan: SyncPlan, now: datetime) -> list[Finding]:
        under_way = rows_under_way(self.room.home, self.sync, plan.past.counted)
        company = Company(self.together.activating, under_way)
        force = self.together.asked.force
        return evaluate(self.sync, plan, self.target, now=now, force=force, company=company)

    def _record(self, plan: SyncPlan, findings: Sequence[Finding]) -> RunRecord:
        return RunRecord(
            run_id=self.folder.path.name,
            sync=self.sync.name,
            destination=self.sync.destination,
            object=self.sync.object,
            use=self.sync.use,
            mode=self.sync.mode,
            target=plan.build.target,
            build_id=plan.build.build_id,
            as_of=plan.build.as_of,
            started_at=self.room.clock.now(),
            settings_fingerprint=self.target.fingerprint(self.sync),
            left_out=dict(plan.left_out),
            forced_guards=tuple(finding.guard for finding in findings if finding.is_forced),
            planned=plan.changes,
            is_canary=plan.is_canary,
            stopped_guards=tuple(finding.guard for finding in findings if not finding.is_forced),
            labels=plan.labels,
        )

    def _deliver(self, plan: SyncPlan, findings: Sequence[Finding]) -> Delivered:
        reason = holds_all(plan, findings)
        if reason is not None:
            with Journal(self.folder, self.room.clock) as journal:
                journal.rest(reason)
            return Delivered({"skipped": plan.changes}, None, is_interrupted=False)
        clock, sync = self.room.clock, self.sync
        timeout = sync.delivery.timeout_seconds
        kind = self.target.kind
        with Http(self.target.url, clock=clock, timeout_seconds=timeout) as http:
            channel = kind.open(self.target.settings, sync.options, http)
            replacement = None
            if plan.replaced and kind.replacing and not any(not f.is_forced for f in findings):
                replacement = Replacement(kind.replacing(channel, plan.replaced), plan.replaced)
            way = Way(
                sync=sync,
                channel=channel if replacement is None else replacement.channel,
                is_repeatable=kind.is_repeatable,
                stop_list=read_for(self.room.home, sync.use, plan.build, topic=sync.topic),
                findings=findings,
                clock=clock,
                halt=self.halt,
                replacement=replacement,
            )
            return deliver(self.folder, way)

    def _balance(self, record: RunRecord, delivered: Delivered) -> tuple[Balance, CioError | None]:
        """Read the journal back: it must say, row by row, what was counted on the way."""
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            balance = resolve(connection, self.folder)
        counted = {name: count for name, count in delivered.counts.items() if count}
        journaled = {
            "accepted": balance.accepted,
            "rejected": balance.rejected,
            "skipped": balance.skipped,
            "unknown": balance.unknown,
        }
        is_equal = counted == {name: count for name, count in journaled.items() if count}
        if is_balanced(record, balance) and is_equal:
            return balance, delivered.problem
        message = (
            f"sync {record.sync}: run {record.run_id} does not balance: {balance.planned} planned, "
            f"counted {counted}, in the journal {journaled}. The journal in {self.folder.path} "
            "shows what happened; the next run plans from it."
        )
        return balance, Unbalanced(message)

    def _tell(self, text: str) -> None:
        self.room.on_event(f"{self.sync.name}: {text}")


def _state(delivered: Delivered, findings: Sequence[Finding], problem: CioError | None) -> State:
    if problem is not None:
        return "failed"
    if delivered.is_interrupted:
        return "interrupted"
    is_held = any(not finding.is_forced for finding in findings)
    return "held" if is_held else "done"
