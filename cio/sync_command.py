"""`cio sync`: what leaves the warehouse, planned like a diff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cio.dbt import Project
from cio.project import current_manifest
from cio.terminal import err, out, print_json, table
from reverse_etl.estimate import duration, notes
from reverse_etl.plan import Asked
from reverse_etl.readback import keep_read_back, note_read_back
from reverse_etl.run import Room, plan_syncs, run_syncs
from reverse_etl.status import check_syncs
from reverse_etl.status import status as sync_status
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.plan import SyncPlan
    from reverse_etl.sync_run import SyncRun

app = typer.Typer(help="Plan, run and watch syncs to destinations.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Option(help="A sync by name; may be repeated.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TargetName = Annotated[
    str | None, typer.Option(envvar="DBT_TARGET", help="The dbt target whose build is expected.")
]
Force = Annotated[list[str] | None, typer.Option(help="A guard by name; may be repeated.")]
SOMETHING_TO_DO = 3


def room(select: Sequence[str] | None) -> Room:
    """Where syncs run, with a manifest that is current."""
    home = Home.resolve()
    manifest = current_manifest(Project(home=home))
    return Room(
        home=home,
        manifest=manifest,
        select=select or (),
        on_event=lambda text: err.print(text, style="dim"),
    )


@app.command(epilog="Example: cio sync plan --select mixpanel_audience_members")
def plan(*, select: Names = None, target: TargetName = None, as_json: Json = False) -> None:
    """Show what would be sent, and who is left out and why. Exit code 3: something to do."""
    plans = plan_syncs(room(select), Asked(target=target))
    if as_json:
        print_json({"syncs": [one.to_json() for one in plans]})
    else:
        show_plans(plans)
    if any(one.changes and one.inactive is None for one in plans):
        raise typer.Exit(SOMETHING_TO_DO)


@app.command(epilog="Example: cio sync run --force size")
def run(
    *,
    select: Names = None,
    target: TargetName = None,
    force: Force = None,
    as_json: Json = False,
) -> None:
    """Deliver what changed since last time."""
    _deliver(select, Asked(target=target, force=tuple(force or ())), as_json=as_json)


@app.command(epilog="Example: cio sync retry --select mixpanel_message_events")
def retry(
    *,
    select: Names = None,
    target: TargetName = None,
    force: Force = None,
    as_json: Json = False,
) -> None:
    """Deliver what changed, and once more what a destination refused before."""
    asked = Asked(is_retry=True, target=target, force=tuple(force or ()))
    _deliver(select, asked, as_json=as_json)


@app.command(epilog="Example: cio sync status")
def status(*, select: Names = None, as_json: Json = False) -> None:
    """Show how each sync stands, from its journals."""
    found = sync_status(room(select))
    if as_json:
        print_json({"syncs": [one.to_json() for one in found]})
        return
    rows = []
    for one in found:
        last = one.last_run
        state = "inactive" if one.inactive else "running" if one.is_running else "idle"
        counts = (
            ("never", "", "", "", "")
            if last is None
            else (
                f"{last.started_at:%Y-%m-%d %H:%M} UTC",
                *(last.accepted, last.rejected, last.skipped, last.unknown),
            )
        )
        rows.append((one.name, one.destination, state, *counts))
    columns = ("sync", "destination", "state", "last run")
    out.print(table("Syncs", (*columns, "accepted", "rejected", "skipped", "unknown"), rows))
    for one in found:
        if one.inactive:
            out.print(f"{one.name} is inactive: {one.inactive}", style="dim")
        for reason, count in one.reasons.items():
            out.print(f"{one.name}: {count:,} {reason}", style="dim")


@app.command(epilog="Example: cio sync check")
def check(*, select: Names = None, as_json: Json = False) -> None:
    """Ask each destination whether it takes the credentials, and how large its audiences are."""
    where = room(select)
    found = check_syncs(where)
    sizes = keep_read_back(where)
    if as_json:
        answers = [
            {"name": name, "is_ok": answer and answer.is_ok, "message": answer and answer.message}
            for name, answer in found
        ]
        told = [size.to_json() for one in sizes for size in one.sizes]
        print_json({"syncs": answers, "sizes": told})
    else:
        for name, answer in found:
            out.print(f"{name}: {'inactive' if answer is None else answer.message}")
        for one in sizes:
            for text in one.lines():
                out.print(text, markup=False)
    if any(answer is not None and not answer.is_ok for _, answer in found):
        raise typer.Exit(1)


def show_plans(plans: Sequence[SyncPlan]) -> None:
    """Print plans as a table, and who is left out and why below it."""
    rows = [
        (
            *(one.name, one.destination, one.use, one.adds, one.updates, one.removes),
            *("" if one.calls is None else one.calls, duration(one.seconds)),
        )
        for one in plans
    ]
    columns = ("sync", "destination", "use", "add", "update", "remove", "calls", "time")
    out.print(table("To be sent", columns, rows))
    for one in plans:
        for reason, count in one.left_out.items():
            out.print(f"{one.name} leaves out {count:,}: {reason}", style="dim")
        for text in notes(one):
            out.print(f"{one.name}: {text}", style="dim", markup=False)


def show_runs(runs: Sequence[SyncRun]) -> None:
    """Print what runs came to, and what held them up."""
    rows = [
        (one.name, one.state, one.accepted, one.rejected, one.skipped, one.unknown) for one in runs
    ]
    columns = ("sync", "state", "accepted", "rejected", "skipped", "unknown")
    out.print(table("Sent", columns, rows))
    for one in runs:
        for finding in one.findings:
            word = "forced past" if finding.is_forced else "held back by"
            out.print(f"{one.name} {word} guard {finding.guard}: {finding.message}")
        if one.error is not None:
            err.print(f"{one.name}: {one.error}")


def _deliver(select: Sequence[str] | None, asked: Asked, *, as_json: bool) -> None:
    where = room(select)
    note_read_back(where)  # before anything changes there: what the run before left
    runs = run_syncs(where, asked)
    if as_json:
        print_json({"syncs": [one.to_json() for one in runs]})
    else:
        show_runs(runs)
    if not all(one.is_ok for one in runs):
        raise typer.Exit(1)
