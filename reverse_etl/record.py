"""Landing journals: receipts and runs into `raw_reverse_etl`, each run once."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import duckdb
import orjson
import pyarrow as pa

from reverse_etl.journal import RunFolder, RunRecord, run_folders
from reverse_etl.lock import Patience, is_held, warehouse_in_turn
from reverse_etl.outcomes import Balance, resolve
from reverse_etl.tables import DATASET, TABLES
from warehouse.failures import recoverable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from warehouse.home import Home

_BATCH_ROWS = 100_000

# A row that was never attempted says nothing about the destination. In a run that attempted
# nothing at all (held back by a guard, credentials refused) such rows are counted in the run's
# row and not landed, or an hourly sync that is held back would land its whole audience each hour.
_RECEIPTS = """
select
    $sync as sync,
    $run_id as run_id,
    plan.record_key,
    plan.operation,
    plan.identifier,
    plan.label,
    plan.fingerprint,
    resolved.outcome,
    resolved.reason,
    resolved.attempts::bigint as attempts,
    resolved.sent_at::timestamp as sent_at,
    coalesce(resolved.finished_at, $finished_at)::timestamp as finished_at,
    plan.person_id,
    plan.occurred_at::timestamp as occurred_at
from plan
inner join resolved on plan.row = resolved.row
where resolved.is_named or $is_attempted
"""


def land_journals(
    home: Home, *, held: Collection[str] = (), patience: Patience | None = None
) -> list[str]:
    """Land every journal that is not in the warehouse yet, in one load.

    Journals of runs under way are left alone; those of runs that were killed are landed as such.

    Args:
        home: The home.
        held: Syncs that the caller holds itself.
        patience: How long to wait for another process that has the warehouse.

    Returns:
        The ids of the runs landed, oldest first.

    Raises:
        WarehouseBusy: Another process kept the warehouse.
        CioError: The load failed; nothing of it counts.
    """
    folders = run_folders(home)
    if not folders:
        return []
    with warehouse_in_turn(home, "land the receipts of syncs", patience) as warehouse:
        landed = land_into(warehouse, home, folders, held=held)
    forget_payloads(landed)
    return [folder.path.name for folder in landed]


def land_into(
    warehouse: duckdb.DuckDBPyConnection,
    home: Home,
    folders: Iterable[RunFolder],
    *,
    held: Collection[str] = (),
) -> list[RunFolder]:
    """Land journals as `land_journals` does, for a caller who has the turn and the warehouse open.

    Args:
        warehouse: The warehouse.
        home: The home.
        folders: The runs to land, listed before. Asked afterwards who runs, one that began since
            is not in the list.
        held: Syncs that the caller holds itself.

    Returns:
        The runs landed, in their order, whose payloads may be forgotten.
    """
    landed = _landed(warehouse)
    waiting = []
    for folder in folders:
        record = None if folder.path.name in landed else folder.read_record()
        if record is not None and (record.finished_at is not None or _is_done(home, record, held)):
            waiting.append((folder, record))
    if waiting:
        from warehouse.land import land  # noqa: PLC0415 - dlt takes over a second to import

        # as fast as with two on two cores, and for a tenth less of the processor
        warehouse.execute("set threads = 1")
        land(warehouse, DATASET, _batches(waiting), TABLES, purpose="land the receipts of syncs")
    return [folder for folder, _ in waiting]


def _is_done(home: Home, record: RunRecord, held: Collection[str]) -> bool:
    return record.sync in held or not is_held(home, record.sync)


def forget_payloads(folders: Iterable[RunFolder]) -> None:
    """Keep of plans what receipts are made of: a payload is of no use once its run is over."""
    for folder in folders:
        with recoverable("take payloads out of plans", "Their receipts are landed"):
            _forget_payloads(folder)


def _forget_payloads(folder: RunFolder) -> None:
    slim = folder.path / ".plan.parquet"
    with _connect() as connection:
        connection.execute(
            "copy (select * replace (null::varchar as payload) from read_parquet($plan)) "
            "to $slim (format parquet, compression zstd, compression_level 1, "
            "dictionary_size_limit 1000)",
            {"plan": str(folder.plan), "slim": str(slim)},
        )
    slim.replace(folder.plan)


def _connect() -> duckdb.DuckDBPyConnection:
    """A connection of one thread, as a plan's: what it does is mostly to read and write files."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _landed(warehouse: duckdb.DuckDBPyConnection) -> set[str]:
    if not has_table(warehouse, "runs"):
        return set()
    rows = warehouse.execute(
        f"select run_id from {DATASET}.runs where _dlt_load_id in "  # noqa: S608 - a fixed name
        f"(select load_id from {DATASET}._dlt_loads where status = 0)"
    ).fetchall()
    return {row[0] for row in rows}


