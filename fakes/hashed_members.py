"""Lists of people known by hashes alone, as ad platforms keep them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class HashedList:
    """One list: who is added twice is in it once, and a removal takes who shares a key.

    Attributes:
        id: The list's id.
        name: Its name.
        unique: Keys that find somebody alone.
        rows: Its rows, by their cells.
        added: When each was last added, by its cells.
    """

    id: str
    name: str
    unique: tuple[str, ...]
    rows: dict[tuple[tuple[str, str], ...], dict[str, str]] = field(default_factory=dict)
    added: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)
    _index: dict[tuple[str, str], set[tuple[tuple[str, str], ...]]] = field(default_factory=dict)

    def add(self, rows: Iterable[Mapping[str, str]], at: float = 0.0) -> None:
        """Add rows of digests by key, at an instant in seconds since the epoch."""
        for row in rows:
            cells = tuple(sorted(row.items()))
            self.rows[cells] = dict(row)
            self.added[cells] = at
            for cell in cells:
                self._index.setdefault(cell, set()).add(cells)

    def remove(self, rows: Iterable[Mapping[str, str]]) -> None:
        """Remove everybody whom a row finds, by one unique key or by all of its cells."""
        for row in rows:
            found = {tuple(sorted(row.items()))}
            for cell in row.items():
                if cell[0] in self.unique:
                    found |= self._index.get(cell, set())
            for cells in found & self.rows.keys():
                del self.rows[cells]
                for cell in cells:
                    self._index[cell].discard(cells)

    def clear(self) -> None:
        """Remove everybody."""
        self.rows.clear()
        self._index.clear()

    def remove_before(self, instant: float) -> None:
        """Remove everybody who was last added before an instant."""
        for cells in [each for each in self.rows if self.added[each] < instant]:
            del self.rows[cells]
            for cell in cells:
                self._index[cell].discard(cells)
