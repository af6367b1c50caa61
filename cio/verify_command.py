"""`cio verify`: one event followed through the whole loop."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from cio.sync_command import room
from cio.terminal import out, print_json
from cio.verify import verify as verify_event
from reverse_etl.settings import read_syncs
from reverse_etl.targets import find_target

if TYPE_CHECKING:
    from cio.verify import Hop, Verified

_MARKS = {"ok": "✓", "waiting": "…", "failed": "✗", "left out": "·"}
_STYLES = {"ok": "green", "waiting": "yellow", "failed": "bold red", "left out": "dim"}


def verify(
    person: Annotated[
        str | None,
        typer.Argument(help="Whose newest event; any identifier. Without: the newest of all."),
    ] = None,
    *,
    select: Annotated[
        list[str] | None, typer.Option(help="Only to this sync; may be repeated.")
    ] = None,
    event: Annotated[
        str | None, typer.Option(help="This event: an event_id of Customer.io's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Follow one event hop by hop: emitted, received, modelled, delivered, in audiences, measured.

    Send yourself a test message, let `cio run` run, and verify yourself. Nothing is sent and
    nothing is changed. Exit code 1: it did not come through, or no destination has it.
    """
    place = room(select)
    syncs = [(sync, find_target(sync)) for sync in read_syncs(place.manifest, select=place.select)]
    found = verify_event(place.home, syncs, person=person, event=event)
    if as_json:
        hops = [hop.to_json() for hop in found.hops]
        print_json({"is_through": found.is_through, "event": found.event, "hops": hops})
    else:
        _tell(found)
    if not found.is_through:
        raise typer.Exit(1)


def _tell(found: Verified) -> None:
    for name, hops in groupby(found.hops, key=lambda hop: hop.name):
        out.print(name, style="bold")
        for hop in hops:
            _tell_hop(hop)
    if all(hop.state == "left out" for hop in found.hops if hop.name == "delivered"):
        out.print("  no destination was to have it: `cio init` sets one up", soft_wrap=True)
    word = "came through" if found.is_through else "has not come through"
    which = found.event.get("event_id") or found.event.get("message_event_id")
    out.print(f"\nevent {which} {word}", soft_wrap=True, markup=False)


def _tell_hop(hop: Hop) -> None:
    when = "" if hop.at is None else f"  {hop.at:%Y-%m-%d %H:%M:%S} UTC"
    line = f"  {_MARKS[hop.state]} {hop.subject}: {hop.detail}{when}"
    out.print(line, style=_STYLES[hop.state], markup=False, soft_wrap=True)
    if hop.mend:
        out.print(f"    {hop.mend}", style="dim", markup=False, soft_wrap=True)
