"""An alert is told once when it opens and once when it closes, whatever happens in between.

`alerts.ndjson` in the home has a line for each thing told to each channel, written once the channel
took it: a channel that was down is told by a later run, and others are not told twice.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from cio.alert_channels import News, NotTold, title
from cio.alerts import SEVERITIES
from warehouse.errors import UsageError
from warehouse.secrets import read_section

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cio.alert_channels import Channel
    from cio.alerts import Alert
    from warehouse.home import Home

Kind = Literal["raised", "resolved"]


@dataclass(frozen=True)
class QuietSettings:
    """`[alerts.quiet]` of `config.toml`, as it is written.

    Attributes:
        hours: `22:00-07:00`: what is not severe waits until they end. None are quiet if empty.
        timezone: Whose hours they are.
        loudest: The severity that is told all the same, and whatever is severer: `high`.
        least: The mildest severity that is told at all: `low`.
    """

    hours: str = ""
    timezone: str = "UTC"
    loudest: str = "high"
    least: str = "low"


@dataclass(frozen=True)
class Quiet:
    """When what is told.

    Attributes:
        begins: When quiet hours begin, on the clock of `zone`.
        ends: When they end; the same as `begins`: there are none.
        zone: Their time zone.
        loudest: The severity that is told in them.
        least: The mildest severity that is told at all.
    """

    begins: time = time(0)
    ends: time = time(0)
    zone: tzinfo = UTC
    loudest: str = "high"
    least: str = "low"

    def is_quiet(self, now: datetime) -> bool:
        """Whether `now`, naive UTC, lies in quiet hours."""
        clock = now.replace(tzinfo=UTC).astimezone(self.zone).time()
        if self.begins <= self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends

    def lets(self, severity: str, now: datetime) -> bool:
        """Whether an alert of that severity is told now."""
        mildest = self.loudest if self.is_quiet(now) else self.least
        return SEVERITIES.index(severity) <= SEVERITIES.index(mildest)


def read_quiet() -> Quiet:
    """Read when what is told.

    Raises:
        UsageError: Hours, a time zone or a severity are not what they should be.
    """
    written = read_section(QuietSettings, "alerts", "quiet")
    for key in ("loudest", "least"):
        if getattr(written, key) not in SEVERITIES:
            message = f"{key} of [alerts.quiet] must be one of {', '.join(SEVERITIES)}"
            raise UsageError(message)
    try:
        zone = ZoneInfo(written.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"timezone of [alerts.quiet] is none: {written.timezone!r}; write Europe/Berlin"
        raise UsageError(message) from error
    begins, _, ends = (written.hours or "00:00-00:00").partition("-")
    try:
        hours = time.fromisoformat(begins.strip()), time.fromisoformat(ends.strip())
    except ValueError as error:
        message = f'hours of [alerts.quiet] are none: {written.hours!r}; write "22:00-07:00"'
        raise UsageError(message) from error
    return Quiet(*hours, zone=zone, loudest=written.loudest, least=written.least)


@dataclass(frozen=True)
class Told:
    """What was told.

    Attributes:
        raised: Alerts that a channel was told of, over all channels.
        resolved: Alerts that a channel was told are over.
        waiting: Alerts that quiet hours keep back.
        troubles: What channels did not take, in words.
    """

    raised: int
    resolved: int
    waiting: int
    troubles: tuple[str, ...]


def notify(
    home: Home,
    alerts: Sequence[Alert],
    channels: Iterable[Channel],
    quiet: Quiet,
    *,
    now: datetime,
) -> Told:
    """Tell each channel what it does not know yet.

    Args:
        home: The home, which keeps what was told.
        alerts: What is open.
        channels: Whom to tell.
        quiet: When what is told.
        now: The present, naive UTC.

    Returns:
        What was told. A channel that does not answer keeps no other from being told.
    """
    path = home.root / "alerts.ndjson"
    raised = resolved = waiting = 0
    troubles = []
    for channel in channels:
        known = _known(path, channel.name)
        fresh = [one for one in alerts if one.alert_id not in known]
        due = [one for one in fresh if quiet.lets(one.severity, now)]
        waiting += len(fresh) - len(due)
        open_ids = {one.alert_id for one in alerts}
        over = {key: words for key, words in known.items() if key not in open_ids}
        if quiet.is_quiet(now):
            over = {}
        if not due and not over:
            continue
        try:
            channel.tell(News(due, over, now))
        except NotTold as error:
            troubles.append(str(error))
            continue
        _append(path, channel.name, "raised", {one.alert_id: title(one) for one in due}, now)
        _append(path, channel.name, "resolved", over, now)
        raised += len(due)
        resolved += len(over)
    return Told(raised, resolved, waiting, tuple(troubles))


def _known(path: Path, channel: str) -> dict[str, str]:
    """The alerts a channel was told of and not told that they are over, with their titles."""
    found: dict[str, str] = {}
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            # a line that a full disk cut short; what it said is told once more
            continue
        if entry["channel"] != channel:
            continue
        if entry["kind"] == "raised":
            found[entry["alert_id"]] = entry["title"]
        else:
            found.pop(entry["alert_id"], None)
    return found


def _append(path: Path, channel: str, kind: Kind, titles: dict[str, str], now: datetime) -> None:
    lines = [
        orjson.dumps(
            {"at": now, "channel": channel, "kind": kind, "alert_id": key, "title": words},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for key, words in titles.items()
    ]
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab", buffering=0) as file:
        file.write(b"".join(lines))
        os.fsync(file.fileno())
