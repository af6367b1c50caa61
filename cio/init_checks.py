"""Tries a set-up: each credential with a call that changes nothing, and the places of files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cio.alert_channels import configured_channels
from cio.init_entries import keys_of
from cio.run_settings import read_run_settings
from loaders.customerio import api
from loaders.customerio.api_check import check_api
from loaders.customerio.api_settings import read_api_settings
from loaders.locations import find_files
from loaders.receiver.settings import missing_key, read_receiver_settings
from loaders.registry import FEEDS
from reverse_etl.credentials import SECRETS_FILE, SECTION, read_settings, variable
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.http import Http
from reverse_etl.scope import Target
from reverse_etl.status import on_time
from warehouse.errors import CioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cio.init_answers import Answers
    from reverse_etl.contract import Check

Status: TypeAlias = Literal["ok", "failed", "missing", "set"]
TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True)
class Tried:
    """How one credential, or one place of files, stands.

    Attributes:
        name: What was tried: `mixpanel: message_events`.
        status: `ok`; `failed`: it is there and not taken; `missing`; `set`: it is there, and only
            its use will show.
        message: What was seen, and the way out.
    """

    name: str
    status: Status
    message: str

    def to_json(self) -> dict[str, str]:
        """What was tried, as JSON has it."""
        return asdict(self)


def try_all(answers: Answers, feeds: dict[str, tuple[str, ...]]) -> Iterator[Tried]:
    """Try everything that the set-up has use for, one after the other.

    Args:
        answers: What is set up.
        feeds: The paths of each feed, as the settings now say.
    """
    if "webhooks" in answers.feeds:
        yield _guarded("customerio: webhooks", _try_signing_key)
    if api.FEED in answers.feeds:
        yield _guarded("customerio: App API", _try_app_api)
    for feed, paths in feeds.items():
        if paths and feed in FEEDS:
            yield _guarded(f"feed: {feed}", lambda feed=feed, paths=paths: _try_paths(feed, paths))  # type: ignore[misc]
    for name in answers.destinations:
        yield from _try_destination(name)
    yield _guarded("alerts", _try_alerts)
    yield _guarded("heartbeat", _try_heartbeat)


def _guarded(name: str, attempt: Callable[[], tuple[Status, str]]) -> Tried:
    """What was tried; what a user can mend is what failed, not the end of the command."""
    try:
        status, message = attempt()
    except CioError as error:
        status, message = "failed", str(error)
    return Tried(name, status, message)


def _try_signing_key() -> tuple[Status, str]:
    keys = read_receiver_settings().signing_keys
    if not keys:
        return "missing", missing_key()
    return "set", "the first webhook shows whether it is the right one: see `cio receive`"


def _try_app_api() -> tuple[Status, str]:
    try:
        settings = read_api_settings()
    except UsageError as error:
        is_missing = "needs a key" in str(error)
        return ("missing" if is_missing else "failed"), str(error)
    check_api(settings)
    return "ok", "answers, and takes the key"


def _try_alerts() -> tuple[Status, str]:
    names = " and ".join(channel.name for channel in configured_channels())
    if not names:
        return "missing", (
            f"nobody is told of alerts: set url of [alerts.slack] or [alerts.webhook] of "
            f"{SECRETS_FILE}, or ALERTS__SLACK__URL …"
        )
    return "set", f"{names}: the first alert shows whether it arrives: see `cio alerts send`"


def _try_heartbeat() -> tuple[Status, str]:
    if not read_run_settings(FEEDS).heartbeat.url:
        return "missing", (
            f"nobody notices a run that never starts: set url of [run.heartbeat] of {SECRETS_FILE}"
        )
    return "set", "the first run shows whether the monitor hears it: see `cio run`"


def _try_paths(feed: str, paths: tuple[str, ...]) -> tuple[Status, str]:
    try:
        files = find_files(paths, suffixes=FEEDS[feed].suffixes)
    except UsageError as error:
        return "missing", f"{error}; paths of [run.load.{feed}] say where they are looked for"
    if not files:
        return "missing", f"no file lies there yet: see paths of [run.load.{feed}]"
    return "ok", f"{len(files):,} file{'s' if len(files) > 1 else ''}"


def _try_destination(name: str) -> Iterator[Tried]:
    """One row for all objects of a destination of which the same is to be said."""
    destination = DESTINATIONS[name]
    where = f"[{SECTION}.{name}] of {SECRETS_FILE}"
    try:
        settings: Any = read_settings(destination.settings, name)
    except UsageError as error:
        yield Tried(name, "failed", str(error))
        return
    said: dict[tuple[Status, str], list[str]] = {}
    asked: dict[tuple[object, str], Check] = {}
    for object_name, kind in destination.objects.items():
        if missing := settings.missing(object_name):
            keys = " and ".join(missing)
            example = variable(name, missing[0])
            found: tuple[Status, str] = ("missing", f"set {keys} in {where}, or {example} …")
        else:
            target = Target(destination, settings, object_name)
            call = (kind.check or destination.check, target.url)
            if call not in asked:
                asked[call] = _ask(target)
            answer = asked[call]
            found = ("ok", answer.message) if answer.is_ok else ("failed", _way_out(answer, name))
        said.setdefault(found, []).append(object_name)
    for (status, message), objects in said.items():
        yield Tried(f"{name}: {', '.join(objects)}", status, message)


def _ask(target: Target) -> Check:
    with Http(target.url, timeout_seconds=TIMEOUT_SECONDS) as http:
        answer = target.check(http)
        return on_time(answer, http.ahead_seconds)


def _way_out(answer: Check, name: str) -> str:
    keys = ", ".join(keys_of(DESTINATIONS[name]))
    return f"{answer.message}: see {keys} in [{SECTION}.{name}] of {SECRETS_FILE}"
