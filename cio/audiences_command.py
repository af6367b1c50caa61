"""`cio audiences`: what there is, whether it may go out, and what changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cio.audience_lock import bump, check_lock, write_lock
from cio.audiences import Audience, check, read_audiences
from cio.dbt import Project
from cio.project import current_manifest
from cio.terminal import err, out, print_json, table
from warehouse.definitions import LOCK, read_lock
from warehouse.errors import UsageError
from warehouse.home import Home, project_root

_MOST_IN_WORDS = 60
"""More audiences than these get a line each, without what is done about them."""

app = typer.Typer(help="Check, list and version the audiences.", no_args_is_help=True)

ManifestFile = Annotated[
    Path | None, typer.Option("--manifest", help="A manifest.json, instead of parsing.")
]
LockFile = Annotated[Path | None, typer.Option("--lock", help=f"A lock other than {LOCK}.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("check", epilog="Example: cio audiences check")
def check_audiences(
    *, manifest: ManifestFile = None, lock: LockFile = None, as_json: Json = False
) -> None:
    """Refuse definitions that nobody should act upon. Exit code 1: at least one."""
    audiences = _read(manifest)
    findings = [*check(audiences), *check_lock(audiences, read_lock(_lock(lock)))]
    refused = [finding for finding in findings if not finding.is_warning]
    if as_json:
        print_json({"audiences": len(audiences), "findings": [vars(one) for one in findings]})
    else:
        for finding in findings:
            word = "warning" if finding.is_warning else "refused"
            err.print(f"{word}: {finding.message}", soft_wrap=True, markup=False)
        out.print(f"{len(audiences)} audiences, {len(refused)} findings")
    if refused:
        raise typer.Exit(1)


@app.command("list", epilog="Example: cio audiences list --json")
def list_audiences(*, manifest: ManifestFile = None, as_json: Json = False) -> None:
    """Show every audience: its label, what it is for and who acts on it."""
    audiences = _read(manifest)
    if as_json:
        print_json({"audiences": [_row(one) for one in audiences]})
        return
    columns = {
        "label": "label",
        "use": "use",
        "version": "version",
        "activation_mode": "mode",
        "owner": "owner",
        "decision": "decision",
    }
    is_long = len(audiences) > _MOST_IN_WORDS
    keys = list(columns)[: 3 if is_long else None]
    rows = [[_row(one).get(key, "") for key in keys] for one in audiences]
    heads = [columns[key] for key in keys]
    out.print(table("Audiences", heads, rows, whole=["label"] if is_long else []))
    if is_long:
        out.print(f"{len(audiences):,} audiences; --json says who owns each, and what for")


@app.command("bump", epilog='Example: cio audiences bump clicked_sms_7d -m "window 14 to 7 days"')
def bump_audiences(
    names: Annotated[list[str], typer.Argument(help="Audiences by name.")],
    *,
    message: Annotated[str, typer.Option("--message", "-m", help="What changed, in words.")],
    manifest: ManifestFile = None,
    lock: LockFile = None,
) -> None:
    """Write down that a definition changed: the next version, its checksum and what changed."""
    known = {audience.name: audience for audience in _read(manifest)}
    locked = read_lock(_lock(lock))
    for name in names:
        if name not in known:
            problem = f"there is no audience {name}; `cio audiences list` shows them"
            raise UsageError(problem)
        locked = bump(known[name], locked, changed=message, root=project_root())
        out.print(f"{name}: version {locked[name].version}")
    write_lock(_lock(lock), {name: row for name, row in locked.items() if name in known})


def _read(manifest: Path | None) -> tuple[Audience, ...]:
    if manifest is not None and not manifest.is_file():
        problem = f"{manifest} is not there; `dbt parse` writes one, or leave --manifest out"
        raise UsageError(problem)
    path = manifest or current_manifest(Project(home=Home.resolve()))
    return read_audiences(json.loads(path.read_text(encoding="utf-8")))


def _lock(given: Path | None) -> Path:
    return given or project_root() / LOCK


def _row(audience: Audience) -> dict[str, Any]:
    decision = " ".join(str(audience.meta.get("decision", "")).split())
    return {"name": audience.name, **audience.meta, "decision": decision}
