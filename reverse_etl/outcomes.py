"""Reading a journal: exactly one outcome for every planned row, in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from reverse_etl.journal import RunFolder

INTERRUPTED = "interrupted"

# a row that was accepted once is there, whatever a later attempt met; a refusal is the vendor's
# word on the row itself, so it stands over an earlier attempt that nobody heard of
_LINES = """
create temp table lines as
select *
from read_json(
    $path,
    format = 'newline_delimited',
    columns = {
        kind: 'varchar', attempt: 'bigint', outcome: 'varchar', reason: 'varchar',
        rows: 'bigint[][]',
        exceptions: 'struct("row" bigint, outcome varchar, reason varchar)[]',
        written_at: 'timestamp'
    },
    maximum_object_size = 268435456
)
"""
# A journal tells of rows in ranges, and hardly ever of one row alone, so it is read in stretches:
# rows next to each other of which every line says the same. A million in batches of 2,000 are 500.
_STRETCHES = """
create temp table stretches as
with spans as (
    select kind, attempt, outcome, reason, written_at, unnest(rows) as span
    from lines
    where kind in ('intent', 'outcome')
),

exceptional as (
    select unnest(exceptions, recursive := true), written_at from lines where kind = 'outcome'
),

told as (
    select kind, attempt, outcome, reason, written_at, span[1] as first, span[2] as last from spans
    union all
    select 'outcome', null, outcome, reason, written_at, row, row from exceptional
),

named as (
    select kind, outcome, reason, written_at, first, last from told
    union all
    -- an attempt that nobody heard of
    select 'outcome', 'unknown', $unheard, written_at, first, last
    from told
    where kind = 'intent'
        and attempt not in (
            select attempt from lines where kind = 'outcome' and attempt is not null
        )
),

edges as (
    select first as edge from named
    union
    select last + 1 from named
    union
    select unnest([0, $planned])
),

numbered as (
    select
        edge as first,
        lead(edge) over (order by edge) - 1 as last,
        row_number() over (order by edge) as number
    from edges
),

parts as (
    select
        named.kind,
        named.outcome,
        named.reason,
        named.written_at,
        case named.outcome
            when 'accepted' then 0 when 'rejected' then 1 when 'unknown' then 2 else 3
        end as rank,
        unnest(generate_series(opening.number, closing.number - 1)) as number
    from named
    inner join numbered as opening on named.first = opening.first
    inner join numbered as closing on named.last + 1 = closing.first
),

heard as (
    select
        number,
        -- as one value: alone, a reason that is null would be passed over
        arg_min(struct_pack(outcome, reason), rank) filter (where kind = 'outcome') as best,
        max(written_at) filter (where kind = 'outcome') as finished_at,
        bool_or(outcome = 'accepted') and bool_or(outcome = 'rejected') as is_contradicted,
        count(*) filter (where kind = 'intent') as attempts,
        max(written_at) filter (where kind = 'intent') as sent_at
    from parts
    group by number
),

remainder as (
    select coalesce(max(reason), $interrupted) as reason, max(written_at) as written_at
    from lines
    where kind = 'rest'
)

select
    numbered.number,
    numbered.first,
    numbered.last,
    coalesce(heard.best.outcome, 'skipped') as outcome,
    case when heard.best is null then remainder.reason else heard.best.reason end as reason,
    coalesce(heard.attempts, 0) as attempts,
    heard.sent_at,
    coalesce(heard.finished_at, remainder.written_at) as finished_at,
    heard.best is not null as is_named,
    coalesce(heard.is_contradicted, false) as is_contradicted
from numbered
left join heard on numbered.number = heard.number
cross join remainder
where numbered.last is not null
"""
_RESOLVED = """
create temp view resolved as
with rows as (
    select number, unnest(generate_series(first, last)) as row
    from stretches
    where first < (select count(*) from plan)
)

select
    rows.row,
    stretches.outcome,
    stretches.reason,
    stretches.attempts,
    stretches.sent_at,
    stretches.finished_at,
    stretches.is_named
