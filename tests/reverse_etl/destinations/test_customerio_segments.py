from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import customerio_track
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.server import serve_in_thread
from reverse_etl.contract import Denied, Later, Refused, Stop, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.customerio import CUSTOMERIO, CustomerioSettings
from reverse_etl.destinations.customerio_segments import SegmentOptions, Segments
from reverse_etl.http import Http
from tests.reverse_etl.world import FastClock

from .test_customerio import change, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.contract import Reply

LABEL = "CIO | Buyers | 0-3d"


@dataclass
class Bench:
    """A workspace with six people and a channel to it."""

    url: str
    client: httpx.Client
    http: Http
    workspace: Workspace
    time: FastClock
    channels: dict[bool, Segments] = field(default_factory=dict)

    def channel(self, *, create: bool = True) -> Segments:
        return Segments.open(settings(self.url), SegmentOptions(create_segments=create), self.http)

    def send(self, *names: str, call: str = "add id", channel: Segments | None = None) -> Reply:
        records = [json.dumps(name).encode() for name in names]
        return (channel or self.channel()).send(f"{call} {LABEL}", records)

    def fail(self, *failures: dict[str, Any]) -> None:
        self.client.post("/_fake/script", json=list(failures))

    @property
    def members(self) -> list[str]:
        segments = self.client.get("/_fake/segments").json()
        return [each["id"] for each in segments.get(LABEL, [])]

    def paths(self, end: str) -> int:
        requests = self.client.get("/_fake/requests").json()
        return sum(seen["path"].endswith(end) for seen in requests)


@pytest.fixture
def bench() -> Iterator[Bench]:
    people = [
        {
            "id": f"c{n}",
            "identifiers": {"cio_id": f"03{n}", "id": f"c{n}", "email": f"C{n}@x.io"},
            "attributes": {},
            "unsubscribed": False,
        }
        for n in range(6)
    ]
    workspace, time = Workspace(people=people), FastClock()
    app = customerio_track.create_app(workspace=workspace, requests_per_second=100_000)
    with (
        serve_in_thread(app) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
        Http(url, clock=time.clock()) as http,
    ):
        yield Bench(url, client, http, workspace, time)


def segment(number: int, kind: str = "manual", name: str = LABEL) -> dict[str, Any]:
    return {"id": number, "name": name, "type": kind, "state": "finished"}


def test_ids_of_one_kind_and_segment_share_a_request(bench: Bench) -> None:
    channel = bench.channel()
    rows = [
        change(operation=operation, identifier=identifier, label=label)
        for operation in ("add", "update", "remove")
        for identifier in ("id:a", "id:b", "email:a@x.io", "cio:03")
        for label in ("A", "B")
    ]
    routes = {channel.route(row) for row in rows}
    kinds = ("id", "email", "cio_id")
    assert routes == {
        f"{op} {k} {label}" for op in ("add", "remove") for k in kinds for label in "AB"
    }
    assert channel.encode(rows[0]) == b'"a"'
    assert channel.limits.records == 1_000


@pytest.mark.parametrize(
    "values", [{"label": " "}, {"identifier": "c1"}, {"identifier": "id:" + "x" * 151}]
)
def test_membership_needs_a_label_and_an_identifier_of_a_kind(
    bench: Bench, values: dict[str, str]
) -> None:
    with pytest.raises(Refused):
        bench.channel().encode(change(**values))


@pytest.mark.parametrize(
    ("call", "names"),
    [
        ("add id", ("c0", "c1")),
        ("add email", ("c0@X.io", "C1@x.io")),
        ("add cio_id", ("030", "031")),
    ],
)
def test_a_segment_is_made_filled_and_counted_without_reading_its_members(
    bench: Bench, call: str, names: tuple[str, ...]
) -> None:
    channel = bench.channel()
    assert bench.send(*names, call=call, channel=channel) == Taken()
    assert bench.members == ["c0", "c1"]
    assert bench.send(names[0], call=call.replace("add", "remove"), channel=channel) == Taken()
    assert bench.members == ["c1"]
    assert [bench.paths(end) for end in ("v1/segments", "customer_count", "membership")] == [
        2,
        3,
        0,
    ]
    assert bench.time.slept == []


def test_who_is_ignored_is_found_by_reading_the_members(bench: Bench) -> None:
    reply = bench.send("c0", "nobody", "c1")
    assert reply == Taken(unsure={1: "sent, and not seen in the segment"})
    assert bench.members == ["c0", "c1"]
    # once more after a while: the vendor may be at it still
    assert bench.paths("membership") == 2
    assert bench.time.slept == [5.0]


def test_an_id_of_another_kind_is_ignored_and_found(bench: Bench) -> None:
    reply = bench.send("c0", "c1@x.io")
    assert isinstance(reply, Taken)
    assert set(reply.unsure) == {1}


def test_who_is_there_already_is_no_doubt(bench: Bench) -> None:
    bench.send("c0", "c1")
    assert bench.send("c1", "c2", "c2") == Taken()
    assert bench.members == ["c0", "c1", "c2"]
    assert bench.send("c5", "c0", call="remove id") == Taken()
    assert bench.members == ["c1", "c2"]


def test_members_are_read_to_the_last_page_and_past_empty_ones(bench: Bench) -> None:
    bench.workspace.page_size = 2
    bench.workspace.has_empty_pages = True
    bench.workspace.segments += [segment(n, name=f"other {n}") for n in range(1, 6)]
    bench.send("c0", "c1", "c2", "c3")
    assert bench.send("c3", "c4") == Taken()
    assert len(bench.members) == 5
    assert len(bench.workspace.segments) == 6


