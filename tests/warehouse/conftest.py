"""A second process that holds the warehouse, and a build recorded in it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from warehouse.connection import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from warehouse.home import Home

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(home: Home) -> Callable[[], AbstractContextManager[subprocess.Popen[str]]]:
    """The warehouse held by another process until the block ends."""

    @contextmanager
    def hold() -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(home.warehouse), "someone@example.com"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
            process.kill()

    return hold


@pytest.fixture
def record_build(home: Home) -> Callable[..., None]:
    """Record a build as the hook of dbt does."""

    def record(build_id: str, day: int, **values: object) -> None:
        row = {
            "is_as_of_given": False,
            "target": "dev",
            "schema_prefix": "dev_",
            "is_whole": True,
            "is_passed": True,
        } | values
        with open_warehouse(home, purpose="record a build") as connection:
            connection.execute("create schema if not exists raw_dbt")
            connection.execute(
                "create table if not exists raw_dbt.builds (build_id text, started_at timestamp, "
                "finished_at timestamp, as_of timestamp, is_as_of_given boolean, target text, "
                "schema_prefix text, command text, selection text, is_whole boolean, "
                "is_passed boolean, models bigint, failures bigint)"
            )
            connection.execute(
                "insert into raw_dbt.builds (build_id, started_at, is_as_of_given, target, "
                "schema_prefix, is_whole, is_passed) values (?, ?, ?, ?, ?, ?, ?)",
                [build_id, f"2026-01-{day:02d} 10:00:00", *row.values()],
            )

    return record
