"""Python's search for garbage, made rarer while millions of rows pass that leave none."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALLOCATIONS = 100_000
"""Every 700 objects, as Python does it, the search took a quarter of what a delivery takes."""


@contextmanager
def searched_rarely() -> Iterator[None]:
    """Search for cycles after so many new objects; what is in none goes at once as ever."""
    before = gc.get_threshold()
    gc.set_threshold(max(_ALLOCATIONS, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
