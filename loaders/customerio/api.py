"""Loads Customer.io's App API: reads everything first, then lands what is new as one load."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from loaders import bookkeeping
from loaders.bookkeeping import FEED_LOADS
from loaders.customerio import api_tables
from loaders.customerio.api_client import ApiClient
from loaders.customerio.api_landing import TableCounts, rows_to_land
from loaders.customerio.api_pace import Timing
from loaders.customerio.api_resources import RESOURCES, Reading, Resource
from loaders.customerio.api_settings import read_api_settings
from loaders.customerio.api_spool import spooling
from loaders.customerio.tables import DATASET, TABLES
from loaders.feeds import OptOuts, Preferences
from loaders.preferences import ATTRIBUTE
from loaders.stops import stop_rows
from warehouse.connection import open_warehouse
from warehouse.erased import Tombstones, read_tombstones
from warehouse.errors import CioError, UsageError
from warehouse.failures import recoverable
from warehouse.land import land
from warehouse.raw_tables import prepare
from warehouse.stop_list import stop_list_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import duckdb
    import pyarrow as pa

    from loaders.customerio.api_spool import Spool
    from warehouse.home import Home

FEED = "api"
LOOKBACK_DAYS = 30
FIRST_MESSAGES_DAYS = 180
"""How far back a first load of messages goes; the vendor's own default is six months."""
OPT_OUTS = OptOuts(
    api_tables.PEOPLE.name,
    "is_unsubscribed",
    (True,),
    Preferences("attributes", "attributes", (ATTRIBUTE,)),
)
MERGES_LOOKBACK = timedelta(days=1)
EVERYTHING = timedelta(days=10_000)
"""Longer than the vendor keeps anything."""

_PURPOSE = "load Customer.io's App API"


class ApiLoadRunning(CioError):  # noqa: N818 - says what the caller meets, as `filelock.Timeout` does
    """Another load of the App API is under way."""


@dataclass(frozen=True)
class ApiReport:
    """What a load read and landed, by table; of `records`, `duplicates` were landed before."""

    feed: str
    requests: int
    records: int
    duplicates: int
    quarantined: int
    tables: dict[str, TableCounts] = field(default_factory=dict)

    @property
    def loaded(self) -> int:
        """Rows that are new."""
        return self.records - self.duplicates


def load_api(  # noqa: PLR0913 - the options of the command
    home: Home,
    *,
    resources: Sequence[str] | None = None,
    since: datetime | None = None,
    lookback_days: int = LOOKBACK_DAYS,
    on_progress: Callable[[str], None] | None = None,
    timing: Timing | None = None,
) -> ApiReport:
    """Read resources of the App API and land what is new or changed.

    Messages are read from the end of the last load less `lookback_days`, because opens and clicks
    come in late; a first load goes back six months.

    Args:
        home: The home whose warehouse to load into.
        resources: Names of `RESOURCES`; all of them if none is named.
        since: Read messages from here if that is earlier than where they would be read from, or
            if none were read before; naive means UTC.
        lookback_days: How many days of messages to read again.
        on_progress: Told sentences on how far the load is, and who it waits for.
        timing: What tells the time.

    Returns:
        Counts by table.

    Raises:
        UsageError: There is no key, no such resource, or `lookback_days` is not positive.
        ApiLoadRunning: Another load of the App API is under way.
        ApiKeyRejected: The key or the region is wrong.
        ApiUnavailable: The API did not answer for as long as we try.
        WarehouseBusy: Another process kept the warehouse.
        CioError: The load failed; nothing of it counts.
    """
    chosen = _chosen(resources or ())
    if lookback_days < 1:
        message = f"--lookback-days {lookback_days}: write a number of days, 1 or more"
        raise UsageError(message)
    settings = read_api_settings()
    say = on_progress or _say_nothing
    timing = timing or Timing()
    with _alone(home), spooling(home) as spool, ApiClient(settings, timing) as client:
        started_at = timing.now()
        known = _known_through(home, say)
        reading = Reading(
            client=client,
            spool=spool,
            started_at=started_at,
            messages_from=_messages_from(
                known.get(api_tables.MESSAGES.name), _naive(since), lookback_days, started_at
            ),
            merges_from=known.get(api_tables.MERGES.name, started_at - EVERYTHING)
            - MERGES_LOOKBACK,
            say=say,
        )
        for resource in chosen:
            say(f"reading {resource.name}")
            # what dies in here is a mistake of ours or the disk's, and the message says so
            with recoverable(_PURPOSE):
                resource.read(reading)
        spool.close()
        counts = _land(home, spool, chosen, started_at, say)
    return ApiReport(
        feed=FEED,
        requests=client.requests,
        records=sum(count.read for count in counts.values()),
        duplicates=sum(count.read - count.landed for count in counts.values()),
        quarantined=sum(count.quarantined for count in counts.values()),
        tables=counts,
    )


