"""A load that is killed, at moments it can be caught at, and then done again."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from loaders.run import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home

    Event = Callable[..., bytes]
    Select = Callable[[str], list[tuple[object, ...]]]

EVENTS = 3_000

# The child stops itself at the moment named, says so, and waits to be killed: the real load, caught
# at a place that timing would rarely hit.
CHILD = """
import sys
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.pipeline.pipeline import Pipeline
from loaders import run
from warehouse.home import Home

moment, folder = sys.argv[1:]

def stop():
    print("stopped", flush=True)
    sys.stdin.read()

def stop_before(owner, name):
    original = getattr(owner, name)
    def stopped(*args, **kwargs):
        stop()
        return original(*args, **kwargs)
    setattr(owner, name, stopped)

def stop_after(owner, name, turn):
    original = getattr(owner, name)
    turns = []
    def stopped(*args, **kwargs):
        result = original(*args, **kwargs)
        turns.append(1)
        if len(turns) == turn:
            stop()
        return result
    setattr(owner, name, stopped)

if moment == "extracting":
    stop_after(run, "_file_batches", 2)
elif moment == "extracted":
    stop_before(Pipeline, "normalize")
elif moment == "normalized":
    stop_before(Pipeline, "load")
elif moment.startswith("table"):
    stop_after(DuckDbCopyJob, "run", int(moment.removeprefix("table ")))
elif moment == "before completion":
    stop_before(DuckDbClient, "complete_load")
elif moment == "after completion":
    stop_after(DuckDbClient, "complete_load", 1)
run.load(Home.resolve(), "webhooks", [folder])
"""


@pytest.fixture
def inbox(tmp_path: Path, event: Event) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for file in range(3):
        lines = [event(f"{file}-{number}") for number in range(EVENTS // 3)]
        (folder / f"{file}.jsonl").write_bytes(b"".join(lines) + b"{}\n")
    return folder


def expect_everything_once(home: Home, inbox: Path, select: Select) -> None:
    load(home, "webhooks", [str(inbox)])
    assert select(
        "select count(*), count(distinct event_id) from raw_customerio.webhook_events "
        "where _dlt_load_id in (select load_id from raw_customerio._dlt_loads where status = 0)"
    ) == [(EVENTS, EVENTS)]
    assert select("select count(*) from raw_customerio.webhook_events") == [(EVENTS,)]
    assert select("select count(*), count(distinct path) from raw_customerio.loaded_files") == [
        (3, 3)
    ]
    assert select("select count(*) from raw_customerio.quarantine") == [(3,)]
    assert select("select count(*) from raw_customerio.feed_loads") == [(1,)]
    assert list(home.dlt.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    [
        "extracting",
        "extracted",
        "normalized",
        "table 1",
        "table 2",
        "table 3",
        "table 4",
        "before completion",
        "after completion",
    ],
)
def test_a_load_killed_at_any_moment_leaves_no_gap_and_no_duplicate(
    home: Home, inbox: Path, select: Select, moment: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, moment, str(inbox)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    expect_everything_once(home, inbox, select)
