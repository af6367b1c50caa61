"""Loads from the stand-in of the App API, over HTTP on loopback."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from filelock import FileLock

from loaders.customerio import api_resources
from loaders.customerio.api import ApiLoadRunning
from loaders.customerio.api_client import ApiRefused, ApiUnavailable
from loaders.customerio.api_resources import message_windows, unix_seconds
from warehouse.erased import put_up
from warehouse.errors import UsageError
from warehouse.stop_list import digest, stop_list_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.loaders.customerio.conftest import Api

    Select = Callable[[str], list[tuple[object, ...]]]

LANDED = {
    "api_campaigns": 2,
    "api_campaign_actions": 3,
    "api_broadcasts": 1,
    "api_newsletters": 1,
    "api_newsletter_contents": 2,
    "api_newsletter_test_groups": 1,
    "api_transactional": 1,
    "api_topics": 1,
    "api_segments": 2,
    "api_segment_membership": 5,
    "api_segment_observations": 2,
    "api_messages": 59,
    "api_merges": 1,
    "api_people": 230,
}
SNAPSHOTS = {"api_segment_membership", "api_segment_observations"}


def count_rows(select: Select) -> dict[str, int]:
    return {
        name: int(str(select(f"select count(*) from raw_customerio.{name}")[0][0]))
        for name in LANDED
    }


def landed(report: object) -> dict[str, int]:
    return {name: count.landed for name, count in report.tables.items()}  # type: ignore[attr-defined]


def test_everything_lands_once_and_again_only_when_it_changed(api: Api, select: Select) -> None:
    assert landed(api.load()) == LANDED
    assert count_rows(select) == LANDED

    again = api.load()
    assert again.loaded == sum(LANDED[name] for name in SNAPSHOTS)
    assert landed(again) == {name: LANDED[name] if name in SNAPSHOTS else 0 for name in LANDED}

    api.workspace.campaign_actions["7"][0]["subject"] = "New"
    api.workspace.campaigns[1]["name"] = "Come back"
    api.workspace.people[3]["attributes"]["plan"] = "silver"
    # devices and timestamps are not the person
    api.workspace.people[4]["timestamps"] = {"plan": 2}
    api.workspace.messages[0]["metrics"]["opened"] = 1
    changed = landed(api.load())
    assert {name: rows for name, rows in changed.items() if rows and name not in SNAPSHOTS} == {
        "api_campaigns": 1,
        "api_campaign_actions": 1,
        "api_people": 1,
        "api_messages": 1,
    }
    assert select(
        "select name from raw_customerio.api_campaigns where campaign_id = '8' order by observed_at"
    ) == [("Winback",), ("Come back",)]
    assert select("select distinct status from raw_customerio._dlt_loads") == [(0,)]


def test_a_state_that_comes_back_is_landed_again(api: Api, select: Select) -> None:
    for name in ("Welcome", "Hello", "Welcome"):
        api.workspace.campaigns[0]["name"] = name
        api.load("campaigns")
    assert select(
        "select name from raw_customerio.api_campaigns where campaign_id = '7' order by observed_at"
    ) == [("Welcome",), ("Hello",), ("Welcome",)]


def test_fields_are_typed_and_ids_are_text(api: Api, select: Select) -> None:
    api.load("campaigns", "messages", "people", "merges")
    assert select(
        "select campaign_id, is_active, tags, created_at::text, first_started_at, payload->>'name' "
        "from raw_customerio.api_campaigns where campaign_id = '7'"
    ) == [("7", True, '["a","b"]', "2023-11-14 22:13:20", None, "Welcome")]
    assert select(
        "select action_id, parent_action_id, campaign_id, broadcast_id "
        "from raw_customerio.api_campaign_actions order by action_id"
    ) == [("96", None, "7", None), ("97", "90", "7", None)]
    created = api.workspace.messages[0]["created"]
    assert select(
        "select campaign_id, action_id, trigger_event_id, cio_id, customer_id, email, version, "
        "epoch(changed_at)::bigint, metrics->>'link:3', is_forgotten "
        "from raw_customerio.api_messages where delivery_id = 'delivery-1='"
    ) == [
        (
            *("7", "96", "01E4C4C6P79C12J5A6KPE6XNFD", "03", "u1", "a+b@example.com"),
            *(str(created + 5), created + 5, str(created + 5), False),
        )
    ]
    assert select(
        "select customer_id, attributes->>'plan' from raw_customerio.api_people "
        "where is_unsubscribed"
    ) == [("u1", "gold")]
    assert select("select activity_id, type, cio_id, data from raw_customerio.api_merges") == [
        ("01M", "profile_merge", "03000", '{"any":"thing"}')
    ]


def test_people_who_are_unsubscribed_are_stopped_until_a_build_knows(api: Api) -> None:
    api.load("people")
    api.load("people")
    path = stop_list_path(api.home)
    once = [json.loads(line)["identifier"] for line in path.read_text().splitlines()]
    assert once == [digest(name) for name in ("03001", "u1", "u1@example.com")]
    api.workspace.people[2]["unsubscribed"] = True
    api.load("people")
    added = [json.loads(line)["identifier"] for line in path.read_text().splitlines()][3:]
    assert added == [digest(name) for name in ("03002", "u2", "u2@example.com")]

    # who leaves a topic is stopped for that topic
    attributes = api.workspace.people[3]["attributes"]
    attributes["cio_subscription_preferences"] = json.dumps({"topics": {"topic_1": False}})
    api.load("people")
    lines = [json.loads(line) for line in path.read_text().splitlines()][6:]
    assert [line["identifier"] for line in lines] == [
        digest(name) for name in ("03003", "u3", "u3@example.com")
    ]
    assert all(line["topics"] == ["topic_1"] for line in lines)


def test_people_who_were_erased_are_left_out_of_every_page(api: Api, select: Select) -> None:
    put_up(stop_list_path(api.home), ["u1"])
    for _ in range(2):
        people = api.load("people").tables["api_people"]
        assert (people.erased, people.read) == (1, 229)
    assert select("select count(*) from raw_customerio.api_people") == [(229,)]
    assert select("select 1 from raw_customerio.api_people where customer_id = 'u1'") == []
    members = api.load("membership").tables["api_segment_membership"]
    assert (members.erased, members.landed) == (1, 4)
    # nor does their opt-out say again who they are
    assert digest("u1") not in stop_list_path(api.home).read_text()


def test_the_recipient_of_a_message_is_kept_nowhere(api: Api, select: Select) -> None:
    api.load("messages")
    assert select(
        "select count(*) from raw_customerio.api_messages as message "
        "where contains(message::text, 'recipient')"
    ) == [(0,)]


def test_empty_pages_that_have_a_next_one_are_not_the_end(api: Api, select: Select) -> None:
    api.workspace.has_empty_pages = True
    api.workspace.page_size = 2
    api.workspace.people = api.workspace.people[:9]
    api.workspace.messages = api.workspace.messages[:5]
    report = api.load("membership", "people", "messages", "newsletters")
    assert landed(report)["api_segment_membership"] == 5
    assert landed(report)["api_people"] == 9
    assert landed(report)["api_messages"] == 5
    # one instant a segment, though its members came on several pages
    assert select(
        "select segment_id, members, (select count(*) from raw_customerio.api_segment_membership "
        "as member where member.segment_id = observed.segment_id "
        "and member.observed_at = observed.observed_at) "
        "from raw_customerio.api_segment_observations as observed order by segment_id"
    ) == [("1", 5, 5), ("2", 0, 0)]


def test_pages_without_end_are_not_followed_forever(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fakes.customerio_app._AppApi._page", lambda *_, **__: ([], "same"))
    with pytest.raises(ApiRefused, match="the same page of campaigns again and again"):
        api.load("campaigns")


def test_people_are_asked_for_a_hundred_at_a_time(api: Api) -> None:
    api.load("people")
    assert [path.partition("?")[0] for path in api.paths] == [
        "/v1/customers",
        *["/v1/customers/attributes"] * 3,
    ]


def test_a_first_load_of_messages_goes_back_half_a_year(api: Api) -> None:
    api.load("messages")
    windows = sorted(window(path) for path in api.paths)
    now = unix_seconds(api.time.now)
    assert windows[0][0] == now - 180 * 86_400
    assert windows[-1][1] == now
    # they touch, and none is longer than a month
    assert all(after[0] == before[1] + 1 for before, after in pairwise(windows))
    assert max(end - start for start, end in windows) < 30 * 86_400


def test_a_later_load_reads_the_last_month_again(api: Api) -> None:
    first = unix_seconds(api.time.now)
    api.load("messages")
    api.control.seen.clear()
    api.time.now += timedelta(days=10)
    api.load("messages", lookback_days=7)
    assert [window(path) for path in api.paths] == [(first - 7 * 86_400, first + 10 * 86_400)]


def test_since_never_makes_a_gap_and_may_reach_further_back(api: Api) -> None:
    first = unix_seconds(api.time.now)
    api.load("messages", since=api.time.now.replace(tzinfo=UTC) - timedelta(days=3))
    assert window(api.paths[0]) == (first - 3 * 86_400, first)
    api.control.seen.clear()
    api.time.now += timedelta(days=10)
    api.load("messages", since=api.time.now, lookback_days=1)
    assert window(api.paths[0]) == (first - 86_400, first + 10 * 86_400)
    api.control.seen.clear()
    api.load("messages", since=api.time.now - timedelta(days=20), lookback_days=1)
    assert window(api.paths[0])[0] == first - 10 * 86_400


def window(path: str) -> tuple[int, int]:
    query = parse_qs(urlsplit(path).query)
    return int(query["start_ts"][0]), int(query["end_ts"][0])


def test_windows_of_a_single_instant(api: Api) -> None:
    now = unix_seconds(api.time.now)
    assert message_windows(api.time.now, api.time.now) == [(now, now)]


def test_merges_that_are_known_are_not_read_again(
    api: Api, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_resources, "_ACTIVITIES_A_PAGE", 1)
    now = unix_seconds(api.time.now)
    old = [
        {"id": f"old-{number}", "type": "anon_merge", "timestamp": now - (3 + number) * 86_400}
        for number in range(5)
    ]
    api.workspace.activities += old
    api.load("merges")
    api.control.seen.clear()
    api.time.now += timedelta(days=1)
    new = {"id": "new", "type": "anon_merge", "timestamp": now + 60}
    api.workspace.activities.insert(0, new)
    assert landed(api.load("merges")) == {"api_merges": 1}
    # one page of the other kind, the new one, and the first of those that are known
    assert len(api.paths) == 3
    assert select("select count(*) from raw_customerio.api_merges") == [(7,)]


def test_membership_alone_lists_the_segments_too(api: Api) -> None:
    assert set(landed(api.load("membership"))) == {"api_segments", *SNAPSHOTS}


def test_something_removed_since_it_was_listed_is_passed_over(api: Api) -> None:
    api.fail(kind="status", status=404, path="/v1/campaigns/7/actions")
    assert landed(api.load("campaigns")) == {"api_campaigns": 2, "api_campaign_actions": 0}


def test_an_object_without_its_id_is_quarantined(api: Api, select: Select) -> None:
    api.workspace.topics.append({"name": "Nameless"})
    report = api.load("topics")
    assert (report.records, report.quarantined) == (1, 1)
    assert select("select feed, reason, decode(original_bytes) from raw_customerio.quarantine") == [
        ("api_topics", "topic_id is missing", '{"name":"Nameless"}')
    ]


def test_every_load_says_what_it_read(api: Api, select: Select) -> None:
    api.load("campaigns", "topics")
    assert select(
        "select feed, records, duplicates, complete_through from raw_customerio.feed_loads "
        "order by feed"
    ) == [
        ("api_campaign_actions", 2, 0, api.time.now),
        ("api_campaigns", 2, 0, api.time.now),
        ("api_topics", 1, 0, api.time.now),
    ]


def test_when_one_request_fails_nothing_of_the_load_counts(api: Api, select: Select) -> None:
    api.fail(kind="status", status=400, path="/v1/segments", body='{"meta": {"error": "no"}}')
    with pytest.raises(ApiRefused):
        api.load("campaigns", "segments")
    assert select("select count(*) from raw_customerio.api_campaigns") == [(0,)]
    assert list(api.home.dlt.iterdir()) == []
    assert landed(api.load("campaigns", "segments"))["api_campaigns"] == 2


def test_a_failure_among_many_requests_ends_them_all(api: Api) -> None:
    api.fail(kind="status", status=500, times=100, path="/v1/customers/attributes")
    with pytest.raises(ApiUnavailable, match=r"it answered 500, 8 attempts"):
        api.load("people")


def test_two_loads_do_not_run_at_once(api: Api) -> None:
    with FileLock(api.home.locks / "load-api.lock"), pytest.raises(ApiLoadRunning):
        api.load("topics")


def test_a_resource_that_is_not_one_is_named_with_those_there_are(api: Api) -> None:
    with pytest.raises(UsageError, match="no resource campaign; there are campaigns, broadcasts"):
        api.load("campaign")
    with pytest.raises(UsageError, match="lookback-days 0"):
        api.load(lookback_days=0)
    assert api.paths == []
