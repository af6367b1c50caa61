"""Publishing: a read-only copy of a whole build that passed, without raw payloads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from warehouse.builds import Build, newest_whole_build
from warehouse.errors import CioError
from warehouse.failures import is_disk_full
from warehouse.namespace import INTERMEDIATE, LAYERS, STAGING
from warehouse.observations import land_observations
from warehouse.opening import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from warehouse.home import Home

KEPT_FILES = 2
"""The newest, and one before it for a reader that is opening it just now."""

_RECORDS = ("raw_reverse_etl", "raw_dbt")
_TEMPORARY = ".tmp-"


class _Relation(NamedTuple):
    schema: str
    name: str
    view_sql: str | None

    @property
    def quoted(self) -> str:
        return f"{_quote(self.schema)}.{_quote(self.name)}"


def publish(
    home: Home, *, wait_seconds: float = 600, on_wait: Callable[[str], None] | None = None
) -> Path | None:
    """Copy the newest whole build that passed to `published/`, unless it is there already.

    What is copied: the build's schemas except staging, of the intermediate one what views of the
    others read, and the records of syncs and builds.
    Raw tables are not, so that no payload leaves the warehouse. What the build saw of the
    audiences is landed before, so that the next build knows who entered and left since.

    Args:
        home: The home to publish in.
        wait_seconds: How long to wait for the warehouse.
        on_wait: Told once who is being waited for.

    Returns:
        The new file, or nothing if there is no such build or it was published before.

    Raises:
        WarehouseBusy: Another process kept the warehouse.
        CioError: The copy could not be written.
    """
    if not home.warehouse.exists():
        return None
    with open_warehouse(
        home, purpose="publish the build", wait_seconds=wait_seconds, on_wait=on_wait
    ) as connection:
        build = newest_whole_build(connection)
        if build is None:
            return None
        target = home.published / file_name(build)
        if target.exists():
            return None
        # first, and once: what is published shows what it saw, and a killed publisher is done again
        land_observations(connection, build, home.target / "manifest.json")
        home.published.mkdir(mode=0o700, parents=True, exist_ok=True)
        # only who holds the warehouse publishes, so what others left unfinished is dead
        _remove(home.published.glob(f"{_TEMPORARY}*"))
        temporary = home.published / f"{_TEMPORARY}{target.name}"
        try:
            _copy(connection, build, temporary)
        except duckdb.Error as error:
            _remove(home.published.glob(f"{_TEMPORARY}*"))
            reason = (
                "the disk is full. The last published build stands; make room and run `cio build`"
                if is_disk_full(error)
                else error
            )
            message = f"cannot publish the build {build.build_id} to {home.published}: {reason}"
            raise CioError(message) from error
        temporary.rename(target)
    old = published_files(home)[KEPT_FILES:]
    _remove([*old, *map(known_people_file, old)])
    return target


def file_name(build: Build) -> str:
    """The name of a build's published file; names sort as builds started."""
    identifier = re.sub(r"[^A-Za-z0-9_-]", "_", build.build_id)
    return f"{build.started_at:%Y%m%dT%H%M%S}-{identifier}.duckdb"


def known_people_file(published: Path) -> Path:
    """Where hashes of the identifiers in a published build lie, if somebody asked for them."""
    return published.with_suffix(".people.parquet")


def published_files(home: Home) -> list[Path]:
    """The published files, newest first."""
    files = home.published.glob("[0-9]*.duckdb")
    return sorted(files, key=lambda path: path.name, reverse=True)


def _copy(connection: duckdb.DuckDBPyConnection, build: Build, path: Path) -> None:
    between = f"{build.schema_prefix}{INTERMEDIATE}"
    relations = _wanted(connection, _relations(connection, build.schema_prefix), between)
    connection.execute(f"attach {_literal(str(path))} as published")
    try:
        for schema in sorted({relation.schema for relation in relations}):
            connection.execute(f"create schema if not exists published.{_quote(schema)}")
        for relation in relations:
            if relation.view_sql is None:
                _copy_rows(connection, relation)
        views = [relation for relation in relations if relation.view_sql is not None]
        connection.execute("detach published")
        left = _recreate_views(path, views)
        connection.execute(f"attach {_literal(str(path))} as published")
        for relation in left:
            # it reads what is not published: its rows are, where its layer is one people read
            if relation.schema != between:
                _copy_rows(connection, relation)
    finally:
        connection.execute("detach database if exists published")


def _relations(connection: duckdb.DuckDBPyConnection, prefix: str) -> list[_Relation]:
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
    return [_Relation(*row) for row in rows]


def _wanted(
    connection: duckdb.DuckDBPyConnection, relations: list[_Relation], between: str
) -> list[_Relation]:
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


def _copy_rows(connection: duckdb.DuckDBPyConnection, relation: _Relation) -> None:
    connection.execute(
        f"create table published.{relation.quoted} as "  # noqa: S608 - quoted names of the catalog
        f"select * from warehouse.{relation.quoted}"
    )


def _recreate_views(path: Path, views: list[_Relation]) -> list[_Relation]:
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


def _created(connection: duckdb.DuckDBPyConnection, view: _Relation) -> bool:
    try:
        connection.execute(view.view_sql or "")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return True


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        path.unlink(missing_ok=True)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
