"""Raw tables as they are declared, and as DuckDB and Arrow see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypeAlias, TypedDict

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

LOAD_ID = "_dlt_load_id"
LOADS = "_dlt_loads"

DataType = Literal["text", "bigint", "double", "bool", "timestamp", "date", "decimal", "binary"]


class Column(TypedDict):
    """A column in dlt's terms; a timestamp says `timezone: False`, a decimal its size."""

    data_type: DataType
    timezone: NotRequired[bool]
    precision: NotRequired[int]
    scale: NotRequired[int]
    description: NotRequired[str]


Columns: TypeAlias = "Mapping[str, Column]"

_SQL = {
    "text": "varchar",
    "bigint": "bigint",
    "double": "double",
    "bool": "boolean",
    "timestamp": "timestamp",
    "date": "date",
    "binary": "blob",
}
_ARROW = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "binary": pa.binary(),
}


def sql_type(column: Column) -> str:
    """DuckDB's type of a column; instants are `timestamp`, naive UTC."""
    if column["data_type"] == "decimal":
        return f"decimal({column.get('precision', 18)}, {column.get('scale', 4)})"
    return _SQL[column["data_type"]]


def arrow_schema(columns: Columns) -> pa.Schema:
    """The Arrow schema of a declared table, its load id not included."""
    return pa.schema([pa.field(name, _arrow_type(column)) for name, column in columns.items()])


def _arrow_type(column: Column) -> pa.DataType:
    if column["data_type"] == "decimal":
        return pa.decimal128(column.get("precision", 18), column.get("scale", 4))
    return _ARROW[column["data_type"]]


def prepare(
    connection: duckdb.DuckDBPyConnection, dataset: str, tables: Mapping[str, Columns]
) -> None:
    """Make a dataset's tables as declared, and remove what unfinished loads left in them.

    dlt alone does not do: once it has stored a schema it takes the tables for granted, so a table
    that somebody dropped, or that was made before a column was declared, would fail the load.

    Args:
        connection: The warehouse, open for writing.
        dataset: The schema, `raw_commerce`.
        tables: The declared tables by name.
    """
    schema = _quote(dataset)
    connection.execute(f"create schema if not exists {schema}")
    connection.execute(
        f"create table if not exists {schema}.{LOADS} (load_id varchar, schema_name varchar, "
        "status bigint, inserted_at timestamp with time zone, schema_version_hash varchar)"
    )
    for name, columns in tables.items():
        table = f"{schema}.{_quote(name)}"
        types = {column: sql_type(spec) for column, spec in columns.items()} | {LOAD_ID: "varchar"}
        body = ", ".join(f"{_quote(column)} {kind}" for column, kind in types.items())
        connection.execute(f"create table if not exists {table} ({body})")
        for column, kind in types.items():
            connection.execute(
                f"alter table {table} add column if not exists {_quote(column)} {kind}"
            )
        connection.execute(
            f"delete from {table} where {LOAD_ID} not in "  # noqa: S608 - quoted, declared names
            f"(select load_id from {schema}.{LOADS} where status = 0)"
        )


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
