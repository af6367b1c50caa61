"""Measures the receiver: events acknowledged durably a second, and how long each waited.

    python benchmarks/receiver.py --seconds 10 --workers 2

A load generator on as many connections as asked for keeps one request in flight on each, every
event signed and different, and counts an event when its acknowledgement has come. At the end every
acknowledged event is looked for on disk. Receiver and generator share the machine.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import platform
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import cast

KEY = "benchmark"
RESULTS = Path(__file__).parent / "results" / "receiver.json"

_MOST_PER_SECOND = 12_000

_BODY = (
    '{{"event_id":"{event_id}","object_type":"email","metric":"delivered","timestamp":1613063089,'
    '"data":{{"action_id":42,"campaign_id":9,"customer_id":"0200000001","delivery_id":'
    '"RPILAgUBcRhIBqSfeiIwdIYJKxTY","identifiers":{{"id":"42","email":"test@example.com",'
    '"cio_id":"d9c106000001"}},"recipient":"test@example.com","subject":"Your order is here"}}}}'
)


@dataclass(frozen=True)
class Result:
    """One run."""

    workers: int
    connections: int
    parser: str
    seconds: float
    acknowledged: int
    on_disk: int
    fsyncs: int
    events_per_second: int
    p50_ms: float
    p99_ms: float
    longest_ms: float
    cpu_us: float
    """Microseconds of a core that an event takes, which a busy machine changes least."""


def main() -> None:
    """Run, print a table, write the results."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--connections", type=int, nargs="+", default=[32, 128])
    asked = arguments.parse_args()
    results = [
        measure(workers, connections, asked.seconds)
        for workers in asked.workers
        for connections in asked.connections
    ]
    RESULTS.parent.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    document = {**machine, "runs": [asdict(result) for result in results]}
    RESULTS.write_text(json.dumps(document, indent=2) + "\n")
    say(table(results))


def say(text: str) -> None:
    """Print a text."""
    sys.stdout.write(text + "\n")


def table(results: list[Result]) -> str:
    """The results in Markdown."""
    rows = [
        "| workers | senders | events/s | p50 ms | p99 ms | longest ms | events/fsync | core µs |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    rows += [
        f"| {r.workers} | {r.connections} | {r.events_per_second:,} | {r.p50_ms:.1f} "
        f"| {r.p99_ms:.1f} | {r.longest_ms:.1f} | {r.acknowledged / r.fsyncs:.1f} "
        f"| {r.cpu_us:.0f} |"
        for r in results
    ]
    return "\n".join(rows)


def measure(workers: int, connections: int, seconds: float) -> Result:
    """One receiver, one load."""
    with tempfile.TemporaryDirectory() as home:
        receiver, port = start(Path(home), workers)
        try:
            drive(port, connections, min(seconds, 2))  # warm
            before, worked = fsyncs(port), cpu_seconds(receiver.pid)
            taken, latencies = drive(port, connections, seconds)
            synced, worked = fsyncs(port) - before, cpu_seconds(receiver.pid) - worked
        finally:
            receiver.send_signal(signal.SIGTERM)
            receiver.wait(timeout=30)
        kept = on_disk(Path(home))
    missing = {event_id for event_id, _ in latencies} - kept
    if missing:
        message = f"{len(missing)} acknowledged events are not on disk"
        raise SystemExit(message)
    waits = sorted(wait for _, wait in latencies)
    return Result(
        workers=workers,
        connections=connections,
        parser="httptools" if find_spec("httptools") else "h11",
        seconds=round(taken, 2),
        acknowledged=len(waits),
        on_disk=len(kept),
        fsyncs=synced,
        events_per_second=round(len(waits) / taken),
        p50_ms=round(waits[len(waits) // 2] * 1e3, 2),
        p99_ms=round(waits[len(waits) * 99 // 100] * 1e3, 2),
        longest_ms=round(waits[-1] * 1e3, 2),
        cpu_us=round(worked / len(waits) * 1e6, 1),
    )


def start(home: Path, workers: int) -> tuple[subprocess.Popen[str], int]:
    """Start a receiver; returns when it listens."""
    settings = {"CIO_HOME": str(home), "LOADERS__CUSTOMERIO__WEBHOOK_SIGNING_KEY": KEY}
    receiver = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "cio.main", "receive", "--port", "0", "--workers", str(workers)],
        env=os.environ | settings,
        cwd=Path(__file__).resolve().parent.parent,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert receiver.stderr is not None  # noqa: S101 - for the type checker
    line = receiver.stderr.readline()
    found = re.search(r":(\d+)/customerio", line)
    if found is None:
        message = f"the receiver did not start: {line}"
        raise SystemExit(message)
    return receiver, int(found.group(1))


def drive(port: int, connections: int, seconds: float) -> tuple[float, list[tuple[str, float]]]:
    """Post for so long; returns the time taken, and each acknowledged event's id and wait."""
    selector = selectors.DefaultSelector()
    flying: dict[int, tuple[str, float]] = {}
    answers: dict[int, bytes] = {}
    latencies: list[tuple[str, float]] = []
    prefix = f"{port}-{time.monotonic_ns()}"
    # signed beforehand: that is the vendor's work, and would take from the cores they share
    names = (f"{prefix}-{number}" for number in range(round(seconds * _MOST_PER_SECOND)))
    requests = [(name, signed(name)) for name in names]

    def post(connection: socket.socket) -> None:
        event_id, request = requests.pop()
        flying[connection.fileno()] = (event_id, time.perf_counter())
        connection.sendall(request)

    started = time.perf_counter()
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        post(connection)
    while flying:
        for key, _ in selector.select():
            connection = cast("socket.socket", key.fileobj)
            answer = answers.pop(connection.fileno(), b"") + connection.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200"):
                message = f"not acknowledged: {answer[:80]!r}"
                raise SystemExit(message)
            if not answer.endswith(b"\r\n\r\n"):
                answers[connection.fileno()] = answer
                continue
            event_id, sent = flying.pop(connection.fileno())
            now = time.perf_counter()
            latencies.append((event_id, now - sent))
            if now - started < seconds and requests:
                post(connection)
            else:
                selector.unregister(connection)
                connection.close()
    return time.perf_counter() - started, latencies


def signed(event_id: str) -> bytes:
    """A request as the vendor sends it."""
    body = _BODY.format(event_id=event_id).encode()
    timestamp = str(int(time.time()))
    signature = hmac.digest(KEY.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hex()
    head = (
        "POST /customerio HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-CIO-Timestamp: {timestamp}\r\nX-CIO-Signature: {signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def fsyncs(port: int) -> int:
    """How many groups of events were put on disk so far."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
        page = b""
        while piece := connection.recv(65536):
            page += piece
    found = re.search(rb"^cio_receive_fsyncs_total (\d+)", page, re.MULTILINE)
    return int(found.group(1)) if found else 0


def cpu_seconds(pid: int) -> float:
    """What a process and its children have used of the cores, on Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return ticks / os.sysconf("SC_CLK_TCK") + sum(cpu_seconds(int(child)) for child in children)


def on_disk(home: Path) -> set[str]:
    """Ids of the events in finished files."""
    ids: set[str] = set()
    for path in (home / "spool" / "webhooks").glob("*.jsonl"):
        ids |= {json.loads(line)["event_id"] for line in path.read_bytes().splitlines()}
    return ids


if __name__ == "__main__":
    main()
