"""`cio run`: steps in order, within their time, one run at a time, and none that stops the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from cio.heartbeat import beat
from cio.run import Busy, Interrupted, Run, RunOverdue, run_once, steps_of
from cio.run_log import MAX_BYTES, RunLog, scrub
from cio.run_settings import FeedLoad, Heartbeat, RunSettings, read_run_settings
from cio.run_steps import Step, execute
from fakes.server import serve_in_thread
from loaders.registry import FEEDS
from tests.cio.command import cio
from warehouse.errors import UsageError
from warehouse.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

    from warehouse.home import Home

PYTHON = (sys.executable, "-c")
SAID = {
    "load": '{"loaded": 3, "quarantined": 1}',
    "build": '{"published": "x.duckdb"}',
    "sync": '{"syncs": [{"name": "a", "state": "done", "accepted": 5, "rejected": 0,'
    ' "skipped": 0, "unknown": 0}]}',
    "report": '{"report": "report.html"}',
    "alerts": '{"open": 2, "raised": 1, "resolved": 0}',
}


def step(kind: str, code: str | None = None, *, name: str = "", limit: float = 30) -> Step:
    program = code or f"print('''{SAID[kind]}''')"
    return Step(name or kind, kind, (program,), limit, PYTHON)


def quietly(home: Home, steps: list[Step]) -> Run | Busy:
    return run_once(home, RunSettings(), steps, on_step=lambda _name: None)


def log_of(home: Home) -> list[dict[str, Any]]:
    return [json.loads(line) for line in RunLog.of(home).path.read_text().splitlines()]


def test_steps_run_in_order_and_leave_one_line_each(home: Home) -> None:
    done = quietly(home, [step(kind) for kind in SAID])
    assert isinstance(done, Run)
    assert done.outcome == "done"
    assert done.line.endswith(
        "load: 3 new, 1 quarantined; build: published; sync: 5 accepted; report: written; "
        "alerts: 2 open"
    )
    assert [line["name"] for line in log_of(home)] == list(SAID)
    assert {line["run_id"] for line in log_of(home)} == {done.run_id}
    assert RunLog.of(home).path.stat().st_mode & 0o077 == 0


def test_a_feed_that_fails_stops_no_other_step_but_fails_the_run(home: Home) -> None:
    dead = step("load", "import sys; sys.exit('cio: orders/ is not there')", name="load orders")
    done = quietly(home, [dead, step("load"), step("build"), step("sync")])
    assert isinstance(done, Run)
    assert [one.state for one in done.steps] == ["failed", "done", "done", "done"]
    assert done.steps[0].said == "orders/ is not there"
    assert done.outcome == "failed"
    assert "load orders FAILED" in done.line


def test_nothing_is_sent_after_a_build_that_did_not_pass(home: Home) -> None:
    done = quietly(home, [step("build", "raise SystemExit(1)"), step("sync"), step("alerts")])
    assert isinstance(done, Run)
    assert [one.state for one in done.steps] == ["failed", "skipped", "done"]


def test_a_step_ends_with_its_time_and_so_does_what_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child.pid"
    code = (
        "import subprocess, sys, pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    ended = execute(step("sync", code, limit=1.5), lambda _said: ("", {}), grace_seconds=0.2)
    assert ended.state == "timed_out"
    assert "minutes" in ended.said
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", child.read_text()],  # noqa: S607 - wherever this machine has it
        capture_output=True,
        text=True,
        check=False,
    )
    assert status.stdout.strip() in {"", "Z"}


def test_a_second_run_leaves_the_work_to_the_first(home: Home) -> None:
    with FileLock(home.locks / "run.lock"):
        (home.locks / "run.json").write_text(
            json.dumps({"pid": 7, "started_at": "2026-01-01T00:00:00", "until": "2999-01-01"})
        )
        found = quietly(home, [step("build", "raise SystemExit(1)")])
        assert isinstance(found, Busy)
        assert "PID 7" in found.message
        said = cio("run", "--json", home=home.root)
    assert (said.exit_code, said.json["outcome"]) == (0, "busy")


def test_a_run_that_hangs_is_an_error_for_the_next(home: Home) -> None:
    with FileLock(home.locks / "run.lock"):
        (home.locks / "run.json").write_text(
            json.dumps({"pid": 7, "started_at": "2026-01-01T00:00:00", "until": "2026-01-02"})
        )
        with pytest.raises(RunOverdue, match="kill 7"):
            quietly(home, [])


def test_a_run_that_is_told_to_end_ends_its_step_and_lets_go(home: Home) -> None:
    code = f"import os, signal, time; os.kill({os.getpid()}, signal.SIGTERM); time.sleep(600)"
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted):
        quietly(home, [step("build", code)])
    assert signal.getsignal(signal.SIGTERM) is before
    assert isinstance(quietly(home, [step("build")]), Run)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("cannot reach ann.b+c@example.co.uk, retry", "cannot reach …, retry"),
        ("call +49 (170) 123-45-67 now", "call … now"),
        ("Could not convert string 'Ann Smith' to INT", "Could not convert string '…' to INT"),
        ("see https://hooks.example.com/T0/secret", "see https://…"),
        (
            "since 2026-01-01 10:00 UTC, 12 rows of 345",
            "since 2026-01-01 10:00 UTC, 12 rows of 345",
        ),
    ],
)
def test_a_log_keeps_nothing_personal(text: str, kept: str) -> None:
    assert scrub(text) == kept


def test_a_log_is_rotated(home: Home) -> None:
    log = RunLog.of(home)
    log.write({"name": "first"})
    with log.path.open("a") as file:
        file.write("x" * MAX_BYTES)
    log.write({"name": "second"})
    assert [line["name"] for line in log_of(home)] == ["second"]
    assert (log.folder / "run.jsonl.1").stat().st_size > MAX_BYTES


@contextmanager
def monitor(status: int = 200) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    calls: list[tuple[str, str, str]] = []

    async def take(request: Request) -> Response:
        calls.append((request.method, request.url.path, (await request.body()).decode()))
        return Response(status_code=status)

    routes = [Route("/{path:path}", take, methods=["GET", "POST"])]
    with serve_in_thread(Starlette(routes=routes)) as address:
        yield address, calls


def test_a_monitor_is_told_how_a_run_ended() -> None:
    with monitor() as (address, calls):
        assert beat(Heartbeat(Secret(f"{address}/ping/k")), is_ok=True, line="done") is None
        post = Heartbeat(Secret(f"{address}/ping/k"), "POST")
        assert beat(post, is_ok=False, line="failed in 1 s") is None
    assert calls == [("GET", "/ping/k", ""), ("POST", "/ping/k/fail", "failed in 1 s")]


def test_a_monitor_that_is_down_fails_no_run_and_its_address_is_not_said() -> None:
    with monitor(500) as (address, _calls):
        said = beat(Heartbeat(Secret(f"{address}/ping/secret")), is_ok=True, line="")
    gone = beat(Heartbeat(Secret(f"{address}/ping/secret")), is_ok=True, line="")
    assert said == "the heartbeat was answered with 500"
    assert gone is not None
    assert "secret" not in gone


@pytest.fixture
def settings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    (tmp_path / ".dlt").mkdir()
    return tmp_path / ".dlt"


def test_what_is_loaded_is_a_setting(settings_folder: Path) -> None:
    (settings_folder / "config.toml").write_text(
        '[run]\ntarget = "prod"\n[run.limits]\nbuild = 5\n'
        "[run.load.webhooks]\n[run.load.orders]\n"
        'paths = ["orders/*.csv"]\ncolumns = {order_id = "Order number"}\n'
        "complete_minutes_ago = 30\n"
    )
    (settings_folder / "secrets.toml").write_text('[run.heartbeat]\nurl = "https://m/x"\n')
    settings = read_run_settings(FEEDS)
    assert settings.heartbeat.url.reveal() == "https://m/x"
    steps = steps_of(settings, now=datetime(2026, 1, 1, 12, tzinfo=UTC).replace(tzinfo=None))
    assert [one.arguments for one in steps] == [
        ("load", "webhooks", "--json"),
        (
            *("load", "orders", "--column", "order_id=Order number"),
            *("--complete-through", "2026-01-01T11:30:00", "--json", "--", "orders/*.csv"),
        ),
        ("build", "--target", "prod", "--json"),
        ("sync", "run", "--target", "prod", "--json"),
        ("report", "--json"),
        ("alerts", "send", "--json"),
    ]
    assert [one.limit_seconds for one in steps] == [3600, 3600, 300, 3600, 600, 300]


def test_without_settings_what_the_receiver_took_is_loaded(settings_folder: Path) -> None:
    assert settings_folder.is_dir()
    assert read_run_settings(FEEDS).loads == (FeedLoad("webhooks"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\ntaget = 'prod'", "did you mean 'target'"),
        ("[run.load.webhoks]\n", "did you mean 'webhooks'"),
        ("[run.load.orders]\npath = 'x'", "did you mean 'paths'"),
        ("[run.load.orders]\npaths = [1]", "list of texts"),
        ("[run.load]\norders = 1", "not a table"),
        ("[run.limits]\nbuild = '5'", "number of minutes"),
        ("[run]\ntarget = 5", "must be a text"),
        ("run = 5", "not a section"),
    ],
)
def test_a_setting_that_is_none_is_named(settings_folder: Path, text: str, said: str) -> None:
    (settings_folder / "config.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_run_settings(FEEDS)


def test_a_step_that_there_is_not_is_refused(home: Home) -> None:
    said = cio("run", "--skip", "sink", home=home.root)
    assert said.exit_code == 2
    assert "there is no step sink" in said.err


@pytest.mark.slow
def test_a_real_feed_is_loaded_and_a_dead_one_does_not_stop_it(
    home: Home, settings_folder: Path
) -> None:
    orders = settings_folder / "orders.csv"
    orders.write_text(
        "order_id,customer_id,ordered_at,total_amount,currency\n1,7,2026-01-01,9,EUR\n"
    )
    (settings_folder / "config.toml").write_text(
        f'[run.load.people]\npaths = ["/nowhere/people.csv"]\n'
        f'[run.load.orders]\npaths = ["{orders}"]\n'
    )
    skip = [part for kind in ("build", "sync", "report") for part in ("--skip", kind)]
    said = cio("run", "--json", *skip, home=home.root)
    assert said.exit_code == 1
    states = {one["name"]: one["state"] for one in said.json["steps"]}
    assert states == {"load people": "failed", "load orders": "done", "alerts": "done"}
    counts = {one["name"]: one["counts"] for one in said.json["steps"]}
    assert counts["load orders"] == {"loaded": 1, "quarantined": 0}
    # nothing was ever published, and a feed failed
    assert counts["alerts"]["open"] == 2
