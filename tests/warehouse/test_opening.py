from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import duckdb
import pytest

from warehouse.connection import open_warehouse
from warehouse.errors import CioError, WarehouseBusy

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from warehouse.home import Home

    Held = Callable[[], AbstractContextManager[subprocess.Popen[str]]]

VERSION_OFFSET = 12
"""Where a DuckDB file keeps the version of its format, after a checksum and `DUCK`."""


def from_the_future(content: bytearray) -> bytes:
    """A DuckDB file as a newer DuckDB would write it, its header's checksum mended."""
    content[VERSION_OFFSET] = 200
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", content[8:4096]):
        checksum ^= word * 0xBF58476D1CE4E5B9 % 2**64
    content[:8] = struct.pack("<Q", checksum)
    return bytes(content)


def test_the_warehouse_is_made_and_speaks_utc(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    with open_warehouse(home, purpose="test") as connection:
        row = connection.execute(
            "select current_database(), current_setting('TimeZone'), "
            "timestamptz '2026-01-01 00:00:00+00:00'::timestamp::text"
        ).fetchone()
    assert row == ("warehouse", "UTC", "2026-01-01 00:00:00")
    assert home.warehouse.exists()


def test_who_gives_up_waiting_says_who_holds_the_warehouse(home: Home, held: Held) -> None:
    told: list[str] = []
    with (
        held() as process,
        pytest.raises(WarehouseBusy) as error,
        open_warehouse(home, purpose="load orders", wait_seconds=0.2, on_wait=told.append),
    ):
        pass
    assert f"PID {process.pid} (python" in str(error.value)
    assert "cannot load orders" in str(error.value)
    assert "someone@example.com" not in str(error.value)
    assert len(told) == 1
    assert f"in use by PID {process.pid}" in told[0]


def test_who_waits_gets_the_warehouse_when_it_is_free(home: Home, held: Held) -> None:
    with held() as process:
        opened = threading.Event()

        def wait() -> None:
            # the holder ends only once it is waited for
            with open_warehouse(home, purpose="test", on_wait=lambda _: process.kill()):
                opened.set()

        thread = threading.Thread(target=wait)
        thread.start()
        assert opened.wait(timeout=30)
        thread.join()


def test_a_file_of_something_else_is_named_with_a_way_out(home: Home) -> None:
    home.warehouse.write_text("name,amount\n" * 1000)
    with (
        pytest.raises(CioError, match=r"warehouse\.duckdb is not a DuckDB database.*CIO_HOME"),
        open_warehouse(home, purpose="test"),
    ):
        pass


def test_a_file_of_a_newer_duckdb_says_to_upgrade(home: Home) -> None:
    with open_warehouse(home, purpose="test") as connection:
        connection.execute("create table t (a int)")
    home.warehouse.write_bytes(from_the_future(bytearray(home.warehouse.read_bytes())))
    with (
        pytest.raises(CioError, match=r"newer DuckDB than this one \(.*Upgrade duckdb"),
        open_warehouse(home, purpose="test"),
    ):
        pass


def test_a_damaged_file_says_so(home: Home) -> None:
    with open_warehouse(home, purpose="test") as connection:
        connection.execute("create table t (a int)")
    content = bytearray(home.warehouse.read_bytes())
    content[100] ^= 255
    home.warehouse.write_bytes(content)
    with (
        pytest.raises(CioError, match=r"warehouse\.duckdb is damaged"),
        open_warehouse(home, purpose="test"),
    ):
        pass


OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from warehouse.connection import open_warehouse
from warehouse.errors import CioError
from warehouse.home import Home
import duckdb
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with open_warehouse(Home(Path(sys.argv[1])), purpose="test"):
        print("opened")
except CioError as error:
    print(error)
"""


def test_a_file_that_may_not_be_written_says_so(home: Home) -> None:
    with duckdb.connect(home.warehouse):
        pass
    for folder in (home.root, *home.root.parents):
        if folder.owner() == home.root.owner() and os.access(folder, os.W_OK):
            folder.chmod(folder.stat().st_mode | 0o055) if folder != folder.parent else None
        if folder.name.startswith("pytest-of"):
            break
    home.warehouse.chmod(0o444)
    result = subprocess.run(
        [sys.executable, "-c", OPEN_AS_NOBODY, str(home.root)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "may not be written by this user" in result.stdout
