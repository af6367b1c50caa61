"""Pages of answers on disk, between being read and being landed.

No request is made while the warehouse is open, and a month of messages is not held in memory.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.customerio.api_tables import PARENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from warehouse.home import Home

_BYTES_IN_MEMORY = 8 * 2**20

_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in PARENTS),
        pa.field("observed_at", pa.timestamp("us")),
        pa.field("body", pa.string()),
    ]
)


class Spool:
    """Pages by table; may be written from several threads."""

    def __init__(self, folder: Path) -> None:
        """Write into a folder that is there."""
        self.pages: Counter[str] = Counter()
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[dict[str, object]]] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def add(
        self,
        table: str,
        body: bytes,
        *,
        observed_at: datetime,
        parents: Mapping[str, str] | None = None,
    ) -> None:
        """Keep a page.

        Args:
            table: The table its objects are for.
            body: The answer, JSON.
            observed_at: When it was read, naive UTC.
            parents: What it is about, by the names of `PARENTS`.
        """
        page = {**(parents or {}), "observed_at": observed_at, "body": body.decode()}
        with self._lock:
            self.pages[table] += 1
            self._waiting.setdefault(table, []).append(page)
            self._bytes += len(body)
            if self._bytes > _BYTES_IN_MEMORY:
                self._write()

    def close(self) -> None:
        """Write what waits; the files can be read after."""
        with self._lock:
            self._write()
            for writer in self._writers.values():
                writer.close()
            self._writers.clear()

    def file(self, table: str) -> Path | None:
        """The file of a table's pages, if it has any."""
        return self._path(table) if self.pages[table] else None

    def _path(self, table: str) -> Path:
        return self._folder / f"{table}.parquet"

    def _write(self) -> None:
        for table, pages in self._waiting.items():
            if table not in self._writers:
                path = self._path(table)
                self._writers[table] = pq.ParquetWriter(path, _SCHEMA, compression="zstd")
            self._writers[table].write_table(pa.Table.from_pylist(pages, schema=_SCHEMA))
        self._waiting.clear()
        self._bytes = 0


@contextmanager
def spooling(home: Home) -> Iterator[Spool]:
    """A spool of this load alone, for who holds the lock of App API loads.

    What loads that were killed left is removed first, and all of it at the end.
    """
    for left in home.dlt.glob("api-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = home.dlt / f"api-{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700, parents=True)
    spool = Spool(folder)
    try:
        yield spool
    finally:
        spool.close()
        shutil.rmtree(folder, ignore_errors=True)
