"""Batches of our own in mParticle's documented shapes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

MPID = -7636538281262557001


@pytest.fixture
def custom() -> Callable[..., dict[str, object]]:
    """A custom event, with the fields of its data replaced."""

    def make(event_id: int = 31211936655863586, **data: object) -> dict[str, object]:
        return {
            "event_type": "custom_event",
            "data": {
                "custom_event_type": "other",
                "event_name": "Example custom event",
                "custom_flags": {},
                "timestamp_unixtime_ms": 1558388284131,
                "event_id": event_id,
                "session_id": -2271448330363288817,
                "custom_attributes": None,
            }
            | data,
        }

    return make


@pytest.fixture
def batch() -> Callable[..., bytes]:
    """One line of a batch with the events given, and its fields replaced."""

    def make(*events: object, **fields: object) -> bytes:
        envelope = {
            "events": list(events),
            "user_identities": {"customer_id": "123456"},
            "environment": "production",
            "mp_deviceid": "3fb44a79-df2d-446d-acf1-e87eda854ae1",
            "timestamp_unixtime_ms": 1558342842934,
            "batch_id": -8602161397754364009,
            "mpid": MPID,
        }
        return json.dumps(envelope | fields).encode() + b"\n"

    return make
