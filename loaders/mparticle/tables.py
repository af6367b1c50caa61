"""Raw tables of mParticle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders import bookkeeping
from loaders.bookkeeping import COUNT, FLAG, INSTANT, MONEY, PLACE, TEXT

if TYPE_CHECKING:
    from warehouse.raw_tables import Column

DATASET = "raw_mparticle"
EVENTS = "events"
USER_ATTRIBUTES = "user_attributes"
IDENTITY_CHANGES = "identity_changes"
OPT_OUTS = "opt_outs"
AUDIENCE_MEMBERSHIPS = "audience_memberships"

BATCH_PLACE: dict[str, Column] = {**PLACE, "batch_position": COUNT}
"""Where a batch came from; its position is that in the list on the line, from 1."""

EVENT_PLACE: dict[str, Column] = {**BATCH_PLACE, "event_position": COUNT}
"""Where an event came from; its position is that in its batch, from 1."""

EVENT_COLUMNS: dict[str, Column] = {
    **dict.fromkeys(
        (
            "batch_id",
            "event_id",
            "source_message_id",
            "session_id",
            "mpid",
            "customer_id",
            "email",
            "phone",
            "other_identities",
            "device_id",
            "event_type",
            "event_name",
            "custom_event_type",
            "screen_name",
        ),
        TEXT,
    ),
    "occurred_at": INSTANT,
    **dict.fromkeys(
        ("product_action", "transaction_id", "products", "product_ids", "product_categories"),
        TEXT,
    ),
    "total_amount": MONEY,
    "products_amount": MONEY,
    **dict.fromkeys(
        ("currency", "attributes", "user_attributes", "consent", "environment", "payload"), TEXT
    ),
    **EVENT_PLACE,
}
USER_ATTRIBUTE_COLUMNS: dict[str, Column] = {
    **dict.fromkeys(
        (
            "batch_id",
            "mpid",
            "customer_id",
            "email",
            "phone",
            "device_id",
            "first_name",
            "last_name",
        ),
        TEXT,
    ),
    "created_at": INSTANT,
    "occurred_at": INSTANT,
    **dict.fromkeys(("attributes", "deleted_attributes", "environment"), TEXT),
    **BATCH_PLACE,
}
IDENTITY_CHANGE_COLUMNS: dict[str, Column] = {
    **dict.fromkeys(
        (
            "batch_id",
            "event_id",
            "mpid",
            "customer_id",
            "email",
            "identity_type",
            "old_identity",
            "new_identity",
        ),
        TEXT,
    ),
    "occurred_at": INSTANT,
    **EVENT_PLACE,
}
OPT_OUT_COLUMNS: dict[str, Column] = {
    **dict.fromkeys(("batch_id", "event_id", "mpid", "customer_id", "email"), TEXT),
    "occurred_at": INSTANT,
    "is_opted_out": FLAG,
    **EVENT_PLACE,
}
AUDIENCE_MEMBERSHIP_COLUMNS: dict[str, Column] = {
    **dict.fromkeys(
        ("mpid", "customer_id", "email", "audience_id", "audience_name", "change"), TEXT
    ),
    "changed_at": INSTANT,
    "payload": TEXT,
    **PLACE,
}

TABLES = {
    EVENTS: EVENT_COLUMNS,
    USER_ATTRIBUTES: USER_ATTRIBUTE_COLUMNS,
    IDENTITY_CHANGES: IDENTITY_CHANGE_COLUMNS,
    OPT_OUTS: OPT_OUT_COLUMNS,
    AUDIENCE_MEMBERSHIPS: AUDIENCE_MEMBERSHIP_COLUMNS,
    **bookkeeping.TABLES,
}
