"""Erasing one person from a DuckDB file: every row that is theirs, in every table there is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import duckdb

from warehouse.erased import LINKING, NAMING, link
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECEIPTS = ("raw_reverse_etl", "receipts")
TOMBSTONE = "erased:"
_KEPT = frozenset(["loaded_files", "feed_loads", "_dlt_loads", "_dlt_version", "builds", "runs"])
_SHORTEST = 10
_VALUES = "select value from erased where kind = '{}'"
_ROUNDS = 3


@dataclass(frozen=True)
class Person:
    """Whom to erase.

    Attributes:
        people: Their person ids.
        names: Identifiers that are theirs alone, trimmed, in small letters.
    """

    people: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Identifiers that can be nothing else, wherever they stand in a text."""
        long = [name for name in self.names if "@" in name or len(name) >= _SHORTEST]
        return tuple(dict.fromkeys([*long, *(quote(name) for name in long), *self.people]))


class Table(NamedTuple):
    """A table of the file and its columns: names, and whether they hold text or bytes."""

    schema: str
    name: str
    columns: dict[str, str]

    @property
    def quoted(self) -> str:
        """The table as SQL names it."""
        return f'"{self.schema}"."{self.name}"'


def erase_rows(
    connection: duckdb.DuckDBPyConnection, person: Person, *, has_receipts: bool
) -> dict[str, int]:
    """Delete a person's rows from every table of an open file; receipts become tombstones.

    What a row that names them leads to (the metrics of their deliveries, the lines of their orders)
    goes too. Receipts keep what was done, under a hash in place of the identifier.

    Args:
        connection: The file, open for writing.
        person: Whom.
        has_receipts: Receipts too; not before destinations removed what receipts alone know.

    Returns:
        Rows by table, where there were any.
    """
    tables = list(_tables(connection, has_receipts=has_receipts))
    _prepare(connection, person)
    linked = 1
    for _ in range(_ROUNDS):
        if not linked:
            break
        linked = sum(_follow(connection, table) for table in tables if _is_raw(table))
    found = {}
    for table in tables:
        count = _erase(connection, table)
        if count:
            found[f"{table.schema}.{table.name}"] = count
    return found


