from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from fakes import mixpanel
from reverse_etl.clock import Clock
from reverse_etl.journal import RunFolder
from reverse_etl.plan import Asked, SyncPlan, open_published, plan_sync
from reverse_etl.run import plan_syncs
from reverse_etl.settings import read_syncs
from reverse_etl.targets import find_target
from warehouse.connection import publish_if_free
from warehouse.errors import CioError, UsageError

from .world import NOW, World, event, md5, member

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from reverse_etl.run import Room


# the window of the first person ends by the clock; the second stays as long as the data says
EXPIRING = f"""
select *, case person_id when 'person-1' then timestamp '{NOW}' end as expires_at
from outbound.outbound_members
"""


def counts(plan: SyncPlan) -> tuple[int, int, int]:
    return plan.adds, plan.updates, plan.removes


@pytest.fixture
def rows(world: World, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """The planned rows of a sync, as the plan on disk has them."""

    def read(name: str, now: datetime = NOW, **asked: object) -> list[dict[str, Any]]:
        (sync,) = read_syncs(world.manifest, select=[name])
        folder = RunFolder(tmp_path / "plan")
        folder.path.mkdir(exist_ok=True)
        publish_if_free(world.home)
        with open_published(world.home) as reader:
            plan_sync(reader, sync, find_target(sync), folder, Asked(**asked), now=now)
        return pq.read_table(folder.plan).to_pylist()

    return read


def one(room: Callable[..., Room], **asked: object) -> SyncPlan:
    (plan,) = plan_syncs(room(), Asked(**asked))
    return plan


def test_the_first_plan_adds_everything(world: World, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.declare_members()
    world.build(events=[event(n) for n in range(5)], members=[member(n) for n in range(3)])
    plans = plan_syncs(room())
    assert [(plan.name, *counts(plan)) for plan in plans] == [
        ("events", 5, 0, 0),
        ("members", 3, 0, 0),
    ]
    assert plans[0].to_json() == {
        "name": "events",
        "destination": "mixpanel",
        "use": "analyse",
        "adds": 5,
        "updates": 0,
        "removes": 0,
        "left_out": {},
        "is_active": True,
        "is_canary": False,
        "identified_share": 1.0,
        "sent_this_month": 0,
        "monthly_rows": None,
        "samples": {"append": sorted(event(n)["record_key"] for n in range(5))[:3]},
        "calls": 1,
        "seconds": 5 / 30_000,
        "replaced": [],
        "guards": [],
    }


def test_planning_leaves_no_folder_behind(world: World, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    one(room)
    assert list(world.home.journals.iterdir()) == []


def test_a_mirror_adds_updates_and_removes(
    world: World, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    world.declare_members()
    held = [member(1), member(2), member(3)]
    world.build(members=[member(1), member(2, fingerprint="changed"), member(4)])
    world.receive("members", "20260101T000000000000-a", *_all(held, "add"))
    assert [(row["operation"], row["person_id"]) for row in rows("members")] == [
        ("remove", "person-3"),
        *sorted(
            [("add", "person-4"), ("update", "person-2")],
            key=lambda pair: md5(f"{pair[1]}|clickers"),
        ),
    ]


def _all(rows: list[dict[str, Any]], operation: str, **more: object) -> list[dict[str, Any]]:
    return [{"row": row, "operation": operation} | more for row in rows]


def test_a_changed_identifier_is_a_removal_and_an_addition(
    world: World, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    world.declare_members()
    world.build(members=[member(1, customer_id="new")])
    world.receive("members", "20260101T000000000000-a", *_all([member(1)], "add"))
    assert [(row["operation"], row["identifier"]) for row in rows("members")] == [
        ("remove", "customer-1"),
        ("add", "new"),
    ]


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (NOW - timedelta(seconds=1), []),
        (NOW, []),
        (NOW + timedelta(seconds=1), ["person-1"]),
    ],
    ids=["a second before", "at the end", "a second after"],
)
def test_the_clock_alone_removes_a_member_whose_window_is_over(
    world: World,
    rows: Callable[..., list[dict[str, Any]]],
    now: datetime,
    left: list[str],
) -> None:
    world.declare_members()
    world.build(members=[member(1), member(2)], tables={"outbound.outbound_members": EXPIRING})
    world.receive("members", "20260101T000000000000-a", *_all([member(1), member(2)], "add"))
    assert [(row["operation"], row["person_id"]) for row in rows("members", now=now)] == [
        ("remove", person) for person in left
    ]


def test_who_expired_before_the_first_run_is_left_out_and_counted(
    world: World, room: Callable[..., Room]
) -> None:
    world.declare_members()
    long_ago = EXPIRING.replace(str(NOW), "2001-01-01 00:00:00")
    world.build(members=[member(1), member(2)], tables={"outbound.outbound_members": long_ago})
    plan = one(room)
    assert counts(plan) == (1, 0, 0)
    assert plan.left_out == {"expired": 1}


def test_a_build_as_of_the_past_is_taken_as_of_then(
    world: World, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    world.declare_members()
    world.build(
        members=[member(1), member(2)],
        tables={"outbound.outbound_members": EXPIRING},
        as_of=NOW - timedelta(days=1),
    )
    assert len(rows("members", now=NOW + timedelta(days=1))) == 2


def test_a_changed_label_leaves_no_old_label_behind(
    world: World, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    world.declare_members()
    world.build(members=[member(1, label="CIO | clickers | 0-3d")])
    world.receive("members", "20260101T000000000000-a", *_all([member(1)], "add"))
    assert [(row["operation"], row["label"]) for row in rows("members")] == [
        ("remove", "CIO | clickers | 0-7d"),
        ("add", "CIO | clickers | 0-3d"),
    ]


def test_what_one_key_loses_another_keeps(
    world: World, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    """Two people under one identifier: removing one of them must not remove the other."""
    world.declare_members()
    first, second = member(1, customer_id="shared"), member(2, customer_id="shared")
    world.build(members=[first])
    world.receive("members", "20260101T000000000000-a", *_all([first, second], "add"))
    assert [(row["operation"], row["person_id"]) for row in rows("members")] == [
        ("remove", "person-2"),
        ("update", "person-1"),
    ]


def test_a_mirror_removes_only_what_it_added(world: World, room: Callable[..., Room]) -> None:
    world.declare_members()
    world.build(members=[])
    run = "20260101T000000000000-a"
    world.receive("members", run, *_all([member(1)], "add", outcome="rejected"))
    assert counts(one(room)) == (0, 0, 0)


def test_what_was_removed_is_added_again_when_it_returns(
    world: World, room: Callable[..., Room]
) -> None:
    world.declare_members()
    world.build(members=[member(1)])
    world.receive("members", "20260101T000000000000-a", *_all([member(1)], "add"))
    world.receive("members", "20260102T000000000000-a", *_all([member(1)], "remove"))
    assert counts(one(room)) == (1, 0, 0)


def test_events_are_appended_once(world: World, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.build(events=[event(1, fingerprint="changed", customer_id="moved"), event(2)])
    world.receive("events", "20260101T000000000000-a", *_all([event(1)], "append"))
    assert counts(one(room)) == (1, 0, 0)


def test_events_older_than_the_sync_sends_are_left_out_and_counted_once_planned(
    world: World, room: Callable[..., Room]
) -> None:
    """Exactly as old as allowed goes; what was sent before is not counted as left out."""
    as_of = NOW - timedelta(days=1)
    ages = {1: timedelta(hours=72), 2: timedelta(hours=72, seconds=1), 3: timedelta(days=9)}
    events = [event(n, occurred_at=as_of - age) for n, age in ages.items()]
    world.declare_events(settings={"oldest_hours": 72})
    world.build(as_of=as_of, events=events)
    plan = one(room)
    assert counts(plan) == (1, 0, 0)
    assert plan.left_out == {"older than the sync sends": 2}
    world.receive("events", "20260101T000000000000-a", *_all(events[:2], "append"))
    plan = one(room)
    assert counts(plan) == (0, 0, 0)
    assert plan.left_out == {"older than the sync sends": 1}
    world.declare_events()
    assert counts(one(room)) == (1, 0, 0)


def test_an_upsert_never_removes(world: World, room: Callable[..., Room]) -> None:
    world.declare_members(mode="upsert")
    world.build(members=[member(2)])
    world.receive("members", "20260101T000000000000-a", *_all([member(1)], "add"))
    assert counts(one(room)) == (1, 0, 0)


@pytest.mark.parametrize("operation", ["add", "remove"])
def test_what_is_uncertain_and_wanted_is_sent_again(
    world: World, room: Callable[..., Room], operation: str
) -> None:
    world.declare_members()
    world.build(members=[member(1)])
    receipts = _all([member(1)], operation, outcome="unknown")
    world.receive("members", "20260101T000000000000-a", *receipts)
    assert counts(one(room)) == (1, 0, 0)


@pytest.mark.parametrize("operation", ["add", "remove"])
def test_what_is_uncertain_and_unwanted_is_removed(
    world: World, room: Callable[..., Room], operation: str
) -> None:
    world.declare_members()
    world.build(members=[])
    world.receive("members", "20260101T000000000000-a", *_all([member(1)], "add"))
    receipts = _all([member(1)], operation, outcome="unknown")
    world.receive("members", "20260102T000000000000-a", *receipts)
    assert counts(one(room)) == (0, 0, 1)


def test_an_uncertain_event_is_sent_again(world: World, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    receipts = _all([event(1)], "append", outcome="unknown")
    world.receive("events", "20260101T000000000000-a", *receipts)
    assert counts(one(room)) == (1, 0, 0)


def test_a_rejected_row_waits_for_its_data_or_a_retry(
    world: World, room: Callable[..., Room]
) -> None:
    world.declare_events()
    world.declare_members()
    refused = {"outcome": "rejected"}
    run = "20260101T000000000000-a"
    world.build(events=[event(1)], members=[member(1)])
    world.receive("events", run, *_all([event(1)], "append", **refused))
    world.receive("members", run + "b", *_all([member(1)], "add", **refused))
    for plan in plan_syncs(room()):
        assert counts(plan) == (0, 0, 0)
        assert plan.left_out == {"rejected before": 1}
    assert [counts(plan) for plan in plan_syncs(room(), Asked(is_retry=True))] == [(1, 0, 0)] * 2
    world.build(events=[event(1, fingerprint="mended")], members=[member(1, fingerprint="mended")])
    assert [counts(plan) for plan in plan_syncs(room())] == [(1, 0, 0)] * 2


def test_skipped_rows_stay_planned(world: World, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    receipts = _all([event(1)], "append", outcome="skipped")
    world.receive("events", "20260101T000000000000-a", *receipts)
    assert counts(one(room)) == (1, 0, 0)


def test_a_load_that_never_completed_does_not_count(
    world: World, room: Callable[..., Room]
) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    world.receive("events", "20260101T000000000000-a", *_all([event(1)], "append"))
    world.query("update raw_reverse_etl._dlt_loads set status = 1")
    assert counts(one(room)) == (1, 0, 0)


def test_rows_without_the_identifier_are_counted(world: World, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.build(events=[event(1), event(2, customer_id=None), event(3, customer_id="")])
    plan = one(room)
    assert counts(plan) == (1, 0, 0)
    assert plan.left_out == {"no identifier": 2}


CONSENT = {
    "marts.person_consent": "select 'person-1' as person_id, true as is_opted_out "
    "union all select 'person-2', false",
    "marts.experiment_people": "select 'person-3' as person_id, true as is_held_out, "
    "'all' as covers union all select 'person-4', true, '12, other_sync'",
}


@pytest.mark.parametrize(
    ("use", "adds", "left_out"),
    [
        ("activate", 3, {"held out": 1, "no consent": 1}),
        ("analyse", 5, {}),
        ("suppress", 5, {}),
    ],
)
def test_consent_and_holdouts_decide_by_use(
    world: World, room: Callable[..., Room], use: str, adds: int, left_out: dict[str, int]
) -> None:
    world.declare_members(use=use)
    world.build(members=[member(n) for n in range(5)], tables=CONSENT)
    plan = one(room)
    assert counts(plan) == (adds, 0, 0)
    assert plan.left_out == left_out


@pytest.mark.parametrize(("seconds", "adds"), [(-1, 1), (0, 1), (1, 0), (None, 0)])
def test_a_holdout_that_is_over_keeps_nobody_out(
    world: World, room: Callable[..., Room], seconds: int | None, adds: int
) -> None:
    until = None if seconds is None else str(NOW + timedelta(seconds=seconds))
    query = (
        "select 'person-1' as person_id, true as is_held_out, 'all' as covers, "
        f"try_cast('{until}' as timestamp) as held_out_until"
    )
    world.declare_members(use="activate")
    world.build(members=[member(1)], tables={"marts.experiment_people": query})
    (plan,) = plan_syncs(room(clock=Clock(now=lambda: NOW)))
    assert counts(plan) == (adds, 0, 0)
    assert plan.left_out == ({} if adds else {"held out": 1})


@pytest.mark.parametrize("missing", ["person_consent", "experiment_people"])
def test_without_knowing_who_must_not_be_reached_nobody_is_activated(
    world: World, room: Callable[..., Room], missing: str
) -> None:
    world.declare_members(use="activate")
    world.build(members=[member(1)], tables={f"marts.{missing}": "select 'person-1' as person_id"})
    with pytest.raises(CioError, match=f"{missing} has no"):
        one(room)


TOPICS = {
    "marts.person_topics": "select * from (values ('person-1', 'topic_1', false), "
    "('person-2', 'topic_1', true), ('person-3', 'topic_2', false), "
    "('person-0', 'topic_2', true)) as said(person_id, topic, is_subscribed)",
    "marts.subscription_topics": "select * from (values ('topic_1', true), ('topic_2', false), "
    "('topic_3', null)) as topics(topic, is_subscribed_by_default)",
}


@pytest.mark.parametrize(
    ("topic", "sent"),
    [
        (None, {"customer-0", "customer-1", "customer-2", "customer-3"}),
        ("topic_1", {"customer-0", "customer-2", "customer-3"}),
        # nobody is in it, or it is not known whether anybody is, without a word of theirs
        ("topic_2", {"customer-0"}),
        ("topic_3", set()),
    ],
)
def test_a_sync_of_a_topic_is_for_those_who_want_it(
    world: World, room: Callable[..., Room], topic: str | None, sent: set[str]
) -> None:
    world.declare_members(use="activate", **({"topic": topic} if topic else {}))
    world.build(members=[member(n) for n in range(4)], tables=TOPICS)
    plan = one(room)
    assert counts(plan) == (len(sent), 0, 0)
    assert plan.left_out == ({"not in the topic": 4 - len(sent)} if len(sent) < 4 else {})


def test_a_topic_left_closes_the_list_and_no_guard_holds_it(
    world: World, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    world.declare_members(use="activate", topic="topic_1")
    world.build(members=[member(1), member(2)], tables=TOPICS)
    world.receive("members", "20260101T000000000000-a", *_all([member(1), member(2)], "add"))
    found = [(row["operation"], row["person_id"], row["is_exempt"]) for row in rows("members")]
    assert found == [("remove", "person-1", True)]


def test_a_topic_that_nobody_ever_told_of_sends_nothing(
    world: World, room: Callable[..., Room]
) -> None:
    world.declare_members(use="activate", topic="topic_11")
    world.build(members=[member(1)], tables=TOPICS)
    with pytest.raises(CioError, match=r"topic_11.*cio load api topics"):
        one(room)
    world.build(members=[member(1)], tables={"marts.person_topics": "select 1 as person_id"})
    with pytest.raises(CioError, match="person_topics has no is_subscribed, topic"):
        one(room)


def test_an_opt_out_removes_from_an_activating_sync_and_no_guard_holds_it(
    world: World, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    world.declare_members(use="activate")
    world.build(members=[member(1)], tables=CONSENT)
    held = [member(1), member(2)]
    world.receive("members", "20260101T000000000000-a", *_all(held, "add"))
    found = [(row["operation"], row["person_id"], row["is_exempt"]) for row in rows("members")]
    assert found == [("remove", "person-1", True), ("remove", "person-2", False)]


def test_a_filter_lets_through_its_values_only(world: World, room: Callable[..., Room]) -> None:
    world.declare_events(filter={"metric": ["clicked", "it's"]})
    world.build(events=[event(1), event(2, metric="opened"), event(3, metric="it's")])
    assert counts(one(room)) == (2, 0, 0)


def test_audiences_are_a_filter(world: World, room: Callable[..., Room]) -> None:
    world.declare_members(audiences=["buyers"])
    world.build(members=[member(1), member(1, "buyers")])
    assert counts(one(room)) == (1, 0, 0)


def test_a_failed_build_is_not_planned_from(world: World, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    world.query("update raw_dbt.builds set is_passed = false")
    with pytest.raises(CioError, match="cio build"):
        one(room)


def test_a_missing_column_is_named(world: World, room: Callable[..., Room]) -> None:
    world.declare_events(filter={"colour": ["red"]})
    world.build(events=[event(1)])
    with pytest.raises(CioError, match="outbound_events has no column colour"):
        one(room)


def test_a_missing_model_is_named(world: World, room: Callable[..., Room]) -> None:
    world.declare_events(model="outbound_other")
    world.build(events=[event(1)])
    with pytest.raises(CioError, match=r"no outbound\.outbound_other"):
        one(room)


def test_a_build_for_another_target_is_refused(world: World, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.build(events=[event(1)], target="dev")
    assert counts(one(room, target="dev")) == (1, 0, 0)
    with pytest.raises(UsageError, match="target dev, not prod"):
        one(room, target="prod")


def test_another_project_has_nothing_yet(
    world: World, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    world.receive("events", "20260101T000000000000-a", *_all([event(1)], "append"))
    assert counts(one(room)) == (0, 0, 0)
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", "another")
    assert counts(one(room)) == (1, 0, 0)


def test_without_credentials_a_plan_is_a_preview(
    world: World, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    monkeypatch.delenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN")
    plan = one(room)
    assert counts(plan) == (1, 0, 0)
    assert plan.inactive is not None
    assert "REVERSE_ETL__MIXPANEL__PROJECT_TOKEN" in plan.inactive
    assert mixpanel.TOKEN not in plan.inactive


def test_rows_are_numbered_in_their_order(
    world: World, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    world.declare_events()
    world.build(events=[event(n) for n in (5, 3, 9)])
    planned = rows("events")
    assert [row["row"] for row in planned] == [0, 1, 2]
    assert [row["occurred_at"] for row in planned] == sorted(r["occurred_at"] for r in planned)
    assert planned[0]["payload"] == event(3)["payload"]
