"""The receiver as processes: stopped, killed, with several workers."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from benchmarks.receiver_kills import Faults, faults, storm
from loaders.receiver.server import receive
from loaders.receiver.spool import finished_files, spool_folder
from loaders.receiver.worker import Receiving
from tests.conftest import ROOT
from tests.models.models_in_process import parse
from warehouse.connection import open_warehouse
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from warehouse.home import Home

KILLED_EVENTS = 20_000
"""Of the 100,000 that `benchmarks/receiver_kills.py` posts: they would take a minute."""

# light on imports, so that it starts at once
PROGRAM = """
import sys
from pathlib import Path
from loaders.receiver.server import receive, start_logging
from loaders.receiver.worker import Receiving
from warehouse.secrets import Secret
start_logging()
folder, workers = sys.argv[1:]
receive(Receiving(Path(folder), (Secret("a-signing-key"),), port=0, workers=int(workers)))
"""

HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Process:
    """A receiver that runs as a process, and what it says."""

    process: subprocess.Popen[str]
    url: str
    said: list[str] = field(default_factory=list)

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@contextmanager
def started(
    folder: Path,
    *,
    workers: int = 1,
    prefix: tuple[str, ...] = (),
    pass_fds: tuple[int, ...] = (),
) -> Iterator[Process]:
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", PROGRAM, str(folder), str(workers)],
        pass_fds=pass_fds,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    try:
        assert process.stderr is not None
        said = []
        found = None
        while found is None:
            line = process.stderr.readline()
            assert line, said
            said.append(line)
            found = re.search(r"http://\S+", line)
        running = Process(process, found.group(), said)
        reader = threading.Thread(target=lambda: said.extend(process.stderr or ()))
        reader.start()
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        process.stderr.close()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Sender:
    """Posts events one after the other, as the vendor does, until nobody answers or it may go."""

    def __init__(
        self, url: str, name: str, event: Callable[..., bytes], sign: Callable[..., Any]
    ) -> None:
        self.acknowledged: list[str] = []
        self.sent: list[str] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._post, args=(url, name, event, sign))
        self._thread.start()

    def _post(
        self, url: str, name: str, event: Callable[..., bytes], sign: Callable[..., Any]
    ) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._is_over.is_set():
                event_id = f"{name}-{len(self.sent)}"
                body = event(event_id).rstrip()
                self.sent.append(event_id)
                try:
                    answer = client.post(url, content=body, headers=sign(body))
                except httpx.TransportError:
                    return
                assert answer.status_code == 200
                self.acknowledged.append(event_id)

    @property
    def is_posting(self) -> bool:
        return self._thread.is_alive()

    def wait(self, *, seconds: float) -> None:
        self._thread.join(seconds)

    def join(self) -> None:
        self._is_over.set()
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()


def wait_until(senders: list[Sender], count: int) -> None:
    """Return when so many events are acknowledged."""
    while sum(len(sender.acknowledged) for sender in senders) < count:
        assert any(sender.is_posting for sender in senders), "nobody answers any more"
        senders[0].wait(seconds=0.005)


def ids(folder: Path) -> list[str]:
    return [
        json.loads(line)["event_id"]
        for path in finished_files(folder)
        for line in path.read_bytes().splitlines()
    ]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_it_has_and_its_files(
    folder: Path,
    event: Callable[..., bytes],
    sign: Callable[..., Any],
    workers: int,
    number: int,
) -> None:
    with started(folder, workers=workers) as running:
        senders = [Sender(running.url, str(n), event, sign) for n in range(4)]
        wait_until(senders, 40)
        assert running.stop(number) == 0
        for sender in senders:
            sender.join()
    acknowledged = {one for sender in senders for one in sender.acknowledged}
    assert acknowledged <= set(ids(folder))
    assert list(folder.glob("*.open")) == []
    # nothing of what was posted is said
    assert [line.split(" INFO ")[1].split(" on ")[0].strip() for line in running.said] == [
        "receiving",
        "stopped",
    ]


def test_two_workers_share_the_port_and_their_numbers(
    folder: Path, event: Callable[..., bytes], sign: Callable[..., Any]
) -> None:
    with started(folder, workers=2) as running:
        senders = [Sender(running.url, str(n), event, sign) for n in range(8)]
        wait_until(senders, 8)
        # which worker takes a connection is the kernel's choice: one that is held takes none
        for place, pid in enumerate(children(running.process.pid)):
            os.kill(pid, signal.SIGSTOP)
            body = event(f"while one is held {place}").rstrip()
            assert httpx.post(running.url, content=body, headers=sign(body)).status_code == 200
            os.kill(pid, signal.SIGCONT)
        pages = {httpx.get(f"{running.url.rpartition('/')[0]}/healthz").text for _ in range(5)}
        assert running.stop(signal.SIGTERM) == 0
        for sender in senders:
            sender.join()
    assert pages == {'{"status":"ok"}'}
    assert len({path.name.split("-")[1] for path in finished_files(folder)}) == 2
    kept = ids(folder)
    posted = {one for sender in senders for one in sender.acknowledged}
    assert {*posted, "while one is held 0", "while one is held 1"} <= set(kept)
    assert len(kept) == len(set(kept))


def test_a_worker_that_dies_is_replaced_and_its_file_finished(
    folder: Path, event: Callable[..., bytes], sign: Callable[..., Any]
) -> None:
    body = event("after").rstrip()
    with started(folder, workers=2) as running:
        senders = [Sender(running.url, str(n), event, sign) for n in range(4)]
        wait_until(senders, 20)
        before = children(running.process.pid)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        for sender in senders:
            sender.join()
        # the listening socket outlives the workers: a new connection waits for a new worker
        assert httpx.post(running.url, content=body, headers=sign(body)).status_code == 200
        assert not set(before) & set(children(running.process.pid))
        page = httpx.get(f"{running.url.rpartition('/')[0]}/metrics").text
        assert running.stop(signal.SIGTERM) == 0
    acknowledged = [one for sender in senders for one in sender.acknowledged]
    assert {*acknowledged, "after"} <= set(ids(folder))
    counted = re.search(r"^cio_receive_accepted_total (\d+)", page, re.MULTILINE)
    assert counted is not None
    assert int(counted.group(1)) >= len(acknowledged) + 1


def test_workers_end_with_the_process_that_started_them(folder: Path) -> None:
    with started(folder, workers=2) as running:
        while len(left := children(running.process.pid)) < 2:
            assert httpx.get(running.url).status_code == 404
        ends = [os.pidfd_open(pid) for pid in left]
        running.process.kill()
        for end in ends:
            # a handle of a process can be read from when it has ended
            assert select.select([end], [], [], 60)[0] == [end]
            os.close(end)


@pytest.mark.slow
def test_killed_at_any_moment_it_has_every_acknowledged_event_and_each_counts_once(
    home: Home, tmp_path: Path
) -> None:
    """Killed again and again while posts come in, some of them twice; loads take what is there."""
    posts = storm(home, events=KILLED_EVENTS, kills=8)
    assert posts.kills >= 4
    assert faults(home, posts) == Faults(missing=0, repeated=0, unknown=0)
    assert len(posts.acknowledged) > KILLED_EVENTS * 0.9
    assert posts.times.total() > len(posts.times)
    assert list(spool_folder(home).iterdir()) == []

    variables = {"as_of": datetime(2026, 9, 1, tzinfo=UTC).isoformat()}
    models = parse(home, ROOT / "fakes" / "company", tmp_path / "target", variables)
    models.run(home, "seed", ["--select", "channels"])
    models.run(home, arguments=["--select", "+int_message_events"])
    with open_warehouse(home, purpose="look") as connection:
        rows = connection.execute(
            "select event_id, count(*) "
            "from dev_as_of_20260901t000000_intermediate.int_message_events group by event_id"
        ).fetchall()
    assert posts.acknowledged <= {event_id for event_id, _ in rows} <= posts.times.keys()
    assert {count for _, count in rows} == {1}


def test_a_socket_that_is_handed_over_is_taken_as_it_is(
    folder: Path, event: Callable[..., bytes], sign: Callable[..., Any]
) -> None:
    """As systemd does it; what connects while no receiver runs waits for the next one."""
    body = event("a").rstrip()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        answers: list[int] = []

        def post() -> None:
            url = f"http://127.0.0.1:{port}/customerio"
            answer = httpx.post(url, content=body, headers=sign(body), timeout=60)
            answers.append(answer.status_code)

        early = threading.Thread(target=post)
        early.start()
        handle = str(listener.fileno())
        with started(
            folder, prefix=(sys.executable, "-c", HAND_OVER, handle), pass_fds=(int(handle),)
        ) as running:
            assert running.url == f"http://127.0.0.1:{port}/customerio"
            early.join(timeout=60)
            assert running.stop(signal.SIGTERM) == 0
    assert answers == [200]
    assert ids(folder) == ["a"]


def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    with (
        started(folder) as running,
        pytest.raises(UsageError, match="--port"),
    ):
        receive(Receiving(folder, (), port=httpx.URL(running.url).port or 0))
