"""How a batch of rows is written as a file: JSON lines, CSV or parquet."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COLUMNS = (
    *("operation", "record_key", "identifier", "label", "occurred_at", "payload", "fingerprint"),
)


def _ndjson(records: Sequence[bytes]) -> bytes:
    return b"\n".join(records) + b"\n"


def _csv(records: Sequence[bytes]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(_flat(records))
    return text.getvalue().encode()


def _parquet(records: Sequence[bytes]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - only this format needs it
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    types = {"occurred_at": pa.timestamp("ms")}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    rows = [
        row
        | {"occurred_at": row["occurred_at"] and datetime.fromisoformat(row["occurred_at"][:-1])}
        for row in _flat(records)
    ]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def _flat(records: Sequence[bytes]) -> list[dict[str, Any]]:
    """Rows whose payload is a JSON text, in a form that has no objects."""
    rows = [orjson.loads(record) for record in records]
    return [row | {"payload": orjson.dumps(row["payload"]).decode()} for row in rows]


WRITERS: Mapping[str, Callable[[Sequence[bytes]], bytes]] = {
    "ndjson": _ndjson,
    "csv": _csv,
    "parquet": _parquet,
}
