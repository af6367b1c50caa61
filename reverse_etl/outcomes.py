"""Reading a journal: exactly one outcome for every planned row, in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
_RESOLVED = """
create temp table resolved as
with spans as (
    select kind, attempt, outcome, reason, written_at, unnest(rows) as span
    from lines
    where kind in ('intent', 'outcome')
),

spread as (
    select
        kind, attempt, outcome, reason, written_at,
        unnest(generate_series(span[1], span[2])) as row
    from spans
),

unheard as (
    select spread.row, 'unknown' as outcome, $unheard as reason, spread.written_at
    from spread
    where spread.kind = 'intent'
        and spread.attempt not in (
            select attempt from lines where kind = 'outcome' and attempt is not null
        )
),

exceptional as (
    select unnest(exceptions, recursive := true), written_at from lines where kind = 'outcome'
),

named as (
    select row, outcome, reason, written_at from spread where kind = 'outcome'
    union all
    select row, outcome, reason, written_at from exceptional
    union all
    select row, outcome, reason, written_at from unheard
),

ranked as (
    select
        *,
        case outcome when 'accepted' then 0 when 'rejected' then 1 when 'unknown' then 2 else 3 end
            as rank
    from named
),

heard as (
    select
        row,
        -- as one value: alone, a reason that is null would be passed over
        arg_min(struct_pack(outcome, reason), rank) as best,
        max(written_at) as finished_at,
        bool_or(outcome = 'accepted') and bool_or(outcome = 'rejected') as is_contradicted
    from ranked
    group by row
),

attempted as (
    select row, count(*) as attempts, max(written_at) as sent_at
    from spread
    where kind = 'intent'
    group by row
),

remainder as (
    select coalesce(max(reason), $interrupted) as reason, max(written_at) as written_at
    from lines
    where kind = 'rest'
)

select
    plan.row,
    coalesce(heard.best.outcome, 'skipped') as outcome,
    case when heard.row is null then remainder.reason else heard.best.reason end as reason,
    coalesce(attempted.attempts, 0) as attempts,
    attempted.sent_at,
    coalesce(heard.finished_at, remainder.written_at) as finished_at,
    heard.row is not null as is_named,
    coalesce(heard.is_contradicted, false) as is_contradicted
from plan
left join heard on plan.row = heard.row
left join attempted on plan.row = attempted.row
cross join remainder
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
    for table in ("lines", "resolved"):
        connection.execute(f"drop table if exists temp.{table}")
    connection.execute("drop view if exists temp.plan")
    _drop_torn_line(folder)
    literal = str(folder.plan).replace("'", "''")
    connection.execute(f"create temp view plan as select * from read_parquet('{literal}')")  # noqa: S608 - our own file
    folder.outcomes.touch()
    connection.execute(_LINES, {"path": str(folder.outcomes)})
    connection.execute(
        _RESOLVED, {"unheard": "the run ended before the reply", "interrupted": INTERRUPTED}
    )
    return _balance(connection)


def _balance(connection: duckdb.DuckDBPyConnection) -> Balance:
    row = connection.execute(
        """
        with spans as (
            select unnest(rows) as span from lines where kind in ('intent', 'outcome')
        ),

        highest as (
            select greatest(
                coalesce((select max(span[2]) from spans), -1),
                coalesce((select max(list_max(list_transform(exceptions, lambda e: e.row)))
                    from lines), -1)
            ) as row
        )

        select
            count(*),
            count(*) filter (where outcome = 'accepted'),
            count(*) filter (where outcome = 'rejected'),
            count(*) filter (where outcome = 'skipped'),
            count(*) filter (where outcome = 'unknown'),
            count(*) filter (where not is_named)
                * (select (count(*) = 0)::int from lines where kind = 'rest'),
            greatest((select row from highest) - coalesce(max(row), -1), 0),
            count(*) filter (where is_contradicted),
            greatest(max(finished_at), (select max(written_at) from lines))
        from resolved
        """
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate without groups has one row
    return Balance(*row)


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
