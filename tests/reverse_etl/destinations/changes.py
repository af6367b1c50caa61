"""One change as a channel gets it, of which a test changes what it is about."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reverse_etl.clock import milliseconds
from reverse_etl.contract import Change

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - naive UTC, as every instant
EVENT = Change(
    row=0,
    operation="append",
    record_key="0" * 31 + "1",
    person_id="p",
    identifier="customer-1",
    label="Email Link Clicked",
    occurred_ms=milliseconds(NOW - timedelta(seconds=1.5)),
    payload="{}",
    fingerprint="f",
)
ROW = EVENT._replace(
    operation="add",
    record_key="k1",
    label="CIO | Buyers | 0-3d",
    occurred_ms=1_768_472_430_000,
    payload='{"plan":null,"visits":0}',
)


def changes_like(good: Change, **usual: object) -> Callable[..., Change]:
    """Makes changes like a good one, but for what is named."""
    alike = good._replace(**usual)

    def change(**values: object) -> Change:
        return alike._replace(**values)

    return change
