"""`cio verify` follows one event through the whole loop, and names the hop it did not take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.cio.command import cio_here as cio
from tests.cio.conftest import CLICK, DELIVERED, credentials

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def home(copied_world: Path) -> Path:
    return copied_world


def verify(home: Path, *arguments: str) -> tuple[int, Any]:
    syncs = [word for name in DELIVERED for word in ("--select", name)]
    said = cio("verify", *arguments, *syncs, "--json", home=home, environment=credentials(home))
    return said.exit_code, said.json


def hops(found: Any, name: str) -> dict[str, str]:  # noqa: ANN401 - any JSON
    return {hop["subject"]: hop["state"] for hop in found["hops"] if hop["name"] == name}


def test_an_event_that_came_through_has_its_ids_at_every_hop(home: Path) -> None:
    code, found = verify(home, "ann@example.com")
    assert code == 0
    assert found["is_through"]
    assert (found["event"]["event_id"], found["event"]["metric"]) == (CLICK, "clicked")
    assert [hop["name"] for hop in found["hops"]][:3] == ["emitted", "received", "modelled"]
    assert hops(found, "delivered") == {
        "amplitude_message_events": "ok",
        "mixpanel_message_events": "ok",
        "segment_message_events": "ok",
    }
    lists = hops(found, "audiences")
    assert lists["mixpanel_audience_members"] == "ok"
    assert lists["google_suppressed_members"] == "left out"
    assert hops(found, "measured") == {"campaign_performance_daily": "ok"}
    times = [hop["at"] for hop in found["hops"] if hop["name"] in {"emitted", "received"}]
    assert times == sorted(times)


def test_a_sync_that_does_not_forward_the_metric_is_left_out(home: Path) -> None:
    _, found = verify(home, "--event", "e1")
    assert hops(found, "delivered") == {
        "amplitude_message_events": "left out",
        "mixpanel_message_events": "ok",
        "segment_message_events": "ok",
    }


def test_what_was_refused_or_not_sent_is_named_with_the_way_out(home: Path) -> None:
    with duckdb.connect(home / "warehouse.duckdb") as warehouse:
        warehouse.execute(
            "update raw_reverse_etl.receipts set outcome = 'rejected', reason = 'time: too old' "
            "where sync = 'mixpanel_message_events' and identifier = '7'"
        )
        warehouse.execute(
            "delete from raw_reverse_etl.receipts "
            "where sync = 'segment_message_events' and identifier = '7'"
        )
        warehouse.execute(
            "update raw_reverse_etl.receipts set operation = 'remove' "
            "where sync = 'mixpanel_audience_members' and identifier = '7'"
        )
    code, found = verify(home, "7")
    assert code == 1
    said = {hop["subject"]: (hop["state"], hop["detail"], hop["mend"]) for hop in found["hops"]}
    assert said["mixpanel_message_events"] == (
        "failed",
        "rejected: time: too old",
        "`cio sync retry --select mixpanel_message_events` once that is mended",
    )
    assert said["segment_message_events"] == (
        "waiting",
        "1 of 1 rows not sent yet",
        "`cio sync run --select segment_message_events`",
    )
    assert said["mixpanel_audience_members"][0] == "waiting"


def test_what_came_in_after_the_build_waits_for_the_next(home: Path) -> None:
    with duckdb.connect(home / "warehouse.duckdb") as warehouse:
        warehouse.execute(
            "insert into raw_customerio.webhook_events by name "
            "select 'e-new' as event_id, _dlt_load_id from raw_customerio.webhook_events limit 1"
        )
    code, found = verify(home, "--event", "e-new")
    assert code == 1
    assert [(hop["name"], hop["state"]) for hop in found["hops"]] == [
        ("received", "ok"),
        ("modelled", "waiting"),
    ]
    said = cio("verify", "--event", "e-nowhere", home=home)
    assert said.exit_code == 2
    assert "no event e-nowhere in the published build" in said.err
    assert "quarantine" in said.err


def test_without_a_destination_nothing_came_through(home: Path) -> None:
    said = cio("verify", "7", home=home)
    assert said.exit_code == 1
    assert "mixpanel_message_events: no credentials are set" in said.out
    assert f"event {CLICK} has not come through" in said.out
