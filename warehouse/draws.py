"""Draws: whom the warehouse itself put into which arm, landed once and from then on standing.

An arm is drawn by who somebody was first, and history that is loaded later can tell of somebody
earlier. What a person was sent rests on the arm that was drawn, so the first published build that
draws somebody lands it, and every later build reads that. Builds as of a given instant are a look
back and land nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    import pyarrow as pa

    from warehouse.builds import Build
    from warehouse.raw_tables import Column, Columns

DATASET = "raw_draws"

_TEXT: Column = {"data_type": "text"}
_INSTANT: Column = {"data_type": "timestamp", "timezone": False}

ASSIGNMENTS: Columns = {
    "experiment_id": _TEXT,
    "person_id": _TEXT,
    "first_person_id": _TEXT,
    "arm": _TEXT,
    "known_at": _INSTANT,
    "drawn_at": _INSTANT,
    "build_id": _TEXT,
}
TABLES: dict[str, Columns] = {"assignments": ASSIGNMENTS}

_BATCH_ROWS = 100_000
_LANDED = (
    f"select landed.* from {DATASET}.assignments as landed "  # noqa: S608 - fixed names
    f"inner join {DATASET}._dlt_loads as loads on landed._dlt_load_id = loads.load_id "
    "where loads.status = 0"
)


def land_draws(connection: duckdb.DuckDBPyConnection, build: Build) -> bool:
    """Land whom a build drew into an arm, but for draws that were landed before.

    Whichever build drew: what is published is what stands in the schema, and a part of the project
    that was built since may have drawn more.

    Args:
        connection: The warehouse, open for writing.
        build: The build that is about to be published.

    Returns:
        Whether anything was landed.

    Raises:
        CioError: The load failed; nothing of it counts.
    """
    draws = f"{build.schema_prefix}operations.assignment_draws"
    if build.is_as_of_given or not _is_there(connection, draws):
        return False
    rows = f"select {', '.join(ASSIGNMENTS)} from {draws} as drawn"  # noqa: S608 - fixed names
    if _is_there(connection, f"{DATASET}.assignments"):
        rows += f" anti join ({_LANDED}) as stands using (experiment_id, first_person_id, arm)"
    drew = connection.execute(f"select count(*) from ({rows})").fetchone()  # noqa: S608 - as above
    if drew == (0,):
        return False
    # dlt takes a second to import, and most builds draw nobody
    from warehouse.land import land  # noqa: PLC0415 - only where there is something to land

    land(
        connection,
        DATASET,
        _batches(connection, rows),
        TABLES,
        purpose="land whom a build drew into which arm",
    )
    return True


def _is_there(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    schema, _, name = table.partition(".")
    found = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'warehouse' "
        "and schema_name = $schema and table_name = $name",
        {"schema": schema, "name": name},
    ).fetchone()
    return found == (1,)


def _batches(
    connection: duckdb.DuckDBPyConnection, rows: str
) -> Iterator[tuple[str, pa.RecordBatch]]:
    # a cursor of its own: the load uses the connection while the rows stream
    reader = (
        connection.cursor()
        .execute(f"{rows} order by experiment_id, first_person_id")
        .to_arrow_reader(_BATCH_ROWS)
    )
    for batch in reader:
        yield "assignments", batch
