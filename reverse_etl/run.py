"""Planning and running syncs, each apart from the others; what `cio sync` and cron call."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reverse_etl.clock import Clock
from reverse_etl.estimate import estimate
from reverse_etl.garbage import searched_rarely
from reverse_etl.guards import Company, check_force, evaluate
from reverse_etl.halting import halting
from reverse_etl.journal import RunFolder
from reverse_etl.landing import Landing
from reverse_etl.lock import Patience, turn
from reverse_etl.plan import Asked, SyncPlan, open_published, plan_sync
from reverse_etl.record import land_journals
from reverse_etl.settings import Sync, read_syncs
from reverse_etl.sync_run import SyncRun, Together, run_safely
from reverse_etl.targets import find_target
from warehouse.connection import publish_if_free
from warehouse.errors import CioError
from warehouse.failures import recoverable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.scope import Target
    from warehouse.home import Home

_AT_ONCE = 4


@dataclass(frozen=True)
class Room:
    """Where and how syncs run.

    Attributes:
        home: The home.
        manifest: dbt's `target/manifest.json`.
        select: Syncs by name; all if empty.
        clock: What tells the time.
        on_event: Told, in a sentence, what goes on.
    """

    home: Home
    manifest: Path
    select: Sequence[str] = ()
    clock: Clock = field(default_factory=Clock)
    on_event: Callable[[str], None] = field(default=lambda _text: None)


def plan_syncs(room: Room, asked: Asked | None = None) -> list[SyncPlan]:
    """Plan syncs; nothing is sent, and nothing is kept but the landed journals.

    Args:
        room: Where, and which.
        asked: What is asked beyond the configuration.

    Returns:
        A plan a sync, in the order of their names; inactive ones too.

    Raises:
        CioError: A sync is not configured right, or there is no build to plan from.
    """
    syncs = read_syncs(room.manifest, select=room.select)
    targets = [find_target(sync) for sync in syncs]
    land_journals(room.home)
    with turn(room.home):
        publish_if_free(room.home)
    asked = asked or Asked()
    check_force(asked.force)
    company = Company(activating=_activating(syncs, targets))
    plans = []
    with open_published(room.home) as reader:
        for sync, target in zip(syncs, targets, strict=True):
            with tempfile.TemporaryDirectory(dir=room.home.journals, prefix=".plan-") as folder:
                now = room.clock.now()
                files = RunFolder(Path(folder))
                with recoverable(f"plan sync {sync.name}", "Nothing was sent"):
                    plan = plan_sync(reader, sync, target, files, asked, now=now)
                plan = estimate(plan, sync, target, files.plan)
            found = evaluate(sync, plan, target, now=now, force=asked.force, company=company)
            plans.append(replace(plan, findings=() if target.inactive else tuple(found)))
    return plans


def _activating(syncs: Sequence[Sync], targets: Sequence[Target]) -> tuple[str, ...]:
    """The destinations of active syncs that activate people, each once, in order."""
    pairs = zip(syncs, targets, strict=True)
    names = [s.destination for s, t in pairs if s.use == "activate" and t.inactive is None]
    return tuple(dict.fromkeys(names))


def run_syncs(room: Room, asked: Asked | None = None) -> list[SyncRun]:
    """Plan, check and deliver syncs, several at once; one that fails does not stop another.

    An interrupt (Ctrl-C, SIGTERM) lets the requests in flight end, records them and returns.

    Args:
        room: Where, and which.
        asked: What is asked beyond the configuration.

    Returns:
        What each came to, in the order of their names. Errors a user can mend are in there.

    Raises:
        UsageError: A sync, its destination or `force` is not configured right; nothing was sent.
    """
    asked = asked or Asked()
    check_force(asked.force)
    syncs = read_syncs(room.manifest, select=room.select)
    targets = [find_target(sync) for sync in syncs]
    activating = _activating(syncs, targets)
    # where the warehouse cannot be opened, or nothing published, each sync says so; and waits
    with suppress(CioError):
        land_journals(room.home, patience=Patience(0))
        with turn(room.home):
            publish_if_free(room.home)
    with (
        open_published(room.home) as reader,
        halting(len(syncs)) as halts,
        searched_rarely(),
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        together = Together(room, asked, activating, Landing(room.home), reader, Patience())
        futures = [
            pool.submit(run_safely, together, *three)
            for three in zip(syncs, targets, halts, strict=True)
        ]
        runs = [future.result() for future in futures]
    return _land_idle(room, runs)


def _land_idle(room: Room, runs: Sequence[SyncRun]) -> list[SyncRun]:
    """Land the runs that had nothing to send in one load: each of its own costs more than to plan.

    What they are without it is known from their folders, and a later run lands it.
    """
    idle = {run.name for run in runs if run.plan is not None and run.plan.changes == 0}
    if not idle:
        return list(runs)
    try:
        land_journals(room.home)
    except CioError as error:
        return [
            replace(run, state="failed", error=error) if run.name in idle else run for run in runs
        ]
    return list(runs)