def has_table(warehouse: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a raw table of ours exists, and the record of loads with it."""
    row = warehouse.execute(
        "select count(*) from duckdb_tables() where database_name = current_database() "
        "and schema_name = $schema and table_name in ($name, '_dlt_loads')",
        {"schema": DATASET, "name": name},
    ).fetchone()
    return row is not None and row[0] == len((name, "_dlt_loads"))


def _batches(
    waiting: Iterable[tuple[RunFolder, RunRecord]],
) -> Iterator[tuple[str, pa.Table | pa.RecordBatch]]:
    """Receipts before the run: a run that is there has all of its receipts."""
    for folder, record in waiting:
        with tempfile.TemporaryDirectory(dir=folder.path) as spill, _connect() as connection:
            connection.execute("set temp_directory = $path", {"path": spill})
            balance = resolve(connection, folder)
            finished_at = record.finished_at or balance.finished_at or record.started_at
            attempted = connection.execute(
                "select count(*) > 0 from lines where kind = 'intent'"
            ).fetchone()
            reader = connection.execute(
                _RECEIPTS,
                {
                    "sync": record.sync,
                    "run_id": record.run_id,
                    "finished_at": finished_at,
                    "is_attempted": attempted is not None and attempted[0],
                },
            ).to_arrow_reader(_BATCH_ROWS)
            for batch in reader:
                yield "receipts", batch
            is_interrupted = record.is_interrupted or record.finished_at is None
            if record.labels:
                yield "planned_labels", _label_rows(record)
            complete = replace(record, finished_at=finished_at, is_interrupted=is_interrupted)
            yield "runs", _run_row(complete, balance)


def _label_rows(record: RunRecord) -> pa.Table:
    of_run = {"run_id": record.run_id, "sync": record.sync}
    return pa.Table.from_pylist([of_run | asdict(each) for each in record.labels])


def _run_row(record: RunRecord, balance: Balance) -> pa.Table:
    row = {
        "run_id": record.run_id,
        "sync": record.sync,
        "destination": record.destination,
        "use": record.use,
        "mode": record.mode,
        "target": record.target,
        "build_id": record.build_id,
        "as_of": record.as_of,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "planned": balance.planned,
        "accepted": balance.accepted,
        "rejected": balance.rejected,
        "skipped": balance.skipped,
        "unknown": balance.unknown,
        "is_balanced": is_balanced(record, balance),
        "is_interrupted": record.is_interrupted,
        "forced_guards": ",".join(record.forced_guards) or None,
        "settings_fingerprint": record.settings_fingerprint,
        "left_out": orjson.dumps(record.left_out, option=orjson.OPT_SORT_KEYS).decode(),
        "is_canary": record.is_canary,
        "stopped_guards": ",".join(record.stopped_guards) or None,
    }
    return pa.Table.from_pylist([row])


def is_balanced(record: RunRecord, balance: Balance) -> bool:
    """Whether a run's rows add up: one that was not interrupted must have named them all."""
    return balance.is_balanced and (record.is_interrupted or balance.unnamed == 0)
