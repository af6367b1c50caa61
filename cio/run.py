"""`cio run`: load, build, sync, report and alerts, in order; what one feed lacks stops no other."""

from __future__ import annotations

import os
import signal
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import orjson
from filelock import FileLock, Timeout

from cio.run_log import RunLog
from cio.run_steps import Step, StepResult, execute, skipped
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import FrameType

    from cio.run_settings import FeedLoad, RunSettings
    from warehouse.home import Home

Outcome: TypeAlias = Literal["done", "failed"]
Words: TypeAlias = "tuple[str, Mapping[str, int]]"


class RunOverdue(CioError):  # noqa: N818 - says what the caller meets
    """Another run is under way, for longer than a run may take."""


class Interrupted(CioError):  # noqa: N818 - says what happened
    """The run was told to end."""


@dataclass(frozen=True)
class Busy:
    """Another run is under way: nothing was done, and nothing needs to be.

    Attributes:
        message: Which, in words.
    """

    message: str


@dataclass(frozen=True)
class Run:
    """What a run came to.

    Attributes:
        run_id: The run.
        started_at: When it began, naive UTC.
        steps: What each step came to, in order.
    """

    run_id: str
    started_at: datetime
    steps: tuple[StepResult, ...] = field(default=())

    @property
    def outcome(self) -> Outcome:
        """`done` only if every step was."""
        return "done" if all(step.is_ok for step in self.steps) else "failed"

    @property
    def line(self) -> str:
        """The run in one line."""
        parts = [f"{one.name}: {one.said or one.state}" for one in self.steps if one.is_ok]
        parts += [
            f"{one.name} {one.state.upper().replace('_', ' ')}"
            for one in self.steps
            if not one.is_ok
        ]
        return f"{self.outcome} in {sum(s.seconds for s in self.steps):.0f} s; {'; '.join(parts)}"

    def to_json(self) -> dict[str, Any]:
        """The run as JSON has it."""
        return {
            "run_id": self.run_id,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "outcome": self.outcome,
            "seconds": round(sum(step.seconds for step in self.steps), 1),
            "steps": [step.to_json() for step in self.steps],
        }


def steps_of(settings: RunSettings, *, now: datetime) -> list[Step]:
    """The steps of a run, in order.

    Args:
        settings: What it does.
        now: The present, naive UTC.
    """
    limits = {kind: 60 * minutes for kind, minutes in settings.limits.items()}
    loads = [
        Step(f"load {one.feed}", "load", _load_arguments(one, now), limits["load"])
        for one in settings.loads
    ]
    rest = {
        "build": ("build", "--target", settings.target),
        "sync": ("sync", "run", "--target", settings.target),
        "report": ("report",),
        "alerts": ("alerts", "send"),
    }
    return loads + [
        Step(kind, kind, (*arguments, "--json"), limits[kind]) for kind, arguments in rest.items()
    ]


def _load_arguments(one: FeedLoad, now: datetime) -> tuple[str, ...]:
    found = ["load", one.feed]
    if one.table is not None:
        found += ["--table", one.table]
    for target, source in one.columns.items():
        found += ["--column", f"{target}={source}"]
    if one.complete_minutes_ago is not None:
        through = now - timedelta(minutes=one.complete_minutes_ago)
        found += ["--complete-through", through.isoformat(timespec="seconds")]
    return (*found, "--json", *(("--", *one.paths) if one.paths else ()))


def run_once(
    home: Home,
    settings: RunSettings,
    steps: list[Step],
    *,
    on_step: Callable[[str], None],
) -> Run | Busy:
    """Do every step once, unless another run is under way.

    A feed that cannot be loaded stops nothing: the rest is loaded, built and sent, and the guards
    of each sync decide whether it can do without. After a build that did not pass nothing is sent.

    Args:
        home: The home.
        settings: What a run does.
        steps: The steps, by `steps_of`.
        on_step: Told which step begins.

    Returns:
        What each step came to, or that another run is under way.

    Raises:
        RunOverdue: Another run is under way for longer than a run may take.
        Interrupted: This one was told to end.
    """
    with _alone(home, settings) as busy, _ending_well():
        if busy is not None:
            return busy
        log = RunLog.of(home)
        run = Run(uuid.uuid4().hex[:12], datetime.now(UTC).replace(tzinfo=None))
        for step in steps:
            on_step(step.name)
            result = _one(step, run.steps)
            run = Run(run.run_id, run.started_at, (*run.steps, result))
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            log.write({"at": at, "run_id": run.run_id, **result.to_json()})
            if step.kind != "alerts":
                # alerts are told of the steps before them, and of the run that was cut short
                log.write_last(run.to_json())
        log.write_last(run.to_json())
        return run


