"""Orders: a row is an order as it stood; a later row of the same order is its later state."""

from __future__ import annotations

from loaders.commerce.tables import DATASET, TABLES
from loaders.row_feeds import RowFeed, Target

ORDERS = RowFeed(
    name="orders",
    dataset=DATASET,
    table="orders",
    tables=TABLES,
    targets=(
        Target("order_id", is_required=True),
        Target("customer_id"),
        Target("email"),
        Target("cio_id"),
        Target("ordered_at", "instant", is_required=True),
        Target("updated_at", "instant"),
        Target("currency"),
        Target("total_amount", "money", is_required=True),
        Target("discount_amount", "money"),
        Target("discount_code"),
        Target("is_cancelled", "flag"),
        Target("acquisition_channel"),
    ),
    key=("order_id", "payload"),
    any_of=("customer_id", "email", "cio_id"),
).feed()
