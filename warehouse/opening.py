"""Opening the warehouse: one writer at a time, and readers of what is published."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from warehouse.errors import CioError, WarehouseBusy
from warehouse.holder import describe_holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from warehouse.home import Home

_LOCKED = re.compile(r"Could not set lock on file|Conflicting lock is held", re.IGNORECASE)
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0


@contextmanager
def open_warehouse(
    home: Home,
    *,
    purpose: str,
    wait_seconds: float = 600,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for writing, waiting for whoever has it.

    Args:
        home: The home whose warehouse to open; the file is made if there is none.
        purpose: What for, in words, for messages: `load webhooks`.
        wait_seconds: How long to wait for another process before giving up.
        on_wait: Told once, in one sentence, who is being waited for.

    Yields:
        A connection whose catalog is `warehouse` and whose time zone is UTC.

    Raises:
        WarehouseBusy: Another process still had the warehouse after `wait_seconds`.
        CioError: The file cannot be opened: not writable, not DuckDB's, from a newer DuckDB.
    """
    connection = _connect(home.warehouse, purpose, wait_seconds, on_wait)
    try:
        connection.execute("set global TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def _connect(
    path: Path, purpose: str, wait_seconds: float, on_wait: Callable[[str], None] | None
) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait_seconds
    pause = _FIRST_PAUSE_SECONDS
    is_told = False
    while True:
        try:
            return duckdb.connect(path)
        except duckdb.Error as error:
            if not _LOCKED.search(str(error)):
                raise CioError(explain(error, path, purpose)) from error
            holder = describe_holder(error)
            left = deadline - time.monotonic()
            if left <= 0:
                message = (
                    f"cannot {purpose}: the warehouse {path} is in use by {holder}, and still was "
                    f"after {wait_seconds:g} s. Wait for it to end, or end it, and try again."
                )
                raise WarehouseBusy(message) from error
        if on_wait is not None and not is_told:
            on_wait(f"the warehouse is in use by {holder}; waiting up to {wait_seconds:g} s")
            is_told = True
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def explain(error: Exception, path: Path, purpose: str) -> str:
    """Turn DuckDB's error on opening a file into what is wrong and the way out.

    Args:
        error: What `duckdb.connect` or `attach` raised.
        path: The file.
        purpose: What it was opened for.

    Returns:
        One message for a user.
    """
    text = str(error)
    if "newer version of DuckDB" in text or "read a database file with version number" in text:
        reason = (
            f"was written by a newer DuckDB than this one ({duckdb.__version__}). Upgrade duckdb "
            "here, or write the file with the older one."
        )
    elif "not a valid DuckDB database file" in text:
        reason = "is not a DuckDB database. Move it away, or point CIO_HOME to another folder."
    elif "Corrupt database file" in text:
        reason = "is damaged. Restore it from a backup, or move it away and load everything again."
    elif "Permission denied" in text or "Read-only file system" in text:
        reason = "may not be written by this user. Mend its permissions, or set CIO_HOME."
    elif "No space left" in text:
        reason = "lies on a disk that is full. Make room and try again."
    else:
        reason = f"could not be opened: {text.strip()}"
    return f"cannot {purpose}: {path} {reason}"
