"""What every source keeps beside its records: quarantine, files loaded, and loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from warehouse.raw_tables import Column, arrow_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loaders.lines import Refused

TEXT: Column = {"data_type": "text"}
COUNT: Column = {"data_type": "bigint"}
FLAG: Column = {"data_type": "bool"}
INSTANT: Column = {"data_type": "timestamp", "timezone": False}
MONEY: Column = {"data_type": "decimal", "precision": 18, "scale": 4}
RATE: Column = {"data_type": "decimal", "precision": 18, "scale": 8}
DAY: Column = {"data_type": "date"}
BYTES: Column = {"data_type": "binary"}

QUARANTINE = "quarantine"
LOADED_FILES = "loaded_files"
FEED_LOADS = "feed_loads"

PLACE: dict[str, Column] = {"source_file": TEXT, "source_line": COUNT}
"""Where a record came from: the file's path, and the line it starts on, from 1."""

TABLES: dict[str, dict[str, Column]] = {
    QUARANTINE: {"feed": TEXT, "reason": TEXT, **PLACE, "original_bytes": BYTES},
    LOADED_FILES: {
        "feed": TEXT,
        "path": TEXT,
        "fingerprint": TEXT,
        "size_bytes": COUNT,
        "records": COUNT,
        "quarantined": COUNT,
    },
    FEED_LOADS: {
        "feed": TEXT,
        "complete_through": INSTANT,
        "files": COUNT,
        "records": COUNT,
        "duplicates": COUNT,
        "quarantined": COUNT,
        "started_at": INSTANT,
    },
}


def rows(table: str, records: Sequence[dict[str, object]]) -> pa.Table:
    """Rows of one of these tables, as Arrow."""
    return pa.Table.from_pylist(list(records), schema=arrow_schema(TABLES[table]))


def quarantine(feed: str, path: str, refused: Sequence[Refused]) -> pa.Table:
    """Rows of quarantine for what a file's reader refused."""
    records: list[dict[str, object]] = [
        {
            "feed": feed,
            "reason": each.reason,
            "source_file": path,
            "source_line": each.line,
            "original_bytes": each.original,
        }
        for each in refused
    ]
    return rows(QUARANTINE, records)


def quarantine_lines(
    feed: str, path: str, reasons: pa.Array, numbers: pa.Array, originals: pa.Array
) -> pa.Table:
    """Rows of quarantine from columns: reasons, line numbers and bytes of the same length."""
    schema = arrow_schema(TABLES[QUARANTINE])
    arrays = [
        pa.repeat(feed, len(numbers)),
        reasons,
        pa.repeat(path, len(numbers)),
        numbers,
        originals,
    ]
    return pa.table(arrays, schema=schema)
