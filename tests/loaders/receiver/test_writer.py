"""Groups of events that share an fsync."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from loaders.receiver.spool import Limits, Spool, finished_files
from loaders.receiver.writer import GroupWriter, SpoolUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class HeldSpool(Spool):
    """A spool on a disk that does not move until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, worker=0, limits=Limits())
        self.go = threading.Event()
        self.fault: Exception | None = None

    def append(self, lines: Sequence[bytes]) -> None:
        assert self.go.wait(timeout=30)
        if self.fault is not None:
            raise self.fault
        super().append(lines)


def test_what_arrives_while_the_disk_is_busy_is_one_group(folder: Path) -> None:
    groups: list[int] = []

    async def post() -> None:
        spool = HeldSpool(folder)
        writer = GroupWriter(spool, on_group=groups.append)
        waiting = [asyncio.ensure_future(writer.append(b"0\n"))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting += [asyncio.ensure_future(writer.append(b"%d\n" % n)) for n in range(1, 50)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        spool.go.set()
        await asyncio.gather(*waiting)
        await writer.drain()
        writer.close()

    asyncio.run(post())
    assert groups == [1, 49]
    (path,) = finished_files(folder)
    assert path.read_bytes() == b"".join(b"%d\n" % n for n in range(50))


def test_a_sender_that_hangs_up_harms_no_other(folder: Path) -> None:
    async def post() -> None:
        spool = HeldSpool(folder)
        writer = GroupWriter(spool, on_group=lambda _: None)
        gone = asyncio.ensure_future(writer.append(b"gone\n"))
        stays = asyncio.ensure_future(writer.append(b"stays\n"))
        await asyncio.sleep(0)
        gone.cancel()
        spool.go.set()
        await stays
        await writer.drain()
        writer.close()

    asyncio.run(post())
    (path,) = finished_files(folder)
    assert path.read_bytes().endswith(b"stays\n")


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), MemoryError()])
def test_nobody_is_acknowledged_or_kept_waiting_when_the_disk_fails(
    folder: Path, fault: Exception
) -> None:
    async def post() -> None:
        spool = HeldSpool(folder)
        spool.fault = fault
        spool.go.set()
        writer = GroupWriter(spool, on_group=lambda _: None)
        outcomes = await asyncio.gather(
            *(writer.append(b"1\n") for _ in range(5)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [SpoolUnavailable] * 5
        assert writer.failure is fault
        assert await writer.probe()
        spool.fault = None
        await writer.append(b"2\n")
        assert writer.failure is None
        await writer.drain()
        writer.close()

    asyncio.run(post())
    assert [path.read_bytes() for path in finished_files(folder)] == [b"2\n"]


def test_what_waits_for_a_disk_that_hangs_is_bounded(folder: Path) -> None:
    async def post() -> None:
        spool = HeldSpool(folder)
        writer = GroupWriter(spool, on_group=lambda _: None, pending_bytes=100)
        first = asyncio.ensure_future(writer.append(b"x" * 99 + b"\n"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = asyncio.ensure_future(writer.append(b"y" * 99 + b"\n"))
        await asyncio.sleep(0)
        with pytest.raises(SpoolUnavailable):
            await writer.append(b"z\n")
        spool.go.set()
        await asyncio.gather(first, second)
        await writer.drain()
        writer.close()

    asyncio.run(post())
    assert [path.stat().st_size for path in finished_files(folder)] == [200]


def test_draining_writes_what_still_waits_and_whoever_comes_later(folder: Path) -> None:
    async def post() -> None:
        writer = GroupWriter(Spool(folder, worker=0, limits=Limits()), on_group=lambda _: None)
        waiting = [asyncio.ensure_future(writer.append(b"%d\n" % n)) for n in range(20)]
        await asyncio.sleep(0)
        await writer.drain()
        assert all(task.done() for task in waiting)
        await writer.append(b"late\n")
        writer.close()

    asyncio.run(post())
    (path,) = finished_files(folder)
    assert len(path.read_bytes().splitlines()) == 21
