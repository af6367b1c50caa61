"""Many requests, one fsync: what arrives while the disk is busy is written together next time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from loaders.receiver.spool import Spool

PENDING_BYTES = 64 * 2**20
"""What may wait for the disk; more is refused, for a disk that hangs must not fill the memory."""


class SpoolUnavailable(Exception):  # noqa: N818 - says what the caller meets
    """The event is not on disk, and must not be acknowledged."""


class GroupWriter:
    """Appends to a spool from one event loop; the disk is waited for in a thread."""

    def __init__(
        self,
        spool: Spool,
        *,
        on_group: Callable[[int], None],
        pending_bytes: int = PENDING_BYTES,
    ) -> None:
        """Write to `spool`; `on_group` is told how many events each group had."""
        self.failure: Exception | None = None
        """Why the last group could not be written; nothing if it was."""
        self._spool = spool
        self._on_group = on_group
        self._limit = pending_bytes
        self._lines: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._bytes = 0
        self._flushing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")

    async def append(self, line: bytes) -> None:
        """Return when a line is on disk.

        Raises:
            SpoolUnavailable: It is not: the disk is full, broken, or hangs.
        """
        if self._bytes + len(line) > self._limit and self._waiting:
            message = "too much waits for the disk"
            raise SpoolUnavailable(message)
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._lines.append(line)
        self._waiting.append(done)
        self._bytes += len(line)
        if self._flushing is None:
            self._flushing = loop.create_task(self._flush())
        await done

    async def finish_if_old(self) -> None:
        """Finish the open file if it has its age.

        Raises:
            OSError: It could not be renamed; what is in it is safe.
        """
        if self._spool.is_old():
            await self._in_thread(self._spool.finish)

    async def probe(self) -> bool:
        """Whether the spool can be written; tried only when the last group could not be."""
        if self.failure is None:
            return True
        try:
            await self._in_thread(self._spool.probe)
        except OSError:
            return False
        return True

    async def drain(self) -> None:
        """Return when nothing waits any more; whoever comes later is still written."""
        while self._flushing is not None:
            await asyncio.wait({self._flushing})

    def close(self) -> None:
        """Finish the open file, when the event loop is done.

        Raises:
            OSError: It could not be renamed; what is in it is safe.
        """
        with self._thread:
            self._thread.submit(self._spool.finish).result()

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _flush(self) -> None:
        while self._waiting:
            lines, self._lines = self._lines, []
            waiting, self._waiting = self._waiting, []
            self._bytes = 0
            try:
                await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._spool.append, lines
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody may be left waiting
                self.failure = error
                _settle(waiting, error)
            else:
                self.failure = None
                self._on_group(len(lines))
                _settle(waiting, None)
        self._flushing = None


def _settle(waiting: list[asyncio.Future[None]], error: Exception | None) -> None:
    for done in waiting:
        # a sender that went away has cancelled its own
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(SpoolUnavailable(type(error).__name__))
