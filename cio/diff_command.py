"""`cio diff`: whom a changed definition lets in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cio.dbt import Project
from cio.diff import Diff, Difference
from cio.diff import diff as differ
from cio.parsed import parse
from cio.terminal import out, print_json, table, waiting
from warehouse.connection import read_published
from warehouse.definitions import LOCK, read_lock
from warehouse.home import Home, project_root

if TYPE_CHECKING:
    from cio.diff import Reason


def diff(
    audiences: Annotated[
        list[str] | None, typer.Argument(help="Audiences by name; every one if none is given.")
    ] = None,
    *,
    marts: Annotated[
        bool,
        typer.Option("--marts", help="Build the marts they read from the working tree too."),
    ] = False,
    people: Annotated[
        int, typer.Option(min=0, help="People to name at the most, on each side.")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show whom a changed definition lets in and out, beside what is published.

    The working tree's SQL runs over what was last published, as of the same instant, in memory:
    nothing is changed, and nobody waits. People are named by person_id; `cio explain` says more.
    """
    home = Home.resolve()
    with waiting("parsing the project", is_quiet=as_json) as tell:
        # first, because it may publish, and because it says which target was built
        with read_published(home) as published:
            target = published.build.target
        locked = read_lock(project_root() / LOCK)
        digests = {f"{name}@{row.version}": row.checksum for name, row in locked.items()}
        parsed = parse(Project(home=home, target=target))
        tell("building the audiences of the working tree")
        found = differ(parsed, audiences or (), digests, is_with_marts=marts, people=people)
    if as_json:
        print_json(found.to_json())
    else:
        _tell(found)


def _tell(found: Diff) -> None:
    changed = [one for one in found.audiences if one.is_changed]
    out.print(f"as of {found.as_of}, beside the published build {found.build_id}\n")
    if changed:
        columns = ("audience", "version", "enter", "leave", "stay", "at another time")
        rows = [
            (one.audience, one.version, one.entered, one.left, one.stayed, one.moved)
            for one in changed
        ]
        out.print(table("People, not SQL", columns, rows))
    for one in changed:
        _tell_of(one)
    same = len(found.audiences) - len(changed)
    if same:
        out.print(f"{same} {'audience has' if same == 1 else 'audiences have'} the same people")
    if found.marts_published:
        names = ", ".join(found.marts_published)
        out.print(f"taken as published, because what they read is not: {names}", soft_wrap=True)


def _tell_of(one: Difference) -> None:
    is_new = ", not published yet" if one.is_new else ""
    out.print(f"\n{one.label} ({one.audience}{is_new})", markup=False, soft_wrap=True)
    for verb, count, reasons, people in (
        ("enter", one.entered, one.entered_reasons, one.entered_people),
        ("leave", one.left, one.left_reasons, one.left_people),
    ):
        if count:
            out.print(f"  {count:,} {verb}: {_words(reasons, count)}", markup=False, soft_wrap=True)
        if people:
            out.print(f"    such as {', '.join(people)}", soft_wrap=True)
    for caution, count in one.cautions.items():
        out.print(f"  {count:,} of those who enter: {caution}", soft_wrap=True)
    if not one.is_locked:
        out.print(f'  not in {LOCK} yet: cio audiences bump {one.audience} -m "what changed"')


def _words(reasons: tuple[Reason, ...], count: int) -> str:
    said = [f"{one.reason} ({one.people:,})" for one in reasons]
    rest = count - sum(one.people for one in reasons)
    return "; ".join([*said, f"other reasons ({rest:,})"] if rest else said)
