from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from reverse_etl.attempts import _clear
from reverse_etl.contract import Later, Limits, Taken
from reverse_etl.deliver import Way, deliver
from reverse_etl.delivery import Delivery
from reverse_etl.journal import RunFolder
from reverse_etl.settings import Sync
from reverse_etl.stop_list import StopList

from .conformance import Result, _event, write_plan
from .world import FastClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reverse_etl.contract import Change, Reply

SYNC = Sync(
    name="sync",
    destination="scripted",
    object="message_events",
    model="outbound_model",
    use="analyse",
    mode="append",
    identity="customer_id",
    delivery=Delivery(connections=1, attempts=2, jitter_seconds=0.0),
)


@dataclass
class Scripted:
    """A destination that gives one reply after the other, and notes what it was sent and when."""

    replies: list[Reply]
    time: FastClock
    limits: Limits = field(default_factory=lambda: Limits(100, 10_000, 1_000))
    sent: list[tuple[float, str]] = field(default_factory=list)

    def route(self, _change: Change) -> str:
        return "all"

    def encode(self, change: Change) -> bytes:
        return str(change.row).encode()

    def send(self, _route: str, records: Sequence[bytes]) -> Reply:
        self.sent.append((self.time.elapsed, b"".join(records).decode()))
        return self.replies.pop(0)


def run(folder: Path, *replies: Reply, limits: Limits | None = None) -> tuple[Scripted, Result]:
    time = FastClock()
    channel = Scripted(list(replies), time, limits or Limits(100, 10_000, 1_000))
    write_plan(folder / "plan.parquet", [_event(number) for number in range(6)])
    way = Way(
        sync=SYNC,
        channel=channel,
        is_repeatable=True,
        stop_list=StopList(folder / "none", "analyse"),
        findings=(),
        clock=time.clock(),
        halt=threading.Event(),
    )
    run_folder = RunFolder(folder)
    return channel, Result.read(run_folder, deliver(run_folder, way), channel)


def test_rows_that_must_wait_do_not_hold_up_the_others(tmp_path: Path) -> None:
    reply = Taken(again=frozenset(range(6)), later=frozenset([1, 4]), wait_seconds=15)
    channel, result = run(tmp_path, reply, Taken(), Taken())
    assert channel.sent == [(0, "012345"), (0, "0235"), (15, "14")]
    assert result.outcomes == ["accepted"] * 6


def test_rows_it_will_not_take_today_stay_planned_with_the_reason(tmp_path: Path) -> None:
    reply = Taken(again=frozenset(range(6)), left={2: "over the quota"}, refused={0: "bad"})
    channel, result = run(tmp_path, reply, Taken())
    assert [sent for _, sent in channel.sent] == ["012345", "1345"]
    assert result.outcomes == ["rejected", "accepted", "skipped", *["accepted"] * 3]
    assert result.reasons[:3] == ["bad", None, "over the quota"]
    assert result.delivered.problem is None


def test_a_row_left_after_an_attempt_that_may_have_been_accepted_is_unknown(
    tmp_path: Path,
) -> None:
    lost = Later("no whole reply", is_maybe_accepted=True)
    _, result = run(tmp_path, lost, Taken(left={5: "over the quota"}))
    assert result.outcomes == [*["accepted"] * 5, "unknown"]


def test_rows_that_may_be_there_and_are_not_seen_are_unknown(tmp_path: Path) -> None:
    reply = Taken(unsure={2: "not seen", 4: "not seen"}, refused={4: "bad"}, left={2: "later"})
    channel, result = run(tmp_path, reply)
    assert [sent for _, sent in channel.sent] == ["012345"]
    assert result.outcomes == [*["accepted"] * 2, "unknown", "accepted", "rejected", "accepted"]
    assert result.reasons[2] == "not seen"


def test_a_rate_in_requests_spreads_requests_of_any_size(tmp_path: Path) -> None:
    channel, _ = run(
        tmp_path, *[Taken()] * 3, limits=Limits(2, 10_000, 1_000, requests_per_second=4)
    )
    assert channel.sent == [(0, "01"), (0.25, "23"), (0.5, "45")]


@pytest.mark.parametrize("known", ["id:ann-lee", "email:ann-lee", "ann-lee"])
def test_a_reason_is_cleared_of_the_identifier_without_its_kind(known: str) -> None:
    assert _clear("ann-lee is refused, as email:ann-lee was", known).count("ann-lee") == 0
