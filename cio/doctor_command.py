"""`cio doctor`: what is set up wrong, with numbers, and how to mend it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cio.audiences import read_audiences
from cio.doctor import CHECKS, examine
from cio.sync_command import room
from cio.terminal import out, print_json
from reverse_etl.settings import read_syncs
from reverse_etl.targets import find_target
from warehouse.connection import read_published


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Find what is most likely set up wrong, with numbers, and how to mend it.

    Nothing is sent and nothing is changed. Exit code 1: something is wrong.
    """
    place = room(None)
    manifest = json.loads(place.manifest.read_text(encoding="utf-8"))
    syncs = [(sync, find_target(sync)) for sync in read_syncs(place.manifest)]
    with read_published(place.home) as published:
        found = examine(read_audiences(manifest), syncs, published)
    if as_json:
        print_json({"checks": list(CHECKS), "findings": [one.to_json() for one in found]})
    else:
        for name in CHECKS:
            mine = [one for one in found if one.check == name]
            out.print(f"{'✗' if mine else '✓'} {name.replace('_', ' ')}")
            for one in mine:
                out.print(f"    {one.subject}: {one.detail}", soft_wrap=True, markup=False)
                out.print(f"    {one.mend}", soft_wrap=True, markup=False, style="dim")
    if found:
        raise typer.Exit(1)
