"""Batches of events, in the JSON that mParticle takes, forwards and exports.

A file holds a batch a line, or is one JSON document: a batch, or a list of batches. A batch that is
none, and an event that is none in a good batch, go to quarantine, each by itself.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa

from loaders.bookkeeping import quarantine, quarantine_lines
from loaders.documents import read_documents
from loaders.feeds import Feed, OptOuts, Parsed
from loaders.locations import File, open_file
from loaders.mparticle import queries, statements, tables
from loaders.mparticle.tables import DATASET, TABLES
from warehouse.raw_tables import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb

    from loaders.lines import Lines

FEED = "mparticle"
SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")

_WORKERS = 2
"""Batches parsed at once; a third waits, which bounds memory to a few blocks of the file."""

_OTHERS = {
    tables.USER_ATTRIBUTES: queries.SELECT_USER_ATTRIBUTES,
    tables.IDENTITY_CHANGES: queries.SELECT_IDENTITY_CHANGES,
    tables.OPT_OUTS: queries.SELECT_OPT_OUTS,
}


def parse(
    parser: duckdb.DuckDBPyConnection, file: File, mapping: Mapping[str, str]
) -> Iterator[Parsed]:
    """Parse a file of batches.

    Args:
        parser: A DuckDB in memory, in UTC.
        file: The file.
        mapping: Not used: the format is the vendor's.

    Yields:
        Events, what else the batches tell, and what is quarantined, for each block of the file.
    """
    del mapping
    pending: deque[Future[Parsed]] = deque()
    with open_file(file) as stream, ThreadPoolExecutor(_WORKERS) as pool:
        for lines in read_documents(stream):
            # DuckDB scans a batch with one core; a cursor is a connection of its own
            pending.append(pool.submit(_parse, parser.cursor(), lines, file.path))
            if len(pending) > _WORKERS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _parse(parser: duckdb.DuckDBPyConnection, lines: Lines, path: str) -> Parsed:
    refused = quarantine(FEED, path, lines.refused)
    if len(lines.numbers) == 0:
        return Parsed(arrow_schema(tables.EVENT_COLUMNS).empty_table(), refused)
    originals = pa.table({"source_line": lines.numbers, "value": lines.values})
    parser.register("originals", originals)
    parser.execute(
        "create or replace temporary view lines as "
        "select source_line, try(decode(value)) as payload from originals"
    )
    for statement in (statements.DOCUMENTS, statements.BATCHES, statements.EVENTS):
        parser.execute(statement)
    bad = parser.execute(queries.SELECT_REFUSED).to_arrow_table()
    parsed = Parsed(
        records=_select(parser, queries.SELECT_EVENTS, path),
        quarantined=pa.concat_tables(
            [
                refused,
                quarantine_lines(
                    FEED,
                    path,
                    bad.column("reason").combine_chunks(),
                    bad.column("source_line").combine_chunks(),
                    bad.column("original_bytes").combine_chunks(),
                ),
            ]
        ),
        others={table: _select(parser, sql, path) for table, sql in _OTHERS.items()},
    )
    parser.close()
    return parsed


def _select(parser: duckdb.DuckDBPyConnection, sql: str, path: str) -> pa.Table:
    rows = parser.execute(sql).to_arrow_table()
    return rows.append_column("source_file", pa.repeat(path, rows.num_rows))


MPARTICLE = Feed(
    name=FEED,
    dataset=DATASET,
    table=tables.EVENTS,
    tables=TABLES,
    key=("mpid", "event_id", "payload"),
    suffixes=SUFFIXES,
    targets=(),
    parse=parse,
    opt_outs=OptOuts(tables.OPT_OUTS, "is_opted_out", (True,)),
)
