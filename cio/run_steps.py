"""One step of a run: a command of its own process, ended when its time is up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cio.run_log import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GRACE_SECONDS = 60.0
"""How long a step has to end by itself: a sync records what its last requests came to."""

State: TypeAlias = Literal["done", "failed", "timed_out", "skipped"]


@dataclass(frozen=True)
class Step:
    """A command of `cio`.

    Attributes:
        name: What it is called in summaries: `load orders`.
        kind: One of `cio.run_settings.STEPS`.
        arguments: Its arguments, `--json` among them.
        limit_seconds: How long it may take.
        program: What runs it.
    """

    name: str
    kind: str
    arguments: tuple[str, ...]
    limit_seconds: float
    program: tuple[str, ...] = (sys.executable, "-m", "cio.main")


@dataclass(frozen=True)
class StepResult:
    """What a step came to.

    Attributes:
        name: The step.
        kind: Its kind.
        state: How it ended; `skipped` if it was not begun.
        seconds: How long it took.
        said: In a few words, without values.
        counts: Numbers that the command printed.
    """

    name: str
    kind: str
    state: State
    seconds: float
    said: str
    counts: Mapping[str, int]

    @property
    def is_ok(self) -> bool:
        """Whether there is nothing to do about it."""
        return self.state == "done"

    def to_json(self) -> dict[str, Any]:
        """The result as JSON has it."""
        return asdict(self) | {"seconds": round(self.seconds, 1), "counts": dict(self.counts)}


def execute(
    step: Step,
    read: Callable[[Any], tuple[str, Mapping[str, int]]],
    *,
    grace_seconds: float = GRACE_SECONDS,
) -> StepResult:
    """Run a step to its end, or until its time is up.

    The step and whatever it started are told to end (SIGTERM), and are ended when they do not. So
    they are if this process is interrupted.

    Args:
        step: The step.
        read: Makes words and counts of the JSON it printed.
        grace_seconds: How long it has once it was told to end.

    Returns:
        What it came to.
    """
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - our own command, arguments not from a shell
        [*step.program, *step.arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, error = process.communicate(timeout=step.limit_seconds)
        is_late = False
    except subprocess.TimeoutExpired:
        out, error = _end(process, grace_seconds)
        is_late = True
    except BaseException:
        _end(process, grace_seconds)
        raise
    seconds = time.monotonic() - started
    said, counts = _read(out, read)
    if is_late:
        said = f"ended after its {step.limit_seconds / 60:g} minutes"
        return StepResult(step.name, step.kind, "timed_out", seconds, said, counts)
    if process.returncode:
        said = "; ".join(filter(None, [said, _last_words(error)])) or (
            f"exit code {process.returncode}"
        )
        return StepResult(step.name, step.kind, "failed", seconds, said, counts)
    return StepResult(step.name, step.kind, "done", seconds, said, counts)


def skipped(step: Step, why: str) -> StepResult:
    """A step that was not begun."""
    return StepResult(step.name, step.kind, "skipped", 0.0, why, {})


def _end(process: subprocess.Popen[str], grace_seconds: float) -> tuple[str, str]:
    _signal(process, signal.SIGTERM)
    try:
        found = process.communicate(timeout=grace_seconds)
    except subprocess.TimeoutExpired:
        found = None
    # what the step itself started may have outlived it
    _signal(process, signal.SIGKILL)
    return found or process.communicate()


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _read(
    out: str, read: Callable[[Any], tuple[str, Mapping[str, int]]]
) -> tuple[str, Mapping[str, int]]:
    try:
        said, counts = read(json.loads(out))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", {}
    return scrub(said), counts


def _last_words(error: str) -> str:
    """What the command said last, without values and not at length."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    start = next((i for i, line in enumerate(lines) if line.startswith("cio: ")), len(lines) - 1)
    words = " ".join(line.removeprefix("cio: ") for line in lines[max(start, 0) :][:6])
    return scrub(words)[:600]
