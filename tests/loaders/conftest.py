"""Webhook lines of our own in the vendor's documented shapes, and looks into the warehouse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

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
def select(home: Home) -> Callable[..., list[tuple[object, ...]]]:
    """Rows of a query on the warehouse."""

    def look(sql: str) -> list[tuple[object, ...]]:
        with open_warehouse(home, purpose="look") as connection:
            return connection.execute(sql).fetchall()

    return look
