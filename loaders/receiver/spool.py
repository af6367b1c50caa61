"""Files of events that were acknowledged: open while they grow, finished when a load may take them.

A finished file is `<utc>-<worker>-<n>.jsonl`; one that still grows has the suffix `.open` behind
that, and is locked (flock) by the process that writes it. The kernel gives up the lock when that
process dies, however it dies, so an open file that can be locked is a leftover: whoever finds it
finishes it. Its last line may be torn; no line without its newline was ever acknowledged.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from warehouse.home import Home

FINISHED = ".jsonl"
OPEN = ".open"

_PROBE_BYTES = 4096


@dataclass(frozen=True)
class Limits:
    """When a file is finished and the next one begun."""

    size_bytes: int = 64 * 2**20
    age_seconds: float = 60.0


@dataclass(frozen=True)
class SpoolSize:
    """What lies in the spool, open files included."""

    files: int
    size_bytes: int


def spool_folder(home: Home) -> Path:
    """Where events wait for a load; made if it is not there."""
    folder = home.spool / "webhooks"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def finished_files(folder: Path) -> list[Path]:
    """The files that a load may take, oldest first."""
    return sorted(path for path in folder.glob(f"*{FINISHED}") if path.is_file())


def finish_leftovers(folder: Path) -> list[Path]:
    """Finish the open files whose writer is gone; those of a living one are left alone."""
    found = (_finish_leftover(path) for path in sorted(folder.glob(f"*{FINISHED}{OPEN}")))
    return [path for path in found if path is not None]


def measure(folder: Path) -> SpoolSize:
    """How much lies in the spool now."""
    files, size = 0, 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            size += path.stat().st_size
            files += 1
    return SpoolSize(files, size)


def sync_folder(folder: Path) -> None:
    """Make names in a folder last: new files, and new names of files."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _finish_leftover(path: Path) -> Path | None:
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_size == 0:
            path.unlink(missing_ok=True)
            return None
        os.fsync(handle)
        finished = path.with_suffix("")
        path.rename(finished)
        sync_folder(path.parent)
    except (BlockingIOError, FileNotFoundError):
        # its writer lives, or has just finished it
        return None
    finally:
        os.close(handle)
    return finished


@dataclass
class _Open:
    """A file that grows: its size counts only what is certainly on disk."""

    path: Path
    handle: int
    started: float
    size_bytes: int = 0


class Spool:
    """Writes one worker's files. Not for several threads at once."""

    def __init__(self, folder: Path, *, worker: int, limits: Limits) -> None:
        """Write into a folder that is there; nothing is opened before the first event."""
        self.fsyncs = 0
        self._folder = folder
        self._worker = worker
        self._limits = limits
        self._number = 0
        self._file: _Open | None = None

    def append(self, lines: Sequence[bytes]) -> None:
        """Append lines, each with its newline; they are on disk when this returns.

        Raises:
            OSError: They are not, and none of them counts. The next call begins a new file.
        """
        file = self._file = self._file or self._begin()
        data = b"".join(lines)
        try:
            _write(file.handle, data)
            self._sync(file.handle)
        except OSError:
            self._abandon(file)
            raise
        file.size_bytes += len(data)
        if file.size_bytes >= self._limits.size_bytes:
            # if that fails the events are on disk all the same, and the file is a leftover
            with suppress(OSError):
                self.finish()

    def is_old(self) -> bool:
        """Whether the open file has waited for its age."""
        file = self._file
        return file is not None and time.monotonic() - file.started >= self._limits.age_seconds

    def finish(self) -> None:
        """Finish the open file, if there is one.

        Raises:
            OSError: It could not be renamed; what is in it is safe.
        """
        file, self._file = self._file, None
        if file is None:
            return
        try:
            if file.size_bytes:
                file.path.rename(file.path.with_suffix(""))
            else:
                file.path.unlink()
            sync_folder(self._folder)
        finally:
            # the lock goes with the handle, so the file never looks like a leftover before
            os.close(file.handle)

    def probe(self) -> None:
        """See that a file can be written.

        Raises:
            OSError: It cannot.
        """
        path = self._folder / f".probe-{self._worker}-{os.getpid()}"
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            _write(handle, b"\0" * _PROBE_BYTES)
            os.fsync(handle)
        finally:
            os.close(handle)
            path.unlink(missing_ok=True)

    def _sync(self, handle: int) -> None:
        os.fsync(handle)
        self.fsyncs += 1

    def _begin(self) -> _Open:
        while True:
            self._number += 1
            moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
            path = self._folder / f"{moment}-{self._worker}-{self._number}{FINISHED}{OPEN}"
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                sync_folder(self._folder)
            except BlockingIOError:
                os.close(handle)
                continue
            except OSError:
                path.unlink(missing_ok=True)
                os.close(handle)
                raise
            if os.fstat(handle).st_nlink:
                return _Open(path, handle, time.monotonic())
            # taken for a leftover, and removed, before it was locked
            os.close(handle)

    def _abandon(self, file: _Open) -> None:
        """Leave a file that could not be written, without what was not acknowledged."""
        with suppress(OSError):
            os.ftruncate(file.handle, file.size_bytes)
        with suppress(OSError):
            self.finish()


def _write(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
