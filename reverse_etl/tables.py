"""The raw tables that receipts land in, in dlt's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.raw_tables import Columns

DATASET = "raw_reverse_etl"

RECEIPTS: Columns = {
    "sync": {"data_type": "text"},
    "run_id": {"data_type": "text"},
    "record_key": {"data_type": "text"},
    "operation": {"data_type": "text"},
    "identifier": {"data_type": "text"},
    "label": {"data_type": "text"},
    "fingerprint": {"data_type": "text"},
    "outcome": {"data_type": "text"},
    "reason": {"data_type": "text"},
    "attempts": {"data_type": "bigint"},
    "sent_at": {"data_type": "timestamp", "timezone": False},
    "finished_at": {"data_type": "timestamp", "timezone": False},
    "person_id": {"data_type": "text"},
    "occurred_at": {"data_type": "timestamp", "timezone": False},
}

RUNS: Columns = {
    "run_id": {"data_type": "text"},
    "sync": {"data_type": "text"},
    "destination": {"data_type": "text"},
    "use": {"data_type": "text"},
    "mode": {"data_type": "text"},
    "target": {"data_type": "text"},
    "build_id": {"data_type": "text"},
    "as_of": {"data_type": "timestamp", "timezone": False},
    "started_at": {"data_type": "timestamp", "timezone": False},
    "finished_at": {"data_type": "timestamp", "timezone": False},
    "planned": {"data_type": "bigint"},
    "accepted": {"data_type": "bigint"},
    "rejected": {"data_type": "bigint"},
    "skipped": {"data_type": "bigint"},
    "unknown": {"data_type": "bigint"},
    "is_balanced": {"data_type": "bool"},
    "is_interrupted": {"data_type": "bool"},
    "forced_guards": {"data_type": "text"},
    "settings_fingerprint": {"data_type": "text"},
    "left_out": {"data_type": "text"},
    "is_canary": {"data_type": "bool"},
    "stopped_guards": {"data_type": "text"},
}

PLANNED_LABELS: Columns = {
    "run_id": {"data_type": "text"},
    "sync": {"data_type": "text"},
    "label": {"data_type": "text"},
    "wanted": {"data_type": "bigint"},
    "in_place": {"data_type": "bigint"},
    "leaving": {"data_type": "bigint"},
}

READ_BACKS: Columns = {
    "sync": {"data_type": "text"},
    "destination": {"data_type": "text"},
    "label": {"data_type": "text"},
    "asked_at": {"data_type": "timestamp", "timezone": False},
    "members_sent": {"data_type": "bigint"},
    "members_there": {"data_type": "bigint"},
}

TABLES: dict[str, Columns] = {
    "receipts": RECEIPTS,
    "runs": RUNS,
    "planned_labels": PLANNED_LABELS,
    "read_backs": READ_BACKS,
}
