"""One load: find the files that are new, parse them, land them as one load that counts whole."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from loaders import bookkeeping
from loaders.bookkeeping import FEED_LOADS, LOADED_FILES, QUARANTINE
from loaders.duplicates import Duplicates
from loaders.locations import find_files
from loaders.mapping import column_mapping, table_setting
from loaders.registry import find_feed
from loaders.stops import stop_opted_out
from loaders.table_rows import TableRows, new_rows
from warehouse.connection import open_warehouse
from warehouse.erased import Tombstones, read_tombstones
from warehouse.errors import UsageError
from warehouse.land import land, remove_leftovers
from warehouse.raw_tables import prepare
from warehouse.settings import check_settings
from warehouse.stop_list import stop_list_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from loaders.feeds import Feed, Parsed
    from loaders.locations import File
    from warehouse.home import Home


@dataclass(frozen=True)
class LoadReport:
    """What a load did. Of its `records`, `duplicates` were known before or came twice in it."""

    feed: str
    files: int
    files_skipped: int
    records: int
    duplicates: int
    quarantined: int
    reasons: dict[str, int]
    left_out: dict[str, int] = field(default_factory=dict)
    """Files found and not read, by reason; they are looked at again by the next load."""
    erased: int = 0
    """Rows of people who were erased; they were not landed."""

    @property
    def loaded(self) -> int:
        """Records that are new."""
        return self.records - self.duplicates


def load(  # noqa: PLR0913 - the options of the command
    home: Home,
    feed: str,
    paths: Sequence[str],
    *,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    complete_through: datetime | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> LoadReport:
    """Load the files of a feed that are not loaded yet, or changed since; or a table's new rows.

    Args:
        home: The home whose warehouse to load into.
        feed: The feed's name, such as webhooks or orders.
        paths: Files, folders, patterns or URLs. None at all is allowed with `complete_through`.
        table: A table of the warehouse to load instead, `schema.table`; without paths that of the
            feed's settings, if they name one.
        columns: Source columns by target, for feeds with a mapping: `{"order_id": "Order number"}`.
        complete_through: Until when the feed is now whole; naive means UTC.
        on_progress: Told sentences on how far the load is, and who it waits for.

    Returns:
        Counts of files and records. Nothing is landed if no file is new and nothing is declared.

    Raises:
        UsageError: An unknown feed, a path that names nothing, a column that is not there.
        WarehouseBusy: Another process kept the warehouse.
        CioError: The load failed; nothing of it counts.
    """
    started_at = datetime.now(UTC).replace(tzinfo=None)
    plan = find_feed(feed)
    check_settings()
    mapping = column_mapping(plan, columns or {})
    source = _table(plan, paths, table)
    if not paths and source is None and complete_through is None:
        message = f"name files to load into {feed}, or say how far it is whole"
        raise UsageError(message)
    arranged = plan.arrange(find_files(paths, suffixes=plan.suffixes))
    files = arranged.files
    say = on_progress or _say_nothing
    with open_warehouse(home, purpose=f"load {feed}", on_wait=say) as warehouse:
        remove_leftovers(home)
        prepare(warehouse, plan.dataset, plan.tables)
        fresh = _fresh(warehouse, plan, files)
        tally = _Tally(
            home,
            Duplicates(warehouse, plan),
            read_tombstones(stop_list_path(home)),
            _naive(complete_through),
            started_at,
        )
        with (
            nullcontext() if source is None else new_rows(warehouse, plan, source, mapping) as held
        ):
            if fresh or complete_through is not None or (held is not None and held.rows):
                batches = _batches(plan, _Sources(fresh, held), mapping, tally, say)
                land(warehouse, plan.dataset, batches, plan.tables, purpose=f"load {feed}")
    return LoadReport(
        feed=feed,
        files=len(fresh),
        files_skipped=len(files) - len(fresh),
        records=tally.records,
        duplicates=tally.duplicate_count,
        quarantined=tally.quarantined,
        reasons=dict(tally.reasons.most_common()),
        left_out=dict(arranged.left_out),
        erased=tally.erased,
    )


@dataclass
class _Tally:
    """What the load has taken so far."""

    home: Home
    duplicates: Duplicates
    tombstones: Tombstones
    through: datetime | None
    started_at: datetime
    records: int = 0
    duplicate_count: int = 0
    erased: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def quarantined(self) -> int:
        return self.reasons.total()

    def kept(self, rows: pa.Table) -> pa.Table:
        """Rows without those of erased people, which are counted."""
        kept = self.tombstones.kept(rows)
        self.erased += rows.num_rows - kept.num_rows
        return kept


@dataclass(frozen=True)
class _Sources:
    """What a load reads: files that are new, and a table's new rows."""

    files: Sequence[File]
    held: TableRows | None


