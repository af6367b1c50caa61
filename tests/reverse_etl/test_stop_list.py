"""Who opted out under one identifier is not sent under another, nor left where they were sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from reverse_etl.contract import Change
from reverse_etl.run import plan_syncs, run_syncs
from reverse_etl.stop_list import OPTED_OUT, read_for
from warehouse.connection import read_published
from warehouse.publish import known_people_file, published_files
from warehouse.stop_list import append, stop_list_path

from .world import World, member

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reverse_etl.contract import Operation
    from reverse_etl.run import Room

    from .conftest import Fake

LABEL = "CIO | clickers | 0-7d"
# people 0 to 3, each with an address; people 2 and 3 share one more
IDENTIFIERS = {
    "marts.person_identifiers": """
        select 'person-' || n as person_id, 'email' as identifier_type,
            n || '@example.com' as identifier, false as is_shared
        from range(4) as numbers(n)
        union all
        select 'person-' || n, 'email', 'both@example.com', true from range(2, 4) as numbers(n)
    """
}


@pytest.fixture
def built(world: World) -> World:
    world.declare_members("activating", use="activate")
    world.declare_members("analysing")
    world.build(members=[member(n) for n in range(4)], tables=IDENTIFIERS)
    return world


def change(number: int, *, identifier: str | None = None, operation: Operation = "add") -> Change:
    name = identifier or f"customer-{number}"
    return Change(0, operation, "key", f"person-{number}", name, LABEL, None, "{}", "f")


def unsubscribe(folder: Path, email: str) -> str:
    event = {
        "event_id": f"unsubscribed {email}",
        "object_type": "email",
        "metric": "unsubscribed",
        "timestamp": 1_767_225_600,
        "data": {"delivery_id": email, "identifiers": {"email": email}},
    }
    path = folder / "events.jsonl"
    path.write_text(json.dumps(event) + "\n")
    return str(path)


def test_an_opt_out_by_address_takes_the_person_off_a_list_kept_by_customer_id(
    built: World, fake: Fake, room: Callable[..., Room], tmp_path: Path
) -> None:
    everybody = {(f"customer-{n}", LABEL) for n in range(4)}
    run_syncs(room(select=["activating"]))
    assert fake.members == everybody
    load(built.home, "webhooks", [unsubscribe(tmp_path, " 1@EXAMPLE.com")])
    (plan, analysing) = plan_syncs(room())
    assert (plan.adds, plan.removes, plan.left_out) == (0, 1, {OPTED_OUT: 1})
    assert (analysing.adds, analysing.left_out) == (4, {})
    run_syncs(room(select=["activating"]))
    assert fake.members == everybody - {("customer-1", LABEL)}


def test_an_opt_out_while_a_sync_delivers_stops_the_person_under_every_identifier(
    built: World, room: Callable[..., Room]
) -> None:
    plan_syncs(room())
    home = built.home
    with read_published(home) as published:
        build = published.build
    stop_list = read_for(home, "activate", build)
    analysing = read_for(home, "analyse", build)
    append(stop_list_path(home), "opt_out", ["1@example.com", "both@example.com"], by="receive")
    for each in (stop_list, analysing):
        each.refresh()
    assert stop_list.reason(change(1)) == OPTED_OUT
    assert stop_list.reason(change(1, identifier='{"PHONE":"a hash"}')) == OPTED_OUT
    assert stop_list.reason(change(1, operation="remove")) is None
    assert stop_list.reason(change(0)) is None
    assert analysing.reason(change(1)) is None
    # a shared address points at nobody, but nobody is sent under it
    assert stop_list.reason(change(2)) is None
    assert stop_list.reason(change(2, identifier="both@example.com")) == OPTED_OUT

    append(stop_list_path(home), "opt_out", ["0@example.com"], by="receive")
    stop_list.refresh()
    assert stop_list.reason(change(0)) == OPTED_OUT
    assert stop_list.reason(change(1)) == OPTED_OUT


def test_a_topic_left_after_the_build_stops_the_syncs_of_that_topic_alone(
    world: World, room: Callable[..., Room], tmp_path: Path
) -> None:
    topics = {
        "marts.person_topics": "select '' as person_id, '' as topic, true as is_subscribed "
        "where false",
        "marts.subscription_topics": "select unnest(['topic_1', 'topic_2']) as topic, "
        "true as is_subscribed_by_default",
    }
    for name, topic in (("of_one", "topic_1"), ("of_two", "topic_2"), ("of_none", None)):
        named = {"topic": topic} if topic else {}
        world.declare_members(name, use="activate", settings={"property": name}, **named)
    world.build(members=[member(n) for n in range(3)], tables=IDENTIFIERS | topics)
    planned = {plan.name: plan.adds for plan in plan_syncs(room())}
    assert planned == {"of_one": 3, "of_two": 3, "of_none": 3}
    changed = {
        "event_id": "changed",
        "object_type": "customer",
        "metric": "cio_subscription_preferences_changed",
        "timestamp": 1_767_225_600,
        "data": {
            "identifiers": {"email": "1@example.com"},
            "content": json.dumps({"topics": {"topic_1": False, "topic_2": True}}),
        },
    }
    path = tmp_path / "changes.jsonl"
    path.write_text(json.dumps(changed) + "\n")
    load(world.home, "webhooks", [str(path)])
    plans = {plan.name: (plan.adds, plan.left_out) for plan in plan_syncs(room())}
    assert plans == {"of_one": (2, {OPTED_OUT: 1}), "of_two": (3, {}), "of_none": (3, {})}

    # one who leaves while a sync delivers is not in its next attempt
    with read_published(world.home) as published:
        build = published.build
    append(stop_list_path(world.home), "opt_out", ["0@example.com"], by="load", topics=["topic_2"])
    lists = {t: read_for(world.home, "activate", build, topic=t) for t in ("topic_2", None)}
    for each in lists.values():
        each.refresh()
    assert lists["topic_2"].reason(change(0)) == OPTED_OUT
    assert lists[None].reason(change(0)) is None


def test_what_a_build_knows_goes_when_the_build_goes(
    built: World, room: Callable[..., Room]
) -> None:
    plan_syncs(room())
    home = built.home
    (first,) = published_files(home)
    assert not known_people_file(first).exists()
    with read_published(home) as published:
        stop_list = read_for(home, "activate", published.build)
    append(stop_list_path(home), "opt_out", ["0@example.com"], by="receive")
    stop_list.refresh()
    assert known_people_file(first).exists()
    for _ in range(2):
        built.build(members=[member(1)], tables=IDENTIFIERS)
        plan_syncs(room())
    assert not first.exists()
    assert not known_people_file(first).exists()
    # a run that takes that long asks a newer build
    append(stop_list_path(home), "opt_out", ["3@example.com"], by="receive")
    stop_list.refresh()
    assert stop_list.reason(change(3)) == OPTED_OUT
