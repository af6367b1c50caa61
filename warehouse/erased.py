"""People who were erased, and stay out though a source still has them.

The stop list has a tombstone for everything an erased person was known by: the SHA-256, under a
salt of the home's own, of the SHA-256 that the list has of others. What led to rows of theirs that
name nobody (their deliveries, their orders) has one too, with the name of its column. A load drops
the rows that bear a tombstone before they are landed, whatever file or page they come from, until
`cio readmit` lifts it.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.stop_list import append_hashes, digest, read_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_Rows = TypeVar("_Rows", pa.Table, pa.RecordBatch)

NAMING = frozenset(
    [
        *("customer_id", "email", "email_addr", "cio_id", "phone", "recipient", "identifier"),
        *("profile_key", "primary_cio_id", "secondary_cio_id", "old_identity", "new_identity"),
        *("user_id", "internal_customer_id", "mpid"),
    ]
)
"""Columns that name a person: a value there is compared as it stands."""

LINKING = ("delivery_id", "order_id", "mpid", "internal_customer_id", "refund_id")
"""Columns whose values lead from a row that names a person to rows that do not."""

_REMEMBERED = 200_000
"""So many values that are nobody's are remembered: people come again and again in a load."""


class Tombstones:
    """Who was erased, as lines of the stop list say, taken in one after the other."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self.salt = ""
        self._hashes: set[str] = set()
        self._clean: set[str] = set()

    def __bool__(self) -> bool:
        """Whether anybody was erased."""
        return bool(self._hashes)

    def take(self, entry: Mapping[str, Any]) -> None:
        """Take in a line; most are not about erased people."""
        kind, hashed = entry["kind"], entry["identifier"]
        if kind == "salt":
            self.salt = hashed
        elif kind == "erasure":
            self._hashes.add(hashed)
        elif kind == "readmission":
            self._hashes.discard(hashed)

    def of(self, hashed: str) -> str:
        """The tombstone of what has this SHA-256."""
        return hashlib.sha256((self.salt + hashed).encode()).hexdigest()

    def stands(self, tombstone: str) -> bool:
        """Whether it was put up, and not lifted since."""
        return tombstone in self._hashes

    def has(self, hashed: str) -> bool:
        """Whether what has this SHA-256 is an erased person's."""
        # lists of before there was a salt have the hash itself
        return self.stands(self.of(hashed)) or self.stands(hashed)

    def kept(self, rows: _Rows) -> _Rows:
        """Rows without those of erased people.

        Args:
            rows: Rows of a raw table, before they are landed.

        Returns:
            Those that bear no tombstone; the same object if they are all.
        """
        if not self or rows.num_rows == 0:
            return rows
        names: list[str] = rows.schema.names
        # by links only where no row can name anybody: nearly every event has a delivery of its own
        columns = [name for name in names if name in NAMING] or [
            name for name in names if name in LINKING
        ]
        is_theirs = np.zeros(rows.num_rows, dtype=bool)
        for name in columns:
            column = rows.column(name)
            if pa.types.is_string(column.type):
                found = self._erased(name, pc.unique(column).to_pylist())
                if found:
                    values = pa.array(found, column.type)
                    is_theirs |= np.asarray(pc.is_in(column, values).to_numpy(zero_copy_only=False))
        return rows.filter(pa.array(~is_theirs)) if is_theirs.any() else rows

    def _erased(self, column: str, values: Iterable[str | None]) -> list[str]:
        found = []
        for value in values:
            if value is None or (known := link(column, value)) in self._clean:
                continue
            if self.has(digest(known)):
                found.append(value)
                continue
            if len(self._clean) >= _REMEMBERED:
                self._clean.clear()
            self._clean.add(known)
        return found


def read_tombstones(path: Path) -> Tombstones:
    """Who was erased, by a stop list as it is now."""
    found = Tombstones()
    if not path.exists():
        return found
    with path.open("rb") as file:
        for line in file:
            # nearly every line is one, and a list may have a million
            if b'"opt_out"' not in line and (entry := read_line(line)) is not None:
                found.take(entry)
    return found


def salted(path: Path) -> Tombstones:
    """The same with a salt, which the first erasure of a home makes."""
    if not read_tombstones(path).salt:
        append_hashes(path, "salt", [secrets.token_hex(16)], by="erase")
    return read_tombstones(path)


def put_up(path: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Put up tombstones for what somebody is known by.

    For who holds the lock of erasures.

    Args:
        path: The stop list.
        names: Identifiers, and ids that lead to rows of theirs as `link` writes them.

    Returns:
        Their tombstones, those that stood before among them.
    """
    tombstones = salted(path)
    found = tuple(dict.fromkeys(tombstones.of(digest(name)) for name in names))
    new = (each for each in found if not tombstones.stands(each))
    append_hashes(path, "erasure", new, by="erase")
    return found


def link(column: str, value: str) -> str:
    """What leads to rows that name nobody, as a tombstone has it: an order is no delivery."""
    return value if column in NAMING else f"{column}:{value}"
