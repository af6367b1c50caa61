"""`cio alerts`: what is open, and telling whom it concerns."""

from __future__ import annotations

from typing import Annotated

import typer

from cio.alert_channels import configured_channels
from cio.alert_notices import notify, read_quiet
from cio.alerts import Alert, open_alerts, present
from cio.terminal import err, out, print_json, table
from warehouse.home import Home

app = typer.Typer(help="Show what needs somebody, and tell them.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog="Example: cio alerts list")
def list_alerts(*, as_json: Json = False) -> None:
    """Show what is open now: since when, who looks at it, and what to do."""
    found = open_alerts(Home.resolve(), now=present())
    if as_json:
        print_json({"alerts": [one.to_json() for one in found]})
        return
    show(found)


@app.command("send", epilog="Example: cio alerts send")
def send(*, as_json: Json = False) -> None:
    """Tell Slack and the webhook what is new, once each, and what is over.

    Addresses are `url` of [alerts.slack] and [alerts.webhook] of .dlt/secrets.toml; quiet hours
    are `hours` of [alerts.quiet] of .dlt/config.toml. Exit code 1: a channel did not take it.
    """
    channels, quiet = configured_channels(), read_quiet()
    home, now = Home.resolve(), present()
    found = open_alerts(home, now=now)
    told = notify(home, found, channels, quiet, now=now)
    if as_json:
        print_json(
            {
                "open": len(found),
                "raised": told.raised,
                "resolved": told.resolved,
                "waiting": told.waiting,
                "troubles": list(told.troubles),
            }
        )
    else:
        names = ", ".join(channel.name for channel in channels) or "nobody, for none is configured"
        out.print(
            f"{len(found):,} open; told {names}: {told.raised:,} new, {told.resolved:,} resolved"
            + (f"; {told.waiting:,} wait until quiet hours end" if told.waiting else "")
        )
    for trouble in told.troubles:
        err.print(f"cio: {trouble}", soft_wrap=True)
    if told.troubles:
        raise typer.Exit(1)


def show(found: list[Alert]) -> None:
    """Print alerts as a table, what to do about each below it."""
    if not found:
        out.print("nothing is open")
        return
    rows = [
        (
            one.severity,
            one.name.replace("_", " "),
            one.subject,
            one.owner,
            "" if one.since is None else f"{one.since:%Y-%m-%d %H:%M}",
        )
        for one in found
    ]
    out.print(table("Open alerts", ("severity", "alert", "about", "owner", "since (UTC)"), rows))
    for one in found:
        out.print(f"{one.subject}: {one.detail}. {one.what_to_do}", soft_wrap=True, markup=False)
