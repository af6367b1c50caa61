"""Loading what the receiver has put on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders.customerio.webhooks import FEED
from loaders.receiver.archive import archive
from loaders.receiver.settings import read_receiver_settings
from loaders.receiver.spool import finish_leftovers, finished_files, spool_folder
from loaders.run import LoadReport, load
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from warehouse.home import Home


def load_feed(  # noqa: PLR0913 - the options of the command
    home: Home,
    feed: str,
    paths: Sequence[str],
    *,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    complete_through: datetime | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> LoadReport:
    """Load files of a feed as `load` does; webhooks without a path are those of the receiver."""
    if feed == FEED and not paths and not columns and table is None:
        return load_spool(home, complete_through=complete_through, on_progress=on_progress)
    return load(
        home,
        feed,
        paths,
        table=table,
        columns=columns,
        complete_through=complete_through,
        on_progress=on_progress,
    )


def load_spool(
    home: Home,
    *,
    complete_through: datetime | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> LoadReport:
    """Load the finished files of the spool, then pack them away.

    Args:
        home: The home whose spool and warehouse it is.
        complete_through: Until when the feed is now whole; naive means UTC.
        on_progress: Told sentences on how far the load is, and who it waits for.

    Returns:
        Counts of files and records; zeros if nothing waits.

    Raises:
        UsageError: The settings cannot be read.
        WarehouseBusy: Another process kept the warehouse.
        CioError: The load failed and nothing of it counts, or a file could not be packed away.
    """
    keep_days = read_receiver_settings().archive_days
    folder = spool_folder(home)
    finish_leftovers(folder)
    files = finished_files(folder)
    if not files and complete_through is None:
        report = LoadReport(FEED, 0, 0, 0, 0, 0, {})
    else:
        report = load(
            home,
            FEED,
            [str(path) for path in files],
            complete_through=complete_through,
            on_progress=on_progress,
        )
    try:
        archive(home, files, keep_days=keep_days)
    except OSError as error:
        message = (
            f"the events are loaded, but {error.filename or 'a file'} could not be packed away: "
            f"{error.strerror}. The next load tries again; nothing is loaded twice."
        )
        raise CioError(message) from error
    return report