from rows
inner join stretches on rows.number = stretches.number
"""


@dataclass(frozen=True)
class Balance:
    """What became of a run's rows: every planned row has one outcome, or the run is at fault.

    Attributes:
        planned: Rows in the plan.
        accepted: Rows the destination took.
        rejected: Rows refused, by the destination or by its rules applied here.
        skipped: Rows that did not reach it.
        unknown: Rows that it may have taken.
        unnamed: Rows that no line of the journal names, and no line says why.
        strangers: Rows of the journal that are not in the plan.
        contradicted: Rows both accepted and refused.
        finished_at: When the last line was written.
    """

    planned: int
    accepted: int
    rejected: int
    skipped: int
    unknown: int
    unnamed: int
    strangers: int
    contradicted: int
    finished_at: datetime | None

    @property
    def is_balanced(self) -> bool:
        """Whether the outcomes add up to the plan, row by row."""
        total = self.accepted + self.rejected + self.skipped + self.unknown
        return total == self.planned and not (self.strangers or self.contradicted)


def resolve(connection: duckdb.DuckDBPyConnection, folder: RunFolder) -> Balance:
    """Give every planned row of a run its outcome, in the temporary table `resolved`.

    Args:
        connection: Any connection; its temporary tables of before are replaced.
        folder: The run.

    Returns:
        How the run balances.
    """
    connection.execute("drop view if exists temp.resolved")
    connection.execute("drop view if exists temp.plan")
    for table in ("lines", "stretches"):
        connection.execute(f"drop table if exists temp.{table}")
    _drop_torn_line(folder)
    literal = str(folder.plan).replace("'", "''")
    connection.execute(f"create temp view plan as select * from read_parquet('{literal}')")  # noqa: S608 - our own file
    folder.outcomes.touch()
    connection.execute(_LINES, {"path": str(folder.outcomes)})
    planned = pq.ParquetFile(folder.plan).metadata.num_rows
    words = {"unheard": "the run ended before the reply", "interrupted": INTERRUPTED}
    connection.execute(_STRETCHES, words | {"planned": planned})
    connection.execute(_RESOLVED)
    return _balance(connection, planned)


def _balance(connection: duckdb.DuckDBPyConnection, planned: int) -> Balance:
    row = connection.execute(
        """
        with counted as (
            select *, last - first + 1 as rows from stretches where last < $planned
        ),

        sums as (
            select
                coalesce(sum(rows) filter (where outcome = 'accepted'), 0) as accepted,
                coalesce(sum(rows) filter (where outcome = 'rejected'), 0) as rejected,
                coalesce(sum(rows) filter (where outcome = 'skipped'), 0) as skipped,
                coalesce(sum(rows) filter (where outcome = 'unknown'), 0) as unknown,
                coalesce(sum(rows) filter (where not is_named), 0) as unnamed,
                coalesce(sum(rows) filter (where is_contradicted), 0) as contradicted
            from counted
        )

        select
            accepted::bigint,
            rejected::bigint,
            skipped::bigint,
            unknown::bigint,
            (unnamed * (select (count(*) = 0)::int from lines where kind = 'rest'))::bigint,
            (select greatest(coalesce(max(last), -1) - $planned + 1, 0) from stretches),
            contradicted::bigint,
            (select max(written_at) from lines)
        from sums
        """,
        {"planned": planned},
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate without groups has one row
    return Balance(planned, *row)


def _drop_torn_line(folder: RunFolder) -> None:
    """Cut a last line that a crash left unfinished; it says nothing yet."""
    try:
        with folder.outcomes.open("rb+") as file:
            content_end = file.seek(0, 2)
            position = content_end
            while position > 0:
                start = max(position - 65_536, 0)
                file.seek(start)
                newline = file.read(position - start).rfind(b"\n")
                if newline >= 0:
                    position = start + newline + 1
                    break
                position = start
            if position < content_end:
                file.truncate(position)
    except FileNotFoundError:
        return
