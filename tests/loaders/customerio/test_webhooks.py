from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from warehouse.connection import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loaders.run import LoadReport
    from warehouse.home import Home

    Event = Callable[..., bytes]
    Parse = Callable[..., tuple[list[dict[str, object]], list[dict[str, object]]]]
    Select = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def load_lines(home: Home, tmp_path: Path) -> Callable[..., LoadReport]:
    def run(*lines: bytes) -> LoadReport:
        path = tmp_path / "events.jsonl"
        path.write_bytes(b"".join(lines))
        return load(home, "webhooks", [str(path)])

    return run


def test_an_event_is_typed_and_kept_as_it_came(
    home: Home, tmp_path: Path, load_lines: Callable[..., LoadReport]
) -> None:
    data = {
        "identifiers": {"id": "42", "email": "a@example.com", "cio_id": "d9c1"},
        "customer_id": "0200",
        "delivery_id": "RPIL==",
        "campaign_id": 23,
        "action_id": "96",
        "parent_action_id": None,
        "broadcast_id": 9,
        "newsletter_id": 8,
        "transactional_message_id": 7,
        "trigger_id": 6,
        "trigger_event_id": "01E2",
        "journey_id": "01GW",
        "content_id": 5,
        "recipient": "a@example.com",
        "subject": "Snow \u2603 \u0000 and more",
        "failure_message": "no such box",
        "href": "https://example.com/?a=1",
        "link_id": 4,
        "recipients": [
            {"device_id": "x", "device_platform": "ios"},
            {"device_platform": "android"},
        ],
        "proxied": True,
        "prefetched": False,
        "machine": True,
    }
    event = {
        "event_id": "01E4",
        "object_type": "email",
        "metric": "clicked",
        "timestamp": 1613063089,
        "data": data,
        "new": [1, {"x": "y"}],
    }
    line = json.dumps(event, ensure_ascii=False)
    load_lines(line.encode(), b"\r\n")
    with open_warehouse(home, purpose="look") as connection:
        cursor = connection.execute("from raw_customerio.webhook_events")
        names = [column[0] for column in cursor.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert len(rows) == 1
    assert rows[0].pop("_dlt_load_id")
    assert rows[0] == {
        "event_id": "01E4",
        "object_type": "email",
        "metric": "clicked",
        "occurred_at": datetime(2021, 2, 11, 17, 4, 49),  # noqa: DTZ001 - naive UTC
        "cio_id": "d9c1",
        "customer_id": "42",
        "email": "a@example.com",
        "delivery_id": "RPIL==",
        "campaign_id": "23",
        "broadcast_id": "9",
        "newsletter_id": "8",
        "transactional_message_id": "7",
        "trigger_id": "6",
        "trigger_event_id": "01E2",
        "journey_id": "01GW",
        "action_id": "96",
        "parent_action_id": None,
        "content_id": "5",
        "recipient": "a@example.com",
        "subject": "Snow \u2603 \u0000 and more",
        "failure_message": "no such box",
        "href": "https://example.com/?a=1",
        "link_id": "4",
        "device_platform": "ios",
        "is_proxied": True,
        "is_prefetched": False,
        "is_synthetic": None,
        "is_machine": True,
        "payload": line,
        "source_file": str(tmp_path / "events.jsonl"),
        "source_line": 1,
    }


def test_the_customer_id_is_that_of_the_identifiers_else_of_the_data(
    parse: Parse, event: Event
) -> None:
    lines = (
        event("a", data={"identifiers": {"id": 42}, "customer_id": "old"}),
        event("b", data={"identifiers": {"id": None}, "customer_id": "old"}),
        event("c", data={"identifiers": {"id": "", "email": "", "cio_id": ""}, "customer_id": ""}),
        event("d", data={"customer_id": 7}),
        event("e", data={"identifiers": "none"}),
    )
    records, _ = parse("webhooks", b"".join(lines))
    names = ("event_id", "customer_id", "email", "cio_id")
    assert [tuple(row[name] for name in names) for row in records] == [
        ("a", "42", None, None),
        ("b", "old", None, None),
        ("c", None, None, None),
        ("d", "7", None, None),
        ("e", None, None, None),
    ]


def test_unknown_metrics_object_types_and_odd_shapes_are_data(parse: Parse, event: Event) -> None:
    lines = (
        event("a", metric="teleported", object_type="hologram"),
        event(7),
        event("c", timestamp="1585250199"),
        event("d", timestamp=1585250199.0),
        event("e", data={"recipients": "a list once", "machine": "perhaps", "campaign_id": {}}),
        event("f", data={}),
        event("g", data={"nested": json.loads("[" * 500 + "]" * 500)}),
    )
    records, quarantined = parse("webhooks", b"".join(lines))
    assert (len(records), quarantined) == (7, [])
    found = {row["event_id"]: row for row in records}
    assert (found["a"]["metric"], found["a"]["object_type"]) == ("teleported", "hologram")
    second = datetime(2020, 3, 26, 19, 16, 39)  # noqa: DTZ001 - naive UTC
    assert (found["c"]["occurred_at"], found["d"]["occurred_at"]) == (second, second)
    assert (found["e"]["is_machine"], found["e"]["device_platform"]) == (None, None)
    assert "7" in found


REFUSED = [
    (b"\xff{}", "not valid UTF-8"),
    (b'{"event_id": ', "not valid JSON"),
    (b'{"a": "\\ud800"}', "not valid JSON"),
    (b"null", "not a JSON object"),
    (b'["event"]', "not a JSON object"),
    (b'"event"', "not a JSON object"),
    (b'{"event_type": "email_opened", "event_id": "x", "data": {}}', "the legacy format"),
    ({"event_id": None}, "event_id is missing"),
    ({"event_id": ""}, "event_id is missing"),
    ({"event_id": {"a": 1}}, "event_id is missing"),
    ({"metric": None}, "metric is missing"),
    ({"object_type": ""}, "object_type is missing"),
    ({"timestamp": None}, "timestamp is missing"),
    ({"timestamp": "abc"}, "timestamp is not a whole number"),
    ({"timestamp": 1613063089.5}, "timestamp is not a whole number"),
    ({"timestamp": [1613063089]}, "timestamp is not a whole number"),
    ({"timestamp": 1613063089000}, "timestamp is not in unix seconds"),
    ({"timestamp": 5}, "timestamp is not in unix seconds"),
    ({"timestamp": -1}, "timestamp is not in unix seconds"),
    ({"data": None}, "data is missing"),
    ({"data": []}, "data is missing"),
    ({"data": "{}"}, "data is missing"),
]


@pytest.mark.parametrize(("bad", "reason"), REFUSED)
def test_a_line_that_is_no_event_is_quarantined_whole_and_the_others_are_read(
    parse: Parse, event: Event, bad: bytes | dict[str, object], reason: str
) -> None:
    line = bad if isinstance(bad, bytes) else event(**bad).rstrip()
    records, quarantined = parse("webhooks", b"\n".join([event("a"), line, event("b")]))
    assert [(row["event_id"], row["source_line"]) for row in records] == [("a", 1), ("b", 4)]
    assert len(quarantined) == 1
    assert str(quarantined[0].pop("reason")).startswith(reason)
    assert quarantined[0] == {
        "feed": "webhooks",
        "source_file": records[0]["source_file"],
        "source_line": 3,
        "original_bytes": line,
    }


def test_what_is_quarantined_is_landed_and_counted(
    load_lines: Callable[..., LoadReport], event: Event, select: Select
) -> None:
    report = load_lines(event("a"), b"\xff\n", b"{}\n", b"{}\n")
    assert (report.records, report.quarantined) == (1, 3)
    assert report.reasons == {"event_id is missing": 2, "not valid UTF-8": 1}
    assert select(
        "select source_line, original_bytes from raw_customerio.quarantine order by 1"
    ) == [(2, b"\xff"), (3, b"{}"), (4, b"{}")]


def test_a_damaged_file_is_read_as_far_as_it_goes_and_the_load_goes_on(
    load_lines: Callable[..., LoadReport], event: Event, select: Select
) -> None:
    whole = gzip.compress(b"".join(event(str(number)) for number in range(200)))
    report = load_lines(whole[:-30])
    assert 0 < report.records < 200
    assert report.quarantined == 1
    assert select(
        "select source_line, starts_with(reason, 'the gzip file is damaged') from "
        "raw_customerio.quarantine"
    ) == [(report.records + 1, True)]