def found_links(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What `erase_rows` found to lead to rows that name nobody, as tombstones have it."""
    rows = connection.execute(
        "select kind, value from erased where list_contains($kinds, kind) order by all",
        {"kinds": list(LINKING)},
    ).fetchall()
    return [link(kind, value) for kind, value in rows]


def count_rows(connection: duckdb.DuckDBPyConnection, person: Person, *, has_receipts: bool) -> int:
    """How many rows name a person, over every table of an open file."""
    _prepare(connection, person)
    counts = [
        _count(connection, table, _condition(table))
        for table in _tables(connection, has_receipts=has_receipts)
        if _condition(table)
    ]
    return sum(counts)


def rewrite(connection: duckdb.DuckDBPyConnection, path: Path) -> Path:
    """Write a file anew beside its place, so that no page of it holds what was deleted.

    DuckDB marks rows as deleted and keeps the bytes. A reader that has the old file open keeps it
    until it closes it.

    Args:
        connection: The file, open, as the current database.
        path: Where the new one is to lie.

    Returns:
        The new file, under a temporary name: `replace` puts it in place once the old is closed.

    Raises:
        CioError: It could not be written; the old one stands.
    """
    fresh = path.with_name(f".rewritten-{path.name}")
    fresh.unlink(missing_ok=True)
    try:
        connection.execute(f"attach '{str(fresh).replace(chr(39), chr(39) * 2)}' as fresh")
        _copy(connection)
        connection.execute("detach fresh")
    except duckdb.Error as error:
        fresh.unlink(missing_ok=True)
        message = f"cannot write {path} anew: {error}. The rows are deleted; make room and rerun."
        raise CioError(message) from error
    fresh.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o600)
    return fresh


def _copy(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"copy from database {_current(connection)} to fresh")


def _current(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("select current_database()").fetchone()
    return f'"{row[0] if row else "warehouse"}"'


def _tables(connection: duckdb.DuckDBPyConnection, *, has_receipts: bool) -> Iterator[Table]:
    rows = connection.execute(
        "select schema_name, table_name, list(column_name), list(data_type) from duckdb_columns() "
        "join (select database_name, schema_name, table_name, estimated_size from duckdb_tables() "
        "where not temporary) using (database_name, schema_name, table_name) "
        "where database_name = current_database() and not internal and estimated_size > 0 "
        "group by schema_name, table_name order by schema_name, table_name"
    ).fetchall()
    for schema, name, columns, types in rows:
        if name not in _KEPT and (has_receipts or (schema, name) != RECEIPTS):
            yield Table(schema, name, dict(zip(columns, types, strict=True)))


def _is_raw(table: Table) -> bool:
    return table.schema.startswith("raw_")


def _prepare(connection: duckdb.DuckDBPyConnection, person: Person) -> None:
    connection.execute("create or replace temp table erased (kind varchar, value varchar)")
    rows = [("name", name) for name in person.names] + [("person", one) for one in person.people]
    if rows:
        connection.executemany("insert into erased values (?, ?)", rows)
    pattern = "|".join(
        rf"(^|[^a-z0-9._%+-]){re.escape(text.lower())}($|[^a-z0-9_.%-]|\.($|[^a-z0-9]))"
        for text in person.texts
    )
    connection.execute("set variable erased_pattern = $pattern", {"pattern": pattern or "a^"})


def _condition(table: Table) -> str:
    terms = []
    for column, kind in table.columns.items():
        quoted = f'"{column}"'
        if column in NAMING and kind == "VARCHAR":
            terms.append(f"lower(trim({quoted})) in ({_VALUES.format('name')})")
        if column.endswith("person_id"):
            terms.append(f"{quoted} in ({_VALUES.format('person')})")
        if column in LINKING and kind == "VARCHAR":
            terms.append(f"{quoted} in ({_VALUES.format(column)})")
    texts = [
        f'"{column}"' if kind == "VARCHAR" else f'"{column}"::varchar'
        for column, kind in table.columns.items()
        if kind in {"VARCHAR", "BLOB"} and not column.startswith("_dlt")
    ]
    if texts:
        whole = f"lower(concat_ws(chr(10), {', '.join(texts)}))"
        terms.append(f"regexp_matches({whole}, getvariable('erased_pattern'))")
    return " or ".join(terms)


def _follow(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    added = 0
    for column in LINKING:
        if table.columns.get(column) != "VARCHAR" or (table.schema, table.name) == RECEIPTS:
            continue
        before = _size(connection)
        connection.execute(
            f"insert into erased select distinct '{column}', \"{column}\" from {table.quoted} "  # noqa: S608 - quoted names of the catalog
            f'where "{column}" <> \'\' and ({_condition(table)}) and "{column}" not in '
            f"(select value from erased where kind = '{column}')"
        )
        added += _size(connection) - before
    return added


def _size(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("select count(*) from erased").fetchone()
    return int(row[0]) if row else 0


def _erase(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    condition = _condition(table)
    if not condition:
        return 0
    if (table.schema, table.name) != RECEIPTS:
        row = connection.execute(f"delete from {table.quoted} where {condition}").fetchone()  # noqa: S608 - quoted names of the catalog
        return int(row[0]) if row else 0
    row = connection.execute(
        f"update {table.quoted} set identifier = {tombstone('identifier')}, "  # noqa: S608 - quoted names of the catalog
        f"person_id = {tombstone('person_id')} where {condition}"
    ).fetchone()
    return int(row[0]) if row else 0


def tombstone(column: str) -> str:
    """A column as SQL, as it is kept of somebody erased: told from others, and leading nowhere."""
    return (
        f"case when {column} is null or starts_with({column}, '{TOMBSTONE}') then {column} "
        f"else '{TOMBSTONE}' || sha256({column}) end"
    )


def _count(connection: duckdb.DuckDBPyConnection, table: Table, condition: str) -> int:
    row = connection.execute(f"select count(*) from {table.quoted} where {condition}").fetchone()  # noqa: S608 - quoted names of the catalog
    return int(row[0]) if row else 0
