"""Erasing one person from the files of a home: what the receiver took, and what syncs wrote."""

from __future__ import annotations

import gzip
import os
import re
from typing import TYPE_CHECKING, Any

import duckdb
import orjson

from cio.erase_rows import tombstone
from loaders.receiver.archive import archive_folder
from loaders.receiver.spool import finish_leftovers, finished_files, spool_folder
from reverse_etl.state import forget_state
from warehouse.erased import NAMING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cio.erase_rows import Person
    from warehouse.home import Home

_KEYS = NAMING | {"id", "customerId", "customerid", "userId", "identity"}


def erase_spool(home: Home, person: Person) -> tuple[int, list[str]]:
    """Take a person's events out of the spool and its archive.

    Args:
        home: The home.
        person: Whom.

    Returns:
        How many lines went, and files that the receiver is still writing: they name nobody to us
        until they are finished, a minute from now at the latest.
    """
    folder = spool_folder(home)
    finish_leftovers(folder)
    names = _names(person)
    plain = sum(_rewrite(path, names, packed=False) for path in finished_files(folder))
    packed = [path for path in archive_folder(home).glob("*/*.gz") if not path.name.startswith(".")]
    gone = plain + sum(_rewrite(path, names, packed=True) for path in packed)
    return gone, sorted(path.name for path in folder.glob("*.open"))


def erase_journals(home: Home, person: Person) -> int:
    """Put tombstones into the journals, as they are in the receipts that were made of them.

    Args:
        home: The home.
        person: Whom.

    Returns:
        How many planned rows were about them.
    """
    forget_state(home)
    found = 0
    for plan in sorted(home.journals.glob("*/[0-9]*/plan.parquet")):
        found += _rewrite_plan(plan, person)
    return found


def _rewrite_plan(plan: Path, person: Person) -> int:
    people = "list_contains($people, person_id)"
    condition = f"({people} or list_contains($names, lower(trim(identifier))))"
    given = {"plan": str(plan), "people": list(person.people), "names": list(person.names)}
    with duckdb.connect() as connection:
        row = connection.execute(
            f"select count(*) from read_parquet($plan) where {condition}",  # noqa: S608 - our own text
            given,
        ).fetchone()
        count = int(row[0]) if row else 0
        if count == 0:
            return 0
        fresh = plan.with_name(".erased.parquet")
        connection.execute(
            "copy (select * replace ("  # noqa: S608 - our own text
            f"case when {condition} then {tombstone('identifier')} else identifier end "
            "as identifier, "
            f"case when {condition} then {tombstone('person_id')} else person_id end as person_id, "
            f"case when {condition} then null else payload end as payload) "
            "from read_parquet($plan) order by row) to $fresh (format parquet, compression zstd)",
            given | {"fresh": str(fresh)},
        )
    fresh.chmod(0o600)
    fresh.replace(plan)
    return count


def _names(person: Person) -> Callable[[bytes], bool]:
    texts = [
        re.compile(rb"(?<![a-z0-9._%+-])" + re.escape(text.lower().encode()) + rb"(?![a-z0-9_%-])")
        for text in person.texts
    ]
    names = frozenset(person.names)

    def is_theirs(line: bytes) -> bool:
        small = line.lower()
        if any(text.search(small) for text in texts):
            return True
        if not any(name.encode() in small for name in names):
            return False
        try:
            return any(value in names for value in _values(orjson.loads(line)))
        except orjson.JSONDecodeError:
            return False

    return is_theirs


def _values(found: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """What stands under a key that names people, at any depth."""
    if isinstance(found, dict):
        for key, value in found.items():
            if key in _KEYS and isinstance(value, str | int):
                yield str(value).strip().lower()
            elif key == "identifiers" and isinstance(value, dict):
                yield from (str(each).strip().lower() for each in value.values())
            yield from _values(value)
    elif isinstance(found, list):
        for value in found:
            yield from _values(value)


def _rewrite(path: Path, is_theirs: Callable[[bytes], bool], *, packed: bool) -> int:
    data = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    lines = data.splitlines(keepends=True)
    kept = [line for line in lines if not is_theirs(line)]
    gone = len(lines) - len(kept)
    if gone == 0:
        return 0
    fresh = path.with_name(f".erased-{path.name}")
    body = b"".join(kept)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(gzip.compress(body, mtime=0) if packed else body)
        file.flush()
        os.fsync(file.fileno())
    stamp = path.stat()
    os.utime(fresh, (stamp.st_atime, stamp.st_mtime))
    fresh.replace(path)
    return gone
