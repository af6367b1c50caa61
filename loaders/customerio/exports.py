"""Data Warehouse exports: the parquet files that Customer.io puts into a team's own bucket.

`<kind>_v<schema>_<workspace>_<sequence>.parquet`, each with the rows that changed since the one
before: https://docs.customer.io/integrations/data-out/data-warehouses/. Every version of a row is
landed, and the models keep the newest by `seq_num`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import parquet

from loaders.bookkeeping import quarantine, quarantine_lines
from loaders.customerio.export_columns import ROW, select_rejected, select_typed
from loaders.customerio.export_tables import EXPORT_TABLES, KIND_SPELLINGS
from loaders.customerio.tables import DATASET, TABLES
from loaders.feeds import Arranged, Feed, Parsed
from loaders.lines import KEPT_BYTES, Refused
from loaders.locations import File, open_file
from warehouse.raw_tables import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

FEED = "exports"
SUFFIXES = (".parquet",)

_NAME = re.compile(
    r"^(?P<kind>[a-z_]+?)_v(?P<schema>\d{1,9})_(?P<workspace>\d+)_(?P<sequence>\d{1,18})\.parquet$"
)
_NEEDED_NAME = "<kind>_v<schema>_<workspace>_<sequence>.parquet"
_VERSIONS = ("seq_num", "updated_at", "changed_at")
"""The column that tells versions of a row apart: the first of them that a table has."""


@dataclass(frozen=True)
class ExportName:
    """What the name of a file says."""

    kind: str
    schema_version: int
    workspace_id: str
    sequence: int


def read_name(path: str) -> ExportName | None:
    """Take the name of a file apart, whatever folder or bucket it is in; None if it is another."""
    location = urlsplit(path).path if "://" in path else path
    found = _NAME.match(PurePosixPath(location).name)
    if found is None:
        return None
    kind = KIND_SPELLINGS.get(found["kind"], found["kind"])
    return ExportName(kind, int(found["schema"]), found["workspace"], int(found["sequence"]))


def arrange(files: Sequence[File]) -> Arranged:
    """Order files by sequence, and leave out those whose name says no kind that is known.

    What is left out is not remembered as loaded, so a later version that knows it takes it up.
    """
    taken: list[tuple[int, str, File]] = []
    others: dict[str, list[str]] = {}
    for file in files:
        name = read_name(file.path)
        if name is None:
            others.setdefault(f"not named {_NEEDED_NAME}", []).append(file.path)
        elif name.kind not in EXPORT_TABLES:
            others.setdefault(f"{name.kind} is no kind of file known here", []).append(file.path)
        else:
            taken.append((name.sequence, file.path, file))
    left_out = {
        f"{reason}: {PurePosixPath(paths[0]).name}": len(paths) for reason, paths in others.items()
    }
    return Arranged([file for *_, file in sorted(taken, key=lambda each: each[:2])], left_out)


def parse(
    parser: duckdb.DuckDBPyConnection, file: File, mapping: Mapping[str, str]
) -> Iterator[Parsed]:
    """Parse one file, a batch of rows at a time, all of it in Arrow and DuckDB.

    Args:
        parser: A DuckDB in memory, in UTC.
        file: The file; its name says what it holds.
        mapping: Not used: the format is the vendor's.

    Yields:
        Rows for the table of the file's kind, and what is quarantined: rows without their key,
        and a file that is no parquet, lacks a key column or is damaged, once, with the reason.
    """
    del mapping
    name = read_name(file.path)
    if name is None or name.kind not in EXPORT_TABLES:
        yield _refused(file, f"the file's name is not {_NEEDED_NAME} of a kind that is known", b"")
        return
    table = EXPORT_TABLES[name.kind]
    with open_file(file) as stream:
        source = _open(stream)
        if isinstance(source, str):
            yield _refused(file, source, _start(stream))
            return
        missing = [key for key in table.key if table.sources[key] not in source.schema_arrow.names]
        if missing:
            reason = f"a file of {name.kind} without the column {table.sources[missing[0]]}"
            yield _refused(file, reason, b"")
            return
        yield from _rows(parser, file, name, source)


def _rows(
    parser: duckdb.DuckDBPyConnection,
    file: File,
    name: ExportName,
    source: Any,  # noqa: ANN401 - pyarrow has no types
) -> Iterator[Parsed]:
    start = 1
    batches = source.iter_batches(EXPORT_TABLES[name.kind].batch_rows)
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as error:
            yield _refused(file, f"the parquet file is damaged: {_first_line(error)}", b"", start)
            return
        if batch is None:
            return
        yield _typed(parser, file, name, batch, start)
        start += batch.num_rows


def _typed(
    parser: duckdb.DuckDBPyConnection,
    file: File,
    name: ExportName,
    batch: pa.RecordBatch,
    start: int,
) -> Parsed:
    table = EXPORT_TABLES[name.kind]
    numbers = pa.array(range(start, start + batch.num_rows), pa.int64())
    parser.register("export_rows", pa.table(batch).append_column(ROW, numbers))
    place = {
        "workspace": name.workspace_id,
        "schema_version": name.schema_version,
        "sequence": name.sequence,
        "path": file.path,
    }
    records = parser.execute(select_typed(table, batch.schema), place).to_arrow_table()
    rejected = parser.execute(select_rejected(table, batch.schema)).to_arrow_table()
    parser.unregister("export_rows")
    names = ("reason", "source_row", "original_bytes")
    columns = [rejected.column(name).combine_chunks() for name in names]
    bad = quarantine_lines(FEED, file.path, *columns)
    return Parsed(records.select(list(table.columns)), bad, table=table.name)


def _open(stream: BinaryIO) -> Any:  # noqa: ANN401 - pyarrow has no types
    """The file, opened; a sentence if it is no parquet."""
    try:
        return parquet.ParquetFile(stream)
    except (pa.ArrowException, OSError) as error:
        return f"not a parquet file, or one cut off: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    # the reader's words name positions and encodings, never values
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _start(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read(KEPT_BYTES)


def _refused(file: File, reason: str, original: bytes, row: int = 1) -> Parsed:
    records = arrow_schema(EXPORT_TABLES["deliveries"].columns).empty_table()
    return Parsed(records, quarantine(FEED, file.path, [Refused(row, reason, original)]))


EXPORTS = Feed(
    name=FEED,
    dataset=DATASET,
    table=EXPORT_TABLES["deliveries"].name,
    tables=TABLES,
    key=(*EXPORT_TABLES["deliveries"].key, "seq_num"),
    suffixes=SUFFIXES,
    targets=(),
    parse=parse,
    arrange=arrange,
    other_keys={
        table.name: (*table.key, version)
        for kind, table in EXPORT_TABLES.items()
        if kind != "deliveries"
        for version in [next((v for v in _VERSIONS if v in table.columns), "file_sequence")]
    },
)
