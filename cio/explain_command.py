"""`cio explain`: one person, from identifiers to receipts."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cio.dbt import Project
from cio.explain import Explanation
from cio.explain import explain as explain_person
from cio.project import current_manifest
from cio.terminal import out, print_json, table
from warehouse.home import Home

_SECTIONS = {
    "identifiers": "Identifiers",
    "consent": "Consent",
    "pressure": "Messages and clicks",
    "purchases": "Purchases",
    "experiments": "Experiments",
    "audiences": "Audiences",
    "events": "Newest message events",
    "receipts": "What syncs did",
}


def explain(
    person: Annotated[
        str, typer.Argument(help="A customer id, an e-mail address, a cio_id or a person_id.")
    ],
    *,
    limit: Annotated[int, typer.Option(min=1, help="Events and receipts at the most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain one person: ids, exposures, audiences with their reason, every sync and receipt."""
    home = Home.resolve()
    manifest = json.loads(current_manifest(Project(home=home)).read_text(encoding="utf-8"))
    found = explain_person(home, person, manifest=manifest, limit=limit)
    if as_json:
        print_json(found.to_json())
    else:
        _tell(found)


def _tell(found: Explanation) -> None:
    out.print(f"person {found.person_id}, as of {found.as_of}\n")
    for name, title in _SECTIONS.items():
        rows = getattr(found, name)
        if not rows:
            out.print(f"{title}: nothing\n", style="dim")
            continue
        cells = [["" if value is None else value for value in row.values()] for row in rows]
        out.print(table(title, list(rows[0]), cells))
        out.print()
