"""The stop list: people who opted out or were erased since the plan's tables were built.

`stop_list.ndjson` in the home is appended by the receiver, the loaders and `cio erase`; a line is
`{"kind": "opt_out" | "erasure", "identifier": "<sha256>"}`, the hash of the identifier, trimmed and
in small letters, so the list itself holds nothing personal. A row whose own identifier is not one
of those says in its payload, under `known_as`, by which hashes the list would know its person.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.contract import Change, Use
    from warehouse.home import Home


def stop_list_path(home: Home) -> Path:
    """Where the stop list lies."""
    return home.root / "stop_list.ndjson"


def digest(identifier: str) -> str:
    """An identifier as the stop list has it."""
    return hashlib.sha256(identifier.strip().lower().encode()).hexdigest()


class StopList:
    """Who must not be sent any more; read again whenever the file has grown."""

    def __init__(self, path: Path, use: Use) -> None:
        """Look at `path` on behalf of a sync; an opt-out concerns activating syncs only."""
        self._path = path
        self._use = use
        self._read = 0
        self._opted_out: set[str] = set()
        self._erased: set[str] = set()

    def refresh(self) -> None:
        """Take in what was appended since."""
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
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        if kind == "erasure":
            self._erased.add(identifier)
        elif kind == "opt_out":
            self._opted_out.add(identifier)

    def reason(self, change: Change) -> str | None:
        """Why a change must not be sent, or nothing. Removals always may."""
        opted_out = self._opted_out if self._use == "activate" else frozenset()
        if change.operation == "remove" or not (self._erased or opted_out):
            return None
        hashes = {digest(known) for known in (change.identifier, change.person_id) if known}
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
