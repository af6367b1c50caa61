"""Webhook lines of our own in the vendor's documented shapes, and looks into the warehouse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb
import pytest

from loaders.locations import find_files
from loaders.registry import find_feed
from warehouse.connection import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings files but those a test writes."""
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))


@pytest.fixture
def event() -> Callable[..., bytes]:
    """One line of an event, with the fields given replaced."""

    def make(event_id: str = "01E1", **fields: object) -> bytes:
        envelope = {
            "event_id": event_id,
            "object_type": "email",
            "metric": "sent",
            "timestamp": 1613063089,
            "data": {"delivery_id": "RPIL==", "identifiers": {"id": "42"}},
        }
        return json.dumps(envelope | fields).encode() + b"\n"

    return make


@pytest.fixture
def parse(tmp_path: Path) -> Callable[..., tuple[list[dict[str, object]], list[dict[str, object]]]]:
    """Parse the bytes of a file of a feed: its records, and what is quarantined."""

    def run(
        feed: str, data: bytes, **columns: str
    ) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
        path = tmp_path / "file"
        path.write_bytes(data)
        (file,) = find_files([str(path)], suffixes=())
        records: list[dict[str, object]] = []
        quarantined: list[dict[str, object]] = []
        with duckdb.connect() as parser:
            parser.execute("set TimeZone = 'UTC'")
            for batch in find_feed(feed).parse(parser, file, columns):
                records += batch.records.to_pylist()
                quarantined += batch.quarantined.to_pylist()
        return records, quarantined

    return run


@pytest.fixture
def select(home: Home) -> Callable[..., list[tuple[object, ...]]]:
    """Rows of a query on the warehouse."""

    def look(sql: str) -> list[tuple[object, ...]]:
        with open_warehouse(home, purpose="look") as connection:
            return connection.execute(sql).fetchall()

    return look
