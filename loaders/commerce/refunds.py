"""Refunds: money given back on an order, whole or in part."""

from __future__ import annotations

from loaders.commerce.tables import DATASET, TABLES
from loaders.csv_feeds import CsvFeed, Target

REFUNDS = CsvFeed(
    name="refunds",
    dataset=DATASET,
    table="refunds",
    tables=TABLES,
    targets=(
        Target("refund_id", is_required=True),
        Target("order_id", is_required=True),
        Target("refunded_at", "instant", is_required=True),
        Target("amount", "money", is_required=True),
    ),
    key=("refund_id", "payload"),
).feed()
