"""`cio run`: everything that is to happen every hour, for cron."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cio.heartbeat import beat
from cio.run import Busy, run_once, steps_of
from cio.run_settings import STEPS, read_run_settings
from cio.terminal import err, out, print_json, waiting
from loaders.registry import FEEDS
from warehouse.errors import CioError, UsageError
from warehouse.home import Home

if TYPE_CHECKING:
    from cio.run import Run


def run(
    *,
    skip: Annotated[
        list[str] | None, typer.Option(help=f"A step to leave out: {', '.join(STEPS)}; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Load, build, sync, report and send alerts, in order: one run for cron.

    What is loaded, and how long each step may take, is said by [run] of .dlt/config.toml. A feed
    that fails stops no other. Exit code 1: a step failed, or a guard held a sync back. A run that
    finds another under way leaves the work to it, and says so.
    """
    settings = read_run_settings(FEEDS)
    left = set(skip or ())
    if unknown := sorted(left - set(STEPS)):
        message = f"there is no step {', '.join(unknown)}; there are {', '.join(STEPS)}"
        raise UsageError(message)
    steps = [
        step
        for step in steps_of(settings, now=datetime.now(UTC).replace(tzinfo=None))
        if step.kind not in left
    ]
    try:
        with waiting("running", is_quiet=as_json) as tell:
            result = run_once(Home.resolve(), settings, steps, on_step=tell)
    except CioError as error:
        beat(settings.heartbeat, is_ok=False, line=str(error))
        raise
    if isinstance(result, Busy):
        if as_json:
            print_json({"outcome": "busy", "message": result.message})
        else:
            out.print(f"cio run: {result.message}", soft_wrap=True)
        return
    trouble = beat(settings.heartbeat, is_ok=result.outcome == "done", line=result.line)
    if trouble is not None:
        err.print(f"cio run: {trouble}", soft_wrap=True)
    _tell(result, as_json=as_json)
    if result.outcome != "done":
        raise typer.Exit(1)


def _tell(result: Run, *, as_json: bool) -> None:
    if as_json:
        print_json(result.to_json())
        return
    out.print(f"cio run: {result.line}", soft_wrap=True, markup=False)
    for step in result.steps:
        if not step.is_ok:
            err.print(f"{step.name}: {step.said}", soft_wrap=True, markup=False)
