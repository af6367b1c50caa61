"""Who must not be in a sync: for lack of consent, for a holdout, or as it is about nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from reverse_etl.stop_list import OPTED_OUT
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from reverse_etl.settings import Sync
    from warehouse.connection import Published

NO_CONSENT = "no consent"
NOT_IN_TOPIC = "not in the topic"
HELD_OUT = "held out"
_PERSONAL = (
    *("person_id", "customer_id", "cio_id", "profile_key", "email", "phone"),
    *("first_name", "last_name"),
)
"""Columns that say who somebody is, and are empty where a model's rows are about nobody."""


def columns_of(published: Published, layer: str, name: str) -> set[str]:
    """The columns of a relation of the build; none if it is not there."""
    # a look at the relation alone: a look through all columns of the warehouse takes ten times that
    try:
        found = published.connection.execute(f"from {published.table(layer, name)} limit 0")
    except duckdb.CatalogException:
        return set()
    return {column[0] for column in found.description or ()}


def exclude(
    published: Published, sync: Sync, *, at: datetime, opted_out: Collection[str] = ()
) -> None:
    """Make the table `excluded` (person_id, reason) in a plan's connection.

    In it is who must not be in an activating sync: `marts.person_consent` (person_id,
    is_opted_out) and `marts.experiment_people` (person_id, is_held_out, `covers`, a list of syncs
    or `all`, and `held_out_until`, null for no end) decide; who opted out since; and where the sync
    names a topic, `marts.person_topics` (person_id, topic, is_subscribed).

    Args:
        published: The build.
        sync: The sync.
        at: The instant of the plan.
        opted_out: People who opted out since the build.

    Raises:
        CioError: The build lacks one of them, so that nobody could be told from those who must
            not be reached; or nothing is known of the topic.
    """
    connection = published.connection
    connection.execute("create temp table excluded (person_id varchar, reason varchar)")
    if sync.use != "activate":
        return
    _require(published, sync, "person_consent", {"person_id", "is_opted_out"})
    _require(published, sync, "experiment_people", {"person_id", "is_held_out", "covers"})
    consent = published.table("marts", "person_consent")
    connection.execute(
        f"insert into excluded select distinct person_id, '{NO_CONSENT}' from {consent} "  # noqa: S608 - names of the build
        "where is_opted_out and person_id is not null"
    )
    if opted_out:
        connection.register("opted_out", pa.table({"person_id": pa.array(opted_out, pa.string())}))
        connection.execute(
            "insert into excluded select person_id, $reason from opted_out "
            "where person_id not in (select person_id from excluded)",
            {"reason": OPTED_OUT},
        )
        connection.unregister("opted_out")
    if sync.topic is not None:
        _exclude_by_topic(published, sync, sync.topic)
    people = published.table("marts", "experiment_people")
    # a build of before the column was there lets nobody out
    has_end = "held_out_until" in columns_of(published, "marts", "experiment_people")
    is_held_out = "coalesce(held_out_until > $at, true)" if has_end else "true"
    connection.execute(
        f"insert into excluded select distinct person_id, '{HELD_OUT}' from {people} "  # noqa: S608 - names of the build
        "where is_held_out and person_id is not null and list_has_any("
        f"list_transform(string_split(covers, ','), lambda s: trim(s)), ['all', '{sync.name}']) "
        f"and {is_held_out} and person_id not in (select person_id from excluded)",
        {"at": at} if has_end else {},
    )


def _exclude_by_topic(published: Published, sync: Sync, topic: str) -> None:
    """Leave out who left the topic; and who never chose it, unless people are in it by default."""
    _require(published, sync, "person_topics", {"person_id", "topic", "is_subscribed"})
    _require(published, sync, "subscription_topics", {"topic", "is_subscribed_by_default"})
    topics = published.table("marts", "subscription_topics")
    row = published.connection.execute(
        f"select is_subscribed_by_default from {topics} where topic = $topic",  # noqa: S608 - a name of the build
        {"topic": topic},
    ).fetchone()
    if row is None:
        message = (
            f"sync {sync.name} is for {topic}, and neither the App API's topics nor anybody's "
            f"preferences have it. Correct `topic`, or run `cio load api topics` and `cio build`; "
            "nothing was sent."
        )
        raise CioError(message)
    of_topic = f"{published.table('marts', 'person_topics')} where topic = $topic"
    outbound = published.table("outbound", sync.model)
    out = (
        f"select person_id from {of_topic} and not is_subscribed"  # noqa: S608 - names of the build
        if row[0]
        else f"select distinct person_id from {outbound} where person_id is not null "  # noqa: S608 - names of the build
        f"and person_id not in (select person_id from {of_topic} and is_subscribed)"
    )
    published.connection.execute(
        f"insert into excluded select person_id, $reason from ({out}) as out "  # noqa: S608 - names of the build
        "where person_id not in (select person_id from excluded)",
        {"topic": topic, "reason": NOT_IN_TOPIC},
    )


def _require(published: Published, sync: Sync, name: str, columns: set[str]) -> None:
    missing = columns - columns_of(published, "marts", name)
    if missing:
        message = (
            f"sync {sync.name} activates people, and {published.table('marts', name)} has no "
            f"{', '.join(sorted(missing))}: who opted out or is held out could not be told. "
            "Run `cio build`; nothing was sent."
        )
        raise CioError(message)


def refuse_people(published: Published, sync: Sync) -> None:
    """Where an object's rows are about nobody, a model that names people is not sent.

    Raises:
        CioError: A row of it says who somebody is.
    """
    if sync.identity != "record_key":
        return
    found = columns_of(published, "outbound", sync.model)
    columns = sorted(c for c in found if c in _PERSONAL or c.endswith("_match_keys"))
    outbound = published.table("outbound", sync.model)
    named = [
        column
        for column in columns
        if published.connection.execute(
            f"select 1 from {outbound} where coalesce({column}, '') <> '' limit 1"  # noqa: S608 - names of the build
        ).fetchone()
    ]
    if named:
        message = (
            f"sync {sync.name}: {sync.destination} {sync.object} takes rows about nobody, and "
            f"{outbound} names people by {', '.join(named)}. Make a model of counts for it; "
            "nothing was sent."
        )
        raise CioError(message)
