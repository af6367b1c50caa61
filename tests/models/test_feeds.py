"""Webhooks, exports and the App API tell one history, alone, in pairs and together.

One world is written as all three. What a feed cannot tell is not compared where it is alone: the
exports of before flags say nothing of machines, and the API has only the first of each metric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from tests.models.feeds_of_one_world import (
    AS_OF,
    DAYS,
    PREFIX,
    SELECTED,
    Feeds,
    add_raw_rows,
    feeds_of_one_world,
)
from warehouse.connection import open_warehouse
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

MILESTONES = (
    *("first_event_at", "drafted_at", "attempted_at", "sent_at", "delivered_at", "exposed_at"),
    *("first_opened_at", "first_clicked_at", "converted_at", "bounced_at", "dropped_at"),
    *("undeliverable_at", "failed_at", "unsubscribed_at", "spammed_at"),
)
IDS = (
    *("campaign_id", "newsletter_id", "transactional_message_id", "action_id", "content_id"),
    *("object_type", "channel"),
)
COMPARED = ("int_message_events", "int_deliveries", "int_delivery_headers", "int_message_responses")
ACTORS = ("first_human_opened_at", "first_human_clicked_at")
COUNTS = ("human_opens", "machine_opens", "human_clicks", "machine_clicks")


UNFLAGGED = f"""(
    select coalesce(delivery_id, '') from {PREFIX}intermediate.int_message_occurrences
    where feed = 'webhook' and metric in ('opened', 'clicked') and object_type = 'email'
        and coalesce(is_machine, is_prefetched) is null
)"""
"""Messages of which webhooks do not say who opened or clicked them."""


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feeds]:
    with feeds_of_one_world(tmp_path_factory.mktemp("feeds")) as feeds:
        yield feeds


def rows(home: Home, sql: str) -> list[tuple[object, ...]]:
    with open_warehouse(home, purpose="look") as connection:
        return connection.execute(sql.replace("@", PREFIX)).fetchall()


def differences(home: Home, other: Home, columns: tuple[str, ...], where: str) -> dict[str, int]:
    """How many deliveries of `where` differ between two homes, by column."""
    counts = ", ".join(f"count(*) filter (where a.{c} is distinct from b.{c})" for c in columns)
    table = f"{PREFIX}intermediate.int_deliveries"
    with open_warehouse(home, purpose="look") as connection:
        connection.execute(f"attach '{other.warehouse}' as other (read_only)")
        found = connection.execute(
            "select count(*), count(*) filter (where a.delivery_id is null or b.delivery_id is "
            f"null), {counts} from {table} as a full join other.{table} as b using (delivery_id) "
            f"where {where}"
        ).fetchall()[0]
        connection.execute("detach other")
    assert found[0] > 100
    return {n: c for n, c in zip(("missing", *columns), found[1:], strict=True) if c}


TOGETHER = [
    ("exports", "webhooks"),
    ("api", "webhooks"),
    ("webhooks", "exports", "api"),
]


@pytest.mark.parametrize("others", TOGETHER, ids="+".join)
def test_more_feeds_than_webhooks_add_and_lose_no_event(
    feeds: Feeds, others: tuple[str, ...]
) -> None:
    """Webhooks of every open and click tell all; whatever comes beside them is known already."""
    whole, home = feeds.home("webhooks"), feeds.home(*others)
    columns = (*MILESTONES, *ACTORS, *COUNTS, *IDS, "broadcast_id", "parent_action_id")
    # where history has no flags the API knows better, which is the point of asking it
    assert differences(home, whole, columns, "a.delivery_id not in " + UNFLAGGED) == {}
    events = (
        "select delivery_id, metric, occurred_at, count(*), count(*) filter (where is_human) "
        "from @intermediate.int_message_events where coalesce(delivery_id, '') not in "
        + UNFLAGGED
        + " group by all order by all"
    )
    assert rows(home, events) == rows(whole, events)


@pytest.mark.parametrize("alone", [("exports",), ("api",), ("exports", "api")], ids="+".join)
def test_what_other_feeds_tell_without_webhooks_is_what_webhooks_tell(
    feeds: Feeds, alone: tuple[str, ...]
) -> None:
    whole, home = feeds.home("webhooks"), feeds.home(*alone)
    assert differences(home, whole, (*MILESTONES, *IDS), "true") == {}
    # exports know machines in newer files only, and people who deleted themselves in none
    newer = f"b.first_event_at >= timestamp '{AS_OF:%Y-%m-%d}' - interval {int(DAYS * 0.7)} day"
    flagged = newer + " and a.delivery_id not in " + UNFLAGGED
    assert differences(home, whole, ACTORS, flagged) == {}
    if alone[0] == "exports":
        assert differences(home, whole, COUNTS, flagged) == {}


def test_the_api_alone_counts_the_first_by_people_and_the_first_by_machines(feeds: Feeds) -> None:
    counts = """
        select
            delivery_id,
            least(human_clicks, 1),
            least(machine_clicks, 1),
            least(human_opens, 1),
            least(machine_opens, 1)
        from @intermediate.int_deliveries
        where channel = 'email'
        order by all
    """
    whole, home = feeds.home("webhooks"), feeds.home("api")
    unflagged = {row[0] for row in rows(whole, UNFLAGGED)}
    expected = [row for row in rows(whole, counts) if row[0] not in unflagged]
    assert [row for row in rows(home, counts) if row[0] not in unflagged] == expected
    most = "select max(human_clicks), max(machine_clicks) from @intermediate.int_deliveries"
    assert rows(home, most) == [(1, 1)]
    assert rows(whole, most) != [(1, 1)]


def test_every_row_says_which_feeds_told_it(feeds: Feeds) -> None:
    home = feeds.home("webhooks", "exports", "api")
    by_metric = dict(
        rows(
            home,
            "select metric, list(distinct feeds order by feeds) "
            "from @intermediate.int_message_events group by all",
        )
    )
    assert by_metric["sent"] == by_metric["delivered"] == ["api,export,webhook"]
    assert by_metric["subscribed"] == ["webhook"]
    # the API has the first of each kind, the others all of them
    assert by_metric["clicked"] == ["api,export,webhook", "export,webhook"]
    assert rows(home, "select distinct feeds from @intermediate.int_deliveries") == [
        ("api,export,webhook",)
    ]


def test_people_are_the_same_whichever_feed_names_them(feeds: Feeds) -> None:
    named = (
        "select count(*), count(distinct profile_key) from @intermediate.int_deliveries "
        "where profile_key like 'cio:%'"
    )
    exported, asked = rows(feeds.home("exports"), named), rows(feeds.home("api"), named)
    assert exported == asked
    keys = "select distinct profile_key from @intermediate.int_deliveries"
    assert {row[0] for row in rows(feeds.home("exports"), keys)} - {None} <= {
        row[0] for row in rows(feeds.home("webhooks"), keys)
    }


def assert_same(home: Home, other: Home) -> None:
    """Events, deliveries, their headers and responses have the same rows in both homes."""
    with open_warehouse(home, purpose="look") as connection:
        connection.execute(f"attach '{other.warehouse}' as other (read_only)")
        for table in COMPARED:
            name = f"{PREFIX}intermediate.{table}"
            for one, two in ((name, f"other.{name}"), (f"other.{name}", name)):
                left = connection.execute(f"from {one} except all from {two}").fetchall()
                assert left == [], table
        connection.execute("detach other")


def test_feeds_that_come_in_parts_and_in_turns_give_what_one_build_gives(
    feeds: Feeds, tmp_path: Path
) -> None:
    """Exports first, half of them; then the API; then webhooks; then the other half."""
    home = feeds.copy(feeds.seeded, Home(tmp_path / "home"))
    files = [str(path) for path in sorted((feeds.world / "exports").iterdir())]
    for step in (files[1::2], "api", "webhooks", files[::2]):
        if isinstance(step, str):
            feeds.load(home, step)
        else:
            load(home, "exports", step)
        feeds.models.run(home, arguments=SELECTED)
    whole = feeds.home("webhooks", "exports", "api")
    assert_same(home, whole)


LASTING = """
    select
        delivery_id,
        min(occurred_at) as first_at,
        max(occurred_at) as last_at,
        row_number() over (order by last_at - first_at desc, delivery_id) as number
    from other.raw_customerio.webhook_events
    where delivery_id is not null
    group by delivery_id
    qualify number <= 2
