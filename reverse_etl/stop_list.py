"""Who must not be sent any more, read from the stop list while a sync delivers."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import orjson

from reverse_etl.profile_keys import bare
from warehouse.erased import Tombstones
from warehouse.known_people import people_known_as
from warehouse.publish import file_name
from warehouse.stop_list import counts, digest, is_about, read_line, stop_list_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from reverse_etl.contract import Change, Use
    from warehouse.builds import Build
    from warehouse.home import Home

    FindPeople = Callable[[set[str]], set[str]]

OPTED_OUT = "opted out since the build"

__all__ = ["OPTED_OUT", "StopList", "digest", "read_for", "stop_list_path"]


class StopList:
    """Who must not be sent any more; read again whenever the file has grown.

    Attributes:
        news: How much of the file was taken in: rows judged at the same number need no second
            look.
    """

    def __init__(
        self,
        path: Path,
        use: Use,
        *,
        topic: str | None = None,
        since: datetime | None = None,
        find_people: FindPeople | None = None,
    ) -> None:
        """Look at `path` on behalf of a sync; an opt-out concerns activating syncs only.

        Args:
            path: The stop list.
            use: What the sync is for.
            topic: The topic that the sync names; opt-outs of others do not concern it.
            since: When the build of the plan started; opt-outs that it knew are left to it.
            find_people: Finds the people whom hashed identifiers belong to, so that who opted out
                under one is not sent under another; nothing where they are known by these alone.
        """
        self._path = path
        self._use = use
        self._topic = topic
        self._since = since
        self._find_people = find_people
        self.news = 0
        self._read = 0
        self._lock = threading.Lock()
        self._opted_out: set[str] = set()
        self._people: set[str] = set()
        self._erased = Tombstones()

    def refresh(self) -> None:
        """Take in what was appended since; safe to call from several threads."""
        with self._lock:
            self._refresh()

    def _refresh(self) -> None:
        try:
            if self._path.stat().st_size <= self._read:
                return
        except FileNotFoundError:
            return
        new: set[str] = set()
        with self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # still being written; it is read next time
                self._read += len(line)
                self._take(line, new)
        if new and self._find_people is not None and self._use == "activate":
            self._people |= self._find_people(new)
        # last, so that who reads it finds everything that it stands for
        self.news = self._read

    def _take(self, line: bytes, opted_out: set[str]) -> None:
        entry = read_line(line)
        if entry is None:
            return
        self._erased.take(entry)
        is_news = counts(entry, self._since) and is_about(entry, self._topic)
        if entry["kind"] == "opt_out" and is_news and entry["identifier"] not in self._opted_out:
            self._opted_out.add(entry["identifier"])
            opted_out.add(entry["identifier"])

    def reason(self, change: Change) -> str | None:
        """Why a change must not be sent, or nothing. Removals always may."""
        opted_out = self._opted_out if self._use == "activate" else frozenset()
        if change.operation == "remove" or not (self._erased or opted_out):
            return None
        identifier = change.identifier
        names = (identifier, bare(identifier), change.person_id)
        hashes = {digest(known) for known in names if known}
        hashes |= _known_as(change.payload)
        if self._erased and any(map(self._erased.has, hashes)):
            return "erased since the build"
        is_opted_out = bool(hashes & opted_out) or change.person_id in self._people
        return OPTED_OUT if is_opted_out else None


def read_for(home: Home, use: Use, build: Build, *, topic: str | None = None) -> StopList:
    """The stop list for a plan of a build, which says who is known by what."""
    published = home.published / file_name(build)
    return StopList(
        stop_list_path(home),
        use,
        topic=topic,
        since=build.started_at,
        find_people=partial(people_known_as, home, published, build.schema_prefix),
    )


def _known_as(payload: str | None) -> set[str]:
    """The hashes that a payload gives for its person; none if it gives none."""
    if payload is None or '"known_as"' not in payload:
        return set()
    try:
        found = orjson.loads(payload)["known_as"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return set()
    return {str(text) for text in found.values()} if isinstance(found, dict) else set()
