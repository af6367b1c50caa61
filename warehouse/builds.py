"""The record of builds that dbt keeps in the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb


@dataclass(frozen=True)
class Build:
    """One row of `raw_dbt.builds`; instants are naive UTC."""

    build_id: str
    started_at: datetime
    finished_at: datetime | None
    as_of: datetime | None
    is_as_of_given: bool
    target: str
    schema_prefix: str
    command: str | None
    selection: str | None
    is_whole: bool
    is_passed: bool
    models: int | None
    failures: int | None


COLUMNS = tuple(field.name for field in fields(Build))


def newest_whole_build(connection: duckdb.DuckDBPyConnection) -> Build | None:
    """The build that readers see: the newest that took every model and passed.

    A build as of a given instant is a look back, and one for another target than prod a trial:
    neither takes the place of what is there for everybody, where there is that.

    Args:
        connection: A connection with the catalog `warehouse`, written to or published.

    Returns:
        The build, or nothing if no build was recorded, none was whole, or none passed.
    """
    found = connection.execute(
        "select 1 from duckdb_tables() where database_name = 'warehouse' "
        "and schema_name = 'raw_dbt' and table_name = 'builds'"
    ).fetchone()
    if found is None:
        return None
    row = connection.execute(
        f"select {', '.join(COLUMNS)} from warehouse.raw_dbt.builds "  # noqa: S608 - fixed names
        "where is_whole and is_passed "
        "order by is_as_of_given, target <> 'prod', started_at desc, build_id desc limit 1"
    ).fetchone()
    return None if row is None else Build(*row)
