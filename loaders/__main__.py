"""`python -m loaders FEED PATH…`: load files into the warehouse."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from loaders.mapping import parse_options
from loaders.registry import FEEDS
from loaders.run import LoadReport, load
from warehouse.errors import CioError, UsageError
from warehouse.home import Home

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_EPILOG = "Example: python -m loaders orders exports/orders.csv --column order_id=id"


@app.command(epilog=_EPILOG)
def main(
    feed: Annotated[str, typer.Argument(help=f"What to load: {', '.join(FEEDS)}.")],
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, patterns or URLs.")
    ] = None,
    *,
    complete_through: Annotated[
        str, typer.Option(help="Until when the feed is now whole, in ISO 8601 (UTC).")
    ] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="target=source, for CSV feeds; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Load files that are not loaded yet, or changed since, into the warehouse."""
    try:
        report = load(
            Home.resolve(),
            feed,
            paths or [],
            columns=parse_options(column or []),
            complete_through=_instant(complete_through),
            on_progress=_say if sys.stderr.isatty() else None,
        )
    except CioError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    typer.echo(json.dumps(asdict(report) | {"loaded": report.loaded}) if as_json else tell(report))


def tell(report: LoadReport) -> str:
    """The report in words, a line for the counts and one for each reason of quarantine."""
    lines = [
        (
            f"{report.feed}: {report.loaded:,} loaded, {report.duplicates:,} duplicate, "
            f"{report.quarantined:,} quarantined, from {report.files:,} files "
            f"({report.files_skipped:,} loaded before)"
        )
    ]
    lines += [f"  quarantined {count:,}: {reason}" for reason, count in report.reasons.items()]
    return "\n".join(lines)


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        message = f"--complete-through {text}: write it in ISO 8601, such as 2026-01-31T00:00:00Z"
        raise UsageError(message) from error


def _say(message: str) -> None:
    typer.echo(message, err=True)


if __name__ == "__main__":
    app()
