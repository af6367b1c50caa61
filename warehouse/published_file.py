"""The file of a published build: written whole, or the one before it brought up to date.

Most of a warehouse is the same as an hour ago. Writing it again costs more than building what is
new, because storing text does; finding what differs takes a checksum of every row, a quarter of
that. So the earlier file is copied as it lies on the disk, and tables that are large lose the rows
that are gone and gain those that are new.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from warehouse.namespace import INTERMEDIATE, LAYERS, STAGING

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.builds import Build

COMPARED_ROWS = 50_000
"""A table of fewer is written whole: that takes no longer than to compare it."""

_MOST_FREE = 0.5
"""A file of which more is free space is not added to, but written whole."""

_RECORDS = ("raw_reverse_etl", "raw_dbt")


class Relation(NamedTuple):
    """A table or view of the warehouse; a view has the statement that makes it."""

    schema: str
    name: str
    view_sql: str | None

    @property
    def quoted(self) -> str:
        """Schema and name, for SQL."""
        return f"{_quote(self.schema)}.{_quote(self.name)}"


def copy_build(
    connection: duckdb.DuckDBPyConnection, build: Build, path: Path, *, earlier: Path | None
) -> None:
    """Write what a build made, and the records of syncs and builds, to a file.

    Args:
        connection: The warehouse, open as `warehouse`.
        build: The build.
        path: Where to; nothing is there.
        earlier: A file that was published before, to start from where that pays.

    Raises:
        duckdb.Error: It could not be written.
        OSError: The earlier file could not be copied.
    """
    between = f"{build.schema_prefix}{INTERMEDIATE}"
    relations = _wanted(connection, _relations(connection, build.schema_prefix), between)
    if earlier is not None and _is_worth_keeping(earlier):
        shutil.copyfile(earlier, path)
    connection.execute(f"attach {_literal(str(path))} as published")
    try:
        _drop_others(connection, {relation for relation in relations if not relation.view_sql})
        for schema in sorted({relation.schema for relation in relations}):
            connection.execute(f"create schema if not exists published.{_quote(schema)}")
        for relation in relations:
            if relation.view_sql is None:
                copy_rows(connection, relation)
        views = [relation for relation in relations if relation.view_sql is not None]
        connection.execute("detach published")
        left = _recreate_views(path, views)
        connection.execute(f"attach {_literal(str(path))} as published")
        for relation in left:
            # it reads what is not published: its rows are, where its layer is one people read
            if relation.schema != between:
                copy_rows(connection, relation)
    finally:
        connection.execute("detach database if exists published")


def _is_worth_keeping(earlier: Path) -> bool:
    """Whether it can be read, and is not mostly space that was given up."""
    try:
        with duckdb.connect(earlier, read_only=True) as connection:
            row = connection.execute(
                "select free_blocks, total_blocks from pragma_database_size()"
            ).fetchone()
    except duckdb.Error:
        return False
    return row is not None and row[0] <= _MOST_FREE * row[1]


def _drop_others(connection: duckdb.DuckDBPyConnection, wanted: set[Relation]) -> None:
    """Drop every view, and tables that are no longer there; views may read them."""
    kept = {(relation.schema, relation.name) for relation in wanted}
    for kind in ("view", "table"):
        for schema, name in connection.execute(
            f"select schema_name, {kind}_name from duckdb_{kind}s() "  # noqa: S608 - two words of ours
            "where database_name = 'published' and not internal"
        ).fetchall():
            if kind == "view" or (schema, name) not in kept:
                connection.execute(f"drop {kind} published.{_quote(schema)}.{_quote(name)}")
    used = {relation.schema for relation in wanted} | {"main"}
    for (schema,) in connection.execute(
        "select schema_name from duckdb_schemas() "
        "where database_name = 'published' and not internal"
    ).fetchall():
        if schema not in used:
            connection.execute(f"drop schema published.{_quote(schema)}")


def _relations(connection: duckdb.DuckDBPyConnection, prefix: str) -> list[Relation]:
    schemas = [f"{prefix}{layer}" for layer in LAYERS if layer != STAGING]
    rows = connection.execute(
        """
        select schema_name, table_name, null from duckdb_tables()
        where database_name = 'warehouse' and list_contains($schemas, schema_name)
        union all
        select schema_name, view_name, sql from duckdb_views()
        where database_name = 'warehouse' and list_contains($schemas, schema_name)
        order by 1, 2
        """,
        {"schemas": [*schemas, *_RECORDS]},
    ).fetchall()
    return [Relation(*row) for row in rows]


def _wanted(
    connection: duckdb.DuckDBPyConnection, relations: list[Relation], between: str
) -> list[Relation]:
    """What people read, and of the layer below only what their views read: it is the largest."""
    read = {
        name
        for relation in relations
        if relation.view_sql is not None and relation.schema != between
        for name in _tables_read(connection, relation.view_sql)
    }
    return [
        relation
        for relation in relations
        if relation.schema != between
        or relation.view_sql is not None
        or (relation.schema, relation.name) in read
    ]


def _tables_read(connection: duckdb.DuckDBPyConnection, view_sql: str) -> set[tuple[str, str]]:
    """Schema and name of the tables that a view reads, through whatever other views."""
    query = view_sql.partition(" AS ")[2]
    names = [name.split(".") for name in connection.get_table_names(query, qualified=True)]
    return {(name[-2].strip('"'), name[-1].strip('"')) for name in names if len(name) > 1}


def copy_rows(connection: duckdb.DuckDBPyConnection, relation: Relation) -> None:
    """Make the rows of a relation of the warehouse those of a table that is published.

    Args:
        connection: Both files, attached as `warehouse` and `published`.
        relation: What to copy; of a view the rows.
    """
    if relation.view_sql is not None or not _updated(connection, relation):
        connection.execute(
            f"create or replace table published.{relation.quoted} as "  # noqa: S608 - quoted names of the catalog
            f"select * from warehouse.{relation.quoted}"
        )


def _updated(connection: duckdb.DuckDBPyConnection, relation: Relation) -> bool:
    """Make a table that is there the same as the warehouse's, if that is less than writing it.

    Rows are the same if their checksums of 64 bits are. Where a checksum stands for several rows
    their sum over what is left tells, and the table is written whole.
    """
    if _columns(connection, "published", relation) != _columns(connection, "warehouse", relation):
        return False
    (rows,) = connection.execute(
        f"select count(*) from warehouse.{relation.quoted}"  # noqa: S608 - quoted names of the catalog
    ).fetchone() or (0,)
    if rows < COMPARED_ROWS:
        return False
    try:
        for database in ("warehouse", "published"):
            connection.execute(
                f"create temp table in_{database} as "  # noqa: S608 - quoted names of the catalog
                "select hash(the_row)::hugeint as checksum, the_row.rowid as row_id "
                f"from {database}.{relation.quoted} as the_row"
            )
        connection.execute(
            """
            create temp table new_rows as
                from in_warehouse where checksum not in (select checksum from in_published);
            create temp table gone_rows as
                from in_published where checksum not in (select checksum from in_warehouse);
            """
        )
        if not is_told_by_difference(connection, rows):
            return False
        connection.execute(
            f"delete from published.{relation.quoted} "  # noqa: S608 - quoted names of the catalog
            "where rowid in (select row_id from gone_rows)"
        )
        connection.execute(
            f"insert into published.{relation.quoted} "  # noqa: S608 - quoted names of the catalog
            f"from warehouse.{relation.quoted} where rowid in (select row_id from new_rows)"
        )
    finally:
        for name in ("in_warehouse", "in_published", "new_rows", "gone_rows"):
            connection.execute(f"drop table if exists temp.{name}")
    return True


def is_told_by_difference(connection: duckdb.DuckDBPyConnection, rows: int) -> bool:
    """Whether what differs is the smaller part, and gives exactly the rows that are wanted.

    Args:
        connection: It has the checksums of both sides and of what differs.
        rows: How many rows are wanted.
    """
    counts = {}
    sums = {}
    for name in ("in_warehouse", "in_published", "new_rows", "gone_rows"):
        counts[name], sums[name] = connection.execute(
            f"select count(*), coalesce(sum(checksum), 0) from {name}"  # noqa: S608 - names of ours
        ).fetchone() or (0, 0)
    return 2 * (counts["new_rows"] + counts["gone_rows"]) <= rows and all(
        of["in_published"] - of["gone_rows"] + of["new_rows"] == of["in_warehouse"]
        for of in (counts, sums)
    )


def _columns(
    connection: duckdb.DuckDBPyConnection, database: str, relation: Relation
) -> list[tuple[str, str]]:
    return connection.execute(
        "select column_name, data_type from duckdb_columns() where database_name = $database "
        "and schema_name = $schema and table_name = $name order by column_index",
        {"database": database, "schema": relation.schema, "name": relation.name},
    ).fetchall()


def _recreate_views(path: Path, views: list[Relation]) -> list[Relation]:
    """Create views under the name they will be read by; those that cannot be are returned."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {_literal(str(path))} as warehouse")
        connection.execute("use warehouse")
        left = views
        while left:
            failed = [view for view in left if not _created(connection, view)]
            if len(failed) == len(left):
                break
            left = failed
    return left


def _created(connection: duckdb.DuckDBPyConnection, view: Relation) -> bool:
    try:
        connection.execute(view.view_sql or "")
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.NotImplementedException):
        # the last: DuckDB writes a cross join before a left join so that it cannot read it back
        return False
    return True


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
