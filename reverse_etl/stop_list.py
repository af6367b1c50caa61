"""Who must not be sent any more, read from the stop list while a sync delivers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import orjson

from reverse_etl.profile_keys import bare
from warehouse.stop_list import counts, digest, stop_list_path

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from reverse_etl.contract import Change, Use

__all__ = ["StopList", "digest", "stop_list_path"]


class StopList:
    """Who must not be sent any more; read again whenever the file has grown.

    Attributes:
        news: How many entries were taken in so far: rows judged at the same number need no second
            look.
    """

    def __init__(self, path: Path, use: Use, *, since: datetime | None = None) -> None:
        """Look at `path` on behalf of a sync; an opt-out concerns activating syncs only.

        Args:
            path: The stop list.
            use: What the sync is for.
            since: When the build of the plan started; opt-outs that it knew are left to it.
        """
        self._path = path
        self._use = use
        self._since = since
        self.news = 0
        self._read = 0
        self._lock = threading.Lock()
        self._opted_out: set[str] = set()
        self._erased: set[str] = set()

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
        with self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # still being written; it is read next time
                self._read += len(line)
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = orjson.loads(line)
            kind, identifier = entry["kind"], entry["identifier"]
            is_news = counts(entry, self._since)
        except (ValueError, KeyError, TypeError):
            return
        if not is_news:
            return
        if kind == "erasure":
            self._erased.add(identifier)
            self.news += 1
        elif kind == "opt_out":
            self._opted_out.add(identifier)
            self.news += 1

    def reason(self, change: Change) -> str | None:
        """Why a change must not be sent, or nothing. Removals always may."""
        opted_out = self._opted_out if self._use == "activate" else frozenset()
        if change.operation == "remove" or not (self._erased or opted_out):
            return None
        identifier = change.identifier
        names = (identifier, bare(identifier), change.person_id)
        hashes = {digest(known) for known in names if known}
        hashes |= _known_as(change.payload)
        if hashes & self._erased:
            return "erased since the build"
        return "opted out since the build" if hashes & opted_out else None


def _known_as(payload: str | None) -> set[str]:
    """The hashes that a payload gives for its person; none if it gives none."""
    if payload is None or '"known_as"' not in payload:
        return set()
    try:
        found = orjson.loads(payload)["known_as"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return set()
    return {str(text) for text in found.values()} if isinstance(found, dict) else set()