def _chosen(names: Sequence[str]) -> list[Resource]:
    """The resources named and those they need, in the order they are read."""
    for name in names:
        if name not in RESOURCES:
            message = f"the App API has no resource {name}; there are {', '.join(RESOURCES)}"
            raise UsageError(message)
    wanted = {*names} | {needed for name in names for needed in RESOURCES[name].needs}
    return [each for name, each in RESOURCES.items() if not names or name in wanted]


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """One load at a time: two would share one rate, and land the same twice."""
    lock = FileLock(home.locks / "load-api.lock")
    try:
        lock.acquire(timeout=1)
    except Timeout:
        message = "a load of Customer.io's App API is running already. Wait for it to end."
        raise ApiLoadRunning(message) from None
    try:
        yield
    finally:
        lock.release()


def _known_through(home: Home, say: Callable[[str], None]) -> dict[str, datetime]:
    """Until when each table was read by loads before."""
    with open_warehouse(home, purpose=_PURPOSE, on_wait=say) as warehouse:
        prepare(warehouse, DATASET, TABLES)
        rows = warehouse.execute(
            f"select feed, max(complete_through) from {DATASET}.{FEED_LOADS} "  # noqa: S608 - declared names
            "where complete_through is not null group by feed"
        ).fetchall()
    return dict(rows)


def _messages_from(
    known: datetime | None, since: datetime | None, lookback_days: int, now: datetime
) -> datetime:
    if known is None:
        return min(since or now - timedelta(days=FIRST_MESSAGES_DAYS), now)
    # never later than where the last load ended, or there would be a gap
    lookback = known - timedelta(days=lookback_days)
    return min(since or lookback, lookback)


def _naive(instant: datetime | None) -> datetime | None:
    if instant is None or instant.tzinfo is None:
        return instant
    return instant.astimezone(UTC).replace(tzinfo=None)


def _say_nothing(_: str) -> None:
    return


def _land(
    home: Home,
    spool: Spool,
    chosen: Sequence[Resource],
    started_at: datetime,
    say: Callable[[str], None],
) -> dict[str, TableCounts]:
    names = list(dict.fromkeys(name for resource in chosen for name in resource.tables))
    counts = {name: TableCounts() for name in names}
    with open_warehouse(home, purpose=_PURPOSE, on_wait=say) as warehouse:
        # before the rows are compared with what was landed
        prepare(warehouse, DATASET, TABLES)
        tombstones = read_tombstones(stop_list_path(home))
        batches = _stopping(home, _batches(warehouse, spool, counts, tombstones, started_at))
        land(warehouse, DATASET, batches, TABLES, purpose=_PURPOSE)
    return counts


def _stopping(
    home: Home, batches: Iterator[tuple[str, pa.Table | pa.RecordBatch]]
) -> Iterator[tuple[str, pa.Table | pa.RecordBatch]]:
    """Put people on the stop list as they come who are new, or changed, and unsubscribed."""
    for table, batch in batches:
        if table == OPT_OUTS.table:
            stop_rows(home, OPT_OUTS, batch)
        yield table, batch


def _batches(
    warehouse: duckdb.DuckDBPyConnection,
    spool: Spool,
    counts: dict[str, TableCounts],
    tombstones: Tombstones,
    started_at: datetime,
) -> Iterator[tuple[str, pa.Table | pa.RecordBatch]]:
    for table, rows in rows_to_land(warehouse, spool, counts):
        kept = tombstones.kept(rows)
        if erased := rows.num_rows - kept.num_rows:
            count = counts[table]
            count.read, count.landed = count.read - erased, count.landed - erased
            count.erased += erased
        yield table, kept
    loads: list[dict[str, object]] = [
        {
            "feed": table,
            "complete_through": started_at.replace(microsecond=0),
            "files": spool.pages[table],
            "records": count.read,
            "duplicates": count.read - count.landed,
            "quarantined": count.quarantined,
            "started_at": started_at,
        }
        for table, count in counts.items()
    ]
    yield FEED_LOADS, bookkeeping.rows(FEED_LOADS, loads)
