"""`cio report`: one static page for the retention lead."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - Typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cio.report.facts import read_facts
from cio.report.page import write_page
from cio.sync_command import room
from cio.terminal import out, print_json
from reverse_etl.status import status
from warehouse.connection import read_published

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.run import Room


def report(
    *,
    output: Annotated[
        Path | None, typer.Option(help="Where to write it; report.html in CIO_HOME by default.")
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=366, help="What changed in so many days is told first.")
    ] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print the path as JSON.")] = False,
) -> None:
    """Write the report from what was last published."""
    place = room(None)
    path = write_report(place, output or place.home.root / "report.html", days=days)
    if as_json:
        print_json({"report": str(path)})
    else:
        out.print(f"report: {path}", soft_wrap=True)


def write_report(
    place: Room, output: Path, *, days: int = 7, truth: Mapping[str, Any] | None = None
) -> Path:
    """Write the report of a home.

    Args:
        place: The home and its manifest.
        output: Where to write it.
        days: How many days count as lately.
        truth: The planted effects of a seeded world.

    Returns:
        The absolute path.

    Raises:
        CioError: Nothing is published.
    """
    manifest = json.loads(place.manifest.read_text(encoding="utf-8"))
    syncs = status(place)
    with read_published(place.home) as published:
        facts = read_facts(published, manifest=manifest, syncs=syncs, truth=truth, days=days)
    return write_page(facts, output)
