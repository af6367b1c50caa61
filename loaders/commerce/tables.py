"""Raw tables of commerce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders import bookkeeping
from loaders.bookkeeping import FLAG, INSTANT, MONEY, PLACE, TEXT

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
    "payload": TEXT,
    **PLACE,
}
REFUND_COLUMNS: dict[str, Column] = {
    "refund_id": TEXT,
    "order_id": TEXT,
    "refunded_at": INSTANT,
    "amount": MONEY,
    "payload": TEXT,
    **PLACE,
}

TABLES = {"orders": ORDER_COLUMNS, "refunds": REFUND_COLUMNS, **bookkeeping.TABLES}
