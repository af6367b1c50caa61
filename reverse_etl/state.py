"""What the receipts say a destination has: one query over them, and nothing else remembered.

Of many receipts most say what they said the last time, so what they came to is kept in a file
beside the sync's journals, with the run up to which it knows them; the newer ones are laid over it.
The file is only ever a shortcut: one that does not fit the receipts is made again.
"""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from reverse_etl.record import has_table
from reverse_etl.tables import DATASET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reverse_etl.contract import Mode
    from warehouse.home import Home

COMPACTED = "state.parquet"
NEWER, LINK = "newer.parquet", "compacted.parquet"
LEAST_ROWS = 10_000
"""Fewer receipts are read anew each time."""

_SHARE = 10
"""The file is made again when newer receipts are a tenth of it."""

_OF_SCOPE = """
    sync = $sync
    and json_extract_string(settings_fingerprint, '$.scope') = $scope
    and _dlt_load_id in (select load_id from {dataset}._dlt_loads where status = 0)
"""
# Run ids sort as runs started, and a run removes before it adds: `turn` puts receipts in order.
_ORDERED = """
    of_scope as (
        select run_id, sync, row_number() over (order by run_id) as number
        from {dataset}.runs
        where run_id > $through and {of_scope}
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
        where receipts.run_id > $through
            and receipts.outcome <> 'skipped'
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
        taken is not null as is_taken,
        coalesce(taken.operation <> 'remove', false) as is_held,
        coalesce(taken.fingerprint, '') as held_fingerprint,
        taken.finished_at as held_at
    from last
) to '{path}' (format parquet, compression lz4, kv_metadata {{{stamp}}})
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
        is_held as is_taken,
        is_held,
        '' as held_fingerprint,
        null::timestamp as held_at
    from joined
) to '{path}' (format parquet, compression lz4, kv_metadata {{{stamp}}})
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
        false as is_taken,
        false as is_held,
        ''::varchar as held_fingerprint,
        null::timestamp as held_at
    where false
) to '{path}' (format parquet)
"""

# A run of a sync begins when the one before it is landed, so what is newer stands over the file.
_LAID_OVER = """
(
    with compacted as (
        select * from read_parquet('{compacted}')
    ),

    newer as (
        select * from read_parquet('{newer}')
    )

    select * from compacted
    where not exists (
        select 1
        from newer
        where newer.record_key = compacted.record_key
            and newer.identifier = compacted.identifier
            and newer.label = compacted.label
    )
    union all
    select
        newer.* replace (
            newer.is_taken or coalesce(compacted.is_taken, false) as is_taken,
            if(newer.is_taken, newer.is_held, coalesce(compacted.is_held, false)) as is_held,
            if(newer.is_taken, newer.held_fingerprint, coalesce(compacted.held_fingerprint, ''))
                as held_fingerprint,
            if(newer.is_taken, newer.held_at, compacted.held_at) as held_at
        )
    from newer
    left join compacted
        on newer.record_key = compacted.record_key
        and newer.identifier = compacted.identifier
        and newer.label = compacted.label
)
"""
_LAST = """
select coalesce(max(run_id), '') from {dataset}.runs where {of_scope}
"""
_KNOWN = """
select concat_ws(
    ' ',
    $scope,
    $mode,
    count(*),
    bit_xor(hash(run_id || _dlt_load_id)),
    (select count(*) from {dataset}.receipts where sync = $sync and run_id <= $through)
)
from {dataset}.runs
where run_id <= $through and {of_scope}
"""


@dataclass(frozen=True)
class State:
    """What a destination has, by the receipts: a row a key, identifier and label.

    Attributes:
        newer: What the receipts say that the compacted file does not know.
        compacted: What the others say, if there are many.
    """

    newer: Path
    compacted: Path | None = None

    @property
    def relation(self) -> str:
        """It as SQL has it after `from`; `is_taken` says that it was accepted once."""
        if self.compacted is None:
            return f"read_parquet('{_literal(self.newer)}')"
        if pq.read_metadata(self.newer).num_rows == 0:
            return f"read_parquet('{_literal(self.compacted)}')"
        return _LAID_OVER.format(
            compacted=_literal(self.compacted), newer=_literal(self.newer)
        ).strip()


