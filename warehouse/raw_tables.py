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
    missing = _missing(connection, dataset, tables)
    if missing:
        # as one transaction: written through once, where each statement would be
        connection.execute("begin")
        try:
            for statement in missing:
                connection.execute(statement)
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")
    schema = _quote(dataset)
    for (name,) in connection.execute(_FILLED, {"schema": dataset}).fetchall():
        if name in tables:
            connection.execute(
                f"delete from {schema}.{_quote(name)} where {LOAD_ID} not in "  # noqa: S608 - quoted, declared names
                f"(select load_id from {schema}.{LOADS} where status = 0)"
            )


_FOUND = """
select table_name, column_name from duckdb_columns()
where database_name = current_database() and schema_name = $schema
"""
_FILLED = """
select table_name from duckdb_tables()
where database_name = current_database() and schema_name = $schema and estimated_size > 0
"""
_LOADS_COLUMNS = (
    "load_id varchar, schema_name varchar, status bigint, "
    "inserted_at timestamp with time zone, schema_version_hash varchar"
)


def _missing(
    connection: duckdb.DuckDBPyConnection, dataset: str, tables: Mapping[str, Columns]
) -> list[str]:
    """What makes the tables as declared; nothing where they are. A load asks twice."""
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(_FOUND, {"schema": dataset}).fetchall():
        found.setdefault(table.lower(), set()).add(column.lower())
    schema = _quote(dataset)
    statements = []
    if LOADS not in found:
        statements += [
            f"create schema if not exists {schema}",
            f"create table {schema}.{LOADS} ({_LOADS_COLUMNS})",
        ]
    for name, columns in tables.items():
        table = f"{schema}.{_quote(name)}"
        types = {column: sql_type(spec) for column, spec in columns.items()} | {LOAD_ID: "varchar"}
        typed = {column: f"{_quote(column)} {kind}" for column, kind in types.items()}
        there = found.get(name.lower())
        if there is None:
            statements.append(f"create table {table} ({', '.join(typed.values())})")
            continue
        statements += [
            f"alter table {table} add column {column}"
            for known, column in typed.items()
            if known.lower() not in there
        ]
    return statements


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
