"""Publishing: a read-only copy of a whole build that passed, without raw payloads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from warehouse.builds import Build, newest_whole_build
from warehouse.draws import land_draws
from warehouse.errors import CioError
from warehouse.failures import is_disk_full
from warehouse.observations import land_observations
from warehouse.opening import open_warehouse
from warehouse.published_file import copy_build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from warehouse.home import Home

KEPT_FILES = 2
"""The newest, and one before it for a reader that is opening it just now."""

_TEMPORARY = ".tmp-"


def publish(
    home: Home, *, wait_seconds: float = 600, on_wait: Callable[[str], None] | None = None
) -> Path | None:
    """Copy the newest whole build that passed to `published/`, unless it is there already.

    What is copied: the build's schemas except staging, of the intermediate one what views of the
    others read, and the records of syncs and builds. A file that was published before is brought up
    to date where that is less than writing it.
    Raw tables are not, so that no payload leaves the warehouse. What the build saw of the
    audiences and whom it drew into an arm is landed before, so that the next build knows who
    entered and left since, and that a draw that anybody could read stands.

    Args:
        home: The home to publish in.
        wait_seconds: How long to wait for the warehouse.
        on_wait: Told once who is being waited for.

    Returns:
        The new file, or nothing if there is no such build or it was published before.

    Raises:
        WarehouseBusy: Another process kept the warehouse.
        CioError: The copy could not be written.
    """
    if not home.warehouse.exists():
        return None
    with open_warehouse(
        home, purpose="publish the build", wait_seconds=wait_seconds, on_wait=on_wait
    ) as connection:
        build = newest_whole_build(connection)
        if build is None:
            return None
        target = home.published / file_name(build)
        if target.exists():
            return None
        # first, and once: what is published shows what it saw, and a killed publisher is done again
        land_draws(connection, build)
        land_observations(connection, build, home.target / "manifest.json")
        home.published.mkdir(mode=0o700, parents=True, exist_ok=True)
        # only who holds the warehouse publishes, so what others left unfinished is dead
        _remove(home.published.glob(f"{_TEMPORARY}*"))
        temporary = home.published / f"{_TEMPORARY}{target.name}"
        try:
            is_whole = _marker(home).exists()
            earlier = None if is_whole else next(iter(published_files(home)), None)
            copy_build(connection, build, temporary, earlier=earlier)
        except (duckdb.Error, OSError) as error:
            _remove(home.published.glob(f"{_TEMPORARY}*"))
            reason = (
                "the disk is full. The last published build stands; make room and run `cio build`"
                if is_disk_full(error)
                else error
            )
            message = f"cannot publish the build {build.build_id} to {home.published}: {reason}"
            raise CioError(message) from error
        temporary.rename(target)
        _marker(home).unlink(missing_ok=True)
    old = published_files(home)[KEPT_FILES:]
    _remove([*old, *map(known_people_file, old)])
    return target


def file_name(build: Build) -> str:
    """The name of a build's published file; names sort as builds started."""
    identifier = re.sub(r"[^A-Za-z0-9_-]", "_", build.build_id)
    return f"{build.started_at:%Y%m%dT%H%M%S}-{identifier}.duckdb"


def publish_whole_next(home: Home) -> None:
    """Let the next published file take nothing over from the one before it.

    Rows that are deleted from a file leave their bytes there. Whoever erases somebody says so
    before the warehouse changes.
    """
    home.published.mkdir(mode=0o700, parents=True, exist_ok=True)
    _marker(home).touch(mode=0o600)


def _marker(home: Home) -> Path:
    return home.published / ".write-whole"


def known_people_file(published: Path) -> Path:
    """Where hashes of the identifiers in a published build lie, if somebody asked for them."""
    return published.with_suffix(".people.parquet")


def published_files(home: Home) -> list[Path]:
    """The published files, newest first."""
    files = home.published.glob("[0-9]*.duckdb")
    return sorted(files, key=lambda path: path.name, reverse=True)


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        path.unlink(missing_ok=True)
