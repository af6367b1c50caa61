"""One event, hop by hop: emitted, received, modelled, delivered, in audiences, measured.

What a destination took is what its parsed replies said, row by row; a hop that nobody set up is
left out and says so.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import duckdb

from cio.explain import find_person
from cio.verify_delivery import Standing, receipts_of, standings
from warehouse.connection import open_warehouse, read_published
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync
    from warehouse.connection import Published
    from warehouse.home import Home

State: TypeAlias = Literal["ok", "waiting", "failed", "left out"]
Row = dict[str, Any]

_EVENT = """
select message_event_id, event_id, person_id, delivery_id, campaign_id, broadcast_id, newsletter_id,
    transactional_message_id, channel, metric, feeds, occurred_at, is_ghost
from {table} where {condition} order by {first}, occurred_at desc, message_event_id limit 1
"""
_PERFORMANCE = """
select sent_on, sum(deliveries)::bigint as deliveries, sum(human_clickers)::bigint as clickers
from {table}
where campaign_id is not distinct from $campaign_id
    and broadcast_id is not distinct from $broadcast_id
    and newsletter_id is not distinct from $newsletter_id
    and transactional_message_id is not distinct from $transactional_message_id
    and sent_on between $occurred_at::date - 31 and $occurred_at::date + 1
group by sent_on
order by abs(date_diff('day', sent_on, $occurred_at::date)), sent_on limit 1
"""
_ARMS = """
select experiment_id || ': ' || coalesce(arm, 'several arms, so in none')
from {table} where person_id = $person_id order by experiment_id
"""
# a feed's table, and how an event is found in it: exports and API know it by its delivery
_RAW = {
    "webhook": ("webhook_events", "event_id = $event_id"),
    "export": ("export_metrics", "delivery_id = $delivery_id and metric = $metric"),
    "api": ("api_messages", "delivery_id = $delivery_id"),
}
_RECEIVED = """
select min(loads.inserted_at at time zone 'UTC') as received_at, count(*)::bigint as lines
from raw_customerio.{table} as lines
inner join raw_customerio._dlt_loads as loads on lines._dlt_load_id = loads.load_id
where loads.status = 0 and {condition}
"""


@dataclass(frozen=True)
class Hop:
    """One hop of an event.

    Attributes:
        name: `emitted`, `received`, `modelled`, `delivered`, `audiences` or `measured`.
        state: `ok`; `waiting`: the next run does it; `failed`; `left out`, for a reason that is as
            it should be.
        subject: What it is about: a sync, a feed.
        detail: What was seen.
        at: When, naive UTC, if that is known.
        mend: What to do, if something is.
    """

    name: str
    state: State
    subject: str
    detail: str
    at: datetime | None = None
    mend: str = ""

    def to_json(self) -> Row:
        """The hop as JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class Verified:
    """An event and its hops.

    Attributes:
        event: Its ids: `message_event_id`, `event_id`, `person_id`, `delivery_id`.
        hops: In the order in which it takes them.
    """

    event: Row
    hops: Sequence[Hop]

    @property
    def is_through(self) -> bool:
        """Whether it came through every hop that it was to take, delivery to a destination too."""
        is_whole = all(hop.state in {"ok", "left out"} for hop in self.hops)
        return is_whole and any(hop.name == "delivered" and hop.state == "ok" for hop in self.hops)


def verify(
    home: Home,
    syncs: Sequence[tuple[Sync, Target]],
    *,
    person: str | None = None,
    event: str | None = None,
) -> Verified:
    """Follow one event through the whole loop; nothing is sent and nothing is changed.

    Args:
        home: The home.
        syncs: The syncs, and where each sends.
        person: Whose: any identifier; their newest event that a sync forwards.
        event: Which: an event_id of Customer.io's or a message_event_id.

    Returns:
        The event and its hops.

    Raises:
        UsageError: There is no such person, or no such event.
        CioError: Nothing is published.
    """
    with read_published(home) as published:
        given = find_person(published, person) if person else None
        found = _find_event(published, syncs, given, event)
        if found is None:
            return _not_built(home, event, person)
        found["person_id"] = found["person_id"] or given
        hops = [_modelled(published, found)]
        wanted = standings(published, syncs, found)
        measured = _measured(published, found)
    with open_warehouse(home, purpose="verify an event") as live:
        received = _received(live, found)
        told = receipts_of(live, found)
    hops = [_emitted(found), received, *hops, *(_sent(one, told) for one in wanted), measured]
    ids = ("message_event_id", "event_id", "person_id", "delivery_id", "channel", "metric")
    return Verified({name: found[name] for name in ids}, hops)


def _find_event(
    published: Published,
    syncs: Sequence[tuple[Sync, Target]],
    person: str | None,
    event: str | None,
) -> Row | None:
    forwarded = {
        metric
        for sync, target in syncs
        if sync.mode == "append" and target.inactive is None
        for metric in sync.filter.get("metric", ())
    }
    given: Row = {}
    condition, first = "not is_ghost", "true"
    if event is not None:
        given["event"] = event
        condition = "(event_id = $event or message_event_id = $event)"
    else:
        given["forwarded"] = sorted(forwarded)
        first = "not list_contains($forwarded, metric)"
    if person is not None:
        given["person"] = person
        condition += " and person_id = $person"
    table = published.table("marts", "message_events")
    query = _EVENT.format(table=table, condition=condition, first=first)
    return _one(published.connection, query, given)


