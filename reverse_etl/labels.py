"""What a plan finds label by label: how much of what is wanted is in place, and what is to leave.

Landed with the run, it is one side of `sync_reconciliation`; what the run was accepted for is the
other. The destination's own word is a third, which `readback` asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.connection import Published

# An event too old to be sent is not wanted any more; one that was refused still is.
_COUNTED = """
with wanted as (
    select
        label,
        count(*) as wanted,
        count(*) filter (where operation = 'same') as in_place
    from sent
    where operation <> 'too_old'
    group by label
),

leaving as (
    select label, count(*) as leaving
    from removed
    group by label
)

select
    coalesce(wanted.label, leaving.label) as label,
    coalesce(wanted.wanted, 0) as wanted,
    coalesce(wanted.in_place, 0) as in_place,
    coalesce(leaving.leaving, 0) as leaving
from wanted
full outer join leaving on wanted.label = leaving.label
order by label
"""


@dataclass(frozen=True)
class LabelCount:
    """Rows of one label, an audience or an event's name, at the time of a plan.

    Attributes:
        label: The label; empty where rows have none.
        wanted: Rows that are wanted and may be sent, those refused before among them.
        in_place: Rows among them that the destination has as they are, by the receipts.
        leaving: Rows that it has, or may have, and that are not wanted.
    """

    label: str
    wanted: int
    in_place: int
    leaving: int


def count_labels(published: Published) -> tuple[LabelCount, ...]:
    """Count what `compare` has just found, by label; on the same connection, before it closes."""
    rows = published.connection.execute(_COUNTED).fetchall()
    return tuple(LabelCount(*row) for row in rows)