"""
"""The two messages with the longest time between their first event and their last."""

PARTS = (
    ("webhook_events", "number is null"),
    # the last of one comes first; a build dies once it has taken what the first says of it
    ("webhook_events", "number = 1 and occurred_at = last_at"),
    ("webhook_events", "number = 1 and occurred_at = first_at"),
    ("webhook_events", "number = 1 and occurred_at > first_at and occurred_at < last_at"),
    # metrics of a message that no export has told of
    ("export_metrics", "number = 2 and created_at = first_at"),
    ("webhook_events", "number = 2 and occurred_at = last_at"),
    ("webhook_events", "delivery_id is null"),
)
DYING = 2


def load_part(home: Home, other: Home, number: int) -> None:
    """Give a home a part of what is loaded in another, as a load of its own."""
    table, condition = PARTS[number]
    with open_warehouse(home, purpose="load a part") as connection:
        connection.execute(f"attach '{other.warehouse}' as other (read_only)")
        counted = connection.execute(
            f"insert into raw_customerio.{table} by name "
            f"select told.* replace ('part {number}' as _dlt_load_id) "
            f"from other.raw_customerio.{table} as told left join ({LASTING}) as lasting "
            f"using (delivery_id) where {condition}"
        ).fetchall()
        connection.execute(
            "insert into raw_customerio._dlt_loads by name "
            f"select * replace ('part {number}' as load_id) "
            "from other.raw_customerio._dlt_loads limit 1"
        )
        connection.execute("detach other")
    assert counted[0][0] > 0, PARTS[number]


def test_a_build_looks_back_as_far_as_what_it_touches_goes(feeds: Feeds, tmp_path: Path) -> None:
    """Few messages are touched at a time, so that everything older lies out of its sight."""
    both, grown = (
        feeds.copy(feeds.loaded["webhooks"], Home(tmp_path / name)) for name in ("both", "grown")
    )
    add_raw_rows(both, feeds.loaded["exports"])
    with open_warehouse(grown, purpose="begin with nothing") as connection:
        connection.execute("delete from raw_customerio.webhook_events")
        connection.execute("delete from raw_customerio._dlt_loads")
        connection.execute(f"attach '{both.warehouse}' as other (read_only)")
        name = "raw_customerio.export_metrics"
        connection.execute(f"create table if not exists {name} as from other.{name} limit 0")
        connection.execute("detach other")
    for number in range(len(PARTS)):
        load_part(grown, both, number)
        until = ("--select", "+int_delivery_headers") if number == DYING else SELECTED
        feeds.models.run(grown, arguments=until)
    anew = feeds.copy(grown, Home(tmp_path / "anew"))
    feeds.models.run(anew, arguments=["--full-refresh", *SELECTED])
    assert_same(grown, anew)
    assert rows(grown, "select count(*) from @intermediate.int_message_responses") > [(100,)]


# Newer versions of a part of what was told: of messages of the API that nothing happened to, of
# exported deliveries that belong elsewhere, of exported metrics that came a second later.
TAKEN_BACK = {
    "api_messages": "observed_at + interval 1 day as observed_at, "
    "changed_at + interval 1 day as changed_at, '{}' as metrics",
    "export_deliveries": "coalesce(seq_num, 0) + 1000 as seq_num, 'zz' as campaign_id",
    "export_metrics": "coalesce(seq_num, 0) + 1000 as seq_num, "
    "created_at + interval 1 second as created_at",
}


def test_what_a_newer_version_takes_back_is_gone(feeds: Feeds, tmp_path: Path) -> None:
    before = feeds.home("webhooks", "exports", "api")
    grown, anew = (feeds.copy(before, Home(tmp_path / name)) for name in ("grown", "anew"))
    for home in (grown, anew):
        with open_warehouse(home, purpose="tell anew") as connection:
            for table, changed in TAKEN_BACK.items():
                connection.execute(
                    f"insert into raw_customerio.{table} "
                    f"select * replace ('newer' as _dlt_load_id, {changed}) "
                    f"from raw_customerio.{table} where hash(delivery_id) % 3 = 0"
                )
            connection.execute(
                "insert into raw_customerio._dlt_loads select * replace ('newer' as load_id) "
                "from raw_customerio._dlt_loads limit 1"
            )
    feeds.models.run(grown, arguments=SELECTED)
    feeds.models.run(anew, arguments=["--full-refresh", *SELECTED])
    assert_same(grown, anew)
    counted = "select count(*) from @intermediate.int_message_events where feeds like 'api%'"
    assert rows(grown, counted) < rows(before, counted)
