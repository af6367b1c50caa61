"""The two doors of the warehouse: opened for writing, or read as it was last published.

Reading what is published is never in the way of a build, and never meets a half-built table.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from warehouse.builds import Build, newest_whole_build
from warehouse.errors import CioError, WarehouseBusy
from warehouse.opening import explain, open_warehouse
from warehouse.publish import publish, published_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from warehouse.home import Home

__all__ = ["Build", "Published", "PublishedReader", "open_warehouse", "read_published"]

_NOTHING = "no whole build has passed yet, so there is nothing to read. Run `cio build` first."


@dataclass(frozen=True)
class Published:
    """A published build, open for reading."""

    connection: duckdb.DuckDBPyConnection
    build: Build
    path: Path

    def schema(self, layer: str) -> str:
        """The schema of a layer in this build: `marts` is `dev_marts` in a build for dev."""
        return f"{self.build.schema_prefix}{layer}"

    def table(self, layer: str, name: str) -> str:
        """A table as SQL names it: `dev_marts.people`."""
        return f"{self.schema(layer)}.{name}"


@contextmanager
def read_published(home: Home, *, is_newest: bool = True) -> Iterator[Published]:
    """Open the newest published build, publishing first if the warehouse has a newer one.

    A warehouse that another process holds is not waited for: the newest file is read.

    Args:
        home: The home to read from.
        is_newest: Look whether the warehouse has a newer one. Without, what is published is read,
            and published only if nothing is: for whoever looked a moment ago.

    Yields:
        The build, its file attached read-only as the catalog `warehouse` of a connection that
        lives in memory; the time zone is UTC.

    Raises:
        CioError: Nothing is published, or the file cannot be read.
    """
    with PublishedReader(home) as reader, reader.read(is_newest=is_newest) as published:
        yield published


class PublishedReader:
    """Reads what is published, over and over: a file is opened once, for threads to share.

    Opening one takes a tenth of a second, as DuckDB reads all that it says of its tables.
    """

    def __init__(self, home: Home, settings: Mapping[str, object] | None = None) -> None:
        """Open nothing yet.

        Args:
            home: The home to read from.
            settings: DuckDB's, such as `memory_limit`, for all who read together.
        """
        self.home = home
        self._settings = settings or {}
        self._opened: Published | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Take the reader."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file, for everybody."""
        if self._opened is not None:
            self._opened.connection.close()

    @contextmanager
    def read(self, *, is_newest: bool = False) -> Iterator[Published]:
        """Read the newest published build, in a connection of one's own.

        Args:
            is_newest: Look whether the warehouse has a newer one, and publish that first.

        Yields:
            What `read_published` yields.

        Raises:
            CioError: Nothing is published, or the file cannot be read.
        """
        if is_newest or not published_files(self.home):
            publish_if_free(self.home)
        with self._lock:
            opened = self._newest()
            connection = opened.connection.cursor()
        try:
            connection.execute("use warehouse")
            yield replace(opened, connection=connection)
        finally:
            connection.close()

    def _newest(self) -> Published:
        if self._opened is None or self._opened.path not in published_files(self.home)[:1]:
            # not closed, for somebody may still read the one before; the last to read it does that
            self._opened = _open(self.home, self._settings)
        return self._opened


def _open(home: Home, settings: Mapping[str, object]) -> Published:
    connection = duckdb.connect()
    try:
        for name, value in settings.items():
            connection.execute(f"set global {name} = $value", {"value": value})
        connection.execute("set global TimeZone = 'UTC'")
        path = _attach_newest(connection, home)
        return Published(connection=connection, build=_build_in(connection, path), path=path)
    except BaseException:
        connection.close()
        raise


def _build_in(connection: duckdb.DuckDBPyConnection, path: Path) -> Build:
    build = newest_whole_build(connection)
    if build is None:
        message = f"{path} has no record of its build. Remove it and run `cio build`."
        raise CioError(message)
    return build


def publish_if_free(home: Home) -> None:
    """Publish the newest build unless another process has the warehouse, or there is no room.

    Args:
        home: The home to publish in.

    Raises:
        CioError: It could not be, and nothing was published before.
    """
    try:
        publish(home, wait_seconds=0)
    except WarehouseBusy as error:
        if not published_files(home):
            message = f"nothing is published yet: {error}"
            raise WarehouseBusy(message) from error
    except CioError:
        # a reader who may not write, or has no room for a copy, still reads what there is
        if not published_files(home):
            raise


def _attach_newest(connection: duckdb.DuckDBPyConnection, home: Home) -> Path:
    # a file may be removed by a publisher between listing and opening; the next one is there
    for _ in range(10):
        files = published_files(home)
        if not files:
            raise CioError(_NOTHING)
        literal = str(files[0]).replace("'", "''")
        try:
            connection.execute(f"attach '{literal}' as warehouse (read_only)")
        except duckdb.Error as error:
            if not files[0].exists():
                continue
            raise CioError(explain(error, files[0], "read what is published")) from error
        return files[0]
    raise CioError(_NOTHING)
