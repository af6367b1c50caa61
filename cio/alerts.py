"""What somebody should look at now: the alerts of the build, and those that no build can tell.

Each alert is defined once. What data says is the table `open_alerts`; that a run failed, or that
nothing was built for days, is found here, because then there is no newer table to say so.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from cio.run_log import RunLog
from warehouse.connection import read_published
from warehouse.errors import CioError, WarehouseBusy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.connection import Published
    from warehouse.home import Home

SEVERITIES = ("high", "medium", "low")
STALE_BUILD_HOURS = 26.0
"""A build a day, and two hours for it to be late."""

_OPEN = """
select alert_id, alert_name, severity, subject, alert_owner, since_at, detail, what_to_do
from {table}
"""


@dataclass(frozen=True)
class Alert:
    """Something to look at.

    Attributes:
        alert_id: The same for as long as it is open.
        name: What kind it is.
        severity: `high`, `medium` or `low`.
        subject: What it is about.
        owner: Who looks at it.
        since: Since when, naive UTC, where that is known.
        detail: What was seen.
        what_to_do: What to do next.
    """

    alert_id: str
    name: str
    severity: str
    subject: str
    owner: str
    since: datetime | None
    detail: str
    what_to_do: str

    def to_json(self) -> dict[str, Any]:
        """The alert as JSON has it."""
        since = None if self.since is None else self.since.isoformat(timespec="seconds")
        return asdict(self) | {"since": since}


def open_alerts(home: Home, *, now: datetime) -> list[Alert]:
    """What is open now, the most severe first.

    Args:
        home: The home.
        now: The present, naive UTC.

    Returns:
        The alerts of the newest published build, of the newest run, and of the build's age.
    """
    found = _of_runs(home)
    try:
        with read_published(home) as published:
            found += _of_build(published)
            found += _of_age(published, now)
    except WarehouseBusy:
        raise
    except CioError as error:
        found.append(
            _alert(
                "nothing_published",
                "high",
                "build",
                detail=str(error),
                what_to_do="Run cio build, and mend what it names.",
            )
        )
    return sorted(
        found, key=lambda one: (SEVERITIES.index(one.severity), one.name, one.subject, one.alert_id)
    )


def _of_build(published: Published) -> list[Alert]:
    table = published.table("operations", "open_alerts")
    try:
        rows = published.connection.execute(_OPEN.format(table=table)).fetchall()
    except duckdb.CatalogException:
        # published by a version that had no such table: the next build has it
        return []
    return [Alert(*row) for row in rows]


def _of_age(published: Published, now: datetime) -> list[Alert]:
    build = published.build
    if build.is_as_of_given or now - build.started_at <= timedelta(hours=STALE_BUILD_HOURS):
        return []
    return [
        _alert(
            "stale_build",
            "high",
            "build",
            since=build.started_at,
            detail=f"the newest build that passed is of {build.started_at:%Y-%m-%d %H:%M} UTC",
            what_to_do="See why cio run does not build; logs/run.jsonl in CIO_HOME says.",
        )
    ]


def _of_runs(home: Home) -> list[Alert]:
    last = RunLog.of(home).read_last()
    if last is None:
        return []
    return [
        _alert(
            "run_step_failed",
            # what a guard holds back, and a feed that fails, is told by the build as well
            "high" if step["kind"] == "build" else "medium",
            step["name"],
            since=_instant(last),
            detail=f"{step['state'].replace('_', ' ')}: {step['said']}",
            what_to_do=f"Run `cio {step['name']}` by hand, and mend what it names.",
        )
        for step in last.get("steps", [])
        if step["state"] in {"failed", "timed_out"} and step["kind"] != "alerts"
    ]


def _instant(last: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(last["started_at"])


def _alert(  # noqa: PLR0913 - what an alert is made of
    name: str,
    severity: str,
    subject: str,
    *,
    detail: str,
    what_to_do: str,
    since: datetime | None = None,
) -> Alert:
    key = hashlib.md5(f"{name}|{subject}".encode(), usedforsecurity=False).hexdigest()
    return Alert(key, name, severity, subject, "data", since, detail, what_to_do)


def present() -> datetime:
    """The present, naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)
