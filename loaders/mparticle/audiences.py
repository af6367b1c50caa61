"""Audience memberships: a row is a person who entered or left an audience of mParticle.

A file is CSV with a header, or JSON lines with the same names as keys.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa

from loaders.bookkeeping import quarantine, quarantine_lines
from loaders.csv_rows import read_rows
from loaders.documents import read_documents
from loaders.feeds import Feed, Parsed
from loaders.locations import File, open_file
from loaders.mparticle.statements import declared_instant
from loaders.mparticle.tables import AUDIENCE_MEMBERSHIPS, DATASET, TABLES
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from loaders.lines import Refused

FEED = "mparticle_audiences"
_CSV = (".csv", ".csv.gz")
_JSON = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")

_TARGETS = (
    "mpid",
    "customer_id",
    "email",
    "audience_id",
    "audience_name",
    "change",
    "changed_at",
)
_SPELLINGS = {"customer_id": ("customer_id", "customerid")}
_PEOPLE = ("mpid", "customer_id", "email")
_REQUIRED = ("audience_id", "change", "changed_at")

_SQL = f"""
with typed as (
    select
        * exclude (change, changed_at),
        case
            when lower(change) in ('entered', 'enter', 'added', 'add') then 'entered'
            when lower(change) in ('left', 'leave', 'exited', 'removed', 'remove', 'deleted')
                then 'left'
        end as change,
        {declared_instant("changed_at")} as changed_at,
        change as written_change,
        changed_at as written_changed_at
    from membership_rows
)

select
    * exclude (written_change, written_changed_at, broken),
    case
        when broken is not null then broken
        when audience_id is null then 'audience_id is missing'
        when written_change is null then 'change is missing'
        when change is null then 'change is neither entered nor left'
        when written_changed_at is null then 'changed_at is missing'
        when changed_at is null
            then 'changed_at is not an instant in ISO 8601, unix seconds or milliseconds'
        when coalesce(mpid, customer_id, email) is null
            then 'mpid, customer_id, email are all missing'
    end as reason
from typed
"""  # noqa: S608 - built from this module's constants alone


def parse(
    parser: duckdb.DuckDBPyConnection, file: File, mapping: Mapping[str, str]
) -> Iterator[Parsed]:
    """Parse a file of memberships.

    Args:
        parser: A DuckDB in memory, in UTC.
        file: The file; JSON if its name ends so, else CSV.
        mapping: Source columns, or keys, by target.

    Yields:
        Memberships and quarantined rows, a batch for each block of the file.

    Raises:
        UsageError: A column that is wanted is not in a CSV file.
    """
    names = {target: mapping.get(target, target) for target in _TARGETS}
    if file.path.endswith(_JSON):
        yield from _parse_json(parser, file, names)
    else:
        yield from _parse_csv(parser, file, names)


def _parse_json(
    parser: duckdb.DuckDBPyConnection, file: File, names: Mapping[str, str]
) -> Iterator[Parsed]:
    keys = {key for target, name in names.items() for key in _spelled(target, name)}
    shape = _literal(json.dumps(dict.fromkeys(sorted(keys), "VARCHAR")))
    columns = ", ".join(
        f"coalesce({', '.join(_field(key) for key in _spelled(target, name))}) as {target}"
        for target, name in names.items()
    )
    with open_file(file) as stream:
        for lines in read_documents(stream):
            originals = pa.table({"source_line": lines.numbers, "value": lines.values})
            parser.register("originals", originals)
            sql = f"""
                with texts as (
                    select source_line, try(decode(value)) as payload from originals
                ),

                documents as (
                    select *, try(json_type(payload)) as kind from texts
                ),

                records as (
                    select
                        *,
                        case when kind = 'OBJECT' then from_json(payload, {shape}) end as record
                    from documents
                )

                select
                    source_line,
                    payload,
                    {columns},
                    case
                        when payload is null then 'not valid UTF-8'
                        when kind is null then 'not valid JSON'
                        when kind <> 'OBJECT' then 'not a JSON object'
                    end as broken
                from records
            """  # noqa: S608 - quoted names
            rows = parser.execute(sql).to_arrow_table()
            parser.unregister("originals")
            yield _typed(parser, rows, lines.values, lines.refused, file.path)


def _parse_csv(
    parser: duckdb.DuckDBPyConnection, file: File, names: Mapping[str, str]
) -> Iterator[Parsed]:
    with open_file(file) as stream:
        for rows in read_rows(stream, file.path):
            sources = _sources(names, rows.headers, file.path)
            columns = ", ".join(
                f"nullif(trim({sources[target]}), '') as {target}"
                if target in sources
                else f"cast(null as varchar) as {target}"
                for target in _TARGETS
            )
            pairs = ", ".join(f"{_literal(name)}, c{i}" for i, name in enumerate(rows.headers))
            parser.register("file_rows", rows.table.append_column("source_line", rows.numbers))
            table = parser.execute(
                f"select source_line, json_object({pairs})::varchar as payload, {columns}, "  # noqa: S608 - quoted names
                "cast(null as varchar) as broken from file_rows"
            ).to_arrow_table()
            parser.unregister("file_rows")
            yield _typed(parser, table, rows.originals, rows.refused, file.path)


def _typed(
    parser: duckdb.DuckDBPyConnection,
    rows: pa.Table,
    originals: pa.Array,
    refused: Sequence[Refused],
    path: str,
) -> Parsed:
    parser.register("membership_rows", rows)
    table = parser.execute(_SQL).to_arrow_table()
    parser.unregister("membership_rows")
    reasons = table.column("reason").combine_chunks()
    records = table.filter(reasons.is_null()).drop_columns(["reason"])
    records = records.append_column("source_file", pa.repeat(path, records.num_rows))
    # rows keep their order, so what is bad there is bad here
    is_bad = reasons.is_valid()
    bad = quarantine_lines(
        FEED,
        path,
        reasons.filter(is_bad),
        table.column("source_line").combine_chunks().filter(is_bad),
        originals.filter(is_bad),
    )
    return Parsed(records, pa.concat_tables([quarantine(FEED, path, refused), bad]))


def _sources(names: Mapping[str, str], headers: Sequence[str], path: str) -> dict[str, str]:
    """The engine's column (`c3`) of each target that the file has."""
    folded = {name.casefold(): f"c{index}" for index, name in reversed(list(enumerate(headers)))}
    sources = {
        target: folded[key.casefold()]
        for target, name in names.items()
        for key in _spelled(target, name)
        if key.casefold() in folded
    }
    missing = [names[target] for target in _REQUIRED if target not in sources]
    if missing or not any(person in sources for person in _PEOPLE):
        wanted = missing or [f"any of {', '.join(_PEOPLE)}"]
        message = (
            f"{path} lacks the column {wanted[0]}, which {FEED} needs; its columns are: "
            f'{", ".join(headers)}. Say which one it is: --column audience_id="its name"'
        )
        raise UsageError(message)
    return sources


def _spelled(target: str, name: str) -> tuple[str, ...]:
    return _SPELLINGS.get(target, (name,)) if name == target else (name,)


def _field(key: str) -> str:
    quoted = key.replace('"', '""')
    return f"nullif(trim(record.\"{quoted}\"), '')"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


MPARTICLE_AUDIENCES = Feed(
    name=FEED,
    dataset=DATASET,
    table=AUDIENCE_MEMBERSHIPS,
    tables=TABLES,
    key=("payload",),
    suffixes=(*_CSV, *_JSON),
    targets=_TARGETS,
    parse=parse,
)
