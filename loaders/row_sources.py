"""Files of rows, each read by what its name says it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders.csv_rows import read_rows
from loaders.json_rows import JSON_SUFFIXES, json_blocks
from loaders.locations import File, open_file
from loaders.parquet_rows import PARQUET_SUFFIXES, parquet_blocks
from loaders.row_blocks import Block, find_columns, json_path, literal, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb

    from loaders.row_blocks import Wanted

CSV_SUFFIXES = (".csv", ".csv.gz")
SUFFIXES = (*CSV_SUFFIXES, *JSON_SUFFIXES, *PARQUET_SUFFIXES)


def read_blocks(
    parser: duckdb.DuckDBPyConnection, file: File, feed: Wanted, mapping: Mapping[str, str]
) -> Iterator[Block]:
    """Read a file of rows in blocks.

    Args:
        parser: A DuckDB in memory, in UTC.
        file: The file: JSON or parquet if its name ends so, else CSV.
        feed: What is wanted of it.
        mapping: Source columns by target.

    Yields:
        Blocks.

    Raises:
        UsageError: A column that is wanted is not there, or the file is not what its name says.
    """
    with open_file(file) as stream:
        if file.path.endswith(JSON_SUFFIXES):
            yield from json_blocks(parser, stream, feed, mapping)
        elif file.path.endswith(PARQUET_SUFFIXES):
            yield from parquet_blocks(stream, file.path, feed, mapping)
        else:
            for rows in read_rows(stream, file.path):
                found = find_columns(feed, rows.headers, mapping, file.path)
                yield Block(
                    rows=rows.table.append_column("source_line", rows.numbers),
                    values={target: _csv_value(*at) for target, at in found.items()},
                    payload=_csv_json(dict(enumerate(rows.headers))),
                    others=_csv_json(
                        {
                            index: name
                            for index, name in enumerate(rows.headers)
                            if index not in {at[0] for at in found.values()}
                        }
                    ),
                    originals=rows.originals,
                    refused=rows.refused,
                )


def _csv_value(index: int, path: str) -> str:
    column = f"c{index}"
    if not path:
        return trimmed(column)
    # a cell may hold JSON
    return trimmed(f"try(json_extract_string({column}, {json_path(path)}))")


def _csv_json(columns: Mapping[int, str]) -> str:
    pairs = ", ".join(f"{literal(name)}, c{index}" for index, name in columns.items())
    return f"json_object({pairs})::varchar"
