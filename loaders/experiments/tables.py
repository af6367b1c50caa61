"""Raw tables of experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders import bookkeeping
from loaders.bookkeeping import INSTANT, PLACE, TEXT

if TYPE_CHECKING:
    from warehouse.raw_tables import Column

DATASET = "raw_experiments"

ASSIGNMENT_COLUMNS: dict[str, Column] = {
    "experiment_id": TEXT,
    "arm": TEXT,
    "customer_id": TEXT,
    "email": TEXT,
    "cio_id": TEXT,
    "assigned_at": INSTANT,
    "payload": TEXT,
    **PLACE,
}

TABLES = {"assignments": ASSIGNMENT_COLUMNS, **bookkeeping.TABLES}
