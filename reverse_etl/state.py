"""What the receipts say a destination has: one query over them, and nothing else remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.record import has_table
from reverse_etl.tables import DATASET

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from reverse_etl.contract import Mode

# What was placed is told by its key, the identifier it was placed under, and its label: an
# identifier or label that changed leaves the old one to be removed. Run ids sort as runs started,
# and a run removes before it adds. One million receipts: 0.4 s on two cores.
_STATE = """
copy (
    with of_runs as (
        select receipts.*
        from {dataset}.receipts as receipts
        inner join {dataset}.runs as runs
            on receipts.run_id = runs.run_id and receipts.sync = runs.sync
        where receipts.sync = $sync
            and receipts.outcome <> 'skipped'
            and json_extract_string(runs.settings_fingerprint, '$.scope') = $scope
            and receipts._dlt_load_id in (
                select load_id from {dataset}._dlt_loads where status = 0
            )
            and runs._dlt_load_id in (select load_id from {dataset}._dlt_loads where status = 0)
    ),

    ordered as (
        select
            *,
            run_id || case when operation = 'remove' then '0' else '1' end as turn
        from of_runs
    )

    select
        record_key,
        {grain},
        arg_max(person_id, turn) as person_id,
        arg_max(occurred_at, turn) as occurred_at,
        arg_max(operation, turn) as last_operation,
        arg_max(outcome, turn) as last_outcome,
        arg_max(coalesce(fingerprint, ''), turn) as last_fingerprint,
        arg_max(coalesce(identifier, ''), turn) as last_identifier,
        coalesce(
            arg_max(operation, turn) filter (where outcome = 'accepted') <> 'remove', false
        ) as is_held,
        coalesce(
            arg_max(coalesce(fingerprint, ''), turn) filter (where outcome = 'accepted'), ''
        ) as held_fingerprint
    from ordered
    group by {groups}
) to '{path}' (format parquet)
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
        ''::varchar as held_fingerprint
    where false
) to '{path}' (format parquet)
"""
_LAST = """
select settings_fingerprint
from raw_reverse_etl.runs
where sync = $sync
    and accepted + unknown > 0
    and _dlt_load_id in (select load_id from raw_reverse_etl._dlt_loads where status = 0)
order by run_id desc
limit 1
"""


@dataclass(frozen=True)
class Past:
    """What is known of a sync's runs before.

    Attributes:
        settings_fingerprint: Of the last run that sent something, or nothing.
    """

    settings_fingerprint: str | None


def read_past(warehouse: duckdb.DuckDBPyConnection, sync: str) -> Past:
    """What the last run of a sync that sent something ran with."""
    if not has_table(warehouse, "runs"):
        return Past(None)
    row = warehouse.execute(_LAST, {"sync": sync}).fetchone()
    return Past(None if row is None else row[0])


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
    grain = "coalesce(identifier, '') as identifier, coalesce(label, '') as label"
    groups = "record_key, coalesce(identifier, ''), coalesce(label, '')"
    if mode == "append":
        grain = "arg_max(coalesce(identifier, ''), turn) as identifier, '' as label"
        groups = "record_key"
    warehouse.execute(
        _STATE.format(dataset=DATASET, grain=grain, groups=groups, path=literal),
        {"sync": sync, "scope": scope},
    )
