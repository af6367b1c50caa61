"""Assignments: who was put in which arm, since when, where the company assigns itself."""

from __future__ import annotations

from loaders.experiments.tables import DATASET, TABLES
from loaders.row_feeds import RowFeed, Target

ASSIGNMENTS = RowFeed(
    name="assignments",
    dataset=DATASET,
    table="assignments",
    tables=TABLES,
    targets=(
        Target("experiment_id", is_required=True),
        Target("arm", is_required=True),
        Target("customer_id"),
        Target("email"),
        Target("cio_id"),
        Target("assigned_at", "instant", is_required=True),
    ),
    key=("experiment_id", "payload"),
    any_of=("customer_id", "email", "cio_id"),
).feed()
