"""What destinations say they have, beside what the receipts say."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from reverse_etl.http import Http
from reverse_etl.lock import turn
from reverse_etl.record import land_journals
from reverse_etl.scope import scope_of
from reverse_etl.settings import read_syncs
from reverse_etl.state import write_state
from reverse_etl.tables import DATASET, TABLES
from reverse_etl.targets import find_target
from warehouse.connection import open_warehouse
from warehouse.errors import CioError, UsageError

if TYPE_CHECKING:
    from reverse_etl.run import Room
    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync


_ROWS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("sync", "destination", "label")),
        pa.field("asked_at", pa.timestamp("us")),
        *(pa.field(name, pa.int64()) for name in ("members_sent", "members_there")),
    ]
)


@dataclass(frozen=True)
class Size:
    """One audience of one sync, on both sides.

    Attributes:
        sync: The sync.
        label: The audience's label.
        sent: Members that the destination has, by the receipts.
        there: Members that it says it has; nothing if it knows no such audience, or does not say.
    """

    sync: str
    label: str
    sent: int
    there: int | None

    @property
    def difference(self) -> int | None:
        """How many more the destination has than it was sent, or nothing if it does not say."""
        return None if self.there is None else self.there - self.sent

    def to_json(self) -> dict[str, Any]:
        """The size as JSON has it."""
        return asdict(self) | {"difference": self.difference}


@dataclass(frozen=True)
class ReadBack:
    """What one sync's destination says.

    Attributes:
        sync: The sync.
        destination: Where it sends.
        sizes: Its audiences, by label.
        problem: What hindered asking, if anything did.
    """

    sync: str
    destination: str
    sizes: tuple[Size, ...]
    problem: str | None = None

    def lines(self) -> list[str]:
        """It in words, a line an audience."""
        if self.problem is not None:
            return [f"{self.sync}: its sizes cannot be read back: {self.problem}"]
        return [_line(size) for size in self.sizes]


def _line(size: Size) -> str:
    where = f"{size.sync}: {size.label}"
    if size.there is None:
        return f"{where}: {size.sent:,} sent; the destination does not say how many it has"
    if size.difference == 0:
        return f"{where}: {size.sent:,} on both sides"
    return f"{where}: {size.sent:,} sent, {size.there:,} there ({size.difference:+,})"


def read_back(room: Room) -> list[ReadBack]:
    """Ask destinations how large the audiences are that syncs keep there.

    Vendors count whom they know: fewer than were sent are people whom they could not match, more
    are people whom somebody else added.

    Args:
        room: Where, and which.

    Returns:
        One for each active sync whose destination can tell, in the order of their names. Only
        audiences that the sync has members in, or had, are told.

    Raises:
        CioError: A sync is not configured right, or the warehouse is busy.
    """
    land_journals(room.home)
    found = []
    for sync in read_syncs(room.manifest, select=room.select):
        target = find_target(sync)
        if target.inactive is None and target.kind.sizes is not None:
            found.append(_read_one(room, sync, target))
    return found


def keep_read_back(room: Room) -> list[ReadBack]:
    """Ask, as `read_back` does, and land what was told in `raw_reverse_etl.read_backs`.

    Returns:
        What was told. A destination that told nothing has no rows.

    Raises:
        CioError: A sync is not configured right, the warehouse is busy, or the load failed.
    """
    asked_at = room.clock.now()
    found = read_back(room)
    rows = [
        {
            "sync": one.sync,
            "destination": one.destination,
            "label": size.label,
            "asked_at": asked_at,
            "members_sent": size.sent,
            "members_there": size.there,
        }
        for one in found
        for size in one.sizes
    ]
    if rows:
        from warehouse.land import land  # noqa: PLC0415 - dlt takes over a second to import

        batches = {"read_backs": [pa.Table.from_pylist(rows, schema=_ROWS)]}
        with turn(room.home):
            land(
                room.home, DATASET, batches, TABLES, purpose="land what destinations say they have"
            )
    return found


def note_read_back(room: Room) -> None:
    """Ask and land before a run, which does not wait for it: what hinders is told, and no more.

    Raises:
        UsageError: A sync is not configured right.
    """
    try:
        keep_read_back(room)
    except UsageError:
        raise
    except CioError as error:
        room.on_event(f"what destinations have was not asked: {error}")


def _read_one(room: Room, sync: Sync, target: Target) -> ReadBack:
    sent = _sent(room, sync, target)
    if not sent:
        return ReadBack(sync.name, sync.destination, ())
    ask = target.kind.sizes
    assert ask is not None  # noqa: S101 - the caller looked
    timeout = sync.delivery.timeout_seconds
    with Http(target.url, clock=room.clock, timeout_seconds=timeout) as http:
        there = ask(target.settings, sync.options, http, sent.keys())
    if isinstance(there, str):
        return ReadBack(sync.name, sync.destination, (), there)
    sizes = [Size(sync.name, label, count, there.get(label)) for label, count in sent.items()]
    return ReadBack(sync.name, sync.destination, tuple(sizes))


def _sent(room: Room, sync: Sync, target: Target) -> dict[str, int]:
    """Members by label, as the receipts have them."""
    with tempfile.TemporaryDirectory(dir=room.home.journals, prefix=".sizes-") as folder:
        scope = scope_of(target.fingerprint(sync))
        with (
            turn(room.home),
            open_warehouse(room.home, purpose="read the receipts of syncs") as warehouse,
        ):
            state = write_state(
                warehouse, room.home, Path(folder), sync=sync.name, mode=sync.mode, scope=scope
            )
        with duckdb.connect() as connection:
            rows = connection.execute(
                # two people may stand for one entry there
                "select label, count(distinct identifier) filter (where is_held) "  # noqa: S608 - our own files
                f"from {state.relation} group by label order by label"
            ).fetchall()
    return dict(rows)
