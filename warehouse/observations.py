"""Observations: what each published build saw of the audiences, landed once.

A build computes what changed against what was last observed, in SQL; that is landed as it is, in
one load with a row for each audience. A build whose observations were never landed leaves no gap:
the next one compares with what was, and sees the same people. Builds as of a given instant are a
look back and land nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from warehouse.definitions import built_definitions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from warehouse.builds import Build
    from warehouse.raw_tables import Column, Columns

DATASET = "raw_audiences"

_TEXT: Column = {"data_type": "text"}
_COUNT: Column = {"data_type": "bigint"}
_INSTANT: Column = {"data_type": "timestamp", "timezone": False}

OBSERVATIONS: Columns = {
    "audience": _TEXT,
    "version": _COUNT,
    "person_id": _TEXT,
    "change": _TEXT,
    "observed_at": _INSTANT,
    "build_id": _TEXT,
}
BUILDS: Columns = {
    "audience": _TEXT,
    "build_id": _TEXT,
    "observed_at": _INSTANT,
    "version": _COUNT,
    "checksum": _TEXT,
    "people": _COUNT,
    "entered_people": _COUNT,
    "left_people": _COUNT,
}
TABLES: dict[str, Columns] = {"observations": OBSERVATIONS, "builds": BUILDS}

_BATCH_ROWS = 100_000


def land_observations(connection: duckdb.DuckDBPyConnection, build: Build, manifest: Path) -> bool:
    """Land what a build saw of its audiences, unless that was landed before.

    Args:
        connection: The warehouse, open for writing.
        build: The build that is about to be published.
        manifest: dbt's manifest; where the build itself wrote it, it tells the checksum of each
            definition, which is null otherwise.

    Returns:
        Whether anything was landed.

    Raises:
        CioError: The load failed; nothing of it counts.
    """
    if build.is_as_of_given or not _is_seen(connection, build) or _is_landed(connection, build):
        return False
    # dlt takes a second to import, and most readers find nothing to land
    from warehouse.land import land  # noqa: PLC0415 - only where there is something to land

    land(
        connection,
        DATASET,
        _batches(connection, build, manifest),
        TABLES,
        purpose="land what a build saw of the audiences",
    )
    return True


def _is_seen(connection: duckdb.DuckDBPyConnection, build: Build) -> bool:
    """Whether the tables are this build's own: a part that was built since may have made others."""
    schema = f"{build.schema_prefix}operations"
    tables = connection.execute(
        "select count(*) from duckdb_columns() where database_name = 'warehouse' and "
        "schema_name = $schema and table_name in ('audience_sizes', 'audience_changes') "
        "and column_name = 'build_id'",
        {"schema": schema},
    ).fetchone()
    if tables != (2,):
        return False
    strangers = connection.execute(
        f"select count(*) from (select build_id from {schema}.audience_sizes "  # noqa: S608 - our own schema
        f"union all select build_id from {schema}.audience_changes) as seen "
        "where build_id <> $build_id",
        {"build_id": build.build_id},
    ).fetchone()
    return strangers == (0,)


def _is_landed(connection: duckdb.DuckDBPyConnection, build: Build) -> bool:
    row = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'warehouse' and "
        "schema_name = $dataset and table_name in ('builds', '_dlt_loads')",
        {"dataset": DATASET},
    ).fetchone()
    if row != (2,):
        return False
    landed = connection.execute(
        f"select count(*) from {DATASET}.builds as builds "  # noqa: S608 - fixed names
        f"inner join {DATASET}._dlt_loads as loads on builds._dlt_load_id = loads.load_id "
        "where loads.status = 0 and builds.build_id = $build_id",
        {"build_id": build.build_id},
    ).fetchone()
    return landed != (0,)


def _batches(
    connection: duckdb.DuckDBPyConnection, build: Build, manifest: Path
) -> Iterator[tuple[str, pa.Table | pa.RecordBatch]]:
    schema = f"{build.schema_prefix}operations"
    # a cursor of its own: the load uses the connection while the rows stream
    changes = connection.cursor().execute(
        f"select {', '.join(OBSERVATIONS)} from {schema}.audience_changes "  # noqa: S608 - fixed names
        "order by audience, person_id"
    )
    for batch in changes.to_arrow_reader(_BATCH_ROWS):
        yield "observations", batch
    yield "builds", _sizes(connection, schema, build, manifest)


def _sizes(
    connection: duckdb.DuckDBPyConnection, schema: str, build: Build, manifest: Path
) -> pa.Table:
    rows = (
        connection.cursor()
        .execute(
            "select audience, build_id, as_of as observed_at, version, people, entered_people, "  # noqa: S608 - our own schema
            f"left_people from {schema}.audience_sizes order by audience"
        )
        .to_arrow_table()
    )
    built = built_definitions(manifest, build.build_id)
    checksums = [
        built[name].checksum if name in built and built[name].version == version else None
        for name, version in zip(
            rows["audience"].to_pylist(), rows["version"].to_pylist(), strict=True
        )
    ]
    return rows.append_column("checksum", pa.array(checksums, pa.string()))