def test_a_removal_that_is_not_seen_is_told(bench: Bench) -> None:
    bench.send("c0", "c1")
    people = {"identifiers": [{"id": "c0", "email": None, "cio_id": "030"}], "next": ""}
    stale = {"customer_count": {"count": 2}, "membership": people}
    bench.fail(
        *(
            {
                "kind": "status",
                "status": 200,
                "path": f"/v1/segments/1/{end}",
                "body": json.dumps(body),
                "times": 9,
            }
            for end, body in stale.items()
        )
    )
    assert bench.send("c0", call="remove id") == Taken(unsure={0: "removed, and still seen there"})


@pytest.mark.parametrize("status", [503, 404, 401])
def test_a_segment_that_cannot_be_read_back_leaves_its_rows_unknown(
    bench: Bench, status: int
) -> None:
    channel = bench.channel()
    bench.send("c5", channel=channel)
    ends = ("customer_count", "membership")
    bench.fail(
        *(
            {"kind": "status", "status": status, "path": f"/v1/segments/1/{end}", "times": 99}
            for end in ends
        )
    )
    reply = bench.send("c0", "c1", channel=channel)
    reason = "sent, and the segment could not be read back"
    assert reply == Taken(unsure={0: reason, 1: reason})
    assert bench.members == ["c5", "c0", "c1"]


def test_the_app_api_is_waited_for_as_it_asks(bench: Bench) -> None:
    headers = {"Retry-After": "3"}
    bench.fail({"kind": "status", "status": 429, "path": "/v1/", "headers": headers, "times": 2})
    assert bench.send("c0") == Taken()
    assert bench.time.slept == [3.0, 3.0]


def test_a_segment_is_made_only_where_the_sync_says_so(bench: Bench) -> None:
    channel = bench.channel(create=False)
    reply = bench.send("c0", "c1", channel=channel)
    assert isinstance(reply, Taken)
    assert set(reply.left) == {0, 1}
    assert "create_segments is not true" in reply.left[0]
    assert bench.workspace.segments == []
    # nobody is in a segment that is not there
    assert bench.send("c0", call="remove id", channel=channel) == Taken()
    bench.workspace.segments.append(segment(9))
    assert bench.send("c0", channel=bench.channel(create=False)) == Taken()
    assert bench.members == ["c0"]


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ([segment(1, "dynamic")], "data-driven"),
        ([segment(1), segment(2)], "several manual segments"),
    ],
)
@pytest.mark.parametrize("call", ["add id", "remove id"])
def test_a_segment_that_cannot_be_told_or_changed_is_left_alone(
    bench: Bench, segments: list[dict[str, Any]], reason: str, call: str
) -> None:
    bench.workspace.segments += segments
    reply = bench.send("c0", call=call)
    assert isinstance(reply, Taken)
    assert reason in reply.left[0]
    assert len(bench.workspace.segments) == len(segments)
    assert bench.paths("customers") == 0


def test_a_manual_segment_is_taken_though_a_data_driven_one_has_its_name(bench: Bench) -> None:
    bench.workspace.segments += [segment(1, "dynamic"), segment(2)]
    assert bench.send("c0") == Taken()
    assert [each["id"] for each in bench.workspace.members["2"]] == ["c0"]


def test_a_segment_that_went_away_meanwhile_stops_the_sync(bench: Bench) -> None:
    channel = bench.channel()
    bench.send("c0", channel=channel)
    bench.workspace.segments.clear()
    assert bench.send("c1", channel=channel) == Stop("answered 404")


def test_a_whole_refusal_names_no_row(bench: Bench) -> None:
    body = json.dumps({"meta": {"errors": ["ids is invalid"]}})
    path = "/api/v1/segments"
    bench.fail({"kind": "status", "status": 400, "path": path, "body": body})
    assert isinstance(bench.send("c0"), Unnamed)


REPLIES = [
    ({"kind": "status", "status": 503, "times": 99}, Later),
    ({"kind": "status", "status": 401}, Denied),
    ({"kind": "status", "status": 404}, Stop),
    ({"kind": "status", "status": 200, "body": "[]"}, Later),
    ({"kind": "status", "status": 200, "body": '{"segments": [{"id": 1}]}'}, Later),
]


@pytest.mark.parametrize(("failure", "kind"), REPLIES)
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_what_hinders_before_anything_is_sent_costs_no_row(
    bench: Bench, failure: dict[str, Any], kind: type, skip: int
) -> None:
    """Listing, making and counting come first: none of their failures may have taken a row."""
    bench.fail({"path": "/v1/", "skip": skip} | failure)
    reply = bench.send("c0")
    assert isinstance(reply, kind)
    assert not getattr(reply, "is_maybe_accepted", False)
    assert bench.members == []
    bench.fail()
    assert bench.send("c0") == Taken()
    assert len(bench.workspace.segments) == 1


@pytest.mark.parametrize(
    ("key", "said"),
    [(APP_API_KEY, "both APIs answer"), ("another", "the App API refuses app_api_key")],
)
def test_the_check_asks_both_apis(bench: Bench, key: str, said: str) -> None:
    given = CustomerioSettings(
        site_id=customerio_track.SITE_ID,
        api_key=Secret(customerio_track.API_KEY),
        app_api_key=Secret(key),
        base_url=bench.url,
    )
    check = CUSTOMERIO.objects["segment_members"].check
    assert check is not None
    found = check(given, bench.http)
    assert said in found.message
    assert found.is_ok is (key == APP_API_KEY)
    bench.fail({"kind": "status", "status": 503, "path": "/v1/", "times": 99})
    assert check(given, bench.http).message == "the App API answered 503"
