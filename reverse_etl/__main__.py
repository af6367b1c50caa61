"""Syncs from the command line: `python -m reverse_etl plan|run|retry|status|check`.

Exit codes: 0 done; 1 failed, or held back by a guard; 2 bad usage; 3 `plan`: something to do.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import orjson

from reverse_etl.estimate import notes
from reverse_etl.guards import FORCEABLE
from reverse_etl.plan import Asked
from reverse_etl.readback import keep_read_back, note_read_back
from reverse_etl.run import Room, plan_syncs, run_syncs
from reverse_etl.status import check_syncs, status
from warehouse.errors import CioError
from warehouse.home import Home, project_root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.plan import SyncPlan
    from reverse_etl.sync_run import SyncRun

SOMETHING_TO_DO = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    commands: dict[str, Callable[[Room, argparse.Namespace], int]] = {
        "plan": _plan,
        "run": _run,
        "retry": _run,
        "status": _status,
        "check": _check,
    }
    try:
        room = Room(
            home=Home.resolve(),
            manifest=options.manifest or project_root() / "target" / "manifest.json",
            select=options.select,
            on_event=lambda text: _say(text, sys.stderr),
        )
        return commands[options.command](room, options)
    except CioError as error:
        _say(f"error: {error}", sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reverse_etl", description=__doc__)
    parser.add_argument("command", choices=["plan", "run", "retry", "status", "check"])
    parser.add_argument("--select", nargs="+", default=[], metavar="NAME", help="syncs to take")
    parser.add_argument("--target", help="the dbt target whose build is expected")
    parser.add_argument("--force", action="append", default=[], choices=FORCEABLE)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--manifest", type=Path, help="dbt's manifest.json")
    return parser


def _asked(options: argparse.Namespace) -> Asked:
    return Asked(
        is_retry=options.command == "retry", target=options.target, force=tuple(options.force)
    )


def _plan(room: Room, options: argparse.Namespace) -> int:
    plans = plan_syncs(room, _asked(options))
    if options.json:
        _print_json({"syncs": [plan.to_json() for plan in plans]})
    else:
        for plan in plans:
            _say(_plan_line(plan))
    is_something = any(plan.changes and plan.inactive is None for plan in plans)
    return SOMETHING_TO_DO if is_something else 0


def _plan_line(plan: SyncPlan) -> str:
    changes = f"{plan.adds} to add, {plan.updates} to update, {plan.removes} to remove"
    left = ", ".join(f"{count} {reason}" for reason, count in plan.left_out.items())
    lines = [f"{plan.name} -> {plan.destination} ({plan.use}): {changes}"]
    lines += [f"  left out: {left}"] if left else []
    lines += [f"  {text}" for text in notes(plan)]
    return "\n".join(lines)


def _run(room: Room, options: argparse.Namespace) -> int:
    note_read_back(room)  # before anything changes there: what the run before left
    runs = run_syncs(room, _asked(options))
    if options.json:
        _print_json({"syncs": [run.to_json() for run in runs]})
    else:
        for run in runs:
            _say(_run_line(run))
    return 0 if all(run.is_ok for run in runs) else 1


def _run_line(run: SyncRun) -> str:
    counts = (
        f"{run.accepted} accepted, {run.rejected} rejected, {run.skipped} skipped, "
        f"{run.unknown} unknown"
    )
    lines = [f"{run.name}: {run.state}; {counts}"]
    for finding in run.findings:
        word = "forced" if finding.is_forced else "held back"
        lines.append(f"  {word} by guard {finding.guard}: {finding.message}")
    if run.error is not None:
        lines.append(f"  {run.error}")
    return "\n".join(lines)


def _status(room: Room, options: argparse.Namespace) -> int:
    found = status(room)
    if options.json:
        _print_json({"syncs": [one.to_json() for one in found]})
        return 0
    for one in found:
        run = one.last_run
        word = "inactive" if one.inactive else "running" if one.is_running else "idle"
        last = "never ran" if run is None else f"last run {run.started_at:%Y-%m-%d %H:%M} UTC"
        _say(f"{one.name} -> {one.destination} ({one.use}): {word}, {last}")
        if run is not None:
            _say(
                f"  {run.accepted} accepted, {run.rejected} rejected, {run.skipped} skipped, "
                f"{run.unknown} unknown of {run.planned}"
            )
        for reason, count in one.reasons.items():
            _say(f"  {count} {reason}")
    return 0


def _check(room: Room, options: argparse.Namespace) -> int:
    found = check_syncs(room)
    sizes = keep_read_back(room)
    if options.json:
        _print_json(
            {
                "syncs": [
                    {"name": name, "is_ok": answer and answer.is_ok}
                    | ({} if answer is None else {"message": answer.message})
                    for name, answer in found
                ],
                "sizes": [size.to_json() for one in sizes for size in one.sizes],
            }
        )
    else:
        for name, answer in found:
            _say(f"{name}: {'inactive' if answer is None else answer.message}")
        for one in sizes:
            for text in one.lines():
                _say(text)
    return 0 if all(answer is None or answer.is_ok for _, answer in found) else 1


def _say(text: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")


def _print_json(body: object) -> None:
    _say(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())


if __name__ == "__main__":
    sys.exit(main())
