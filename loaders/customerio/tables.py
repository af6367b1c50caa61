"""Raw tables of Customer.io."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders import bookkeeping
from loaders.bookkeeping import FLAG, INSTANT, PLACE, TEXT
from loaders.customerio import api_tables, export_tables

if TYPE_CHECKING:
    from warehouse.raw_tables import Column

DATASET = "raw_customerio"
WEBHOOK_EVENTS = "webhook_events"

_TEXTS_BEFORE = ("event_id", "object_type", "metric")
_TEXTS = (
    "cio_id",
    "customer_id",
    "email",
    "delivery_id",
    "campaign_id",
    "broadcast_id",
    "newsletter_id",
    "transactional_message_id",
    "trigger_id",
    "trigger_event_id",
    "journey_id",
    "action_id",
    "parent_action_id",
    "content_id",
    "recipient",
    "subject",
    "failure_message",
    "href",
    "link_id",
    "device_platform",
)
_FLAGS = ("is_proxied", "is_prefetched", "is_synthetic", "is_machine")

WEBHOOK_COLUMNS: dict[str, Column] = {
    **dict.fromkeys(_TEXTS_BEFORE, TEXT),
    "occurred_at": INSTANT,
    **dict.fromkeys(_TEXTS, TEXT),
    **dict.fromkeys(_FLAGS, FLAG),
    "payload": TEXT,
    **PLACE,
}

TABLES = {
    WEBHOOK_EVENTS: WEBHOOK_COLUMNS,
    **api_tables.TABLES,
    **export_tables.TABLES,
    **bookkeeping.TABLES,
}