def _not_built(home: Home, event: str | None, person: str | None) -> Verified:
    """What is not in the build may have come in since: then it only waits."""
    if event is not None:
        with open_warehouse(home, purpose="verify an event") as live:
            received = _received(live, {"event_id": event, "feeds": "webhook", "delivery_id": None})
        if received.state == "ok":
            waiting = Hop(
                "modelled",
                "waiting",
                "message_events",
                "came in after the published build",
                mend="run `cio build`",
            )
            return Verified({"event_id": event}, [received, waiting])
    whose = f" of {person}" if person else ""
    which = f"no event {event}{whose}" if event else f"no message event{whose}"
    message = (
        f"there is {which} in the published build, and none came in since. Send yourself a message "
        "from Customer.io, then `cio load webhooks` and `cio build`; a line that could not be read "
        "is in raw_customerio.quarantine with its reason."
    )
    raise UsageError(message)


def _emitted(event: Row) -> Hop:
    campaign = event["campaign_id"] or event["broadcast_id"] or event["newsletter_id"]
    place = campaign or event["transactional_message_id"] or "no campaign"
    detail = f"{event['channel']} {event['metric']}, {place}"
    return Hop("emitted", "ok", event["event_id"] or "no event_id", detail, event["occurred_at"])


def _received(live: duckdb.DuckDBPyConnection, event: Row) -> Hop:
    for feed in (event["feeds"] or "").replace(" ", "").split(","):
        if feed not in _RAW:
            continue
        table, condition = _RAW[feed]
        names = [name for name in ("event_id", "delivery_id", "metric") if f"${name}" in condition]
        query = _RECEIVED.format(table=table, condition=condition)
        try:
            found = _one(live, query, {name: event[name] for name in names})
        except duckdb.CatalogException:
            found = None
        if found and found["lines"]:
            detail = f"{found['lines']} line{'s' if found['lines'] > 1 else ''} of raw_customerio"
            return Hop("received", "ok", feed, f"{detail}.{table}", found["received_at"])
    return Hop(
        "received",
        "failed",
        str(event["feeds"]),
        "its line is not in the raw tables",
        mend="load the feed again: `cio load webhooks`",
    )


def _modelled(published: Published, event: Row) -> Hop:
    build = published.build
    at = build.finished_at or build.started_at
    if event["person_id"] is None:
        mend = "see identity_health: `cio doctor`"
        return Hop("modelled", "failed", "message_events", "names nobody", at, mend)
    return Hop("modelled", "ok", "message_events", f"of person {event['person_id']}", at)


def _sent(one: Standing, told: Mapping[tuple[str, str], Row]) -> Hop:
    """How a sync stands: each row that it is to have there is there, by its receipt."""
    name = "delivered" if one.is_event else "audiences"
    hop = Hop(name, "ok", one.sync, "")
    if one.left_out and not one.keys:
        return replace(hop, state="left out", detail=one.left_out)
    missing = [key for key in one.keys if (one.sync, key) not in told]
    receipts = [told[one.sync, key] for key in one.keys if (one.sync, key) in told]
    refused = [row for row in receipts if row["outcome"] != "accepted"]
    at = max((row["finished_at"] for row in receipts), default=None)
    if refused:
        detail = f"{refused[0]['outcome']}: {refused[0]['reason']}"
        mend = f"`cio sync retry --select {one.sync}` once that is mended"
        return replace(hop, state="failed", detail=detail, at=at, mend=mend)
    if missing:
        detail = f"{len(missing)} of {len(one.keys)} rows not sent yet"
        return replace(
            hop, state="waiting", detail=detail, at=at, mend=f"`cio sync run --select {one.sync}`"
        )
    labels = ", ".join(sorted({str(row["label"]) for row in receipts}))
    return replace(hop, detail=f"accepted: {labels}", at=at)


def _measured(published: Published, event: Row) -> Hop:
    keys = ("campaign_id", "broadcast_id", "newsletter_id", "transactional_message_id")
    table = published.table("marts", "campaign_performance_daily")
    given = {name: event[name] for name in (*keys, "occurred_at")}
    found = _one(published.connection, _PERFORMANCE.format(table=table), given)
    if found is None:
        mend = "a message counts on the day it was sent: is the event that sent it loaded?"
        return Hop("measured", "failed", table, "its message is counted on no day", mend=mend)
    arms = published.connection.execute(
        _ARMS.format(table=published.table("marts", "experiment_people")),
        {"person_id": event["person_id"]},
    ).fetchall()
    said = ", ".join(str(arm) for (arm,) in arms) or "in no experiment"
    detail = f"one of {found['deliveries']:,} deliveries of {found['sent_on']}; {said}"
    return Hop("measured", "ok", "campaign_performance_daily", detail)


def _one(connection: duckdb.DuckDBPyConnection, query: str, given: Row) -> Row | None:
    cursor = connection.execute(query, given)
    names = [column[0] for column in cursor.description or ()]
    row = cursor.fetchone()
    return None if row is None else dict(zip(names, row, strict=True))