def _table(feed: Feed, paths: Sequence[str], table: str | None) -> str | None:
    """The table to load: the one named, else without files that of the settings."""
    if paths and table is not None:
        message = f"load {feed.name} from files or from --table {table}, one at a time"
        raise UsageError(message)
    return table if paths or table is not None else table_setting(feed)


def _naive(instant: datetime | None) -> datetime | None:
    if instant is None or instant.tzinfo is None:
        return instant
    return instant.astimezone(UTC).replace(tzinfo=None)


def _say_nothing(_: str) -> None:
    return


def _fresh(warehouse: duckdb.DuckDBPyConnection, feed: Feed, files: Sequence[File]) -> list[File]:
    """The files that no complete load has taken as they are now."""
    # what unfinished loads left was removed when the tables were prepared
    rows = warehouse.execute(
        f"select path, fingerprint from {feed.dataset}.{LOADED_FILES} where feed = $feed",  # noqa: S608 - declared names
        {"feed": feed.name},
    ).fetchall()
    loaded = set(rows)
    return [file for file in files if (file.path, file.fingerprint) not in loaded]


def _batches(
    feed: Feed,
    sources: _Sources,
    mapping: Mapping[str, str],
    tally: _Tally,
    say: Callable[[str], None],
) -> Iterator[tuple[str, pa.Table]]:
    """Batches of every table in the order they are made; the load's own row comes last."""
    if sources.held is not None:
        for batch in sources.held.batches():
            yield from _taken(feed, batch, tally)
        say(f"{feed.name}: {tally.records:,} records, {sources.held.place} done")
    with duckdb.connect() as parser:
        parser.execute("set TimeZone = 'UTC'")
        for file in sources.files:
            yield from _file_batches(feed, file, feed.parse(parser, file, mapping), tally)
            say(f"{feed.name}: {tally.records:,} records, {file.path} done")
    tally.duplicate_count = tally.duplicates.count()
    load_row: dict[str, object] = {
        "feed": feed.name,
        "complete_through": tally.through,
        "files": len(sources.files),
        "records": tally.records,
        "duplicates": tally.duplicate_count,
        "quarantined": tally.quarantined,
        "started_at": tally.started_at,
    }
    yield FEED_LOADS, bookkeeping.rows(FEED_LOADS, [load_row])


def _file_batches(
    feed: Feed, file: File, parsed: Iterator[Parsed], tally: _Tally
) -> Iterator[tuple[str, pa.Table]]:
    records, quarantined = 0, 0
    for batch in parsed:
        before = tally.records
        yield from _taken(feed, batch, tally)
        records += tally.records - before
        quarantined += batch.quarantined.num_rows
    file_row: dict[str, object] = {
        "feed": feed.name,
        **asdict(file),
        "records": records,
        "quarantined": quarantined,
    }
    yield LOADED_FILES, bookkeeping.rows(LOADED_FILES, [file_row])


def _taken(feed: Feed, batch: Parsed, tally: _Tally) -> Iterator[tuple[str, pa.Table]]:
    """One batch by table, counted."""
    batch = replace(
        batch,
        records=tally.kept(batch.records),
        others={table: tally.kept(rows) for table, rows in batch.others.items()},
    )
    stop_opted_out(tally.home, feed, batch)
    if batch.records.num_rows:
        table = batch.table or feed.table
        tally.duplicates.add(batch.records, table)
        yield table, batch.records
    yield from batch.others.items()
    if batch.quarantined.num_rows:
        tally.reasons.update(batch.quarantined.column("reason").to_pylist())
        yield QUARANTINE, batch.quarantined
    tally.records += batch.records.num_rows
