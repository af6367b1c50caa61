"""Raw tables of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders import bookkeeping
from loaders.bookkeeping import FLAG, INSTANT, PLACE, TEXT

if TYPE_CHECKING:
    from warehouse.raw_tables import Column

DATASET = "raw_people"

PEOPLE_COLUMNS: dict[str, Column] = {
    "customer_id": TEXT,
    "email": TEXT,
    "cio_id": TEXT,
    "phone": TEXT,
    "first_name": TEXT,
    "last_name": TEXT,
    "created_at": INSTANT,
    "updated_at": INSTANT,
    "is_unsubscribed": FLAG,
    "attributes": TEXT,
    "payload": TEXT,
    **PLACE,
}
MERGE_COLUMNS: dict[str, Column] = {
    "primary_cio_id": TEXT,
    "secondary_cio_id": TEXT,
    "merged_at": INSTANT,
    "payload": TEXT,
    **PLACE,
}

TABLES = {"people": PEOPLE_COLUMNS, "merges": MERGE_COLUMNS, **bookkeeping.TABLES}
