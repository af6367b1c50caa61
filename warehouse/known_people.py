"""Whom hashed identifiers belong to, by a published build.

The stop list holds hashes of what somebody was called by when they opted out, and a sync may call
them by something else. What ties the two is `marts.person_identifiers`. Its hashes are made once a
build, when they are first asked for (a million take a second and a half of a core), and lie beside
the published file until that is removed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from warehouse.publish import known_people_file, published_files

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from warehouse.home import Home

# sixty-four bits tell billions of identifiers apart; all of a hash would make the file twice as big
_WRITE = """
copy (
    select
        ('0x' || sha256(lower(trim(identifier)))[:16])::ubigint as hash,
        person_id
    from build.{schema}.person_identifiers
    where not is_shared
) to '{path}' (format parquet)
"""

_FIND = """
select distinct person_id
from read_parquet($path)
where hash in (select ('0x' || hash[:16])::ubigint from asked)
"""


def people_known_as(
    home: Home, published: Path, schema_prefix: str, hashes: Collection[str]
) -> set[str]:
    """The people whom a build knows under any of these identifiers.

    An identifier that several people share points at nobody: which of them it stands for is for the
    next build to say.

    Args:
        home: The home; should the published file be gone by now, a newer one answers.
        published: The published file of the build.
        schema_prefix: What the names of its schemas begin with.
        hashes: SHA-256 of identifiers, as `warehouse.stop_list.digest` makes them.

    Returns:
        Ids of people; none if the build has no table of identifiers.
    """
    if not hashes:
        return set()
    for file in dict.fromkeys([published, *published_files(home)]):
        known = known_people_file(file)
        if known.exists() or _is_written(file, f"{schema_prefix}marts", known):
            return _find(known, hashes)
    return set()


def _find(known: Path, hashes: Collection[str]) -> set[str]:
    with duckdb.connect() as connection:
        connection.register("asked", pa.table({"hash": pa.array(hashes, pa.string())}))
        rows = connection.execute(_FIND, {"path": str(known)}).fetchall()
    return {person_id for (person_id,) in rows}


def _is_written(published: Path, schema: str, known: Path) -> bool:
    """Write what a build knows; not if the build is gone, or has no table of identifiers."""
    temporary = known.with_name(f".{known.name}.{os.getpid()}")
    with duckdb.connect() as connection:
        try:
            connection.execute(f"attach '{_quoted(published)}' as build (read_only)")
            connection.execute(_WRITE.format(schema=schema, path=_quoted(temporary)))
        except (duckdb.IOException, duckdb.CatalogException):
            if published.exists() and _has_identifiers(connection):
                raise
            return False
    temporary.rename(known)
    return True


def _has_identifiers(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute(
        "select 1 from duckdb_tables() where table_name = 'person_identifiers'"
    ).fetchone()
    return found is not None


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
