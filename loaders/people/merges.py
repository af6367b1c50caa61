"""Merges: the profile that stayed, and the one that went into it."""

from __future__ import annotations

from loaders.csv_feeds import CsvFeed, Target
from loaders.people.tables import DATASET, TABLES

MERGES = CsvFeed(
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
