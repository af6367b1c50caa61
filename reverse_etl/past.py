"""What is known of the runs before: where they went, whether the canary passed, what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.journal import run_folders
from reverse_etl.lock import is_held
from reverse_etl.record import has_table
from reverse_etl.tables import DATASET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import duckdb

    from reverse_etl.settings import Sync
    from warehouse.home import Home

_RUNS = """
create or replace temp view landed_runs as
select
    run_id, sync, destination, use, started_at, planned, accepted, rejected, unknown,
    is_balanced, is_interrupted, settings_fingerprint,
    coalesce({is_canary}, false) as is_canary
from {dataset}.runs
where _dlt_load_id in (select load_id from {dataset}._dlt_loads where status = 0)
"""
_LAST = """
select settings_fingerprint
from landed_runs
where sync = $sync and accepted + unknown > 0
order by run_id desc
limit 1
"""
_STAGE = """
select
    coalesce(bool_or(accepted > 0 and (not is_canary or accepted = planned)), false),
    coalesce(bool_or(accepted > 0 and not is_canary), false)
from landed_runs
where sync = $sync and json_extract_string(settings_fingerprint, '$.scope') = $scope
"""
_SENT = """
select sync, sum(accepted + unknown)::bigint, max(run_id)
from landed_runs
where destination = $destination and started_at >= date_trunc('month', $now::timestamp)
group by sync
"""
_ACTIVATIONS = """
select
    destination,
    coalesce(bool_or(accepted > 0 and is_balanced and not is_interrupted), false),
    min(run_id) filter (where accepted + rejected + unknown > 0),
    coalesce(arg_max(planned, run_id) = 0, false)
from landed_runs
where use = 'activate' and destination is not null
group by destination
"""


@dataclass(frozen=True)
class Activation:
    """How far the activating syncs of a destination have come.

    Attributes:
        is_verified: A run of theirs was accepted, at least in part, and balanced.
        begun: The first run that sent anything, or nothing.
        is_idle: The newest run had nothing to send.
    """

    is_verified: bool
    begun: str | None
    is_idle: bool


@dataclass(frozen=True)
class Past:
    """What is known of a sync's runs before.

    Attributes:
        settings_fingerprint: Of the last run that sent something, or nothing.
        has_passed: The destination took something of this sync's at this place: all that a canary
            run planned, or anything of a run for everybody.
        has_carried_all: It took something of a run for everybody.
        sent_this_month: Rows that all syncs sent to the destination since the month began, in UTC.
        counted: The newest of those runs, by sync.
        activations: How far each destination's activating syncs have come, by destination.
    """

    settings_fingerprint: str | None
    has_passed: bool = False
    has_carried_all: bool = False
    sent_this_month: int = 0
    counted: Mapping[str, str] = field(default_factory=dict)
    activations: Mapping[str, Activation] = field(default_factory=dict)


def read_past(
    warehouse: duckdb.DuckDBPyConnection,
    *,
    sync: str,
    destination: str,
    scope: str,
    now: datetime,
) -> Past:
    """What the runs that were landed say.

    Args:
        warehouse: The warehouse, open.
        sync: The sync's name.
        destination: Where it sends.
        scope: Digest of the account and address, as in the runs' fingerprint of settings.
        now: The present, naive UTC.

    Returns:
        What is known of the runs before.
    """
    if not has_table(warehouse, "runs"):
        return Past(None)
    # runs landed by a version that knew no canaries
    is_canary = "is_canary" if _has_column(warehouse, "is_canary") else "false"
    warehouse.execute(_RUNS.format(dataset=DATASET, is_canary=is_canary))
    last = warehouse.execute(_LAST, {"sync": sync}).fetchone()
    stage = warehouse.execute(_STAGE, {"sync": sync, "scope": scope}).fetchone()
    sent = warehouse.execute(_SENT, {"destination": destination, "now": now}).fetchall()
    assert stage is not None  # noqa: S101 - an aggregate without groups has one row
    activations = {
        name: Activation(is_verified, begun, is_idle)
        for name, is_verified, begun, is_idle in warehouse.execute(_ACTIVATIONS).fetchall()
    }
    return Past(
        settings_fingerprint=None if last is None else last[0],
        has_passed=stage[0],
        has_carried_all=stage[1],
        sent_this_month=sum(rows or 0 for _, rows, _ in sent),
        counted={name: newest for name, _, newest in sent},
        activations=activations,
    )


def _has_column(warehouse: duckdb.DuckDBPyConnection, name: str) -> bool:
    row = warehouse.execute(
        "select count(*) from duckdb_columns() where database_name = current_database() "
        "and schema_name = $schema and table_name = 'runs' and column_name = $name",
        {"schema": DATASET, "name": name},
    ).fetchone()
    return row is not None and row[0] > 0


def rows_under_way(home: Home, sync: Sync, counted: Mapping[str, str]) -> int:
    """Rows of runs of other syncs to the same destination that were not counted as landed.

    Args:
        home: The home.
        sync: The sync that asks.
        counted: The newest run of each sync that was counted, as `Past` has it.

    Returns:
        Rows that they sent, or are about to.
    """
    newest = {folder.path.parent.name: folder for folder in run_folders(home)}
    rows = 0
    for name, folder in newest.items():
        if name == sync.name or folder.path.name <= counted.get(name, ""):
            continue
        record = folder.read_record()
        if record is None or record.destination != sync.destination:
            continue
        if record.finished_at is not None:
            rows += record.accepted + record.unknown
        elif is_held(home, name) and not record.stopped_guards:
            rows += record.planned
    return rows
