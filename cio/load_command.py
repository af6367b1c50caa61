"""`cio load`: files, and Customer.io's App API, into raw tables."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from cio.terminal import out, print_json, waiting
from loaders.__main__ import api_json, tell, tell_api
from loaders.customerio import api
from loaders.mapping import parse_options
from loaders.receiver.loading import load_feed
from loaders.registry import FEEDS
from warehouse.errors import UsageError
from warehouse.home import Home


def load(  # noqa: PLR0913 - the options of the command
    feed: Annotated[str, typer.Argument(help=f"What to load: {', '.join([*FEEDS, api.FEED])}.")],
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders, patterns or URLs; for api, resources. Webhooks: what came in."
        ),
    ] = None,
    *,
    complete_through: Annotated[
        str | None, typer.Option(help="Until when the feed is now whole, in ISO 8601 (UTC).")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="target=source, a column or customer.email; may be repeated."),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="A table of the warehouse to load: schema.table.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="api: read messages from here at the latest, in ISO 8601.")
    ] = None,
    lookback_days: Annotated[
        int, typer.Option(help="api: how many days of messages to read again.")
    ] = api.LOOKBACK_DAYS,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Load what is not loaded yet, or changed since, into the warehouse."""
    if feed == api.FEED:
        with waiting(f"loading {feed}", is_quiet=as_json) as tell_progress:
            api_report = api.load_api(
                Home.resolve(),
                resources=paths,
                since=instant(since),
                lookback_days=lookback_days,
                on_progress=tell_progress,
            )
        if as_json:
            print_json(api_json(api_report))
        else:
            out.print(tell_api(api_report))
        return
    with waiting(f"loading {feed}", is_quiet=as_json) as tell_progress:
        report = load_feed(
            Home.resolve(),
            feed,
            paths or [],
            table=table,
            columns=parse_options(column or []),
            complete_through=instant(complete_through),
            on_progress=tell_progress,
        )
    if as_json:
        print_json(asdict(report) | {"loaded": report.loaded})
    else:
        out.print(tell(report))


def instant(text: str | None) -> datetime | None:
    """An instant from an option, ISO 8601.

    Raises:
        UsageError: It is not one.
    """
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text} is no instant: write it in ISO 8601, such as 2026-01-31T00:00:00Z"
        raise UsageError(message) from error
