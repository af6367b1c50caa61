"""Rows of a parquet file, and of any relation with typed columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.row_blocks import Block, find_columns, json_path, literal, quoted, trimmed
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from loaders.row_blocks import Wanted

PARQUET_SUFFIXES = (".parquet",)
BLOCK_ROWS = 65_536


def parquet_blocks(
    stream: BinaryIO, path: str, feed: Wanted, mapping: Mapping[str, str]
) -> Iterator[Block]:
    """Read a parquet file in blocks; the line of a row is its number, from 1.

    Args:
        stream: The file, open for reading bytes.
        path: Its name, for messages.
        feed: What is wanted.
        mapping: Source columns by target.

    Yields:
        Blocks.

    Raises:
        UsageError: The file is not parquet, or lacks a column that is wanted.
    """
    try:
        file = pq.ParquetFile(stream)
        names = file.schema_arrow.names
    except (pa.ArrowException, OSError) as error:
        message = (
            f"{path} is not a parquet file, though its name says so ({type(error).__name__}). "
            "Nothing of it was loaded; export it again, or give it the ending of what it is."
        )
        raise UsageError(message) from error
    values, payload, others = column_expressions(feed, names, mapping, path)
    line = 1
    for batch in file.iter_batches(batch_size=BLOCK_ROWS):
        numbers = pa.array(range(line, line + batch.num_rows), pa.int64())
        line += batch.num_rows
        rows = pa.Table.from_batches([batch]).append_column(_LINE, numbers)
        yield Block(rows, values, payload, others, line=quoted(_LINE))


_LINE = "source line"


def column_expressions(
    feed: Wanted, columns: Sequence[str], mapping: Mapping[str, str], place: str
) -> tuple[dict[str, str], str, str]:
    """Expressions over typed columns: the targets as text, the row as JSON, and the rest of it.

    Args:
        feed: What is wanted.
        columns: The columns of the relation.
        mapping: Source columns by target; a dotted path leads into a struct, or into JSON text.
        place: The source's name, for messages.

    Raises:
        UsageError: A column that is wanted is not there.
    """
    found = find_columns(feed, columns, mapping, place)
    values = {target: _text(quoted(columns[at]), path) for target, (at, path) in found.items()}
    used = {columns[at] for at, path in found.values() if not path}
    return values, _json(columns), _json([name for name in columns if name not in used])


def _text(column: str, path: str) -> str:
    if not path:
        return trimmed(f"cast({column} as varchar)")
    # a struct is asked as JSON; a text that is JSON as what it says
    document = f"coalesce(try(cast(cast({column} as varchar) as json)), to_json({column}))"
    return trimmed(f"try(json_extract_string({document}, {json_path(path)}))")


def _json(columns: Sequence[str]) -> str:
    pairs = ", ".join(f"{literal(name)}, {quoted(name)}" for name in columns)
    return f"cast(json_object({pairs}) as varchar)"
