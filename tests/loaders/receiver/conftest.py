"""A receiver in a thread of the test, and posts signed as the vendor signs them."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import hmac
import os
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn

from loaders.receiver import spool
from loaders.receiver.app import make_app
from loaders.receiver.counters import Counters, shared_numbers
from loaders.receiver.gate import Addresses
from loaders.receiver.intake import Intake, Policy
from loaders.receiver.signature import Signatures
from loaders.receiver.spool import Limits, Spool
from loaders.receiver.writer import GroupWriter
from warehouse.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "a-signing-key"


@dataclass
class Running:
    """A receiver that runs, and what it keeps."""

    url: str
    folder: Path
    counters: Counters
    spool: Spool
    client: httpx.Client

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """Post a body; without headers, signed now with the right key."""
        return self.client.post(
            "/customerio", content=body, headers=signed(body) if headers is None else headers
        )

    def lines(self) -> list[bytes]:
        """What is on disk, in open files too."""
        files = sorted(self.folder.glob("*.jsonl*"))
        return [line for path in files for line in path.read_bytes().splitlines()]


def signed(body: bytes, *, key: str = KEY, timestamp: int | str | None = None) -> dict[str, str]:
    """The vendor's headers for a body, as its documentation computes them."""
    moment = str(int(time.time()) if timestamp is None else timestamp)
    mac = hmac.new(key.encode(), f"v0:{moment}:".encode() + body, hashlib.sha256)
    return {"X-CIO-Timestamp": moment, "X-CIO-Signature": mac.hexdigest()}


@pytest.fixture
def sign() -> Callable[..., dict[str, str]]:
    """`signed`, for tests."""
    return signed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty spool."""
    made = tmp_path / "spool-of-test"
    made.mkdir()
    return made


@pytest.fixture
def policy() -> Callable[..., Policy]:
    """A policy with one key, and the fields given replaced."""

    def make(*, keys: tuple[str, ...] = (KEY,), **fields: object) -> Policy:
        chosen: dict[str, object] = {
            "signatures": Signatures([Secret(key) for key in keys]),
            "addresses": Addresses((), ()),
        }
        return Policy(**(chosen | fields))  # type: ignore[arg-type]

    return make


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """A disk that takes so many bytes more and then is full, while a block runs."""

    @contextmanager
    def full(*, after_bytes: int) -> Iterator[None]:
        write = os.write
        left = after_bytes

        def write_some(handle: int, data: bytes) -> int:
            nonlocal left
            if not left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = write(handle, bytes(data)[:left])
            left -= written
            return written

        with monkeypatch.context() as patch:
            patch.setattr(spool.os, "write", write_some)
            yield

    return full


@pytest.fixture
def run(folder: Path) -> Callable[..., object]:
    """Run a receiver while a block runs."""

    @contextmanager
    def running(policy: Policy, *, limits: Limits | None = None) -> Iterator[Running]:
        counters = Counters(shared_numbers(1), 0)
        spool = Spool(folder, worker=0, limits=limits or Limits())
        writer = GroupWriter(spool, on_group=lambda _: counters.add("fsyncs"))

        async def idle() -> None:
            return

        intake = Intake(policy, writer, counters, stop_list=folder.parent / "stop_list.ndjson")
        app = make_app("/customerio", intake, folder=folder, run=idle)
        config = uvicorn.Config(app, log_config=None, proxy_headers=False, lifespan="on")
        server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", 0))
        ready = threading.Event()

        async def serve() -> None:
            task = asyncio.ensure_future(server.serve(sockets=[listener]))
            while not server.started and not task.done():
                await asyncio.sleep(0.005)
            ready.set()
            await task

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        assert ready.wait(timeout=30)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=30) as client:
            try:
                yield Running(url, folder, counters, spool, client)
            finally:
                server.should_exit = True
                client.close()
                thread.join(timeout=30)
                writer.close()

    return running
