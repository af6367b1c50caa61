"""`cio erase`: one person, everywhere, with proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cio.dbt import Project
from cio.erase import erase as erase_person
from cio.erase import readmit as readmit_person
from cio.erase_status import follow_cases
from cio.sync_command import room
from cio.terminal import err, out, print_json, table, waiting
from reverse_etl.run import Room
from warehouse.errors import UsageError
from warehouse.home import Home

if TYPE_CHECKING:
    from cio.erase import Erasure


def erase(
    person: Annotated[
        str | None,
        typer.Argument(help="A customer id, an e-mail address, a cio_id or a person_id."),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; a script must say this.")] = False,
    status: Annotated[
        bool,
        typer.Option("--status", help="Erase nobody: ask vendors how far earlier requests are."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the proof as JSON.")] = False,
) -> None:
    """Erase one person everywhere, and from every destination they were sent to, with proof.

    The stop list comes first, so that nothing is sent while it goes on. Killed and run again it
    goes on where it was. Exit code 1: a destination did not take a removal; run it again.

    With `--status` vendors that delete within weeks are asked how far they are, for everybody who
    was erased, and the proofs say it. Exit code 1: one failed, or does not answer.
    """
    if status == (person is not None):
        message = "name one person to erase, or ask with --status how far earlier erasures are"
        raise UsageError(message)
    if person is None:
        _follow(as_json=as_json)
        return
    if not yes:
        typer.confirm("Erase this person everywhere? It cannot be undone", abort=True)
    with waiting("erasing", is_quiet=as_json) as tell:
        found = erase_person(room(None), person, on_step=tell)
    if as_json:
        print_json(found.to_json())
    else:
        _tell(found)
    if not found.is_complete:
        raise typer.Exit(1)


def _follow(*, as_json: bool) -> None:
    home = Home.resolve()
    cases = follow_cases(Room(home=home, manifest=Project(home=home).manifest))
    if as_json:
        print_json({"cases": [case.to_json() for case in cases]})
    elif not cases:
        out.print("no vendor was asked to delete anybody")
    else:
        rows = [
            (case.case, one.destination, one.at, one.problem or one.state, one.ended_at or "")
            for case in cases
            for one in case.requests
        ]
        columns = ("case", "vendor", "asked at (UTC)", "says", "ended at")
        out.print(table("Deletions", columns, rows))
        for one in (r for case in cases for r in case.requests if r.end == "failed"):
            err.print(
                f"{one.destination} ended {one.reply_id} with {one.state}: ask there why, and have "
                "them deleted by hand, for nothing here knows the person any more",
                soft_wrap=True,
            )
    if not all(case.is_ok for case in cases):
        raise typer.Exit(1)


def readmit(
    person: Annotated[
        str,
        typer.Argument(help="What they were erased under: a customer id, an address, a cio_id."),
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; a script must say this.")] = False,
) -> None:
    """Let somebody in again who was erased and has come back, of their own will.

    From here on what a load brings of them counts, and syncs may send them. What was erased stays
    so, unless a source still has it: a load reads a file that is new or changed whole.
    """
    if not yes:
        typer.confirm("Did this person agree to be known again?", abort=True)
    lifted = readmit_person(Home.resolve(), person)
    out.print(f"{lifted:,} tombstones lifted: what is loaded of this person from now on counts")


def _tell(found: Erasure) -> None:
    if found.removals:
        rows = [(r.sync, r.destination, r.sent, r.removed, r.left) for r in found.removals]
        columns = ("sync", "destination", "ever sent", "removed now", "left")
        out.print(table("Destinations", columns, rows))
    if found.requests:
        asked = [
            (r.destination, r.request, r.at, r.problem or r.state, r.reply_id or "")
            for r in found.requests
        ]
        columns = ("vendor", "asked to delete", "at (UTC)", "said", "its id")
        out.print(table("Deletions", columns, asked))
    rows_gone = sum(found.rows.values())
    out.print(
        f"{rows_gone:,} rows of {len(found.rows):,} tables, {found.published:,} of published "
        f"builds, {found.events:,} received events and {found.journal_rows:,} rows of journals; "
        f"{found.rows_left:,} rows still name them"
    )
    for words in found.left:
        err.print(f"left: {words}", soft_wrap=True, markup=False)
    out.print(f"proof: {found.proof}", soft_wrap=True)
