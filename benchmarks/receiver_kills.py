"""Kills the receiver at random moments under load, and looks for every event it acknowledged.

    python -m benchmarks.receiver_kills --events 100000

Senders on kept connections have one request in flight each, as many of the vendor's would. The
whole receiver, its parent alone or one of its workers is killed (SIGKILL) and started again until
every event is answered. What was in flight at a death is posted again, as the vendor does, or never
again, each for about half of it. Loads in between take what is there.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import platform
import random
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

from loaders.receiver.loading import load_spool
from loaders.receiver.spool import spool_folder
from warehouse.connection import open_warehouse
from warehouse.home import Home

EVENTS = 100_000
KILLS = 30
CONNECTIONS = 64
RESULTS = Path(__file__).parent / "results" / "receiver_kills.json"

_ROOT = Path(__file__).resolve().parent.parent
_KEY = "a-signing-key"
_LOAD_EVERY = 3
_PATIENCE_SECONDS = 30.0

# light on imports, so that it starts at once
_PROGRAM = """
import sys
from pathlib import Path
from loaders.receiver.server import receive, start_logging
from loaders.receiver.worker import Receiving
from warehouse.secrets import Secret
start_logging()
folder, key, workers = sys.argv[1:]
receive(Receiving(Path(folder), (Secret(key),), port=0, workers=int(workers)))
"""

_BODY = (
    '{{"event_id":"{event_id}","object_type":"email","metric":"delivered","timestamp":1613063089,'
    '"data":{{"delivery_id":"d{event_id}","identifiers":{{"id":"42"}},"action_id":42}}}}'
)


@dataclass
class Posts:
    """What the senders did."""

    times: Counter[str] = field(default_factory=Counter)
    """How often each event was posted."""

    acknowledged: set[str] = field(default_factory=set)

    kills: int = 0
    """How often something of the receiver was killed."""


@dataclass(frozen=True)
class Faults:
    """What must not be, after the load: three times 0."""

    missing: int
    """Events that were acknowledged and are not in the raw table."""

    repeated: int
    """Events of which the raw table has more rows than there were posts."""

    unknown: int
    """Events that nobody posted."""


def storm(home: Home, *, events: int, kills: int, seed: int = 7) -> Posts:
    """Post so many events while the receiver is killed so often; load all of it.

    Args:
        home: An empty home; its spool is received into, its warehouse loaded into.
        events: How many different events to post.
        kills: About how many times the receiver dies.
        seed: What the moments and the victims follow from.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    posts = Posts()
    waiting = [f"{seed}-{number}" for number in range(events)]
    turn = 0
    while waiting:
        with _receiver(home, workers=1 + turn % 2) as running:
            deaths = chance.sample(range(2 * events // kills), 2)
            _drive(running, waiting, posts, chance, sorted(deaths))
        if turn % _LOAD_EVERY == 0:
            load_spool(home)
        turn += 1
    load_spool(home)
    return posts


def faults(home: Home, posts: Posts) -> Faults:
    """Compare what was posted with what the raw table has."""
    with open_warehouse(home, purpose="count events") as warehouse:
        loaded = dict(
            warehouse.execute(
                "select event_id, count(*) from raw_customerio.webhook_events group by event_id"
            ).fetchall()
        )
    return Faults(
        missing=len(posts.acknowledged - loaded.keys()),
        repeated=sum(count > posts.times[event_id] > 0 for event_id, count in loaded.items()),
        unknown=len(loaded.keys() - posts.times.keys()),
    )


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[str]
    port: int

    def kill(self, chance: random.Random, *, is_last: bool) -> None:
        """Kill one of its workers; the last time its parent, alone or with every worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        workers = [int(pid) for pid in children.split()]
        parent = [self.process.pid]
        # a receiver of one worker is its own parent
        is_last = is_last or not workers
        choices = [parent, parent + workers] if is_last else [workers[:1], workers[-1:]]
        for pid in chance.choice(choices):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class _receiver:  # noqa: N801 - used as a function
    """A receiver while a block runs; whatever is left of it is killed after."""

    def __init__(self, home: Home, *, workers: int) -> None:
        self._command = [sys.executable, "-c", _PROGRAM, str(spool_folder(home)), _KEY]
        self._command.append(str(workers))

    def __enter__(self) -> _Running:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            self._command, stderr=subprocess.PIPE, text=True, cwd=_ROOT
        )
        assert self._process.stderr is not None  # noqa: S101 - it was asked for
        for line in self._process.stderr:
            if found := re.search(r"receiving on http://\S+:(\d+)/", line):
                return _Running(self._process, int(found.group(1)))
        message = "the receiver did not start"
        raise SystemExit(message)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        # until every worker has let go of it, too: they end with their parent
        assert self._process.stderr is not None  # noqa: S101 - it was asked for
        self._process.stderr.read()
        self._process.stderr.close()


@dataclass
class _Sender:
    connection: socket.socket
    event_id: str
    answer: bytes = b""


def _drive(
    running: _Running,
    waiting: list[str],
    posts: Posts,
    chance: random.Random,
    deaths: list[int],
) -> None:
    """Post until nobody answers any more, or nothing waits; kill at the times of `deaths`."""
    until = len(posts.acknowledged)
    deaths = [until + death for death in deaths]
    with selectors.DefaultSelector() as selector:
        for _ in range(min(CONNECTIONS, len(waiting))):
            _begin(selector, running.port, waiting, posts)
        kill_at: float | None = None
        while selector.get_map():
            ready = selector.select(0.01 if kill_at else _PATIENCE_SECONDS)
            if not ready and kill_at is None:
                message = "nobody answers any more"
                raise SystemExit(message)
            for key, _ in ready:
                if not _hear(selector, cast("_Sender", key.data), waiting, posts):
                    # what dies in flight is posted again, or never
                    if chance.random() < 0.5:  # noqa: PLR2004 - a coin
                        waiting.append(key.data.event_id)
                    _begin(selector, running.port, waiting, posts)
            if deaths and kill_at is None and len(posts.acknowledged) >= deaths[0]:
                kill_at = time.perf_counter() + chance.uniform(0, 0.02)
            if kill_at is not None and time.perf_counter() >= kill_at:
                kill_at = None
                del deaths[0]
                posts.kills += 1
                running.kill(chance, is_last=not deaths)


def _begin(selector: selectors.BaseSelector, port: int, waiting: list[str], posts: Posts) -> None:
    """Open a connection and post the next event on it; nothing if nobody listens."""
    if not waiting:
        return
    try:
        connection = socket.create_connection(("127.0.0.1", port))
    except OSError:
        return
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sender = _Sender(connection, "")
    selector.register(connection, selectors.EVENT_READ, sender)
    _post(sender, waiting, posts)


def _post(sender: _Sender, waiting: list[str], posts: Posts) -> None:
    sender.event_id, sender.answer = waiting.pop(), b""
    posts.times[sender.event_id] += 1
    # a broken connection is heard of when it is read
    with suppress(OSError):
        sender.connection.sendall(_signed(sender.event_id))


def _hear(
    selector: selectors.BaseSelector, sender: _Sender, waiting: list[str], posts: Posts
) -> bool:
    """Read an answer and go on; whether the connection is whole."""
    try:
        piece = sender.connection.recv(4096)
    except OSError:
        piece = b""
    sender.answer += piece
    is_whole = bool(piece)
    if is_whole and not sender.answer.startswith(b"HTTP/1.1 200"[: len(sender.answer)]):
        message = f"not acknowledged: {sender.answer[:80]!r}"
        raise SystemExit(message)
    is_answered = sender.answer.endswith(b"\r\n\r\n")
    if is_answered:
        posts.acknowledged.add(sender.event_id)
    if is_answered and waiting:
        _post(sender, waiting, posts)
    elif is_answered or not is_whole:
        selector.unregister(sender.connection)
        sender.connection.close()
    return is_whole


def _signed(event_id: str) -> bytes:
    """A request as the vendor sends it."""
    body = _BODY.format(event_id=event_id).encode()
    timestamp = str(int(time.time()))
    mac = hmac.digest(_KEY.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
    head = (
        "POST /customerio HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-CIO-Timestamp: {timestamp}\r\nX-CIO-Signature: {mac.hex()}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    """Run, look for every event, write the results."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--events", type=int, default=EVENTS)
    arguments.add_argument("--kills", type=int, default=KILLS)
    arguments.add_argument("--seed", type=int, default=7)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        home.make()
        started = time.perf_counter()
        posts = storm(home, events=asked.events, kills=asked.kills, seed=asked.seed)
        seconds = time.perf_counter() - started
        found = faults(home, posts)
    document = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "seconds": round(seconds, 1),
        "events": asked.events,
        "kills": posts.kills,
        "posted_again": posts.times.total() - len(posts.times),
        "acknowledged": len(posts.acknowledged),
        **asdict(found),
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    if found != Faults(0, 0, 0):
        raise SystemExit(1)
    RESULTS.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
