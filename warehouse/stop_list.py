"""The stop list: people who opted out or were erased since the plan's tables were built.

`stop_list.ndjson` in the home is appended by the receiver, the loaders and `cio erase`; a line is
`{"kind": "opt_out" | "erasure", "identifier": "<sha256>", "at": "<instant>", "by": "…"}`, the hash
of the identifier, trimmed and in small letters, so the list itself holds nothing personal. `at` is
when the line was written, in UTC: an opt-out that a load wrote before a build started is in that
build's tables, which know which channel it was for and whether the person came back. An opt-out
with `topics`, a list of topics of the subscription center, is of these alone. Identifiers of erased
people are under a salt beside (`warehouse.erased`).
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from warehouse.home import Home

Kind = Literal["opt_out", "erasure", "readmission", "salt"]
Writer = Literal["load", "receive", "erase", "readmit"]

UNLOADED = timedelta(days=1)
"""How long what the receiver took may wait for its load: so much longer its opt-outs count."""


def stop_list_path(home: Home) -> Path:
    """Where the stop list lies."""
    return home.root / "stop_list.ndjson"


def digest(identifier: str) -> str:
    """An identifier as the stop list has it."""
    return hashlib.sha256(identifier.strip().lower().encode()).hexdigest()


def append(
    path: Path,
    kind: Kind,
    identifiers: Iterable[str | None],
    *,
    by: Writer,
    topics: Iterable[str] = (),
) -> int:
    """Add people to the stop list.

    Lines are written at once, at the end of the file, so that writers do not cut into each other.

    Args:
        path: The stop list; it is made if it is missing, for this user alone.
        kind: Why they must not be sent.
        identifiers: Anything they are known by; what is empty is passed over.
        by: Who writes.
        topics: The topics that an opt-out is of; of everything if there are none.

    Returns:
        How many lines were added.
    """
    known = (digest(each) for each in identifiers if each and each.strip())
    return append_hashes(path, kind, known, by=by, topics=topics)


def append_hashes(
    path: Path, kind: Kind, hashes: Iterable[str], *, by: Writer, topics: Iterable[str] = ()
) -> int:
    """Add lines for what is hashed already, each once, as `append` does."""
    at = datetime.now(UTC).replace(tzinfo=None).isoformat()
    entry: dict[str, object] = {"kind": kind, "at": at, "by": by}
    if named := sorted(set(topics)):
        entry["topics"] = named
    lines = [
        orjson.dumps(entry | {"identifier": each}, option=orjson.OPT_APPEND_NEWLINE)
        for each in dict.fromkeys(hashes)
    ]
    if not lines:
        return 0
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab", buffering=0) as file:
        file.write(b"".join(lines))
        os.fsync(file.fileno())
    return len(lines)


def opted_out(path: Path, since: datetime, *, topic: str | None = None) -> set[str]:
    """Hashes of what people were called by who opted out after a build had started.

    Of everything, or of the topic.

    Without the margin for what waits for its load: such a one is not sent (`counts`), but whether
    to take somebody off a list is for the build to say, which knows who came back.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return set()
    entries = (entry for line in lines if (entry := read_line(line)) is not None)
    return {
        entry["identifier"]
        for entry in entries
        if entry["kind"] == "opt_out"
        and is_about(entry, topic)
        and entry.get("at") is not None
        and datetime.fromisoformat(entry["at"]) >= since
    }


def read_line(line: bytes) -> dict[str, Any] | None:
    """An entry of the list; nothing if the line is none, or is still being written."""
    try:
        entry = orjson.loads(line)
        datetime.fromisoformat(entry.get("at") or "1970-01-01")
        is_whole = isinstance(entry["kind"], str) and isinstance(entry["identifier"], str)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(entry) if is_whole else None


def is_about(entry: Mapping[str, Any], topic: str | None) -> bool:
    """Whether an opt-out is of everything, or of the topic that a sync names."""
    topics = entry.get("topics")
    return not topics or topic in topics


def counts(entry: Mapping[str, Any], since: datetime | None) -> bool:
    """Whether an opt-out is news to a build that started at `since`."""
    written = entry.get("at")
    if since is None or written is None:
        return True
    margin = UNLOADED if entry.get("by") == "receive" else timedelta(0)
    return datetime.fromisoformat(written) >= since - margin
