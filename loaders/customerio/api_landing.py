"""From pages of answers to rows that are new: DuckDB takes them apart and compares them.

An object is appended when it is new or differs from the newest row landed of it, so a re-read of
thirty days of messages costs no rows but those of messages that something happened to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loaders.bookkeeping import QUARANTINE
from loaders.customerio.api_tables import (
    API_TABLES,
    SEGMENT_MEMBERSHIP,
    SEGMENT_OBSERVATIONS,
    ApiTable,
    Field,
)
from loaders.customerio.tables import DATASET

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    import pyarrow as pa

    from loaders.customerio.api_spool import Spool

_ROWS_A_BATCH = 50_000

_VERSION = "nullif(regexp_extract({value}, ':([^:]+)$', 1), '')"
_AS = {
    "text": "nullif({value}, '')",
    "instant": "make_timestamp(nullif(try_cast({value} as bigint), 0) * 1000000)",
    "count": "try_cast({value} as bigint)",
    "flag": "try_cast({value} as boolean)",
    # <id>:<instant of the last change>
    "version": _VERSION,
    "version_instant": f"make_timestamp(try_cast({_VERSION} as bigint) * 1000000)",
}


@dataclass
class TableCounts:
    """What a load read for a table, each object once, and what of it was new.

    Rows of people who were erased are left out, every time they are read.
    """

    read: int = 0
    landed: int = 0
    quarantined: int = 0
    erased: int = 0


def rows_to_land(
    warehouse: duckdb.DuckDBPyConnection, spool: Spool, counts: dict[str, TableCounts]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Rows of every table that has pages, with the tables they are for.

    Args:
        warehouse: The warehouse, its tables made, with only complete loads in it.
        spool: The pages, closed.
        counts: Filled with what was read and what is new, by table.
    """
    # temporary tables are a connection's own, and dlt's statements run beside these
    with warehouse.cursor() as reader:
        for table in API_TABLES:
            file = spool.file(table.name)
            if file is not None:
                yield from _objects(reader, table, str(file), counts)
        file = spool.file(SEGMENT_MEMBERSHIP)
        if file is not None:
            yield from _membership(reader, str(file), counts)


def _objects(
    reader: duckdb.DuckDBPyConnection,
    table: ApiTable,
    file: str,
    counts: dict[str, TableCounts],
) -> Iterator[tuple[str, pa.RecordBatch]]:
    reader.execute(_read_sql(table), {"file": file})
    count = counts.setdefault(table.name, TableCounts())
    identity = table.key[-1]
    for batch in _stream(reader, _quarantine_sql(table)):
        count.quarantined += batch.num_rows
        yield QUARANTINE, batch
    count.read = _number(
        reader,
        f"select count(*) from (select distinct {', '.join(table.key)} from temp.api_read "  # noqa: S608 - declared names
        f"where {identity} is not null)",
    )
    for batch in _stream(reader, _changed_sql(table)):
        count.landed += batch.num_rows
        yield table.name, batch
    reader.execute("drop table temp.api_read")


def _read_sql(table: ApiTable) -> str:
    paths = [path for field in table.fields for path in field.paths]
    listed = ", ".join(f"'$.{path}'" for path in paths)
    parents = "".join(f"{name}, " for name in table.parents)
    payload = "object"
    if table.hidden:
        names = ", ".join(f'"{name}": null' for name in table.hidden)
        payload = f"json_merge_patch(object, '{{{names}}}')"
    # a column that is null must not look like one that is empty
    compared = ", ".join(f"coalesce(cast({name} as varchar), chr(0))" for name in table.compared)
    return f"""
        create or replace temporary table api_read as
        with pages as (select * from read_parquet($file)),

        objects as (
            select
                {parents}observed_at,
                unnest(cast(json_extract(body, '$.{table.items}') as json[])) as object
            from pages
        ),

        found as (
            select *, json_extract_string(object, [{listed}]) as found
            from objects
            where json_type(object) = 'OBJECT'
        ),

        typed as (
            select
                {parents}{_typed(table.fields)},
                observed_at,
                cast({payload} as varchar) as payload
            from found
        )

        select *, md5(concat_ws(chr(31), {compared})) as fingerprint from typed
    """  # noqa: S608 - declared names and paths


