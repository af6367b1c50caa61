"""`cio init`: the settings files, written once and whole, and whether what stands in them works."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cio.init_addresses import ADDRESSES, check_address
from cio.init_answers import ALL_FEEDS, Options, ask, known_answers, read_toml, take
from cio.init_checks import try_all
from cio.init_entries import (
    config_entries,
    from_environment,
    is_secret,
    secret_entries,
    secret_keys,
)
from cio.run_settings import read_run_settings
from cio.settings_files import CONFIG, SECRETS, edit, hide, make_private, write
from cio.terminal import err, out, print_json, waiting
from loaders.registry import FEEDS
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.identity import KEYS
from warehouse.errors import UsageError
from warehouse.home import PROJECT_FILE
from warehouse.settings import check_settings

if TYPE_CHECKING:
    from cio.init_answers import Answers
    from cio.init_checks import Tried
    from cio.settings_files import Edit

_MARKS = {"ok": "✓", "set": "✓", "failed": "✗", "missing": "·"}
_STYLES = {"ok": "green", "set": "green", "failed": "bold red", "missing": "yellow"}


def init(  # noqa: PLR0913 - the options of the command
    *,
    region: Annotated[
        str | None, typer.Option(help="Where the Customer.io workspace lies: us or eu.")
    ] = None,
    feed: Annotated[
        list[str] | None,
        typer.Option(
            help="A feed, name or name=path; may be repeated. There are " + ", ".join(ALL_FEEDS)
        ),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(help=f"The key by which your tools know people: {', '.join(KEYS)}."),
    ] = None,
    destination: Annotated[
        list[str] | None,
        typer.Option(
            help="A destination, name or name=region; may be repeated. There are "
            + ", ".join(DESTINATIONS)
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="The dbt target that `cio run` builds and sends from.")
    ] = None,
    slack_alerts: Annotated[
        str | None, typer.Option(help="Slack's incoming webhook that is told of alerts.")
    ] = None,
    alert_webhook: Annotated[
        str | None, typer.Option(help="Your own address that alerts are posted to.")
    ] = None,
    heartbeat: Annotated[
        str | None, typer.Option(help="The monitor's address that `cio run` calls when it is done.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace settings that differ; never a secret.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not try the credentials.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; ask nothing.")] = False,
) -> None:
    """Set up: write the settings files, and try each credential that is filled in.

    What is there is kept, and what would change is shown first. Without a terminal nothing is
    asked, and the options say it all. Run again, it tries what was filled in since. Exit code 1: a
    credential is not taken.
    """
    folder = settings_folder()
    check_settings()
    config, secrets = folder / CONFIG, folder / SECRETS
    known = known_answers(read_toml(config), read_toml(secrets))
    addresses = dict(zip(ADDRESSES, (slack_alerts, alert_webhook, heartbeat), strict=True))
    options = Options(region, feed or (), identity, destination or (), target, addresses)
    answers = take(options, known)
    _keep_secrets(answers, read_toml(secrets))
    is_new = not config.is_file()
    read_run_settings(FEEDS)  # or what is wrong already would be found only after writing
    is_asking = is_terminal() and not (yes or as_json or dry_run)
    if is_asking:
        answers = ask(answers, known, is_new=is_new)
    elif is_new and not answers.feeds:
        answers = take(Options(feeds=("webhooks", "api")), answers)
    filled = _ask_secrets(answers, read_toml(secrets)) if is_asking else {}
    edits = [
        edit(config, config_entries(answers), force=force),
        edit(secrets, secret_entries(answers, filled)),
    ]
    if not as_json:
        _show(edits)
    changes = [str(one.path) for one in edits if one.is_change]
    if dry_run:
        if as_json:
            print_json({"would_write": changes})
        return
    if is_asking and changes and not typer.confirm("Write this?", default=True):
        out.print("nothing was written")
        return
    write(edits)
    was_open = make_private(secrets)
    tried = [] if no_check else _try(answers, is_quiet=as_json)
    if as_json:
        print_json({"written": changes, "credentials": [one.to_json() for one in tried]})
    else:
        _tell(answers, tried, was_open=was_open)
    if any(one.status == "failed" for one in tried):
        raise typer.Exit(1)


def settings_folder() -> Path:
    """Where the other commands will look: `.dlt` in the project, or in `DLT_PROJECT_DIR`.

    Raises:
        UsageError: The working directory is not the project's folder, so that they would not.
    """
    named = os.environ.get("DLT_PROJECT_DIR")
    if named is None and not Path(PROJECT_FILE).is_file():
        message = (
            f"this is not the folder of the project, where {PROJECT_FILE} is and settings are read "
            "from: go there, or name a folder by DLT_PROJECT_DIR, for every command"
        )
        raise UsageError(message)
    return Path(named or ".") / ".dlt"


def is_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def _ask_secrets(answers: Answers, secrets: dict[str, object]) -> dict[tuple[str, str], str]:
    """What is not filled in yet and somebody has at hand, by section and key."""
    filled = {}
    heading = ""
    for section, key, about in secret_keys(answers):
        if from_environment(section, key) or _has(secrets, section, key):
            continue
        if section in answers.addresses:
            continue
        if section != heading:
            out.print(f"\n[{section}]\n{about}", style="dim", markup=False)
            heading = section
        text = typer.prompt(
            f"{key} (empty: later)",
            default="",
            hide_input=is_secret(section, key),
            show_default=False,
            value_proc=partial(_typed, section),
        )
        if text:
            filled[section, key] = text
    return filled


def _typed(section: str, text: str) -> str:
    """What was typed; an address that is none is asked for again."""
    try:
        check_address(section, text.strip())
    except UsageError as error:
        # the prompt says of what is typed unseen only that it is wrong
        out.print(str(error), markup=False, soft_wrap=True)
        raise typer.BadParameter(str(error)) from error
    return text.strip()


def _keep_secrets(answers: Answers, secrets: dict[str, object]) -> None:
    """See that no option would replace an address, which is as good as a password."""
    for section, given in answers.addresses.items():
        place = ADDRESSES[section]
        if _has(secrets, section, place.key) and _at(secrets, section, place.key) != given:
            message = (
                f"{place.option}: {place.key} of [{section}] in {SECRETS} is set to another one, "
                "and a secret is never replaced. Change it there by hand. Nothing was changed."
            )
            raise UsageError(message)


def _has(document: dict[str, object], section: str, key: str) -> bool:
    return _at(document, section, key) not in (None, "")


def _at(document: dict[str, object], section: str, key: str) -> object:
    found: object = document
    for name in (*section.split("."), key):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _show(edits: list[Edit]) -> None:
    for one in edits:
        lines = one.diff() if one.path.name == CONFIG else hide(one.diff())
        for line in lines:
            style = "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"
            out.print(line, style=style, markup=False, soft_wrap=True)
    if not any(one.is_change for one in edits):
        out.print("the settings stay as they are")


def _try(answers: Answers, *, is_quiet: bool) -> list[Tried]:
    feeds = {load.feed: load.paths for load in read_run_settings(FEEDS).loads}
    tried = []
    with waiting("trying credentials", is_quiet=is_quiet) as tell:
        for one in try_all(answers, feeds):
            tell(f"tried {one.name}")
            tried.append(one)
    return tried


def _tell(answers: Answers, tried: list[Tried], *, was_open: bool) -> None:
    if was_open:
        err.print(f"{SECRETS} could be read by others on this machine; now by you alone")
    if answers.identity == "email":
        err.print(
            "e-mail addresses change and are shared: where your tools know a customer's own id, "
            "--identity customer_id is the safer key",
            soft_wrap=True,
        )
    for one in tried:
        mark = f"{_MARKS[one.status]} {one.status:<7}"
        out.print(f"{mark}  {one.name}", style=_STYLES[one.status], markup=False, soft_wrap=True)
        out.print(f"           {one.message}", style="dim", markup=False, soft_wrap=True)
    if any(one.status in {"failed", "missing"} for one in tried):
        out.print("Fill in what is missing, and run `cio init` again: it tries it.")
    else:
        out.print("Next: `cio run`, and `cio sync plan` before anything is sent.", soft_wrap=True)
