from __future__ import annotations

import hashlib
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from fakes import mixpanel
from loaders.run import load
from reverse_etl.__main__ import main
from reverse_etl.clock import Clock
from reverse_etl.journal import RunFolder, run_folders
from reverse_etl.lock import Patience, hold
from reverse_etl.plan import Asked
from reverse_etl.record import land_journals
from reverse_etl.run import plan_syncs, run_syncs
from reverse_etl.status import check_syncs, status
from warehouse.errors import CioError, UsageError, WarehouseBusy

from .world import NOW, World, event, md5, member

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.run import Room
    from reverse_etl.sync_run import SyncRun

    from .conftest import Fake


def counts(run: SyncRun) -> tuple[int, int, int, int]:
    return run.accepted, run.rejected, run.skipped, run.unknown


@pytest.mark.slow
def test_what_the_model_has_is_what_the_destination_gets(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_events()
    world.declare_members()
    world.build(events=[event(n) for n in range(50)], members=[member(n) for n in range(20)])
    runs = run_syncs(room())
    assert [(run.name, run.state, *counts(run)) for run in runs] == [
        ("events", "done", 50, 0, 0, 0),
        ("members", "done", 20, 0, 0, 0),
    ]
    sent = {one["properties"]["$insert_id"]: one for one in fake.events}
    first = event(1)
    assert sent[first["record_key"]] == {
        "event": "Email Link Clicked",
        "properties": {
            "campaign_id": "7",
            "number": 1,
            "time": int(
                (
                    first["occurred_at"]
                    - NOW.replace(year=1970, month=1, day=1, hour=0, minute=0, second=0)
                )
                / timedelta(milliseconds=1)
            ),
            "distinct_id": "customer-1",
            "$insert_id": first["record_key"],
            "ip": "0",
        },
    }
    assert fake.members == {(f"customer-{n}", "CIO | clickers | 0-7d") for n in range(20)}
    world.build(members=[member(n, customer_id=f"moved-{n}") for n in range(10, 20)])
    run_syncs(room())
    assert fake.members == {(f"moved-{n}", "CIO | clickers | 0-7d") for n in range(10, 20)}
    assert [plan.changes for plan in plan_syncs(room())] == [0, 0]


@pytest.mark.slow
def test_a_deleted_warehouse_is_rebuilt_from_the_journals(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_events()
    world.declare_members()
    rows = {"events": [event(n) for n in range(30)], "members": [member(n) for n in range(20)]}
    world.build(**rows)
    run_syncs(room())
    rows["members"] = [member(n) for n in range(5, 25)]
    world.build(**rows)
    run_syncs(room())
    before = world.query("select * exclude _dlt_load_id from raw_reverse_etl.receipts order by all")
    requests = len(fake.requests)

    world.home.warehouse.unlink()
    shutil.rmtree(world.home.published)
    world.home.make()
    world.build(**rows)

    assert [plan.changes for plan in plan_syncs(room())] == [0, 0]
    after = world.query("select * exclude _dlt_load_id from raw_reverse_etl.receipts order by all")
    assert after == before
    assert len(fake.requests) == requests


def test_refused_rows_are_kept_with_their_reason_and_hold_back_nothing(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_events()
    refusal = {
        "code": 400,
        "error": "some data points in the request failed validation",
        "failed_records": [{"index": 2, "field": "properties.x", "message": "is bad"}],
        "num_records_imported": 4,
        "status": "Bad Request",
    }
    world.build(events=[event(n) for n in range(5)])
    fake.fail({"kind": "status", "status": 400, "when": "after", "body": json.dumps(refusal)})
    (run,) = run_syncs(room())
    assert (run.state, *counts(run)) == ("done", 4, 1, 0, 0)
    kept = world.query(
        "select record_key, reason from raw_reverse_etl.receipts where outcome = 'rejected'"
    )
    assert kept == [(event(2)["record_key"], "properties.x: is bad")]
    (plan,) = plan_syncs(room())
    assert (plan.changes, plan.left_out) == (0, {"rejected before": 1})
    (run,) = run_syncs(room(), Asked(is_retry=True))
    assert counts(run) == (1, 0, 0, 0)
    (one,) = status(room())
    assert one.reasons == {}


def test_a_second_run_of_a_sync_is_refused(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    with hold(world.home, "events", now=NOW):
        (run,) = run_syncs(room())
        (one,) = status(room())
    assert run.state == "failed"
    assert "running already (PID" in str(run.error)
    assert one.is_running
    assert fake.events == []
    assert run_syncs(room())[0].state == "done"


def test_a_disk_that_is_full_while_a_sync_is_planned_says_so(
    world: World, fake: Fake, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    monkeypatch.setattr(RunFolder, "plan", Path("/dev/full"))
    with pytest.raises(CioError, match=r"^cannot plan sync events: the disk is full\. Nothing"):
        plan_syncs(room())
    (run,) = run_syncs(room())
    assert run.state == "failed"
    assert str(run.error).startswith("cannot run sync events: the disk is full. What it sent is")
    assert fake.events == []


def test_who_waited_in_vain_for_the_warehouse_waited_for_all_syncs() -> None:
    patience = Patience(9)
    with pytest.raises(WarehouseBusy), patience.wait():
        raise WarehouseBusy
    with patience.wait() as seconds:
        # the next only looks; it got the warehouse, so that who comes after it waits again
        assert seconds == 0
    with patience.wait() as seconds:
        assert seconds == 9


def test_syncs_wait_once_for_a_warehouse_that_another_process_has(
    world: World, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("events", "later", "members"):
        world.declare_events(name)
    world.build(events=[event(1)])
    run_syncs(room())
    waits: list[float] = []

    def busy(*_args: object, wait_seconds: float, **_options: object) -> None:
        waits.append(wait_seconds)
        raise WarehouseBusy

    monkeypatch.setattr("reverse_etl.lock.open_warehouse", busy)
    assert {run.state for run in run_syncs(room())} == {"failed"}
    # at the start, and then each sync: of these one has patience
    assert waits == [0, 600, 0, 0]


def test_a_dead_destination_stops_no_other_sync(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_events()
    world.declare_members()
    world.build(events=[event(1)], members=[member(1)])
    fake.fail({"kind": "status", "status": 503, "path": "/import", "times": 99})
    events, members = run_syncs(room())
    assert (events.state, *counts(events)) == ("failed", 0, 0, 0, 1)
    assert (members.state, *counts(members)) == ("done", 1, 0, 0, 0)
    runs = world.query("select sync, is_balanced from raw_reverse_etl.runs order by sync")
    assert runs == [("events", True), ("members", True)]
    fake.fail()
    assert counts(run_syncs(room())[0]) == (1, 0, 0, 0)


def test_refused_credentials_land_a_run_and_show_nothing(
    world: World,
    fake: Fake,
    room: Callable[..., Room],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", "not-the-token")
    world.declare_events()
    world.build(events=[event(1), event(2)])
    (run,) = run_syncs(room())
    assert (run.state, *counts(run)) == ("failed", 0, 0, 2, 0)
    assert "refused the credentials (401)" in str(run.error)
    assert "not-the-token" not in f"{run} {caplog.text}"
    folder = run_folders(world.home)[0].path
    assert [p for p in folder.iterdir() if b"not-the-token" in p.read_bytes()] == []
    assert fake.events == []


def test_without_credentials_a_sync_is_inactive(
    world: World, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN")
    world.declare_events()
    world.build(events=[event(1)])
    (run,) = run_syncs(room())
    assert run.state == "inactive"
    assert run.is_ok
    assert run_folders(world.home) == []
    assert check_syncs(room()) == [("events", None)]


def test_a_guard_holds_a_run_back_until_it_is_forced(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_members(guards={"expected_rows": [10, 20]})
    world.build(members=[member(1)])
    (run,) = run_syncs(room())
    assert (run.state, *counts(run)) == ("held", 0, 0, 1, 0)
    assert fake.requests == []
    assert world.query("select count(*) from raw_reverse_etl.receipts") == [(0,)]
    (run,) = run_syncs(room(), Asked(force=("size",)))
    assert (run.state, *counts(run)) == ("done", 1, 0, 0, 0)
    forced = world.query("select forced_guards from raw_reverse_etl.runs order by run_id")
    assert forced == [(None,), ("size",)]


def test_a_stale_build_adds_nobody_to_an_activating_sync_but_lets_opt_outs_leave(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_members(use="activate", guards={"max_age_hours": 1})
    world.build(members=[member(1), member(2)])
    run_syncs(room())
    consent = {"marts.person_consent": "select 'person-1' as person_id, true as is_opted_out"}
    world.build(members=[member(1), member(2), member(3)], tables=consent)
    later = Clock(now=lambda: NOW + timedelta(hours=3))
    (run,) = run_syncs(room(clock=later))
    assert (run.state, *counts(run)) == ("held", 1, 0, 1, 0)
    assert {person for person, _ in fake.members} == {"customer-2"}


def test_a_suppressing_sync_held_back_still_adds(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_members(use="suppress", guards={"expected_rows": [100, 200]})
    world.build(members=[member(n) for n in range(100)])
    run_syncs(room())
    world.build(members=[member(n) for n in range(99, 102)])
    (run,) = run_syncs(room())
    assert (run.state, *counts(run)) == ("held", 2, 0, 99, 0)
    assert len(fake.members) == 102
    reasons = world.query(
        "select distinct reason from raw_reverse_etl.receipts where outcome = 'skipped'"
    )
    assert reasons == [("guard size",)]


def test_another_project_is_noticed(
    world: World, fake: Fake, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    run_syncs(room())
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_ID", "42")
    (run,) = run_syncs(room())
    assert run.state == "held"
    assert [f.guard for f in run.findings] == ["settings"]
    assert "account differ" in run.findings[0].message
    (run,) = run_syncs(room(), Asked(force=("settings",)))
    assert (run.state, *counts(run)) == ("done", 1, 0, 0, 0)
    assert len(fake.events) == 1


def test_a_person_on_the_stop_list_is_not_sent(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_members("activating", use="activate")
    world.declare_members("analysing")
    world.build(members=[member(n) for n in range(4)])
    lines = [
        {"kind": "opt_out", "identifier": hashlib.sha256(b"customer-1").hexdigest()},
        {"kind": "erasure", "identifier": hashlib.sha256(b"person-2").hexdigest()},
    ]
    stop_list = world.home.root / "stop_list.ndjson"
    stop_list.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"kind": "opt')
    activating, analysing = run_syncs(room())
    assert counts(activating) == (2, 0, 2, 0)
    assert counts(analysing) == (3, 0, 1, 0)
    assert "customer-2" not in {person for person, _ in fake.members}


def test_an_unsubscribe_that_arrives_after_the_build_keeps_the_person_out(
    world: World, fake: Fake, room: Callable[..., Room], tmp_path: Path
) -> None:
    world.declare_members("activating", use="activate")
    world.build(members=[member(n) for n in range(3)])
    (planned,) = plan_syncs(room())
    assert planned.adds == 3
    path = tmp_path / "events.jsonl"
    event_of_vendor = {
        "event_id": "late",
        "object_type": "customer",
        "metric": "unsubscribed",
        "timestamp": 1_767_225_600,
        "data": {"identifiers": {"id": "customer-1"}},
    }
    path.write_text(json.dumps(event_of_vendor) + "\n")
    load(world.home, "webhooks", [str(path)])
    (run,) = run_syncs(room())
    assert counts(run) == (2, 0, 1, 0)
    assert {person for person, _ in fake.members} == {"customer-0", "customer-2"}


def test_the_stop_list_knows_people_under_a_profile_key(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_members("activating", use="activate", identity="profile_key")
    rows = [member(1), member(2, profile_key="email:Two@Example.com"), member(3)]
    world.build(members=rows)
    lines = [
        {"kind": "opt_out", "identifier": hashlib.sha256(name).hexdigest()}
        for name in (b"customer-1", b"two@example.com")
    ]
    stop_list = world.home.root / "stop_list.ndjson"
    stop_list.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run,) = run_syncs(room())
    assert counts(run) == (1, 0, 2, 0)
    assert {person for person, _ in fake.members} == {"id:customer-3"}


def test_only_guards_that_may_be_forced_are(world: World, room: Callable[..., Room]) -> None:
    world.declare_events()
    with pytest.raises(UsageError, match="--force target"):
        run_syncs(room(), Asked(force=("target",)))


def test_an_empty_run_is_recorded(world: World, fake: Fake, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.build(events=[])
    (run,) = run_syncs(room())
    assert (run.state, *counts(run)) == ("done", 0, 0, 0, 0)
    assert world.query("select planned, is_balanced from raw_reverse_etl.runs") == [(0, True)]
    assert fake.requests == []


def test_journals_are_landed_once(world: World, fake: Fake, room: Callable[..., Room]) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    run_syncs(room())
    assert len(fake.events) == 1
    assert land_journals(world.home) == []
    assert world.query("select count(*) from raw_reverse_etl.receipts") == [(1,)]


def test_a_journal_keeps_no_payload_once_it_is_landed(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    world.declare_events()
    world.build(events=[event(1)])
    run_syncs(room())
    (folder,) = run_folders(world.home)
    (row,) = pq.read_table(folder.plan).to_pylist()
    assert (row["payload"], row["record_key"]) == (None, event(1)["record_key"])
    names = {path.name for path in folder.path.iterdir()}
    assert names == {"plan.parquet", "outcomes.ndjson", "run.json"}
    assert len(fake.events) == 1


def test_the_command_line_tells_by_its_exit_code(
    world: World, fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_HOME", str(world.home.root))
    manifest = ["--manifest", str(world.manifest)]
    world.declare_events(settings={"attempts": 1, "jitter_seconds": 0})
    world.build(events=[event(1), event(2, customer_id=None)])
    assert main(["plan", "--json", *manifest]) == 3
    (plan,) = json.loads(capsys.readouterr().out)["syncs"]
    assert (plan["adds"], plan["left_out"]) == (1, {"no identifier": 1})
    fake.fail({"kind": "status", "status": 429})
    assert main(["run", *manifest]) == 1
    assert main(["run", *manifest]) == 0
    assert main(["plan", *manifest]) == 0
    assert main(["status", *manifest]) == 0
    assert main(["check", *manifest]) == 0
    assert main(["plan", "--select", "other", *manifest]) == 2
    shown = capsys.readouterr()
    assert "1 accepted" in shown.out
    assert "no sync is called other; known: events" in shown.err
    assert mixpanel.TOKEN not in shown.out + shown.err
    assert md5("event 1") not in shown.out + shown.err
