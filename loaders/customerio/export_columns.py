"""SQL that types the columns of a parquet file as they are declared, whatever types they have.

A number may come as an integer, a double or a text, an instant as a timestamp, a text or unix
time. What cannot be read as declared is null and kept, as it came, in `extra`; so is every column
that is not declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from loaders.customerio.export_tables import EXTRA, ExportTable

if TYPE_CHECKING:
    from warehouse.raw_tables import Column

ROW = "__row"
"""The column of row numbers that the caller adds."""

_MILLISECONDS_FROM = 10**11
_MICROSECONDS_FROM = 10**14
"""Unix time from here on is in a smaller unit: as seconds it would lie after the year 5000."""


def select_typed(table: ExportTable, schema: pa.Schema) -> str:
    """A select of the declared columns from `export_rows`, rows without a key left out.

    Args:
        table: What is declared.
        schema: What the file has.

    Returns:
        SQL with the parameters `workspace`, `schema_version`, `sequence` and `path`.
    """
    expressions = {
        column: _expression(schema, source, table.columns[column])
        for column, source in table.sources.items()
    }
    expressions["workspace_id"] = f"coalesce({expressions['workspace_id']}, $workspace)"
    expressions |= {
        EXTRA: _extra(table, schema),
        "schema_version": "cast($schema_version as bigint)",
        "file_sequence": "cast($sequence as bigint)",
        "source_file": "$path",
        "source_row": ROW,
    }
    listed = ", ".join(f"{expression} as {name}" for name, expression in expressions.items())
    return f"select {listed} from export_rows where not ({_lacks_key(table, schema)})"  # noqa: S608 - quoted names


def select_rejected(table: ExportTable, schema: pa.Schema) -> str:
    """A select of the rows without a key: reason, row number and the row as JSON."""
    cases = " ".join(
        f"when {_expression(schema, table.sources[key], table.columns[key])} is null "
        f"then '{table.sources[key]} is missing'"
        for key in table.key
    )
    fields = ", ".join(f"{_quote(name)} := {_quote(name)}" for name in schema.names)
    return (
        f"select case {cases} end as reason, {ROW} as source_row, "  # noqa: S608 - quoted names
        f"encode(cast(to_json(struct_pack({fields})) as varchar)) as original_bytes "
        f"from export_rows where {_lacks_key(table, schema)}"
    )


def _lacks_key(table: ExportTable, schema: pa.Schema) -> str:
    return " or ".join(
        f"{_expression(schema, table.sources[key], table.columns[key])} is null"
        for key in table.key
    )


def _expression(schema: pa.Schema, source: str, column: Column) -> str:
    if source not in schema.names:
        return f"cast(null as {_SQL[column['data_type']]})"
    kind, name = schema.field(source).type, _quote(source)
    match column["data_type"]:
        case "text":
            return _text(kind, name)
        case "timestamp":
            return _instant(kind, name)
        case "bool":
            return f"try_cast({name} as boolean)"
        case _:
            return f"try_cast({name} as bigint)"


_SQL = {"text": "varchar", "timestamp": "timestamp", "bool": "boolean", "bigint": "bigint"}


def _text(kind: pa.DataType, name: str) -> str:
    if pa.types.is_nested(kind):
        return f"cast(to_json({name}) as varchar)"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        # integers with nulls in them are often written as doubles: 7 must not become 7.0
        return (
            f"coalesce(cast(case when {name} = trunc({name}) then try_cast({name} as hugeint) end "
            f"as varchar), cast({name} as varchar))"
        )
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return f"nullif(try(decode({name})), '')"
    return f"nullif(cast({name} as varchar), '')"


def _instant(kind: pa.DataType, name: str) -> str:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        number = f"try_cast({name} as bigint)"
        micros = (
            f"case when abs({number}) < {_MILLISECONDS_FROM} then {number} * 1000000 "
            f"when abs({number}) < {_MICROSECONDS_FROM} then {number} * 1000 else {number} end"
        )
        return f"make_timestamp({micros})"
    # an instant with a zone is told in UTC, which the parser is set to
    zoned = f"try_cast({name} as timestamp with time zone)" if pa.types.is_string(kind) else name
    return f"try_cast({zoned} as timestamp)"


def _extra(table: ExportTable, schema: pa.Schema) -> str:
    """JSON of what is not declared, and of values that their declared type cannot hold."""
    columns = {source: table.columns[column] for column, source in table.sources.items()}
    kept = {}
    for field in schema:
        name = _quote(field.name)
        if field.name not in columns:
            kept[field.name] = name
        elif not _always_fits(field.type, columns[field.name]):
            typed = _expression(schema, field.name, columns[field.name])
            kept[field.name] = f"case when ({typed}) is null then {name} end"
    if not kept:
        return "cast(null as varchar)"
    fields = ", ".join(f"{_quote(name)} := {value}" for name, value in kept.items())
    # merging into an empty object drops what is null
    merged = f"cast(json_merge_patch('{{}}', to_json(struct_pack({fields}))) as varchar)"
    return f"nullif({merged}, '{{}}')"


def _always_fits(kind: pa.DataType, column: Column) -> bool:
    match column["data_type"]:
        case "text":
            return not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
        case "timestamp":
            return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))
        case "bool":
            return bool(pa.types.is_boolean(kind))
        case _:
            return bool(pa.types.is_integer(kind))


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
