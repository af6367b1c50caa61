"""Cancellations: an order that was called off, where the order's own rows do not say so."""

from __future__ import annotations

from loaders.commerce.tables import DATASET, TABLES
from loaders.row_feeds import RowFeed, Target

CANCELLATIONS = RowFeed(
    name="cancellations",
    dataset=DATASET,
    table="cancellations",
    tables=TABLES,
    targets=(
        Target("order_id", is_required=True),
        Target("cancelled_at", "instant", is_required=True),
        Target("reason"),
    ),
    key=("order_id", "payload"),
).feed()