def _typed(fields: tuple[Field, ...]) -> str:
    typed = []
    position = 0
    for field in fields:
        values = []
        for _ in field.paths:
            position += 1
            values.append(_AS[field.kind].format(value=f"found[{position}]"))
        typed.append(f"coalesce({', '.join(values)}) as {field.column}")
    return ", ".join(typed)


def _quarantine_sql(table: ApiTable) -> str:
    identity = table.key[-1]
    return f"""
        select
            '{table.name}' as feed,
            '{identity} is missing' as reason,
            encode(payload) as original_bytes
        from temp.api_read
        where {identity} is null
    """  # noqa: S608 - declared names


def _changed_sql(table: ApiTable) -> str:
    """Each object's newest state in this load, where the newest row landed of it differs.

    Keys and row numbers are compared first: payloads are large and would all be sorted.
    """
    key = ", ".join(table.key)
    same = " and ".join(f"newest.{name} is not distinct from landed.{name}" for name in table.key)
    columns = ", ".join(f"api_read.{name}" for name in table.columns)
    return f"""
        with newest as (
            select
                {key},
                max_by(rowid, (observed_at, rowid)) as row_number,
                max_by(fingerprint, (observed_at, rowid)) as fingerprint
            from temp.api_read
            where {table.key[-1]} is not null
            group by {key}
        ),

        landed as (
            select {key}, max_by(fingerprint, observed_at) as fingerprint
            from {DATASET}.{table.name}
            group by {key}
        ),

        changed as (
            select newest.row_number
            from newest
            anti join landed
                on {same} and newest.fingerprint = landed.fingerprint
        )

        select {columns}
        from temp.api_read
        inner join changed
            on api_read.rowid = changed.row_number
    """  # noqa: S608 - declared names


_MEMBERS = """
    create or replace temporary table api_members as
    with pages as (select * from read_parquet($file)),

    -- a workspace with one identifier may give ids alone
    members as (
        select
            segment_id,
            observed_at,
            unnest(
                case
                    when json_type(body, '$.identifiers') = 'ARRAY'
                    then from_json(
                        json_extract(body, '$.identifiers'),
                        '[{"cio_id": "VARCHAR", "id": "VARCHAR", "email": "VARCHAR"}]'
                    )
                    else list_transform(
                        from_json(coalesce(json_extract(body, '$.ids'), '[]'), '["VARCHAR"]'),
                        lambda id: {'cio_id': null, 'id': id, 'email': null}
                    )
                end
            ) as member
        from pages
    )

    -- a person may come on two pages when others join meanwhile
    select distinct
        segment_id,
        nullif(member.cio_id, '') as cio_id,
        nullif(member.id, '') as customer_id,
        nullif(member.email, '') as email,
        observed_at
    from members
    where coalesce(nullif(member.cio_id, ''), nullif(member.id, ''), nullif(member.email, ''))
        is not null
"""

_OBSERVATIONS = """
    with observed as (
        select distinct segment_id, observed_at from read_parquet($file)
    ),

    sizes as (
        select segment_id, observed_at, count(*) as members
        from temp.api_members
        group by segment_id, observed_at
    )

    select observed.segment_id, observed.observed_at, coalesce(sizes.members, 0) as members
    from observed
    left join sizes
        on
            observed.segment_id = sizes.segment_id
            and observed.observed_at = sizes.observed_at
"""


def _membership(
    reader: duckdb.DuckDBPyConnection, file: str, counts: dict[str, TableCounts]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Members of each segment as they were seen, and that it was seen, of an empty one too."""
    reader.execute(_MEMBERS, {"file": file})
    queries = (
        (SEGMENT_MEMBERSHIP, "select * from temp.api_members"),
        (SEGMENT_OBSERVATIONS, _OBSERVATIONS),
    )
    for table, sql in queries:
        count = counts.setdefault(table, TableCounts())
        for batch in _stream(reader, sql, **({"file": file} if "$file" in sql else {})):
            count.read += batch.num_rows
            count.landed += batch.num_rows
            yield table, batch
    reader.execute("drop table temp.api_members")


def _stream(
    reader: duckdb.DuckDBPyConnection, sql: str, **parameters: str
) -> Iterator[pa.RecordBatch]:
    yield from reader.execute(sql, parameters or None).to_arrow_reader(_ROWS_A_BATCH)


def _number(reader: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = reader.execute(sql).fetchone()
    return 0 if row is None else int(row[0])
