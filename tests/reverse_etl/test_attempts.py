from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from reverse_etl.attempts import _clear
from reverse_etl.contract import Later, Limits, Taken
from reverse_etl.deliver import Way, deliver
from reverse_etl.delivery import Delivery
from reverse_etl.journal import RunFolder
from reverse_etl.settings import Sync
from reverse_etl.stop_list import StopList
from warehouse.stop_list import append

from .conformance import Result, _event, write_plan
from .world import FastClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
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
    on_sending: Callable[[], object] = field(default=lambda: None)
    limits: Limits = field(default_factory=lambda: Limits(100, 10_000, 1_000))
    sent: list[tuple[float, str]] = field(default_factory=list)

    def route(self, _change: Change) -> str:
        return "all"

    def encode(self, change: Change) -> bytes:
        return str(change.row).encode()

    def send(self, _route: str, records: Sequence[bytes]) -> Reply:
        self.sent.append((self.time.elapsed, b"".join(records).decode()))
        self.on_sending()
        return self.replies.pop(0)


def way_of(channel: Scripted, stop_list: StopList, *, connections: int = 1) -> Way:
    delivery = replace(SYNC.delivery, connections=connections)
    return Way(
        sync=replace(SYNC, delivery=delivery),
        channel=channel,
        is_repeatable=True,
        stop_list=stop_list,
        findings=(),
        clock=channel.time.clock(),
        halt=threading.Event(),
    )


def run(folder: Path, *replies: Reply, limits: Limits | None = None) -> tuple[Scripted, Result]:
    time = FastClock()
    channel = Scripted(list(replies), time, limits=limits or Limits(100, 10_000, 1_000))
    write_plan(folder / "plan.parquet", [_event(number) for number in range(6)])
    way = way_of(channel, StopList(folder / "none", "analyse"))
    run_folder = RunFolder(folder)
    return channel, Result.read(run_folder, deliver(run_folder, way), channel)


def test_rows_that_must_wait_do_not_hold_up_the_others(tmp_path: Path) -> None:
    reply = Taken(again=frozenset(range(6)), later=frozenset([1, 4]), wait_seconds=15)
    channel, result = run(tmp_path, reply, Taken(), Taken())
    assert channel.sent == [(0, "012345"), (0, "0235"), (15, "14")]
    assert result.outcomes == ["accepted"] * 6


@pytest.mark.parametrize(
    ("use", "is_maybe_accepted", "outcome"),
    [("activate", False, "skipped"), ("activate", True, "unknown"), ("analyse", False, "accepted")],
)
def test_who_opts_out_while_a_batch_waits_is_not_in_its_next_attempt(
    tmp_path: Path, use: str, outcome: str, *, is_maybe_accepted: bool
) -> None:
    time = FastClock()
    busy = Later("busy", is_maybe_accepted=is_maybe_accepted, wait_seconds=60.0)
    path = tmp_path / "stop_list.ndjson"

    def opt_out() -> None:
        append(path, "opt_out", ["customer-1"], by="receive")

    channel = Scripted([busy, Taken()], time, opt_out)
    run_folder = RunFolder(tmp_path)
    write_plan(run_folder.plan, [_event(number) for number in range(3)])
    way = way_of(channel, StopList(path, use))
    result = Result.read(run_folder, deliver(run_folder, way), channel)
    again = "012" if outcome == "accepted" else "02"
    assert channel.sent == [(0, "012"), (60, again)]
    assert result.outcomes == ["accepted", outcome, "accepted"]


def test_a_batch_of_nobody_left_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "stop_list.ndjson"
    append(path, "erasure", ["customer-0", "customer-1"], by="erase")
    channel = Scripted([], FastClock())
    run_folder = RunFolder(tmp_path)
    write_plan(run_folder.plan, [_event(0), _event(1)])
    way = way_of(channel, StopList(path, "analyse"))
    result = Result.read(run_folder, deliver(run_folder, way), channel)
    assert channel.sent == []
    assert result.outcomes == ["skipped", "skipped"]
    assert set(result.reasons) == {"erased since the build"}


def test_what_is_removed_is_gone_before_anything_is_added(tmp_path: Path) -> None:
    operations = ["remove"] * 4 + ["add"] * 4
    changes = [_event(n, operation=operation) for n, operation in enumerate(operations)]
    busy = Later("busy", is_maybe_accepted=False, wait_seconds=9.0)
    channel = Scripted([busy, *[Taken()] * 8], FastClock(), limits=Limits(1, 99, 9))
    run_folder = RunFolder(tmp_path)
    write_plan(run_folder.plan, changes)
    way = way_of(channel, StopList(tmp_path / "none", "analyse"), connections=4)
    Result.read(run_folder, deliver(run_folder, way), channel)
    first_addition = min(n for n, (_, row) in enumerate(channel.sent) if row >= "4")
    assert len(channel.sent) == 9
    assert first_addition == 5


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