def _one(step: Step, before: tuple[StepResult, ...]) -> StepResult:
    built = [one for one in before if one.kind == "build"]
    if step.kind == "sync" and not all(one.is_ok for one in built):
        return skipped(step, "nothing is sent after a build that did not pass")
    return execute(step, READERS[step.kind])


def _read_load(said: Any) -> Words:  # noqa: ANN401 - JSON
    counts = {key: int(said[key]) for key in ("loaded", "quarantined")}
    lost = f", {counts['quarantined']:,} quarantined" if counts["quarantined"] else ""
    return f"{counts['loaded']:,} new{lost}", counts


def _read_build(said: Any) -> Words:  # noqa: ANN401 - JSON
    return ("published" if said["published"] else "nothing newer to publish"), {}


def _read_sync(said: Any) -> Words:  # noqa: ANN401 - JSON
    names = ("accepted", "rejected", "skipped", "unknown")
    counts = {name: sum(int(one[name]) for one in said["syncs"]) for name in names}
    words = [f"{counts[name]:,} {name}" for name in names if counts[name] or name == "accepted"]
    for state in ("held", "failed", "interrupted"):
        those = sorted(one["name"] for one in said["syncs"] if one["state"] == state)
        words += [f"{state}: {', '.join(those)}"] if those else []
    return ", ".join(words), counts


def _read_report(said: Any) -> Words:  # noqa: ANN401 - JSON
    return ("written" if said["report"] else ""), {}


def _read_alerts(said: Any) -> Words:  # noqa: ANN401 - JSON
    counts = {key: int(said[key]) for key in ("open", "raised", "resolved")}
    return f"{counts['open']} open", counts


READERS: dict[str, Callable[[Any], Words]] = {
    "load": _read_load,
    "build": _read_build,
    "sync": _read_sync,
    "report": _read_report,
    "alerts": _read_alerts,
}
"""What a step's command prints, in words and counts."""


@contextmanager
def _alone(home: Home, settings: RunSettings) -> Iterator[Busy | None]:
    """Hold the home's runs; a holder that dies, however, lets go."""
    lock = FileLock(home.locks / "run.lock", thread_local=False)
    note = home.locks / "run.json"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield _busy(note)
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    until = now + timedelta(minutes=settings.longest_minutes)
    try:
        note.write_bytes(orjson.dumps({"pid": os.getpid(), "started_at": now, "until": until}))
        yield None
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _busy(note: Path) -> Busy:
    try:
        holder = orjson.loads(note.read_bytes())
        pid, since = holder["pid"], holder["started_at"][:19]
        until = datetime.fromisoformat(holder["until"])
    except (OSError, ValueError, KeyError, TypeError):
        return Busy("another run has just begun; this one leaves the work to it")
    if datetime.now(UTC).replace(tzinfo=None) > until:
        message = (
            f"the run of PID {pid} is under way since {since} UTC, longer than its steps may take "
            f"together. See what it does; end it with `kill {pid}` if it hangs: the next run goes "
            "on where it was."
        )
        raise RunOverdue(message)
    return Busy(f"another run (PID {pid}) is under way since {since} UTC; it does the work")


@contextmanager
def _ending_well() -> Iterator[None]:
    """SIGTERM ends the step in hand as Ctrl-C does."""

    def stop(number: int, _frame: FrameType | None) -> None:
        message = f"the run was told to end ({signal.Signals(number).name}); the next one goes on"
        raise Interrupted(message)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
