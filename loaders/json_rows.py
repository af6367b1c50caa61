"""Rows of a JSON file: an object a line, lists of objects, or one document of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from loaders.documents import read_documents
from loaders.row_blocks import Block, json_path, literal, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb

    from loaders.lines import Lines
    from loaders.row_blocks import Wanted

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")

# A line may be a list: each of its objects is a row, and its text what quarantine keeps.
_DOCUMENTS = """
with texts as (
    select source_line, value, try(decode(value)) as payload from originals
),

documents as (
    select source_line, value, payload, try(json_type(payload)) as kind from texts
)

select
    source_line,
    payload,
    value,
    case
        when payload is null then 'not valid UTF-8'
        when kind is null then 'not valid JSON'
        when kind not in ('OBJECT', 'ARRAY') then 'not a JSON object'
    end as broken,
    kind is not distinct from 'ARRAY' as is_list
from documents
"""
_ELEMENTS = """
with elements as (
    select source_line, unnest(from_json(payload, '["JSON"]'))::varchar as payload
    from documents
    where is_list
)

select
    source_line,
    payload,
    encode(payload) as value,
    case when json_type(payload) <> 'OBJECT' then 'not a JSON object' end as broken,
    false as is_list
from elements
"""


def json_blocks(
    parser: duckdb.DuckDBPyConnection,
    stream: BinaryIO,
    feed: Wanted,
    mapping: Mapping[str, str],
) -> Iterator[Block]:
    """Read a file of JSON, plain or gzip, in blocks.

    A source column is a key, or a dotted path: `customer.email`, `lines.0.sku`. A key that itself
    has a dot wins over the path. A number keeps the digits a double holds (fifteen); longer amounts
    are written as texts.

    Args:
        parser: A DuckDB in memory.
        stream: The file, open for reading bytes.
        feed: What is wanted.
        mapping: Source columns by target.

    Yields:
        Blocks. What is not JSON, or not an object, is broken, and the file goes on after it.
    """
    names = {target: mapping.get(target, target) for target in feed.names}
    paths = ", ".join(
        path for name in names.values() for path in (json_path_of_key(name), json_path(name))
    )
    values = {
        target: trimmed(f"coalesce(found[{2 * at + 1}], found[{2 * at + 2}])")
        for at, target in enumerate(names)
    }
    keys = {name if "." not in name else name.partition(".")[0] for name in names.values()}
    without = literal("{" + ", ".join(f"{_json_text(key)}: null" for key in sorted(keys)) + "}")
    others = f"json_merge_patch(payload, {without})::varchar"
    for lines in read_documents(stream):
        rows = _documents(parser, lines)
        yield Block(
            rows=rows,
            values=values,
            payload="payload",
            others=f"case when broken is null then {others} end",
            broken="broken",
            relation=f"""(
                select
                    *,
                    case
                        when broken is null then json_extract_string(payload, [{paths}])
                    end as found
                from file_rows
            )""",  # noqa: S608 - quoted paths
            originals=rows.column("value").combine_chunks(),
            refused=lines.refused,
        )


def _documents(parser: duckdb.DuckDBPyConnection, lines: Lines) -> pa.Table:
    originals = pa.table({"source_line": lines.numbers, "value": lines.values})
    parser.register("originals", originals)
    documents = parser.execute(_DOCUMENTS).to_arrow_table()
    parser.unregister("originals")
    if not pc.any(documents.column("is_list")).as_py():
        return documents
    parser.register("documents", documents)
    elements = parser.execute(_ELEMENTS).to_arrow_table()
    parser.unregister("documents")
    single = documents.filter(pc.invert(documents.column("is_list")))
    return pa.concat_tables([single, elements.cast(single.schema)])


def json_path_of_key(key: str) -> str:
    """The JSON path of a key, dots in it included, as a literal."""
    return literal('$."' + key.replace('"', '\\"') + '"')


def _json_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
