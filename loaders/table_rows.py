"""Rows of a table that is in the warehouse already, those that are new."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from loaders.bookkeeping import QUARANTINE, quarantine_lines
from loaders.feeds import Parsed
from loaders.parquet_rows import BLOCK_ROWS, column_expressions
from loaders.row_blocks import Block, literal, quoted
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from loaders.feeds import Feed

_HELD = "rows_to_land"


@dataclass(frozen=True)
class TableRows:
    """Rows of a table that no load has landed yet, held aside until they are."""

    feed: Feed
    place: str
    rows: int
    connection: duckdb.DuckDBPyConnection

    def batches(self) -> Iterator[Parsed]:
        """The rows, and those to quarantine, a block at a time."""
        reader = self.connection.execute(f"from temp.{_HELD}").to_arrow_reader(BLOCK_ROWS)
        for batch in reader:
            yield self._parsed(pa.Table.from_batches([batch]))

    def _parsed(self, table: pa.Table) -> Parsed:
        reasons = table.column("refusal").combine_chunks()
        records = table.filter(pc.is_null(reasons)).drop_columns(["refusal"])
        is_bad = pc.is_valid(reasons)
        bad = quarantine_lines(
            self.feed.name,
            self.place,
            reasons.filter(is_bad),
            table.column("source_line").combine_chunks().filter(is_bad),
            table.column("payload").combine_chunks().cast(pa.binary()).filter(is_bad),
        )
        return Parsed(
            records.append_column("source_file", pa.repeat(self.place, records.num_rows)), bad
        )


@contextmanager
def new_rows(
    warehouse: duckdb.DuckDBPyConnection, feed: Feed, table: str, mapping: Mapping[str, str]
) -> Iterator[TableRows]:
    """Find the rows of a table that are new to a feed.

    A row is known when the raw table has one with the same key and the same payload, which is the
    row as JSON: so a run lands what was added or changed since, a second run lands nothing, and an
    empty warehouse takes the whole table again. What is deleted from the table stays landed.

    Args:
        warehouse: The warehouse, open for writing, the feed's raw tables prepared.
        feed: The feed.
        table: The table or view, `schema.table`.
        mapping: Source columns by target.

    Yields:
        The new rows, held in a temporary table while they are landed.

    Raises:
        UsageError: The feed takes no rows, or there is no such table, or it lacks a column.
    """
    if feed.select_rows is None:
        message = f"{feed.name} is not loaded from a table: its format is fixed. Name files."
        raise UsageError(message)
    parts = _parts(feed, table)
    place = f"table {'.'.join(parts)}"
    cursor = warehouse.cursor()
    try:
        relation = ".".join(map(quoted, parts))
        values, payload, others = column_expressions(
            feed, _columns(cursor, relation, table), mapping, place
        )
        block = Block(None, values, payload, others, line="cast(null as bigint)", relation=relation)
        cursor.execute(_new(feed, feed.select_rows(block), place))
        counted = cursor.table(f"temp.{_HELD}").count("*").fetchone()
        yield TableRows(feed, place, 0 if counted is None else int(counted[0]), cursor)
    finally:
        cursor.close()


def _parts(feed: Feed, table: str) -> list[str]:
    parts = [part.strip().strip('"') for part in table.split(".")]
    if len(parts) != 2 or not all(parts):  # noqa: PLR2004 - a schema and a table
        message = f"--table {table}: write schema.table, such as shop.orders"
        raise UsageError(message)
    if parts[0] == feed.dataset:
        message = (
            f"--table {table}: {feed.dataset} is where {feed.name} lands. "
            "Name the table the rows come from."
        )
        raise UsageError(message)
    return parts


def _columns(connection: duckdb.DuckDBPyConnection, relation: str, table: str) -> Sequence[str]:
    try:
        rows = connection.execute(f"describe {relation}").fetchall()
    except duckdb.CatalogException as error:
        message = (
            f"there is no table {table} in the warehouse. "
            "Look with: duckdb data/warehouse.duckdb -c 'show all tables'."
        )
        raise UsageError(message) from error
    return [str(row[0]) for row in rows]


def _new(feed: Feed, rows: str, place: str) -> str:
    same = " and ".join(
        f"known.{quoted(column)} is not distinct from found.{quoted(column)}" for column in feed.key
    )
    return f"""
        create or replace temporary table {_HELD} as
        with found as ({rows})

        select * from found
        where
            (
                refusal is null
                and not exists (select 1 from {feed.dataset}.{feed.table} as known where {same})
            )
            or (
                refusal is not null
                and encode(payload) not in (
                    select original_bytes
                    from {feed.dataset}.{QUARANTINE}
                    where
                        feed = {literal(feed.name)}
                        and source_file = {literal(place)}
                        and original_bytes is not null
                )
            )
    """  # noqa: S608 - declared names, and quoted ones