def write_state(  # noqa: PLR0913 - what a state is of
    warehouse: duckdb.DuckDBPyConnection,
    home: Home,
    folder: Path,
    *,
    sync: str,
    mode: Mode,
    scope: str,
) -> State:
    """Write what the destination has, by the receipts, as parquet files.

    Args:
        warehouse: The warehouse, open.
        home: The home, which keeps the compacted file.
        folder: Gets the files.
        sync: The sync's name.
        mode: In `append` a row a key, else a row a key, identifier and label.
        scope: Digest of the account and address: receipts of another are not looked at.
    """
    newer = folder / NEWER
    if not (has_table(warehouse, "receipts") and has_table(warehouse, "runs")):
        warehouse.execute(_EMPTY.format(path=_literal(newer)))
        return State(newer)
    given = {"sync": sync, "scope": scope}
    words = {"dataset": DATASET, "of_scope": _OF_SCOPE.format(dataset=DATASET)}

    def stamp(through: str) -> dict[str, str]:
        """What the receipts up to a run are told by, should others take their place."""
        known = _one(warehouse, _KNOWN, words, given | {"mode": mode, "through": through})
        return {"through": through, "known": known}

    kept = home.journals / sync / COMPACTED
    compacted, through = _find(kept, folder / LINK, stamp)
    now = stamp(_one(warehouse, _LAST, words, given))
    query = _APPENDED if mode == "append" else _PLACED
    warehouse.execute(
        query.format(ordered=_ORDERED.format(**words), path=_literal(newer), stamp=_pairs(now)),
        given | {"through": through},
    )
    state = State(newer, compacted)
    _compact(state, kept, now)
    return state


def _one(
    warehouse: duckdb.DuckDBPyConnection, query: str, words: dict[str, str], given: dict[str, str]
) -> str:
    row = warehouse.execute(query.format(**words), given).fetchone()
    assert row is not None  # noqa: S101 - an aggregate without groups has one row
    return str(row[0])


def _find(
    kept: Path, link: Path, stamp: Callable[[str], dict[str, str]]
) -> tuple[Path | None, str]:
    """The compacted file, and the last run that it knows; nothing if it does not fit."""
    try:
        # another plan may put a newer one in its place meanwhile
        _link(kept, link)
        found = pq.read_metadata(link).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return None, ""
    through = found.get(b"through", b"").decode()
    if through and stamp(through)["known"].encode() == found.get(b"known"):
        return link, through
    return None, ""


def _compact(state: State, kept: Path, stamp: dict[str, str]) -> None:
    """Keep the state for the next plan, where there is much that it need not read again."""
    rows = pq.read_metadata(state.newer).num_rows
    known = 0 if state.compacted is None else pq.read_metadata(state.compacted).num_rows
    if rows <= LEAST_ROWS + known // _SHARE:
        return
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = kept.with_name(f".{uuid.uuid4().hex}-{kept.name}")
    try:
        if state.compacted is None:
            _link(state.newer, fresh)
        else:
            with duckdb.connect() as connection:
                connection.execute("set TimeZone = 'UTC'")
                connection.execute(
                    f"copy (select * from {state.relation}) to '{_literal(fresh)}' "  # noqa: S608 - our own files
                    f"(format parquet, compression lz4, kv_metadata {{{_pairs(stamp)}}})"
                )
        fresh.replace(kept)
    finally:
        fresh.unlink(missing_ok=True)


def remove_state(folder: Path) -> None:
    """Remove what `write_state` wrote into a folder."""
    for name in (NEWER, LINK):
        (folder / name).unlink(missing_ok=True)


def forget_state(home: Home) -> None:
    """Remove every compacted file: what receipts no longer say it must not say either."""
    for kept in home.journals.glob(f"*/*{COMPACTED}"):
        kept.unlink(missing_ok=True)


def _link(path: Path, link: Path) -> None:
    """The same file under a second name; a copy where the disk knows no such thing."""
    try:
        os.link(path, link)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(path, link)


def _pairs(stamp: dict[str, str]) -> str:
    return ", ".join(f"{key}: '{value}'" for key, value in stamp.items())


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")
