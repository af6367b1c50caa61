"""Paid-audience days: a person was in an audience of an ad platform on a day."""

from __future__ import annotations

from loaders.commerce.tables import DATASET, TABLES
from loaders.row_feeds import RowFeed, Target

PAID_AUDIENCE_DAYS = RowFeed(
    name="paid_audience_days",
    dataset=DATASET,
    table="paid_audience_days",
    tables=TABLES,
    targets=(
        Target("platform", is_required=True),
        Target("audience", is_required=True),
        Target("customer_id"),
        Target("email"),
        Target("cio_id"),
        Target("active_on", "day", is_required=True),
    ),
    key=("platform", "audience", "active_on", "customer_id", "email", "cio_id"),
    any_of=("customer_id", "email", "cio_id"),
).feed()
