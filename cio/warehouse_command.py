"""`cio build`: models from what is loaded."""

from __future__ import annotations

from typing import Annotated

import typer

from cio.build import build as build_models
from cio.dbt import Project
from cio.load_command import instant
from cio.terminal import counting, out, print_json
from warehouse.home import Home


def build(
    *,
    target: Annotated[
        str, typer.Option(envvar="DBT_TARGET", help="Target of profiles.yml.")
    ] = "dev",
    select: Annotated[
        list[str] | None, typer.Option(help="Build a part only; it is not published.")
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build everything anew from what is loaded.")
    ] = False,
    as_of: Annotated[
        str | None, typer.Option(help="Build as of an instant, into schemas of its own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Build and test the models, and publish the build if everything passed."""
    moment = instant(as_of)
    variables = {"as_of": moment.isoformat()} if moment else {}
    project = Project(home=Home.resolve(), target=target, variables=variables)
    with counting("building", is_quiet=as_json) as progress:
        published = build_models(
            project,
            select=select or (),
            is_full_refresh=full_refresh,
            on_progress=progress,
        )
    if as_json:
        print_json({"published": published and str(published)})
    elif published:
        out.print(f"built and published: {published}")
    else:
        out.print("built; nothing newer to publish" if not select else "built a part")
