"""The `cio` command."""

from __future__ import annotations

import sys

import typer

from cio.lazy import Command, lazy_group
from warehouse.errors import CioError

# In the order of the help; what is said of each is the first paragraph of its own help.
COMMANDS = {
    "demo": Command(
        "cio.demo_command:demo",
        "Run the whole loop on a seeded world against stand-ins on loopback.",
        "cio demo --people 5000",
    ),
    "init": Command(
        "cio.init_command:init",
        "Set up: write the settings files, and try each credential that is filled in.",
        "cio init --region eu --feed webhooks --feed api --destination mixpanel",
    ),
    "load": Command(
        "cio.load_command:load",
        "Load what is not loaded yet, or changed since, into the warehouse.",
        "cio load webhooks 's3://bucket/cio/*.jsonl.gz'",
    ),
    "receive": Command(
        "cio.receive_command:receive_webhooks",
        "Receive reporting webhooks: on disk first, then acknowledged. `cio load webhooks` loads.",
        "cio receive --port 8080 --workers 2",
    ),
    "build": Command(
        "cio.warehouse_command:build",
        "Build and test the models, and publish the build if everything passed.",
        "cio build --target prod",
    ),
    "run": Command(
        "cio.run_command:run",
        "Load, build, sync, report and send alerts, in order: one run for cron.",
        "cio run --skip report",
    ),
    "report": Command(
        "cio.report_command:report",
        "Write the report from what was last published.",
        "cio report --output report.html",
    ),
    "notebook": Command(
        "cio.notebook_command:notebook",
        "Open a notebook on what was last published, or write it as a file.",
        "cio notebook holdout_readout --html readout.html",
    ),
    "fakes": Command(
        "cio.demo_command:fakes",
        "Serve a strict stand-in of a vendor's API on a loopback port, until Ctrl-C.",
        "cio fakes mixpanel --port 8801",
    ),
    "explain": Command(
        "cio.explain_command:explain",
        "Explain one person: ids, exposures, audiences with their reason, every sync and receipt.",
        "cio explain ann@example.com",
    ),
    "diff": Command(
        "cio.diff_command:diff",
        "Show whom a changed definition lets in and out, beside what is published.",
        "cio diff clicked_cart_12h",
    ),
    "backtest": Command(
        "cio.backtest_command:backtest",
        "Build audiences as of past days: size, churn, overlaps, and who bought anyway.",
        "cio backtest clicked_cart_12h --from 2026-07-01 --to 2026-08-26",
    ),
    "doctor": Command(
        "cio.doctor_command:doctor",
        "Find what is most likely set up wrong, with numbers, and how to mend it.",
        "cio doctor",
    ),
    "verify": Command(
        "cio.verify_command:verify",
        "Follow one event hop by hop: emitted, received, modelled, delivered, in audiences, "
        "measured.",
        "cio verify me@example.com",
    ),
    "erase": Command(
        "cio.erase_command:erase",
        "Erase one person everywhere, and from every destination they were sent to, with proof.",
        "cio erase ann@example.com",
    ),
    "readmit": Command(
        "cio.erase_command:readmit",
        "Let somebody in again who was erased and has come back, of their own will.",
        "cio readmit ann@example.com",
    ),
    "alerts": Command("cio.alerts_command:app", "Show what needs somebody, and tell them."),
    "audiences": Command("cio.audiences_command:app", "Check, list and version the audiences."),
    "sync": Command("cio.sync_command:app", "Plan, run and watch syncs to destinations."),
}

app = typer.Typer(
    name="cio",
    help="Customer.io in a warehouse you own: load, build, measure, deliver.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    cls=lazy_group(COMMANDS),
)


@app.callback()
def commands() -> None:
    """Customer.io in a warehouse you own: load, build, measure, deliver."""


def main() -> None:
    """Run the command; what a user can mend ends in one message, never in a traceback."""
    try:
        app()
    except CioError as error:
        typer.echo(f"cio: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
