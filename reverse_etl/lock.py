"""Two runs of one sync cannot overlap, and syncs take the warehouse in turn."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
from filelock import FileLock, Timeout

from warehouse.errors import CioError, WarehouseBusy
from warehouse.opening import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    import duckdb

    from warehouse.home import Home


class SyncRunning(CioError):  # noqa: N818 - says what the caller meets, as `filelock.Timeout` does
    """Another run of the sync is under way."""


@contextmanager
def hold(home: Home, sync: str, *, now: datetime) -> Iterator[None]:
    """Hold a sync for one run. A holder that dies, however, lets go.

    Args:
        home: The home.
        sync: The sync's name.
        now: The present, for whoever meets the lock.

    Raises:
        SyncRunning: Another run holds it.
    """
    lock, note = _lock(home, sync), _note(home, sync)
    try:
        # long enough to outlast somebody who only looks whether it is held
        lock.acquire(timeout=1)
    except Timeout:
        message = (
            f"sync {sync} is running already ({_holder(note)}). "
            "Wait for that run to end; two runs of one sync never overlap."
        )
        raise SyncRunning(message) from None
    try:
        holder = {"pid": os.getpid(), "started_at": now.isoformat(timespec="seconds")}
        note.write_bytes(orjson.dumps(holder))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def is_held(home: Home, sync: str) -> bool:
    """Whether a run of the sync is under way: what its journal lacks is then still to come."""
    lock = _lock(home, sync)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


@contextmanager
def turn(home: Home) -> Iterator[None]:
    """Wait for this project's other syncs to be done with the warehouse."""
    lock = FileLock(home.locks / "reverse_etl.lock", thread_local=False)
    with lock:
        yield


class Patience:
    """How long the syncs of a command wait for the warehouse, which they take in turn.

    Who waits in vain has waited for all: the next only look, or as many syncs would wait as long
    again, one after the other.
    """

    def __init__(self, seconds: float = 600) -> None:
        """Nobody has waited yet."""
        self._seconds = seconds
        self._is_over = False

    @contextmanager
    def wait(self) -> Iterator[float]:
        """Give the seconds that who has the turn waits while it opens the warehouse within."""
        try:
            yield 0 if self._is_over else self._seconds
        except WarehouseBusy:
            self._is_over = True
            raise
        self._is_over = False


@contextmanager
def warehouse_in_turn(
    home: Home, purpose: str, patience: Patience | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse once this project's other syncs are done with it.

    Args:
        home: The home.
        purpose: What for, in words.
        patience: How long to wait for another process that has it.

    Yields:
        What `open_warehouse` yields.

    Raises:
        WarehouseBusy: Another process kept the warehouse.
        CioError: It cannot be opened.
    """
    with (
        turn(home),
        (patience or Patience()).wait() as seconds,
        open_warehouse(home, purpose=purpose, wait_seconds=seconds) as warehouse,
    ):
        yield warehouse


def _lock(home: Home, sync: str) -> FileLock:
    return FileLock(home.locks / f"sync-{sync}.lock", thread_local=False)


def _note(home: Home, sync: str) -> Path:
    return home.locks / f"sync-{sync}.json"


def _holder(note: Path) -> str:
    try:
        holder = orjson.loads(note.read_bytes())
        return f"PID {holder['pid']}, since {holder['started_at']} UTC"
    except (OSError, orjson.JSONDecodeError, KeyError):
        return "just started"
