"""Everything the warehouse knows of one person, and what was said of them to whom."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from warehouse.connection import open_warehouse, read_published
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.connection import Published
    from warehouse.home import Home

Row = dict[str, Any]

_IDENTIFIERS = """
select identifier_type, identifier, first_seen_at, last_seen_at, is_shared
from person_identifiers where person_id = $person order by identifier_type, last_seen_at desc
"""
_CONSENT = """
select channel, is_opted_out, stated_at from person_consent where person_id = $person
union all
select topic, not is_subscribed, stated_at from person_topics where person_id = $person
order by channel
"""
_PRESSURE = """
select messages_7d, messages_14d, messages_30d, clicks_14d, clicks_30d, tier
from person_fatigue where person_id = $person
"""
_PURCHASES = """
select orders, first_ordered_at, last_ordered_at, currency, total_amount
from person_purchases where person_id = $person
"""
_EVENTS = """
select occurred_at, channel, metric, is_human, is_ghost, campaign_id, delivery_id
from message_events where person_id = $person
order by occurred_at desc, message_event_id limit $limit
"""
_EXPERIMENTS = """
select experiment_id, coalesce(people.arm, 'several arms, so in none') as arm,
    string_agg(distinct assignments.evidence, ', ') as evidence, people.is_held_out,
    people.held_out_until, people.index_at, people.window_ends_at, people.is_delivered,
    people.is_mature
from experiment_people as people
inner join assignments using (experiment_id, person_id)
where person_id = $person group by all order by experiment_id
"""
_AUDIENCES = """
select audience, entered_at, expires_at, reason
from audience_members where person_id = $person order by audience
"""
_RECEIPTS = """
select sync, operation, label, outcome, reason, finished_at, run_id
from raw_reverse_etl.receipts
where person_id = $person order by finished_at desc, sync, label limit $limit
"""


@dataclass(frozen=True)
class Explanation:
    """One person, hop by hop.

    Attributes:
        person_id: The person.
        as_of: The instant windows are relative to.
        identifiers: Every id they ever had.
        consent: Their latest word a channel or topic.
        pressure: Messages and clicks in windows.
        purchases: What they bought.
        events: Their newest message events.
        experiments: The arm of each experiment they are in, and how that is known.
        audiences: Each audience: whether they are in, and the values that decided it.
        receipts: What syncs did about them, newest first.
    """

    person_id: str
    as_of: str
    identifiers: list[Row]
    consent: list[Row]
    pressure: list[Row]
    purchases: list[Row]
    events: list[Row]
    experiments: list[Row]
    audiences: list[Row]
    receipts: list[Row]

    def to_json(self) -> dict[str, Any]:
        """The explanation as JSON has it."""
        return asdict(self)


def explain(
    home: Home, identifier: str, *, manifest: Mapping[str, Any], limit: int = 20
) -> Explanation:
    """Explain one person.

    Args:
        home: The home.
        identifier: A customer id, an e-mail address, a cio_id or a person_id.
        manifest: dbt's manifest, for the audiences there are.
        limit: How many events and receipts at the most.

    Returns:
        The explanation, from the published build and the receipts landed since.

    Raises:
        UsageError: Nobody has the identifier, or several people have it.
        CioError: Nothing is published.
    """
    with read_published(home) as published:
        layers = ("marts", "audiences")
        path = ",".join(f"warehouse.{published.schema(layer)}" for layer in layers)
        published.connection.execute(f"set search_path = '{path}'")
        person = find_person(published, identifier)
        given = {"person": person}
        limited = {"person": person, "limit": limit}
        read = published.connection
        members = {row["audience"]: row for row in _rows(read, _AUDIENCES, given)}
        found = Explanation(
            person_id=person,
            as_of=f"{published.build.as_of:%Y-%m-%d %H:%M:%S} UTC",
            identifiers=_rows(read, _IDENTIFIERS, given),
            consent=_rows(read, _CONSENT, given),
            pressure=_rows(read, _PRESSURE, given),
            purchases=_rows(read, _PURCHASES, given),
            events=_rows(read, _EVENTS, limited),
            experiments=_rows(read, _EXPERIMENTS, given),
            audiences=_audiences(manifest, members),
            receipts=[],
        )
    with open_warehouse(home, purpose="explain a person") as live:
        try:
            receipts = _rows(live, _RECEIPTS, limited)
        except duckdb.CatalogException:
            receipts = []
    return Explanation(**{**vars(found), "receipts": receipts})


def find_person(published: Published, identifier: str) -> str:
    """The one person that an identifier names.

    Args:
        published: The build.
        identifier: A customer id, an e-mail address, a cio_id or a person_id.

    Raises:
        UsageError: Nobody has it, or several people have it.
    """
    table = published.table("marts", "person_identifiers")
    people = published.connection.execute(
        f"select distinct person_id from {table} "  # noqa: S608 - a name of the build
        "where identifier = trim($given) or identifier = lower(trim($given)) "
        "or person_id = $given",
        {"given": identifier},
    ).fetchall()
    if not people:
        message = (
            f"nobody in the published build has the identifier {identifier!r}. Give a customer "
            "id, an e-mail address, a cio_id or a person_id; load and build first if it is new."
        )
        raise UsageError(message)
    if len(people) > 1:
        ids = ", ".join(person for (person,) in people)
        message = (
            f"{identifier!r} belongs to {len(people)} people, whom it does not join: {ids}. "
            "Give one of these."
        )
        raise UsageError(message)
    return str(people[0][0])


def _audiences(manifest: Mapping[str, Any], members: Mapping[str, Row]) -> list[Row]:
    found = []
    for node in manifest.get("nodes", {}).values():
        meta = (node.get("config", {}).get("meta") or {}).get("audience")
        if node.get("resource_type") != "model" or not meta:
            continue
        member = members.get(node["name"])
        found.append(
            {
                "audience": node["name"],
                "label": meta["label"],
                "is_member": member is not None,
                # of who is out, the rule is all there is to say
                "reason": member["reason"]
                if member
                else "out: " + " ".join(node["description"].split()),
                "entered_at": member and member["entered_at"],
                "expires_at": member and member["expires_at"],
            }
        )
    return sorted(found, key=lambda row: (not row["is_member"], row["audience"]))


def _rows(connection: duckdb.DuckDBPyConnection, query: str, given: Mapping[str, Any]) -> list[Row]:
    cursor = connection.execute(query, dict(given))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
