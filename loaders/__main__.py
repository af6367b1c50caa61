"""`python -m loaders FEED PATH…`: load files, or Customer.io's App API, into the warehouse."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from loaders.bookkeeping import QUARANTINE
from loaders.customerio import api
from loaders.mapping import parse_options
from loaders.receiver.loading import load_feed
from loaders.registry import FEEDS, find_feed
from warehouse.errors import CioError, UsageError
from warehouse.home import Home

if TYPE_CHECKING:
    from loaders.run import LoadReport

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_EPILOG = "Example: python -m loaders orders exports/orders.csv --column order_id=id"


@app.command(epilog=_EPILOG)
def main(  # noqa: PLR0913 - the options of the command
    feed: Annotated[str, typer.Argument(help=f"What to load: {', '.join([*FEEDS, api.FEED])}.")],
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders, patterns or URLs; for api, resources. Webhooks: what came in."
        ),
    ] = None,
    *,
    complete_through: Annotated[
        str, typer.Option(help="Until when the feed is now whole, in ISO 8601 (UTC).")
    ] = "",
    column: Annotated[
        list[str] | None,
        typer.Option(help="target=source, a column or customer.email; may be repeated."),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="A table of the warehouse to load: schema.table.")
    ] = None,
    since: Annotated[
        str, typer.Option(help="api: read messages from here at the latest, in ISO 8601.")
    ] = "",
    lookback_days: Annotated[
        int, typer.Option(help="api: how many days of messages to read again.")
    ] = api.LOOKBACK_DAYS,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Load what is not loaded yet, or changed since, into the warehouse."""
    try:
        if feed == api.FEED:
            api_report = api.load_api(
                Home.resolve(),
                resources=paths,
                since=_instant("--since", since),
                lookback_days=lookback_days,
                on_progress=_say if sys.stderr.isatty() else None,
            )
            typer.echo(json.dumps(api_json(api_report)) if as_json else tell_api(api_report))
            return
        report = load_feed(
            Home.resolve(),
            feed,
            paths or [],
            table=table,
            columns=parse_options(column or []),
            complete_through=_instant("--complete-through", complete_through),
            on_progress=_say if sys.stderr.isatty() else None,
        )
    except CioError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    typer.echo(json.dumps(asdict(report) | {"loaded": report.loaded}) if as_json else tell(report))


def tell(report: LoadReport) -> str:
    """The report in words, a line for the counts and one for each reason."""
    lines = [
        (
            f"{report.feed}: {report.loaded:,} loaded, {report.duplicates:,} duplicate, "
            f"{report.quarantined:,} quarantined, from {report.files:,} files "
            f"({report.files_skipped:,} loaded before)"
        )
    ]
    lines += [f"  quarantined {count:,}: {reason}" for reason, count in report.reasons.items()]
    if report.reasons:
        place = f"{find_feed(report.feed).dataset}.{QUARANTINE}"
        lines.append(f"  they are in {place}, with source_file, source_line and original_bytes")
    lines += [f"  left out {count:,} files: {reason}" for reason, count in report.left_out.items()]
    if report.erased:
        lines.append(f"  left out {report.erased:,} rows of people who were erased")
    return "\n".join(lines)


def tell_api(report: api.ApiReport) -> str:
    """The report of a load of the App API in words, a line for the load and one for each table."""
    lines = [
        (
            f"{report.feed}: {report.loaded:,} loaded, {report.duplicates:,} unchanged, "
            f"{report.quarantined:,} quarantined, by {report.requests:,} requests"
        )
    ]
    lines += [
        f"  {name}: {count.landed:,} of {count.read:,}"
        + (f", {count.erased:,} of people who were erased" if count.erased else "")
        for name, count in report.tables.items()
    ]
    return "\n".join(lines)


def api_json(report: api.ApiReport) -> dict[str, object]:
    """The report of a load of the App API for a script."""
    return asdict(report) | {"loaded": report.loaded}


def _instant(option: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{option} {text}: write it in ISO 8601, such as 2026-01-31T00:00:00Z"
        raise UsageError(message) from error


def _say(message: str) -> None:
    typer.echo(message, err=True)


if __name__ == "__main__":
    app()
