"""What `cio run` does each time: `[run]` of `.dlt/config.toml`, and where it says that it lives."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from warehouse.errors import UsageError
from warehouse.secrets import Secret, read_section
from warehouse.settings import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

API = "api"
STEPS = ("load", "build", "sync", "report", "alerts")
LIMIT_MINUTES = {"load": 60.0, "build": 120.0, "sync": 60.0, "report": 10.0, "alerts": 5.0}
"""How long a step may take unless `[run.limits]` says otherwise; for `load`, each feed."""

_KEYS = ("target", "limits", "load", "heartbeat")


@dataclass(frozen=True)
class FeedLoad:
    """What is loaded of one feed: a table `[run.load.<feed>]`.

    Attributes:
        feed: The feed, or `api`.
        paths: Files, folders, patterns or URLs; resources of the App API. Webhooks without any are
            those that the receiver took.
        table: A table of the warehouse to load instead.
        columns: Source columns by target.
        complete_minutes_ago: The feed is whole until so many minutes before its load.
    """

    feed: str
    paths: tuple[str, ...] = ()
    table: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    complete_minutes_ago: float | None = None


@dataclass(frozen=True)
class Heartbeat:
    """Whom a run tells how it ended: `[run.heartbeat]`, in `secrets.toml`, for it lets anyone in.

    Attributes:
        url: Called after a good run; `/fail` is put behind its path after any other.
        method: `GET` or `POST`.
    """

    url: Secret = field(default_factory=lambda: Secret(""))
    method: str = "GET"


@dataclass(frozen=True)
class RunSettings:
    """What `cio run` does.

    Attributes:
        target: The dbt target that is built and sent from.
        loads: What is loaded, in order.
        limits: Minutes a step may take.
        heartbeat: Whom it tells.
    """

    target: str = "dev"
    loads: tuple[FeedLoad, ...] = (FeedLoad("webhooks"),)
    limits: Mapping[str, float] = field(default_factory=lambda: dict(LIMIT_MINUTES))
    heartbeat: Heartbeat = field(default_factory=Heartbeat)

    @property
    def longest_minutes(self) -> float:
        """How long a whole run may take."""
        once = sum(self.limits[step] for step in STEPS if step != "load")
        return once + self.limits["load"] * len(self.loads)


def read_run_settings(feeds: Iterable[str]) -> RunSettings:
    """Read what a run does.

    Args:
        feeds: The names of the feeds there are, `api` not among them.

    Returns:
        The settings; without `[run.load]` only what the receiver took is loaded.

    Raises:
        UsageError: A key is unknown, or a value is not what it should be.
    """
    found = read_table("run")
    _known(found, _KEYS, "[run]")
    known = (*feeds, API)
    tables = _table(found, "load", "[run.load]")
    _known(tables, known, "[run.load]")
    loads = tuple(_feed_load(name, table) for name, table in tables.items())
    limits = dict(LIMIT_MINUTES)
    for step, minutes in _table(found, "limits", "[run.limits]").items():
        _known({step: minutes}, STEPS, "[run.limits]")
        limits[step] = _positive(minutes, f"{step} of [run.limits]")
    return RunSettings(
        target=_text(found.get("target", "dev"), "target of [run]"),
        loads=loads or RunSettings().loads,
        limits=limits,
        heartbeat=_heartbeat(),
    )


def _feed_load(name: str, table: object) -> FeedLoad:
    where = f"[run.load.{name}]"
    if not isinstance(table, dict):
        message = f"{where} of .dlt/config.toml is not a table: write its keys below that line"
        raise UsageError(message)
    allowed = [each.name for each in fields(FeedLoad) if each.name != "feed"]
    _known(table, allowed if name != API else ["paths"], where)
    paths = table.get("paths", [])
    paths = [paths] if isinstance(paths, str) else paths
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        message = f'paths of {where}: write a list of texts, ["orders/*.csv"]'
        raise UsageError(message)
    ago = table.get("complete_minutes_ago")
    return FeedLoad(
        feed=name,
        paths=tuple(paths),
        table=None if "table" not in table else _text(table["table"], f"table of {where}"),
        columns={
            target: _text(source, f"columns of {where}")
            for target, source in _table(table, "columns", f"[run.load.{name}.columns]").items()
        },
        complete_minutes_ago=None
        if ago is None
        else _positive(ago, f"complete_minutes_ago of {where}", least=0),
    )


def _heartbeat() -> Heartbeat:
    heartbeat = read_section(Heartbeat, "run", "heartbeat")
    if heartbeat.method.upper() not in {"GET", "POST"}:
        message = "method of [run.heartbeat]: write GET or POST"
        raise UsageError(message)
    if heartbeat.url:
        check_monitor(heartbeat.url)
    return heartbeat


def check_monitor(url: Secret) -> None:
    """See that a monitor's address is one.

    Raises:
        UsageError: It is none.
    """
    if urlsplit(url.reveal()).scheme not in {"http", "https"}:
        message = "url of [run.heartbeat] is no address: write https://…"
        raise UsageError(message)


def _known(given: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    names = list(allowed)
    for key in given:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
            message = f"{where} of .dlt/config.toml has an unknown key {key!r}; {hint}"
            raise UsageError(message)


def _table(given: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    found = given.get(key, {})
    if not isinstance(found, dict):
        message = f"{where} of .dlt/config.toml is not a table: write its keys below that line"
        raise UsageError(message)
    return found


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        message = f"{where} of .dlt/config.toml must be a text"
        raise UsageError(message)
    return value


def _positive(value: object, where: str, least: float = 0.01) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
        message = f"{where} of .dlt/config.toml must be a number of minutes"
        raise UsageError(message)
    return float(value)
