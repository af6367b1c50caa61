"""A load of the App API that is killed while it reads or while it lands, and then done again."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.customerio_app import APP_API_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.loaders.customerio.conftest import Api

    Select = Callable[[str], list[tuple[object, ...]]]

RESOURCES = ("campaigns", "membership", "people")

# The child stops itself at the moment named, says so, and waits to be killed: the real load, caught
# at a place that timing would rarely hit.
CHILD = """
import sys
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.pipeline.pipeline import Pipeline
from loaders.customerio import api, api_spool
from warehouse.home import Home

moment, *resources = sys.argv[1:]

def stop_at(owner, name, turn):
    original = getattr(owner, name)
    turns = []
    def stopped(*args, **kwargs):
        result = original(*args, **kwargs)
        turns.append(1)
        if len(turns) == turn:
            print("stopped", flush=True)
            sys.stdin.read()
        return result
    setattr(owner, name, stopped)

if moment == "reading":
    stop_at(api_spool.Spool, "add", 4)
elif moment == "read":
    stop_at(api_spool.Spool, "close", 1)
elif moment == "extracted":
    stop_at(Pipeline, "extract", 1)
elif moment.startswith("table"):
    stop_at(DuckDbCopyJob, "run", int(moment.removeprefix("table ")))
elif moment == "complete":
    stop_at(DuckDbClient, "complete_load", 1)
api.load_api(Home.resolve(), resources=resources)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment", ["reading", "read", "extracted", "table 1", "table 4", "complete"]
)
def test_a_load_killed_at_any_moment_leaves_no_gap_and_no_duplicate(
    api: Api, select: Select, moment: str
) -> None:
    api.workspace.people = api.workspace.people[:9]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, moment, *RESOURCES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL

    # the stand-in counts by a clock of its own; a while has passed
    api.time.seconds += 60
    api.load(*RESOURCES)
    for table, key in (
        ("api_campaigns", "campaign_id"),
        ("api_campaign_actions", "action_id"),
        ("api_segments", "segment_id"),
        ("api_people", "cio_id"),
    ):
        assert select(
            f"select count(*) > 0, count(*) = count(distinct {key}) from raw_customerio.{table}"
        ) == [(True, True)], table
    loads = 2 if moment == "complete" else 1
    assert select("select count(*) from raw_customerio._dlt_loads where status = 0") == [(loads,)]
    assert select("select count(*) from raw_customerio.api_people") == [(9,)]
    assert select("select count(*) from raw_customerio.api_segment_membership") == [(5 * loads,)]
    assert select(
        "select distinct _dlt_load_id in (select load_id from raw_customerio._dlt_loads) "
        "from raw_customerio.api_people"
    ) == [(True,)]
    # nothing that was read lies about
    assert list(api.home.dlt.iterdir()) == []


@pytest.mark.slow
def test_the_command_loads_and_counts_and_shows_no_secret(api: Api) -> None:
    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "loaders", "api", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | environment,
        )

    good = run("topics", "segments")
    assert good.stdout.splitlines() == [
        "api: 3 loaded, 0 unchanged, 0 quarantined, by 2 requests",
        "  api_topics: 1 of 1",
        "  api_segments: 2 of 2",
    ]
    api.time.seconds += 60
    as_json = run("topics", "--json")
    assert '"loaded": 0' in as_json.stdout

    api.time.seconds += 60
    bad = run("topics", LOADERS__CUSTOMERIO__APP_API_KEY="of-another-region")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "refuses the key (401)" in bad.stderr
    assert run("topic").returncode == 2
    shown = "".join(text for each in (good, as_json, bad) for text in (each.stdout, each.stderr))
    assert APP_API_KEY not in shown
    assert "of-another-region" not in shown
    assert "Traceback" not in shown


def test_no_log_holds_the_key_or_an_address(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        api.load("people", "membership", "messages")
    assert caplog.records
    assert APP_API_KEY not in caplog.text
    assert "@example.com" not in caplog.text
