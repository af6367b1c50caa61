"""Killed anywhere and run again, the destination is the model: no row lost, none twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .world import World, event, member

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.run import Room

    from .conftest import Fake

ROOT = Path(__file__).parents[2]
POINTS = [
    ("before the plan is on disk", 1),
    ("before an intent", 1),
    ("before an intent", 4),
    ("between intent and sending", 3),
    ("between reply and outcome", 3),
    ("after an outcome", 3),
    ("after delivery", 1),
    ("during landing", 1),
    ("after landing", 1),
]


def start(world: World, point: str, nth: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.reverse_etl.killed_run", point, str(nth)]
    return subprocess.Popen([*command, str(world.home.root), str(world.manifest)], cwd=ROOT)


def declare(world: World) -> None:
    small = {"settings": {"records_per_request": 40, "connections": 1}}
    world.declare_events(**small)
    world.declare_members(**small)


def assert_equal_to_model(
    world: World, fake: Fake, events: list[dict[str, object]], members: list[dict[str, object]]
) -> None:
    sent = fake.events
    ids = sorted(one["properties"]["$insert_id"] for one in sent)
    assert ids == sorted(str(row["record_key"]) for row in events)
    assert fake.members == {(row["customer_id"], row["label"]) for row in members}
    runs = world.query(
        "select is_balanced, planned = accepted + rejected + skipped + unknown "
        "from raw_reverse_etl.runs"
    )
    assert set(runs) == {(True, True)}
    twice = world.query(
        "select run_id from raw_reverse_etl.runs group by run_id having count(*) > 1"
    )
    assert twice == []


@pytest.mark.slow
@pytest.mark.parametrize(("point", "nth"), POINTS)
def test_a_run_killed_anywhere_is_made_good(
    world: World, fake: Fake, room: Callable[..., Room], point: str, nth: int
) -> None:
    from reverse_etl.run import plan_syncs, run_syncs

    declare(world)
    world.build(events=[event(n) for n in range(100)], members=[member(n) for n in range(100)])
    assert {run.state for run in run_syncs(room())} == {"done"}
    events = [event(n) for n in range(300)]
    members = [member(n) for n in range(50, 250)]
    world.build(events=events, members=members)

    with start(world, point, nth) as process:
        assert process.wait(timeout=120) == -signal.SIGKILL

    assert {run.state for run in run_syncs(room())} == {"done"}
    assert_equal_to_model(world, fake, events, members)
    assert [plan.changes for plan in plan_syncs(room())] == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_while_a_request_is_under_way_is_made_good(
    world: World, fake: Fake, room: Callable[..., Room], when: str
) -> None:
    from reverse_etl.run import run_syncs

    declare(world)
    events = [event(n) for n in range(200)]
    members = [member(n) for n in range(200)]
    world.build(events=events, members=members)
    # each sync's second request waits, so that one of its requests is done and one is not
    hold = {"kind": "hold", "when": when, "skip": 1}
    fake.fail(hold | {"path": "/import"}, hold | {"path": "/engage"})
    with start(world, "nowhere", 0) as process:
        fake.wait_until_held(2)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
    fake.release()

    runs = run_syncs(room())
    assert {run.state for run in runs} == {"done"}
    assert_equal_to_model(world, fake, events, members)
    unknown = world.query("select unknown from raw_reverse_etl.runs order by run_id limit 2")
    assert unknown == [(40,), (40,)]


@pytest.mark.slow
def test_a_term_signal_ends_after_the_request_under_way(
    world: World, fake: Fake, room: Callable[..., Room]
) -> None:
    from reverse_etl.run import run_syncs

    declare(world)
    events, members = [event(n) for n in range(200)], [member(n) for n in range(200)]
    world.build(events=events, members=members)
    hold = {"kind": "hold", "when": "before", "skip": 1}
    fake.fail(hold | {"path": "/import"}, hold | {"path": "/engage"})
    with start(world, "nowhere", 0) as process:
        fake.wait_until_held(2)
        os.kill(process.pid, signal.SIGTERM)
        fake.release()
        assert process.wait(timeout=60) == 0
    runs = world.query(
        "select accepted, unknown, is_interrupted, is_balanced from raw_reverse_etl.runs"
    )
    assert {run[1:] for run in runs} == {(0, True, True)}
    assert all(80 <= run[0] < 200 for run in runs)
    assert {run.state for run in run_syncs(room())} == {"done"}
    assert_equal_to_model(world, fake, events, members)
