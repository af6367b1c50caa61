"""Whether what a build was built with is what the lock says of the audiences a sync carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.exclusions import columns_of
from warehouse.definitions import LOCK, Definition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.settings import Sync
    from warehouse.connection import Published
    from warehouse.definitions import Locked


def carried_definitions(published: Published, sync: Sync) -> dict[str, Definition]:
    """The definitions that the build saw of the audiences whose members a sync carries.

    Args:
        published: The build.
        sync: The sync; one whose rows are of no audience carries none.

    Returns:
        Version and checksum by audience. Those whose checksum nobody could tell are left out, and
        so is everything of a build as of a given instant, which lands no observation.
    """
    if "audience" not in columns_of(published, "outbound", sync.model):
        return {}
    needed = {"audience", "build_id", "version", "checksum"}
    if not needed <= columns_of(published, "operations", "audience_builds"):
        return {}
    table = published.table("operations", "audience_builds")
    rows = published.connection.execute(
        f"select audience, version, checksum from {table} "  # noqa: S608 - a name of the build
        "where build_id = $build_id and checksum is not null order by audience",
        {"build_id": published.build.build_id},
    ).fetchall()
    wanted = sync.filter.get("audience")
    return {
        audience: Definition(version, digest)
        for audience, version, digest in rows
        if wanted is None or audience in wanted
    }


def changed_definitions(
    built: Mapping[str, Definition], lock: Mapping[str, Locked]
) -> tuple[str, ...]:
    """What was built with a logic that its version does not stand for, in words.

    A build of an earlier version than the lock's is no such thing: the next build will be of the
    new one, and what the lock said of the old one was checked when that was built.

    Args:
        built: Definitions by audience, as they were built.
        lock: The lock.
    """
    found = []
    for name, definition in sorted(built.items()):
        locked = lock.get(name)
        if locked is None:
            found.append(f"{name} is not in {LOCK}")
        elif definition.version > locked.version:
            found.append(
                f"{name} says version {definition.version}, and {LOCK} has version {locked.version}"
            )
        elif definition.version == locked.version and definition.checksum != locked.checksum:
            found.append(f"the logic of {name} changed, and its version is still {locked.version}")
    return tuple(found)
