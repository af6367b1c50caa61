"""`cio load`: files into raw tables."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from cio.terminal import out, print_json, waiting
from loaders.__main__ import tell
from loaders.mapping import parse_options
from loaders.registry import FEEDS
from loaders.run import load as load_feed
from warehouse.errors import UsageError
from warehouse.home import Home


def load(
    feed: Annotated[str, typer.Argument(help=f"What to load: {', '.join(FEEDS)}.")],
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, patterns or URLs.")
    ] = None,
    *,
    complete_through: Annotated[
        str | None, typer.Option(help="Until when the feed is now whole, in ISO 8601 (UTC).")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="target=source, for CSV feeds; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Load files that are not loaded yet, or changed since, into the warehouse."""
    with waiting(f"loading {feed}", is_quiet=as_json) as tell_progress:
        report = load_feed(
            Home.resolve(),
            feed,
            paths or [],
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
