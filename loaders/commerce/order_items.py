"""Order items: a row is a line of an order as it stood; a later row of it is its later state."""

from __future__ import annotations

from loaders.commerce.tables import DATASET, TABLES
from loaders.row_feeds import RowFeed, Target

ORDER_ITEMS = RowFeed(
    name="order_items",
    dataset=DATASET,
    table="order_items",
    tables=TABLES,
    targets=(
        Target("order_id", is_required=True),
        Target("item_id"),
        Target("product_id"),
        Target("sku"),
        Target("product_name"),
        Target("product_family"),
        Target("quantity", "quantity"),
        Target("unit_price", "money"),
        Target("discount_amount", "money"),
        Target("total_amount", "money"),
        Target("unit_cost", "money"),
        Target("updated_at", "instant"),
    ),
    key=("order_id", "payload"),
    any_of=("product_id", "sku"),
    refusals=(
        (
            "total_amount is null and unit_price is null",
            "total_amount, unit_price are both empty",
        ),
    ),
).feed()
