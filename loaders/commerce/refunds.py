"""Refunds: money given back on an order, whole or in part."""

from __future__ import annotations

from loaders.commerce.tables import DATASET, TABLES
from loaders.row_feeds import RowFeed, Target

REFUNDS = RowFeed(
    name="refunds",
    dataset=DATASET,
    table="refunds",
    tables=TABLES,
    targets=(
        Target("refund_id", is_required=True),
        Target("order_id", is_required=True),
        Target("refunded_at", "instant", is_required=True),
        Target("amount", "money"),
        Target("currency"),
        Target("is_full", "flag"),
    ),
    key=("refund_id", "payload"),
    any_of=("amount", "is_full"),
    refusals=(
        ("amount is null and not is_full", "amount is empty, and is_full does not say true"),
        ("amount < 0", "amount is negative: write what was given back as a positive amount"),
    ),
).feed()
