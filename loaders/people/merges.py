"""Merges: the profile that stayed, and the one that went into it."""

from __future__ import annotations

from loaders.people.tables import DATASET, TABLES
from loaders.row_feeds import RowFeed, Target

MERGES = RowFeed(
    name="merges",
    dataset=DATASET,
    table="merges",
    tables=TABLES,
    targets=(
        Target("primary_cio_id", is_required=True),
        Target("secondary_cio_id", is_required=True),
        Target("merged_at", "instant"),
    ),
    key=("primary_cio_id", "secondary_cio_id", "payload"),
).feed()
