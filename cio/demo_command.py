"""`cio demo` and `cio fakes`: everything without an account and without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.panel import Panel

from cio.demo import Demo, DemoSettings, run_demo
from cio.report.wording import effect_words
from cio.terminal import counting, err, out, print_json, table
from fakes.__main__ import APPS
from fakes.server import serve
from warehouse.errors import UsageError
from warehouse.home import project_root

_DEFAULT_HOME = Path("data") / "demo"


def demo(
    *,
    people: Annotated[int, typer.Option(min=100, help="How many people the world has.")] = 12_000,
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 20_260_901,
    folder: Annotated[
        Path, typer.Option(help="The demo's own room; a warehouse of yours is never touched.")
    ] = _DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run the whole loop on a seeded world against stand-ins on loopback."""
    settings = DemoSettings(folder=project_root() / folder, people=people, seed=seed)
    with counting("demo", is_quiet=as_json) as progress:
        result = run_demo(
            settings,
            on_step=lambda text: None if as_json else err.print(f"· {text}"),
            on_progress=progress,
        )
    if as_json:
        print_json(result.to_json())
    else:
        _tell(result)
    if not result.is_ok:
        raise typer.Exit(1)


def fakes(
    vendor: Annotated[str, typer.Argument(help=f"Whose: {', '.join(sorted(APPS))}.")],
    *,
    port: Annotated[int, typer.Option(help="Loopback port to listen on.")] = 8801,
    store: Annotated[
        Path | None, typer.Option(help="File that keeps what was accepted over a restart.")
    ] = None,
) -> None:
    """Serve a strict stand-in of a vendor's API on a loopback port, until Ctrl-C."""
    if vendor not in APPS:
        message = f"there is no stand-in of {vendor!r}; there are {', '.join(sorted(APPS))}"
        raise UsageError(message)
    out.print(f"{vendor} answers at http://127.0.0.1:{port}; Ctrl-C ends it")
    serve(APPS[vendor](store=store), port=port)


def _tell(result: Demo) -> None:
    out.print()
    rows = [
        (
            lift.label,
            lift.arm,
            effect_words(lift),
            "—" if lift.truth is None else f"{100 * lift.truth:+.2f}",
            lift.verdict if lift.effect is not None else lift.reason,
        )
        for lift in result.lifts
        if lift.metric == "conversion_rate"
    ]
    columns = ("experiment", "arm", "effect on ordering [95 %]", "planted", "verdict")
    out.print(table("What messages caused, beside what was planted", columns, rows))
    out.print()
    sizes = [(audience.label, audience.people) for audience in result.audiences]
    out.print(table("Audiences", ("audience", "people"), sizes))
    out.print()
    syncs = [
        (run.name, 0 if run.plan is None else run.plan.changes, run.accepted, run.rejected)
        for run in result.runs
    ]
    out.print(table("Sent to stand-ins", ("sync", "planned", "accepted", "refused"), syncs))
    for run in result.too_small:
        reasons = " ".join(found.message for found in run.findings)
        out.print(
            f"{run.name} was held by its guard, as a company's would be: {reasons} "
            "A larger world fills it: `--people 6000`.",
            soft_wrap=True,
        )
    out.print(
        Panel.fit(
            f"{result.events:,} message events of {result.people:,} people became tables, "
            f"audiences, a measured lift and {result.accepted:,} deliveries.\n"
            + (
                "Nothing had changed since last time, so nothing was sent.\n"
                if result.accepted == 0
                else "Run it again: nothing has changed, so nothing will be sent.\n"
            )
            + "Open the report in a browser.",
            title="Done",
            title_align="left",
        )
    )
    out.print(f"report: {result.report}", soft_wrap=True)
