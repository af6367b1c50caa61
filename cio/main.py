"""The `cio` command."""

from __future__ import annotations

import sys

import typer

from cio import (
    audiences_command,
    demo_command,
    explain_command,
    load_command,
    receive_command,
    report_command,
    sync_command,
    warehouse_command,
)
from warehouse.errors import CioError

app = typer.Typer(
    name="cio",
    help="Customer.io in a warehouse you own: load, build, measure, deliver.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo", epilog="Example: cio demo --people 5000")(demo_command.demo)
app.command("load", epilog="Example: cio load webhooks 's3://bucket/cio/*.jsonl.gz'")(
    load_command.load
)
app.command("receive", epilog="Example: cio receive --port 8080 --workers 2")(
    receive_command.receive_webhooks
)
app.command("build", epilog="Example: cio build --target prod")(warehouse_command.build)
app.command("report", epilog="Example: cio report --output report.html")(report_command.report)
app.command("fakes", epilog="Example: cio fakes mixpanel --port 8801")(demo_command.fakes)
app.command("explain", epilog="Example: cio explain ann@example.com")(explain_command.explain)
app.add_typer(audiences_command.app, name="audiences")
app.add_typer(sync_command.app, name="sync")


def main() -> None:
    """Run the command; what a user can mend ends in one message, never in a traceback."""
    try:
        app()
    except CioError as error:
        typer.echo(f"cio: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
