"""Raw tables of commerce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders import bookkeeping
from loaders.bookkeeping import COUNT, DAY, FLAG, INSTANT, MONEY, PLACE, RATE, TEXT

if TYPE_CHECKING:
    from warehouse.raw_tables import Column

DATASET = "raw_commerce"

ORDER_COLUMNS: dict[str, Column] = {
    "order_id": TEXT,
    "customer_id": TEXT,
    "email": TEXT,
    "cio_id": TEXT,
    "ordered_at": INSTANT,
    "updated_at": INSTANT,
    "currency": TEXT,
    "total_amount": MONEY,
    "discount_amount": MONEY,
    "discount_code": TEXT,
    "is_cancelled": FLAG,
    "acquisition_channel": TEXT,
    "payload": TEXT,
    **PLACE,
}
REFUND_COLUMNS: dict[str, Column] = {
    "refund_id": TEXT,
    "order_id": TEXT,
    "refunded_at": INSTANT,
    "amount": MONEY,
    "currency": TEXT,
    "is_full": FLAG,
    "payload": TEXT,
    **PLACE,
}

ORDER_ITEM_COLUMNS: dict[str, Column] = {
    **dict.fromkeys(
        ("order_id", "item_id", "product_id", "sku", "product_name", "product_family"), TEXT
    ),
    # not money, and as exact: 0.75 kg
    "quantity": MONEY,
    **dict.fromkeys(("unit_price", "discount_amount", "total_amount", "unit_cost"), MONEY),
    "updated_at": INSTANT,
    "payload": TEXT,
    **PLACE,
}
CANCELLATION_COLUMNS: dict[str, Column] = {
    "order_id": TEXT,
    "cancelled_at": INSTANT,
    "reason": TEXT,
    "payload": TEXT,
    **PLACE,
}
AD_SPEND_COLUMNS: dict[str, Column] = {
    **dict.fromkeys(
        ("platform", "account_id", "campaign_id", "campaign_name", "ad_group_id", "ad_id"), TEXT
    ),
    "spent_on": DAY,
    "currency": TEXT,
    "spend": MONEY,
    "impressions": COUNT,
    "clicks": COUNT,
    "updated_at": INSTANT,
    "payload": TEXT,
    **PLACE,
}
PAID_AUDIENCE_DAY_COLUMNS: dict[str, Column] = {
    **dict.fromkeys(("platform", "audience", "customer_id", "email", "cio_id"), TEXT),
    "active_on": DAY,
    "payload": TEXT,
    **PLACE,
}
CURRENCY_RATE_COLUMNS: dict[str, Column] = {
    "currency": TEXT,
    "rate": RATE,
    "valid_from": DAY,
    "payload": TEXT,
    **PLACE,
}

TABLES = {
    "orders": ORDER_COLUMNS,
    "order_items": ORDER_ITEM_COLUMNS,
    "refunds": REFUND_COLUMNS,
    "cancellations": CANCELLATION_COLUMNS,
    "ad_spend": AD_SPEND_COLUMNS,
    "paid_audience_days": PAID_AUDIENCE_DAY_COLUMNS,
    "currency_rates": CURRENCY_RATE_COLUMNS,
    **bookkeeping.TABLES,
}
