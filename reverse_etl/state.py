"""What the receipts say a destination has: one query over them, and nothing else remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.record import has_table
from reverse_etl.tables import DATASET

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from reverse_etl.contract import Mode

# Run ids sort as runs started, and a run removes before it adds: `turn` puts receipts in order.
_ORDERED = """
    of_scope as (
        select run_id, sync, row_number() over (order by run_id) as number
        from {dataset}.runs
        where sync = $sync
            and json_extract_string(settings_fingerprint, '$.scope') = $scope
            and _dlt_load_id in (select load_id from {dataset}._dlt_loads where status = 0)
    ),

    ordered as (
        select
            receipts.record_key,
            coalesce(receipts.identifier, '') as identifier,
            coalesce(receipts.label, '') as label,
            coalesce(receipts.fingerprint, '') as fingerprint,
            receipts.person_id,
            receipts.occurred_at,
            receipts.operation,
            receipts.outcome,
            receipts.finished_at,
            of_scope.number * 2 + (receipts.operation <> 'remove')::int as turn
        from {dataset}.receipts as receipts
        inner join of_scope on receipts.run_id = of_scope.run_id and receipts.sync = of_scope.sync
        where receipts.outcome <> 'skipped'
            and receipts._dlt_load_id in (
                select load_id from {dataset}._dlt_loads where status = 0
            )
    )
"""
# What was placed is told by its key, the identifier it was placed under, and its label: an
# identifier or label that changed leaves the old one to be removed. One million receipts: 6 s of
# one core that is busy with other things, a third of it writing the file.
_PLACED = """
copy (
    with {ordered},

    last as (
        select
            record_key,
            identifier,
            label,
            arg_max(
                struct_pack(operation, outcome, fingerprint, person_id, occurred_at), turn
            ) as newest,
            arg_max(struct_pack(operation, fingerprint, finished_at), turn)
                filter (where outcome = 'accepted') as taken
        from ordered
        group by record_key, identifier, label
    )

    select
        record_key,
        identifier,
        label,
        newest.person_id as person_id,
        newest.occurred_at as occurred_at,
        newest.operation as last_operation,
        newest.outcome as last_outcome,
        newest.fingerprint as last_fingerprint,
        identifier as last_identifier,
        coalesce(taken.operation <> 'remove', false) as is_held,
        coalesce(taken.fingerprint, '') as held_fingerprint,
        taken.finished_at as held_at
    from last
) to '{path}' (format parquet, compression lz4)
"""
# An event that was accepted once is done with, so the rest is told only for those that were not.
# One million receipts: 3 s of such a core.
_APPENDED = """
copy (
    with {ordered},

    taken as (
        select distinct record_key from ordered where outcome = 'accepted'
    ),

    open as (
        select
            record_key,
            arg_max(struct_pack(outcome, fingerprint, identifier), turn) as newest
        from ordered
        where outcome <> 'accepted' and record_key not in (select record_key from taken)
        group by record_key
    ),

    joined as (
        select record_key, true as is_held, null as newest from taken
        union all
        select record_key, false as is_held, newest from open
    )

    select
        record_key,
        '' as identifier,
        '' as label,
        null::varchar as person_id,
        null::timestamp as occurred_at,
        'append' as last_operation,
        coalesce(newest.outcome, 'accepted') as last_outcome,
        coalesce(newest.fingerprint, '') as last_fingerprint,
        coalesce(newest.identifier, '') as last_identifier,
        is_held,
        '' as held_fingerprint,
        null::timestamp as held_at
    from joined
) to '{path}' (format parquet, compression lz4)
"""
_EMPTY = """
copy (
    select
        ''::varchar as record_key,
        ''::varchar as identifier,
        ''::varchar as label,
        ''::varchar as person_id,
        null::timestamp as occurred_at,
        ''::varchar as last_operation,
        ''::varchar as last_outcome,
        ''::varchar as last_fingerprint,
        ''::varchar as last_identifier,
        false as is_held,
        ''::varchar as held_fingerprint,
        null::timestamp as held_at
    where false
) to '{path}' (format parquet)
"""


def write_state(
    warehouse: duckdb.DuckDBPyConnection, path: Path, *, sync: str, mode: Mode, scope: str
) -> None:
    """Write what the destination has, by the receipts, as a parquet file.

    Args:
        warehouse: The warehouse, open.
        path: The file to write.
        sync: The sync's name.
        mode: In `append` a row a key, else a row a key, identifier and label.
        scope: Digest of the account and address: receipts of another are not looked at.
    """
    literal = str(path).replace("'", "''")
    if not (has_table(warehouse, "receipts") and has_table(warehouse, "runs")):
        warehouse.execute(_EMPTY.format(path=literal))
        return
    query = _APPENDED if mode == "append" else _PLACED
    ordered = _ORDERED.format(dataset=DATASET)
    warehouse.execute(query.format(ordered=ordered, path=literal), {"sync": sync, "scope": scope})
